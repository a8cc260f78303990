package finalbell

import (
	"cmp"
	"fmt"
	"maps"
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
	often := []Status{Finished, Finished, Finished}
	if rapid.IntRange(0, 3).Draw(t, "few finish") == 0 {
		often = nil
	}
	few := rapid.SampledFrom([]Number{Int(-1), Int(0), Int(1), Decimal("1.5"), Decimal("0.000000001"), Int(maxUnits)})
	for i := range roster {
		s := Standing{Player: fmt.Sprint("p", i), seat: i, Bot: rapid.Bool().Draw(t, "bot")}
		s.Status = rapid.SampledFrom(append(often, statuses...)).Draw(t, "status")
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

// drawAccepted gives every side a rank of its own, as a report may: within the roster, and one at least is first.
func drawAccepted(t *rapid.T, mode Mode, roster []Standing, teams map[string]Number) {
	sides := naiveSides(mode, roster, teams)
	first := rapid.IntRange(0, len(sides)-1).Draw(t, "who is first")
	for i, s := range sides {
		reported := rapid.IntRange(1, len(roster)).Draw(t, "reported rank")
		if i == first {
			reported = 1
		}
		for _, m := range s.members {
			roster[m].reported = reported
		}
	}
}

// naiveResults are the results of the sides by definition, and whether the match is a draw.
func naiveResults(mode Mode, roster []Standing, sides []naive) ([]Result, bool) {
	var leaders []int
	for i, a := range sides {
		if a.score == nil || mode.Ranks != AcceptRanks && mode.Ties == Ordinal && len(leaders) == 1 {
			continue
		}
		leads := !slices.ContainsFunc(sides, func(b naive) bool {
			if mode.Ranks == AcceptRanks {
				return b.score != nil && roster[b.members[0]].reported < roster[a.members[0]].reported
			}
			return b.better(mode, a)
		})
		if leads {
			leaders = append(leaders, i)
		}
	}
	results := make([]Result, len(sides))
	for i := range results {
		switch {
		case len(sides) == 1 || len(leaders) == 0:
			results[i] = None
		case !slices.Contains(leaders, i):
			results[i] = Loss
		case len(leaders) == 1:
			results[i] = Win
		default:
			results[i] = Draw
		}
	}
	return results, len(sides) > 1 && len(leaders) == len(sides)
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

// Positions are 1, 2, 3 … each once, in the order of the ranks; sides that are equal stand in the order of the
// roster, and so do the members of a team, together.
func TestPositionsAreAPermutationInRankOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		standings, _ := rank(mode, roster, teams)
		require.Len(t, standings, len(roster))
		first := make(map[int]int) // by seat: the seat of the first member of its side
		for _, side := range naiveSides(mode, roster, teams) {
			for _, m := range side.members {
				first[m] = side.members[0]
			}
		}
		for i, s := range standings {
			assert.Equal(t, i+1, s.Position)
			if i == 0 {
				continue
			}
			before := standings[i-1]
			assert.GreaterOrEqual(t, s.Rank, before.Rank)
			if s.Rank == before.Rank {
				listed := cmp.Or(cmp.Compare(first[before.seat], first[s.seat]), cmp.Compare(before.seat, s.seat))
				assert.Negative(t, listed, "%s before %s", before.Player, s.Player)
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

// places is what a ranking says of everybody, by position.
func places(standings []Standing) (out []string) {
	for _, s := range standings {
		out = append(out, fmt.Sprint(s.Player, " ", s.Rank, " ", s.Position, " ", s.Result))
	}
	return out
}

func negated(n Number) Number {
	if !n.Known() {
		return n
	}
	return fromUnits(-n.units, int(n.scale))
}

// Multiplying every outcome by ten and adding seven changes nothing.
func TestMonotoneRescalingChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, _ := drawRanking(t)
		mode.Teams = nil // a sum does not scale with its parts
		rescaled := slices.Clone(roster)
		for i := range rescaled {
			if n := rescaled[i].Outcome; n.Known() && n != Int(maxUnits) {
				rescaled[i].Outcome = fromUnits(n.units*10+7*pow10(int(n.scale)), int(n.scale))
			}
		}
		want, draw := rank(mode, roster, nil)
		got, again := rank(mode, rescaled, nil)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
	})
}

// Negating every number and turning every direction round changes nothing.
func TestTheOtherOrderOfNegatedNumbersChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		want, draw := rank(mode, roster, teams)
		other := map[Order]Order{Desc: Asc, Asc: Desc}
		mode.Order = other[mode.Order]
		for i := range mode.TieBreak {
			mode.TieBreak[i].Order = other[mode.TieBreak[i].Order]
		}
		for i := range roster {
			roster[i].Outcome = negated(roster[i].Outcome)
			for name, n := range roster[i].Metrics {
				roster[i].Metrics[name] = negated(n)
			}
		}
		for team, n := range teams {
			teams[team] = negated(n)
		}
		got, again := rank(mode, roster, teams)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
	})
}

// A number with another status than finished, and a non-finisher's tie-breaks, never rank.
func TestNumbersOfNonFinishersNeverRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, _ := drawRanking(t)
		mode.Teams = nil // a member's metrics count for the team, whoever finished
		want, draw := rank(mode, roster, nil)
		for i := range roster {
			if roster[i].Status != Finished {
				roster[i].Outcome = rapid.SampledFrom([]Number{{}, Int(maxUnits), Int(-maxUnits)}).Draw(t, "other outcome")
				roster[i].Metrics = map[string]Number{"metric0": Int(int64(i)), "metric1": Int(int64(-i))}
			}
		}
		got, again := rank(mode, roster, nil)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
	})
}

