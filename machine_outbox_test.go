package finalbell_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
)

// However hooks fail and wherever the process ends, each event is handed over under one id, those of a match in order, and
// none is skipped; nothing from before the first hook comes.
func TestTheOutboxSkipsNothingWhereverTheProcessEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(timeless{t}, func(t *rapid.T) {
			m := newPost(t)
			t.Repeat(map[string]func(*rapid.T){
				"play": m.play, "play again": m.play, "cancel": m.cancel, "revise": m.revise, "credit": m.credit,
				"wait": m.wait, "fail": m.fail, "kill": m.kill, "close": m.reopen, "fault": m.arm, "replay": m.replay,
			})
			m.finish(t)
		})
	})
}

// timeless is a test without a deadline, which may not be asked for where time is not the machine's.
type timeless struct{ testing.TB }

// post is a host whose hook fails now and then, with an engine that ends now and then.
type post struct {
	rules   finalbell.Rules
	data    *memory.Store
	ticks   bool // the host calls Tick
	onward  bool // nothing is replayed, so that the order is plain
	engine  *finalbell.Engine
	matches int
	keys    int
	begin   uint64 // everything after it is to be heard of
	lowest  uint64 // and nothing up to here

	mu      sync.Mutex
	life    int
	writes  int // before the fault
	written bool
	random  *rand.Rand
	fails   int // in ten calls
	heard   []hearing
	replays []replay
}

// hearing is an event that the hook took.
type hearing struct {
	life     int
	id       string
	position uint64
	subject  string
	kind     finalbell.EventKind
}

// replay is that everything after a position, up to another, is to be heard once more.
type replay struct {
	after, upTo uint64
	from        int // hearings before it
}

func newPost(t *rapid.T) *post {
	m := &post{
		rules: finalbell.Rules{Currencies: []finalbell.Currency{{ID: "coins"}},
			Modes:  []finalbell.Mode{{ID: "duel", AutoStart: true, Boards: []string{"ladder"}}},
			Boards: []finalbell.BoardRule{{ID: "ladder", Keys: []finalbell.Key{{Metric: "outcome"}}}}},
		data: memory.New(), ticks: rapid.Bool().Draw(t, "ticks"), onward: rapid.Bool().Draw(t, "onward"), writes: -1,
		random: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), //nolint:gosec // a test
	}
	e, err := finalbell.New(context.Background(), m.data.Reopen(), m.rules, finalbell.Options{ManualTick: true})
	if err != nil {
		t.Fatal(err)
	}
	m.engine = e
	for range rapid.IntRange(0, 3).Draw(t, "before") {
		m.credit(t)
	}
	m.begin = m.head(t)
	m.lowest = m.begin
	m.reopen(t)
	return m
}

func (m *post) head(t *rapid.T) uint64 {
	head, err := m.data.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return head.Position
}

// open opens an engine for a new process.
func (m *post) open(t *rapid.T) {
	m.mu.Lock()
	m.life++
	m.writes = -1
	life := m.life
	m.mu.Unlock()
	s := faulty.New(m.data.Reopen(), func(c faulty.Call) faulty.Fault { return m.next(life, c) })
	e, err := finalbell.New(context.Background(), s, m.rules, finalbell.Options{ManualTick: m.ticks, Hooks: finalbell.Hooks{
		After: func(ctx context.Context, ev finalbell.Event) error { return m.hear(ctx, life, ev) },
	}})
	if err != nil {
		t.Fatal(err)
	}
	m.engine = e
}

func (m *post) next(life int, c faulty.Call) faulty.Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	if life != m.life {
		return faulty.Fault{Stop: true}
	}
	if c.Method != "Commit" || m.writes < 0 {
		return faulty.Fault{}
	}
	if m.writes--; m.writes >= 0 {
		return faulty.Fault{}
	}
	m.life++ // the process is gone
	return faulty.Fault{Stop: true, Done: m.written}
}

// hear is the hook.
func (m *post) hear(ctx context.Context, life int, ev finalbell.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if life != m.life {
		return errors.New("dead")
	}
	if m.random.IntN(10) < m.fails {
		switch m.random.IntN(3) {
		case 0:
			panic("oh")
		case 1:
			m.mu.Unlock()
			<-ctx.Done()
			m.mu.Lock()
			return ctx.Err()
		}
		return errors.New("no")
	}
	m.heard = append(m.heard, hearing{life, ev.ID, ev.Position, ev.Subject, ev.Kind})
	return nil
}

