package finalbell

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
)

// A ranking filled from a copy is the one filled from the entries, whatever was played, hidden and restored while the
// copy was made and after it.
func TestARankingFromItsCopyIsTheOneFromItsEntries(t *testing.T) {
	rules := Rules{
		Modes: []Mode{{ID: "race", AutoStart: true, Boards: []string{"best", "late"}}},
		Boards: []BoardRule{
			{ID: "best", Ties: FirstRank, Keys: []Key{{Metric: "outcome", Fold: FoldBest}, {Fold: FoldCountback, Places: 3}}},
			{ID: "late", Keys: []Key{{Metric: "kills", Fold: FoldLatest}, {Metric: "outcome"}}}, // who has no kills has not entered
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		s := memory.New()
		e, err := New(ctx, s, rules, Options{ManualTick: true})
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		e.copyRun = 7 // several chunks of few
		matches := 0
		play := func(n int) {
			for range n {
				matches++
				id := fmt.Sprint("m", matches)
				var players []Participant
				var outcomes []Outcome
				for _, p := range random.Perm(60)[:1+random.IntN(6)] {
					o := Score(fmt.Sprint("p", p), random.IntN(5))
					if random.IntN(2) == 0 {
						o.Metrics = map[string]Number{"kills": Int(random.Int64N(3))}
					}
					players, outcomes = append(players, Participant{Player: o.Player}), append(outcomes, o)
				}
				_, err := e.Create(ctx, NewMatch{ID: id, Mode: "race", Players: players})
				require.NoError(t, err)
				_, err = e.End(ctx, id, outcomes...)
				require.NoError(t, err)
				if random.IntN(4) == 0 {
					_ = e.Board("best").Hide(ctx, outcomes[0].Player, "cheats")
				} else if random.IntN(4) == 0 {
					_ = e.Board("best").Restore(ctx, outcomes[0].Player, "does not")
				}
			}
		}
		play(rapid.IntRange(1, 10).Draw(t, "before") * 4)
		for range rapid.IntRange(1, 3).Draw(t, "copies") {
			for _, id := range []string{"best", "late"} {
				e.copying = func() { play(random.IntN(3)) }
				require.NoError(t, e.copy(ctx, e.ruleset().boards[id].period("all").ranking("")))
				e.copying = nil
			}
			play(rapid.IntRange(0, 20).Draw(t, "after"))
		}
		for _, id := range []string{"best", "late"} {
			live := e.ruleset().boards[id].period("all").ranking("")
			b, err := newBoard(live.rule, 0, newIndex())
			require.NoError(t, err)
			again := b.newPeriod(live.period.bounds()).ranking("")
			require.NoError(t, e.loadCopy(ctx, again, &since{engine: e.engine, head: e.committer.head}))
			require.Equal(t, live.lines(), again.lines())
			require.Equal(t, live.others(), again.others())
		}
		require.NoError(t, e.Close())
	})
}

// A copy that is damaged is not used, and nothing is lost by that.
func TestADamagedCopyIsNotUsed(t *testing.T) {
	ctx := context.Background()
	rules := Rules{Modes: []Mode{{ID: "race", AutoStart: true, Boards: []string{"best"}}}, Boards: []BoardRule{{ID: "best", Keys: []Key{{Metric: "outcome"}}}}}
	for name, damage := range map[string]func(c *store.Chunk){
		"the header":  func(c *store.Chunk) { c.N, c.Data = 0, []byte{copyHeader, 1, 2, 3, 4, 5} },
		"a chunk":     func(c *store.Chunk) { c.Data = append([]byte{}, c.Data...); c.Data[len(c.Data)/2] ^= 1 },
		"its order":   func(c *store.Chunk) { c.Data = reversed(t, c.Data) },
		"its absence": func(c *store.Chunk) { c.Data = nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := memory.New()
			e, err := New(ctx, s, rules, Options{ManualTick: true})
			require.NoError(t, err)
			var players []Participant
			var outcomes []Outcome
			for i := range 50 {
				players = append(players, Participant{Player: fmt.Sprint("p", i)})
				outcomes = append(outcomes, Score(fmt.Sprint("p", i), i))
			}
			_, err = e.Create(ctx, NewMatch{ID: "m", Mode: "race", Players: players})
			require.NoError(t, err)
			_, err = e.End(ctx, "m", outcomes...)
			require.NoError(t, err)
			w := e.ruleset().boards["best"].period("all").ranking("")
			require.NoError(t, e.copy(ctx, w))
			for c, err := range s.Chunks(ctx, w.key, w.copied().set+1, w.copied().set+2) {
				require.NoError(t, err)
				damage(&c)
				require.NoError(t, e.committer.follow(ctx, c))
			}
			require.NoError(t, e.Close())
			again, err := New(ctx, s.Reopen(), rules, Options{ManualTick: true})
			require.NoError(t, err)
			require.Equal(t, w.lines(), again.ruleset().boards["best"].period("all").ranking("").lines())
			require.NoError(t, again.Close())
		})
	}
}

