package finalbell

import (
	"cmp"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// What a match does to the order of a board: who moved from where to where, whom they passed, who leads now.

const mostPassed = 5 // of those whom an entry has passed that are named

// rankMove is where a match took an entry; old is 0 for one that was not there before. One with rank 0 says that the
// entry leads the window now, and passed who did before.
type rankMove struct {
	key       store.WindowKey
	id        string
	old, rank int
	size      int // of the window then
	passed    []string
}

// step is where one of the entries of a match was and is.
type step struct {
	slot      uint32
	entry     int // which of them
	old, rank int // 0: not there
	from, to  int // positions from 0; -1: not there
	above     int // of the others, those that were above it before
}

// apply takes a match's entries in one step and returns where it took them, the best first, and before that who leads
// if somebody else did. Who has folded a result but is not on the board yet did not move.
func (w *ranking) apply(entries []placed) []rankMove {
	steps := make([]step, len(entries))
	for i, e := range entries {
		steps[i] = step{slot: w.ids.intern(e.id), entry: i}
	}
	row := make([]uint64, w.layout.width)
	w.mu.Lock()
	defer w.mu.Unlock()
	former, led := w.leader()
	for i := range steps {
		steps[i].from, steps[i].old = w.standsAt(steps[i].slot)
	}
	for i, e := range entries {
		w.put(steps[i].slot, e, row)
	}
	for i := range steps {
		steps[i].to, steps[i].rank = w.standsAt(steps[i].slot)
	}
	return w.moves(entries, steps, former, led)
}

// moves tells what steps were taken. The mutex is held.
func (w *ranking) moves(entries []placed, steps []step, former uint32, led bool) []rankMove {
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.entry, b.entry)) })
	above := 0
	for i := range steps {
		steps[i].above = above
		if steps[i].from >= 0 {
			above++
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.entry, b.entry)) })
	size, absent := w.tree.Len(), 0
	moves := make([]rankMove, 0, len(steps)+1)
	if first, any := w.leader(); any && !(led && first == former) {
		leads := rankMove{key: w.key, id: w.ids.id(first), size: size}
		if led {
			leads.passed = []string{w.ids.id(former)}
		}
		moves = append(moves, leads)
	}
	for i, s := range steps {
		if s.to < 0 {
			absent++
			continue
		}
		moves = append(moves, rankMove{key: w.key, id: entries[s.entry].id, old: s.old, rank: s.rank, size: size, passed: w.passed(steps, i, absent)})
	}
	return moves
}

// passed names those who were above an entry and are below it now, the best of them first. steps are sorted by where
// they lead to. Nobody else moved, so those of the others whom it has passed are the next below it: only their number
// is to be found out.
func (w *ranking) passed(steps []step, i, absent int) []string {
	s := steps[i]
	if s.from < 0 {
		return nil
	}
	others := max(0, (s.from-s.above)-(s.to-(i-absent))) // above it before, less those that still are
	if others == 0 && s.above == 0 {
		return nil
	}
	ids := make([]string, 0, min(mostPassed, others+s.above))
	next := i + 1
	for at := s.to + 1; len(ids) < cap(ids); {
		if next < len(steps) && steps[next].to == at {
			if from := steps[next].from; from >= 0 && from < s.from {
				ids = append(ids, w.ids.id(steps[next].slot))
			}
			next++
			at++
			continue
		}
		run := min(others, mostPassed-len(ids))
		if next < len(steps) {
			run = min(run, steps[next].to-at)
		}
		if run == 0 {
			if next == len(steps) {
				break
			}
			at = steps[next].to
			continue
		}
		w.near = w.tree.Page(w.near[:0], at, run)
		for _, item := range w.near {
			ids = append(ids, w.ids.id(item.Slot))
		}
		others -= run
		at += run
	}
	if len(ids) == 0 {
		return nil
	}
	return ids
}

// leader is the entry at the top; false if there is none. The mutex is held.
func (w *ranking) leader() (uint32, bool) {
	w.near = w.tree.Page(w.near[:0], 0, 1)
	if len(w.near) == 0 {
		return 0, false
	}
	return w.near[0].Slot, true
}

// standsAt is the position of an entry from 0 and its rank; -1 and 0 without one. The mutex is held.
func (w *ranking) standsAt(slot uint32) (position, rank int) {
	position, there := w.tree.Position(slot)
	if !there {
		return -1, 0
	}
	if w.rule.Ties == FirstRank {
		return position, position + 1
	}
	return position, w.better(w.rows.at(slot)[:w.layout.valueWords]) + 1
}

// movesAlone are stored moves without those that say who leads.
func movesAlone(moves []store.Move) []store.Move {
	return slices.DeleteFunc(slices.Clone(moves), func(m store.Move) bool { return m.New == 0 })
}
