package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// players is the part of the model that is players over time.
type players struct {
	Sessions []store.Session // in the order of creation
	Rooms    []store.Room    // likewise
}

func (p players) clone() players { return players{slices.Clone(p.Sessions), slices.Clone(p.Rooms)} }

// playersOf reads all that a store has of it.
func playersOf(t tb, s store.Store) players {
	t.Helper()
	ctx := context.Background()
	return players{all(t, s.Sessions(ctx, store.SessionQuery{})), all(t, s.Rooms(ctx, store.RoomQuery{}))}
}

func (p players) session(id string) uint64 {
	for _, r := range p.Sessions {
		if r.ID == id {
			return r.Version
		}
	}
	return 0
}

func (p players) room(id string) uint64 {
	for _, r := range p.Rooms {
		if r.ID == id {
			return r.Version
		}
	}
	return 0
}

func (p *players) put(r store.Record) {
	switch r := r.(type) {
	case store.Session:
		if i := slices.IndexFunc(p.Sessions, func(o store.Session) bool { return o.ID == r.ID }); i >= 0 {
			p.Sessions[i] = r
			return
		}
		p.Sessions = append(p.Sessions, r)
	case store.Room:
		if i := slices.IndexFunc(p.Rooms, func(o store.Room) bool { return o.ID == r.ID }); i >= 0 {
			p.Rooms[i] = r
			return
		}
		p.Rooms = append(p.Rooms, r)
	}
}

// sessions answers a query by looking at every session.
func (p players) sessions(q store.SessionQuery) (found []store.Session) {
	for _, r := range p.Sessions {
		if (q.ID == "" || r.ID == q.ID) && (q.Player == "" || r.Player == q.Player) && (!q.Open || r.EndedAt.IsZero()) && within(r.StartedAt, q.From, q.To) {
			found = append(found, r)
		}
	}
	if q.Newest {
		slices.Reverse(found)
	}
	return found
}

// rooms answers a query by looking at every room.
func (p players) rooms(q store.RoomQuery) (found []store.Room) {
	for _, r := range p.Rooms {
		if (q.ID == "" || r.ID == q.ID) && (q.Match == "" || r.Match == q.Match) && (len(q.States) == 0 || slices.Contains(q.States, r.State)) {
			found = append(found, r)
		}
	}
	return found
}

// within reports whether a moment is in the bounds that there are. Where there are some, it must be known.
func within(at, from, to time.Time) bool {
	if from.IsZero() && to.IsZero() {
		return true
	}
	return !at.IsZero() && (from.IsZero() || !at.Before(from)) && (to.IsZero() || at.Before(to))
}

func playerRules() []rule {
	return []rule{
		one("sessions come in the order of creation, or the other way round", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			session := func(id string, version uint64) store.Session {
				return store.Session{ID: id, Version: version, Created: 1, Player: "ann"}
			}
			p.write(session("d", 1), session("c", 1))
			p.batch(store.Batch{Commits: []store.Commit{p.next(session("b", 1)), p.next(session("a", 1))}})
			p.write(session("c", 2))
			p.soft(session("d", 1))
			for _, q := range []store.SessionQuery{{}, {Player: "ann"}, {Open: true}, {Player: "ann", Open: true}} {
				requireSessions(t, s, q, "d", "c", "b", "a")
				q.Newest = true
				requireSessions(t, s, q, "a", "b", "c", "d")
			}
		}),
		one("sessions are those that a query asks for by every field that it sets", askedSessions),
		one("a session is found by what it is, not by what it was", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			at := time.UnixMilli(1000).UTC()
			then := store.Session{ID: "s", Version: 1, Created: 1, Player: "ann", StartedAt: at}
			now := store.Session{ID: "s", Version: 2, Created: 1, Player: "bob", StartedAt: at.Add(time.Hour), EndedAt: at.Add(time.Hour)}
			was := []store.SessionQuery{{Player: "ann"}, {Open: true}, {To: at.Add(time.Minute)}}
			is := []store.SessionQuery{{Player: "bob"}, {From: at.Add(time.Minute)}}
			p.write(then)
			p.write(now)
			for _, q := range was {
				requireSessions(t, s, q)
			}
			for _, q := range is {
				requireSessions(t, s, q, "s")
			}
			then.Version = 3
			p.write(then)
			for _, q := range was {
				requireSessions(t, s, q, "s")
			}
			for _, q := range is {
				requireSessions(t, s, q)
			}
		}),
		one("a session comes back with every field and is replaced whole", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			at := time.Date(2024, 5, 1, 0, 0, 0, 1e6, time.UTC)
			r := store.Session{ID: "s", Version: 1, Created: 1, Player: "ann", Device: "phone", StartedAt: at, SeenAt: at.Add(time.Minute), EndedAt: at.Add(time.Hour),
				Reason: "idle", Attributes: []store.Attribute{{Name: "os", Value: "x"}}, Data: []store.Attribute{{Name: "ip", Value: "::1"}}}
			p.write(r)
			requireSame(t, []store.Session{r}, all(t, s.Sessions(context.Background(), store.SessionQuery{ID: "s"})))
			r = store.Session{ID: "s", Version: 2, Created: 1, Player: "bob"}
			p.write(r)
			requireSame(t, []store.Session{r}, all(t, s.Sessions(context.Background(), store.SessionQuery{})))
		}),
		one("a soft session replaces the stored one of the same version, and another is left out without an error", softSessions),
		one("rooms are those that a query asks for by every field that it sets, in the order of creation", askedRooms),
		one("a room comes back with every field and is replaced whole", wholeRooms),
		one("many sessions and rooms come whole and in order", manySessions),
		one("what stands of players after a match and what moves passed come back in every mixture", mixtures),
	}
}

