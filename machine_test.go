package finalbell_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"pgregory.net/rapid"
)

// Whatever is called, in whatever order, at whatever times, and however often again, an engine answers what
// the model answers, and so does another one that is opened on its data.
func TestAnEngineIsItsModel(t *testing.T) { isItsModel(t, finalbelltest.InMemory, 1) }

// isItsModel looks at everything after every so many steps, and at what is not over after all of them.
func isItsModel(t *testing.T, open finalbelltest.Opener, often int) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		m.game = finalbelltest.NewOn(t, open, m.rules, func(o *finalbell.Options) { o.Now = m.clock.Now })
		m.engine = m.game.Engine
		actions := m.actions()
		actions["reopen"] = func(t *rapid.T) { m.game.Reopen(t); m.engine = m.game.Engine }
		actions["another reopen"] = actions["reopen"]
		steps := 0
		actions[""] = func(t *rapid.T) {
			if steps++; steps%often == 0 {
				m.check(t)
			} else {
				m.checkOpen(t)
			}
		}
		t.Repeat(actions)
		m.check(t)
		m.verify(t)
	})
}

// actions are what every machine does.
func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create":       m.create,
		"start":        m.start,
		"report":       m.report,
		"end":          m.end,
		"cancel":       m.cancel,
		"play":         m.play,
		"play again":   m.play,
		"retry":        m.retry,
		"advance":      m.advance,
		"jump":         m.jump,
		"tick":         m.tick,
		"begin season": m.beginSeason,
		"close window": m.closeWindow,
		"hide":         m.hide,
		"restore":      m.restore,
		"in":           m.comeIn,
		"out":          m.goOut,
		"heartbeat":    m.beHere,
		"look":         m.look,
		"walk":         m.walk,
	}
}

// call is one call of a verb, which can be made again.
type call struct {
	id       string    // of the match
	then     string    // of the match that follows from it; empty: none
	room     string    // that it is in, if that is known
	at       time.Time // zero: now
	backfill bool
	revise   bool // it amends or voids
	engine   func(*finalbell.Engine) (finalbell.Match, error)
	model    func(*finalbelltest.Model) (finalbell.Match, error)
}

// machine makes the same calls of an engine and of a model.
type machine struct {
	rules    finalbell.Rules
	clock    *finalbelltest.Clock
	game     *finalbelltest.Game // nil if the store fails
	failing  *failing            // nil if it does not
	engine   *finalbell.Engine
	model    *finalbelltest.Model
	calls    []call
	ids      []string // of the matches that a create asked for
	seasons  int      // asked for
	sessions int      // asked for
	spent    int      // how often somebody spent everything
	// pick, if not nil, names the windows that are compared after a crash: in a long game all would be too many.
	pick func(board, window string) bool
}

func newMachine(t *rapid.T) *machine {
	m := &machine{
		rules: finalbelltest.Rules().Draw(t, "rules"),
		clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)),
	}
	m.model = finalbelltest.NewModel(m.rules, m.clock.Now)
	return m
}

// do makes a call of both and returns the match that both answer.
func (m *machine) do(t *rapid.T, c call) (finalbell.Match, error) {
	m.calls = append(m.calls, c)
	before := m.before()
	e, model := m.engine.At(c.at), m.model.At(c.at)
	if c.backfill {
		e, model = e.Backfill(), model.Backfill()
	}
	got, err := c.engine(e)
	want, wantErr := c.model(model)
	if m.failing != nil && m.failing.stopped(err) {
		m.settleIn(t, err, before, c.room, c.id, c.then)
		if rapid.Bool().Draw(t, "again") {
			return m.do(t, c)
		}
		return got, err
	}
	finalbelltest.RequireSame(t, got, err, want, wantErr)
	return got, err
}

// before is the model as it is now, if it may be needed again.
func (m *machine) before() *finalbelltest.Model {
	if m.failing == nil || !m.failing.armed() {
		return nil
	}
	return m.model.Clone()
}

// check holds the engine and its store against the model.
func (m *machine) check(t *rapid.T) {
	m.model.Require(t, m.engine)
	if m.game == nil {
		return
	}
	if head, err := m.game.Store.Head(context.Background()); err != nil || head != m.model.Head() {
		t.Fatalf("the store is at %v, %v, the model at %v", head, err, m.model.Head())
	}
}