func (m *post) play(t *rapid.T) {
	m.matches++
	id := "m" + strconv.Itoa(m.matches)
	_, _ = m.engine.Create(context.Background(), finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann", "bob", "cid")})
	m.end(t, id, m.engine.End)
}

func (m *post) end(t *rapid.T, id string, end func(context.Context, string, ...finalbell.Outcome) (finalbell.Match, error)) {
	var outcomes []finalbell.Outcome
	for _, player := range []string{"ann", "bob", "cid"} {
		outcomes = append(outcomes, finalbell.Score(player, rapid.IntRange(-5, 9).Draw(t, player)))
	}
	_, _ = end(context.Background(), id, outcomes...)
}

func (m *post) cancel(t *rapid.T) {
	m.matches++
	id := "m" + strconv.Itoa(m.matches)
	_, _ = m.engine.Create(context.Background(), finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann")})
	_, _ = m.engine.Cancel(context.Background(), id, "")
}

func (m *post) revise(t *rapid.T) {
	id := "m" + strconv.Itoa(rapid.IntRange(1, max(1, m.matches)).Draw(t, "match"))
	if rapid.Bool().Draw(t, "void") {
		_, _ = m.engine.Void(context.Background(), id, "")
		return
	}
	m.end(t, id, func(ctx context.Context, id string, outcomes ...finalbell.Outcome) (finalbell.Match, error) {
		return m.engine.Amend(ctx, id, "", outcomes...)
	})
}

func (m *post) credit(t *rapid.T) {
	m.keys++
	_, _ = m.engine.Credit(context.Background(), finalbell.Money{Player: "ann", Currency: "coins", Amount: 1, Key: fmt.Sprint(m.keys)})
}

// wait lets time pass, in which what is soft is written and the worker works.
func (m *post) wait(t *rapid.T) {
	time.Sleep(time.Duration(rapid.IntRange(0, 4000).Draw(t, "milliseconds")) * time.Millisecond)
	if m.ticks {
		_, _ = m.engine.Tick(context.Background())
	}
	synctest.Wait()
}

// fail changes how often the hook fails.
func (m *post) fail(t *rapid.T) {
	fails := rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(t, "in ten")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = fails
}

// kill ends the process where it stands.
func (m *post) kill(t *rapid.T) {
	m.mu.Lock()
	m.life++
	m.mu.Unlock()
	m.reopen(t)
}

// reopen ends the process, as well as it can be, and begins another one.
func (m *post) reopen(t *rapid.T) {
	_ = m.engine.Close()
	m.open(t)
}

// arm lets the process end at a write to come.
func (m *post) arm(t *rapid.T) {
	writes, written := rapid.IntRange(0, 4).Draw(t, "writes before"), rapid.Bool().Draw(t, "written")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes, m.written = writes, written
}

func (m *post) replay(t *rapid.T) {
	if m.onward {
		return
	}
	head := m.head(t)
	after := rapid.Uint64Range(0, head).Draw(t, "after")
	m.mu.Lock()
	m.lowest = min(m.lowest, after)
	from := len(m.heard)
	m.mu.Unlock()
	if err := m.engine.ReplayEvents(context.Background(), after); err == nil {
		m.replays = append(m.replays, replay{after, head, from})
	}
}

// finish lets everything be handed over, and looks at what was.
func (m *post) finish(t *rapid.T) {
	m.mu.Lock()
	m.fails = 0
	m.mu.Unlock()
	m.kill(t)
	for range 3 {
		if m.ticks {
			if _, err := m.engine.Tick(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
	}
	dead := make(map[string]bool)
	for ev, err := range m.engine.Events(context.Background(), 0, finalbell.EventFilter{Kinds: []finalbell.EventKind{finalbell.EventAfterFailed}}) {
		if err != nil {
			t.Fatal(err)
		}
		dead[ev.Subject] = true
	}
	if err := m.engine.Close(); err != nil {
		t.Fatal(err)
	}
	m.checkIDs(t)
	m.checkOrder(t, dead)
	for r, err := range m.data.Events(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if kind := finalbell.EventKind(r.Kind); kind == finalbell.EventAfterFailed || kind == finalbell.EventEventsReplayed {
			continue
		}
		if r.Position > m.begin {
			m.checkHeard(t, r, 0, dead)
		}
		for _, again := range m.replays {
			if r.Position > again.after && r.Position <= again.upTo {
				m.checkHeard(t, r, again.from, dead)
			}
		}
	}
}

// checkHeard requires of a commit that it was heard of after so many hearings.
func (m *post) checkHeard(t *rapid.T, r store.Event, from int, dead map[string]bool) {
	for _, h := range m.heard[from:] {
		if h.id == r.Key {
			return
		}
	}
	if !dead[r.Key] {
		t.Fatalf("event %d, %s, was not heard of after %d of %d hearings", r.Position, r.Key, from, len(m.heard))
	}
}

// checkIDs requires that an id is always that of the same event.
func (m *post) checkIDs(t *rapid.T) {
	known := make(map[string]hearing)
	for _, h := range m.heard {
		was, there := known[h.id]
		if h.position <= m.lowest || there && (was.position != h.position || was.subject != h.subject || was.kind != h.kind) {
			t.Fatalf("heard %+v, allowed after %d; it was %+v", h, m.lowest, was)
		}
		known[h.id] = h
	}
}

// checkOrder requires that what is heard of a subject for the first time is later than all that was heard before, and the
// same of everything within one life.
func (m *post) checkOrder(t *rapid.T, dead map[string]bool) {
	if !m.onward {
		return
	}
	first, within := make(map[string]uint64), make(map[string]uint64)
	known := make(map[string]bool)
	life := 0
	for _, h := range m.heard {
		if h.life != life {
			life = h.life
			clear(within)
		}
		if !known[h.id] && h.position < first[h.subject] && !dead[h.id] {
			t.Fatalf("%+v is new, but position %d was heard of before", h, first[h.subject])
		}
		if h.position < within[h.subject] {
			t.Fatalf("%+v comes after position %d", h, within[h.subject])
		}
		known[h.id] = true
		first[h.subject] = max(first[h.subject], h.position)
		within[h.subject] = h.position
	}
}
