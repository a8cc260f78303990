package finalbell_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
	"pgregory.net/rapid"
)

// However the store fails, what was acknowledged is there once, what was refused is not there, and what was
// answered unknown is there whole or not at all; the same call again settles it.
func TestAFailingStoreLosesNothingAcknowledgedAndHalvesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		m.failing = &failing{data: memory.New()}
		t.Cleanup(func() { _ = m.engine.Close() })
		m.reopen(t)
		actions := m.actions()
		actions["kill"] = m.kill
		actions["failing open"] = m.failOpen
		actions["fault"] = m.arm
		actions["another"] = m.arm
		actions[""] = m.checkDurable
		t.Repeat(actions)
		m.failing.disarm()
		m.verify(t)
	})
}

var errDisk = errors.New("the disk is full")

// failing is a store in memory that fails as it is told. The fault is drawn before the call that meets it: the
// store is called from goroutines in which nothing may be drawn.
type failing struct {
	data *memory.Store

	mu     sync.Mutex
	life   int    // the process that runs now; nobody hears of the earlier ones
	method string // the call of which meets the fault
	before int    // calls of it that go well first
	fault  faulty.Fault
	fired  bool
	paused bool
}

// open returns a store on the same data for a new process.
func (f *failing) open() store.Store {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.life++
	life := f.life
	return faulty.New(f.data.Reopen(), func(c faulty.Call) faulty.Fault { return f.next(life, c) })
}

func (f *failing) next(life int, c faulty.Call) faulty.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	soft := c.Method == "Commit" && len(c.Batch.Commits) == 0 && !freezes(c.Batch) // comes when it likes
	switch {
	case life != f.life:
		return faulty.Fault{Stop: true}
	case f.paused || soft || c.Method != f.method:
		return faulty.Fault{}
	}
	if f.before--; f.before >= 0 {
		return faulty.Fault{}
	}
	f.method, f.fired = "", true
	return f.fault
}

// freezes reports whether a batch writes down the ranks of a window.
func freezes(b store.Batch) bool {
	return slices.ContainsFunc(b.Soft, func(r store.Record) bool {
		switch r.(type) {
		case store.Chunk, store.Window:
			return true
		}
		return false
	})
}

func (f *failing) arm(method string, before int, fault faulty.Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.method, f.before, f.fault, f.fired = method, before, fault, false
}

func (f *failing) disarm() { f.arm("", 0, faulty.Fault{}) }

// pause keeps the fault for later.
func (f *failing) pause(paused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = paused
}

// stopped reports whether err comes from the fault.
func (f *failing) stopped(err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := finalbelltest.KindOf(err)
	return f.fired && (kind == finalbell.ErrUnknown || kind == finalbell.ErrUnavailable)
}

// armed reports whether there is a fault to come, or one that nobody has dealt with.
func (f *failing) armed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.method != "" || f.fired
}

// hit reports whether a call met the fault.
func (f *failing) hit() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// arm chooses the fault of a call to come.
func (m *machine) arm(t *rapid.T) {
	method := rapid.SampledFrom([]string{"Commit", "Commit", "Commit", "Match", "Matches", "Entries", "Windows", "Chunks"}).Draw(t, "method")
	fault := faulty.Fault{Err: errDisk, Done: rapid.Bool().Draw(t, "done")}
	if method == "Commit" {
		fault.Stop = rapid.Bool().Draw(t, "stop")
	}
	m.failing.arm(method, rapid.IntRange(0, 3).Draw(t, "calls before"), fault)
}

// settle finds out what a call did that the store failed in: the engine is opened again if nothing more can be
// written, and the model becomes what fits, from nothing done over what was due for the ids to all done.
func (m *machine) settle(t *rapid.T, err error, before *finalbelltest.Model, ids ...string) {
	m.settleIn(t, err, before, "", ids...)
}

// settleIn is settle for a call that may touch a room.
func (m *machine) settleIn(t *rapid.T, err error, before *finalbelltest.Model, room string, ids ...string) {
	states := []*finalbelltest.Model{before}
	for _, id := range ids {
		states = append(states, before.Idlings(id)...)
		state := states[len(states)-1].Clone()
		if _, err := state.Match(id); err == nil {
			// Every verb does what is due first, and a Create with other content nothing else.
			_, _ = state.Create(finalbell.NewMatch{ID: id, Mode: m.rules.Modes[0].ID, Room: "nowhere", Round: "1"})
		}
		states = append(states, state)
	}
	state := states[len(states)-1].Clone()
	_, _ = state.Leave(room, "nobody") // does what is due for the room
	states = append(states, state)
	states = append(states, states[len(states)-1].Closings(m.model)...)
	m.settleAmong(t, err, append(states, m.model)...)
}

