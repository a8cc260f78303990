package finalbell

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/finalbell/finalbell/store"
)

// The ranks of a window that is over lie in the store as chunks of entries in rank order, and before them a directory
// of the first entry of each. A read fetches the directory and the one or two chunks that it needs.

const (
	chunkEntries  = 1000
	chunkVersion  = 1
	cachedArchive = 256 // chunks and directories of all windows that are kept in memory
)

var errChunk = errors.New("the stored ranks are damaged")

// writeChunks writes the ranks of a window that does not change any more, and returns how many chunks there are
// besides the directory.
func (e *engine) writeChunks(ctx context.Context, r *ranking, first int) (chunks int, err error) {
	var heads []line
	for offset := 0; ; offset += chunkEntries {
		var data []byte
		err := r.read(ctx, func(q reader) error {
			lines, err := q.run(offset, chunkEntries)
			if err != nil || len(lines) == 0 {
				return err
			}
			heads = append(heads, line{row: slices.Clone(lines[0].row)})
			data = encodeChunk(r.layout, lines)
			return nil
		})
		if err != nil {
			return 0, err
		}
		if data == nil {
			break
		}
		chunks++
		if err := e.committer.follow(ctx, store.Chunk{WindowKey: r.key, N: first + chunks, Data: data}); err != nil {
			return 0, err
		}
	}
	if chunks == 0 {
		return 0, nil
	}
	return chunks, e.committer.follow(ctx, store.Chunk{WindowKey: r.key, N: first, Data: encodeChunk(r.layout, heads)})
}

// encodeChunk writes entries: the id, the row, and a sum over all.
func encodeChunk(l layout, lines []line) []byte {
	b := binary.AppendUvarint([]byte{chunkVersion}, uint64(len(lines)))
	for _, e := range lines {
		b = append(binary.AppendUvarint(b, uint64(len(e.id))), e.id...)
		values := l.pack(e.row[:l.valueWords])
		b = append(binary.AppendUvarint(b, uint64(len(values))), values...)
		for _, word := range e.row[l.valueWords:] {
			b = binary.AppendUvarint(b, word)
		}
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodeChunk reads what encodeChunk wrote, and nothing else.
func decodeChunk(l layout, data []byte) ([]line, error) {
	if len(data) < 5 || data[0] != chunkVersion {
		return nil, errChunk
	}
	body := data[:len(data)-4]
	if binary.BigEndian.Uint32(data[len(body):]) != crc32.Checksum(body, castagnoli) {
		return nil, errChunk
	}
	d := chunkReader{rest: body[1:]}
	n := d.number()
	if n > uint64(len(body)) {
		return nil, errChunk
	}
	text := string(body) // one for all ids
	lines := make([]line, n)
	words := make([]uint64, int(n)*l.width)
	for i := range lines {
		id := d.bytes()
		end := len(body) - len(d.rest)
		lines[i].id = text[end-len(id) : end]
		row := words[i*l.width : (i+1)*l.width : (i+1)*l.width]
		if !l.unpack(row, d.bytes()) {
			return nil, errChunk
		}
		for w := l.valueWords; w < l.width; w++ {
			row[w] = d.number()
		}
		lines[i].row = row
	}
	if d.failed || len(d.rest) > 0 {
		return nil, errChunk
	}
	return lines, nil
}

type chunkReader struct {
	rest   []byte
	failed bool
}

func (d *chunkReader) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *chunkReader) bytes() []byte {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.failed, d.rest = true, nil
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// archives are the chunks read last.
type archives struct {
	mu    sync.Mutex
	lines map[chunkKey][]line
	order []chunkKey // oldest first
	round int        // how often all were let go
}

type chunkKey struct {
	store.WindowKey
	n int
}

func newArchives() *archives { return &archives{lines: make(map[chunkKey][]line)} }

func (a *archives) get(k chunkKey) ([]line, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	lines, there := a.lines[k]
	return lines, there
}

// now tells put what a chunk that is read from here on is of.
func (a *archives) now() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.round
}

// put keeps a chunk that was read since now was asked, unless all were let go meanwhile.
func (a *archives) put(k chunkKey, lines []line, round int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, there := a.lines[k]; there || round != a.round {
		return
	}
	if len(a.order) >= cachedArchive {
		delete(a.lines, a.order[0])
		a.order = a.order[1:]
	}
	a.lines[k] = lines
	a.order = append(a.order, k)
}

// letGo empties the cache, for chunks have been written anew.
func (a *archives) letGo() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.lines)
	a.order = nil
	a.round++
}

// archive is the ranking of a window that is over and no longer in memory.
type archive struct {
	engine *engine
	rule   BoardRule // of the time at which it ended
	layout layout
	record store.Window
}

