package memory

import (
	"slices"

	"github.com/finalbell/finalbell/store"
)

// sessions are those of all players in the order of creation, and where to find them.
type sessions struct {
	all     []store.Session
	slots   map[string]int // by id
	players map[string][]int
	open    map[int]bool
}

func newSessions() sessions {
	return sessions{slots: map[string]int{}, players: map[string][]int{}, open: map[int]bool{}}
}

func (s *sessions) version(id string) uint64 {
	if slot, there := s.slots[id]; there {
		return s.all[slot].Version
	}
	return 0
}

func (s *sessions) put(r store.Session) {
	slot, there := s.slots[r.ID]
	if !there {
		slot = len(s.all)
		s.slots[r.ID] = slot
		s.all = append(s.all, store.Session{})
	}
	if s.all[slot].Player != r.Player {
		s.players[r.Player] = append(s.players[r.Player], slot)
	}
	s.all[slot] = r
	delete(s.open, slot)
	if r.EndedAt.IsZero() {
		s.open[slot] = true
	}
}

// find are the sessions that q asks for.
func (s *sessions) find(q store.SessionQuery) []store.Session {
	var slots []int
	switch {
	case q.ID != "":
		if slot, there := s.slots[q.ID]; there {
			slots = []int{slot}
		}
	case q.Player != "":
		slots = slices.Clone(s.players[q.Player])
	case q.Open:
		for slot := range s.open {
			slots = append(slots, slot)
		}
	default:
		for slot := range s.all {
			slots = append(slots, slot)
		}
	}
	slices.Sort(slots)
	slots = slices.Compact(slots) // whose it was before may be whose it is again
	if q.Newest {
		slices.Reverse(slots)
	}
	var found []store.Session
	for _, slot := range slots {
		r := s.all[slot]
		if (q.Player == "" || r.Player == q.Player) && (!q.Open || s.open[slot]) && between(r.StartedAt, q.From, q.To) {
			found = append(found, r)
		}
	}
	return found
}

// rooms are all of them in the order of creation.
type rooms struct {
	all   []store.Room
	slots map[string]int // by id
}

func (s *rooms) version(id string) uint64 {
	if slot, there := s.slots[id]; there {
		return s.all[slot].Version
	}
	return 0
}

func (s *rooms) put(r store.Room) {
	slot, there := s.slots[r.ID]
	if !there {
		slot = len(s.all)
		s.slots[r.ID] = slot
		s.all = append(s.all, store.Room{})
	}
	s.all[slot] = r
}

// find are the rooms that q asks for.
func (s *rooms) find(q store.RoomQuery) []store.Room {
	rooms := s.all
	if q.ID != "" {
		slot, there := s.slots[q.ID]
		if !there {
			return nil
		}
		rooms = s.all[slot : slot+1]
	}
	var found []store.Room
	for _, r := range rooms {
		if (q.Match == "" || r.Match == q.Match) && (len(q.States) == 0 || slices.Contains(q.States, r.State)) {
			found = append(found, r)
		}
	}
	return found
}
