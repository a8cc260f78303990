package finalbell_test

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/memory"
	"pgregory.net/rapid"
)

// Whoever opens, joins, leaves or closes rooms and plays in them, in whatever order, at whatever times and at once, finds
// in an engine the rooms and the money of the model.
func TestRoomsAreTheModels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newEconomy(t)
		m.game = finalbelltest.NewOn(t, finalbelltest.InMemory, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		actions := m.roomActions()
		actions["race"] = m.raceRooms
		actions["another race"] = m.raceRooms
		actions["reopen"] = func(t *rapid.T) { m.game.Reopen(t); m.engine = m.game.Engine }
		actions[""] = func(t *rapid.T) {
			m.model.RequireMoney(t, m.engine)
			m.checkBooks(t, m.game.Store)
			m.verify(t)
		}
		m.endow(t)
		t.Repeat(actions)
		m.check(t)
	})
}

// However the store fails, a room is as before the call or as after it, and so is the money.
func TestAFailingStoreHalvesNoRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newEconomy(t)
		m.failing = &failing{data: memory.New()}
		t.Cleanup(func() { _ = m.engine.Close() })
		m.reopen(t)
		m.endow(t)
		actions := m.roomActions()
		actions["kill"] = m.kill
		actions["fault"] = m.armRooms
		actions["another"] = m.armRooms
		actions[""] = func(t *rapid.T) {
			m.failing.pause(true)
			m.model.RequireMoney(t, m.engine)
			m.checkBooks(t, m.failing.data)
			m.failing.pause(false)
		}
		t.Repeat(actions)
		m.failing.disarm()
		m.check(t)
		m.verify(t)
	})
}

// roomActions are what a game of rooms does most.
func (m *machine) roomActions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"start":   m.start,
		"end":     m.end,
		"cancel":  m.cancel,
		"create":  m.create,
		"void":    m.void,
		"amend":   m.amend,
		"retry":   m.retry,
		"advance": m.advance,
		"tick":    m.tick,
		"credit":  m.credit,
		"spend":   m.spend,
	}
	for name, action := range m.callsOfRooms() {
		actions[name] = action
	}
	for _, name := range []string{"join", "seat", "bout in a room"} {
		actions["another "+name] = actions[name]
	}
	return actions
}

// callsOfRooms are those about rooms, and rematch.
func (m *machine) callsOfRooms() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"open room":      m.openRoom,
		"join":           m.joinRoom,
		"leave":          m.leaveRoom,
		"dismiss":        m.dismissRoom,
		"close room":     m.closeRoom,
		"seat":           m.seat,
		"rematch":        m.rematch,
		"bout in a room": m.boutInRoom,
	}
}

// printed is a room as both print it.
func printed(r finalbell.Room, err error) (string, error) {
	text, _ := json.Marshal(r)
	return string(text), err
}

// inRoom makes a call about a room of both and compares the answers.
func (m *machine) inRoom(t *rapid.T, room string, on either[string]) {
	before := m.before()
	got, err := on.engine(m.engine)
	want, wantErr := on.model(m.model)
	if m.failing != nil && m.failing.hit() {
		due := before.Clone()
		_, _ = due.Leave(room, "nobody")
		m.settleAmong(t, err, before, due, m.model)
		return
	}
	if finalbelltest.KindOf(err) != finalbelltest.KindOf(wantErr) || err == nil && got != want {
		t.Fatalf("the engine answers %s, %v, the model %s, %v", got, err, want, wantErr)
	}
}

func (m *machine) drawRoom(t *rapid.T) string {
	return rapid.SampledFrom([]string{"r1", "r2", "hall", "nope"}).Draw(t, "room")
}

func (m *machine) openRoom(t *rapid.T) { room, on := m.drawOpen(t); m.inRoom(t, room, on) }