// lookBack finds a window that is not in memory: one that is over, or in which nobody was yet.
func (e *engine) lookBack(ctx context.Context, b *board, v *view, now time.Time) error {
	var whole, part store.Window
	for r, err := range e.store.Windows(ctx, store.WindowQuery{Board: v.key.Board, Window: v.key.Window}) {
		if err != nil {
			return unavailable(err)
		}
		if !b.knows(r) || r.Final == 0 {
			continue
		}
		if r.Partition == "" && r.Generation >= whole.Generation {
			whole = r
		}
		if r.Partition == v.key.Partition && r.Generation >= part.Generation {
			part = r
		}
	}
	if whole.Final == 0 {
		w, known := b.byID(v.key.Window)
		switch {
		case !known:
			return refuse(ErrNotFound, "no window "+quote(v.key.Window))
		case !w.Start.IsZero() && now.Before(w.Start):
			return refuse(ErrNotFound, "window "+quote(v.key.Window)+" has not begun")
		}
		v.window, v.state, v.source = w, b.stateOf(w, now), empty{}
		return nil
	}
	v.window.ID, v.window.Start, v.window.End = whole.Window, whole.Start, whole.End
	v.state, v.source = WindowFinal, empty{}
	if part.Final == 0 || part.Generation != whole.Generation {
		return nil
	}
	rule, there := e.ruleset().boardAt(part.Board, part.Final)
	if !there {
		return unavailable(fmt.Errorf("%w: no rule for window %s", errChunk, quote(part.Window)))
	}
	v.key, v.rule, v.layout = part.WindowKey, rule, newLayout(rule)
	v.source = &archive{engine: e, rule: rule, layout: v.layout, record: part}
	return nil
}

// read gives f the ranking. Nothing is held: what is over stands still.
func (a *archive) read(ctx context.Context, f func(r reader) error) error {
	return f(&archived{a, ctx})
}

// archived is an archive for one read.
type archived struct {
	*archive
	ctx context.Context
}

func (a *archived) size() int { return a.record.Size }

// chunk is one run of entries, 0 the directory.
func (a *archived) chunk(n int) ([]line, error) {
	k := chunkKey{a.record.WindowKey, n}
	if lines, there := a.engine.archives.get(k); there {
		return lines, nil
	}
	round := a.engine.archives.now()
	for c, err := range a.engine.store.Chunks(a.ctx, k.WindowKey, n, n+1) {
		if err != nil {
			return nil, unavailable(err)
		}
		lines, err := decodeChunk(a.layout, c.Data)
		want := a.record.Chunks
		if n > 0 {
			want = min(chunkEntries, a.record.Size-(n-1)*chunkEntries)
		}
		if err == nil && len(lines) != want {
			err = errChunk
		}
		if err != nil {
			return nil, unavailable(fmt.Errorf("chunk %d of window %s of board %s: %w", n, quote(k.Window), quote(k.Board), err))
		}
		a.engine.archives.put(k, lines, round)
		return lines, nil
	}
	return nil, unavailable(fmt.Errorf("chunk %d of window %s of board %s: %w: it is not there", n, quote(k.Window), quote(k.Board), errChunk))
}

func (a *archived) run(offset, limit int) ([]line, error) {
	if offset >= a.record.Size {
		return nil, nil
	}
	end := min(a.record.Size, offset+limit)
	lines := make([]line, 0, end-offset)
	for at := offset; at < end; {
		chunk, err := a.chunk(at/chunkEntries + 1)
		if err != nil {
			return nil, err
		}
		some := chunk[at%chunkEntries : min(len(chunk), at%chunkEntries+end-at)]
		lines = append(lines, some...)
		at += len(some)
	}
	return lines, nil
}

// find looks the entry up by its id and then the place that it must have.
func (a *archived) find(id string) (int, line, error) {
	for r, err := range a.engine.store.Entries(a.ctx, store.EntryQuery{WindowKey: a.record.WindowKey, IDs: []string{id}}) {
		if err != nil {
			return 0, line{}, unavailable(err)
		}
		if !r.Entered || r.Hidden != "" {
			break
		}
		row := make([]uint64, a.layout.width)
		if err := a.layout.unsort(row, a.rule.Ties, r.Sort, momentOf(r.Changed)); err != nil {
			return 0, line{}, unavailable(err)
		}
		position, err := a.count(row, false)
		return position, line{id: id, row: row}, err
	}
	return 0, line{}, errAbsent
}

func (a *archived) count(words []uint64, orEqual bool) (int, error) {
	if a.record.Size == 0 {
		return 0, nil
	}
	heads, err := a.chunk(0)
	if err != nil {
		return 0, err
	}
	// The last chunk of which the first entry counts has the last one that does.
	n := sort.Search(len(heads), func(i int) bool { return !precedes(heads[i].row, words, orEqual) })
	if n == 0 {
		return 0, nil
	}
	chunk, err := a.chunk(n)
	if err != nil {
		return 0, err
	}
	return (n-1)*chunkEntries + sort.Search(len(chunk), func(i int) bool { return !precedes(chunk[i].row, words, orEqual) }), nil
}

// precedes reports whether the first words of a row are better than the given ones, or equal to them.
func precedes(row, words []uint64, orEqual bool) bool {
	c := slices.Compare(row[:len(words)], words)
	return c < 0 || orEqual && c == 0
}
