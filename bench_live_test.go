package finalbell_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// BenchmarkLiveMatches starts a hundred thousand matches of 4 players, all of them different, which expire one day and
// whose players may be in one match only, and reports what a live one costs of the heap. Then it cancels them, and does it
// all once more: what the second hundred thousand leave behind is what a match costs when it is over.
func BenchmarkLiveMatches(b *testing.B) {
	matches := 100_000
	if testing.Short() {
		matches = 1000
	}
	rules := twoBoards()
	rules.Modes[0].Exclusive, rules.Modes[0].ExpireStarted = true, time.Hour
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "live.db")
		e, err := finalbell.Open(context.Background(), path, rules, finalbell.Options{ManualTick: true, Sync: finalbell.SyncNormal})
		require.NoError(b, err)
		timed(b, 256, starting(e, "early", min(matches, 5000)))
		timed(b, 256, cancelling(e, "early", min(matches, 5000))) // so that every cache is full
		before := heapInUse()
		timed(b, 256, starting(e, "first", matches))
		live := heapInUse()
		timed(b, 256, cancelling(e, "first", matches))
		over := heapInUse()
		timed(b, 256, starting(e, "second", matches))
		timed(b, 256, cancelling(e, "second", matches))
		again := heapInUse()
		require.NoError(b, e.Close())
		b.ReportMetric((float64(live)-float64(before))/float64(matches), "heap-B/live-match")
		b.ReportMetric((float64(again)-float64(over))/float64(matches), "heap-B/match-when-over")
	}
	b.ReportMetric(0, "ns/op")
}

// starting are the calls that start matches, cancelling those that cancel them.
func starting(e *finalbell.Engine, name string, matches int) []func() error {
	ctx := context.Background()
	calls := make([]func() error, matches)
	for i := range calls {
		calls[i] = func() error {
			players := make([]string, 4)
			for p := range players {
				players[p] = fmt.Sprintf("%s-player-%06d-%d", name, i, p)
			}
			m, err := e.Create(ctx, finalbell.NewMatch{ID: fmt.Sprintf("%s-%06d", name, i), Mode: "battle", Players: finalbell.Players(players...)})
			if err == nil {
				_, err = e.Start(ctx, m.ID)
			}
			return err
		}
	}
	return calls
}

func cancelling(e *finalbell.Engine, name string, matches int) []func() error {
	calls := make([]func() error, matches)
	for i := range calls {
		calls[i] = func() error {
			_, err := e.Cancel(context.Background(), fmt.Sprintf("%s-%06d", name, i), "")
			return err
		}
	}
	return calls
}
