package finalbell

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/finalbell/finalbell/store"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawFold draws a board with every kind of key.
func drawFold(t *rapid.T) BoardRule {
	row := rapid.SampledFrom([]Fold{FoldBest, FoldWorst, FoldFirst, FoldLatest}).Draw(t, "row fold")
	b := BoardRule{ID: "board"}
	for range rapid.IntRange(1, 4).Draw(t, "keys") {
		k := Key{Fold: rapid.SampledFrom([]Fold{FoldSum, row, FoldMean, FoldCount, FoldCountback}).Draw(t, "fold")}
		switch k.Fold {
		case FoldCountback:
			k.Places = rapid.SampledFrom([]int{0, 2}).Draw(t, "places")
		case FoldSum:
			k.Best = rapid.SampledFrom(bests()).Draw(t, "best")
			fallthrough
		default:
			k.Metric = "score"
			k.Order = rapid.SampledFrom([]Order{Desc, Asc}).Draw(t, "order")
		}
		b.Keys = append(b.Keys, k)
	}
	b = b.withDefaults()
	rules := Rules{Modes: []Mode{{ID: "mode", Boards: []string{b.ID}}}, Boards: []BoardRule{b}}
	if err := rules.Validate(); err != nil {
		t.Fatalf("the drawn board is not valid: %v", err)
	}
	return b
}

func bests() [][]Segment {
	return [][]Segment{nil, BestOf(1), BestOf(2), {{ThroughRound: 2, Count: 1}, {Count: 2}}, {{ThroughRound: 1, Count: 2}, {ThroughRound: 3, Count: 1}}}
}

// drawResults draws results in the order in which they are committed, which is not the order of their moments.
func drawResults(t *rapid.T, b BoardRule) []result {
	results := make([]result, rapid.IntRange(0, 8).Draw(t, "results"))
	for i := range results {
		results[i] = result{
			moment: moment{at: rapid.Int64Range(0, 3).Draw(t, "at"), position: uint64(i + 1), place: rapid.IntRange(1, 3).Draw(t, "place")},
			round:  rapid.IntRange(0, 5).Draw(t, "round"),
			cells:  make([]cell, len(b.Keys)),
		}
		for k, key := range b.Keys {
			c := &results[i].cells[k]
			switch {
			case rapid.IntRange(1, 4).Draw(t, "not fed") == 4:
			case key.Fold == FoldCountback:
				*c = cell{fed: true, places: rapid.SliceOfN(rapid.IntRange(1, 4), 0, 2).Draw(t, "places")}
			case key.Fold == FoldCount:
				c.fed = true
			default:
				*c = cell{fed: true, value: rapid.Int64Range(-3, 3).Draw(t, "value")}
			}
		}
	}
	return results
}

// byMoment is the results in the order of their moments.
func byMoment(results []result) []result {
	results = slices.Clone(results)
	slices.SortFunc(results, func(x, y result) int { return x.moment.compare(y.moment) })
	return results
}

func foldOne(t require.TestingT, b BoardRule, e entry, r result) entry {
	next, err := fold(b, e, r)
	require.NoError(t, err)
	return next
}

func foldEach(t require.TestingT, b BoardRule, results []result) entry {
	e, err := foldAll(b, results)
	require.NoError(t, err)
	return e
}

// recorded is everything about an entry that is kept.
func recorded(b BoardRule, e entry) store.Entry {
	return entryRecord(b, entryChange{id: "ann", version: 1, entry: e, values: e.values(b)}, store.WindowKey{Board: b.ID, Window: allTimeWindow}, 99)
}

func requireSameEntry(t require.TestingT, b BoardRule, want, got entry) {
	if w, g := recorded(b, want), recorded(b, got); !sameEntry(w, g) {
		require.Equal(t, w, g)
		require.Fail(t, fmt.Sprintf("entries differ: %v and %v", w, g))
	}
}

// Adding results one by one is the same as folding all of them in any order, and it makes no difference
// between which of them the entry was stored and loaded.
func TestAddingOneByOneIsFoldingAllInAnyOrderAndGrouping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawFold(t)
		results := drawResults(t, b)
		var e entry
		for _, r := range byMoment(results) {
			require.True(t, e.canAdd(b, r))
			e = foldOne(t, b, e, r)
			if rapid.Bool().Draw(t, "stored") {
				loaded, err := entryOf(b, recorded(b, e))
				require.NoError(t, err)
				e = loaded
			}
		}
		if len(results) > 0 {
			requireSameEntry(t, b, foldEach(t, b, rapid.Permutation(results).Draw(t, "order")), e)
		}
	})
}

