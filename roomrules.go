package finalbell

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// What each call makes of a room: refusals first, then the one change. Nothing here reads a clock or a store.

// roomChange is what a call does to a room.
type roomChange struct {
	next     Room
	replayed bool
	kind     string // of the event,
	body     roomBody
	due      bool      // it came by the room's deadline,
	at       time.Time // which was then; zero: now
	lines    []ledgerLine
}

// roomBody is what the event of a change says.
type roomBody struct {
	Player  string       `json:"player,omitempty"`  // who joined or left
	Players []roomPlayer `json:"players,omitempty"` // who were dismissed
	Reason  string       `json:"reason,omitempty"`
}

func (b roomBody) empty() bool { return b.Player == "" && len(b.Players) == 0 && b.Reason == "" }

// roomPlayer names a player as every body of an event does.
type roomPlayer struct {
	Player string `json:"player"`
}

// newRoom opens a room; n was checked.
func newRoom(n NewRoom, now time.Time) roomChange {
	r := Room{ID: n.ID, Mode: n.Mode, State: RoomOpen, Players: n.Players, Wait: n.Wait, OpenedAt: now, Attributes: maps.Clone(n.Attributes)}
	return roomChange{next: r, kind: roomOpenedEvent}
}

// sameRoom reports whether r was opened by a call that said what n says.
func sameRoom(r Room, n NewRoom) bool {
	return r.Mode == n.Mode && r.Players == n.Players && r.Wait == n.Wait && maps.Equal(r.Attributes, n.Attributes)
}

// busy refuses what cannot be done to a room while a match is in it.
func (r Room) busy() error {
	if r.Match == "" {
		return nil
	}
	return refuse(ErrState, "match "+quote(r.Match)+" is in the room")
}

// shut refuses what cannot be done to a closed room.
func (r Room) shut() error {
	if r.State == RoomOpen {
		return nil
	}
	return refuse(ErrState, "the room is "+string(r.State))
}

// join makes a participant a member. Who is one already is told so whatever has become of the room: the first answer may
// have been lost.
func join(rs *ruleset, r Room, p Participant, now time.Time) (roomChange, error) {
	mode := rs.mode(r.Mode)
	if err := checkParticipant(mode, "participant", p); err != nil {
		return roomChange{}, err
	}
	if err := rs.checkPartitions(mode, NewMatch{Players: []Participant{p}}); err != nil {
		return roomChange{}, err
	}
	if i := r.member(p.Player); i >= 0 {
		if !sameParticipant(r.Members[i].Participant, p) {
			return roomChange{}, refuse(ErrDuplicatePlayer, quote(p.Player)+" is in the room otherwise", p.Player)
		}
		return roomChange{next: r, replayed: true}, nil
	}
	if err := r.shut(); err != nil {
		return roomChange{}, err
	}
	if err := r.busy(); err != nil {
		return roomChange{}, err
	}
	m := Member{Participant: p, JoinedAt: now}
	c := roomChange{next: r, kind: roomJoinedEvent, body: roomBody{Player: p.Player}}
	if mode.Fee != nil && mode.pays(p.standing()) {
		m.Held, m.currency = mode.Fee.Amount, mode.Fee.Currency
		c.lines = feeMove("", m.currency, account{playerAccount, p.Player}, account{holdAccount, p.Player}, feeHeld, m.Held)
	}
	if len(r.Members) == 0 && r.Wait > 0 {
		c.next.Deadline = now.Add(r.Wait)
	}
	c.next.Members = append(slices.Clip(r.Members), m)
	return c, r.tooMany(mode, c.next.Members)
}

// tooMany refuses more members than one match can have, in all or in a team.
func (r Room) tooMany(mode Mode, members []Member) error {
	mode.Players.Min = 0
	most := r.Players.Max
	if most > 0 && len(members) > most {
		return refuse(ErrPlayers, "the room is full with "+plural(most, "player"))
	}
	roster := make([]Standing, len(members))
	for i, m := range members {
		roster[i] = m.standing()
	}
	return checkNumbers(mode, roster)
}

// leave takes a member out.
func leave(r Room, player string) (roomChange, error) {
	i := r.member(player)
	if i < 0 {
		return roomChange{next: r, replayed: true}, nil
	}
	if err := r.busy(); err != nil {
		return roomChange{}, err
	}
	c := roomChange{next: r, kind: roomLeftEvent, body: roomBody{Player: player}, lines: r.Members[i].release()}
	c.next.Members = slices.Delete(slices.Clone(r.Members), i, i+1)
	if len(c.next.Members) == 0 {
		c.next.Deadline = time.Time{} // nobody waits
	}
	return c, nil
}

