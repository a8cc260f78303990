package finalbell

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawAchievements draws rules with two modes and some achievements.
func drawAchievements(t *rapid.T) Rules {
	r := Rules{Modes: []Mode{{ID: "duel"}, {ID: "race"}}}
	for i := range rapid.IntRange(0, 4).Draw(t, "achievements") {
		a := Achievement{
			ID:     fmt.Sprint("a", i),
			Type:   rapid.SampledFrom([]AchievementType{Once, Cumulative, Streak}).Draw(t, "type"),
			Window: rapid.SampledFrom([]Every{AllTime, Daily, Weekly, Monthly}).Draw(t, "window"),
			Modes:  rapid.SampledFrom([][]string{nil, {"duel"}, {"race"}, {"duel", "race"}}).Draw(t, "modes"),
		}
		if a.Metric = rapid.SampledFrom([]string{"", "wins", "played", "losses", "outcome", "kills", "points"}).Draw(t, "metric"); a.Metric == "" {
			a.Rank = rapid.IntRange(1, 3).Draw(t, "rank")
		}
		a.Threshold = Int(rapid.Int64Range(1, 4).Draw(t, "threshold"))
		if !a.countsMatches() && rapid.Bool().Draw(t, "half") {
			a.Threshold = Decimal("2.5")
		}
		r.Achievements = append(r.Achievements, a)
	}
	r = r.withDefaults()
	require.NoError(t, r.Validate())
	return r
}

// drawGoalResults draws the results of one player, in no order.
func drawGoalResults(t *rapid.T) []playerResult {
	number := rapid.SampledFrom([]Number{Int(0), Int(1), Int(2), Int(-1), Decimal("0.5"), Decimal("1.25"), Decimal("-0.5")})
	results := make([]playerResult, rapid.IntRange(0, 10).Draw(t, "results"))
	for i := range results {
		hours := rapid.SampledFrom([]int{-1, 0, 1, 23, 24, 150, 168, 700, 744}).Draw(t, "hours")
		at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
		s := Standing{Player: "ann", Status: rapid.SampledFrom([]Status{Finished, Finished, DNF}).Draw(t, "status"),
			Rank: rapid.IntRange(1, 4).Draw(t, "rank"), Result: rapid.SampledFrom([]Result{Win, Loss, None}).Draw(t, "result"), Metrics: map[string]Number{}}
		if s.Status == Finished {
			s.Outcome = number.Draw(t, "outcome")
		}
		for _, name := range []string{"kills", "points"} {
			if rapid.IntRange(0, 3).Draw(t, "not reported") > 0 {
				s.Metrics[name] = number.Draw(t, name)
			}
		}
		results[i] = playerResult{
			moment: moment{at: at.UnixMilli(), position: uint64(rapid.IntRange(1, 3).Draw(t, "position")), place: i + 1},
			mode:   rapid.SampledFrom([]string{"duel", "race"}).Draw(t, "mode"), match: fmt.Sprint("m", i), standing: s,
		}
	}
	return results
}

func inOrder(results []playerResult) []playerResult {
	return slices.SortedFunc(slices.Values(results), func(x, y playerResult) int { return x.moment.compare(y.moment) })
}

// Adding results one by one, as they come in the order of their moments, is folding all of them from nothing.
func TestAddingResultsToGoalsIsFoldingThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, results := newProgression(drawAchievements(t)), drawGoalResults(t)
		var f facts
		var all []reached
		for _, r := range inOrder(results) {
			require.True(t, p.canAdd(f, r))
			next, got, err := p.goals(f, r)
			require.NoError(t, err)
			f, all = next, append(all, got...)
		}
		stale := facts{Goals: map[string]goal{"a0": {Window: "all", Value: Int(99), Reached: true}}, Last: moment{at: math.MaxInt64}}
		folded, every, err := p.foldGoals(stale, results)
		require.NoError(t, err)
		require.Equal(t, encoded(t, f), encoded(t, folded))
		require.Equal(t, all, every)
	})
}

// The value of a goal is the best of one match, the sum, or the row that has not ended, of the matches that count in the last
// window in which one did; and it is reached, once, by the first match with which its value came to the threshold.
func TestAGoalIsWhatItsMatchesMakeOfIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, results := drawAchievements(t), drawGoalResults(t)
		f, got, err := newProgression(rules).foldGoals(facts{}, results)
		require.NoError(t, err)
		for _, a := range rules.Achievements {
			var window string
			var values []*big.Rat // of the matches in the window; nil: without the metric
			value, done := new(big.Rat), false
			want := []reached{}
			for _, r := range inOrder(results) {
				if len(a.Modes) > 0 && !slices.Contains(a.Modes, r.mode) {
					continue
				}
				if w := plainWindow(a.Window, time.UnixMilli(r.moment.at).UTC()); w != window {
					window, values, done = w, nil, false
				}
				values = append(values, plainValue(a, r.standing))
				value = plainFold(a, values)
				if !done && value.Cmp(a.Threshold.rat()) >= 0 {
					done = true
					want = append(want, reached{a.ID, window, Decimal(value.FloatString(9)), r.match})
				}
			}
			own := []reached{}
			for _, r := range got {
				if r.achievement == a.ID {
					own = append(own, r)
				}
			}
			require.Equal(t, want, own)
			g, kept := f.Goals[a.ID]
			require.Equal(t, kept, value.Sign() != 0 || done, "what is at nothing is not kept")
			if kept {
				require.Equal(t, window, g.Window)
				require.Equal(t, done, g.Reached)
				if g.Value.Known() {
					require.Zero(t, value.Cmp(g.Value.rat()))
				} else {
					require.Zero(t, value.Sign())
				}
			}
		}
	})
}