func (m *machine) drawOpen(t *rapid.T) (string, either[string]) {
	n := finalbell.NewRoom{ID: rapid.SampledFrom([]string{"r1", "r2", "hall"}).Draw(t, "room"), Mode: rapid.SampledFrom(m.rules.Modes).Draw(t, "mode").ID}
	if r, err := m.model.Room(n.ID); err == nil && rapid.IntRange(1, 2).Draw(t, "the same") == 2 {
		n.Mode, n.Players, n.Wait, n.Attributes = r.Mode, r.Players, r.Wait, r.Attributes
	} else {
		n.Players.Min = rapid.SampledFrom([]int{0, 0, 1, 2, 3, -1}).Draw(t, "min")
		n.Players.Max = rapid.SampledFrom([]int{0, 0, 2, 3, 4, -1, 10_001}).Draw(t, "max")
		n.Wait = rapid.SampledFrom([]time.Duration{0, time.Second, 3 * time.Second, time.Hour, -time.Second, time.Microsecond}).Draw(t, "wait")
		if rapid.IntRange(1, 4).Draw(t, "attributes") == 4 {
			n.Attributes = map[string]string{"stakes": "high"}
		}
	}
	return n.ID, either[string]{
		engine: func(e *finalbell.Engine) (string, error) { return printed(e.OpenRoom(context.Background(), n)) },
		model:  func(m *finalbelltest.Model) (string, error) { return printed(m.OpenRoom(n)) },
	}
}

func (m *machine) joinRoom(t *rapid.T)    { room, on := m.drawJoin(t); m.inRoom(t, room, on) }
func (m *machine) leaveRoom(t *rapid.T)   { room, on := m.drawLeave(t); m.inRoom(t, room, on) }
func (m *machine) dismissRoom(t *rapid.T) { room, on := m.drawDismiss(t); m.inRoom(t, room, on) }

func (m *machine) drawJoin(t *rapid.T) (string, either[string]) {
	room := m.drawRoom(t)
	mode := m.rules.Modes[0]
	if r, err := m.model.Room(room); err == nil {
		mode = m.rules.Modes[slices.IndexFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == r.Mode })]
	}
	p := finalbelltest.Roster(mode).Draw(t, "who")[0]
	if rapid.IntRange(1, 20).Draw(t, "wrong") == 20 {
		p.Player = "tab\t"
	}
	return room, either[string]{
		engine: func(e *finalbell.Engine) (string, error) { return printed(e.Join(context.Background(), room, p)) },
		model:  func(m *finalbelltest.Model) (string, error) { return printed(m.Join(room, p)) },
	}
}

func (m *machine) drawLeave(t *rapid.T) (string, either[string]) {
	room, player := m.drawRoom(t), drawSubject(t)
	if r, err := m.model.Room(room); err == nil && len(r.Members) > 0 && rapid.IntRange(1, 4).Draw(t, "a member") < 4 {
		player = rapid.SampledFrom(r.Members).Draw(t, "member").Player
	}
	return room, either[string]{
		engine: func(e *finalbell.Engine) (string, error) { return printed(e.Leave(context.Background(), room, player)) },
		model:  func(m *finalbelltest.Model) (string, error) { return printed(m.Leave(room, player)) },
	}
}

func (m *machine) drawDismiss(t *rapid.T) (string, either[string]) {
	room, reason := m.drawRoom(t), rapid.SampledFrom([]string{"nobody came", "", "\xff"}).Draw(t, "reason")
	return room, either[string]{
		engine: func(e *finalbell.Engine) (string, error) {
			return printed(e.Dismiss(context.Background(), room, reason))
		},
		model: func(m *finalbelltest.Model) (string, error) { return printed(m.Dismiss(room, reason)) },
	}
}

// closeRoom closes a room, but seldom: nothing more happens in it.
func (m *machine) closeRoom(t *rapid.T) {
	room, reason := m.drawRoom(t), rapid.SampledFrom([]string{"late", "", "\xff"}).Draw(t, "reason")
	if rapid.IntRange(1, 3).Draw(t, "really") < 3 {
		return
	}
	m.inRoom(t, room, either[string]{
		engine: func(e *finalbell.Engine) (string, error) {
			return printed(e.CloseRoom(context.Background(), room, reason))
		},
		model: func(m *finalbelltest.Model) (string, error) { return printed(m.CloseRoom(room, reason)) },
	})
}

// seat creates a match in a room.
func (m *machine) seat(t *rapid.T) { m.ask(t, m.drawSeated(t), m.drawAt(t)) }