// A result can be added only after all that were; any other needs a fold of all. On an additive board it can
// always be added, and that is the same as folding all.
func TestAResultIsAddedAfterAllEarlierOnesOrToAnAdditiveBoard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawFold(t)
		results := drawResults(t, b)
		var e entry
		for i, r := range results {
			latest := !slices.ContainsFunc(results[:i], func(x result) bool { return x.moment.compare(r.moment) > 0 })
			require.Equal(t, latest || b.additive(), e.canAdd(b, r), "result %d", i)
			all := foldEach(t, b, results[:i+1])
			if e.canAdd(b, r) {
				requireSameEntry(t, b, all, foldOne(t, b, e, r))
			}
			e = all
		}
	})
}

// An entry's moment is that of the last result, in order, that changed its values or brought it onto the board.
func TestTheMomentIsThatOfTheLastResultThatChangedTheValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawFold(t)
		results := drawResults(t, b)
		var want moment
		var before entry
		for i, r := range byMoment(results) {
			after := foldEach(t, b, byMoment(results)[:i+1])
			if after.entered && (!before.entered || !sameValues(before.values(b), after.values(b))) {
				want = r.moment
			}
			before = after
		}
		require.Equal(t, want, before.changed)
	})
}

// Folding a result changes the new entry alone.
func TestFoldLeavesTheOldEntryAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawFold(t)
		results := byMoment(drawResults(t, b))
		if len(results) == 0 {
			return
		}
		e := foldOne(t, b, entry{}, results[0])
		for _, r := range results[1:] {
			before := recorded(b, e)
			before.Values = slices.Clone(before.Values)
			for i := range before.Values {
				before.Values[i] = slices.Clone(before.Values[i])
			}
			next := foldOne(t, b, e, r)
			require.True(t, sameEntry(before, recorded(b, e)))
			e = next
		}
	})
}

// Without one of its results an entry is what it would be if that had never come.
func TestRemovingIsFoldingWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawFold(t)
		results := drawResults(t, b)
		if len(results) < 2 {
			t.Skip("nothing is left")
		}
		i := rapid.IntRange(0, len(results)-1).Draw(t, "removed")
		left := slices.Delete(slices.Clone(results), i, i+1)
		var e entry
		for _, r := range byMoment(left) {
			e = foldOne(t, b, e, r)
		}
		requireSameEntry(t, b, e, foldEach(t, b, left))
		requireSameEntry(t, b, foldEach(t, b, results), foldEach(t, b, append(left, results[i])))
	})
}

// A sum of the best n takes the n best results of each segment.
func TestBestNIsTheSumOfTheFirstNInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := Key{Metric: "score", Fold: FoldSum, Order: rapid.SampledFrom([]Order{Desc, Asc}).Draw(t, "order"), Best: rapid.SampledFrom(bests()[1:]).Draw(t, "best")}
		b := BoardRule{ID: "board", Keys: []Key{key}}
		results := drawResults(t, b)
		want, after := int64(0), -1
		for _, s := range key.Best {
			var values []int64
			for _, r := range results {
				if r.cells[0].fed && r.round > after && (s.ThroughRound == 0 || r.round <= s.ThroughRound) {
					values = append(values, r.cells[0].value)
				}
			}
			slices.Sort(values)
			if key.Order == Desc {
				slices.Reverse(values)
			}
			for _, v := range values[:min(len(values), s.Count)] {
				want += v
			}
			after = s.ThroughRound
		}
		require.Equal(t, want, foldEach(t, b, results).values(b)[0][0])
	})
}

// Who does not finish gains and loses no place in a countback.
func TestAddingANonFinishChangesNoCountback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := BoardRule{ID: "board", Keys: []Key{{Fold: FoldCountback, Places: rapid.IntRange(1, 3).Draw(t, "places kept")}}}
		results := drawResults(t, b)
		results = append(results, result{moment: moment{at: 1, position: 50, place: 1}, cells: []cell{{fed: true}}})
		before := foldEach(t, b, results)
		retired := result{moment: moment{at: rapid.Int64Range(0, 5).Draw(t, "at"), position: 60, place: 4}, cells: []cell{{fed: true}}}
		after := foldEach(t, b, append(results, retired))
		require.True(t, sameValues(before.values(b), after.values(b)))
		if retired.moment.at >= 1 { // an earlier one may be what the player entered with
			require.Equal(t, before.changed, after.changed)
		}
	})
}

