package finalbell

import (
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

// What a rebuild tells of itself.

// Rebuilt is what a rebuild did, or would do.
type Rebuilt struct {
	Matches int // ended matches that were folded again
	Boards  []RebuiltBoard
}

// RebuiltBoard is one board that is new or changed.
type RebuiltBoard struct {
	Board   string
	Added   bool // it was not there before
	Windows []RebuiltWindow
}

// RebuiltWindow is one window of a rebuilt board, or one partition of it. Windows that were final before are not among
// them: they stay as they are.
type RebuiltWindow struct {
	Window, Partition string
	State             WindowState
	Before, After     int // entries
	// Moves are the entries whose rank or values differ, by their new position, and at the end those that are gone.
	// Of a window that is new and over already only the number of entries is told.
	Moves []RebuiltMove
}

// RebuiltMove is where a rebuild takes an entry.
type RebuiltMove struct {
	Player            string
	OldRank, Rank     int // 0: not on the board
	OldValues, Values []Value
}

// foundOn is what is told of a board.
func (r *rebuild) foundOn(board string) *RebuiltBoard {
	return &r.found.Boards[slices.IndexFunc(r.found.Boards, func(b RebuiltBoard) bool { return b.Board == board })]
}

func (r *rebuild) tell(board string, w RebuiltWindow) {
	found := r.foundOn(board)
	found.Windows = append(found.Windows, w)
}

// compare tells who moves where on a board.
func (r *rebuild) compare(b *board, now time.Time) {
	was := r.old.boards[b.rule.ID]
	seen := make(map[store.WindowKey]bool) // without generations
	for _, p := range b.live() {
		if r.told[p] {
			continue
		}
		for _, ranked := range p.rankings() {
			var before *ranking
			if was != nil {
				if q := was.period(p.id); q != nil {
					before = q.find(ranked.key.Partition)
				}
			}
			seen[store.WindowKey{Window: p.id, Partition: ranked.key.Partition}] = true
			w := RebuiltWindow{Window: p.id, Partition: ranked.key.Partition, State: WindowFinal, After: ranked.size()}
			if !p.isFinal() {
				w = rebuiltWindow(p.id, ranked.key.Partition, p.state(now), before, ranked)
			}
			r.tell(b.rule.ID, w)
		}
	}
	if was == nil {
		return
	}
	for _, p := range was.live() {
		for _, before := range p.rankings() {
			if !p.isFinal() && !r.left[windowName{b.rule.ID, p.id}] && !seen[store.WindowKey{Window: p.id, Partition: before.key.Partition}] && before.size() > 0 {
				r.tell(b.rule.ID, rebuiltWindow(p.id, before.key.Partition, p.state(now), before, nil))
			}
		}
	}
}

// ranked is a line with its rank and values.
type rankedLine struct {
	id     string
	rank   int
	values []Value
}

// lines are all entries of a ranking, to which nobody writes; none of nil.
func (w *ranking) lines() []rankedLine {
	if w == nil {
		return nil
	}
	var out []rankedLine
	var last []uint64
	for more := true; more; {
		// In slices, so that readers of the board need not wait for all of it.
		w.mu.Lock()
		some, _ := locked{w}.run(len(out), chunkEntries) // in memory nothing fails
		for _, l := range some {
			rank := len(out) + 1
			if n := w.layout.valueWords; last != nil && w.rule.Ties != FirstRank && slices.Equal(l.row[:n], last[:n]) {
				rank = out[len(out)-1].rank
			}
			last = append(last[:0], l.row...)
			out = append(out, rankedLine{l.id, rank, w.rule.shown(w.layout.values(l.row))})
		}
		w.mu.Unlock()
		more = len(some) > 0
	}
	return out
}

func rebuiltWindow(id, partition string, state WindowState, before, after *ranking) RebuiltWindow {
	old, now := before.lines(), after.lines()
	w := RebuiltWindow{Window: id, Partition: partition, State: state, Before: len(old), After: len(now)}
	gone := make(map[string]rankedLine, len(old))
	for _, l := range old {
		gone[l.id] = l
	}
	for _, l := range now {
		was := gone[l.id]
		delete(gone, l.id)
		if was.rank != l.rank || !slices.EqualFunc(was.values, l.values, sameShown) {
			w.Moves = append(w.Moves, RebuiltMove{Player: l.id, OldRank: was.rank, Rank: l.rank, OldValues: was.values, Values: l.values})
		}
	}
	for _, l := range old {
		if _, left := gone[l.id]; left {
			w.Moves = append(w.Moves, RebuiltMove{Player: l.id, OldRank: l.rank, OldValues: l.values})
		}
	}
	return w
}

func sameShown(a, b Value) bool {
	return slices.Equal(a.Places, b.Places) && a.Number.String() == b.Number.String()
}
