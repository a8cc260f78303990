package finalbell

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var statuses = []Status{Finished, DNF, Forfeit, Disqualified, Left, NoShow}

// drawRanking draws a mode and a filled roster in which ties, missing metrics and every status are frequent.
func drawRanking(t *rapid.T) (Mode, []Standing, map[string]Number) {
	mode := Mode{
		Order: rapid.SampledFrom([]Order{Desc, Asc}).Draw(t, "order"),
		Ties:  rapid.SampledFrom([]TieStyle{Standard, Modified, Dense, Ordinal}).Draw(t, "ties"),
		Ranks: ComputeRanks,
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "tie breaks") {
		mode.TieBreak = append(mode.TieBreak, TieBreak{Metric: fmt.Sprint("metric", i),
			Order: rapid.SampledFrom([]Order{Desc, Asc}).Draw(t, "tie break order")})
	}
	if rapid.IntRange(0, 2).Draw(t, "team match") == 0 {
		mode.Teams = &Teams{Fold: rapid.SampledFrom([]TeamFold{TeamSum, TeamMean, TeamBest}).Draw(t, "team fold")}
	}
	roster := make([]Standing, rapid.IntRange(1, 8).Draw(t, "players"))
	teams := make(map[string]Number)
	few := rapid.SampledFrom([]Number{Int(-1), Int(0), Int(1), Decimal("1.5"), Decimal("0.000000001"), Int(maxUnits)})
	for i := range roster {
		s := Standing{Player: fmt.Sprint("p", i), seat: i, Bot: rapid.Bool().Draw(t, "bot")}
		s.Status = rapid.SampledFrom(append([]Status{Finished, Finished, Finished}, statuses...)).Draw(t, "status")
		if s.Status == Finished || rapid.Bool().Draw(t, "number all the same") {
			s.Outcome = few.Draw(t, "outcome")
		}
		for _, b := range mode.TieBreak {
			if rapid.Bool().Draw(t, "has metric") {
				if s.Metrics == nil {
					s.Metrics = make(map[string]Number)
				}
				s.Metrics[b.Metric] = few.Draw(t, "metric")
			}
		}
		if mode.Teams != nil {
			s.Team = rapid.SampledFrom([]string{"red", "blue", "green"}).Draw(t, "team")
			if rapid.IntRange(0, 9).Draw(t, "team scored") == 0 {
				teams[s.Team] = few.Draw(t, "team score")
			}
		}
		roster[i] = s
	}
	return mode, roster, teams
}

// naive is a side as the sentences of semantics.md describe it, with everything as fractions.
type naive struct {
	members  []int
	score    *big.Rat // nil: did not finish
	breaks   []*big.Rat
	statusAt int
}

func naiveFold(f TeamFold, order Order, values []*big.Rat) *big.Rat {
	if len(values) == 0 {
		return nil
	}
	sum, best := new(big.Rat), values[0]
	for _, v := range values {
		sum.Add(sum, v)
		if c := v.Cmp(best); order == Asc && c < 0 || order == Desc && c > 0 {
			best = v
		}
	}
	switch f {
	case TeamBest:
		return best
	case TeamMean:
		return sum.Quo(sum, new(big.Rat).SetInt64(int64(len(values))))
	}
	return sum
}

func naiveSides(mode Mode, roster []Standing, teams map[string]Number) []naive {
	var sides []naive
	names := make(map[string]int)
	for i, s := range roster {
		name := s.Player
		if mode.Teams != nil {
			name = s.Team
		}
		at, there := names[name]
		if !there {
			at = len(sides)
			names[name] = at
			sides = append(sides, naive{statusAt: 99})
		}
		sides[at].members = append(sides[at].members, i)
	}
	fold := TeamSum
	if mode.Teams != nil {
		fold = mode.Teams.Fold
	}
	for i := range sides {
		var scores []*big.Rat
		for _, m := range sides[i].members {
			if s := roster[m]; s.Status == Finished && s.Outcome.Known() {
				scores = append(scores, s.Outcome.rat())
			} else if s.Status != Finished {
				sides[i].statusAt = min(sides[i].statusAt, slices.Index(statuses, s.Status))
			}
		}
		sides[i].score = naiveFold(fold, mode.Order, scores)
		if n, reported := teams[roster[sides[i].members[0]].Team]; reported && mode.Teams != nil {
			sides[i].score = n.rat()
		}
		for _, b := range mode.TieBreak {
			var values []*big.Rat
			for _, m := range sides[i].members {
				if n, has := roster[m].Metrics[b.Metric]; has {
					values = append(values, n.rat())
				}
			}
			sides[i].breaks = append(sides[i].breaks, naiveFold(fold, b.Order, values))
		}
	}
	return sides
}

