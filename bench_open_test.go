package finalbell_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

// BenchmarkOpen opens an engine on a database with a million entries on one board, and one with none, whose time
// is what opening a file costs: first from the entries, and then from the copy that closing the engine leaves. With
// FINALBELL_LARGE=1 also ten million.
func BenchmarkOpen(b *testing.B) {
	sizes := []int{0, 1_000_000}
	if os.Getenv("FINALBELL_LARGE") != "" {
		sizes = append(sizes, 10_000_000) // takes minutes to fill
	}
	if testing.Short() {
		sizes = []int{0, 10_000}
	}
	for _, size := range sizes {
		b.Run(fmt.Sprint("entries=", size), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "board.db")
			rules := fillBoard(b, path, size, finalbell.BoardRule{ID: "season"}, func(int) store.WindowKey { return store.WindowKey{Window: "all"} })
			open := func() time.Duration {
				before := heapInUse()
				began := time.Now()
				e, err := finalbell.Open(context.Background(), path, rules, finalbell.Options{ManualTick: true})
				took := time.Since(began)
				require.NoError(b, err)
				page, err := e.Board("season").Top(context.Background(), 1)
				require.NoError(b, err)
				require.Equal(b, size, page.Size)
				if size > 0 {
					b.ReportMetric(float64(heapInUse()-before)/float64(size), "heap-B/entry")
				}
				began = time.Now()
				require.NoError(b, e.Close())
				b.ReportMetric(time.Since(began).Seconds(), "s/close")
				return took
			}
			if size > 0 {
				b.ReportMetric(float64(fileSize(b, path))/float64(size), "file-B/entry")
			}
			first := open()
			var all []time.Duration
			for b.Loop() {
				all = append(all, open())
			}
			b.ReportMetric(first.Seconds(), "s/first-open")
			b.ReportMetric(middle(all, time.Duration.Seconds), "s/open")
			if size > 0 {
				b.ReportMetric(float64(fileSize(b, path))/float64(size), "file-B/entry-with-copy")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fillBoard writes a board's entries past the engine: a hundred thousand matches would only make it wait. The i-th
// player is in the window that of says.
func fillBoard(b *testing.B, path string, size int, board finalbell.BoardRule, of func(i int) store.WindowKey) finalbell.Rules {
	b.Helper()
	ctx := context.Background()
	board.Keys = []finalbell.Key{{Metric: "outcome"}}
	rules := finalbell.Rules{
		Modes:  []finalbell.Mode{{ID: "battle", AutoStart: true, Boards: []string{board.ID}}},
		Boards: []finalbell.BoardRule{board},
	}
	s, err := sqlite.Open(ctx, path, sqlite.Options{Normal: true})
	require.NoError(b, err)
	random := rand.New(rand.NewPCG(3, 4))
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	position := uint64(0)
	for from := 0; from < size; from += 4096 {
		position++
		c := store.Commit{Key: fmt.Sprint("fill/", position), Position: position, At: at, Kind: "fill"}
		for i := from; i < min(from+4096, size); i++ {
			points := random.Int64N(1_000_000)
			moment := store.Moment{At: at.Add(time.Duration(i) * time.Millisecond), Position: position, Place: i - from + 1}
			key := of(i)
			key.Board = board.ID
			c.Records = append(c.Records, store.Entry{
				WindowKey: key, ID: fmt.Sprintf("player-%07d", i), Version: 1, Entered: true, Values: [][]int64{{points}},
				Sort: binary.BigEndian.AppendUint64(nil, uint64(points)^1<<63), Changed: moment, Last: moment, //nolint:gosec // a bit pattern
			})
		}
		require.NoError(b, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
	}
	require.NoError(b, s.Close())
	return rules
}

func fileSize(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path)
	require.NoError(b, err)
	return info.Size()
}

// BenchmarkEndedMatches plays a million matches of 4 players and 2 boards to their end and reports what they
// leave: bytes of the file for a match, and the heap after the first tenth and after all, which must be alike.
func BenchmarkEndedMatches(b *testing.B) {
	matches, players := 1_000_000, 1000
	if testing.Short() {
		matches = 2000
	}
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "matches.db")
		e, err := finalbell.Open(context.Background(), path, twoBoards(), finalbell.Options{ManualTick: true, Sync: finalbell.SyncNormal})
		require.NoError(b, err)
		g := &battles{engine: e, random: rand.New(rand.NewPCG(1, 2)), size: 4}
		step := matches / 100
		var early uint64
		for played := 0; played < matches; played += step {
			timed(b, 256, g.prepare(b, step, players))
			if played+step == matches/10 {
				early = heapInUse()
			}
		}
		late := heapInUse()
		require.NoError(b, e.Close())
		b.ReportMetric(float64(early)/1e6, "MB-at-a-tenth")
		b.ReportMetric(float64(late)/1e6, "MB-at-the-end")
		b.ReportMetric(float64(fileSize(b, path))/float64(matches), "file-B/match")
	}
}

// BenchmarkFileSize plays matches of 2 and of 10 players with 2 boards among a thousand players and reports what a
// match adds to the file, and how much of that each of its players.
func BenchmarkFileSize(b *testing.B) {
	matches, players := 10_000, 1000
	if testing.Short() {
		matches = 200
	}
	perMatch := func(size int) float64 {
		path := filepath.Join(b.TempDir(), "size.db")
		e, err := finalbell.Open(context.Background(), path, twoBoards(), finalbell.Options{ManualTick: true, Sync: finalbell.SyncNormal})
		require.NoError(b, err)
		g := &battles{engine: e, random: rand.New(rand.NewPCG(1, 2)), size: size}
		timed(b, 256, g.prepare(b, matches/2, players)) // everybody has entries then
		before := g.closed(b, path)
		e, err = finalbell.Open(context.Background(), path, twoBoards(), finalbell.Options{ManualTick: true, Sync: finalbell.SyncNormal})
		require.NoError(b, err)
		g.engine = e
		timed(b, 256, g.prepare(b, matches, players))
		return float64(g.closed(b, path)-before) / float64(matches)
	}
	for b.Loop() {
		two, ten := perMatch(2), perMatch(10)
		b.ReportMetric(two, "B/match-of-2")
		b.ReportMetric(ten, "B/match-of-10")
		b.ReportMetric((ten-two)/8, "B/player-of-a-match")
	}
	b.ReportMetric(0, "ns/op")
}

// closed closes the engine and returns how large its file is then, the log put back.
func (g *battles) closed(b *testing.B, path string) int64 {
	b.Helper()
	require.NoError(b, g.engine.Close())
	return fileSize(b, path)
}