func askedSessions(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	p.write(
		store.Session{ID: "1", Version: 1, Player: "ann", StartedAt: at(10), EndedAt: at(20)}, store.Session{ID: "2", Version: 1, Player: "bob", StartedAt: at(20)},
		store.Session{ID: "3", Version: 1, Player: "ann", StartedAt: at(15)}, store.Session{ID: "ann", Version: 1, Player: "1", StartedAt: at(-5)},
		store.Session{ID: "5", Version: 1, Player: "ann"}, // nobody knows when
	)
	for _, c := range []struct {
		q    store.SessionQuery
		want []string
	}{
		{store.SessionQuery{}, []string{"1", "2", "3", "ann", "5"}},
		{store.SessionQuery{ID: "3"}, []string{"3"}},
		{store.SessionQuery{ID: "none"}, nil},
		{store.SessionQuery{Player: "ann"}, []string{"1", "3", "5"}},
		{store.SessionQuery{Player: "none"}, nil},
		{store.SessionQuery{Open: true}, []string{"2", "3", "ann", "5"}},
		{store.SessionQuery{Player: "ann", Open: true}, []string{"3", "5"}},
		{store.SessionQuery{ID: "1", Player: "ann"}, []string{"1"}},
		{store.SessionQuery{ID: "1", Player: "bob"}, nil},
		{store.SessionQuery{ID: "1", Open: true}, nil},
		{store.SessionQuery{From: at(15)}, []string{"2", "3"}},
		{store.SessionQuery{To: at(15)}, []string{"1", "ann"}},
		{store.SessionQuery{From: at(10), To: at(20)}, []string{"1", "3"}},
		{store.SessionQuery{From: at(15).Add(1), To: at(20).Add(1)}, []string{"2"}},
		{store.SessionQuery{Player: "ann", From: at(1), Newest: true}, []string{"3", "1"}},
		{store.SessionQuery{Open: true, To: at(16), Newest: true}, []string{"ann", "3"}},
	} {
		requireSessions(t, s, c.q, c.want...)
	}
}

func softSessions(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	r := store.Session{ID: "s", Version: 1, Created: 1, Player: "ann", SeenAt: time.UnixMilli(1).UTC()}
	p.write(r)
	r.SeenAt = time.UnixMilli(5).UTC()
	before := contentsOf(t, s)
	p.soft(r)
	after := contentsOf(t, s)
	requireSame(t, []store.Session{r}, after.Players.Sessions)
	requireSame(t, before.Events, after.Events)
	requireSame(t, before.Head, after.Head)
	p.soft(store.Session{ID: "s", Version: 2, Reason: "not yet"}, store.Session{ID: "s", Reason: "none"}, store.Session{ID: "new", Version: 1}, store.Session{ID: "other"})
	requireSame(t, after, contentsOf(t, s))
	second := r
	second.Version, second.EndedAt = 2, time.UnixMilli(9).UTC()
	soft := second
	soft.Reason = "soft"
	p.batch(store.Batch{Commits: []store.Commit{p.next(second)}, Soft: []store.Record{r, soft}}) // the first one is overtaken
	requireSame(t, []store.Session{soft}, all(t, s.Sessions(context.Background(), store.SessionQuery{})))
	requireSessions(t, s, store.SessionQuery{Open: true})
}

