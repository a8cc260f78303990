// Package finalbelltest is for the tests of programs that run matches with finalbell.
//
// New gives a test an engine of its own, on a clock that the test sets. Rules, Roster, Outcomes and the other
// generators make what an engine can be asked to do, for pgregory.net/rapid. Model says what it should answer:
// it is the same engine written in the plainest way, slow and without anything kept, and Require holds an
// engine against it: matches, boards, money, grants and progress. Economy draws rules with money.
//
//	rapid.Check(t, func(t *rapid.T) {
//		rules := finalbelltest.Rules().Draw(t, "rules")
//		game := finalbelltest.New(t, rules)
//		model := finalbelltest.NewModel(rules, game.Clock.Now)
//		...
//		model.Require(t, game.Engine)
//	})
package finalbelltest

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// TB is what this package needs of a test; *testing.T, *testing.B and *rapid.T have it.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Game is an engine with what it runs on.
type Game struct {
	Engine *finalbell.Engine
	Clock  *Clock
	Store  store.Store     // the engine's; another one after each Reopen
	Rules  finalbell.Rules // by which Reopen opens it; a test that rebuilds boards sets them

	reopen  Opener
	options finalbell.Options
	made    atomic.Int64
}

// Opener gives a game its stores: an empty one for nil, and for one that was closed another on the same data.
type Opener func(closed store.Store) (store.Store, error)

// InMemory opens stores in memory.
func InMemory(closed store.Store) (store.Store, error) {
	if s, ok := closed.(*memory.Store); ok {
		return s.Reopen(), nil
	}
	return memory.New(), nil
}

// New opens an engine on an empty store in memory, and closes it when the test is over. Its clock stands at
// 2026-03-02T09:00:00Z until the test moves it, what is due waits for Tick, and matches that come without an
// id get id-1, id-2 and so on. Each option may change any of that.
func New(t TB, rules finalbell.Rules, options ...func(*finalbell.Options)) *Game {
	t.Helper()
	return NewOn(t, InMemory, rules, options...)
}

// NewOn is New on stores of another kind.
func NewOn(t TB, open Opener, rules finalbell.Rules, options ...func(*finalbell.Options)) *Game {
	t.Helper()
	g := &Game{Clock: NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), reopen: open, Rules: rules}
	g.options = finalbell.Options{Now: g.Clock.Now, NewID: g.newID}
	for _, change := range options {
		change(&g.options)
	}
	g.open(t)
	t.Cleanup(func() { _ = g.Engine.Close() }) // a test that failed on the engine has said so
	return g
}

// Reopen closes the engine and opens another one on the same data, as a restart of the program would.
func (g *Game) Reopen(t TB) {
	t.Helper()
	if err := g.Engine.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	g.open(t)
}

func (g *Game) open(t TB) {
	t.Helper()
	s, err := g.reopen(g.Store)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	g.Store = s
	if g.Engine, err = finalbell.New(context.Background(), s, g.Rules, g.options); err != nil {
		t.Fatalf("open: %v", err)
	}
}

func (g *Game) newID() string {
	return "id-" + strconv.FormatInt(g.made.Add(1), 10)
}

// Clock is a clock that stands still until it is set. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at t.
func NewClock(t time.Time) *Clock { return &Clock{now: t} }

// Now is the time at which the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, back if d is negative, and returns its new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Set puts the clock at t.
func (c *Clock) Set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}
