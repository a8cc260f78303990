package finalbell

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/finalbell/finalbell/internal/ranktree"
	"github.com/finalbell/finalbell/store"
)

// Board reads one leaderboard. What it returns is durable, and a match is in it whole or not at all.
type Board struct {
	engine *engine
	id     string
	period string // empty: the open window
}

// Page is a run of entries of a board's window, by position.
type Page struct {
	Board, Window string
	Start, End    time.Time // zero: open
	State         WindowState
	Size          int // entries in the window
	Entries       []Entry
}

// Entry is one line of a board.
type Entry struct {
	Rank     int // 1 + the number of entries above; equal ones share it unless the board's ties are FirstRank
	Position int // 1, 2, 3 …; equal entries by the moment at which they came to their values
	Player   string
	Values   []Value
}

// Value is what an entry has under one key: a number, or for countback a count per place without trailing
// zeros.
type Value struct {
	Number Number
	Places []int64 // not nil: a countback
}

// Placing is where one player stands on a board.
type Placing struct {
	Player     string
	Rank       int // 0 in the answer of Ranks: has no entry
	Position   int
	Size       int    // entries in the window
	Percentile Number // 100 × (size − rank) / (size − 1), half to even to 2 decimals; 100 when alone
	Values     []Value
}

// Bucket is a range of a histogram: From ≤ value < To; an unknown end is open.
type Bucket struct {
	From, To Number
	Count    int
}

const (
	defaultPage = 10
	maxPage     = 1000
)

// Board returns the board of that id. One that the rules do not have answers every read with ErrNotFound.
func (e *Engine) Board(id string) *Board { return &Board{engine: e.engine, id: id} }

// Window returns the same board in the window of that id instead of the open one. An unknown one answers every
// read with ErrNotFound.
func (b *Board) Window(id string) *Board { return &Board{engine: b.engine, id: b.id, period: id} }

// WindowState is where a board's window stands.
type WindowState string

const (
	WindowOpen  WindowState = "open"
	WindowGrace WindowState = "grace"
	WindowFinal WindowState = "final"
)

// Window is one period of a board.
type Window struct {
	ID         string
	Start, End time.Time // half-open; zero: without an end on that side
	State      WindowState
	Size       int // entries
}

