package finalbelltest

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell"
)

// The model's rooms: a list, of which every call replaces one.

// OpenRoom is Engine.OpenRoom. Without an id it gets the next one, as a match does.
func (m *Model) OpenRoom(n finalbell.NewRoom) (finalbell.Room, error) {
	if n.ID == "" {
		m.made++
		n.ID = "id-" + strconv.Itoa(m.made)
	}
	if !m.wellFormedRoom(n) {
		return finalbell.Room{}, refuse(finalbell.ErrInvalid)
	}
	if r, there := m.room(n.ID); there {
		if r.Mode != n.Mode || r.Players != n.Players || r.Wait != n.Wait || !maps.Equal(r.Attributes, n.Attributes) {
			return finalbell.Room{}, refuse(finalbell.ErrExists)
		}
		return repeat(r), nil
	}
	now := m.clock()
	r := finalbell.Room{ID: n.ID, Mode: n.Mode, State: finalbell.RoomOpen, Players: n.Players, Wait: n.Wait, OpenedAt: now, Attributes: maps.Clone(n.Attributes)}
	m.rooms = append(m.rooms, r)
	m.wrote(now)
	return r, nil
}

func (m *Model) wellFormedRoom(n finalbell.NewRoom) bool {
	if !validID(n.ID) || !slices.ContainsFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == n.Mode }) {
		return false
	}
	limits := m.mode(n.Mode).Players
	least := max(1, limits.Min)
	within := func(n int) bool { return n == 0 || n >= least && n <= 10_000 && (limits.Max == 0 || n <= limits.Max) }
	return within(n.Players.Min) && within(n.Players.Max) && (n.Players.Max == 0 || n.Players.Min <= n.Players.Max) &&
		n.Wait >= 0 && n.Wait%time.Millisecond == 0 && validAttributes(n.Attributes)
}

// Join is Engine.Join.
func (m *Model) Join(room string, p finalbell.Participant) (finalbell.Room, error) {
	r, now, err := m.enter(room, validID(p.Player) && (p.Team == "" || validID(p.Team)) && validAttributes(p.Attributes))
	if err != nil {
		return finalbell.Room{}, err
	}
	mode := m.mode(r.Mode)
	one := finalbell.NewMatch{ID: "m", Mode: r.Mode, Round: "1", Players: []finalbell.Participant{p}}
	if !m.wellFormed(one) {
		return finalbell.Room{}, refuse(finalbell.ErrInvalid)
	}
	if i := memberOf(r, p.Player); i >= 0 {
		if !sameParticipant(r.Members[i].Participant, p) {
			return finalbell.Room{}, refuse(finalbell.ErrDuplicatePlayer, p.Player)
		}
		return repeat(r), nil
	}
	if r.State == finalbell.RoomClosed || r.Match != "" {
		return finalbell.Room{}, refuse(finalbell.ErrState)
	}
	if len(r.Members) == 0 && r.Wait > 0 {
		r.Deadline = now.Add(r.Wait)
	}
	member := finalbell.Member{Participant: p, JoinedAt: now}
	if pays(mode, seatOf(p)) {
		member.Held = mode.Fee.Amount
	}
	r.Members = append(slices.Clip(r.Members), member)
	mode.Players.Min = 0
	if most := r.Players.Max; most > 0 && len(r.Members) > most || !fits(mode, seatsOf(participants(r))) {
		return finalbell.Room{}, refuse(finalbell.ErrPlayers)
	}
	if member.Held > 0 {
		x := movement{from: wallet(p.Player), to: hold(p.Player), currency: mode.Fee.Currency, amount: member.Held, what: "held in a room"}
		if short := m.post([]movement{x}, "", false); short != nil {
			return finalbell.Room{}, refuse(finalbell.ErrInsufficient, short...)
		}
	}
	return m.change(r, now), nil
}

// Leave is Engine.Leave.
func (m *Model) Leave(room, player string) (finalbell.Room, error) {
	r, now, err := m.enter(room, validID(player))
	if err != nil {
		return finalbell.Room{}, err
	}
	i := memberOf(r, player)
	if i < 0 {
		return repeat(r), nil
	}
	if r.Match != "" {
		return finalbell.Room{}, refuse(finalbell.ErrState)
	}
	m.letGo(r, r.Members[i:i+1])
	r.Members = slices.Delete(slices.Clone(r.Members), i, i+1)
	if len(r.Members) == 0 {
		r.Members, r.Deadline = nil, time.Time{}
	}
	return m.change(r, now), nil
}

