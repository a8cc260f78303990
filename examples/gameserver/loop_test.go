package main

import (
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
)

func engineOn(t *testing.T, s store.Store, options finalbell.Options) *finalbell.Engine {
	t.Helper()
	rules, err := finalbell.ParseRules(rulesText)
	require.NoError(t, err)
	e, err := finalbell.New(t.Context(), s, rules, options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// serverOn is a server of which the test makes every step.
func serverOn(t *testing.T, e *finalbell.Engine, arenas int) *server {
	t.Helper()
	v := newServer(e, setup{arenas: arenas}, io.Discard, quiet)
	require.NoError(t, v.takeUp(t.Context(), arenas))
	v.employ(t.Context())
	return v
}

// steps until what is awaited has come.
func (v *server) steps(t *testing.T, until func() bool) {
	t.Helper()
	for !until() {
		require.NoError(t, v.step())
		runtime.Gosched() // to the clerks
	}
}

// stops lets what is on its way finish, and checks what was written.
func (v *server) stops(t *testing.T) {
	t.Helper()
	require.NoError(t, v.windDown(nil))
	found, err := v.engine.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
}

// The loop ticks on while the disk does not answer.
func TestNoTickWaitsForTheDisk(t *testing.T) {
	stuck, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	next := faulty.On("Commit", 40, faulty.Fault{Wait: func() { close(stuck); <-released }})
	v := serverOn(t, engineOn(t, faulty.New(memory.New(), next), finalbell.Options{ManualTick: true}), 2)
	v.steps(t, func() bool {
		select {
		case <-stuck:
			return true
		default:
			return false
		}
	})
	late := time.AfterFunc(time.Minute, release) // so that a loop that waits fails and does not hang
	for range 10 * matchTicks {
		require.NoError(t, v.step())
	}
	require.True(t, late.Stop(), "the loop has waited")
	ended := v.ended
	release()
	v.steps(t, func() bool { return v.ended > ended+2 })
	v.stops(t)
}

// Who was dismissed because they have waited too long is back in the room at once, and no match lacks anybody.
func TestWhoIsDismissedComesAgain(t *testing.T) {
	e := engineOn(t, memory.New(), finalbell.Options{ManualTick: true})
	v := serverOn(t, e, 2)
	dismissed := 0
	v.steps(t, func() bool {
		if v.tick%100 > 0 {
			return false
		}
		r, err := e.Dismiss(t.Context(), "arena-1", "waited too long")
		if err == nil && !r.Replayed {
			dismissed++
		} else if err != nil {
			require.ErrorIs(t, err, finalbell.ErrState)
		}
		for _, a := range v.arenas {
			if a.game != nil && !a.busy {
				require.Len(t, a.game.runners, len(a.members))
			}
		}
		return v.ended >= 6 && dismissed >= 3
	})
	v.stops(t)
}

// Those whom the engine has dismissed, of which nobody tells the loop, are found out when their match is to be made.
func TestAllAreDismissed(t *testing.T) {
	e := engineOn(t, memory.New(), finalbell.Options{ManualTick: true})
	v := serverOn(t, e, 1)
	v.players = v.players[:most-1] // nobody comes after them
	a := v.arenas[0]
	v.steps(t, func() bool { return len(a.members) == most-1 && a.allHere() })
	r, err := e.Dismiss(t.Context(), a.room, "waited too long")
	require.NoError(t, err)
	require.False(t, r.Replayed)
	v.steps(t, func() bool { return a.game != nil })
	require.Len(t, a.game.runners, most-1)
	v.stops(t)
}

// A match that was made but not started when the process died starts with the next one.
func TestAMatchThatWasOnlyMadeIsStarted(t *testing.T) {
	e := engineOn(t, memory.New(), finalbell.Options{ManualTick: true})
	first := serverOn(t, e, 1)
	require.NoError(t, first.windDown(nil))
	for _, player := range []string{"ada", "zoe"} { // zoe plays no more, but is in the room
		_, err := e.Join(t.Context(), "arena-1", finalbell.Participant{Player: player})
		require.NoError(t, err)
	}
	_, err := e.Create(t.Context(), finalbell.NewMatch{ID: "arena-1-1", Room: "arena-1"})
	require.NoError(t, err)
	v := serverOn(t, e, 1)
	m, err := e.Match(t.Context(), "arena-1-1")
	require.NoError(t, err)
	require.Equal(t, finalbell.Started, m.State)
	v.steps(t, func() bool { return v.ended >= 2 })
	v.stops(t)
	for _, id := range []string{"arena-1-1", "arena-1-2"} {
		m, err := e.Match(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, finalbell.Ended, m.State)
	}
}

// After the machine has slept for hours the matches have expired and the sessions are idle; the arenas go on.
func TestAfterALongSleep(t *testing.T) {
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	e := engineOn(t, memory.New(), finalbell.Options{Now: clock.Now})
	v := serverOn(t, e, 1)
	v.steps(t, func() bool { return v.arenas[0].game != nil })
	slept := v.arenas[0].game.match
	clock.Advance(2 * time.Hour)
	v.steps(t, func() bool { return v.ended >= 2 })
	v.stops(t)
	m, err := e.Match(t.Context(), slept)
	require.NoError(t, err)
	require.Equal(t, finalbell.Expired, m.State)
}
