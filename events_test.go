package finalbell_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
)

// cups are duels on two boards, in two modes.
func cups() finalbell.Rules {
	return finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "coins"}},
		Modes:      []finalbell.Mode{{ID: "duel", AutoStart: true, Boards: []string{"ladder", "best"}}, {ID: "cup", AutoStart: true, Boards: []string{"best"}}},
		Boards: []finalbell.BoardRule{
			{ID: "ladder", Keys: []finalbell.Key{{Metric: "outcome"}}},
			{ID: "best", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}}},
		},
	}
}

// anything does something that makes events.
func anything(t *rapid.T, e *finalbell.Engine, n int) {
	ctx := context.Background()
	id := "m" + strconv.Itoa(rapid.IntRange(1, max(1, n)).Draw(t, "match"))
	var outcomes []finalbell.Outcome
	for _, player := range []string{"ann", "bob", "cid"} {
		outcomes = append(outcomes, finalbell.Score(player, rapid.IntRange(-5, 9).Draw(t, player)))
	}
	switch rapid.IntRange(0, 6).Draw(t, "what") {
	case 0:
		_, _ = e.Void(ctx, id, "")
	case 1:
		_, _ = e.Amend(ctx, id, "", outcomes...)
	case 2:
		_, _ = e.Credit(ctx, finalbell.Money{Player: "ann", Currency: "coins", Amount: 1, Key: fmt.Sprint(n)})
	case 3:
		_ = e.Board("ladder").Hide(ctx, rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "whom"), "cheated")
	case 4:
		_, _ = e.Cancel(ctx, id, "")
		_, _ = e.End(ctx, id, outcomes...) // kept as an event if the match was cancelled
	default:
		id = "m" + strconv.Itoa(n)
		_, _ = e.Create(ctx, finalbell.NewMatch{ID: id, Mode: rapid.SampledFrom([]string{"duel", "cup"}).Draw(t, "mode"), Room: rapid.SampledFrom([]string{"", "hall"}).Draw(t, "room"),
			Players: finalbell.Players("ann", "bob", "cid")})
		if rapid.IntRange(0, 3).Draw(t, "end") > 0 {
			_, _ = e.End(ctx, id, outcomes...)
		}
	}
}

func drawFilter(t *rapid.T) finalbell.EventFilter {
	some := func(label string, of ...string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(of), 0, 2).Draw(t, label)
	}
	f := finalbell.EventFilter{
		Matches: some("matches", "m1", "m2", "m3"), Modes: some("modes", "duel", "cup"), Rooms: some("rooms", "hall"),
		Players: some("players", "ann", "bob"), Boards: some("boards", "ladder", "best"),
	}
	for _, kind := range some("kinds", "match_created", "match_ended", "match_voided", "new_leader", "overtaken", "entered_top", "credited", "entry_hidden") {
		f.Kinds = append(f.Kinds, finalbell.EventKind(kind))
	}
	for _, drop := range []*[]string{&f.Matches, &f.Modes, &f.Rooms, &f.Players, &f.Boards} {
		if rapid.IntRange(0, 3).Draw(t, "any") > 0 {
			*drop = nil
		}
	}
	return f
}

// A subscriber gets live what the log says afterwards, under the same ids; one who is slow is told exactly how many events
// are missing and after which position the log has them.
func TestASubscriberGetsWhatTheLogSaysOrIsToldWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx, stop := context.WithTimeout(context.Background(), 10*time.Second) // enough, and a failure ends
		defer stop()
		e, err := finalbell.New(ctx, memory.New(), cups(), finalbell.Options{ManualTick: true, Top: rapid.IntRange(0, 2).Draw(t, "top")})
		require.NoError(t, err)
		n := 0
		for range rapid.IntRange(0, 5).Draw(t, "before") {
			n++
			anything(t, e, n)
		}
		_, began := logOf(t, e, 0, finalbell.EventFilter{})
		f := drawFilter(t)
		events := e.Subscribe(ctx, finalbell.Subscription{EventFilter: f, Buffer: rapid.IntRange(0, 6).Draw(t, "buffer")})
		var got []finalbell.Event
		pulled, end := iter.Pull2(events)
		defer end()
		next := func() finalbell.Event {
			ev, err, more := pulled()
			require.NoError(t, err)
			require.True(t, more, "the log has more than what came")
			return ev
		}
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			for range rapid.IntRange(0, 4).Draw(t, "calls") {
				n++
				anything(t, e, n)
			}
			// All that there is: what the last calls brought, or that it is missing.
			want, _ := logOf(t, e, began, f)
			for len(got) < len(want) && rapid.IntRange(0, 5).Draw(t, "take") > 0 {
				got = taken(t, e, f, got, next())
			}
		}
		want, _ := logOf(t, e, began, f)
		for len(got) < len(want) {
			got = taken(t, e, f, got, next())
		}
		require.Equal(t, ids(want), ids(got))
		for i := range want {
			want[i].Match, got[i].Match = nil, nil
			require.Equal(t, want[i], got[i])
		}
		require.NoError(t, e.Close())
		_, err, more := pulled()
		require.NoError(t, err)
		require.False(t, more)
	})
}

// taken adds an event, or those that it says are missing, to what was got.
func taken(t *rapid.T, e *finalbell.Engine, f finalbell.EventFilter, got []finalbell.Event, ev finalbell.Event) []finalbell.Event {
	if ev.Kind != finalbell.EventMissed {
		return append(got, ev)
	}
	require.Positive(t, ev.Missed)
	rest, _ := logOf(t, e, ev.Position, f)
	require.LessOrEqual(t, ev.Missed, len(rest))
	return append(got, rest[:ev.Missed]...)
}

