package finalbelltest

import (
	"errors"
	"maps"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
)

// What every verb of the model does first and last, and what it refuses.

// load is how every verb but Create begins: what is wrong with the call itself, whether the match is there,
// and what is due.
func (m *Model) load(id string, usesAt bool, outcomes ...finalbell.Outcome) (p played, now, at time.Time, err error) {
	now, at, err = m.times(usesAt)
	if !validID(id) {
		err = refuse(finalbell.ErrInvalid)
	}
	for _, o := range outcomes {
		if o.Player == "" && o.Team == "" || o.Player != "" && !validID(o.Player) || o.Team != "" && !validID(o.Team) {
			err = refuse(finalbell.ErrInvalid)
		}
	}
	if err != nil {
		return p, now, at, err
	}
	p, there := m.find(id)
	if !there {
		return p, now, at, refuse(finalbell.ErrNotFound)
	}
	return m.allDue(p, now), now, at, nil
}

// clock is the present, which is never before what was written.
func (m *Model) clock() time.Time {
	now := m.now().UTC().Truncate(time.Millisecond)
	if now.Before(m.head.At) {
		return m.head.At
	}
	return now
}

func (m *Model) times(usesAt bool) (now, at time.Time, err error) {
	now = m.clock()
	if m.at.IsZero() || !usesAt {
		return now, now, nil
	}
	if m.at.Nanosecond()%int(time.Millisecond) != 0 || m.at.After(now) {
		return now, m.at, refuse(finalbell.ErrInvalid)
	}
	return now, m.at.UTC(), nil
}

// Head is what the engine's store must answer to Head.
func (m *Model) Head() store.Head { return m.head }

func (m *Model) wrote(at time.Time) {
	m.head.Position++
	if at.After(m.head.At) {
		m.head.At = at
	}
}

func (m *Model) find(id string) (played, bool) {
	i, there := m.index(id)
	if !there {
		return played{}, false
	}
	return m.matches[i], true
}

// index is where a match is in the list. Where it was found the last time, in a clone perhaps, it mostly still is.
func (m *Model) index(id string) (int, bool) {
	if i, known := m.found[id]; known && i < len(m.matches) && m.matches[i].match.ID == id {
		return i, true
	}
	i := slices.IndexFunc(m.matches, func(p played) bool { return p.match.ID == id })
	if i >= 0 {
		m.found[id] = i
	}
	return i, i >= 0
}

// write puts a match that no crash takes back.
func (m *Model) write(p played, at time.Time) finalbell.Match {
	p.before = nil
	m.put(p)
	m.vacate(p.match)
	m.wrote(at)
	return m.show(p)
}

func (m *Model) put(p played) {
	i, _ := m.index(p.match.ID)
	m.matches[i] = p
}

// allDue does what is due of a match and of the sessions of its players.
func (m *Model) allDue(p played, now time.Time) played {
	for m.idleStep(m.idlers(p), now) {
	}
	p, _ = m.find(p.match.ID)
	return m.doDue(p, now)
}

// doDue closes a match whose deadline has passed.
func (m *Model) doDue(p played, now time.Time) played {
	due, there := m.deadline(p)
	if !there || due.After(now) {
		return p
	}
	p.match.State, p.match.EndedAt = finalbell.Expired, due
	m.giveBack(p)
	p = p.abandoned()
	m.write(p, due)
	return p
}

func (m *Model) deadline(p played) (time.Time, bool) {
	mode := m.mode(p.match.Mode)
	var limits []time.Time
	switch {
	case p.match.State != finalbell.Created && p.match.State != finalbell.Started:
		return time.Time{}, false
	case p.match.State == finalbell.Created && mode.ExpireCreated > 0:
		limits = append(limits, p.match.CreatedAt.Add(mode.ExpireCreated))
	case p.match.State == finalbell.Started && mode.ExpireStarted > 0:
		limits = append(limits, p.match.StartedAt.Add(mode.ExpireStarted))
	}
	if !p.match.Deadline.IsZero() {
		limits = append(limits, p.match.Deadline)
	}
	if limits == nil {
		return time.Time{}, false
	}
	return slices.MinFunc(limits, time.Time.Compare), true
}

// busy are the players who are in another started match of an exclusive mode.
func (m *Model) busy(p played) []string {
	if !m.mode(p.match.Mode).Exclusive {
		return nil
	}
	var busy []string
	for _, s := range p.said.seats {
		for _, other := range m.matches {
			if s.Bot || other.match.ID == p.match.ID || other.match.State != finalbell.Started || !m.mode(other.match.Mode).Exclusive {
				continue
			}
			if slices.ContainsFunc(other.said.seats, func(o finalbell.Standing) bool { return o.Player == s.Player && !o.Bot }) {
				busy = append(busy, s.Player)
			}
		}
	}
	return busy
}

func (m *Model) mode(id string) finalbell.Mode {
	i := slices.IndexFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == id })
	return m.rules.Modes[i]
}