func plainWindow(every Every, t time.Time) string {
	switch every {
	case Daily:
		return t.Format("2006-01-02")
	case Weekly:
		return t.AddDate(0, 0, -(int(t.Weekday())+6)%7).Format("2006-01-02")
	case Monthly:
		return t.Format("2006-01") + "-01"
	}
	return "all"
}

func plainValue(a Achievement, s Standing) *big.Rat {
	if a.Rank > 0 {
		return big.NewRat(map[bool]int64{true: 1}[s.Status == Finished && s.Rank <= a.Rank], 1)
	}
	switch a.Metric {
	case "played":
		return big.NewRat(1, 1)
	case "wins":
		return big.NewRat(map[bool]int64{true: 1}[s.Result == Win], 1)
	case "losses":
		return big.NewRat(map[bool]int64{true: 1}[s.Result == Loss], 1)
	case "outcome":
		if s.Status != Finished {
			return nil
		}
		return s.Outcome.rat()
	}
	if n, has := s.Metrics[a.Metric]; has {
		return n.rat()
	}
	return nil
}

func plainFold(a Achievement, values []*big.Rat) *big.Rat {
	counted := a.Rank > 0 || slices.Contains([]string{"wins", "played", "losses"}, a.Metric)
	total := new(big.Rat)
	for _, v := range values {
		switch {
		case a.Type == Streak && (v == nil || v.Sign() <= 0):
			total = new(big.Rat)
		case a.Type == Streak:
			total.Add(total, big.NewRat(1, 1))
		case v == nil:
		case a.Type == Once && !counted:
			if v.Cmp(total) > 0 {
				total.Set(v)
			}
		default:
			total.Add(total, v)
		}
	}
	return total
}

// foldGoals folds results of which all are of the time of p.
func (p progression) foldGoals(f facts, results []playerResult) (facts, []reached, error) {
	results = slices.Clone(results)
	for i := range results {
		results[i].by = p
	}
	return foldGoals(f, results)
}

func TestAnAchievementIsReachedAtMostOnceInAWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, got, err := newProgression(drawAchievements(t)).foldGoals(facts{}, drawGoalResults(t))
		require.NoError(t, err)
		seen := make(map[[2]string]bool)
		for _, r := range got {
			require.False(t, seen[[2]string{r.achievement, r.window}])
			seen[[2]string{r.achievement, r.window}] = true
		}
	})
}

// A result that comes late cannot be added, unless it is none that any achievement counts.
func TestALateResultCannotBeAdded(t *testing.T) {
	p := newProgression(Rules{Achievements: []Achievement{{ID: "a", Metric: "wins", Threshold: Int(1), Modes: []string{"duel"}}}}.withDefaults())
	win := func(mode string, at int64) playerResult {
		return playerResult{moment: moment{at: at, position: unplaced}, mode: mode, match: "m", standing: Standing{Result: Win}}
	}
	f, _, err := p.goals(facts{}, win("duel", 5))
	require.NoError(t, err)
	for want, results := range map[bool][]playerResult{
		true:  {win("duel", 6), win("race", 4), win("race", 6)},
		false: {win("duel", 4), win("duel", 5)},
	} {
		for _, r := range results {
			require.Equal(t, want, p.canAdd(f, r), r)
			require.True(t, p.canAdd(facts{}, r))
		}
	}
	after, got, err := p.goals(f, win("race", 9))
	require.NoError(t, err)
	require.Empty(t, got)
	require.Equal(t, f, after)
}

// Whoever has facts in hand keeps them as they are.
func TestGoalsLeaveTheFactsOfBeforeAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newProgression(drawAchievements(t))
		var f facts
		for _, r := range inOrder(drawGoalResults(t)) {
			before := f
			before.Goals = maps.Clone(f.Goals)
			next, _, err := p.goals(f, r)
			require.NoError(t, err)
			require.Equal(t, before, f)
			f = next
		}
	})
}

