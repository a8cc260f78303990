package finalbell

import (
	"maps"
	"slices"
)

// asked is a new match as it was asked for.
type asked struct {
	NewMatch
	rematch bool
	after   uint64 // a rematch: position of the commit that created the match that it follows
	opened  bool   // Room is one that was opened
	body    []byte // of the event
}

// sameContent reports whether m was created by a call that said what n says. What n leaves to an opened room is not compared:
// its members may be others by now.
func sameContent(m Match, n asked) bool {
	if m.Mode != n.Mode && !(n.opened && n.Mode == "") || m.Room != n.Room || m.Round != n.Round || !m.Deadline.Equal(n.Deadline) ||
		!maps.Equal(m.Attributes, n.Attributes) || n.rematch && m.created <= n.after {
		return false
	}
	roster := m.roster[:m.invited]
	if n.opened && n.rematch {
		for _, p := range n.Players {
			if len(roster) > 0 && sameParticipant(roster[0].participant(), p) {
				roster = roster[1:]
			}
		}
		return len(roster) == 0
	}
	return n.opened && len(n.Players) == 0 ||
		slices.EqualFunc(roster, n.Players, func(s Standing, p Participant) bool { return sameParticipant(s.participant(), p) })
}
