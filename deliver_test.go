package finalbell

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// postOffice is a host that delivers, or does not.
type postOffice struct {
	now    time.Time
	refuse error
	asked  []string // grants and their states, as they came
}

func (p *postOffice) options() Options {
	return Options{Now: func() time.Time { return p.now }, Hooks: Hooks{Deliver: func(_ context.Context, g Grant) error {
		p.asked = append(p.asked, g.ID+" "+string(g.State))
		return p.refuse
	}}}
}

// tick lets time pass and does what is due, and returns what the host was asked for.
func (p *postOffice) tick(t *testing.T, e *Engine, passed time.Duration) []string {
	t.Helper()
	p.now, p.asked = p.now.Add(passed), nil
	_, err := e.Tick(t.Context())
	require.NoError(t, err)
	return p.asked
}

func crates() Rules {
	return ladder(func(m *Mode) { m.Prizes = []Prize{{ID: "crate", From: 1, To: 1, Item: "crate", Amount: 2}} })
}

func grantNow(t *testing.T, e *Engine, id string) Grant {
	t.Helper()
	g, err := e.grant(t.Context(), id)
	require.NoError(t, err)
	return g
}

const annsCrate = "match/m1/crate/ann"

func TestAnItemIsPendingUntilTheHostHasDeliveredIt(t *testing.T) {
	host := &postOffice{now: time.UnixMilli(0).UTC()}
	e := engineOn(t, memory.New(), crates(), host.options())
	m := play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	require.Len(t, m.Standings[0].Grants, 1)
	assert.Equal(t, GrantPending, m.Standings[0].Grants[0].State)
	assert.Empty(t, host.asked, "nothing is delivered inside the call")
	_, err := e.Claim(t.Context(), "ann", annsCrate)
	require.ErrorIs(t, err, ErrState, "it is not to be claimed")
	assert.Equal(t, []string{annsCrate + " pending"}, host.tick(t, e, 0))
	g := grantNow(t, e, annsCrate)
	assert.Equal(t, GrantGranted, g.State)
	assert.EqualValues(t, 2, g.New)
	assert.Empty(t, host.tick(t, e, time.Hour), "once is enough")
	p, err := e.Progress(t.Context(), "ann")
	require.NoError(t, err)
	assert.Equal(t, map[string]int64{"crate": 2}, p.Items)
	v, err := e.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, v.Problems)
}

func TestADeliveryThatIsRefusedIsTriedAgainLaterAndLaterAndThenFails(t *testing.T) {
	host := &postOffice{now: time.UnixMilli(0).UTC(), refuse: errors.New("the warehouse is closed")}
	s := memory.New()
	e := engineOn(t, s, crates(), host.options())
	play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	require.Len(t, host.tick(t, e, 0), 1)
	for attempt := 1; attempt < mostAttempts; attempt++ {
		g := grantNow(t, e, annsCrate)
		require.Equal(t, GrantPending, g.State)
		require.Equal(t, attempt, g.Attempts)
		require.Equal(t, "the warehouse is closed", g.Problem)
		wait := retryAfter(attempt)
		require.Empty(t, host.tick(t, e, wait-time.Millisecond), "attempt %d comes too early", attempt+1)
		if attempt == 3 { // a restart forgets nothing
			e = again(t, e, s, crates(), host.options())
		}
		require.Len(t, host.tick(t, e, time.Millisecond), 1, "attempt %d", attempt+1)
	}
	require.Equal(t, GrantFailed, grantNow(t, e, annsCrate).State)
	require.Empty(t, host.tick(t, e, 1000*time.Hour))
	m, err := e.Match(t.Context(), "m1")
	require.NoError(t, err)
	assert.Equal(t, GrantFailed, m.Standings[0].Grants[0].State, "the match tells what its players did not get")
	assert.Equal(t, "the warehouse is closed", m.Standings[0].Grants[0].Problem)
	host.refuse = nil
	require.NoError(t, e.Redeliver(t.Context(), annsCrate))
	require.Len(t, host.tick(t, e, 0), 1)
	require.Equal(t, GrantGranted, grantNow(t, e, annsCrate).State)
	require.ErrorIs(t, e.Redeliver(t.Context(), annsCrate), ErrState)
	require.ErrorIs(t, e.Redeliver(t.Context(), "nothing"), ErrNotFound)
}

// again closes an engine, whose store stays open, and opens another one on it.
func again(t *testing.T, e *Engine, s *memory.Store, rules Rules, o Options) *Engine {
	t.Helper()
	e.committer.drain(errClosed)
	return engineOn(t, kept{s}, rules, o)
}

// kept is a store that does not close.
type kept struct{ store.Store }

func (kept) Close() error { return nil }

func TestAPanicOfTheDeliverHookIsAnAttemptThatFailed(t *testing.T) {
	now := time.UnixMilli(0).UTC()
	e := engineOn(t, memory.New(), crates(), Options{Now: func() time.Time { return now }, Hooks: Hooks{Deliver: func(context.Context, Grant) error { panic("oh") }}})
	play(t, e, "m1", Score("ann", 2), Score("bob", 1))
	_, err := e.Tick(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "panic: oh", grantNow(t, e, annsCrate).Problem)
}

func TestAnItemOfAVoidedMatchIsTakenBackByTheHost(t *testing.T) {
	for _, delivered := range []bool{true, false} {
		host := &postOffice{now: time.UnixMilli(0).UTC()}
		s := memory.New()
		e := engineOn(t, s, crates(), host.options())
		play(t, e, "m1", Score("ann", 2), Score("bob", 1))
		want := []string(nil)
		if delivered {
			require.Len(t, host.tick(t, e, 0), 1)
			want = []string{annsCrate + " revoked"}
		}
		_, err := e.Void(t.Context(), "m1", "a cheat")
		require.NoError(t, err)
		p, err := e.Progress(t.Context(), "ann")
		require.NoError(t, err)
		assert.Empty(t, p.Items)
		e = again(t, e, s, crates(), host.options())
		assert.Equal(t, want, host.tick(t, e, 0))
		assert.Equal(t, GrantRevoked, grantNow(t, e, annsCrate).State)
		assert.Empty(t, host.tick(t, e, time.Hour))
		v, err := e.Verify(t.Context())
		require.NoError(t, err)
		assert.Empty(t, v.Problems)
	}
}
