package finalbell

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawPlayerResults(t *rapid.T) []playerResult {
	n := rapid.IntRange(0, 12).Draw(t, "results")
	modes := []Mode{{ID: "duel", Order: Desc}, {ID: "race", Order: Asc, Unfinished: UnfinishedPolicy{Stats: Exclude}}, {ID: "bots", Order: Desc, Bots: BotPolicy{Stats: Include}}}
	results := make([]playerResult, n)
	for i := range results {
		mode := rapid.SampledFrom(modes).Draw(t, "mode")
		s := Standing{Player: "ann", Bot: rapid.IntRange(0, 5).Draw(t, "bot") == 0, Status: rapid.SampledFrom([]Status{Finished, Finished, DNF, Left}).Draw(t, "status"),
			Result: rapid.SampledFrom([]Result{Win, Loss, Draw, None}).Draw(t, "result")}
		if s.Status == Finished || drawBool(t) {
			s.Outcome = fromUnits(rapid.OneOf(rapid.Int64Range(-20, 20), rapid.Int64Range(-maxUnits, maxUnits)).Draw(t, "units"), rapid.IntRange(0, maxScale).Draw(t, "scale"))
		}
		results[i] = playerResult{moment: moment{at: rapid.Int64Range(0, 3).Draw(t, "at"), position: uint64(i + 1)}, mode: mode.ID, rules: mode, match: "m",
			took: time.Duration(rapid.IntRange(0, 5).Draw(t, "took")) * time.Millisecond, standing: s}
	}
	return results
}

// Whatever order results come in: who adds those that may be added, and folds the others again, has what folding gives.
func TestAddingToStatisticsIsFolding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		results := drawPlayerResults(t)
		var s statistics
		for i, r := range results {
			folded, meant := foldStatistics(results[:i+1], r.moment)
			if s.canAdd(r) {
				added, says := s.add(r)
				require.Equal(t, meant, says)
				require.Equal(t, string(facts{Stats: &folded}.encode(0)), string(facts{Stats: &added}.encode(0)))
			}
			s = folded
		}
	})
}

func TestPlayedIsWonDrawnLostAndNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		results := drawPlayerResults(t)
		s, _ := foldStatistics(results, moment{})
		counted := 0
		for _, r := range results {
			if r.counts() {
				counted++
			}
		}
		require.Equal(t, counted, s.overall.Played)
		sum := 0
		for _, tally := range s.modes {
			require.Equal(t, tally.Played, tally.Won+tally.Drawn+tally.Lost+tally.None)
			require.Positive(t, tally.Played)
			require.GreaterOrEqual(t, tally.LongestStreak, tally.Streak)
			sum += tally.Played
		}
		require.Equal(t, s.overall.Played, sum)
	})
}

// Statistics come back as they were.
func TestStatisticsReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := foldStatistics(drawPlayerResults(t), moment{})
		text := facts{Stats: &s}.encode(0)
		back, err := decodeFacts(text)
		require.NoError(t, err, string(text))
		require.Equal(t, string(text), string(back.encode(0)))
		for mode, tally := range s.modes {
			require.Equal(t, tally.Mean, back.Stats.modes[mode].Mean)
			require.Equal(t, tally.Played, back.Stats.modes[mode].Played)
		}
		require.Equal(t, s.overall.Played, back.Stats.overall.Played)
	})
}

// The largest numbers there are do not overflow a sum, and their mean has the decimals that it has room for.
func TestAMeanOfTheLargestNumbersIsExact(t *testing.T) {
	mode := Mode{ID: "duel", Order: Desc}
	add := func(s statistics, position uint64, n Number) statistics {
		next, _ := s.add(playerResult{moment: moment{position: position}, mode: mode.ID, rules: mode, standing: Standing{Status: Finished, Result: None, Outcome: n}})
		return next
	}
	s := add(add(statistics{}, 1, Int(maxUnits)), 2, Decimal("0.000000001"))
	require.Equal(t, "499999999999999.5", s.modes["duel"].Mean.String())
	s = add(statistics{}, 1, Int(maxUnits))
	for i := range uint64(100) {
		s = add(s, i+2, Int(maxUnits))
	}
	require.Equal(t, Int(maxUnits), s.modes["duel"].Mean)
	require.Equal(t, "0.12", add(add(statistics{}, 1, Decimal("0.1")), 2, Decimal("0.15")).modes["duel"].Mean.String(), "half to even")
	require.Equal(t, "-0.12", add(add(statistics{}, 1, Decimal("-0.1")), 2, Decimal("-0.15")).modes["duel"].Mean.String())
	require.Equal(t, "0.14", add(add(statistics{}, 1, Decimal("0.12")), 2, Decimal("0.15")).modes["duel"].Mean.String())
}

func TestDamagedStatisticsAreRefused(t *testing.T) {
	for _, text := range []string{
		`{"stats":{}}`, `{"stats":{"overall":{"won":"1"}}}`, `{"stats":{"overall":{},"more":1}}`, `{"stats":{"overall":{"sum":"1"}}}`,
		`{"stats":{"overall":{"scored":1}}}`, `{"stats":{"overall":{"sum":"01","scored":1}}}`, `{"stats":{"overall":{"sum":"1","scored":-1}}}`,
		`{"stats":{"overall":{"decimals":10}}}`, `{"stats":{"overall":{"best":"1e3"}}}`, `{"stats":{"overall":{},"last":{}}}`,
	} {
		_, err := decodeFacts([]byte(text))
		require.Error(t, err, text)
	}
}
