package finalbell_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

const monday = "2026-03-02"

// filledDay is a database with one daily window of so many players, and a clock that stands in it.
func filledDay(b *testing.B, size int) (*finalbell.Engine, *finalbelltest.Clock) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "day.db")
	rules := fillBoard(b, path, size, finalbell.BoardRule{ID: "daily", Window: finalbell.WindowRule{Every: finalbell.Daily}},
		func(int) store.WindowKey { return store.WindowKey{Window: monday} })
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	e, err := finalbell.Open(context.Background(), path, rules, finalbell.Options{Now: clock.Now})
	require.NoError(b, err)
	return e, clock
}

func manyPlayers() int {
	if testing.Short() {
		return 10_000
	}
	return 1_000_000
}

// BenchmarkClose closes a window of a million players while matches of the next day end, one after the other, and
// reports how long the final mark and the frozen ranks took, and the longest time that an end took: before, during
// the mark, and while the ranks were written.
func BenchmarkClose(b *testing.B) {
	ctx := context.Background()
	for b.Loop() {
		e, clock := filledDay(b, manyPlayers())
		// Players of its own: the entries that were filled in have nothing that more could be folded on.
		w := &writer{engine: e, players: []string{"ann", "bob"}}
		w.run(b, 100)
		clock.Advance(24 * time.Hour)
		w.begin()
		// Every call on the board closes first what is due, so the writer's first end does it.
		w.run(b, 1)
		closed := w.took[0]
		before := w.longest(b, 2*time.Second, nil)
		began := time.Now()
		during := w.longest(b, 0, func() {
			_, err := e.Tick(ctx)
			require.NoError(b, err)
		})
		frozen := time.Since(began)
		page, err := e.Board("daily").Window(monday).Top(ctx, 1)
		require.NoError(b, err)
		require.Equal(b, finalbell.WindowFinal, page.State)
		require.NoError(b, e.Close())
		b.ReportMetric(closed.Seconds()*1e3, "ms-closing-end")
		b.ReportMetric(frozen.Seconds(), "s-frozen")
		b.ReportMetric(before[0].Seconds()*1e3, "ms-longest-end-before")
		b.ReportMetric(during[0].Seconds()*1e3, "ms-longest-end-during")
		b.ReportMetric(before[1].Seconds()*1e3, "ms-p99-end-before")
		b.ReportMetric(during[1].Seconds()*1e3, "ms-p99-end-during")
	}
	b.ReportMetric(0, "ns/op")
}

// writer ends matches one after the other.
type writer struct {
	engine  *finalbell.Engine
	players []string
	next    int
	took    []time.Duration
}

func (w *writer) begin() { w.took = w.took[:0] }

// run plays n matches and notes how long each end took.
func (w *writer) run(b *testing.B, n int) {
	ctx := context.Background()
	for range n {
		id := fmt.Sprint("match-", w.next)
		w.next++
		_, err := w.engine.Create(ctx, finalbell.NewMatch{ID: id, Mode: "battle", Players: finalbell.Players(w.players...)})
		require.NoError(b, err)
		began := time.Now()
		_, err = w.engine.End(ctx, id, finalbell.Score(w.players[0], 2), finalbell.Score(w.players[1], 1))
		w.took = append(w.took, time.Since(began))
		require.NoError(b, err)
	}
}

// longest is the longest end, and the 99th percentile, for a time or while something is done.
func (w *writer) longest(b *testing.B, least time.Duration, meanwhile func()) [2]time.Duration {
	w.begin()
	done := make(chan struct{})
	var working sync.WaitGroup
	working.Go(func() {
		defer close(done)
		if meanwhile != nil {
			meanwhile()
		}
	})
	began := time.Now()
	for over := false; !over || time.Since(began) < least; {
		w.run(b, 1)
		select {
		case <-done:
			over = true
		default:
		}
	}
	working.Wait()
	slices.Sort(w.took)
	return [2]time.Duration{w.took[len(w.took)-1], w.took[len(w.took)*99/100]}
}

// BenchmarkArchive reads a window of a million players that is over: a page anywhere, around a player, a rank, each
// of a part that nobody has read before.
func BenchmarkArchive(b *testing.B) {
	ctx := context.Background()
	size := manyPlayers()
	e, clock := filledDay(b, size)
	defer e.Close()
	clock.Advance(24 * time.Hour)
	_, err := e.Tick(ctx)
	require.NoError(b, err)
	board := e.Board("daily").Window(monday)
	random := rand.New(rand.NewPCG(5, 6))
	player := func() string { return fmt.Sprintf("player-%07d", random.IntN(size)) }
	for name, read := range map[string]func() error{
		"page":   func() error { _, err := board.Page(ctx, random.IntN(size), 20); return err },
		"around": func() error { _, err := board.Around(ctx, player(), 5); return err },
		"rank":   func() error { _, err := board.Rank(ctx, player()); return err },
		"top":    func() error { _, err := board.Top(ctx, 20); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, read())
			}
		})
	}
}

// BenchmarkOpenClosed opens a database with ten thousand windows that are over, and one without any.
func BenchmarkOpenClosed(b *testing.B) {
	ctx := context.Background()
	for _, windows := range []int{0, 10_000} {
		b.Run(fmt.Sprint("windows=", windows), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "closed.db")
			rules := fillBoard(b, path, 10, finalbell.BoardRule{ID: "daily", Window: finalbell.WindowRule{Every: finalbell.Daily}},
				func(int) store.WindowKey { return store.WindowKey{Window: monday} })
			s, err := sqlite.Open(ctx, path, sqlite.Options{Normal: true})
			require.NoError(b, err)
			head, err := s.Head(ctx)
			require.NoError(b, err)
			c := store.Commit{Key: "closed", Position: head.Position + 1, At: head.At, Kind: "fill"}
			for n := range windows {
				day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, -n)
				c.Records = append(c.Records, store.Window{
					WindowKey: store.WindowKey{Board: "daily", Window: day.Format(time.DateOnly)}, Version: 1,
					Start: day, End: day.AddDate(0, 0, 1), Final: c.Position, ClosedAt: day.AddDate(0, 0, 1), Frozen: true,
				})
			}
			require.NoError(b, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
			require.NoError(b, s.Close())
			for b.Loop() {
				e, err := finalbell.Open(ctx, path, rules, finalbell.Options{ManualTick: true})
				require.NoError(b, err)
				b.StopTimer()
				require.NoError(b, e.Close())
				b.StartTimer()
			}
		})
	}
}

// BenchmarkOpenWindows opens a database with a thousand open windows of a thousand players each, out of a million, and
// reports the heap that they take.
func BenchmarkOpenWindows(b *testing.B) {
	size := manyPlayers()
	path := filepath.Join(b.TempDir(), "windows.db")
	rules := fillBoard(b, path, size, finalbell.BoardRule{ID: "league", Partition: &finalbell.Partition{Attribute: "league"}},
		func(i int) store.WindowKey {
			return store.WindowKey{Window: "all", Partition: fmt.Sprint("league-", i%(size/1000))}
		})
	for b.Loop() {
		before := heapInUse()
		e, err := finalbell.Open(context.Background(), path, rules, finalbell.Options{ManualTick: true})
		require.NoError(b, err)
		b.ReportMetric(float64(heapInUse()-before)/float64(size), "heap-B/entry")
		partitions, err := e.Board("league").Partitions(context.Background())
		require.NoError(b, err)
		require.Len(b, partitions, size/1000)
		require.NoError(b, e.Close())
	}
}