// settleAmong is settle for states that are known, of which the first is that before the call.
func (m *machine) settleAmong(t *rapid.T, err error, states ...*finalbelltest.Model) {
	m.failing.disarm()
	_, refused := m.engine.Cancel(context.Background(), "never made", "") // an id that no call draws
	stopped := finalbelltest.KindOf(refused) == finalbell.ErrUnavailable
	if !stopped && finalbelltest.KindOf(err) == finalbell.ErrUnknown {
		t.Fatalf("a write after one of unknown fate is answered %v", refused)
	}
	if stopped {
		if m.pick == nil {
			m.checkBoards(t, states[0].Clone())
		}
		m.reopen(t)
	}
	last := m.model
	if m.fits(t, stopped, states...) {
		return
	}
	t.Fatalf("after %v the engine is neither as before nor as after:\n%s", err, last.Diff(m.engine))
}

// checkBoards holds the boards of a stopped engine against the model: what nobody knows to be stored is not on
// them, and what is in memory can be read.
func (m *machine) checkBoards(t *rapid.T, model *finalbelltest.Model) {
	for _, rule := range m.rules.Boards {
		windows, err := model.Board(rule.ID).Windows()
		if err != nil {
			t.Fatalf("the model's windows of board %s: %v", rule.ID, err)
		}
		partitions := []string{""}
		if rule.Partition != nil {
			partitions = []string{"de", "dust"}
		}
		for _, w := range windows {
			for _, partition := range partitions {
				var want []string
				entries, err := model.Board(rule.ID).Window(w.ID).Partition(partition).Entries()
				if err != nil {
					t.Fatalf("the model's window %s of board %s: %v", w.ID, rule.ID, err)
				}
				for _, e := range entries {
					want = append(want, fmt.Sprint(e.Rank, " ", e.Player))
				}
				page, err := m.engine.Board(rule.ID).Window(w.ID).Partition(partition).Top(context.Background(), 1000)
				if finalbelltest.KindOf(err) == finalbell.ErrUnavailable && (w.State == finalbell.WindowFinal || len(want) == 0) {
					continue // it is in the store alone, if anywhere
				}
				if err != nil {
					t.Fatalf("a stopped engine reads window %s of board %s: %v", w.ID, rule.ID, err)
				}
				finalbelltest.RequireRanks(t, page, want...)
			}
		}
	}
}

// fits makes the model the first of the states that the engine and its store are in, once all have closed the windows
// that are due, as every read does. After a crash live reports and rank moves may be lost.
func (m *machine) fits(t *rapid.T, crashed bool, states ...*finalbelltest.Model) bool {
	for _, state := range states {
		if problem := state.DiffWindows(m.engine, func(string, string) bool { return false }); problem != "" && len(states) == 1 {
			t.Fatalf("%s", problem)
		}
	}
	head, err := m.failing.data.Head(context.Background())
	if err != nil {
		t.Fatalf("head: %v", err)
	}
	for _, state := range states {
		if state.Head() != head {
			continue
		}
		possible := true
		for got, err := range m.engine.Matches(context.Background(), finalbell.MatchFilter{}) {
			if err != nil {
				t.Fatalf("matches: %v", err)
			}
			possible = possible && (!crashed || state.Recover(got))
		}
		for got, err := range m.engine.Sessions(context.Background(), finalbell.SessionFilter{}) {
			if err != nil {
				t.Fatalf("sessions: %v", err)
			}
			possible = possible && (!crashed || state.RecoverSession(got))
		}
		if possible && m.same(state) {
			m.model = state
			return true
		}
	}
	return false
}

// same reports whether the engine is what a model is, as far as anybody looks.
func (m *machine) same(state *finalbelltest.Model) bool {
	if m.pick != nil {
		return state.DiffWindows(m.engine, m.pick) == ""
	}
	return state.Diff(m.engine) == ""
}

// kill ends the process where it stands.
func (m *machine) kill(t *rapid.T) {
	m.failing.disarm()
	m.reopen(t)
	if !m.fits(t, true, m.model) {
		t.Fatalf("after the process was killed the engine is not as before:\n%s", m.model.Diff(m.engine))
	}
}

// failOpen ends the process and lets the first attempt to open an engine fail.
func (m *machine) failOpen(t *rapid.T) {
	m.failing.arm(rapid.SampledFrom([]string{"Head", "Setting", "Matches", "Windows"}).Draw(t, "method"), 0, faulty.Fault{Err: errDisk})
	_, err := finalbell.New(context.Background(), m.failing.open(), m.rules, finalbell.Options{Now: m.clock.Now})
	if finalbelltest.KindOf(err) != finalbell.ErrUnavailable {
		t.Fatalf("open on a failing store: %v", err)
	}
	m.kill(t)
}

// reopen opens an engine for a new process.
func (m *machine) reopen(t *rapid.T) {
	e, err := finalbell.New(context.Background(), m.failing.open(), m.rules, finalbell.Options{Now: m.clock.Now})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	m.engine = e
}

// checkDurable checks without meeting the fault that is armed.
func (m *machine) checkDurable(t *rapid.T) {
	m.failing.pause(true)
	defer m.failing.pause(false)
	m.check(t)
	if head, err := m.failing.data.Head(context.Background()); err != nil || head != m.model.Head() {
		t.Fatalf("the store is at %v, %v, the model at %v", head, err, m.model.Head())
	}
}
