package finalbell_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

func ladder() finalbell.Rules {
	return finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "duel", AutoStart: true, Boards: []string{"ladder"}}},
		Boards: []finalbell.BoardRule{{ID: "ladder", Keys: []finalbell.Key{{Metric: "wins"}}}},
	}
}

func duel(t *testing.T, e *finalbell.Engine, id string) {
	t.Helper()
	_, err := e.Create(context.Background(), finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann", "bob")})
	require.NoError(t, err)
	_, err = e.End(context.Background(), id, finalbell.Score("ann", 2), finalbell.Score("bob", 1))
	require.NoError(t, err)
}

// A read asks to be at least at the position of a write, and waits until it is.
func TestAReadWaitsForThePositionThatItAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		e, err := finalbell.New(ctx, memory.New(), ladder(), finalbell.Options{ManualTick: true})
		require.NoError(t, err)
		duel(t, e, "a")
		first, err := e.Board("ladder").Top(ctx, 10)
		require.NoError(t, err)
		require.Equal(t, uint64(2), first.Position, "created and ended")

		read := make(chan finalbell.Page)
		go func() {
			page, err := e.Board("ladder").AtLeast(first.Position+2).Top(ctx, 10)
			if err != nil {
				t.Error(err)
			}
			read <- page
		}()
		synctest.Wait()
		select {
		case <-read:
			t.Fatal("the read did not wait")
		default:
		}
		duel(t, e, "b")
		page := <-read
		require.Equal(t, uint64(4), page.Position)
		require.Equal(t, "2", page.Entries[0].Values[0].Number.String())

		leaving, leave := context.WithTimeout(ctx, time.Second)
		defer leave()
		_, err = e.Board("ladder").AtLeast(9).Top(leaving, 10)
		require.ErrorIs(t, err, finalbell.ErrUnavailable, "nobody writes that far")
		go func() {
			time.Sleep(time.Second)
			_ = e.Close()
		}()
		_, err = e.Board("ladder").AtLeast(9).Top(ctx, 10)
		require.ErrorIs(t, err, finalbell.ErrUnavailable, "the engine was closed meanwhile")
	})
}

// A view does not move on: it answers at once that it is not there yet.
func TestAViewIsNeverLaterThanItsMoment(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "game.db")
	e, err := finalbell.Open(ctx, path, ladder(), finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	defer e.Close()
	duel(t, e, "a")
	v, err := finalbell.View(ctx, path)
	require.NoError(t, err)
	defer v.Close()
	duel(t, e, "b")
	_, err = v.Board("ladder").AtLeast(2).Top(ctx, 1)
	require.NoError(t, err)
	_, err = v.Board("ladder").AtLeast(4).Top(ctx, 1)
	require.ErrorIs(t, err, finalbell.ErrUnavailable)
	require.ErrorContains(t, err, "at position 2, not at 4")
}

// An entry says when it came to its values, in the open window and in one that is over, as Explain does.
func TestAnEntrySaysWhenItWasReached(t *testing.T) {
	ctx := context.Background()
	rules := ladder()
	rules.Boards[0].Window.Every = finalbell.Daily
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	e, err := finalbell.New(ctx, memory.New(), rules, finalbell.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	duel(t, e, "a")
	reached := now
	for _, later := range []time.Duration{time.Hour, 48 * time.Hour} {
		now = reached.Add(later)
		_, err := e.Tick(ctx)
		require.NoError(t, err)
		board := e.Board("ladder").Window("2026-03-02")
		page, err := board.Top(ctx, 1)
		require.NoError(t, err)
		why, err := board.Explain(ctx, "ann")
		require.NoError(t, err)
		require.Equal(t, why.Reached.At, page.Entries[0].ReachedAt)
		require.Equal(t, reached, page.Entries[0].ReachedAt)
	}
	require.NoError(t, e.Close())
}
