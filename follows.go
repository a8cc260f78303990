package finalbell

import (
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// What follows on boards from a match: told by the moves that are kept of it, so that it is the same whenever it is asked
// for.

const defaultTop = 10

// top is how many ranks are the top of a board.
func (o Options) top() int {
	if o.Top == 0 {
		return defaultTop
	}
	return o.Top
}

// movesBoards reports whether an event of a kind may change boards by the moves of a match.
func movesBoards(k EventKind) bool {
	return k == EventMatchEnded || k == EventMatchAmended || k == EventMatchVoided
}

// followers are what followed from an event on boards, in the order of the moves. Their numbers do not depend on top: what
// is no news by it leaves a gap.
func followers(of *Event, moves []store.Move, top int) []Event {
	var all []Event
	number := 0
	next := func(m *store.Move, kind EventKind, player string) *Event {
		number++
		all = append(all, Event{ID: of.ID + "#" + strconv.Itoa(number), Position: of.Position, At: of.At, Kind: kind, Subject: of.Subject,
			Board: m.Board, Window: m.Window, Partition: m.Partition, Player: player, Rank: m.New, OldRank: m.Old})
		return &all[len(all)-1]
	}
	for i := range moves {
		m := &moves[i]
		if m.New == 0 { // who leads
			ev := next(m, EventNewLeader, m.ID)
			ev.Rank, ev.OldRank = 1, oldRank(moves, m)
			if len(m.Passed) > 0 {
				ev.By = m.Passed[0]
			}
			continue
		}
		if m.Old == 0 || m.New < m.Old {
			if m.New > top || m.Old > 0 && m.Old <= top {
				number++
			} else {
				next(m, EventEnteredTop, m.ID)
			}
		}
		for _, player := range m.Passed {
			next(m, EventOvertaken, player).By = m.ID
		}
	}
	return all
}

// oldRank is the rank that who leads now had, if the match moved them.
func oldRank(moves []store.Move, leads *store.Move) int {
	for _, m := range moves {
		if m.New > 0 && m.ID == leads.ID && m.WindowKey == leads.WindowKey {
			return m.Old
		}
	}
	return 0
}