// reversed is a chunk of the same entries in the other order.
func reversed(t *testing.T, data []byte) []byte {
	l := newLayout(BoardRule{Keys: []Key{{Metric: "outcome"}}}.withDefaults())
	lines, err := decodeChunk(l, data)
	require.NoError(t, err)
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return encodeChunk(l, lines)
}

// twoLadders are rules of two boards that are fed alike, and how a match on them is played.
func twoLadders(more ...string) Rules {
	r := Rules{Modes: []Mode{{ID: "race", AutoStart: true, Boards: append([]string{"a", "b"}, more...)}}}
	for _, id := range r.Modes[0].Boards {
		r.Boards = append(r.Boards, BoardRule{ID: id, Keys: []Key{{Metric: "outcome"}}})
	}
	return r
}

func race(t *testing.T, e *Engine, id string, players ...string) {
	t.Helper()
	_, err := e.Create(t.Context(), NewMatch{ID: id, Mode: "race", Players: Players(players...)})
	require.NoError(t, err)
	var outcomes []Outcome
	for i, p := range players {
		outcomes = append(outcomes, Score(p, len(players)-i))
	}
	_, err = e.End(t.Context(), id, outcomes...)
	require.NoError(t, err)
}

func copyBoth(t *testing.T, e *Engine) {
	for _, id := range []string{"a", "b"} {
		require.NoError(t, e.copy(t.Context(), e.ruleset().boards[id].period("all").ranking("")))
	}
}

// sameAfterOpening opens another engine on the data and holds its boards against those of the first.
func sameAfterOpening(t *testing.T, e *Engine, s *memory.Store, rules Rules) *Engine {
	t.Helper()
	want := make(map[string]any)
	for _, id := range []string{"a", "b"} {
		want[id] = e.ruleset().boards[id].period("all").ranking("").lines()
	}
	require.NoError(t, e.Close())
	again, err := New(t.Context(), s.Reopen(), rules, Options{ManualTick: true})
	require.NoError(t, err)
	for _, id := range []string{"a", "b"} {
		require.Equal(t, want[id], any(again.ruleset().boards[id].period("all").ranking("").lines()), "board %s", id)
	}
	return again
}

// A commit of a kind that nobody knows makes every copy before it unfit, not only the one that is looked at first.
func TestACommitOfAnUnknownKindMakesEveryCopyBeforeItUnfit(t *testing.T) {
	s := memory.New()
	e, err := New(t.Context(), s, twoLadders(), Options{ManualTick: true})
	require.NoError(t, err)
	race(t, e, "m1", "ann", "bob", "cid")
	copyBoth(t, e)
	require.NoError(t, e.committer.submit(t.Context(), &pending{job: &ledgerJob{engine: e.engine, commit: store.Commit{Key: "new", Kind: "of_a_later_version", ID: "nothing"}}}))
	race(t, e, "m2", "cid", "ann", "dan")
	again := sameAfterOpening(t, e, s, twoLadders())
	require.NoError(t, again.Close())
}

// The copies of boards that a rebuild left as they were are still used.
func TestARebuildOfOneBoardLeavesTheCopiesOfOthersInUse(t *testing.T) {
	s := memory.New()
	e, err := New(t.Context(), s, twoLadders(), Options{ManualTick: true})
	require.NoError(t, err)
	race(t, e, "m1", "ann", "bob", "cid")
	copyBoth(t, e)
	_, err = e.Rebuild(t.Context(), twoLadders("c"), RebuildOptions{})
	require.NoError(t, err)
	race(t, e, "m2", "cid", "ann", "dan")
	again := sameAfterOpening(t, e, s, twoLadders("c"))
	w := again.ruleset().boards["b"].period("all").ranking("")
	w.reset()
	require.NoError(t, again.loadCopy(t.Context(), w, &since{engine: again.engine, head: again.committer.head}))
	require.NoError(t, again.Close())
}

// A copy that was too old to be used is taken away when there is a new one.
func TestACopyThatWasTooOldLeavesNothingBehind(t *testing.T) {
	s := memory.New()
	e, err := New(t.Context(), s, twoLadders(), Options{ManualTick: true})
	require.NoError(t, err)
	e.copyRun = 1
	race(t, e, "m1", "ann", "bob", "cid")
	copyBoth(t, e)
	for n := range 600 { // two commits each
		race(t, e, fmt.Sprint("n", n), "ann", "bob")
	}
	again := sameAfterOpening(t, e, s, twoLadders())
	w := again.ruleset().boards["a"].period("all").ranking("")
	require.ErrorIs(t, again.loadCopy(t.Context(), w, &since{engine: again.engine, head: again.committer.head}), errNoCopy)
	copyBoth(t, again)
	chunks := 0
	for c, err := range again.store.Chunks(t.Context(), w.key, 0, 3*copySet) {
		require.NoError(t, err)
		if c.N > 0 {
			chunks++
		}
	}
	require.Equal(t, 1, chunks)
	require.NoError(t, again.Close())
}