// better reports whether a did strictly better than b.
func (a naive) better(mode Mode, b naive) bool {
	if a.score == nil || b.score == nil {
		return a.score != nil || b.score == nil && a.statusAt < b.statusAt
	}
	compare := func(order Order, x, y *big.Rat) int {
		if order == Asc {
			return x.Cmp(y)
		}
		return y.Cmp(x)
	}
	if c := compare(mode.Order, a.score, b.score); c != 0 {
		return c < 0
	}
	for i, t := range mode.TieBreak {
		x, y := a.breaks[i], b.breaks[i]
		switch {
		case x != nil && y == nil:
			return true
		case x == nil && y != nil:
			return false
		case x == nil:
			continue
		}
		if c := compare(t.Order, x, y); c != 0 {
			return c < 0
		}
	}
	return false
}

// A standard rank is one more than the number of sides who did strictly better; modified counts the equal
// ones too; dense counts the different results that are better; ordinal is the place in the list. A
// non-finisher's rank is one more than the finishers and the non-finishers of earlier statuses in every style.
func TestRankCountsTheBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		standings, _ := rank(mode, roster, teams)
		got := inRosterOrder(standings)
		sides := naiveSides(mode, roster, teams)
		for i, a := range sides {
			better, equal, before := 0, 0, 0
			var classes []naive
			for j, b := range sides {
				switch {
				case b.better(mode, a):
					better++
					if !slices.ContainsFunc(classes, func(c naive) bool { return !c.better(mode, b) && !b.better(mode, c) }) {
						classes = append(classes, b)
					}
				case !a.better(mode, b):
					equal++
					if j < i {
						before++
					}
				}
			}
			want := better + 1
			if a.score != nil {
				switch mode.Ties {
				case Modified:
					want = better + equal
				case Dense:
					want = len(classes) + 1
				case Ordinal:
					want = better + before + 1
				}
			}
			for _, m := range a.members {
				assert.Equal(t, want, got[m].Rank, "rank of %s", roster[m].Player)
			}
		}
	})
}

// Positions are 1, 2, 3 … each once, in the order of the ranks, and equal ones in the order of the roster.
func TestPositionsAreAPermutationInRankOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		standings, _ := rank(mode, roster, teams)
		require.Len(t, standings, len(roster))
		for i, s := range standings {
			assert.Equal(t, i+1, s.Position)
			if i > 0 {
				assert.GreaterOrEqual(t, s.Rank, standings[i-1].Rank)
				if s.Rank == standings[i-1].Rank && mode.Teams == nil {
					assert.Greater(t, s.seat, standings[i-1].seat)
				}
			}
		}
	})
}

// Whoever is named first gets no better rank or result by it, but in the ordinal style, where places are the
// ranks.
func TestTheOrderOfTheRosterChangesNoRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		if mode.Ties == Ordinal {
			mode.Ties = Standard
		}
		type where struct {
			rank   int
			result Result
		}
		places := func(roster []Standing) (map[string]where, bool) {
			out := make(map[string]where)
			standings, draw := rank(mode, roster, teams)
			for _, s := range standings {
				out[s.Player] = where{s.Rank, s.Result}
			}
			return out, draw
		}
		want, draw := places(roster)
		got, again := places(rapid.Permutation(roster).Draw(t, "permutation"))
		assert.Equal(t, want, got)
		assert.Equal(t, draw, again)
	})
}