// checkOpen holds the windows that are not over against the model.
func (m *machine) checkOpen(t *rapid.T) {
	open := make(map[[2]string]bool)
	for _, rule := range m.rules.Boards {
		windows, err := m.model.Board(rule.ID).Windows()
		if err != nil {
			t.Fatalf("the model's windows of board %s: %v", rule.ID, err)
		}
		for _, w := range windows {
			open[[2]string{rule.ID, w.ID}] = w.State != finalbell.WindowFinal
		}
	}
	m.model.RequireWindows(t, m.engine, func(board, window string) bool { return open[[2]string{board, window}] })
}

func (m *machine) create(t *rapid.T) {
	n := finalbelltest.NewMatch(m.rules).Draw(t, "match")
	n.ID = "m" + strconv.Itoa(len(m.ids)+1)
	if len(m.ids) > 0 && rapid.IntRange(1, 6).Draw(t, "id in use") == 6 {
		n.ID = rapid.SampledFrom(m.ids).Draw(t, "id")
	}
	if rapid.IntRange(1, 3).Draw(t, "deadline") == 3 {
		n.Deadline = m.clock.Now().Add(time.Duration(rapid.IntRange(-1, 5).Draw(t, "seconds")) * time.Second)
	}
	switch rapid.IntRange(0, 26).Draw(t, "wrong") {
	case 26:
		n.Attributes = map[string]string{"map": "tab\t"}
	case 25:
		n.Players = append([]finalbell.Participant{{Player: "gil", Team: "red", Attributes: map[string]string{"country": "d\x00"}}}, n.Players...)
	case 24:
		if m.failing == nil { // who does not know the id cannot try again with it
			n.ID = ""
		}
	case 23:
		n.Mode = "chess"
	case 22:
		n.Round = ""
	case 21:
		n.Players = append(n.Players, n.Players[0])
	case 20:
		n.Players = nil
	case 19:
		n.Players = append(slices.Clone(n.Players), finalbell.Participant{Player: "gil", Team: "red"}, finalbell.Participant{Player: "hal"})
	case 18:
		n.Room = "tab\t"
	case 17:
		n.Players = []finalbell.Participant{{Player: "ann", Team: "red"}, {Player: "bob", Team: "red"}, {Player: "cat", Team: "red"}, {Player: "dan", Team: "red"}}
	}
	m.ask(t, n, m.drawAt(t))
}

// ask creates a match.
func (m *machine) ask(t *rapid.T, n finalbell.NewMatch, at time.Time) (finalbell.Match, error) {
	c := call{
		id:     n.ID,
		room:   n.Room,
		at:     at,
		engine: func(e *finalbell.Engine) (finalbell.Match, error) { return e.Create(context.Background(), n) },
		model:  func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Create(n) },
	}
	created, err := m.do(t, c)
	if err == nil && !slices.Contains(m.ids, created.ID) {
		m.ids = append(m.ids, created.ID)
	}
	return created, err
}

func (m *machine) start(t *rapid.T) { m.begin(t, m.drawID(t), m.drawAt(t)) }

func (m *machine) begin(t *rapid.T, id string, at time.Time) {
	m.do(t, call{
		id:     id,
		at:     at,
		engine: func(e *finalbell.Engine) (finalbell.Match, error) { return e.Start(context.Background(), id) },
		model:  func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Start(id) },
	})
}

func (m *machine) report(t *rapid.T) {
	id := m.drawID(t)
	outcomes := m.drawOutcomes(t, id)
	if n := len(outcomes); n > 0 {
		outcomes = outcomes[:rapid.IntRange(0, n).Draw(t, "reported")] // live reports speak of some
	}
	m.do(t, call{
		id: id,
		at: m.drawAt(t),
		engine: func(e *finalbell.Engine) (finalbell.Match, error) {
			return e.Report(context.Background(), id, outcomes...)
		},
		model: func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Report(id, outcomes...) },
	})
}

func (m *machine) end(t *rapid.T) {
	id := m.drawID(t)
	m.finish(t, id, m.drawOutcomes(t, id), m.drawAt(t), rapid.IntRange(1, 5).Draw(t, "backfill") == 5)
}

func (m *machine) finish(t *rapid.T, id string, outcomes []finalbell.Outcome, at time.Time, backfill bool) (finalbell.Match, error) {
	return m.do(t, call{
		id:       id,
		at:       at,
		backfill: backfill,
		engine: func(e *finalbell.Engine) (finalbell.Match, error) {
			return e.End(context.Background(), id, outcomes...)
		},
		model: func(m *finalbelltest.Model) (finalbell.Match, error) { return m.End(id, outcomes...) },
	})
}

