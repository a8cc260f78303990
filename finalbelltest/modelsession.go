package finalbelltest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell"
)

// The model's sessions: a list of them, and the marks that their end leaves on seats.

// attended is a session, and the signs of life that a crash may take back to.
type attended struct {
	finalbell.Session
	before []time.Time
}

// StartSession is Engine.StartSession. Without an id the session gets id-1, id-2 and so on, as matches do.
func (m *Model) StartSession(n finalbell.NewSession) (finalbell.Session, error) {
	if n.ID == "" {
		m.made++
		n.ID = "id-" + strconv.Itoa(m.made)
	}
	now, at, err := m.times(true)
	if err != nil || !validID(n.ID) || !validWho(n.Player, n.Device) || !validAttributes(n.Attributes) {
		return finalbell.Session{}, refuse(finalbell.ErrInvalid)
	}
	m.idleOf(n.Player, now)
	for _, s := range m.sessions {
		switch {
		case s.ID == n.ID && s.Player == n.Player && s.Device == n.Device:
			s.Replayed = true
			return s.Session, nil
		case s.ID == n.ID:
			return finalbell.Session{}, refuse(finalbell.ErrExists)
		}
	}
	replaces := func(s attended) bool {
		return s.Player == n.Player && s.EndedAt.IsZero() && (m.rules.Sessions.Devices != finalbell.ManyDevices || s.Device == n.Device)
	}
	i := slices.IndexFunc(m.sessions, replaces)
	if i >= 0 {
		s := &m.sessions[i]
		if at, err = m.seen(*s, at); err != nil {
			return finalbell.Session{}, err
		}
		if s.Device == n.Device && at.Sub(s.SeenAt) < m.rules.Sessions.ReconnectWithin {
			s.see(at)
			again := s.Session
			again.Replayed = true
			return again, nil
		}
		s.end(at, "replaced")
	}
	started := finalbell.Session{ID: n.ID, Player: n.Player, Device: n.Device, StartedAt: at, SeenAt: at, Attributes: maps.Clone(n.Attributes)}
	m.sessions = append(m.sessions, attended{Session: started})
	wrote := later(now, at)
	m.mark(n.Player, wrote, func(_ finalbell.Mode, gone finalbell.Status) finalbell.Status {
		if gone == finalbell.Left {
			return ""
		}
		return gone
	})
	m.wrote(wrote)
	return started, nil
}

// Heartbeat is Engine.Heartbeat.
func (m *Model) Heartbeat(player, device string) (finalbell.Session, error) {
	now, at, err := m.times(false)
	if err != nil || !validWho(player, device) {
		return finalbell.Session{}, refuse(finalbell.ErrInvalid)
	}
	m.idleOf(player, now)
	i := m.openOn(player, device)
	if i < 0 {
		return finalbell.Session{}, refuse(finalbell.ErrNotFound)
	}
	s := &m.sessions[i]
	s.see(later(at, s.SeenAt))
	return s.Session, nil
}

// EndSession is Engine.EndSession.
func (m *Model) EndSession(player, device string) (finalbell.Session, error) {
	now, at, err := m.times(true)
	if err != nil || !validWho(player, device) {
		return finalbell.Session{}, refuse(finalbell.ErrInvalid)
	}
	m.idleOf(player, now)
	i := m.openOn(player, device)
	if i < 0 {
		return finalbell.Session{}, refuse(finalbell.ErrNotFound)
	}
	if at, err = m.seen(m.sessions[i], at); err != nil {
		return finalbell.Session{}, err
	}
	m.sessions[i].SeenAt = at
	m.sessions[i].end(at, "ended")
	m.leave(player, later(now, at))
	m.wrote(later(now, at))
	return m.sessions[i].Session, nil
}

// Sessions returns the sessions of a player, or of all if it is empty, in the order of creation.
func (m *Model) Sessions(player string) []finalbell.Session {
	var all []finalbell.Session
	for _, s := range m.sessions {
		if player == "" || s.Player == player {
			all = append(all, s.Session)
		}
	}
	return all
}

