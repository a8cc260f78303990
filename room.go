package finalbell

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell/store"
)

// Rooms: where players come together for one match after the other. A room that nobody opened is only a label on matches.

// RoomState is where a room stands in its life.
type RoomState string

const (
	RoomOpen   RoomState = "open"
	RoomClosed RoomState = "closed" // for good
)

// NewRoom is what OpenRoom is told. Two calls with the same id and the same content are one room.
type NewRoom struct {
	ID   string // default: a new one
	Mode string
	// Players are how many a match in the room needs and takes; 0: as the mode says. They are within the mode's.
	Players Limits
	// Wait is how long members wait for a match, from the first who joins; then they are dismissed. 0: for ever.
	Wait       time.Duration
	Attributes map[string]string
}

// Room is a room as it stood when the call returned. Its slices and maps belong to the caller.
type Room struct {
	ID, Mode           string
	State              RoomState
	Players            Limits // 0: as the mode says
	Wait               time.Duration
	OpenedAt, ClosedAt time.Time
	Deadline           time.Time // when the members are dismissed if no match was created by then; zero: never
	Match              string    // the one that is created or running in it; empty: none
	Matches            int       // created in it so far
	Reason             string    // of the last dismissal, or why it was closed
	Members            []Member  // in the order in which they joined
	Attributes         map[string]string
	Replayed           bool // the call had been made before and changed nothing now

	version uint64
	created uint64 // position of the commit that opened it
}

// Member is a player in a room.
type Member struct {
	Participant
	JoinedAt time.Time
	Held     int64 // of the entry fee, in minor units, until a match takes it over

	currency string // of Held
}

// OpenRoom opens a room for matches of a mode. Without an ID it gets a new one. The same id with the same content is the
// same room and returns it as it is now, Replayed, also when it was closed meanwhile; with other content it is ErrExists.
func (e *Engine) OpenRoom(ctx context.Context, n NewRoom) (Room, error) {
	const op = "open room"
	err := e.writable(ctx)
	if err == nil && n.ID == "" {
		n.ID = e.newID()
	}
	if err == nil {
		err = e.checkNewRoom(n)
	}
	if err != nil {
		return Room{}, failed(op, n.ID, err)
	}
	r, err := e.again(func() (Room, error) { return e.openRoom(ctx, n) })
	return r, failed(op, n.ID, err)
}

// Join makes a player a member of a room. Where the mode has an entry fee it is held at once, or the call is
// ErrInsufficient. Who is a member already, just so, gets the room Replayed; in another team or otherwise different it is
// ErrDuplicatePlayer. A full room or team is ErrPlayers; a closed room, and one in which a match is created or running, is
// ErrState. A player may be in several rooms, and is held the fee in each.
func (e *Engine) Join(ctx context.Context, room string, p Participant) (Room, error) {
	p.Attributes = maps.Clone(p.Attributes)
	err := checkParticipant(Mode{}, "participant", p)
	return e.roomVerb(ctx, "join room", room, err, func(rs *ruleset, r Room, now time.Time) (roomChange, error) {
		return join(rs, r, p, now)
	})
}

// Leave takes a player out of a room and gives back what is held. Who is no member gets the room Replayed. While a match is
// created or running in it, it is ErrState.
func (e *Engine) Leave(ctx context.Context, room, player string) (Room, error) {
	return e.roomVerb(ctx, "leave room", room, checkID("player", player), func(_ *ruleset, r Room, _ time.Time) (roomChange, error) {
		return leave(r, player)
	})
}

// Dismiss says that no match was found: every member leaves, what is held is given back, and the room stays open. The
// same happens by itself at the room's Deadline. A room without members is returned Replayed; while a match is created
// or running in it, and once it is closed, it is ErrState.
func (e *Engine) Dismiss(ctx context.Context, room, reason string) (Room, error) {
	return e.roomVerb(ctx, "dismiss room", room, checkReason(reason), func(_ *ruleset, r Room, _ time.Time) (roomChange, error) {
		return dismiss(r, reason)
	})
}

// CloseRoom is Dismiss for a room that is not needed any more: nobody can join it again. Closing it again returns it,
// Replayed, with the first reason. While a match is created or running in it, it is ErrState.
func (e *Engine) CloseRoom(ctx context.Context, room, reason string) (Room, error) {
	return e.roomVerb(ctx, "close room", room, checkReason(reason), func(_ *ruleset, r Room, now time.Time) (roomChange, error) {
		return closeRoom(r, reason, now)
	})
}

func checkReason(reason string) error { return checkText("reason", reason) }

// Room returns a room as it stands. One that nobody opened is ErrNotFound, also if matches have its id as their label.
func (e *Engine) Room(ctx context.Context, id string) (Room, error) {
	err := e.readable(ctx)
	if err == nil {
		err = checkID("room", id)
	}
	if err != nil {
		return Room{}, failed("read room", id, err)
	}
	r, err := e.findRoom(ctx, id)
	return r, failed("read room", id, err)
}

// RoomFilter selects rooms; a zero field does not restrict.
type RoomFilter struct {
	Mode   string
	Player string // who is a member
	States []RoomState
}

// Rooms yields the rooms that f selects in the order in which they were opened. The sequence holds no lock while it yields,
// and ends after an error.
func (e *Engine) Rooms(ctx context.Context, f RoomFilter) iter.Seq2[Room, error] {
	return func(yield func(Room, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Room{}, failed("list rooms", "", err))
			return
		}
		var q store.RoomQuery
		for _, s := range f.States {
			q.States = append(q.States, string(s))
		}
		for record, err := range e.store.Rooms(ctx, q) {
			if err != nil {
				yield(Room{}, failed("list rooms", "", unavailable(err)))
				return
			}
			r := roomOf(record)
			if f.Mode != "" && r.Mode != f.Mode || f.Player != "" && r.member(f.Player) < 0 {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// checkNewRoom refuses a room that could not be one.
func (e *engine) checkNewRoom(n NewRoom) error {
	if err := checkID("room", n.ID); err != nil {
		return err
	}
	mode, there := e.ruleset().modes[n.Mode]
	if !there {
		return refuse(ErrInvalid, "mode: no mode "+quote(n.Mode))
	}
	least, most := n.Players.Min, n.Players.Max
	switch {
	case least != 0 && least < mode.Players.Min:
		return refuse(ErrInvalid, "players.min: "+strconv.Itoa(least)+" is less than the "+strconv.Itoa(mode.Players.Min)+" of mode "+quote(mode.ID))
	case most < 0 || mode.Players.Max > 0 && max(least, most) > mode.Players.Max:
		return refuse(ErrInvalid, "players: "+strconv.Itoa(least)+" to "+strconv.Itoa(most)+" are not within the "+strconv.Itoa(mode.Players.Max)+" of mode "+quote(mode.ID))
	case max(least, most) > maxPlayers:
		return refuse(ErrInvalid, "players: "+strconv.Itoa(max(least, most))+" are more than "+strconv.Itoa(maxPlayers))
	case most > 0 && most < max(least, mode.Players.Min):
		return refuse(ErrInvalid, "players.max: "+strconv.Itoa(most)+" is less than the "+strconv.Itoa(max(least, mode.Players.Min))+" that a match needs")
	case n.Wait < 0 || n.Wait%time.Millisecond != 0:
		return refuse(ErrInvalid, "wait: "+n.Wait.String()+" is negative or finer than a millisecond")
	}
	return checkAttributes("attributes", n.Attributes)
}

// member is the place of a player among the members, -1 if there is none.
func (r Room) member(player string) int {
	return slices.IndexFunc(r.Members, func(m Member) bool { return m.Player == player })
}
