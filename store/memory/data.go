package memory

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/finalbell/finalbell/store"
)

// data is what the handles of one store share. Rows are replaced and never changed: whoever copied one under the
// lock may read it without. Matches and entries stay in the store.Record that they came in, which is a pointer
// in all but name; taking them out and storing a copy would cost as much as all the rest of a commit.
type data struct {
	mu       sync.RWMutex
	head     store.Head
	events   []*store.Event          // position 1 first
	keys     map[string]*store.Event // by Commit.Key
	matches  []store.Record          // each a store.Match; by slot: the order of creation
	slots    map[string]int          // by match id
	players  postings
	teams    postings
	inRooms  postings
	states   map[string][]int // slots in no order, so that a match changes its state in constant time
	listed   []int            // by slot: its place in the list of its state
	windows  map[store.WindowKey]*window
	named    map[windowName][]store.WindowKey // of windows
	settings map[string]store.Setting

	ledger    ledger
	grants    grants
	facts     map[string]store.Facts   // by player
	revisions map[string][]store.Match // by match id; each by revision
	sessions  sessions
	rooms     rooms
}

func newData() *data {
	return &data{
		keys:     map[string]*store.Event{},
		slots:    map[string]int{},
		players:  postings{},
		teams:    postings{},
		inRooms:  postings{},
		states:   map[string][]int{},
		windows:  map[store.WindowKey]*window{},
		named:    map[windowName][]store.WindowKey{},
		settings: map[string]store.Setting{},

		ledger:    newLedger(),
		grants:    newGrants(),
		facts:     map[string]store.Facts{},
		revisions: map[string][]store.Match{},
		sessions:  newSessions(),
		rooms:     rooms{slots: map[string]int{}},
	}
}

// match returns a zero match, which has no version, for an id that is not there.
func (d *data) match(id string) store.Match {
	if slot, ok := d.slots[id]; ok {
		return matchIn(d.matches[slot])
	}
	return store.Match{}
}

func matchIn(r store.Record) store.Match {
	m, _ := r.(store.Match)
	return m
}

// putMatch makes a match or replaces it. The record is that of m.
func (d *data) putMatch(m *store.Match, r store.Record) {
	slot, there := d.slots[m.ID]
	if !there {
		slot = len(d.matches)
		d.slots[m.ID] = slot
		d.matches = append(d.matches, r)
		d.listed = append(d.listed, 0)
		d.enlist(slot, m.State)
		d.post(slot, &store.Match{}, m)
		return
	}
	old := matchIn(d.matches[slot])
	if old.State != m.State {
		d.delist(slot, old.State)
		d.enlist(slot, m.State)
	}
	d.post(slot, &old, m)
	d.matches[slot] = r
}

func (d *data) enlist(slot int, state string) {
	d.listed[slot] = len(d.states[state])
	d.states[state] = append(d.states[state], slot)
}

func (d *data) delist(slot int, state string) {
	list := d.states[state]
	last := list[len(list)-1]
	list[d.listed[slot]] = last
	d.listed[last] = d.listed[slot]
	d.states[state] = list[:len(list)-1]
}

// post adds what is new in m. What went is left, because asked looks at the match itself.
func (d *data) post(slot int, old, m *store.Match) {
	if m.Room != old.Room {
		d.inRooms.add(m.Room, slot)
	}
	for i := range m.Participants {
		p := &m.Participants[i]
		var was store.Participant
		if i < len(old.Participants) {
			was = old.Participants[i]
		}
		if p.Player != was.Player {
			d.players.add(p.Player, slot)
		}
		if p.Team != was.Team {
			d.teams.add(p.Team, slot)
		}
	}
}

// candidates returns all matches that q can ask for and more, in the order of creation: those of the field that
// leaves the fewest.
func (d *data) candidates(q store.MatchQuery) []store.Record {
	fewest := len(d.matches)
	var slots []int
	narrowed := false
	narrow := func(given string, by postings) {
		if given == "" {
			return
		}
		if list := by[given]; !narrowed || len(list) < fewest {
			slots, fewest, narrowed = list, len(list), true
		}
	}
	narrow(q.Player, d.players)
	narrow(q.Opponent, d.players)
	narrow(q.Team, d.teams)
	narrow(q.Room, d.inRooms)
	if len(q.States) > 0 {
		inStates := 0
		for _, state := range q.States {
			inStates += len(d.states[state])
		}
		if !narrowed || inStates < fewest {
			slots, narrowed = d.inStates(q.States, inStates), true
		}
	}
	if !narrowed {
		return inOrderOf(slices.Clone(d.matches), q)
	}
	matches := make([]store.Record, len(slots))
	for i, slot := range slots {
		matches[i] = d.matches[slot]
	}
	return inOrderOf(matches, q)
}

// inOrderOf brings matches, which are in the order of creation, into the one that q asks for.
func inOrderOf(matches []store.Record, q store.MatchQuery) []store.Record {
	if q.Newest {
		slices.Reverse(matches)
		slices.SortStableFunc(matches, func(a, b store.Record) int {
			m, n := matchIn(a), matchIn(b)
			return cmp.Or(n.EndedAt.Compare(m.EndedAt), cmp.Compare(n.Position, m.Position))
		})
	}
	return matches
}

func (d *data) inStates(states []string, size int) []int {
	slots := make([]int, 0, size)
	for _, state := range states {
		slots = append(slots, d.states[state]...)
	}
	slices.Sort(slots)
	return slices.Compact(slots) // a state may have been named twice
}

func asked(m *store.Match, q store.MatchQuery) bool {
	return (q.Mode == "" || q.Mode == m.Mode) &&
		(q.Room == "" || q.Room == m.Room) &&
		(len(q.States) == 0 || slices.Contains(q.States, m.State)) &&
		between(m.EndedAt, q.From, q.To) &&
		(q.Opponent == "" || slices.ContainsFunc(m.Participants,
			func(p store.Participant) bool { return p.Player == q.Opponent && p.Player != q.Player })) &&
		(q.Player == "" || slices.ContainsFunc(m.Participants,
			func(p store.Participant) bool { return p.Player == q.Player })) &&
		(q.Team == "" || slices.ContainsFunc(m.Participants,
			func(p store.Participant) bool { return p.Team == q.Team }))
}

// between reports whether a moment, which is known if there is a bound, is not before one and before the other.
func between(at, from, to time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to)) && (!at.IsZero() || from.IsZero() && to.IsZero())
}

// postings lists slots in the order of creation by a player, team or room.
type postings map[string][]int

func (p postings) add(name string, slot int) {
	if name == "" {
		return // no query asks for it
	}
	list := p[name]
	if len(list) == 0 || list[len(list)-1] < slot {
		p[name] = append(list, slot)
		return
	}
	// A player who walks into an older match.
	if at, there := slices.BinarySearch(list, slot); !there {
		p[name] = slices.Insert(list, at, slot)
	}
}
