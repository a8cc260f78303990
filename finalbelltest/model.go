package finalbelltest

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// Model is the engine written plainly: slices and maps, every rank counted, every entry folded from all
// results at every read. Its verbs take and return what the engine's do; an error of the model is a
// *finalbell.Error of the kind, without words. It knows no hooks. It is for one goroutine at a time.
type Model struct {
	*model
	at       time.Time
	backfill bool
}

type model struct {
	rules   finalbell.Rules
	now     func() time.Time
	head    store.Head      // how often something was written, and the latest time of it
	matches []played        // in the order of their creation; never changed, only replaced
	ended   int             // matches that have ended
	made    int             // ids given
	late    map[string]bool // refused reports that were kept

	calendars map[string]*schedule.Schedule   // by board; nil for seasons that calls begin
	seasons   map[string][]schedule.Window    // by board, in the order in which they were begun
	results   map[string]map[string][]brought // by board and window, what counts there, in the order of ending
	closed    map[windowName]bool
	closings  []closing
	hidden    map[place]string // why
	shows     int              // hides and restores so far
	found     map[string]int   // where matches are in the list, checked before use and so shared by clones

	moved    []movement          // all money that ever went anywhere, in order
	paid     map[string]movement // by the key of the call
	grants   []finalbell.Grant   // in the order in which they were made first
	gone     map[place]bool      // entries that have lost results to matches that were taken back
	sessions []attended          // in the order of their creation
	rooms    []finalbell.Room    // in the order in which they were opened
	*workings
}

// played is a match with everything that was said of it.
type played struct {
	match   finalbell.Match // without standings
	content finalbell.NewMatch
	said    said                 // what was reported, live reports while it runs
	shown   []finalbell.Standing // in roster order
	order   int                  // 1 for the first match that ended
	report  string               // the report that ended it, in a form that is equal for equal ones
	windows map[string]string    // by board, in which it counts once it has ended
	before  []played             // the states since the last one that no crash takes back
}

// NewModel returns a model of an engine on an empty store, on the same clock.
func NewModel(rules finalbell.Rules, now func() time.Time) *Model {
	m := &model{rules: rules, now: now, late: make(map[string]bool), calendars: make(map[string]*schedule.Schedule),
		seasons: make(map[string][]schedule.Window), results: make(map[string]map[string][]brought),
		closed: make(map[windowName]bool), hidden: make(map[place]string), found: make(map[string]int), workings: newWorkings(),
		paid: make(map[string]movement), gone: make(map[place]bool)}
	for _, b := range rules.Boards {
		m.calendars[b.ID] = calendar(b.Window)
		m.results[b.ID] = make(map[string][]brought)
	}
	return &Model{model: m}
}

// At returns the same model for calls about something that happened at t.
func (m *Model) At(t time.Time) *Model { return &Model{model: m.model, at: t, backfill: m.backfill} }

// Backfill returns the same model for bringing in matches that were played before.
func (m *Model) Backfill() *Model { return &Model{model: m.model, at: m.at, backfill: true} }

// Clone returns a model that stands where m does and goes its own way from there.
func (m *Model) Clone() *Model {
	c := *m.model
	c.matches, c.late, c.workings = slices.Clone(c.matches), maps.Clone(c.late), newWorkings()
	c.closings, c.grants, c.moved = slices.Clone(c.closings), slices.Clone(c.grants), slices.Clip(c.moved)
	c.sessions = slices.Clone(c.sessions)
	c.paid, c.gone, c.rooms = maps.Clone(c.paid), maps.Clone(c.gone), slices.Clone(c.rooms)
	c.closed, c.hidden, c.seasons = maps.Clone(c.closed), maps.Clone(c.hidden), maps.Clone(c.seasons)
	c.results = make(map[string]map[string][]brought)
	for board, windows := range m.results {
		c.results[board] = maps.Clone(windows)
	}
	return &Model{model: &c, at: m.at, backfill: m.backfill}
}

// Create is Engine.Create. Without an id the match gets id-1, id-2 and so on, as under New.
func (m *Model) Create(n finalbell.NewMatch) (finalbell.Match, error) {
	if n.ID == "" {
		m.made++
		n.ID = "id-" + strconv.Itoa(m.made)
	}
	return m.create(n, false)
}

// create makes a match with an id.
func (m *Model) create(n finalbell.NewMatch, rematch bool) (finalbell.Match, error) {
	now, at, err := m.times(true)
	complete := n
	room, opened := m.room(n.Room)
	if opened && n.Mode == "" {
		complete.Mode = room.Mode
	}
	if err != nil || !m.wellFormed(complete) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	if p, there := m.find(n.ID); there {
		p = m.allDue(p, now)
		if opened {
			n = leftOpen(n, p.content, rematch)
		}
		if !sameContent(p.content, n) {
			return finalbell.Match{}, refuse(finalbell.ErrExists)
		}
		return m.replay(p), nil
	}
	if opened {
		m.doRoomDue(n.Room, now)
		room, _ = m.room(n.Room)
		if n, err = m.fill(room, n, rematch); err != nil {
			return finalbell.Match{}, err
		}
	}
	if !n.Deadline.IsZero() && !n.Deadline.After(at) {
		return finalbell.Match{}, refuse(finalbell.ErrInvalid)
	}
	said := said{seats: seatsOf(n.Players)}
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
	if opened {
		m.occupy(room, p)
	}
	m.holdFees(p)
	m.wrote(now)
	return m.show(p), nil
}