// Best, worst, first and latest take one result, all of its row.
func TestRowFoldsTakeOneWholeResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := rapid.SampledFrom([]Fold{FoldBest, FoldWorst, FoldFirst, FoldLatest}).Draw(t, "fold")
		b := BoardRule{ID: "board"}
		for range rapid.IntRange(1, 3).Draw(t, "keys") {
			b.Keys = append(b.Keys, Key{Metric: "score", Fold: row, Order: rapid.SampledFrom([]Order{Desc, Asc}).Draw(t, "order")})
		}
		results := byMoment(drawResults(t, b))
		rows := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return !r.cells[0].fed })
		if len(rows) == 0 {
			return
		}
		taken := rows[0]
		for _, r := range rows[1:] {
			c := 0
			for i, key := range b.Keys {
				if c == 0 {
					c = compareBy(key.Order, r.cells[i].value, taken.cells[i].value)
				}
			}
			if row == FoldBest && c < 0 || row == FoldWorst && c > 0 || row == FoldLatest {
				taken = r
			}
		}
		e := foldEach(t, b, results)
		for i, v := range e.values(b) {
			require.Equal(t, taken.cells[i].value, v[0], "key %d", i)
		}
		require.Equal(t, taken.moment, e.row)
	})
}

// A mean is the exact one, rounded half to even.
func TestAMeanIsRoundedHalfToEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := BoardRule{ID: "board", Keys: []Key{{Metric: "score", Fold: FoldMean}}}
		values := rapid.SliceOfN(rapid.OneOf(rapid.Int64Range(-3, 3), rapid.Int64Range(-1e15, 1e15)), 1, 8).Draw(t, "values")
		sum := new(big.Int)
		var results []result
		for i, v := range values {
			sum.Add(sum, big.NewInt(v))
			results = append(results, result{moment: moment{position: uint64(i + 1)}, cells: []cell{{fed: true, value: v}}})
		}
		got := foldEach(t, b, results).values(b)[0][0]
		off := new(big.Rat).Sub(new(big.Rat).SetFrac(sum, big.NewInt(int64(len(values)))), new(big.Rat).SetInt64(got))
		half := off.Abs(off).Cmp(big.NewRat(1, 2))
		require.True(t, half < 0 || half == 0 && got%2 == 0, "%v have the mean %d", values, got)
	})
}

// A sum that does not fit is refused as a wrong outcome.
func TestASumThatOverflowsIsRefusedAndNothingChanges(t *testing.T) {
	for _, key := range []Key{
		{Metric: "score", Fold: FoldSum}, {Metric: "score", Fold: FoldMean}, {Metric: "score", Fold: FoldSum, Best: BestOf(2)},
	} {
		for _, huge := range []int64{math.MaxInt64, math.MinInt64} {
			b := BoardRule{ID: "board", Keys: []Key{key}}.withDefaults()
			first := result{moment: moment{position: 1}, cells: []cell{{fed: true, value: huge}}}
			second := result{moment: moment{position: 2}, cells: []cell{{fed: true, value: huge / 2}}}
			e := foldOne(t, b, entry{}, first)
			before := recorded(b, e)
			_, err := fold(b, e, second)
			require.ErrorIs(t, err, ErrOutcome)
			require.True(t, sameEntry(before, recorded(b, e)))
			_, err = foldAll(b, []result{second, first})
			require.ErrorIs(t, err, ErrOutcome)
		}
	}
}

// Whatever bytes a store gives back for a state, reading them is an error or an entry, never a panic.
func FuzzEntryState(f *testing.F) {
	b := BoardRule{ID: "board", Keys: []Key{
		{Metric: "score", Fold: FoldMean}, {Metric: "score", Fold: FoldSum, Best: []Segment{{ThroughRound: 2, Count: 1}, {Count: 2}}},
		{Fold: FoldCountback}, {Metric: "score", Fold: FoldBest}, {Metric: "score", Fold: FoldCount},
	}}.withDefaults()
	r := result{moment: moment{position: 1}, cells: []cell{{fed: true, value: 3}, {fed: true, value: -300}, {fed: true, places: []int{2}}, {fed: true, value: 7}, {fed: true}}}
	e, err := fold(b, entry{}, r)
	require.NoError(f, err)
	good := recorded(b, e)
	f.Add(good.State, 5)
	f.Add([]byte{}, 0)
	f.Add(append(slices.Clone(good.State), 0), 3)
	f.Fuzz(func(t *testing.T, state []byte, keys int) {
		stored := good
		stored.State = state
		stored.Values = good.Values[:min(max(keys, 0), len(good.Values))]
		e, err := entryOf(b, stored)
		if err != nil {
			return
		}
		again, err := entryOf(b, recorded(b, e))
		require.NoError(t, err)
		require.True(t, sameEntry(recorded(b, e), recorded(b, again)))
	})
}

