package finalbell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// listener is a host whose hooks note what they hear, and refuse what they are told to.
type listener struct {
	mu      sync.Mutex
	now     time.Time
	heard   []string
	refuses func(id string) error
}

func newListener() *listener { return &listener{now: time.UnixMilli(0).UTC()} }

func (l *listener) hooks() Hooks {
	return Hooks{
		After:   func(_ context.Context, ev Event) error { return l.hear(ev.ID) },
		Release: func(_ context.Context, m Match) error { return l.hear("release " + m.ID + " " + string(m.State)) },
	}
}

func (l *listener) hear(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, id)
	if l.refuses != nil {
		return l.refuses(id)
	}
	return nil
}

// heardSince is what was heard since it was asked last.
func (l *listener) heardSince() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	heard := l.heard
	l.heard = nil
	return heard
}

// options are those of an engine that does nothing by itself.
func (l *listener) options() Options {
	return Options{Now: func() time.Time { return l.now }, Hooks: l.hooks()}
}

// tick lets time pass, and returns what was heard by the tick then.
func (l *listener) tick(t *testing.T, e *Engine, passed time.Duration) []string {
	t.Helper()
	l.heardSince()
	l.now = l.now.Add(passed)
	_, err := e.Tick(t.Context())
	require.NoError(t, err)
	return l.heardSince()
}

// ladderEnd are the events of an end of ann and bob, who were not on the ladder.
func ladderEnd(match string) []string {
	end := "end/" + match
	return []string{"create/" + match, "start/" + match, "release " + match + " ended", end, end + "#1", end + "#2", end + "#3"}
}