// Windows returns the board's windows, oldest first.
func (b *Board) Windows(ctx context.Context) ([]Window, error) {
	w, err := b.window(ctx)
	if err != nil {
		return nil, failed("windows of board", b.id, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return []Window{{ID: w.id, State: WindowOpen, Size: w.tree.Len()}}, nil
}

// Top returns the first n entries, 10 if n is 0, at most 1000.
func (b *Board) Top(ctx context.Context, n int) (Page, error) { return b.Page(ctx, 0, n) }

// Page returns up to limit entries (10 if 0, at most 1000) from the 0-based offset; past the end none.
func (b *Board) Page(ctx context.Context, offset, limit int) (Page, error) {
	return b.read(ctx, func(w *window) (Page, error) {
		if limit == 0 {
			limit = defaultPage
		}
		if limit < 0 || limit > maxPage {
			return Page{}, refuse(ErrInvalid, fmt.Sprintf("limit %d is not between 1 and %d", limit, maxPage))
		}
		if offset < 0 {
			return Page{}, refuse(ErrInvalid, fmt.Sprintf("offset %d is negative", offset))
		}
		return w.page(func(t *ranktree.Tree) ([]ranktree.Item, int, bool) {
			return t.Page(nil, offset, limit), offset, true
		})
	})
}

// Around returns the player's entry with up to by entries on each side, at most 1000, fewer at an edge.
// ErrNotFound if the player has none.
func (b *Board) Around(ctx context.Context, player string, by int) (Page, error) {
	return b.read(ctx, func(w *window) (Page, error) {
		if by < 0 || by > maxPage {
			return Page{}, refuse(ErrInvalid, fmt.Sprintf("by %d is not between 0 and %d", by, maxPage))
		}
		slot, known := b.engine.ids.slot(player)
		if !known {
			return Page{}, noEntry(player)
		}
		p, err := w.page(func(t *ranktree.Tree) ([]ranktree.Item, int, bool) { return t.Around(nil, slot, by) })
		if err == errAbsent {
			err = noEntry(player)
		}
		return p, err
	})
}

// Rank returns where the player stands; ErrNotFound without an entry.
func (b *Board) Rank(ctx context.Context, player string) (Placing, error) {
	all, err := b.ranks(ctx, []string{player})
	if err == nil && all[0].Rank == 0 {
		err = noEntry(player)
	}
	if err != nil {
		return Placing{}, failed("rank on board", b.id, err)
	}
	return all[0], nil
}

// Ranks returns where the players stand, in the order asked and all at one instant; a player without an entry
// has Rank 0.
func (b *Board) Ranks(ctx context.Context, players ...string) ([]Placing, error) {
	all, err := b.ranks(ctx, players)
	return all, failed("rank on board", b.id, err)
}

func (b *Board) ranks(ctx context.Context, players []string) ([]Placing, error) {
	w, err := b.window(ctx)
	if err != nil {
		return nil, err
	}
	if len(players) > maxPage {
		return nil, refuse(ErrInvalid, fmt.Sprintf("%d players are more than %d", len(players), maxPage))
	}
	out := make([]Placing, len(players))
	slots := make([]uint32, len(players))
	known := make([]bool, len(players))
	for i, player := range players {
		slots[i], known[i] = b.engine.ids.slot(player)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, player := range players {
		out[i].Player = player
		if !known[i] {
			continue
		}
		position, there := w.tree.Position(slots[i])
		if !there {
			continue
		}
		size := w.tree.Len()
		rank := w.rank(slots[i], position)
		out[i] = Placing{Player: player, Rank: rank, Position: position + 1, Size: size,
			Percentile: percentile(size, rank), Values: w.values(slots[i])}
	}
	return out, nil
}

func percentile(size, rank int) Number {
	if size == 1 {
		return Int(100)
	}
	return fromUnits(divHalfEven(int64(size-rank)*100_00, int64(size-1)), 2)
}

// CountAtOrAbove returns how many entries are at least as good as the given values of the board's first keys.
// One value asks for the first key alone.
func (b *Board) CountAtOrAbove(ctx context.Context, values ...Number) (int, error) {
	w, err := b.window(ctx)
	if err != nil {
		return 0, failed("count on board", b.id, err)
	}
	words, err := w.layout.probe(values)
	if err != nil {
		return 0, failed("count on board", b.id, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.notWorse(words), nil
}

// Histogram counts the entries by the value of the board's first key: those below the first bound, those
// between each two, those at or above the last. Bounds must ascend.
func (b *Board) Histogram(ctx context.Context, bounds ...Number) ([]Bucket, error) {
	buckets, err := b.histogram(ctx, bounds)
	return buckets, failed("histogram of board", b.id, err)
}

func (b *Board) histogram(ctx context.Context, bounds []Number) ([]Bucket, error) {
	w, err := b.window(ctx)
	if err != nil {
		return nil, err
	}
	if len(bounds) == 0 || len(bounds) > maxPage {
		return nil, refuse(ErrInvalid, fmt.Sprintf("a histogram takes 1 to %d bounds, not %d", maxPage, len(bounds)))
	}
	words := make([][]uint64, len(bounds))
	for i, bound := range bounds {
		if words[i], err = w.layout.probe(bounds[i : i+1]); err != nil {
			return nil, err
		}
		if i > 0 && bound.Cmp(bounds[i-1]) <= 0 {
			return nil, refuse(ErrInvalid, fmt.Sprintf("bounds[%d]: %s does not ascend", i, bound))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	descending := w.rule.Keys[0].Order == Desc
	size := w.tree.Len()
	buckets := make([]Bucket, len(bounds)+1)
	below := 0
	for i := range buckets {
		upTo := size // entries with a value below bounds[i]
		if i < len(bounds) {
			buckets[i].To = bounds[i]
			if descending {
				upTo = size - w.notWorse(words[i])
			} else {
				upTo = w.better(words[i])
			}
		}
		if i > 0 {
			buckets[i].From = bounds[i-1]
		}
		buckets[i].Count, below = upTo-below, upTo
	}
	return buckets, nil
}

func (b *Board) read(ctx context.Context, f func(w *window) (Page, error)) (Page, error) {
	w, err := b.window(ctx)
	if err != nil {
		return Page{}, failed("read board", b.id, err)
	}
	p, err := f(w)
	if err != nil {
		return Page{}, failed("read board", b.id, err)
	}
	return p, nil
}

// window is the one that the board is read in.
func (b *Board) window(ctx context.Context) (*window, error) {
	if err := b.engine.readable(ctx); err != nil {
		return nil, err
	}
	board, there := b.engine.boards[b.id]
	if !there {
		return nil, refuse(ErrNotFound, "no such board")
	}
	if b.period != "" && b.period != board.open.id {
		return nil, refuse(ErrNotFound, "no window "+quote(b.period))
	}
	return board.open, nil
}

func noEntry(player string) error {
	return refuse(ErrNotFound, "no entry of "+quote(player), player)
}

// shown turns an entry's stored values into those that are given away.
func (b BoardRule) shown(values [][]int64) []Value {
	out := make([]Value, len(values))
	for i, v := range values {
		if i >= len(b.Keys) {
			return out[:i]
		}
		switch {
		case b.Keys[i].Fold == FoldCountback:
			out[i].Places = append([]int64{}, v...)
		case len(v) == 1:
			out[i].Number = fromUnits(v[0], b.Keys[i].Scale)
		}
	}
	return out
}

// board is a rule with the windows that are in memory.
type board struct {
	rule BoardRule
	open *window
}

const allTimeWindow = "all"

func newBoard(rule BoardRule, ids *index) *board {
	return &board{rule: rule, open: newWindow(rule, allTimeWindow, ids)}
}

// window is the entries of one period in rank order. Its mutex is held for microseconds, once a match.
type window struct {
	rule   BoardRule
	id     string
	ids    *index
	layout layout
	mu     sync.Mutex
	tree   *ranktree.Tree
	rows   rows
	// waiting are those who have an entry in the store, but are not on the board yet.
	waiting map[uint32]struct{}
}

func newWindow(rule BoardRule, id string, ids *index) *window {
	w := &window{rule: rule, id: id, ids: ids, layout: newLayout(rule), waiting: make(map[uint32]struct{})}
	w.rows = rows{width: w.layout.width}
	w.tree = ranktree.New(func(a, b uint32) int {
		// No two entries came to their values at the same moment, unless the store is damaged; then the order is
		// one all the same, and Verify names them.
		return cmp.Or(slices.Compare(w.rows.at(a)[2:], w.rows.at(b)[2:]), cmp.Compare(a, b))
	})
	return w
}

// placed is what an entry is to its window.
type placed struct {
	id      string
	entered bool
	values  [][]int64
	changed moment
}

func placedEntry(b BoardRule, id string, e entry) placed {
	return placed{id: id, entered: e.entered, values: e.values(b), changed: e.changed}
}

// rankMove is where a match took an entry; old is 0 for one that was not there before.
type rankMove struct {
	board, window, id string
	old, rank         int
}

// apply takes a match's entries in one step and returns where it took them. Who has folded a result but is
// not on the board yet did not move.
func (w *window) apply(entries []placed) []rankMove {
	slots := make([]uint32, len(entries))
	for i, e := range entries {
		slots[i] = w.ids.intern(e.id)
	}
	row := make([]uint64, w.layout.width)
	moves := make([]rankMove, len(entries))
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range entries {
		moves[i].old = w.rankOf(slots[i])
	}
	for i, e := range entries {
		w.put(slots[i], e, row)
	}
	moved := moves[:0]
	for i, e := range entries {
		m := rankMove{board: w.rule.ID, window: w.id, id: e.id, old: moves[i].old, rank: w.rankOf(slots[i])}
		if m.rank > 0 {
			moved = append(moved, m)
		}
	}
	return moved
}

// put brings one entry to its place, or away if it has none.
func (w *window) put(slot uint32, e placed, row []uint64) {
	if !e.entered {
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

// loader fills an empty window.
type loader struct {
	window *window
	items  []ranktree.Item
	row    []uint64
}

func (w *window) loader() *loader { return &loader{window: w, row: make([]uint64, w.layout.width)} }

// add takes one stored entry. What no engine writes there is refused.
func (l *loader) add(p *store.Place) error {
	w := l.window
	if err := checkID("id", p.ID); err != nil {
		return err
	}
	slot := w.ids.enter(p.ID)
	if !p.Entered {
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
	return l.window.tree.Load(merged(l.items[:half], l.items[half:], l.compare))
}

func (l *loader) compare(a, b ranktree.Item) int {
	if c := cmp.Compare(a.Key.S, b.Key.S); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Key.T, b.Key.T); c != 0 {
		return c
	}
	rows := &l.window.rows
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
func (w *window) has(ids []string) []string {
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

// rankOf is the rank of an entry, 0 without one.
func (w *window) rankOf(slot uint32) int {
	position, there := w.tree.Position(slot)
	if !there {
		return 0
	}
	return w.rank(slot, position)
}

// rank is the rank of an entry of which the 0-based position is known.
func (w *window) rank(slot uint32, position int) int {
	if w.rule.Ties == FirstRank {
		return position + 1
	}
	return w.better(w.rows.at(slot)[:w.layout.valueWords]) + 1
}

// better counts the entries whose first words are better than the given ones.
func (w *window) better(words []uint64) int {
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
func (w *window) notWorse(words []uint64) int {
	k := ranktree.Key{S: words[0], T: ^uint64(0)}
	if len(words) == 1 {
		return w.tree.Before(k, func(uint32) bool { return true })
	}
	k.T = words[1]
	return w.tree.Before(k, func(slot uint32) bool {
		return slices.Compare(w.rows.at(slot)[2:max(2, len(words))], words[2:]) <= 0
	})
}

func (w *window) values(slot uint32) []Value {
	return w.rule.shown(w.layout.values(w.rows.at(slot)))
}

var errAbsent = refuse(ErrNotFound, "no entry")

// page reads a run of entries; find gives the items and the position of the first.
func (w *window) page(find func(t *ranktree.Tree) ([]ranktree.Item, int, bool)) (Page, error) {
	w.mu.Lock()
	items, first, ok := find(w.tree)
	p := Page{Board: w.rule.ID, Window: w.id, State: WindowOpen, Size: w.tree.Len(), Entries: make([]Entry, len(items))}
	for i, item := range items {
		position := first + i
		rank := 0
		if i > 0 && w.rule.Ties != FirstRank && w.sameWords(items[i-1].Slot, item.Slot) {
			rank = p.Entries[i-1].Rank
		} else if i > 0 {
			rank = position + 1 // the one before is strictly better
		} else {
			rank = w.rank(item.Slot, position)
		}
		p.Entries[i] = Entry{Rank: rank, Position: position + 1, Values: w.values(item.Slot)}
	}
	w.mu.Unlock()
	if !ok {
		return Page{}, errAbsent
	}
	for i, item := range items {
		p.Entries[i].Player = w.ids.id(item.Slot)
	}
	return p, nil
}

func (w *window) sameWords(a, b uint32) bool {
	n := w.layout.valueWords
	return slices.Equal(w.rows.at(a)[:n], w.rows.at(b)[:n])
}