// drawSeated draws a match in a room, which mostly is to say who plays.
func (m *machine) drawSeated(t *rapid.T) finalbell.NewMatch {
	n := finalbell.NewMatch{ID: "m" + strconv.Itoa(len(m.ids)+1), Room: m.drawRoom(t), Round: "1"}
	if len(m.ids) > 0 && rapid.IntRange(1, 6).Draw(t, "id in use") == 6 {
		n.ID = rapid.SampledFrom(m.ids).Draw(t, "id")
	}
	r, err := m.model.Room(n.Room)
	if err != nil || rapid.IntRange(1, 3).Draw(t, "mode") == 3 {
		n.Mode = rapid.SampledFrom(m.rules.Modes).Draw(t, "mode").ID
	}
	if len(r.Members) > 0 && rapid.IntRange(1, 3).Draw(t, "players") == 3 {
		for _, member := range r.Members[:rapid.IntRange(1, len(r.Members)).Draw(t, "some")] {
			p := member.Participant
			p.Bot = p.Bot != (rapid.IntRange(1, 6).Draw(t, "changes") == 6)
			n.Players = append(n.Players, p)
		}
		switch rapid.IntRange(1, 10).Draw(t, "wrong") {
		case 9:
			n.Players = append(n.Players, n.Players[0])
		case 10:
			n.Players = append(n.Players, finalbell.Participant{Player: "zoe", Team: "red"})
		}
	}
	if rapid.IntRange(1, 4).Draw(t, "deadline") == 4 {
		n.Deadline = m.clock.Now().Add(time.Duration(rapid.IntRange(1, 5).Draw(t, "seconds")) * time.Second)
	}
	return n
}

func (m *machine) rematch(t *rapid.T) {
	old := m.drawID(t)
	id := "m" + strconv.Itoa(len(m.ids)+1)
	switch rapid.IntRange(1, 8).Draw(t, "id") {
	case 7:
		id = m.drawID(t)
	case 8:
		if m.failing == nil { // who does not know the id cannot try again with it
			id = ""
		}
	}
	var room string
	if match, err := m.model.Match(old); err == nil {
		room = match.Room
	}
	c := call{
		id:     old,
		then:   id,
		room:   room,
		engine: func(e *finalbell.Engine) (finalbell.Match, error) { return e.Rematch(context.Background(), old, id) },
		model:  func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Rematch(old, id) },
	}
	made, err := m.do(t, c)
	if err == nil && !slices.Contains(m.ids, made.ID) {
		m.ids = append(m.ids, made.ID)
	}
}

// boutInRoom plays a match in a room from the first who joins to the end.
func (m *machine) boutInRoom(t *rapid.T) {
	room := rapid.SampledFrom([]string{"r1", "r2", "hall"}).Draw(t, "room")
	if _, err := m.model.Room(room); err != nil {
		m.openRoom(t)
	}
	for range rapid.IntRange(0, 3).Draw(t, "joining") {
		m.joinRoom(t)
	}
	n := m.drawSeated(t)
	n.Room = room
	if _, err := m.ask(t, n, time.Time{}); err != nil {
		return
	}
	m.begin(t, n.ID, time.Time{})
	if rapid.IntRange(1, 4).Draw(t, "ends") < 4 {
		m.finish(t, n.ID, m.drawOutcomes(t, n.ID), time.Time{}, false)
	}
}

// raceRooms makes a few calls about rooms at once.
func (m *machine) raceRooms(t *rapid.T) { m.raceOf(t, m.drawRacingRoom) }

// drawRacingRoom draws a call about a room that may come at the same time as others.
func (m *machine) drawRacingRoom(t *rapid.T) either[string] {
	switch rapid.IntRange(1, 8).Draw(t, "racing") {
	case 8:
		_, on := m.drawOpen(t)
		return on
	case 1, 2:
		_, on := m.drawJoin(t)
		return on
	case 3:
		_, on := m.drawLeave(t)
		return on
	case 4:
		_, on := m.drawDismiss(t)
		return on
	case 5:
		n := m.drawSeated(t)
		n.ID = "race " + strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "id"))
		return either[string]{
			engine: func(e *finalbell.Engine) (string, error) { return brief(e.Create(context.Background(), n)) },
			model:  func(m *finalbelltest.Model) (string, error) { return brief(m.Create(n)) },
		}
	case 6:
		old, id := m.drawID(t), "race "+strconv.Itoa(rapid.IntRange(1, 3).Draw(t, "id"))
		return either[string]{
			engine: func(e *finalbell.Engine) (string, error) { return brief(e.Rematch(context.Background(), old, id)) },
			model:  func(m *finalbelltest.Model) (string, error) { return brief(m.Rematch(old, id)) },
		}
	}
	return m.drawRacing(t)
}

// armRooms chooses the fault of a call to come.
func (m *machine) armRooms(t *rapid.T) {
	m.armMoney(t)
	if rapid.IntRange(1, 3).Draw(t, "reads rooms") == 3 {
		m.failing.mu.Lock()
		defer m.failing.mu.Unlock()
		m.failing.method = "Rooms"
		m.failing.fault.Stop = false
	}
}