// logOf is what the log has after a position, and the last position.
func logOf(t require.TestingT, e *finalbell.Engine, after uint64, f finalbell.EventFilter) ([]finalbell.Event, uint64) {
	var all []finalbell.Event
	last := after
	for ev, err := range e.Events(context.Background(), after, f) {
		require.NoError(t, err)
		all, last = append(all, ev), ev.Position
	}
	return all, last
}

func ids(events []finalbell.Event) []string {
	var all []string
	for _, ev := range events {
		all = append(all, ev.ID)
	}
	return all
}

func TestASubscriptionEndsWithItsContextAndWithTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := finalbell.New(t.Context(), memory.New(), cups(), finalbell.Options{})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var wait sync.WaitGroup
		var seen atomic.Int32
		for _, events := range []context.Context{ctx, t.Context()} {
			sequence := e.Subscribe(events, finalbell.Subscription{})
			wait.Go(func() {
				for ev, err := range sequence {
					assert.NoError(t, err)
					assert.Equal(t, finalbell.EventCredited, ev.Kind)
					seen.Add(1)
				}
			})
			synctest.Wait()
			_, err := e.Credit(t.Context(), finalbell.Money{Player: "ann", Currency: "coins", Amount: 1, Key: fmt.Sprint(seen.Load())})
			require.NoError(t, err)
			synctest.Wait()
		}
		assert.EqualValues(t, 3, seen.Load())
		stop()
		synctest.Wait()
		require.NoError(t, e.Close())
		wait.Wait()
		for _, err := range e.Subscribe(t.Context(), finalbell.Subscription{}) {
			require.ErrorIs(t, err, finalbell.ErrUnavailable)
		}
	})
}

func TestASubscriptionIsRefusedOrFailsWithAnError(t *testing.T) {
	s := faulty.New(memory.New(), func(c faulty.Call) faulty.Fault {
		if c.Method == "Commit" {
			return faulty.Fault{Err: errDisk}
		}
		return faulty.Fault{}
	})
	e, err := finalbell.New(t.Context(), s, cups(), finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	for _, err := range e.Subscribe(t.Context(), finalbell.Subscription{Buffer: -1}) {
		require.ErrorIs(t, err, finalbell.ErrInvalid)
	}
	events := e.Subscribe(t.Context(), finalbell.Subscription{})
	_, err = e.Credit(t.Context(), finalbell.Money{Player: "ann", Currency: "coins", Amount: 1, Key: "1"})
	require.ErrorIs(t, err, finalbell.ErrUnknown)
	count := 0
	for _, err := range events {
		require.ErrorIs(t, err, finalbell.ErrUnavailable, "nothing more will come")
		count++
	}
	require.Equal(t, 1, count)
}

// Whoever listens, and whenever they come and go, gets every event in order once, while many end matches.
func TestManySubscribersComeAndGoWhileMatchesEnd(t *testing.T) {
	ctx := t.Context()
	e, err := finalbell.New(ctx, memory.New(), cups(), finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	const callers, matches, listeners = 4, 25, 8
	var play, listen sync.WaitGroup
	heard := make([][]finalbell.Event, listeners)
	for i := range listeners {
		all := e.Subscribe(ctx, finalbell.Subscription{Buffer: 1 << 20})
		listen.Go(func() {
			for ev, err := range all {
				if !assert.NoError(t, err) {
					return
				}
				heard[i] = append(heard[i], ev)
			}
		})
		listen.Go(func() {
			for range 20 { // others come and go
				some, stop := context.WithCancel(ctx)
				for range e.Subscribe(some, finalbell.Subscription{Buffer: 1}) {
					stop()
				}
				stop()
			}
		})
	}
	for c := range callers {
		play.Go(func() {
			for n := range matches {
				id := fmt.Sprint("m", c, "-", n)
				_, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann", "bob")})
				assert.NoError(t, err)
				_, err = e.End(ctx, id, finalbell.Score("ann", n%5), finalbell.Score("bob", n%7))
				assert.NoError(t, err)
			}
		})
	}
	play.Wait()
	want, _ := logOf(t, e, 0, finalbell.EventFilter{})
	require.NoError(t, e.Close())
	listen.Wait()
	for i := range heard {
		require.Equal(t, ids(want), ids(heard[i]))
		require.True(t, slices.IsSortedFunc(heard[i], func(a, b finalbell.Event) int { return int(a.Position) - int(b.Position) })) //nolint:gosec // small
	}
}

// Match is there for events about matches, as it is when the event is taken, and there alone.
func TestAnEventComesWithItsMatchAsItIsNow(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	e, err := finalbell.New(ctx, memory.New(), cups(), finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	events := e.Subscribe(ctx, finalbell.Subscription{})
	_, err = e.Create(ctx, finalbell.NewMatch{ID: "m1", Mode: "cup", Players: finalbell.Players("ann", "bob")})
	require.NoError(t, err)
	_, err = e.End(ctx, "m1", finalbell.Score("ann", 2), finalbell.Score("bob", 1))
	require.NoError(t, err)
	count := 0
	for ev, err := range events {
		require.NoError(t, err)
		if count++; count <= 2 {
			require.NotNil(t, ev.Match)
			assert.Equal(t, finalbell.Ended, ev.Match.State)
			assert.Equal(t, "ann", ev.Match.Standings[0].Player)
			continue
		}
		assert.Nil(t, ev.Match)
		assert.Equal(t, "m1", ev.Subject)
		if count == 5 {
			stop()
		}
	}
	assert.Equal(t, 5, count, "created, ended, who leads, two who entered the top")
	require.NoError(t, e.Close())
}