// release gives back what is held of a member.
func (m Member) release() []ledgerLine {
	if m.Held == 0 {
		return nil
	}
	return feeMove("", m.currency, account{holdAccount, m.Player}, account{playerAccount, m.Player}, feeReleased, m.Held)
}

// dismiss lets all members go.
func dismiss(r Room, reason string) (roomChange, error) {
	if err := r.shut(); err != nil {
		return roomChange{}, err
	}
	if len(r.Members) == 0 {
		return roomChange{next: r, replayed: true}, nil
	}
	if err := r.busy(); err != nil {
		return roomChange{}, err
	}
	return r.emptied(roomDismissedEvent, reason), nil
}

// overdue is dismiss for a room of which the deadline has passed; else nothing is to be done.
func overdue(r Room, now time.Time) (roomChange, error) {
	if r.Deadline.IsZero() || r.Deadline.After(now) {
		return roomChange{next: r, replayed: true}, nil // somebody was faster
	}
	c := r.emptied(roomDismissedEvent, "")
	c.due, c.at = true, r.Deadline
	return c, nil
}

// closeRoom closes a room for good.
func closeRoom(r Room, reason string, now time.Time) (roomChange, error) {
	if r.State == RoomClosed {
		return roomChange{next: r, replayed: true}, nil
	}
	if err := r.busy(); err != nil {
		return roomChange{}, err
	}
	c := r.emptied(roomClosedEvent, reason)
	c.next.State, c.next.ClosedAt = RoomClosed, now
	return c, nil
}

// emptied is the change by which everybody leaves.
func (r Room) emptied(kind, reason string) roomChange {
	c := roomChange{next: r, kind: kind, body: roomBody{Reason: reason}}
	for _, m := range r.Members {
		c.body.Players = append(c.body.Players, roomPlayer{m.Player})
		c.lines = append(c.lines, m.release()...)
	}
	c.next.Members, c.next.Deadline, c.next.Reason = nil, time.Time{}, reason
	return c
}

// seats is a new match in the room: what it leaves to the room is the room's, and who is named must be a member. A
// rematch leaves out those who are none any more.
func (r Room) seats(n NewMatch, rematch bool) (NewMatch, error) {
	if n.Mode == "" {
		n.Mode = r.Mode
	}
	if n.Mode != r.Mode {
		return n, refuse(ErrInvalid, "mode: "+quote(n.Mode)+" is not that of room "+quote(r.ID)+", "+quote(r.Mode))
	}
	if err := r.shut(); err != nil {
		return n, err
	}
	if err := r.busy(); err != nil {
		return n, err
	}
	if err := checkTwice(n.Players, func(p Participant) string { return p.Player }); err != nil {
		return n, err
	}
	if rematch {
		n.Players = slices.DeleteFunc(slices.Clone(n.Players), func(p Participant) bool { return r.member(p.Player) < 0 })
	} else if len(n.Players) == 0 {
		for _, m := range r.Members {
			n.Players = append(n.Players, m.Participant)
		}
	}
	var others []string
	for _, p := range n.Players {
		if r.member(p.Player) < 0 {
			others = append(others, p.Player)
		}
	}
	if others != nil {
		return n, refuse(ErrUnknownPlayer, "not in the room: "+list(others), others...)
	}
	switch size := len(n.Players); {
	case size < r.Players.Min:
		return n, refuse(ErrPlayers, plural(size, "player")+"; room "+quote(r.ID)+" needs "+strconv.Itoa(r.Players.Min))
	case r.Players.Max > 0 && size > r.Players.Max:
		return n, refuse(ErrPlayers, plural(size, "player")+"; room "+quote(r.ID)+" takes "+strconv.Itoa(r.Players.Max))
	}
	return n, nil
}

// takes is the room with a match in it.
func (r Room) takes(match string) Room {
	r.Match, r.Deadline = match, time.Time{}
	r.Matches++
	r.version++
	r.Members = slices.Clone(r.Members)
	return r
}

func (p Participant) standing() Standing { return Standing{Player: p.Player, Team: p.Team, Bot: p.Bot} }

func (s Standing) participant() Participant {
	return Participant{Player: s.Player, Team: s.Team, Bot: s.Bot, Attributes: s.Attributes}
}

func sameParticipant(a, b Participant) bool {
	return a.Player == b.Player && a.Team == b.Team && a.Bot == b.Bot && maps.Equal(a.Attributes, b.Attributes)
}
