package finalbell_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/sqlite"
)

// twoBoards are the rules of the figures: every result goes to a board that sums points and to one that keeps
// the best score.
func twoBoards() finalbell.Rules {
	return finalbell.Rules{
		Modes: []finalbell.Mode{{ID: "battle", Boards: []string{"season", "records"}}},
		Boards: []finalbell.BoardRule{
			{ID: "season", Keys: []finalbell.Key{{Metric: "wins"}, {Metric: "outcome"}}},
			{ID: "records", Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldBest}}},
		},
	}
}

const playersInBattle = 10

// oneByOne is a store that writes each commit of a batch in a transaction of its own.
type oneByOne struct{ store.Store }

func (s oneByOne) Commit(ctx context.Context, b store.Batch) error {
	for i, c := range b.Commits {
		one := store.Batch{Commits: []store.Commit{c}}
		if i == len(b.Commits)-1 {
			one.Soft = b.Soft
		}
		if err := s.Store.Commit(ctx, one); err != nil {
			return err
		}
	}
	if len(b.Commits) == 0 {
		return s.Store.Commit(ctx, b)
	}
	return nil
}

// battles is an engine with matches that are ready to end.
type battles struct {
	engine *finalbell.Engine
	random *rand.Rand
	next   int
	size   int // players in a match
}

func newBattles(b *testing.B, s store.Store, rules finalbell.Rules) *battles {
	e, err := finalbell.New(context.Background(), s, rules, finalbell.Options{ManualTick: true})
	require.NoError(b, err)
	return &battles{engine: e, random: rand.New(rand.NewPCG(1, 2)), size: playersInBattle}
}

// prepare creates and starts n matches of ten out of the players and returns what ends them.
func (g *battles) prepare(b *testing.B, n, players int) []func() error {
	b.Helper()
	ctx := context.Background()
	ends := make([]func() error, n)
	var all sync.WaitGroup
	slots := make(chan struct{}, 64)
	for i := range ends {
		id := fmt.Sprint("battle-", g.next)
		g.next++
		names := make([]string, g.size)
		outcomes := make([]finalbell.Outcome, g.size)
		for at, p := range sample(g.random, g.size, players) {
			names[at] = fmt.Sprintf("player-%07d", p)
			outcomes[at] = finalbell.Score(names[at], g.random.IntN(1000))
		}
		ends[i] = func() error {
			_, err := g.engine.End(ctx, id, outcomes...)
			return err
		}
		slots <- struct{}{}
		all.Go(func() {
			_, err := g.engine.Create(ctx, finalbell.NewMatch{ID: id, Mode: "battle", Players: finalbell.Players(names...)})
			if err == nil {
				_, err = g.engine.Start(ctx, id)
			}
			if err != nil {
				b.Error(err)
			}
			<-slots
		})
	}
	all.Wait()
	return ends
}

// sample draws size different numbers below n.
func sample(random *rand.Rand, size, n int) []int {
	drawn := make([]int, 0, size)
	for len(drawn) < size {
		if p := random.IntN(n); !slices.Contains(drawn, p) {
			drawn = append(drawn, p)
		}
	}
	return drawn
}

// timing is how long calls took.
type timing struct {
	perSecond float64
	p50, p99  time.Duration
}

// timed makes the calls, callers of them at a time.
func timed(b *testing.B, callers int, calls []func() error) timing {
	b.Helper()
	took := make([]time.Duration, len(calls))
	var next atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for range callers {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(calls) {
					return
				}
				start := time.Now()
				if err := calls[i](); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(start)
			}
		})
	}
	all.Wait()
	total := time.Since(began)
	slices.Sort(took)
	return timing{float64(len(calls)) / total.Seconds(), took[len(took)/2], took[len(took)*99/100]}
}

