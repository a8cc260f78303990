package finalbell

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawLevels draws tables of some markers, whose rewards may be of these markers again.
func drawLevels(t *rapid.T) progression {
	var r Rules
	for _, marker := range []string{"fame", "xp"}[:rapid.IntRange(1, 2).Draw(t, "tables")] {
		l := Level{Marker: marker, Rewards: make(map[string][]Reward)}
		l.Thresholds = rapid.SliceOfNDistinct(rapid.Int64Range(0, 40), 1, 5, rapid.ID[int64]).Draw(t, "thresholds")
		slices.Sort(l.Thresholds)
		for level, threshold := range l.Thresholds {
			if threshold == 0 {
				continue
			}
			l.Rewards[fmt.Sprint(level+1)] = rapid.SliceOfN(rapid.SampledFrom([]Reward{
				{Item: "hat", Amount: 1}, {Marker: "xp", Amount: 3}, {Marker: "xp", Amount: 20}, {Marker: "fame", Amount: 10}, {Marker: "luck", Amount: 1},
			}), 0, 2).Draw(t, "rewards")
		}
		r.Levels = append(r.Levels, l)
	}
	r = r.withDefaults()
	require.NoError(t, r.Validate())
	return newProgression(r)
}

func drawMarkerGains(t *rapid.T, label string) []markerGain {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) markerGain {
		return markerGain{marker: rapid.SampledFrom([]string{"xp", "xp", "fame"}).Draw(t, "marker"), amount: rapid.Int64Range(1, 15).Draw(t, "amount")}
	}), 0, 5).Draw(t, label)
}

func climbed(t require.TestingT, p progression, f facts, gains []markerGain) (facts, []levelReward) {
	f, ups, err := p.climb(f, gains)
	require.NoError(t, err)
	return f, given(ups)
}

func given(ups []levelUp) []levelReward {
	var all []levelReward
	for _, up := range ups {
		all = append(all, up.rewards...)
	}
	return all
}

// byLevel puts rewards into an order of their own.
func byLevel(rewards []levelReward) []levelReward {
	return slices.SortedFunc(slices.Values(rewards), func(a, b levelReward) int {
		return cmp.Or(cmp.Compare(a.marker, b.marker), cmp.Compare(a.level, b.level), cmp.Compare(a.index, b.index))
	})
}

// What a player has in the end, and was given for levels, does not depend on the order of the gains.
func TestLevelsDoNotDependOnTheOrderOfGains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, gains := drawLevels(t), drawMarkerGains(t, "gains")
		want, rewards := climbed(t, p, facts{}, gains)
		var f facts
		var all []levelReward
		for _, g := range rapid.Permutation(gains).Draw(t, "order") {
			next, got := climbed(t, p, f, []markerGain{g})
			f, all = next, append(all, got...)
		}
		require.Equal(t, encoded(t, want), encoded(t, f))
		require.Equal(t, byLevel(rewards), byLevel(all))
	})
}

// Every level at or below which a marker stands was reached once, those from the start excepted, each before the next; and
// markers are the gains and the rewards.
func TestEveryLevelIsReachedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawLevels(t)
		markers, levels := make(map[string]int64), make(map[string]int)
		for _, l := range p.levels {
			levels[l.Marker] = l.level(0)
		}
		var f facts
		for range rapid.IntRange(0, 4).Draw(t, "matches") {
			gains := drawMarkerGains(t, "gains")
			next, ups, err := p.climb(f, gains)
			require.NoError(t, err)
			for _, g := range gains {
				markers[g.marker] += g.amount
			}
			for _, up := range ups {
				require.Equal(t, levels[up.marker]+1, up.level)
				levels[up.marker] = up.level
				for i, r := range up.rewards {
					require.Equal(t, levelReward{up.marker, up.level, i, r.reward}, r)
					if r.reward.Marker != "" {
						markers[r.reward.Marker] += r.reward.Amount
					}
				}
			}
			f = next
		}
		require.True(t, maps.Equal(markers, f.Markers))
		for _, l := range p.levels {
			reached := 0
			for _, threshold := range l.Thresholds {
				if threshold <= f.Markers[l.Marker] {
					reached++
				}
			}
			require.Equal(t, reached, levels[l.Marker])
			level, missing := p.levelOf(l.Marker, f.Markers[l.Marker])
			require.Equal(t, reached, level)
			if reached < len(l.Thresholds) {
				require.Equal(t, l.Thresholds[reached], f.Markers[l.Marker]+missing)
			} else {
				require.Zero(t, missing)
			}
		}
	})
}

// What is taken away, and falls with it, leaves what there would be without it.
func TestFallingIsAsIfItHadNotBeenGained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, stays, goes := drawLevels(t), drawMarkerGains(t, "stays"), drawMarkerGains(t, "goes")
		want, kept := climbed(t, p, facts{}, stays)
		f, all := climbed(t, p, facts{}, slices.Concat(goes, stays))
		before := encoded(t, f)
		got, lost, err := p.fall(f, goes, rapid.Permutation(all).Draw(t, "order"))
		require.NoError(t, err)
		require.Equal(t, encoded(t, want), encoded(t, got))
		require.Equal(t, byLevel(all), byLevel(slices.Concat(kept, lost)))
		require.Equal(t, before, encoded(t, f), "whoever has facts in hand keeps them as they are")
	})
}