func askedRooms(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	p.write(store.Room{ID: "4", Version: 1, State: "open", Match: "m"}, store.Room{ID: "3", Version: 1, State: "closed"})
	p.write(store.Room{ID: "2", Version: 1, State: "open"})
	p.write(store.Room{ID: "m", Version: 1, State: "playing", Match: "4"}, store.Room{ID: "3", Version: 2, State: "open", Match: "m"})
	for _, c := range []struct {
		q    store.RoomQuery
		want []string
	}{
		{store.RoomQuery{}, []string{"4", "3", "2", "m"}},
		{store.RoomQuery{States: []string{}}, []string{"4", "3", "2", "m"}},
		{store.RoomQuery{ID: "3"}, []string{"3"}},
		{store.RoomQuery{ID: "none"}, nil},
		{store.RoomQuery{Match: "m"}, []string{"4", "3"}},
		{store.RoomQuery{Match: "none"}, nil},
		{store.RoomQuery{States: []string{"open"}}, []string{"4", "3", "2"}},
		{store.RoomQuery{States: []string{"closed"}}, nil},
		{store.RoomQuery{States: []string{"playing", "open", "none", "open"}}, []string{"4", "3", "2", "m"}},
		{store.RoomQuery{ID: "4", Match: "m", States: []string{"open"}}, []string{"4"}},
		{store.RoomQuery{ID: "4", Match: "4"}, nil},
		{store.RoomQuery{Match: "m", States: []string{"playing"}}, nil},
	} {
		requireRooms(t, s, c.q, c.want...)
	}
}

func wholeRooms(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	at := time.Date(2024, 5, 1, 0, 0, 0, 1e6, time.UTC)
	car := []store.Attribute{{Name: "car", Value: "7"}}
	r := store.Room{ID: "r", Version: 1, Created: 1, Mode: "duel", State: "open", Min: 2, Max: 4, Wait: 1500 * time.Millisecond, OpenedAt: at, ClosedAt: at.Add(1e6),
		Deadline: at.Add(2e6), Match: "m", Matches: 3, Reason: "full", Attributes: car, Members: []store.Member{
			{Player: "bob", Team: "red", Bot: true, JoinedAt: at, Held: -5, Attributes: car}, {Player: "ann"}, {Player: "red", JoinedAt: time.UnixMilli(0).UTC(), Held: 7}, {Player: "cid", Attributes: car},
		}}
	p.write(r)
	requireSame(t, []store.Room{r}, all(t, s.Rooms(context.Background(), store.RoomQuery{Match: "m"})))
	r.Version, r.Members = 2, r.Members[1:2]
	p.write(r)
	requireSame(t, []store.Room{r}, all(t, s.Rooms(context.Background(), store.RoomQuery{})))
	r = store.Room{ID: "r", Version: 3, Created: 1}
	p.write(r)
	requireSame(t, []store.Room{r}, all(t, s.Rooms(context.Background(), store.RoomQuery{})))
	require.Empty(t, all(t, s.Matches(context.Background(), store.MatchQuery{Player: "ann"})), "a member takes part in no match")
}

// manySessions are more than any page or buffer that a store may read in.
func manySessions(t *testing.T, s store.Store) {
	const n = 9000
	ctx := context.Background()
	p := pen{t: t, s: s}
	var want players
	c := p.next()
	for i := range n {
		id := fmt.Sprintf("%05d", (i*7919)%n) // not in the order of creation
		want.Sessions = append(want.Sessions, store.Session{ID: id, Version: 1, Created: 1, Player: "ann"})
		want.Rooms = append(want.Rooms, store.Room{ID: id, Version: 1, Created: 1, State: "open", Members: []store.Member{{Player: fmt.Sprint(i)}}})
		c.Records = append(c.Records, want.Sessions[i], want.Rooms[i])
	}
	p.batch(store.Batch{Commits: []store.Commit{c}})
	for _, q := range []store.SessionQuery{{}, {Player: "ann"}, {Open: true}, {Player: "ann", Open: true}} {
		requireEach(t, want.Sessions, all(t, s.Sessions(ctx, q)))
	}
	for _, q := range []store.RoomQuery{{}, {States: []string{"open"}}, {States: []string{"open", "other"}}} {
		requireEach(t, want.Rooms, all(t, s.Rooms(ctx, q)))
	}
	slices.Reverse(want.Sessions)
	for _, q := range []store.SessionQuery{{Newest: true}, {Player: "ann", Newest: true}, {Open: true, Newest: true}} {
		requireEach(t, want.Sessions, all(t, s.Sessions(ctx, q)))
	}
}