// Bots are opponents: who is one changes nothing.
func TestBotsAreOpponents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		want, draw := rank(mode, roster, teams)
		for i := range roster {
			roster[i].Bot = !roster[i].Bot
		}
		got, again := rank(mode, roster, teams)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
	})
}

// Teams tie as players do: teams of one stand as their only players would.
func TestTeamsOfOneStandAsPlayersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, _ := drawRanking(t)
		mode.Teams = nil
		want, draw := rank(mode, roster, nil)
		mode.Teams = &Teams{Fold: rapid.SampledFrom([]TeamFold{TeamSum, TeamMean, TeamBest}).Draw(t, "fold")}
		for i := range roster {
			roster[i].Team = roster[i].Player
		}
		got, again := rank(mode, roster, nil)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
	})
}

// What is ranked belongs to the caller and stays as it was.
func TestRankChangesNothingThatItIsGiven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		before, scores := slices.Clone(roster), maps.Clone(teams)
		for i := range before {
			before[i].Metrics = maps.Clone(before[i].Metrics)
		}
		standings, _ := rank(mode, roster, teams)
		standings[0].Player = "changed"
		assert.Equal(t, before, roster)
		assert.Equal(t, scores, teams)
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
			for _, other := range [][]Standing{dense, ordinal, modified} {
				assert.Equal(t, standard[i].Player, other[i].Player)
			}
			assert.LessOrEqual(t, dense[i].Rank, standard[i].Rank)
			assert.LessOrEqual(t, standard[i].Rank, ordinal[i].Rank)
			assert.LessOrEqual(t, ordinal[i].Rank, modified[i].Rank)
			if mode.Teams == nil && standard[i].Status == Finished {
				assert.Equal(t, i+1, ordinal[i].Rank)
			} else if mode.Teams == nil {
				assert.Equal(t, dense[i].Rank, modified[i].Rank, "a non-finisher's rank is the same in every style")
			}
			for j := range standard {
				same := standard[i].Rank == standard[j].Rank
				assert.Equal(t, same, dense[i].Rank == dense[j].Rank)
				assert.Equal(t, same, modified[i].Rank == modified[j].Rank)
			}
		}
	})
}

// Those who finished with nobody better before them lead: one leader wins, several draw, the rest lose; it is a
// draw if nobody is behind. Alone, or when nobody finished, nobody has a result.
func TestResultsFollowFromWhoLeads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		if rapid.Bool().Draw(t, "accept") {
			mode.Ranks = AcceptRanks
			drawAccepted(t, mode, roster, teams)
		}
		sides := naiveSides(mode, roster, teams)
		want, drawn := naiveResults(mode, roster, sides)
		standings, draw := rank(mode, roster, teams)
		assert.Equal(t, drawn, draw)
		got := inRosterOrder(standings)
		wins := 0
		for i, side := range sides {
			for _, m := range side.members {
				assert.Equal(t, want[i], got[m].Result, "result of %s", roster[m].Player)
			}
			if want[i] == Win {
				wins++
			}
		}
		assert.LessOrEqual(t, wins, 1)
	})
}

// Accepted ranks are the ranks, whatever the outcomes say; among equal ones the order is ours.
func TestAcceptedRanksAreTheRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		drawAccepted(t, mode, roster, teams)
		want, _ := rank(mode, roster, teams)
		slices.SortStableFunc(want, func(a, b Standing) int { return cmp.Compare(a.reported, b.reported) })
		mode.Ranks = AcceptRanks
		got, _ := rank(mode, roster, teams)
		for i, s := range got {
			assert.Equal(t, s.reported, s.Rank)
			assert.Equal(t, i+1, s.Position)
			assert.Equal(t, want[i].Player, s.Player)
		}
	})
}

// A mode that computes ranks as if none were reported, and refuses those that differ, naming every such player.
func TestReportedRanksAreOnlyCheckedWhereOursCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		want, draw := rank(mode, roster, teams)
		if rapid.Bool().Draw(t, "as they are") {
			for _, s := range want {
				roster[s.seat].reported = s.Rank
			}
		} else {
			drawAccepted(t, mode, roster, teams)
		}
		got, again := rank(mode, roster, teams)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
		var differ []string
		for _, s := range got {
			if s.reported != s.Rank {
				differ = append(differ, s.Player)
			}
		}
		err := checkReported(mode, got)
		if differ == nil {
			assert.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, ErrOutcome)
		assert.Equal(t, differ, failed("end match", "m", err).(*Error).IDs)
	})
}

// Without reported ranks a mode that accepts them computes.
func TestNoRanksToAcceptLeaveOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		want, draw := rank(mode, roster, teams)
		mode.Ranks = AcceptRanks
		got, again := rank(mode, roster, teams)
		assert.Equal(t, places(want), places(got))
		assert.Equal(t, draw, again)
	})
}

func BenchmarkRank(b *testing.B) {
	mode := usual()
	for _, n := range []int{2, 20, 200} {
		whole, decimals := make([]string, n), make([]string, n)
		for i := range n {
			whole[i] = fmt.Sprint(i * 7919 % n)
			decimals[i] = whole[i] + "." + "125"[:i%4]
			if i%4 == 0 {
				decimals[i] = whole[i]
			}
		}
		for _, c := range []struct {
			name   string
			roster []Standing
		}{{"whole", scores(whole...)}, {"decimals", scores(decimals...)}} {
			b.Run(fmt.Sprint("players=", n, "/", c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					rank(mode, c.roster, nil)
				}
			})
		}
	}
}