// BenchmarkEnd ends matches of 10 players with 2 boards on a database that syncs every commit, beside the same
// engine with a transaction a match and beside a file that is only written and synced, all in one run: the
// figures that matter are the ratios. x-one-by-one is how many times faster shared commits are, p50-syncs how many
// syncs a call of half the callers takes.
func BenchmarkEnd(b *testing.B) {
	rounds, matches, players := 7, 600, 10_000
	if testing.Short() {
		rounds, matches, players = 1, 64, 100
	}
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			for b.Loop() {
				shared := openBattles(b, func(s store.Store) store.Store { return s })
				alone := openBattles(b, func(s store.Store) store.Store { return oneByOne{s} })
				// The boards and the logs are not empty in the figures.
				timed(b, callers, shared.prepare(b, 2*matches, players))
				timed(b, callers, alone.prepare(b, 2*matches, players))
				var found, foundAlone []timing
				var syncs []time.Duration
				// In turns, so that a neighbour of the machine's meets all alike.
				for range rounds {
					syncs = append(syncs, syncTime(b, 200))
					found = append(found, timed(b, callers, shared.prepare(b, matches, players)))
					foundAlone = append(foundAlone, timed(b, callers, alone.prepare(b, matches, players)))
				}
				require.NoError(b, shared.engine.Close())
				require.NoError(b, alone.engine.Close())
				perSecond := middle(found, func(t timing) float64 { return t.perSecond })
				p50 := middle(found, func(t timing) float64 { return float64(t.p50.Microseconds()) })
				onePerSecond := middle(foundAlone, func(t timing) float64 { return t.perSecond })
				sync := middle(syncs, func(d time.Duration) float64 { return float64(d.Microseconds()) })
				b.ReportMetric(perSecond, "ends/s")
				b.ReportMetric(p50, "p50-µs")
				b.ReportMetric(middle(found, func(t timing) float64 { return float64(t.p99.Microseconds()) }), "p99-µs")
				b.ReportMetric(onePerSecond, "one-by-one-ends/s")
				b.ReportMetric(perSecond/onePerSecond, "x-one-by-one")
				b.ReportMetric(sync, "sync-µs")
				b.ReportMetric(p50/sync, "p50-syncs")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// middle is the median of a figure.
func middle[T any](found []T, figure func(T) float64) float64 {
	all := make([]float64, len(found))
	for i, t := range found {
		all[i] = figure(t)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func openBattles(b *testing.B, with func(store.Store) store.Store) *battles {
	b.Helper()
	s, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "battles.db"), sqlite.Options{})
	require.NoError(b, err)
	return newBattles(b, with(s), twoBoards())
}

// paidBoards are twoBoards with everything that an end can bring: a pool of fees that three share, experience for
// everybody, levels, and two achievements.
func paidBoards() finalbell.Rules {
	rules := twoBoards()
	rules.Currencies = []finalbell.Currency{{ID: "coins"}}
	mode := &rules.Modes[0]
	mode.Fee = &finalbell.Fee{Currency: "coins", Amount: 100, HousePercent: finalbell.Int(10)}
	mode.Prizes = []finalbell.Prize{{ID: "pool", From: 1, Shares: []finalbell.Number{finalbell.Int(50), finalbell.Int(30), finalbell.Int(20)}}}
	mode.XP = []finalbell.Gain{{Amount: 10}, {Metric: "wins", Amount: 40}}
	rules.Levels = []finalbell.Level{{Marker: "xp", Thresholds: []int64{100, 1000, 10_000}, Rewards: map[string][]finalbell.Reward{"1": {{Currency: "coins", Amount: 5}}}}}
	rules.Achievements = []finalbell.Achievement{
		{ID: "ten-wins", Metric: "wins", Threshold: finalbell.Int(10), Type: finalbell.Cumulative},
		{ID: "three-in-a-row", Metric: "wins", Threshold: finalbell.Int(3), Type: finalbell.Streak},
	}
	return rules
}

// BenchmarkPaidEnd ends matches of 10 players with fees, prizes, experience and achievements beside matches without, in
// turns: x-free is how many times as long the paid ones take.
func BenchmarkPaidEnd(b *testing.B) {
	rounds, matches, players := 5, 400, 2_000
	if testing.Short() {
		rounds, matches, players = 1, 32, 100
	}
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			for b.Loop() {
				free := openBattles(b, func(s store.Store) store.Store { return s })
				s, err := sqlite.Open(context.Background(), filepath.Join(b.TempDir(), "paid.db"), sqlite.Options{})
				require.NoError(b, err)
				paid := newBattles(b, s, paidBoards())
				for p := range players {
					_, err := paid.engine.Credit(context.Background(), finalbell.Money{Player: fmt.Sprintf("player-%07d", p), Currency: "coins", Amount: 1 << 40, Key: fmt.Sprint(p)})
					require.NoError(b, err)
				}
				timed(b, callers, free.prepare(b, matches, players))
				timed(b, callers, paid.prepare(b, matches, players))
				var found, foundPaid []timing
				for range rounds {
					found = append(found, timed(b, callers, free.prepare(b, matches, players)))
					foundPaid = append(foundPaid, timed(b, callers, paid.prepare(b, matches, players)))
				}
				require.NoError(b, free.engine.Close())
				require.NoError(b, paid.engine.Close())
				perSecond := middle(foundPaid, func(t timing) float64 { return t.perSecond })
				b.ReportMetric(perSecond, "ends/s")
				b.ReportMetric(middle(foundPaid, func(t timing) float64 { return float64(t.p50.Microseconds()) }), "p50-µs")
				b.ReportMetric(middle(found, func(t timing) float64 { return t.perSecond })/perSecond, "x-free")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// syncTime is the median time of writing 4 KiB over what was there and syncing it.
func syncTime(b *testing.B, rounds int) time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "bare"))
	require.NoError(b, err)
	defer f.Close()
	page := make([]byte, 4096)
	const pages = 256
	for i := range pages {
		_, err := f.WriteAt(page, int64(i)*4096)
		require.NoError(b, err)
	}
	require.NoError(b, f.Sync())
	took := make([]time.Duration, rounds)
	for i := range took {
		page[0] = byte(i)
		start := time.Now()
		_, err := f.WriteAt(page, int64(i%pages)*4096)
		require.NoError(b, err)
		require.NoError(b, datasync(f))
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// heapInUse is the heap after a collection.
func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