// Dismiss is Engine.Dismiss.
func (m *Model) Dismiss(room, reason string) (finalbell.Room, error) {
	r, now, err := m.enter(room, validText(reason))
	switch {
	case err != nil:
		return finalbell.Room{}, err
	case r.State == finalbell.RoomClosed:
		return finalbell.Room{}, refuse(finalbell.ErrState)
	case len(r.Members) == 0:
		return repeat(r), nil
	case r.Match != "":
		return finalbell.Room{}, refuse(finalbell.ErrState)
	}
	return m.change(m.empty(r, reason), now), nil
}

// CloseRoom is Engine.CloseRoom.
func (m *Model) CloseRoom(room, reason string) (finalbell.Room, error) {
	r, now, err := m.enter(room, validText(reason))
	switch {
	case err != nil:
		return finalbell.Room{}, err
	case r.State == finalbell.RoomClosed:
		return repeat(r), nil
	case r.Match != "":
		return finalbell.Room{}, refuse(finalbell.ErrState)
	}
	r = m.empty(r, reason)
	r.State, r.ClosedAt = finalbell.RoomClosed, now
	return m.change(r, now), nil
}

// Room is Engine.Room.
func (m *Model) Room(id string) (finalbell.Room, error) {
	r, there := m.room(id)
	if !there {
		return finalbell.Room{}, refuse(finalbell.ErrNotFound)
	}
	return r, nil
}

// Rooms returns every room in the order in which they were opened.
func (m *Model) Rooms() []finalbell.Room { return slices.Clone(m.rooms) }

// Rematch is Engine.Rematch.
func (m *Model) Rematch(match, id string) (finalbell.Match, error) {
	m = &Model{model: m.model, backfill: m.backfill}
	if !validID(match) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	if id == "" {
		m.made++
		id = "id-" + strconv.Itoa(m.made)
	}
	if !validID(id) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	p, _, _, err := m.load(match, false)
	if err != nil {
		return finalbell.Match{}, err
	}
	if p.match.State == finalbell.Created || p.match.State == finalbell.Started {
		return finalbell.Match{}, refuse(finalbell.ErrState)
	}
	n := finalbell.NewMatch{ID: id, Mode: p.match.Mode, Room: p.match.Room, Round: p.match.Round, Attributes: p.match.Attributes}
	for _, s := range p.said.seats {
		n.Players = append(n.Players, finalbell.Participant{Player: s.Player, Team: s.Team, Bot: s.Bot, Attributes: s.Attributes})
	}
	old, _ := m.index(match)
	if other, there := m.index(id); there && other <= old {
		m.doDue(m.matches[other], m.clock())
		if _, err := m.Create(n); KindOf(err) == finalbell.ErrInvalid {
			return finalbell.Match{}, err
		}
		return finalbell.Match{}, refuse(finalbell.ErrExists)
	}
	return m.create(n, true)
}

// enter is how every call about a room begins: what is wrong with the call itself, whether the room is there, what is due.
func (m *Model) enter(id string, good bool) (finalbell.Room, time.Time, error) {
	now := m.clock()
	if !good || !validID(id) {
		return finalbell.Room{}, now, refuse(finalbell.ErrInvalid)
	}
	if _, there := m.room(id); !there {
		return finalbell.Room{}, now, refuse(finalbell.ErrNotFound)
	}
	m.doRoomDue(id, now)
	r, _ := m.room(id)
	return r, now, nil
}

// doRoomDue lets the match in a room expire, or its members go, if that is due.
func (m *Model) doRoomDue(id string, now time.Time) {
	r, _ := m.room(id)
	if p, there := m.find(r.Match); there {
		m.doDue(p, now)
		return
	}
	if !r.Deadline.IsZero() && !r.Deadline.After(now) {
		m.change(m.empty(r, ""), r.Deadline)
	}
}

