package memory

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/finalbell/finalbell/store"
)

type entryKey struct {
	store.WindowKey
	id string
}

// window is what is kept of a window of a board. A nil one has nothing in it.
type window struct {
	record  store.Window   // without a version: never written
	entries []store.Record // each a store.Entry, in the order of creation
	slots   map[string]int // by id
	chunks  []store.Record // each a store.Chunk, by number
}

// dropped is how many entries and chunks a store.Drop takes away.
const dropped = 1000

// keyOf is the window that a record belongs to, or the zero key.
func keyOf(record store.Record) store.WindowKey {
	switch r := record.(type) {
	case store.Entry:
		return r.WindowKey
	case store.Window:
		return r.WindowKey
	case store.Chunk:
		return r.WindowKey
	case store.Drop:
		return r.WindowKey
	}
	return store.WindowKey{}
}

func entryIn(r store.Record) store.Entry {
	e, _ := r.(store.Entry)
	return e
}

func chunkIn(r store.Record) store.Chunk {
	c, _ := r.(store.Chunk)
	return c
}

func (w *window) version() uint64 {
	if w == nil {
		return 0
	}
	return w.record.Version
}

// entry returns a zero entry, which has no version, for an id that is not there.
func (w *window) entry(id string) store.Entry {
	if w != nil {
		if slot, ok := w.slots[id]; ok {
			return entryIn(w.entries[slot])
		}
	}
	return store.Entry{}
}

func (w *window) clone() *window {
	if w == nil {
		return &window{slots: map[string]int{}}
	}
	return &window{
		record: w.record, entries: slices.Clone(w.entries), slots: maps.Clone(w.slots), chunks: slices.Clone(w.chunks),
	}
}

// put writes a record into its window.
func (w *window) put(record store.Record) {
	switch r := record.(type) {
	case store.Entry:
		if slot, ok := w.slots[r.ID]; ok {
			w.entries[slot] = record
			return
		}
		w.slots[r.ID] = len(w.entries)
		w.entries = append(w.entries, record)
	case store.Window:
		w.record = r
	case store.Chunk:
		at, there := w.chunk(r.N)
		if there {
			w.chunks[at] = record
			return
		}
		w.chunks = slices.Insert(w.chunks, at, record)
	case store.Drop:
		w.drop(r)
	}
}

// chunk is where the chunk of a number is, or would be.
func (w *window) chunk(n int) (at int, there bool) {
	return slices.BinarySearchFunc(w.chunks, n, func(r store.Record, n int) int { return cmp.Compare(chunkIn(r).N, n) })
}

// drop takes the youngest entries first: the others keep their slots.
func (w *window) drop(r store.Drop) {
	if !r.All {
		from, to := w.between(r.From, r.To)
		w.chunks = slices.Delete(w.chunks, from, min(to, from+dropped))
		return
	}
	keep := max(len(w.entries)-dropped, 0)
	gone := len(w.entries) - keep
	for _, e := range w.entries[keep:] {
		delete(w.slots, entryIn(e).ID)
	}
	w.entries = slices.Delete(w.entries, keep, len(w.entries))
	w.chunks = slices.Delete(w.chunks, 0, min(len(w.chunks), dropped-gone))
	if len(w.entries) == 0 && len(w.chunks) == 0 {
		w.record = store.Window{}
	}
}

// between is where the chunks from one number on and below another are.
func (w *window) between(from, to int) (first, end int) {
	first, _ = w.chunk(from)
	end, _ = w.chunk(to)
	return first, max(first, end)
}

// putIn writes a record into its window and makes that if need be.
func (d *data) putIn(key store.WindowKey, r store.Record) {
	w := d.windows[key]
	if w == nil {
		w = w.clone()
		d.windows[key] = w
		d.named[nameOf(key)] = append(d.named[nameOf(key)], key)
	}
	w.put(r)
}

// windowName is what all partitions and generations of a window share.
type windowName struct{ board, window string }

func nameOf(key store.WindowKey) windowName { return windowName{key.Board, key.Window} }

func (d *data) drop(r store.Drop) {
	w := d.windows[r.WindowKey]
	if w == nil {
		return
	}
	w.drop(r)
	if w.record.Version == 0 && len(w.entries) == 0 && len(w.chunks) == 0 {
		delete(d.windows, r.WindowKey)
		name := nameOf(r.WindowKey)
		if d.named[name] = slices.DeleteFunc(d.named[name], func(k store.WindowKey) bool { return k == r.WindowKey }); len(d.named[name]) == 0 {
			delete(d.named, name)
		}
	}
}

func (d *data) entries(q store.EntryQuery) []store.Record {
	w := d.windows[q.WindowKey]
	if w == nil {
		return nil
	}
	if q.IDs == nil {
		return slices.Clone(w.entries)
	}
	ids := slices.Clone(q.IDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	entries := make([]store.Record, 0, len(ids))
	for _, id := range ids {
		if slot, ok := w.slots[id]; ok {
			entries = append(entries, w.entries[slot])
		}
	}
	return entries
}

func (d *data) chunks(key store.WindowKey, from, to int) []store.Record {
	w := d.windows[key]
	if w == nil {
		return nil
	}
	first, end := w.between(from, to)
	return slices.Clone(w.chunks[first:end])
}

// periods are the windows that q asks for, in the order of their keys.
func (d *data) periods(q store.WindowQuery) []store.Window {
	var found []store.Window
	look := func(key store.WindowKey, w *window) {
		if (q.Board != "" && key.Board != q.Board) || (q.Window != "" && key.Window != q.Window) ||
			(q.Unfrozen && w.record.Frozen) || (w.record.Version == 0 && len(w.entries) == 0) {
			return
		}
		record := w.record
		record.WindowKey = key
		found = append(found, record)
	}
	if q.Board != "" && q.Window != "" {
		for _, key := range d.named[windowName{q.Board, q.Window}] {
			look(key, d.windows[key])
		}
	} else {
		for key, w := range d.windows {
			look(key, w)
		}
	}
	slices.SortFunc(found, func(a, b store.Window) int {
		return cmp.Or(strings.Compare(a.Board, b.Board), strings.Compare(a.Window, b.Window),
			strings.Compare(a.Partition, b.Partition), cmp.Compare(a.Generation, b.Generation))
	})
	return found
}
