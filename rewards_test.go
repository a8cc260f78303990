package finalbell

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// drawAward draws a way of awarding points, by result or by rank, with unknown numbers in it.
func drawAward(t *rapid.T) Points {
	worth := rapid.SampledFrom([]Number{{}, Int(0), Int(3), Int(-1), Decimal("0.5")})
	if rapid.Bool().Draw(t, "by rank") {
		return Points{ByRank: rapid.SliceOfN(worth, 1, 5).Draw(t, "table")}
	}
	return Points{Win: worth.Draw(t, "win"), Draw: worth.Draw(t, "draw"), Loss: worth.Draw(t, "loss")}
}

// known0 is n, or 0 for what is unknown.
func known0(n Number) Number {
	if n.Known() {
		return n
	}
	return Int(0)
}

// Points go by result, where none gives 0, or to finishers by rank: the same to those who share one, 0 beyond
// the table. An unknown number is 0.
func TestPointsAreWhatTheModeAwards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		p := drawAward(t)
		mode.Points = &p
		standings, _ := rank(mode, roster, teams)
		awardPoints(mode, standings)
		for _, s := range standings {
			want := Int(0)
			switch {
			case len(p.ByRank) == 0:
				want = known0(map[Result]Number{Win: p.Win, Draw: p.Draw, Loss: p.Loss}[s.Result])
			case s.Status == Finished && s.Rank <= len(p.ByRank):
				want = known0(p.ByRank[s.Rank-1])
			}
			got, has := s.Metrics["points"]
			assert.True(t, has)
			assert.Equal(t, want, got, "points of %s", s.Player)
		}
	})
}

// Reported metrics and everything else about a standing stay as they were.
func TestAwardWritesPointsAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mode, roster, teams := drawRanking(t)
		p := drawAward(t)
		mode.Points = &p
		standings, _ := rank(mode, roster, teams)
		before := slices.Clone(standings)
		for i := range before {
			before[i].Metrics = maps.Clone(before[i].Metrics)
		}
		awardPoints(mode, standings)
		for i, s := range standings {
			metrics := maps.Clone(s.Metrics)
			delete(metrics, "points")
			assert.True(t, maps.Equal(before[i].Metrics, metrics))
			s.Metrics = before[i].Metrics
			assert.Equal(t, before[i], s)
		}
	})
}

func TestWithoutPointsNothingIsAwarded(t *testing.T) {
	reported := map[string]Number{"points": Int(9)}
	standings := []Standing{{Player: "ann", Rank: 1, Result: Win, Metrics: reported}, {Player: "bob", Rank: 2, Result: Loss}}
	want := slices.Clone(standings)
	awardPoints(usual(), standings)
	assert.Equal(t, want, standings)
	assert.Equal(t, map[string]Number{"points": Int(9)}, reported)
}

func TestThePointsOfTheSpecification(t *testing.T) {
	standings := []Standing{
		{Player: "a", Status: Finished, Rank: 1, Result: Draw}, {Player: "b", Status: Finished, Rank: 1, Result: Draw},
		{Player: "c", Status: Finished, Rank: 3, Result: Loss}, {Player: "d", Status: DNF, Rank: 4, Result: Loss},
		{Player: "e", Status: Finished, Rank: 1, Result: Win}, {Player: "f", Status: Finished, Rank: 1, Result: None},
		{Player: "g", Status: DNF, Rank: 1, Result: None}, {Player: "h", Status: Finished, Rank: 2, Result: Loss},
	}
	for _, c := range []struct {
		points Points
		want   []string
	}{
		{Points{Win: Int(3), Draw: Int(1)}, []string{"1", "1", "0", "0", "3", "0", "0", "0"}},
		{Points{Win: Int(1), Draw: Decimal("0.5"), Loss: Int(-1)}, []string{"0.5", "0.5", "-1", "-1", "1", "0", "0", "-1"}},
		{Points{}, []string{"0", "0", "0", "0", "0", "0", "0", "0"}},
		{Points{ByRank: []Number{Int(25), Int(18)}}, []string{"25", "25", "0", "0", "25", "25", "0", "18"}},
		{Points{ByRank: []Number{{}, Int(18), Int(15), Int(12)}}, []string{"0", "0", "15", "0", "0", "0", "0", "18"}},
	} {
		given := slices.Clone(standings)
		awardPoints(Mode{Points: &c.points}, given)
		for i, s := range given {
			assert.Equal(t, c.want[i], s.Metrics["points"].String(), fmt.Sprint(c.points, " to ", s.Player))
		}
	}
}