// Multiplying every outcome by ten and adding a constant, or negating it and the direction, changes nothing.
func TestMonotoneRescalingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, _ := drawRanking(t)
		mode.Teams = nil
		want, draw := rank(mode, roster, nil)
		rescaled := slices.Clone(roster)
		for i := range rescaled {
			if n := rescaled[i].Outcome; n.Known() && n != Int(maxUnits) {
				rescaled[i].Outcome = fromUnits(n.units*10+7*pow10(int(n.scale)), int(n.scale))
			}
		}
		check := func(mode Mode, roster []Standing) {
			got, again := rank(mode, roster, nil)
			assert.Equal(t, draw, again)
			for i := range want {
				assert.Equal(t, [3]any{want[i].Player, want[i].Rank, want[i].Result}, [3]any{got[i].Player, got[i].Rank, got[i].Result})
			}
		}
		check(mode, rescaled)
		for i := range rescaled {
			if n := rescaled[i].Outcome; n.Known() {
				rescaled[i].Outcome = fromUnits(-n.units, int(n.scale))
			}
		}
		mode.Order = map[Order]Order{Desc: Asc, Asc: Desc}[mode.Order]
		check(mode, rescaled)
	})
}

// Dense is at most standard, standard at most ordinal, ordinal at most modified; all but ordinal share ranks
// between the same players.
func TestTheTieStylesRelateAsTheyMust(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		in := func(style TieStyle) []Standing {
			mode.Ties = style
			standings, _ := rank(mode, roster, teams)
			return standings
		}
		dense, standard, ordinal, modified := in(Dense), in(Standard), in(Ordinal), in(Modified)
		for i := range standard {
			assert.Equal(t, standard[i].Player, dense[i].Player)
			assert.Equal(t, standard[i].Player, modified[i].Player)
			if mode.Teams == nil {
				assert.LessOrEqual(t, standard[i].Rank, ordinal[i].Rank)
				if standard[i].Status == Finished {
					assert.LessOrEqual(t, dense[i].Rank, standard[i].Rank)
					assert.LessOrEqual(t, ordinal[i].Rank, modified[i].Rank)
					assert.Equal(t, i+1, ordinal[i].Rank)
				}
			}
			for j := range standard {
				if standard[i].Status == Finished && standard[j].Status == Finished {
					same := standard[i].Rank == standard[j].Rank
					assert.Equal(t, same, dense[i].Rank == dense[j].Rank)
					assert.Equal(t, same, modified[i].Rank == modified[j].Rank)
				}
			}
		}
	})
}

// Somebody wins alone, or several draw and the rest lose, or it is a draw of all, or nobody has a result.
func TestResultsFollowFromTheRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		standings, draw := rank(mode, roster, teams)
		results := make(map[Result]map[string]bool)
		finished := false
		sides := make(map[string]bool)
		for _, s := range naiveSides(mode, roster, teams) {
			finished = finished || s.score != nil
		}
		for _, s := range standings {
			side := s.Player
			if mode.Teams != nil {
				side = s.Team
			}
			if results[s.Result] == nil {
				results[s.Result] = make(map[string]bool)
			}
			results[s.Result][side] = true
			sides[side] = true
		}
		win, draws, loss, none := len(results[Win]), len(results[Draw]), len(results[Loss]), len(results[None])
		switch {
		case len(sides) == 1 || !finished:
			assert.Equal(t, len(sides), none)
			assert.False(t, draw)
		case win > 0:
			assert.Equal(t, [3]int{1, 0, len(sides) - 1}, [3]int{win, draws, loss})
			assert.Equal(t, Win, standings[0].Result)
			assert.False(t, draw)
		default:
			assert.GreaterOrEqual(t, draws, 2)
			assert.Equal(t, len(sides), draws+loss)
			assert.Equal(t, loss == 0, draw)
			assert.NotEqual(t, Ordinal, mode.Ties, "places are unique there")
		}
	})
}

// Accepted ranks are the ranks, whatever the outcomes say; among equal ones the order is ours.
func TestAcceptedRanksAreTheRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, _ := drawRanking(t)
		mode.Teams, mode.Ranks = nil, AcceptRanks
		for i := range roster {
			roster[i].reported = rapid.IntRange(1, len(roster)).Draw(t, "rank")
		}
		ours := mode
		ours.Ranks = ComputeRanks
		want, _ := rank(ours, roster, nil)
		slices.SortStableFunc(want, func(a, b Standing) int { return cmp.Compare(a.reported, b.reported) })
		got, _ := rank(mode, roster, nil)
		for i, s := range got {
			assert.Equal(t, s.reported, s.Rank)
			assert.Equal(t, want[i].Player, s.Player)
			if s.Status != Finished && len(roster) > 1 {
				assert.NotEqual(t, Win, s.Result)
			}
		}
	})
}