func validWho(player, device string) bool {
	return validID(player) && (device == "" || validID(device))
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// seen is the time of a step of an open session, which is not before its last sign of life.
func (m *Model) seen(s attended, at time.Time) (time.Time, error) {
	if at.Before(s.SeenAt) && !m.at.IsZero() {
		return at, refuse(finalbell.ErrInvalid)
	}
	return later(at, s.SeenAt), nil
}

func (s *attended) see(at time.Time) {
	if !at.Equal(s.SeenAt) {
		s.before, s.SeenAt = append(slices.Clip(s.before), s.SeenAt), at
	}
}

func (s *attended) end(at time.Time, reason string) {
	s.EndedAt, s.Reason, s.before = at, reason, nil
}

// openOn is where the open session of a player on a device is, -1 for nowhere.
func (m *Model) openOn(player, device string) int {
	any := device == "" && m.rules.Sessions.Devices != finalbell.ManyDevices
	return slices.IndexFunc(m.sessions, func(s attended) bool {
		return s.Player == player && s.EndedAt.IsZero() && (any || s.Device == device)
	})
}

// idleDue is when a session ends by itself, if it does.
func (m *Model) idleDue(s attended) (time.Time, bool) {
	after := m.rules.Sessions.IdleAfter
	return s.SeenAt.Add(after), after > 0 && s.EndedAt.IsZero()
}

// idleOf ends the sessions of a player that are idle.
func (m *Model) idleOf(player string, now time.Time) {
	for m.idleStep([]string{player}, now) {
	}
}

// idleStep ends the first session of one of the players that is idle, if there is one.
func (m *Model) idleStep(players []string, now time.Time) bool {
	for _, player := range players {
		var idle []attended
		for _, s := range m.sessions {
			if due, idles := m.idleDue(s); s.Player == player && idles && !due.After(now) {
				idle = append(idle, s)
			}
		}
		if len(idle) > 0 {
			m.idle(slices.MinFunc(idle, func(a, b attended) int { return cmp.Or(a.SeenAt.Compare(b.SeenAt), cmp.Compare(a.ID, b.ID)) }).ID)
			return true
		}
	}
	return false
}

func (m *Model) idle(id string) {
	i := slices.IndexFunc(m.sessions, func(s attended) bool { return s.ID == id })
	due, _ := m.idleDue(m.sessions[i])
	m.sessions[i].end(m.sessions[i].SeenAt, "idle")
	m.leave(m.sessions[i].Player, due)
	m.wrote(due)
}

// idlers are those whose sessions may tell of them in a match.
func (m *Model) idlers(p played) []string {
	if p.match.State != finalbell.Started || !tellsGone(m.mode(p.match.Mode)) {
		return nil
	}
	var players []string
	for _, s := range p.said.seats {
		if !s.Bot {
			players = append(players, s.Player)
		}
	}
	return players
}

// Idlings are the models between m and what becomes of it when the idle sessions of the players of a match, or of one
// player, end: its engine ends each in a commit of its own before it does anything else.
func (m *Model) Idlings(matchOrPlayer string) []*Model {
	players := []string{matchOrPlayer}
	if p, there := m.find(matchOrPlayer); there {
		players = m.idlers(p)
	}
	var between []*Model
	for now, last := m.clock(), m; ; {
		if last = last.Clone(); !last.idleStep(players, now) {
			return between
		}
		between = append(between, last)
	}
}

func tellsGone(mode finalbell.Mode) bool {
	return mode.OnSessionEnd == finalbell.LeaveSeat || mode.OnSessionEnd == finalbell.ForfeitSeat
}

// leave marks a player without an open session as gone.
func (m *Model) leave(player string, at time.Time) {
	if slices.ContainsFunc(m.sessions, func(s attended) bool { return s.Player == player && s.EndedAt.IsZero() }) {
		return
	}
	m.mark(player, at, func(mode finalbell.Mode, gone finalbell.Status) finalbell.Status {
		switch {
		case mode.OnSessionEnd == finalbell.ForfeitSeat:
			return finalbell.Forfeit
		case mode.OnSessionEnd == finalbell.LeaveSeat && gone == "":
			return finalbell.Left
		}
		return gone
	})
}

// mark changes whether a player is gone from the matches that run.
func (m *Model) mark(player string, at time.Time, change func(finalbell.Mode, finalbell.Status) finalbell.Status) {
	for _, p := range m.matches {
		due, expires := m.deadline(p)
		i := p.said.seat(player)
		if p.match.State != finalbell.Started || expires && !due.After(at) || i < 0 || p.said.seats[i].Bot {
			continue
		}
		mode := m.mode(p.match.Mode)
		gone := change(mode, p.said.seats[i].Gone)
		if gone == p.said.seats[i].Gone {
			continue
		}
		p.said.seats = slices.Clone(p.said.seats)
		p.said.seats[i].Gone = gone
		if p.shown = p.said.seats; p.match.Provisional {
			p.shown, p.match.Draw = standings(mode, p.said, true)
		}
		p.before = nil
		m.put(p)
	}
}

// RecoverSession is Recover for a session: a crash may take back the last signs of life.
func (m *Model) RecoverSession(got finalbell.Session) bool {
	for i, s := range m.sessions {
		if s.ID != got.ID {
			continue
		}
		if !got.SeenAt.Equal(s.SeenAt) && slices.ContainsFunc(s.before, got.SeenAt.Equal) {
			m.sessions[i].SeenAt = got.SeenAt
		}
		m.sessions[i].before = nil
		return text(got) == text(m.sessions[i].Session)
	}
	return false
}

// DiffSessions tells the first session in which the engine is not what the model is; empty if there is none.
func (m *Model) DiffSessions(e *finalbell.Engine) string {
	ctx := context.Background()
	n := 0
	for got, err := range e.Sessions(ctx, finalbell.SessionFilter{}) {
		if err != nil || n >= len(m.sessions) || text(got) != text(m.sessions[n].Session) {
			return fmt.Sprintf("session %d of %d: the engine has %s, %v", n+1, len(m.sessions), text(got), err)
		}
		if one, err := e.Session(ctx, got.ID); err != nil || text(one) != text(got) {
			return fmt.Sprintf("the engine lists %s and reads %s, %v", text(got), text(one), err)
		}
		n++
	}
	if n != len(m.sessions) {
		return fmt.Sprintf("%d sessions, want %d", n, len(m.sessions))
	}
	return ""
}