func TestHooksAreFedEveryEventInOrderByTick(t *testing.T) {
	host := newListener()
	e := engineOn(t, memory.New(), ladder(nil), host.options())
	play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	assert.Empty(t, host.heardSince(), "nothing is told inside the call")
	assert.Equal(t, ladderEnd("m1"), host.tick(t, e, 0))
	assert.Empty(t, host.tick(t, e, time.Hour), "once is enough")
	_, err := e.Create(t.Context(), NewMatch{ID: "m2", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	_, err = e.Cancel(t.Context(), "m2", "")
	require.NoError(t, err)
	assert.Equal(t, []string{"create/m2", "release m2 cancelled", "cancel/m2"}, host.tick(t, e, 0))
}

func TestTheOutboxBeginsWhereAStoreFirstMeetsAHookAndGoesOnEverAfter(t *testing.T) {
	s, host := memory.New(), newListener()
	quiet := Options{Now: func() time.Time { return host.now }}
	e := engineOn(t, kept{s}, ladder(nil), quiet)
	_, err := e.Create(t.Context(), NewMatch{ID: "before", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	e = again(t, e, s, ladder(nil), host.options()) // nothing is committed: it begins anew the next time
	e = again(t, e, s, ladder(nil), quiet)
	_, err = e.Create(t.Context(), NewMatch{ID: "still before", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	e = again(t, e, s, ladder(nil), host.options())
	_, err = e.Create(t.Context(), NewMatch{ID: "m1", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	e = again(t, e, s, ladder(nil), quiet)
	_, err = e.Create(t.Context(), NewMatch{ID: "m2", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	e = again(t, e, s, ladder(nil), host.options())
	assert.Equal(t, []string{"create/m1", "create/m2"}, host.tick(t, e, 0))
	e = again(t, e, s, ladder(nil), host.options())
	assert.Empty(t, host.tick(t, e, 0))
}

// What a hook does not take is tried again later and later, while other subjects go on and its own wait, and is given up
// in the end.
func TestWhatAHookRefusesIsTriedAgainWhileOtherSubjectsGoOn(t *testing.T) {
	host := newListener()
	e := engineOn(t, memory.New(), ladder(nil), host.options())
	host.refuses = func(id string) error {
		if id == "start/m1" {
			return errors.New("the queue is full")
		}
		return nil
	}
	play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	_, err := e.Create(t.Context(), NewMatch{ID: "m2", Mode: "duel", Players: Players("ann")})
	require.NoError(t, err)
	assert.Equal(t, []string{"create/m1", "start/m1", "create/m2"}, host.tick(t, e, 0))
	for attempt := 1; attempt < mostAttempts; attempt++ {
		wait := retryAfter(attempt)
		require.Empty(t, host.tick(t, e, wait-time.Millisecond), "attempt %d comes too early", attempt+1)
		heard := host.tick(t, e, time.Millisecond)
		if attempt+1 < mostAttempts {
			require.Equal(t, []string{"start/m1"}, heard)
			continue
		}
		require.Equal(t, append([]string{"start/m1"}, ladderEnd("m1")[2:]...), heard, "it is given up and the others come")
	}
	given := undelivered(t, e)
	require.Len(t, given, 1)
	assert.Equal(t, EventAfterFailed, given[0].Kind)
	assert.Equal(t, "start/m1", given[0].Subject)
	assert.JSONEq(t, `{"hook":"after","position":2,"problem":"the queue is full"}`, string(given[0].Body))
	host.refuses = nil
	assert.Empty(t, host.tick(t, e, time.Hour), "nobody is told of that: the hook that fails would hear of nothing else")
	require.NoError(t, e.ReplayEvents(t.Context(), 1))
	assert.Equal(t, append(ladderEnd("m1")[1:], "create/m2"), host.tick(t, e, 0))
	assert.Empty(t, undelivered(t, e))
}

func undelivered(t *testing.T, e *Engine) []Event {
	t.Helper()
	var all []Event
	for ev, err := range e.Undelivered(t.Context()) {
		require.NoError(t, err)
		all = append(all, ev)
	}
	return all
}

// What fails in the middle of what a commit brings goes on there, and a panic is a failure.
func TestWhatWasTakenOfACommitIsNotHandedOverAgain(t *testing.T) {
	host := newListener()
	e := engineOn(t, memory.New(), ladder(nil), host.options())
	host.refuses = func(id string) error {
		if id == "end/m1#2" {
			panic("oh")
		}
		return nil
	}
	play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	assert.Equal(t, ladderEnd("m1")[:6], host.tick(t, e, 0))
	host.refuses = nil
	assert.Equal(t, []string{"end/m1#2", "end/m1#3"}, host.tick(t, e, retryAfter(1)))
}

func TestAReplayIsRefusedForWhatIsNotThere(t *testing.T) {
	host := newListener()
	e := engineOn(t, memory.New(), ladder(nil), host.options())
	require.ErrorIs(t, e.ReplayEvents(t.Context(), 1), ErrInvalid)
	e = engineOn(t, memory.New(), ladder(nil), Options{})
	require.ErrorIs(t, e.ReplayEvents(t.Context(), 0), ErrState)
	_, err := New(t.Context(), memory.New(), ladder(nil), Options{Hooks: Hooks{Timeout: -1}})
	require.ErrorIs(t, err, ErrInvalid)
	_, err = New(t.Context(), memory.New(), ladder(nil), Options{Top: -1})
	require.ErrorIs(t, err, ErrInvalid)
}

// A replay holds after a crash too: it is durable when the call returns.
func TestAReplayOutlivesTheProcess(t *testing.T) {
	s, host := memory.New(), newListener()
	e := engineOn(t, kept{s}, ladder(nil), host.options())
	play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	require.NotEmpty(t, host.tick(t, e, 0))
	require.NoError(t, e.ReplayEvents(t.Context(), 0))
	e = engineOn(t, kept{s}, ladder(nil), host.options()) // without the close of the first
	heard := host.tick(t, e, 0)
	assert.Equal(t, ladderEnd("m1")[:4], heard[:4], "what followed on boards may have been lost")
}

// So many subjects may wait, and then nothing new is handed over.
func TestTheOutboxWaitsWhenTooMuchFails(t *testing.T) {
	host := newListener()
	e := engineOn(t, memory.New(), ladder(nil), host.options())
	host.refuses = func(string) error { return errors.New("down") }
	for i := range mostParked + 7 {
		_, err := e.Create(t.Context(), NewMatch{ID: fmt.Sprint("m", i), Mode: "duel", Players: Players("ann")})
		require.NoError(t, err)
	}
	assert.Len(t, host.tick(t, e, 0), mostParked)
	assert.Empty(t, host.tick(t, e, 0))
	host.refuses = nil
	assert.Len(t, host.tick(t, e, retryAfter(1)), mostParked+7)
	assert.Empty(t, host.tick(t, e, time.Hour))
}

// A worker of its own feeds the hooks; Close waits for the call that runs, and the hook may not close.
func TestAWorkerFeedsTheHooksByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host, s := newListener(), memory.New()
		var e *Engine
		host.refuses = func(id string) error {
			assert.ErrorIs(t, e.Close(), ErrRefused)
			_, err := e.Tick(context.Background())
			assert.ErrorIs(t, err, ErrRefused)
			return nil
		}
		e, err := New(t.Context(), kept{s}, ladder(nil), Options{Hooks: host.hooks()})
		require.NoError(t, err)
		play(t, e, "m1", Score("ann", 2), Score("bob", 1))
		synctest.Wait()
		assert.Equal(t, ladderEnd("m1"), host.heardSince())

		fails := 2
		host.refuses = func(id string) error {
			if fails--; fails >= 0 {
				return errors.New("not yet")
			}
			return nil
		}
		_, err = e.Create(t.Context(), NewMatch{ID: "m2", Mode: "duel", Players: Players("ann")})
		require.NoError(t, err)
		time.Sleep(retryAfter(1) + retryAfter(2) - time.Millisecond)
		synctest.Wait()
		assert.Equal(t, []string{"create/m2", "create/m2"}, host.heardSince())
		time.Sleep(time.Millisecond)
		synctest.Wait()
		assert.Equal(t, []string{"create/m2"}, host.heardSince())
		require.NoError(t, e.Close())

		e, err = New(t.Context(), kept{s}, ladder(nil), Options{Hooks: host.hooks()})
		require.NoError(t, err)
		synctest.Wait()
		assert.Empty(t, host.heardSince(), "where it stood was written by Close")
		require.NoError(t, e.Close())
	})
}

func TestAHookThatTakesTooLongIsToldSoAndWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		began, over := time.Now(), make(chan error, 100)
		hooks := Hooks{Timeout: 3 * time.Second, After: func(ctx context.Context, ev Event) error {
			<-ctx.Done()
			over <- ctx.Err()
			return ctx.Err()
		}}
		e, err := New(t.Context(), kept{s}, ladder(nil), Options{Hooks: hooks})
		require.NoError(t, err)
		_, err = e.Create(t.Context(), NewMatch{ID: "m1", Mode: "duel", Players: Players("ann")})
		require.NoError(t, err)
		require.ErrorIs(t, <-over, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(began))
		time.Sleep(retryAfter(1))
		synctest.Wait() // it runs again
		require.NoError(t, e.Close())
		require.ErrorIs(t, <-over, context.Canceled, "Close tells the one that runs, and has waited for it")
		assert.Less(t, time.Since(began), 10*time.Second)
		assert.Empty(t, over)
	})
}

// An idle engine wakes nobody: nothing is left to wait for but what ends it.
func TestAnIdleOutboxWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reads := &countingStore{Store: kept{memory.New()}}
		host := newListener()
		e, err := New(t.Context(), reads, ladder(nil), Options{Hooks: host.hooks()})
		require.NoError(t, err)
		_, err = e.Create(t.Context(), NewMatch{ID: "m1", Mode: "duel", Players: Players("ann")})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		settled := reads.count()
		time.Sleep(1000 * time.Hour)
		assert.Equal(t, settled, reads.count())
		require.NoError(t, e.Close())
	})
}

// countingStore counts the commits and the reads of settings and heads.
type countingStore struct {
	store.Store
	mu sync.Mutex
	n  int
}

func (s *countingStore) Commit(ctx context.Context, b store.Batch) error {
	s.mu.Lock()
	s.n++
	s.mu.Unlock()
	return s.Store.Commit(ctx, b)
}

func (s *countingStore) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// Nothing of a match of another id can have an id of what followed from this one.
func TestIDsOfEventsAreNeverTheSame(t *testing.T) {
	host := newListener()
	e := engineOn(t, memory.New(), ladder(nil), host.options())
	for _, id := range []string{"m", "m#1", "m#", "m##1", "m#1#1"} {
		play(t, e, id, Score("ann "+id, 2), Score("bob", 1))
	}
	heard := host.tick(t, e, 0)
	heard = slices.DeleteFunc(heard, func(id string) bool { return id[:3] == "rel" })
	slices.Sort(heard)
	assert.Len(t, slices.Compact(slices.Clone(heard)), len(heard))
}
