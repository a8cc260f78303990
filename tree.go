package finalbell

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/finalbell/finalbell/internal/ranktree"
	"github.com/finalbell/finalbell/store"
)

// ranking is the entries of one window, or of one partition of it, in rank order and in memory. Its mutex is held for
// microseconds, once a match.
type ranking struct {
	period *period
	key    store.WindowKey
	rule   BoardRule
	ids    *index
	layout layout
	mu     sync.Mutex
	tree   *ranktree.Tree
	rows   rows
	// waiting are those who have an entry in the store, but are not ranked: they have not entered, or are hidden.
	waiting map[uint32]struct{}
	copy    copyHead
	near    []ranktree.Item // room for a few
}

func newRanking(p *period, partition string) *ranking {
	w := &ranking{period: p, key: p.board.key(p.id, partition), rule: p.board.rule, ids: p.board.ids, layout: p.board.layout}
	w.reset()
	return w
}

// reset empties the ranking.
func (w *ranking) reset() {
	w.waiting = make(map[uint32]struct{})
	w.rows = newRows(w.layout.width)
	w.tree = ranktree.New(func(a, b uint32) int {
		// No two entries came to their values at the same moment, unless the store is damaged; then the order is
		// one all the same, and Verify names them.
		return cmp.Or(slices.Compare(w.rows.at(a)[2:], w.rows.at(b)[2:]), cmp.Compare(a, b))
	})
}

// placed is what an entry is to its ranking.
type placed struct {
	id      string
	entered bool
	hidden  bool
	values  [][]int64
	changed moment
}

func placedEntry(b BoardRule, id string, e entry, hidden bool) placed {
	return placed{id: id, entered: e.entered, hidden: hidden, values: e.values(b), changed: e.changed}
}

// put brings one entry to its place, or away if it has none.
func (w *ranking) put(slot uint32, e placed, row []uint64) {
	if !e.entered || e.hidden {
		w.tree.Delete(slot)
		w.waiting[slot] = struct{}{}
		return
	}
	delete(w.waiting, slot)
	w.layout.encode(row, e)
	k := ranktree.Key{S: row[0], T: row[1]}
	set := func() { copy(w.rows.make(slot), row) }
	if !w.tree.Move(slot, k, set) {
		set()
		w.tree.Insert(slot, k)
	}
}

// loader fills an empty ranking.
type loader struct {
	ranking *ranking
	items   []ranktree.Item
	row     []uint64
}

func (w *ranking) loader() *loader { return &loader{ranking: w, row: make([]uint64, w.layout.width)} }

// add takes one stored entry. What no engine writes there is refused.
func (l *loader) add(p *store.Place) error {
	w := l.ranking
	if err := checkID("id", p.ID); err != nil {
		return err
	}
	slot := w.ids.enter(p.ID)
	if !p.Entered || p.Hidden {
		w.waiting[slot] = struct{}{}
		return nil
	}
	if err := w.layout.unsort(l.row, w.rule.Ties, p.Sort, momentOf(p.Changed)); err != nil {
		return err
	}
	copy(w.rows.make(slot), l.row)
	l.items = append(l.items, ranktree.Item{Key: ranktree.Key{S: l.row[0], T: l.row[1]}, Slot: slot})
	return nil
}

// finish ranks what was added: each half on its own, and then both together.
func (l *loader) finish() error {
	half := len(l.items) / 2
	var halves sync.WaitGroup
	for _, items := range [][]ranktree.Item{l.items[:half], l.items[half:]} {
		halves.Go(func() { slices.SortFunc(items, l.compare) })
	}
	halves.Wait()
	return l.ranking.tree.Load(merged(l.items[:half], l.items[half:], l.compare))
}

func (l *loader) compare(a, b ranktree.Item) int {
	if c := cmp.Compare(a.Key.S, b.Key.S); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Key.T, b.Key.T); c != 0 {
		return c
	}
	rows := &l.ranking.rows
	return slices.Compare(rows.at(a.Slot)[2:], rows.at(b.Slot)[2:])
}

// merged is two sorted lists as one.
func merged[T any](a, b []T, compare func(a, b T) int) []T {
	all := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if compare(a[0], b[0]) <= 0 {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// has returns those of the ids that have an entry in the store, so that nobody asks it for the others'.
func (w *ranking) has(ids []string) []string {
	there := make([]string, 0, len(ids)) // not nil: a store would take that for all
	for _, id := range ids {
		slot, known := w.ids.slot(id)
		if !known {
			continue
		}
		w.mu.Lock()
		_, waits := w.waiting[slot]
		_, ranked := w.tree.Key(slot)
		w.mu.Unlock()
		if waits || ranked {
			there = append(there, id)
		}
	}
	return there
}

func (w *ranking) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tree.Len()
}

// better counts the entries whose first words are better than the given ones.
func (w *ranking) better(words []uint64) int {
	k := ranktree.Key{S: words[0]}
	if len(words) == 1 {
		return w.tree.Before(k, nil)
	}
	k.T = words[1]
	if len(words) == 2 {
		return w.tree.Before(k, nil)
	}
	return w.tree.Before(k, func(slot uint32) bool {
		return slices.Compare(w.rows.at(slot)[2:len(words)], words[2:]) < 0
	})
}

// notWorse counts the entries whose first words are better than the given ones or equal.
func (w *ranking) notWorse(words []uint64) int {
	k := ranktree.Key{S: words[0], T: ^uint64(0)}
	if len(words) == 1 {
		return w.tree.Before(k, func(uint32) bool { return true })
	}
	k.T = words[1]
	return w.tree.Before(k, func(slot uint32) bool {
		return slices.Compare(w.rows.at(slot)[2:max(2, len(words))], words[2:]) <= 0
	})
}

// read gives f the ranking as it stands at one instant. f must not wait for anything.
func (w *ranking) read(_ context.Context, f func(r reader) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f(locked{w})
}

// locked is a ranking of which the mutex is held.
type locked struct{ *ranking }

func (l locked) size() int { return l.tree.Len() }

func (l locked) run(offset, limit int) ([]line, error) {
	items := l.tree.Page(nil, offset, limit)
	lines := make([]line, len(items))
	for i, item := range items {
		lines[i] = line{id: l.ids.id(item.Slot), row: l.rows.at(item.Slot)}
	}
	return lines, nil
}

func (l locked) find(id string) (int, line, error) {
	slot, known := l.ids.slot(id)
	if !known {
		return 0, line{}, errAbsent
	}
	position, there := l.tree.Position(slot)
	if !there {
		return 0, line{}, errAbsent
	}
	return position, line{id: id, row: l.rows.at(slot)}, nil
}

func (l locked) count(words []uint64, orEqual bool) (int, error) {
	if orEqual {
		return l.notWorse(words), nil
	}
	return l.better(words), nil
}
