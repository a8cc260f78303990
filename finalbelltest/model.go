package finalbelltest

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
)

// Model is the engine written plainly: slices and maps, every rank counted, every entry folded from all
// results at every read. Its verbs take and return what the engine's do; an error of the model is a
// *finalbell.Error of the kind, without words. It knows no hooks. It is for one goroutine at a time.
type Model struct {
	*model
	at time.Time
}

type model struct {
	rules   finalbell.Rules
	now     func() time.Time
	head    store.Head      // how often something was written, and the latest time of it
	matches []played        // in the order of their creation; never changed, only replaced
	ended   int             // matches that have ended
	made    int             // ids given
	late    map[string]bool // refused reports that were kept
}

// played is a match with everything that was said of it.
type played struct {
	match   finalbell.Match // without standings
	content finalbell.NewMatch
	said    said                 // what was reported, live reports while it runs
	shown   []finalbell.Standing // in roster order
	order   int                  // 1 for the first match that ended
	report  string               // the report that ended it, in a form that is equal for equal ones
	before  []played             // the states since the last one that no crash takes back
}

// NewModel returns a model of an engine on an empty store, on the same clock.
func NewModel(rules finalbell.Rules, now func() time.Time) *Model {
	return &Model{model: &model{rules: rules, now: now, late: make(map[string]bool)}}
}

// At returns the same model for calls about something that happened at t.
func (m *Model) At(t time.Time) *Model { return &Model{model: m.model, at: t} }

// Clone returns a model that stands where m does and goes its own way from there.
func (m *Model) Clone() *Model {
	c := *m.model
	c.matches, c.late = slices.Clone(c.matches), maps.Clone(c.late)
	return &Model{model: &c, at: m.at}
}

// Create is Engine.Create. Without an id the match gets id-1, id-2 and so on, as under New.
func (m *Model) Create(n finalbell.NewMatch) (finalbell.Match, error) {
	if n.ID == "" {
		m.made++
		n.ID = "id-" + strconv.Itoa(m.made)
	}
	now, at, err := m.times(true)
	if err != nil || !m.wellFormed(n) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	if p, there := m.find(n.ID); there {
		p = m.doDue(p, now)
		if !sameContent(p.content, n) {
			return finalbell.Match{}, refuse(finalbell.ErrExists)
		}
		return p.replay(), nil
	}
	if !n.Deadline.IsZero() && !n.Deadline.After(at) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	var said said
	for _, p := range n.Players {
		said.seats = append(said.seats, finalbell.Standing{Player: p.Player, Team: p.Team, Bot: p.Bot})
	}
	if twice := repeated(said.seats, func(s finalbell.Standing) string { return s.Player }); twice != nil {
		return finalbell.Match{}, refuse(finalbell.ErrDuplicatePlayer, twice...)
	}
	if !fits(m.mode(n.Mode), said.seats) {
		return finalbell.Match{}, refuse(finalbell.ErrPlayers)
	}
	n.Players, n.Attributes, n.Deadline = slices.Clone(n.Players), maps.Clone(n.Attributes), n.Deadline.UTC()
	p := played{content: n, said: said, shown: said.seats, match: finalbell.Match{
		ID: n.ID, Mode: n.Mode, Room: n.Room, Round: n.Round, State: finalbell.Created, CreatedAt: at,
		Deadline: n.Deadline, Attributes: n.Attributes,
	}}
	m.matches = append(m.matches, p)
	m.wrote(now)
	return p.show(), nil
}

// Start is Engine.Start.
func (m *Model) Start(id string) (finalbell.Match, error) {
	p, now, at, err := m.load(id, true)
	if err != nil {
		return finalbell.Match{}, err
	}
	switch p.match.State {
	case finalbell.Started, finalbell.Ended:
		return p.replay(), nil
	case finalbell.Created:
	default:
		return finalbell.Match{}, stateError(p)
	}
	if at.Before(p.match.CreatedAt) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	p.match.State, p.match.StartedAt = finalbell.Started, at
	if busy := m.busy(p); busy != nil {
		return finalbell.Match{}, refuse(finalbell.ErrPlayers, busy...)
	}
	return m.write(p, now), nil
}

// Report is Engine.Report.
func (m *Model) Report(id string, outcomes ...finalbell.Outcome) (finalbell.Match, error) {
	p, now, _, err := m.load(id, false, outcomes...)
	if err != nil {
		return finalbell.Match{}, err
	}
	mode := m.mode(p.match.Mode)
	starts := p.match.State == finalbell.Created && mode.AutoStart
	if p.match.State != finalbell.Started && !starts {
		return finalbell.Match{}, stateError(p)
	}
	if len(outcomes) == 0 && !starts {
		return p.replay(), nil
	}
	before, sitting := append(slices.Clip(p.before), p), len(p.said.seats)
	if starts {
		p.match.State, p.match.StartedAt = finalbell.Started, now
	}
	if len(outcomes) > 0 {
		if p.said, err = lay(p.said, mode, outcomes, false); err != nil {
			return finalbell.Match{}, err
		}
		p.match.Provisional = true
		p.shown, p.match.Draw = standings(mode, p.said, true)
	}
	if busy := m.busy(p); busy != nil {
		return finalbell.Match{}, refuse(finalbell.ErrPlayers, busy...)
	}
	if starts || len(p.said.seats) > sitting {
		return m.write(p, now), nil
	}
	p.before = before
	m.put(p)
	return p.show(), nil
}

