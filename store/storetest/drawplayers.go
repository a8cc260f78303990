package storetest

import (
	"context"
	"time"

	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
)

// Whole records for the round trip.

func drawSession(t *rapid.T) store.Session {
	return store.Session{
		ID:         name().Draw(t, "id"),
		Created:    position().Draw(t, "created"),
		Player:     name().Draw(t, "player"),
		Device:     text().Draw(t, "device"),
		StartedAt:  moment().Draw(t, "started at"),
		SeenAt:     moment().Draw(t, "seen at"),
		EndedAt:    moment().Draw(t, "ended at"),
		Reason:     text().Draw(t, "reason"),
		Attributes: attributes().Draw(t, "attributes"),
		Data:       attributes().Draw(t, "data"),
	}
}

func drawRoom(t *rapid.T) store.Room {
	return store.Room{
		ID:       name().Draw(t, "id"),
		Created:  position().Draw(t, "created"),
		Mode:     text().Draw(t, "mode"),
		State:    text().Draw(t, "state"),
		Min:      count().Draw(t, "min"),
		Max:      count().Draw(t, "max"),
		Wait:     time.Duration(rapid.Int64Range(-1<<43, 1<<43).Draw(t, "wait")) * time.Millisecond,
		OpenedAt: moment().Draw(t, "opened at"),
		ClosedAt: moment().Draw(t, "closed at"),
		Deadline: moment().Draw(t, "deadline"),
		Match:    text().Draw(t, "match"),
		Matches:  count().Draw(t, "matches"),
		Reason:   text().Draw(t, "reason"),
		Members: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Member {
			return store.Member{Player: name().Draw(t, "player"), Team: text().Draw(t, "team"), Bot: rapid.Bool().Draw(t, "bot"),
				JoinedAt: moment().Draw(t, "joined at"), Held: fee().Draw(t, "held"), Attributes: attributes().Draw(t, "attributes")}
		}), 0, 3).Draw(t, "members"),
		Attributes: attributes().Draw(t, "attributes"),
	}
}

// playersDrawn are whose sessions and which rooms every commit of a round trip has.
type playersDrawn struct {
	sessions []store.Session
	rooms    []store.Room
}

func drawPlayers(t *rapid.T) playersDrawn {
	return playersDrawn{
		rapid.SliceOfNDistinct(rapid.Custom(drawSession), 0, 2, func(r store.Session) string { return r.ID }).Draw(t, "sessions"),
		rapid.SliceOfNDistinct(rapid.Custom(drawRoom), 0, 2, func(r store.Room) string { return r.ID }).Draw(t, "rooms"),
	}
}

// of draws the records of a commit, of a version.
func (d playersDrawn) of(t *rapid.T, version uint64) (records []store.Record) {
	for _, of := range d.sessions {
		r := drawSession(t)
		r.ID, r.Version = of.ID, version
		records = append(records, r)
	}
	for _, of := range d.rooms {
		r := drawRoom(t)
		r.ID, r.Version = of.ID, version
		records = append(records, r)
	}
	return records
}

// requirePlayersIn reads the same by every way that leads to it.
func (g given) requirePlayersIn(t tb, s store.Store) {
	t.Helper()
	ctx := context.Background()
	want := g.want.Players
	requireSame(t, want, playersOf(t, s))
	for _, r := range want.Sessions {
		for _, q := range []store.SessionQuery{
			{ID: r.ID}, {Player: r.Player}, {Open: true}, {Player: r.Player, Open: true, Newest: true}, {From: r.StartedAt}, {To: r.StartedAt, Newest: true},
		} {
			requireSame(t, want.sessions(q), all(t, s.Sessions(ctx, q)), "%+v", q)
		}
	}
	for _, r := range want.Rooms {
		for _, q := range []store.RoomQuery{{ID: r.ID}, {Match: r.Match}, {States: []string{r.State}}, {ID: r.ID, Match: r.Match, States: []string{r.State, "none"}}} {
			requireSame(t, want.rooms(q), all(t, s.Rooms(ctx, q)), "%+v", q)
		}
	}
}

// Small ones for the machine, so that they meet.

func early() *rapid.Generator[time.Time] {
	return rapid.SampledFrom([]time.Time{{}, time.UnixMilli(-1).UTC(), time.UnixMilli(0).UTC(), time.UnixMilli(1).UTC(), time.UnixMilli(2).UTC()})
}

func drawSmallSession(t *rapid.T, id string, version uint64) store.Session {
	return store.Session{
		ID: id, Version: version, Player: rapid.SampledFrom(pool()).Draw(t, "player"), Device: rapid.SampledFrom([]string{"", "phone"}).Draw(t, "device"),
		StartedAt: early().Draw(t, "started at"), EndedAt: early().Draw(t, "ended at"),
		Attributes: attributes().Draw(t, "attributes"), Data: attributes().Draw(t, "data"),
	}
}

func drawSmallRoom(t *rapid.T, id string, version uint64) store.Room {
	return store.Room{
		ID: id, Version: version, State: rapid.SampledFrom(states()).Draw(t, "state"), Match: rapid.SampledFrom(append(pool(), "")).Draw(t, "match"),
		Members: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) store.Member {
			return store.Member{Player: rapid.SampledFrom(pool()).Draw(t, "player"), Team: rapid.SampledFrom([]string{"", "red", "a"}).Draw(t, "team"),
				Held: fee().Draw(t, "held"), Attributes: attributes().Draw(t, "attributes")}
		}), 0, 3).Draw(t, "members"),
	}
}

// drawSmallPlayers draws records that fit.
func drawSmallPlayers(t *rapid.T, c contents) (records []store.Record) {
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool()), 0, 2, rapid.ID).Draw(t, "sessions") {
		records = append(records, drawSmallSession(t, id, c.Players.session(id)+1))
	}
	for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom(pool()), 0, 1, rapid.ID).Draw(t, "rooms") {
		records = append(records, drawSmallRoom(t, id, c.Players.room(id)+1))
	}
	return records
}

// drawName draws whom the machine knows, among them who was forgotten.
func drawName(t *rapid.T, c contents) string {
	return rapid.SampledFrom(append(pool(), "", "", "", gone(rapid.Uint64Range(0, c.Head.Position).Draw(t, "gone at")))).Draw(t, "name")
}

func drawSessionQuery(t *rapid.T, c contents) store.SessionQuery {
	return store.SessionQuery{
		ID: rapid.SampledFrom(append(pool(), "", "", "", "", "none")).Draw(t, "id"), Player: drawName(t, c), Open: rapid.Bool().Draw(t, "open"),
		From: early().Draw(t, "from"), To: early().Draw(t, "to"), Newest: rapid.Bool().Draw(t, "newest"),
	}
}

func drawRoomQuery(t *rapid.T) store.RoomQuery {
	return store.RoomQuery{
		ID:     rapid.SampledFrom(append(pool(), "", "", "", "none")).Draw(t, "id"),
		Match:  rapid.SampledFrom(append(pool(), "", "", "", "none")).Draw(t, "match"),
		States: rapid.SliceOfN(rapid.SampledFrom(states()), 0, 2).Draw(t, "states"),
	}
}