// What does not fit is refused by name, and never wraps.
func TestASumThatOverflowsIsRefused(t *testing.T) {
	p := newProgression(Rules{Achievements: []Achievement{{ID: "miles", Metric: "miles", Threshold: Int(1), Type: Cumulative}}}.withDefaults())
	run := func(miles Number) playerResult {
		return playerResult{moment: moment{at: 1}, mode: "m", match: "m1", standing: Standing{Player: "ann", Metrics: map[string]Number{"miles": miles}}}
	}
	for _, c := range []struct{ has, more Number }{
		{fromUnits(math.MaxInt64, 0), Int(1)},
		{fromUnits(math.MinInt64, 0), Int(-1)},
		{fromUnits(math.MaxInt64-1, 0), Decimal("0.5")}, // needs one digit more than there are
		{Decimal("10000000000"), Decimal("0.000000001")},
	} {
		f := facts{Goals: map[string]goal{"miles": {Window: "all", Value: c.has}}}
		same, got, err := p.goals(f, run(c.more))
		require.ErrorIs(t, err, ErrOutcome)
		require.ErrorContains(t, err, `the sum of "miles" overflows for achievement "miles"`)
		require.Equal(t, f, same)
		require.Empty(t, got)
	}
	f, _, err := p.goals(facts{Goals: map[string]goal{"miles": {Window: "all", Value: fromUnits(math.MaxInt64-1, 0)}}}, run(Int(1)))
	require.NoError(t, err)
	require.Equal(t, fromUnits(math.MaxInt64, 0), f.Goals["miles"].Value)
}

// What is there and what remains make the threshold.
func TestWhatIsThereAndWhatRemainsIsTheThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, results := drawAchievements(t), inOrder(drawGoalResults(t))
		p := newProgression(rules)
		f, _, err := p.foldGoals(facts{}, results)
		require.NoError(t, err)
		at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		if len(results) > 0 {
			at = time.UnixMilli(results[len(results)-1].moment.at)
		}
		for i, q := range p.progress(f, at) {
			require.Equal(t, rules.Achievements[i].ID, q.Achievement)
			together, ok := sum(q.Value, q.Remaining)
			require.True(t, ok)
			if q.Remaining == Int(0) {
				require.True(t, q.Reached || q.Value.Cmp(q.Threshold) >= 0)
			} else {
				require.Equal(t, q.Threshold, together)
				require.False(t, q.Reached)
			}
		}
		for _, q := range p.progress(f, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)) {
			if q.Window != "all" {
				require.Equal(t, Int(0), q.Value, "a new window begins with nothing")
				require.False(t, q.Reached)
			}
		}
	})
}

func TestWhatRemainsIsUnknownWhereItDoesNotFit(t *testing.T) {
	require.Equal(t, Number{}, difference(Int(1), fromUnits(math.MinInt64, 0)))
	require.Equal(t, Number{}, difference(Int(2), fromUnits(math.MinInt64+1, 0)))
	require.Equal(t, fromUnits(math.MaxInt64, 0), difference(Int(0), fromUnits(math.MinInt64+1, 0)))
	require.Equal(t, Decimal("0.5"), difference(Int(3), Decimal("2.5")))
}

func TestAMatchConcernsFactsThatItCanChange(t *testing.T) {
	wins := Achievement{ID: "a", Metric: "wins", Threshold: Int(1)}
	of := func(modes ...string) Rules { a := wins; a.Modes = modes; return Rules{Achievements: []Achievement{a}} }
	for _, c := range []struct {
		what  string
		rules Rules
		mode  Mode
		want  bool
	}{
		{"nothing", Rules{}, Mode{ID: "duel"}, false},
		{"levels alone", Rules{Levels: []Level{{Marker: "xp", Thresholds: []int64{1}}}}, Mode{ID: "duel"}, false},
		{"money alone", Rules{}, Mode{ID: "duel", Prizes: []Prize{{Currency: "coins"}, {Custom: "hat"}}}, false},
		{"gains", Rules{}, Mode{ID: "duel", XP: []Gain{{Amount: 1}}}, true},
		{"prizes of markers", Rules{}, Mode{ID: "duel", Prizes: []Prize{{Currency: "coins"}, {Marker: "xp"}}}, true},
		{"prizes of items", Rules{}, Mode{ID: "duel", Prizes: []Prize{{Item: "cup"}}}, true},
		{"an achievement of all modes", of(), Mode{ID: "duel"}, true},
		{"an achievement of the mode", of("race", "duel"), Mode{ID: "duel"}, true},
		{"an achievement of another mode", of("race"), Mode{ID: "duel"}, false},
	} {
		require.Equal(t, c.want, newProgression(c.rules.withDefaults()).concerns(c.mode), c.what)
	}
	require.False(t, progression{}.concerns(Mode{}))
}

func TestBotsMakeProgressWhereTheModeIncludesThem(t *testing.T) {
	bot, person := Standing{Bot: true}, Standing{}
	include := Mode{Bots: BotPolicy{Achievements: Include}}.withDefaults()
	require.True(t, usual().progresses(person))
	require.False(t, usual().progresses(bot))
	require.True(t, include.progresses(person))
	require.True(t, include.progresses(bot))
}