// Start is Engine.Start.
func (m *Model) Start(id string) (finalbell.Match, error) {
	p, now, at, err := m.load(id, true)
	if err != nil {
		return finalbell.Match{}, err
	}
	switch p.match.State {
	case finalbell.Started, finalbell.Ended:
		return m.replay(p), nil
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
	if err := m.takeFees(p, now); err != nil {
		return finalbell.Match{}, err
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
		return m.replay(p), nil
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
		if err := m.takeFees(p, now); err != nil {
			return finalbell.Match{}, err
		}
		return m.write(p, now), nil
	}
	p.before = before
	m.put(p)
	return m.show(p), nil
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
	case p.match.State == finalbell.Ended || p.match.State == finalbell.Voided:
		if said, err := lay(p.said.forgotten(), mode, outcomes, true); err == nil && said.text(mode) == p.report {
			return m.replay(p), nil
		}
		return finalbell.Match{}, refuse(finalbell.ErrAlreadyEnded)
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
	if !p.match.NoContest && !m.backfill {
		m.closeBefore(p, now)
	}
	if busy := m.busy(p); starts && busy != nil {
		return finalbell.Match{}, refuse(finalbell.ErrPlayers, busy...)
	}
	p.windows = m.windowsOf(p)
	shares, ok := m.shares(p)
	if !ok {
		return finalbell.Match{}, refuse(finalbell.ErrOutcome)
	}
	if err := m.takeFees(p, now); err != nil {
		return finalbell.Match{}, err
	}
	p.shown = m.settle(p, shares, m.results)
	p.shown = m.summarised(p)
	m.ended++
	m.put(p)
	m.reward(p, now)
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
		return m.replay(p), nil
	case finalbell.Created, finalbell.Started:
	default:
		return finalbell.Match{}, stateError(p)
	}
	p.match.State, p.match.EndedAt, p.match.Reason = finalbell.Cancelled, now, reason
	m.giveBack(p)
	return m.write(p.abandoned(), now), nil
}

// Tick is Engine.Tick. What it does may make more due.
func (m *Model) Tick() []finalbell.Done {
	var done []finalbell.Done
	for now := m.clock(); ; {
		d, any := m.step(now)
		if !any {
			return done
		}
		done = append(done, d)
	}
}

// Ticks are the models between m and what Tick makes of it: its engine does each thing in a commit of its own.
func (m *Model) Ticks() []*Model {
	var between []*Model
	for now := m.clock(); ; {
		next := m.Clone()
		if _, any := next.step(now); !any {
			return between
		}
		between, m = append(between, next), next
	}
}

// step does the earliest thing that is due.
func (m *Model) step(now time.Time) (finalbell.Done, bool) {
	next, do := m.isNext(now)
	if do != nil {
		do()
	}
	return next, do != nil
}

// isNext is the earliest thing that is due, and how it is done.
func (m *Model) isNext(now time.Time) (next finalbell.Done, do func()) {
	consider := func(d finalbell.Done, does func()) {
		if do == nil || compareDone(d, next) < 0 {
			next, do = d, does
		}
	}
	for _, p := range m.matches {
		if due, there := m.deadline(p); there && !due.After(now) {
			consider(finalbell.Done{Kind: "expire", ID: p.match.ID, Due: due}, func() { m.doDue(p, now) })
		}
	}
	for _, board := range m.rules.Boards {
		for _, w := range m.dueWindows(board, now) {
			due := m.due(board, w)
			consider(finalbell.Done{Kind: "close", ID: doneID(board.ID, w.ID), Due: due}, func() { m.close(windowName{board.ID, w.ID}, due) })
		}
	}
	for _, s := range m.sessions {
		if due, idles := m.idleDue(s); idles && !due.After(now) {
			consider(finalbell.Done{Kind: "idle", ID: s.ID, Due: due}, func() { m.idle(s.ID) })
		}
	}
	for _, r := range m.rooms {
		if !r.Deadline.IsZero() && !r.Deadline.After(now) {
			consider(finalbell.Done{Kind: "dismiss", ID: r.ID, Due: r.Deadline}, func() { m.doRoomDue(r.ID, now) })
		}
	}
	for _, g := range m.grants {
		if lapses(g, now) {
			consider(finalbell.Done{Kind: "lapse", ID: g.ID, Due: g.Expires}, func() { m.lapse(g) })
		}
	}
	return next, do
}

func compareDone(a, b finalbell.Done) int {
	return cmp.Or(a.Due.Compare(b.Due), strings.Compare(a.ID, b.ID), strings.Compare(a.Kind, b.Kind))
}

// Match is Engine.Match.
func (m *Model) Match(id string) (finalbell.Match, error) {
	p, there := m.find(id)
	if !there {
		return finalbell.Match{}, refuse(finalbell.ErrNotFound)
	}
	return m.show(p), nil
}

// Matches returns every match in the order of creation.
func (m *Model) Matches() []finalbell.Match {
	var all []finalbell.Match
	for _, p := range m.matches {
		all = append(all, m.show(p))
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
		if sameMatch(got, m.show(state)) {
			state.before = nil
			m.put(state)
			return true
		}
	}
	return false
}

// Closings are the models between m and what became of it by one verb: its engine closes windows, each in a commit of
// its own, before it does anything else.
func (m *Model) Closings(after *Model) []*Model {
	var between []*Model
	last := m
	for _, c := range after.closings[min(len(m.closings), len(after.closings)):] {
		last = last.Clone()
		last.close(c.name, c.at)
		between = append(between, last)
	}
	return between
}