func mixtures(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	m := store.Match{ID: "m", Version: 1, Created: 1, Position: 1}
	for mixture := range 1 << 6 {
		one := store.Participant{Player: fmt.Sprint(mixture)}
		for bit, set := range []func(){
			func() { one.Attributes = []store.Attribute{{Name: "car", Value: "7"}} }, func() { one.Paid = 5 }, func() { one.Gone = "left" },
			func() { one.Counted = 3 }, func() { one.Streak = -2 }, func() { one.Best = store.Number{Known: true, Scale: 2} },
		} {
			if mixture>>bit&1 == 1 {
				set()
			}
		}
		m.Participants = append(m.Participants, one)
	}
	for _, passed := range [][]string{nil, {"ann"}, {"bob", "ann", "bob"}} {
		for _, size := range []int{0, 7, -1} {
			m.Moves = append(m.Moves, store.Move{WindowKey: in("x", "yz"), ID: "ann", New: 1, Size: size, Passed: passed})
		}
	}
	p.write(m, store.Revision{Match: m})
	requireMatch(t, s, m)
	requireSame(t, []store.Match{m}, all(t, s.Matches(context.Background(), store.MatchQuery{})))
	requireSame(t, []store.Revision{{Match: m}}, revisionsOf(t, s, "m"))
	slices.Reverse(m.Moves)
	p.soft(store.Moves{Match: "m", Position: 1, Moves: m.Moves})
	requireMatch(t, s, m)
}

// playerRefusals are those of sessions and rooms.
func playerRefusals() []refusal {
	session := func(id string, version uint64) []attempt {
		return []attempt{{records: []store.Record{store.Session{ID: id, Version: version}}}}
	}
	room := func(id string, version uint64) []attempt {
		return []attempt{{records: []store.Record{store.Room{ID: id, Version: version}}}}
	}
	return []refusal{
		{"the stored version of a session is ErrStale", session("s", 2), 0, store.ErrStale},
		{"a skipped version of a session is ErrStale", session("s", 4), 0, store.ErrStale},
		{"a new session of version 0 is ErrStale", session("new", 0), 0, store.ErrStale},
		{"a new session of version 2 is ErrStale", session("new", 2), 0, store.ErrStale},
		{"a session's version is also checked against the batch", append(session("s", 3), session("s", 3)...), 1, store.ErrStale},
		{"a new session's version is also checked against the batch", append(session("new", 1), session("new", 1)...), 1, store.ErrStale},
		{"the stored version of a room is ErrStale", room("r", 2), 0, store.ErrStale},
		{"a skipped version of a room is ErrStale", room("r", 4), 0, store.ErrStale},
		{"a new room of version 0 is ErrStale", room("new", 0), 0, store.ErrStale},
		{"a new room of version 2 is ErrStale", room("new", 2), 0, store.ErrStale},
		{"a room's version is also checked against the batch", append(room("r", 3), room("r", 3)...), 1, store.ErrStale},
		{"a new room's version is also checked against the batch", append(room("new", 1), room("new", 1)...), 1, store.ErrStale},
	}
}

func requireSessions(t tb, s store.Store, q store.SessionQuery, want ...string) {
	t.Helper()
	var ids []string
	for _, r := range all(t, s.Sessions(context.Background(), q)) {
		ids = append(ids, r.ID)
	}
	require.Equal(t, want, ids, "%+v", q)
}

func requireRooms(t tb, s store.Store, q store.RoomQuery, want ...string) {
	t.Helper()
	var ids []string
	for _, r := range all(t, s.Rooms(context.Background(), q)) {
		ids = append(ids, r.ID)
	}
	require.Equal(t, want, ids, "%+v", q)
}