// End is Engine.End.
func (m *Model) End(id string, outcomes ...finalbell.Outcome) (finalbell.Match, error) {
	p, now, at, err := m.load(id, true, outcomes...)
	if err != nil {
		return finalbell.Match{}, err
	}
	mode, starts := m.mode(p.match.Mode), false
	switch {
	case p.match.State == finalbell.Started:
	case p.match.State == finalbell.Created && mode.AutoStart:
		if at.Before(p.match.CreatedAt) {
			return finalbell.Match{}, refuse(finalbell.ErrInvalid)
		}
		p.match.State, p.match.StartedAt, starts = finalbell.Started, at, true
	case p.match.State == finalbell.Ended:
		if said, err := lay(p.said.forgotten(), mode, outcomes, true); err == nil && said.text(mode) == p.report {
			return p.replay(), nil
		}
		return finalbell.Match{}, stateError(p)
	default:
		m.keepLate(p, now, outcomes)
		return finalbell.Match{}, stateError(p)
	}
	if at.Before(p.match.StartedAt) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	if p.said, err = lay(p.said.forgotten(), mode, outcomes, true); err != nil {
		return finalbell.Match{}, err
	}
	p.match.State, p.match.EndedAt = finalbell.Ended, at
	p.match.Provisional, p.match.Draw = false, false
	p.match.NoContest = len(outcomes) == 0
	p.report, p.order = p.said.text(mode), m.ended+1
	p.shown = p.said.seats
	if !p.match.NoContest {
		p.shown, p.match.Draw = standings(mode, p.said, false)
		if mode.Ranks != finalbell.AcceptRanks && !asExpected(p.shown, p.said.ranks) {
			return finalbell.Match{}, refuse(finalbell.ErrOutcome)
		}
	}
	if busy := m.busy(p); starts && busy != nil {
		return finalbell.Match{}, refuse(finalbell.ErrPlayers, busy...)
	}
	if !p.match.NoContest {
		if p.shown, err = m.withBoards(p); err != nil {
			return finalbell.Match{}, err
		}
	}
	m.ended++
	return m.write(p, now), nil
}

// Cancel is Engine.Cancel.
func (m *Model) Cancel(id, reason string) (finalbell.Match, error) {
	if len(reason) > 1024 || !utf8.ValidString(reason) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	p, now, _, err := m.load(id, false)
	if err != nil {
		return finalbell.Match{}, err
	}
	switch p.match.State {
	case finalbell.Cancelled:
		return p.replay(), nil
	case finalbell.Created, finalbell.Started:
	default:
		return finalbell.Match{}, stateError(p)
	}
	p.match.State, p.match.EndedAt, p.match.Reason = finalbell.Cancelled, now, reason
	return m.write(p.abandoned(), now), nil
}

// Tick is Engine.Tick.
func (m *Model) Tick() []finalbell.Done {
	now := m.clock()
	var done []finalbell.Done
	for _, p := range m.matches {
		if due, there := m.deadline(p); there && !due.After(now) {
			done = append(done, finalbell.Done{Kind: "expire", ID: p.match.ID, Due: due})
		}
	}
	slices.SortFunc(done, func(a, b finalbell.Done) int {
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	for _, d := range done {
		p, _ := m.find(d.ID)
		m.doDue(p, now)
	}
	return done
}

// Match is Engine.Match.
func (m *Model) Match(id string) (finalbell.Match, error) {
	p, there := m.find(id)
	if !there {
		return finalbell.Match{}, refuse(finalbell.ErrNotFound)
	}
	return p.show(), nil
}

// Matches returns every match in the order of creation.
func (m *Model) Matches() []finalbell.Match {
	var all []finalbell.Match
	for _, p := range m.matches {
		all = append(all, p.show())
	}
	return all
}

// Recover tells the model what the engine has of a match after a crash, in which live reports and rank moves
// may be lost. It returns false for what no crash could leave.
func (m *Model) Recover(got finalbell.Match) bool {
	p, there := m.find(got.ID)
	if !there {
		return false
	}
	p.shown = movesLost(p.shown, got)
	for _, state := range append(slices.Clip(p.before), p) {
		if sameMatch(got, state.show()) {
			state.before = nil
			m.put(state)
			return true
		}
	}
	return false
}

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
	return m.doDue(p, now), now, at, nil
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
	i := slices.IndexFunc(m.matches, func(p played) bool { return p.match.ID == id })
	if i < 0 {
		return played{}, false
	}
	return m.matches[i], true
}

// write puts a match that no crash takes back.
func (m *Model) write(p played, at time.Time) finalbell.Match {
	p.before = nil
	m.put(p)
	m.wrote(at)
	return p.show()
}

func (m *Model) put(p played) {
	i := slices.IndexFunc(m.matches, func(q played) bool { return q.match.ID == p.match.ID })
	m.matches[i] = p
}

// doDue closes a match whose deadline has passed.
func (m *Model) doDue(p played, now time.Time) played {
	due, there := m.deadline(p)
	if !there || due.After(now) {
		return p
	}
	p.match.State, p.match.EndedAt = finalbell.Expired, due
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
	for name, value := range n.Attributes {
		good = good && validID(name) && len(value) <= 1024 && utf8.ValidString(value)
	}
	return good && len(n.Attributes) <= 64 && len(n.Players) <= 10_000
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

// show is the match as it is given away.
func (p played) show() finalbell.Match {
	shown := p.match
	shown.Standings = slices.Clone(p.shown)
	slices.SortStableFunc(shown.Standings, func(a, b finalbell.Standing) int { return a.Position - b.Position })
	return shown
}

func (p played) replay() finalbell.Match {
	shown := p.show()
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