func (m *machine) cancel(t *rapid.T) {
	id := m.drawID(t)
	reason := rapid.SampledFrom([]string{"", "rain", "\xff"}).Draw(t, "reason")
	m.do(t, call{
		id:     id,
		at:     m.drawAt(t),
		engine: func(e *finalbell.Engine) (finalbell.Match, error) { return e.Cancel(context.Background(), id, reason) },
		model:  func(m *finalbelltest.Model) (finalbell.Match, error) { return m.Cancel(id, reason) },
	})
}

// play takes a match through its life, perhaps as of an instant before that of matches played earlier.
func (m *machine) play(t *rapid.T) {
	n := finalbelltest.NewMatch(m.rules).Draw(t, "match")
	n.ID = "m" + strconv.Itoa(len(m.ids)+1)
	at := m.clock.Now().Add(-m.drawAgo(t))
	if _, err := m.ask(t, n, at); err == nil {
		m.begin(t, n.ID, at)
		if rapid.IntRange(1, 4).Draw(t, "takes time") == 4 {
			at = m.clock.Now().Add(-m.drawAgo(t))
		}
		m.finish(t, n.ID, m.drawOutcomes(t, n.ID), at, rapid.IntRange(1, 5).Draw(t, "backfill") == 5)
	}
}

// retry makes an earlier call again.
func (m *machine) retry(t *rapid.T) {
	if len(m.calls) > 0 {
		if c := rapid.SampledFrom(m.calls).Draw(t, "call"); !c.revise || m.revisable(c.id) {
			m.do(t, c)
		}
	}
}

// advance moves the clock without a tick, sometimes back.
func (m *machine) advance(t *rapid.T) {
	m.clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, time.Second, 2 * time.Second, time.Nanosecond, -time.Second}).Draw(t, "step"))
}

func (m *machine) tick(t *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(0, 3).Draw(t, "seconds")) * time.Second)
	m.doDue(t)
}

// doDue ticks and returns what the model did.
func (m *machine) doDue(t *rapid.T) []finalbell.Done {
	before := m.before()
	done, err := m.engine.Tick(context.Background())
	want := m.model.Tick()
	if m.failing != nil && m.failing.stopped(err) {
		m.settleAmong(t, err, append([]*finalbelltest.Model{before}, before.Ticks()...)...)
		return want
	}
	if err != nil || !slices.Equal(done, want) {
		t.Fatalf("the tick did %v, %v, the model's %v", done, err, want)
	}
	return want
}

func (m *machine) verify(t *rapid.T) {
	found, err := m.engine.Verify(context.Background())
	if err != nil || len(found.Problems) > 0 {
		t.Fatalf("verify finds %+v, %v", found.Problems, err)
	}
}

// drawID draws the id of a match, or of none.
func (m *machine) drawID(t *rapid.T) string {
	return rapid.SampledFrom(append(slices.Clone(m.ids), "nope")).Draw(t, "id")
}

// drawAt draws the time of a step: mostly now, sometimes earlier, seldom one that is refused.
func (m *machine) drawAt(t *rapid.T) time.Time {
	now := m.clock.Now()
	switch rapid.IntRange(1, 8).Draw(t, "at") {
	case 6, 7:
		return now.Add(-m.drawAgo(t))
	case 8:
		return rapid.SampledFrom([]time.Time{now.Add(-time.Microsecond), now.Add(time.Second)}).Draw(t, "wrong time")
	}
	return time.Time{}
}

// drawAgo draws how long ago something was: mostly seconds, for deadlines, else so long that a window may be over.
func (m *machine) drawAgo(t *rapid.T) time.Duration {
	if rapid.IntRange(1, 3).Draw(t, "long ago") < 3 {
		return time.Duration(rapid.IntRange(0, 4).Draw(t, "seconds ago")) * time.Second
	}
	return time.Duration(rapid.IntRange(1, 12*24).Draw(t, "hours ago")) * time.Hour
}

// drawOutcomes draws a report of a match as it stands, mostly one that can be taken.
func (m *machine) drawOutcomes(t *rapid.T, id string) []finalbell.Outcome {
	match, err := m.model.Match(id)
	if err != nil {
		return finalbelltest.Outcomes(finalbell.Mode{}, finalbell.Players("ann")).Draw(t, "outcomes")
	}
	mode := m.rules.Modes[slices.IndexFunc(m.rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == match.Mode })]
	var roster []finalbell.Participant
	for _, s := range match.Standings {
		roster = append(roster, finalbell.Participant{Player: s.Player, Team: s.Team, Bot: s.Bot})
	}
	if rapid.IntRange(1, 4).Draw(t, "wrong") == 4 {
		return finalbelltest.WrongOutcomes(mode, roster).Draw(t, "wrong outcomes")
	}
	return finalbelltest.Outcomes(mode, roster).Draw(t, "outcomes")
}