// fill is a new match with what it leaves to its room, which is refused if there is no place for it.
func (m *Model) fill(r finalbell.Room, n finalbell.NewMatch, rematch bool) (finalbell.NewMatch, error) {
	if n.Mode == "" {
		n.Mode = r.Mode
	}
	switch {
	case n.Mode != r.Mode:
		return n, refuse(finalbell.ErrInvalid)
	case r.State == finalbell.RoomClosed || r.Match != "":
		return n, refuse(finalbell.ErrState)
	}
	if twice := repeated(seatsOf(n.Players), func(s finalbell.Standing) string { return s.Player }); twice != nil {
		return n, refuse(finalbell.ErrDuplicatePlayer, twice...)
	}
	stranger := func(p finalbell.Participant) bool { return memberOf(r, p.Player) < 0 }
	switch {
	case rematch:
		n.Players = slices.DeleteFunc(slices.Clone(n.Players), stranger)
	case len(n.Players) == 0:
		n.Players = participants(r)
	}
	var strangers []string
	for _, p := range n.Players {
		if stranger(p) {
			strangers = append(strangers, p.Player)
		}
	}
	if strangers != nil {
		return n, refuse(finalbell.ErrUnknownPlayer, strangers...)
	}
	if len(n.Players) < r.Players.Min || r.Players.Max > 0 && len(n.Players) > r.Players.Max {
		return n, refuse(finalbell.ErrPlayers)
	}
	return n, nil
}

// occupy puts a match that was just created into its room, with what the room held of its players.
func (m *Model) occupy(r finalbell.Room, p played) {
	mode := m.mode(r.Mode)
	r.Match, r.Deadline, r.Matches, r.Members = p.match.ID, time.Time{}, r.Matches+1, slices.Clone(r.Members)
	for _, s := range p.said.seats {
		member := &r.Members[memberOf(r, s.Player)]
		if member.Held == 0 {
			continue
		}
		m.letGo(r, []finalbell.Member{*member})
		if pays(mode, s) {
			x := movement{wallet(s.Player), hold(s.Player), mode.Fee.Currency, member.Held, feeHeld, p.match.ID, ""}
			m.moved = append(m.moved, x)
		}
		member.Held = 0
	}
	m.putRoom(r)
}

// vacate takes a match that is over out of its room.
func (m *Model) vacate(match finalbell.Match) {
	over := match.State != finalbell.Created && match.State != finalbell.Started
	if r, there := m.room(match.Room); there && over && r.Match == match.ID {
		r.Match = ""
		m.putRoom(r)
	}
}

// empty is a room without its members, who get back what was held.
func (m *Model) empty(r finalbell.Room, reason string) finalbell.Room {
	m.letGo(r, r.Members)
	r.Members, r.Deadline, r.Reason = nil, time.Time{}, reason
	return r
}

// letGo gives back what is held of members.
func (m *Model) letGo(r finalbell.Room, members []finalbell.Member) {
	for _, member := range members {
		if member.Held > 0 {
			m.post([]movement{{from: hold(member.Player), to: wallet(member.Player), currency: m.mode(r.Mode).Fee.Currency, amount: member.Held, what: "let go"}}, "", false)
		}
	}
}

func (m *Model) room(id string) (finalbell.Room, bool) {
	i := slices.IndexFunc(m.rooms, func(r finalbell.Room) bool { return r.ID == id })
	if i < 0 {
		return finalbell.Room{}, false
	}
	return m.rooms[i], true
}

func (m *Model) putRoom(r finalbell.Room) {
	m.rooms[slices.IndexFunc(m.rooms, func(x finalbell.Room) bool { return x.ID == r.ID })] = r
}

// change puts a room as it is from then on.
func (m *Model) change(r finalbell.Room, at time.Time) finalbell.Room {
	m.putRoom(r)
	m.wrote(at)
	return r
}

func repeat(r finalbell.Room) finalbell.Room {
	r.Replayed = true
	return r
}

func memberOf(r finalbell.Room, player string) int {
	return slices.IndexFunc(r.Members, func(member finalbell.Member) bool { return member.Player == player })
}

func participants(r finalbell.Room) []finalbell.Participant {
	var all []finalbell.Participant
	for _, member := range r.Members {
		all = append(all, member.Participant)
	}
	return all
}

func seatOf(p finalbell.Participant) finalbell.Standing {
	return finalbell.Standing{Player: p.Player, Team: p.Team, Bot: p.Bot, Attributes: p.Attributes}
}

func seatsOf(players []finalbell.Participant) []finalbell.Standing {
	var seats []finalbell.Standing
	for _, p := range players {
		seats = append(seats, seatOf(p))
	}
	return seats
}