func TestClimbingLeavesTheFactsOfBeforeAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawLevels(t)
		f, _ := climbed(t, p, facts{}, drawMarkerGains(t, "before"))
		before := encoded(t, f)
		climbed(t, p, f, drawMarkerGains(t, "gains"))
		require.Equal(t, before, encoded(t, f))
	})
}

// A gain is the product of metric and amount rounded down, and never less than nothing; what does not fit is refused.
func TestAGainIsTheProductRoundedDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(1, mostGiven)).Draw(t, "amount")
		n := rapid.SampledFrom([]Number{{}, Int(0), Int(3), Int(-3), Decimal("0.1"), Decimal("2.75"), Int(maxUnits), Decimal("1023.999999999"), Decimal("-0.5")}).Draw(t, "kills")
		s := Standing{Player: "ann"}
		if n.Known() {
			s.Metrics = map[string]Number{"kills": n}
		}
		gains, err := Mode{XP: []Gain{{"xp", "kills", amount}}}.gains(s)
		product := new(big.Rat).Mul(n.rat(), new(big.Rat).SetInt64(amount))
		want := new(big.Int).Div(product.Num(), product.Denom())
		switch {
		case want.Sign() <= 0:
			require.NoError(t, err)
			require.Empty(t, gains)
		case !want.IsInt64():
			require.ErrorIs(t, err, ErrOutcome)
			require.ErrorContains(t, err, `"ann": kills `+n.String()+` overflows marker "xp"`)
		default:
			require.NoError(t, err)
			require.Equal(t, []markerGain{{0, "xp", want.Int64()}}, gains)
		}
	})
}

func TestGainsThatJustFit(t *testing.T) {
	for _, c := range []struct {
		amount int64
		kills  string
		want   int64 // 0: refused
	}{
		{10, "0.1", 1},
		{10, "0.19", 1},
		{mostGiven, "1023.999999999", 9223372036845768608},
		{mostGiven, "1023", 9214364837600034816},
		{mostGiven, "1024", 0},
	} {
		gains, err := Mode{XP: []Gain{{"xp", "kills", c.amount}}}.gains(Standing{Metrics: map[string]Number{"kills": Decimal(c.kills)}})
		if c.want == 0 {
			require.ErrorIs(t, err, ErrOutcome, c)
			continue
		}
		require.NoError(t, err, c)
		require.Equal(t, []markerGain{{0, "xp", c.want}}, gains, c)
	}
}

func TestAMarkerThatOverflowsIsRefused(t *testing.T) {
	p := newProgression(Rules{Levels: []Level{{Marker: "fame", Thresholds: []int64{1}, Rewards: map[string][]Reward{"1": {{Marker: "xp", Amount: 1}}}}}}.withDefaults())
	f := facts{Markers: map[string]int64{"xp": math.MaxInt64}}
	for _, gain := range []string{"xp", "fame"} {
		_, _, err := p.climb(f, []markerGain{{marker: gain, amount: 1}})
		require.ErrorIs(t, err, ErrOutcome)
		require.ErrorContains(t, err, `marker "xp" overflows`)
		require.Equal(t, facts{Markers: map[string]int64{"xp": math.MaxInt64}}, f)
	}
	_, _, err := p.fall(facts{Markers: map[string]int64{"xp": math.MinInt64}}, nil, []levelReward{{"fame", 1, 0, Reward{Marker: "xp", Amount: 1}}})
	require.ErrorIs(t, err, ErrOutcome)
}

// New tables are for what is reached from then on: a level is not rewarded twice because its threshold rose, nor lost
// because the table has it no longer.
func TestLevelsWhoseTableChanges(t *testing.T) {
	table := func(thresholds ...int64) progression {
		return newProgression(Rules{Levels: []Level{{Marker: "xp", Thresholds: thresholds, Rewards: map[string][]Reward{"2": {{Item: "hat", Amount: 1}}}}}}.withDefaults())
	}
	gain := []markerGain{{marker: "xp", amount: 30}}
	f, rewards := climbed(t, table(10, 20), facts{}, gain)
	require.Len(t, rewards, 1)
	again, more := climbed(t, table(10, 50), f, gain)
	require.Empty(t, more)
	require.Equal(t, map[string]int{"xp": 2}, again.Levels)
	_, more = climbed(t, table(10, 20), facts{Markers: map[string]int64{"xp": 500}}, gain)
	require.Equal(t, rewards, more, "who had enough before there was a table is given the rewards with the next gain")
	for _, c := range []struct {
		what  string
		table progression
		lost  []levelReward
		level int // the highest that is not rewarded again
	}{
		{"the same table", table(10, 20), rewards, 0},
		{"a lower one", table(10, 15), rewards, 0},
		{"one by which a little is enough", table(1, 5), nil, 2},
		{"a raised one", table(10, 50), nil, 2},
		{"one without the level", table(10), nil, 2},
		{"none", progression{}, nil, 2},
	} {
		left, lost, err := c.table.fall(f, []markerGain{{marker: "xp", amount: 25}}, rewards)
		require.NoError(t, err)
		require.ElementsMatch(t, c.lost, lost, c.what)
		require.Equal(t, c.level, left.Levels["xp"], c.what)
	}
}