// A match is the same after it was written down and read back.
func TestAMatchComesBackFromItsRecord(t *testing.T) {
	rule := BoardRule{ID: "board", Keys: []Key{{Metric: "score", Scale: 1}, {Fold: FoldCountback}}}.withDefaults()
	rules := &ruleset{history: rulebook{{Rules: Rules{Boards: []BoardRule{rule}}}}}
	rapid.Check(t, func(t *rapid.T) {
		m := drawMatch(t, rule)
		r := matchRecord(m)
		for _, s := range m.roster {
			for _, on := range s.Boards {
				r.Moves = append(r.Moves, store.Move{WindowKey: on.key(), ID: on.id, Old: on.OldRank, New: on.Rank})
			}
		}
		if got := matchOf(r, rules); !reflect.DeepEqual(m, got) {
			require.Equal(t, m, got)
		}
	})
}

// An entry is the same after it was written down and read back, its position put in place of none.
func TestAnEntryComesBackFromItsRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawFold(t)
		results := byMoment(drawResults(t, b))
		if len(results) == 0 {
			return
		}
		results[len(results)-1].moment = moment{at: 4, position: unplaced, place: 1}
		e := foldEach(t, b, results)
		want := recorded(b, e)
		got, err := entryOf(b, want)
		require.NoError(t, err)
		require.Equal(t, moment{at: 4, position: 99, place: 1}, got.last)
		require.True(t, sameEntry(want, recorded(b, got)))
		require.Equal(t, e.entered, got.entered)
	})
}

// drawMatch draws a match as it might be stored, with every field that a record has.
func drawMatch(t *rapid.T, rule BoardRule) Match {
	at := func(label string) time.Time {
		if rapid.Bool().Draw(t, "no "+label) {
			return time.Time{}
		}
		return time.UnixMilli(rapid.Int64Range(-1e12, 1e13).Draw(t, label)).UTC()
	}
	text := rapid.SampledFrom([]string{"", "a", "é\u202e", "0"})
	words := rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), text, 0, 3), nilIfEmpty[string])
	number := rapid.SampledFrom([]Number{{}, Int(0), Int(-7), Decimal("0.000000001"), Decimal("-999999.99999999")})
	numbers := rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c"}), number, 0, 3), nilIfEmpty[Number])
	m := Match{
		ID: text.Draw(t, "id"), Mode: text.Draw(t, "mode"), Room: text.Draw(t, "room"), Round: text.Draw(t, "round"),
		State:     rapid.SampledFrom([]State{Created, Started, Disputed, Ended, Cancelled, Expired, Voided}).Draw(t, "state"),
		CreatedAt: at("created"), StartedAt: at("started"), EndedAt: at("ended"), Deadline: at("deadline"),
		NoContest: rapid.Bool().Draw(t, "no contest"), Draw: rapid.Bool().Draw(t, "draw"), Provisional: rapid.Bool().Draw(t, "provisional"),
		Reason: text.Draw(t, "reason"), Revision: rapid.IntRange(0, 3).Draw(t, "revision"),
		Attributes: words.Draw(t, "attributes"), Data: words.Draw(t, "data"), teams: numbers.Draw(t, "teams"),
		version: rapid.Uint64().Draw(t, "version"), created: rapid.Uint64().Draw(t, "position"), position: rapid.Uint64().Draw(t, "end"),
		invited: rapid.IntRange(0, 3).Draw(t, "invited"), roster: make([]Standing, rapid.IntRange(0, 3).Draw(t, "players")),
	}
	m.report[3] = rapid.Byte().Draw(t, "report")
	for i := range m.roster {
		raw := [][]int64{{rapid.Int64().Draw(t, "value")}, {1, 0, 2}}
		m.roster[i] = Standing{
			Player: fmt.Sprint("p", i), Team: text.Draw(t, "team"), Bot: rapid.Bool().Draw(t, "bot"), Outcome: number.Draw(t, "outcome"),
			Status: rapid.SampledFrom([]Status{"", Finished, DNF, NoShow}).Draw(t, "status"), Metrics: numbers.Draw(t, "metrics"),
			Attributes: words.Draw(t, "own attributes"), Rank: i + 1, Position: i + 1, Result: rapid.SampledFrom([]Result{"", Win, Draw, Loss, None}).Draw(t, "result"),
			reported: rapid.IntRange(0, 2).Draw(t, "reported"), seat: i,
		}
		if rapid.Bool().Draw(t, "on board") {
			m.roster[i].Boards = []BoardMove{{Board: "board", Window: allTimeWindow, Partition: text.Draw(t, "partition"), OldRank: rapid.IntRange(0, 3).Draw(t, "old"), Rank: 2,
				Values: rule.shown(raw), id: fmt.Sprint("p", i), raw: raw}}
		}
	}
	return m
}

// nilIfEmpty is how maps come back: nobody can tell an empty one from none.
func nilIfEmpty[T any](m map[string]T) map[string]T {
	if len(m) == 0 {
		return nil
	}
	return m
}