func TestTheStatusesOfTheSpecification(t *testing.T) {
	roster := func(of ...Status) []Standing {
		var out []Standing
		for i, s := range of {
			standing := Standing{Player: fmt.Sprint(i), Status: s, seat: i}
			if s == Finished {
				standing.Outcome = Int(int64(100 - i))
			}
			out = append(out, standing)
		}
		return out
	}
	mode := Rules{Modes: []Mode{{ID: "m"}}}.withDefaults().Modes[0]
	for name, c := range map[string]struct {
		roster  []Standing
		ranks   []int
		results []Result
	}{
		"3 finishers, 2 dnf, 1 left": {roster(Finished, Finished, Finished, DNF, DNF, Left), []int{1, 2, 3, 4, 4, 6}, []Result{Win, Loss, Loss, Loss, Loss, Loss}},
		"nobody finished":            {roster(Left, DNF, NoShow), []int{1, 2, 3}, []Result{None, None, None}},
		"one among non-finishers":    {roster(NoShow, Finished), []int{1, 2}, []Result{Win, Loss}},
		"solo":                       {roster(Finished), []int{1}, []Result{None}},
		"solo, not finished":         {roster(DNF), []int{1}, []Result{None}},
		"every status":               {roster(NoShow, Left, Disqualified, Forfeit, DNF, Finished), []int{1, 2, 3, 4, 5, 6}, []Result{Win, Loss, Loss, Loss, Loss, Loss}},
	} {
		standings, draw := rank(mode, c.roster, nil)
		assert.False(t, draw, name)
		for i, s := range standings {
			assert.Equal(t, c.ranks[i], s.Rank, name)
			assert.Equal(t, c.results[i], s.Result, name)
		}
	}
}

func TestAReportedRankThatDiffersIsRefusedByName(t *testing.T) {
	standings := []Standing{{Player: "ann", Rank: 1, reported: 1}, {Player: "bob", Rank: 2, reported: 3}, {Player: "cid", Rank: 3}, {Player: "dan", Rank: 4, reported: 1}}
	err := checkReported(Mode{}, standings)
	require.ErrorIs(t, err, ErrOutcome)
	assert.ErrorContains(t, err, `"bob": reported rank 3, but the outcomes give 2`)
	assert.Equal(t, []string{"bob", "dan"}, failed("end match", "m", err).(*Error).IDs)
	assert.NoError(t, checkReported(Mode{}, standings[:1]))
}

func TestPointsByResultAndByRank(t *testing.T) {
	standings := []Standing{
		{Player: "a", Status: Finished, Rank: 1, Result: Draw}, {Player: "b", Status: Finished, Rank: 1, Result: Draw},
		{Player: "c", Status: Finished, Rank: 3, Result: Loss}, {Player: "d", Status: DNF, Rank: 4, Result: Loss},
		{Player: "e", Status: Finished, Rank: 1, Result: Win}, {Player: "f", Status: Finished, Rank: 1, Result: None},
	}
	points := func(p *Points) (out []string) {
		given := slices.Clone(standings)
		given[0].Metrics = map[string]Number{"kills": Int(3)}
		award(Mode{Points: p}, given)
		for _, s := range given {
			out = append(out, s.Metrics["points"].String())
		}
		assert.Equal(t, Int(3), given[0].Metrics["kills"])
		return out
	}
	assert.Equal(t, []string{"1", "1", "0", "0", "3", "0"}, points(&Points{Win: Int(3), Draw: Int(1)}))
	assert.Equal(t, []string{"0.5", "0.5", "-1", "-1", "1", "0"}, points(&Points{Win: Int(1), Draw: Decimal("0.5"), Loss: Int(-1)}))
	assert.Equal(t, []string{"25", "25", "0", "0", "25", "25"}, points(&Points{ByRank: []Number{Int(25), Int(18)}}))
	assert.Equal(t, []string{"", "", "", "", "", ""}, points(nil))
}

func BenchmarkRank(b *testing.B) {
	mode := Rules{Modes: []Mode{{ID: "m"}}}.withDefaults().Modes[0]
	for _, n := range []int{2, 20, 200} {
		roster := make([]Standing, n)
		for i := range roster {
			roster[i] = Standing{Player: fmt.Sprint(i), Status: Finished, Outcome: Int(int64(i * 7919 % n)), seat: i}
		}
		b.Run(fmt.Sprint("players=", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rank(mode, roster, nil)
			}
		})
	}
}