// keepLate keeps a report that came too late, once, if its numbers can be written.
func (m *Model) keepLate(p played, now time.Time, outcomes []finalbell.Outcome) {
	if p.match.State != finalbell.Cancelled && p.match.State != finalbell.Expired {
		return
	}
	text, writable := lateText(outcomes)
	if text = p.match.ID + " " + text; writable && !m.late[text] {
		m.late[text] = true
		m.wrote(now)
	}
}

// wellFormed reports whether a new match could be one at all.
func (m *Model) wellFormed(n finalbell.NewMatch) bool {
	if !slices.ContainsFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == n.Mode }) {
		return false
	}
	_, numbered := roundNumber(n.Round)
	good := validID(n.ID) && (n.Room == "" || validID(n.Room)) && (n.Round == "" || validID(n.Round)) &&
		(numbered || !m.needsRound(n.Mode)) && n.Deadline.Nanosecond()%int(time.Millisecond) == 0
	for _, p := range n.Players {
		good = good && validID(p.Player) && (p.Team == "" && m.mode(n.Mode).Teams == nil || validID(p.Team))
	}
	good = good && validAttributes(n.Attributes) && len(n.Players) <= 10_000
	for _, p := range n.Players {
		good = good && validAttributes(p.Attributes)
	}
	return good && m.namesPartitions(n)
}

func validAttributes(attributes map[string]string) bool {
	for name, value := range attributes {
		if !validID(name) || !validText(value) {
			return false
		}
	}
	return len(attributes) <= 64
}

func validText(text string) bool { return len(text) <= 1024 && utf8.ValidString(text) }

// namesPartitions reports whether every attribute by which a board of the mode is divided is absent or a name.
func (m *Model) namesPartitions(n finalbell.NewMatch) bool {
	good := func(value string) bool { return value == "" || validID(value) }
	for _, id := range m.mode(n.Mode).Boards {
		by := m.board(id).Partition
		switch {
		case by == nil:
		case by.Of != finalbell.OfPlayer:
			if !good(n.Attributes[by.Attribute]) {
				return false
			}
		case slices.ContainsFunc(n.Players, func(p finalbell.Participant) bool { return !good(p.Attributes[by.Attribute]) }):
			return false
		}
	}
	return true
}

func validID(id string) bool {
	for _, r := range id {
		if unicode.IsControl(r) {
			return false
		}
	}
	return id != "" && len(id) <= 128 && utf8.ValidString(id)
}

func sameContent(a, b finalbell.NewMatch) bool {
	return a.Mode == b.Mode && a.Room == b.Room && a.Round == b.Round && a.Deadline.Equal(b.Deadline) &&
		slices.EqualFunc(a.Players, b.Players, sameParticipant) && maps.Equal(a.Attributes, b.Attributes)
}

// leftOpen is what was asked for with what it left to an opened room as the match has it.
func leftOpen(n, has finalbell.NewMatch, rematch bool) finalbell.NewMatch {
	if n.Mode == "" {
		n.Mode = has.Mode
	}
	if rematch {
		n.Players = slices.DeleteFunc(slices.Clone(n.Players), func(p finalbell.Participant) bool {
			return !slices.ContainsFunc(has.Players, func(q finalbell.Participant) bool { return p.Player == q.Player })
		})
	} else if len(n.Players) == 0 {
		n.Players = has.Players
	}
	return n
}

func sameParticipant(a, b finalbell.Participant) bool {
	return a.Player == b.Player && a.Team == b.Team && a.Bot == b.Bot && maps.Equal(a.Attributes, b.Attributes)
}

// abandoned is a match that nobody is ranked in.
func (p played) abandoned() played {
	p.match.Provisional, p.match.Draw = false, false
	p.said = p.said.forgotten()
	p.shown = p.said.seats
	return p
}

// show is the match as it is given away, but for what was given.
func (p played) show() finalbell.Match {
	shown := p.match
	shown.Standings = slices.Clone(p.shown)
	slices.SortStableFunc(shown.Standings, func(a, b finalbell.Standing) int { return a.Position - b.Position })
	return shown
}

// show is a match with what its players got by it.
func (m *Model) show(p played) finalbell.Match { return m.withGrants(p.show()) }

func (m *Model) replay(p played) finalbell.Match {
	shown := m.show(p)
	shown.Replayed = true
	return shown
}

// stateError is the refusal of a verb that the match's state does not allow.
func stateError(p played) error {
	switch p.match.State {
	case finalbell.Created:
		return refuse(finalbell.ErrNotStarted)
	case finalbell.Ended:
		return refuse(finalbell.ErrAlreadyEnded)
	case finalbell.Cancelled:
		return refuse(finalbell.ErrCancelled)
	case finalbell.Expired:
		return refuse(finalbell.ErrExpired)
	}
	return refuse(finalbell.ErrState)
}

func refuse(kind finalbell.Kind, ids ...string) error {
	return &finalbell.Error{Err: kind, IDs: ids}
}

// KindOf is the kind of an error from an engine or a model, empty for nil.
func KindOf(err error) finalbell.Kind {
	var kind finalbell.Kind
	errors.As(err, &kind)
	return kind
}
