package finalbell_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// What an explanation prints gives, by arithmetic done here, the ranks, results and amounts that are stored: of every
// entry of every window, of every standing and of every grant of random games with money, some of their matches voided
// or amended.
func TestAnExplanationAddsUpToWhatIsStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newPaidGame(t)
		for range rapid.IntRange(1, 10).Draw(t, "matches") {
			g.play(t)
			rapid.SampledFrom([]func(*rapid.T){g.wait, g.wait, g.revise, g.claim, g.hide, g.season, g.reopen}).Draw(t, "between")(t)
		}
		g.requireRanks(t)
		g.requireStandings(t)
		g.requireGrants(t)
	})
}

// paidGame is an engine by rules with money.
type paidGame struct {
	*finalbelltest.Game
	ids     []string
	seasons int
	revised bool
}

func newPaidGame(t *rapid.T) *paidGame {
	rules := withMoney(t, finalbelltest.Rules().Draw(t, "rules"))
	require.NoError(t, rules.Validate())
	g := &paidGame{Game: finalbelltest.New(t, rules)}
	for _, player := range []string{"ann", "bob", "cat", "dan", "eve", "fay"} {
		_, err := g.Engine.Credit(context.Background(), finalbell.Money{Player: player, Currency: "coins", Amount: 100, Key: player})
		require.NoError(t, err)
	}
	return g
}

// withMoney adds fees, prizes, gains, achievements and levels to rules.
func withMoney(t *rapid.T, r finalbell.Rules) finalbell.Rules {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
	ties := func() finalbell.PrizeTies {
		return finalbell.PrizeTies(pick("prize ties", "", "full", "pool", "down_only", "tie_break"))
	}
	r.Currencies = []finalbell.Currency{{ID: "coins", Shortfall: finalbell.Shortfall(pick("shortfall", "debt", "floor"))}}
	for i := range r.Modes {
		m := &r.Modes[i]
		m.XP = []finalbell.Gain{{Amount: 10}, {Metric: "kills", Amount: 3}}
		m.Bots.Prizes = finalbell.Policy(pick("bots' prizes", "", "include", "pass_down"))
		m.Unfinished.Prizes = finalbell.Policy(pick("unfinished prizes", "", "include"))
		if rapid.Bool().Draw(t, "fee") {
			m.Fee = &finalbell.Fee{Currency: "coins", Amount: int64(rapid.IntRange(2, 9).Draw(t, "amount")), HouseFlat: int64(rapid.IntRange(0, 1).Draw(t, "flat")),
				HousePercent: finalbell.Decimal(pick("percent", "0", "10", "33.3"))}
			m.Prizes = append(m.Prizes, finalbell.Prize{ID: "pot", From: 1, Shares: []finalbell.Number{finalbell.Int(50), finalbell.Decimal("33.3"), finalbell.Int(10)}, Ties: ties()})
		}
		for _, p := range []finalbell.Prize{
			{ID: "first", From: 1, To: 2, Currency: "coins", Amount: 7}, {ID: "third", From: 3, Currency: "coins", Amount: 2, Claim: true, Expires: 30 * time.Hour},
			{ID: "best half", Percent: finalbell.Int(50), Item: "hat"}, {ID: "learned", From: 1, To: 1, Marker: "xp", Amount: 15}, {ID: "deed", From: 2, To: 2, Custom: "deed"},
		} {
			if p.Ties = ties(); rapid.Bool().Draw(t, "prize") {
				m.Prizes = append(m.Prizes, p)
			}
		}
	}
	for i := range r.Boards {
		if r.Boards[i].Of != finalbell.OfTeams {
			r.Boards[i].Prizes = []finalbell.Prize{{ID: "half", Percent: finalbell.Int(50), Currency: "coins", Amount: 3, Ties: ties()}, {ID: "cup", From: 1, To: 1, Item: "cup", Ties: ties()}}
		}
	}
	for i, a := range []finalbell.Achievement{
		{ID: "wins", Metric: "wins", Threshold: finalbell.Int(2), Rewards: []finalbell.Reward{{Currency: "coins", Amount: 4}, {Marker: "xp", Amount: 5}}},
		{ID: "row", Metric: "wins", Type: finalbell.Streak, Threshold: finalbell.Int(2)},
		{ID: "kills", Metric: "kills", Type: finalbell.Cumulative, Threshold: finalbell.Decimal("3.5"), Window: finalbell.Daily},
		{ID: "kill", Metric: "kills", Threshold: finalbell.Decimal("2.5")}, {ID: "podium", Rank: 2, Threshold: finalbell.Int(3)},
	} {
		a.Revoke = rapid.Bool().Draw(t, "revoke"+fmt.Sprint(i))
		r.Achievements = append(r.Achievements, a)
	}
	r.Levels = []finalbell.Level{{Marker: "xp", Thresholds: []int64{0, 20, 55}, Rewards: map[string][]finalbell.Reward{
		"2": {{Currency: "coins", Amount: 5}}, "3": {{Item: "badge"}, {Marker: "xp", Amount: 10}},
	}}}
	return r
}

// play plays a match that somebody may not be able to pay, or that may be reported late.
func (g *paidGame) play(t *rapid.T) {
	ctx := context.Background()
	n := finalbelltest.NewMatch(g.Rules).Draw(t, "match")
	n.ID = fmt.Sprint("m", len(g.ids)+1)
	at := g.Clock.Now()
	if rapid.IntRange(1, 3).Draw(t, "earlier") == 3 {
		at = at.Add(-time.Duration(rapid.IntRange(1, 60).Draw(t, "hours")) * time.Hour)
	}
	e := g.Engine.At(at)
	if _, err := e.Create(ctx, n); err != nil {
		return
	}
	if _, err := e.Start(ctx, n.ID); err != nil {
		return
	}
	mode := g.Rules.Modes[slices.IndexFunc(g.Rules.Modes, func(m finalbell.Mode) bool { return m.ID == n.Mode })]
	if _, err := e.End(ctx, n.ID, finalbelltest.Outcomes(mode, n.Players).Draw(t, "outcomes")...); err == nil {
		g.ids = append(g.ids, n.ID)
	}
}

func (g *paidGame) wait(t *rapid.T) {
	g.Clock.Advance(time.Duration(rapid.SampledFrom([]int{0, 1, 5, 26, 24 * 8}).Draw(t, "hours")) * time.Hour)
	_, err := g.Engine.Tick(context.Background())
	require.NoError(t, err)
}

// revise voids a match, or amends it.
func (g *paidGame) revise(t *rapid.T) {
	if len(g.ids) == 0 {
		return
	}
	g.revised = true
	id := rapid.SampledFrom(g.ids).Draw(t, "revised")
	if rapid.Bool().Draw(t, "void") {
		_, _ = g.Engine.Void(context.Background(), id, "cheated") // it may have been voided
		return
	}
	m, err := g.Engine.Match(context.Background(), id)
	require.NoError(t, err)
	mode := g.Rules.Modes[slices.IndexFunc(g.Rules.Modes, func(mode finalbell.Mode) bool { return mode.ID == m.Mode })]
	mode.WalkIns = false
	var roster []finalbell.Participant
	for _, s := range m.Standings {
		roster = append(roster, finalbell.Participant{Player: s.Player, Team: s.Team, Bot: s.Bot})
	}
	_, _ = g.Engine.Amend(context.Background(), id, "score sheet", finalbelltest.Outcomes(mode, roster).Draw(t, "amended")...)
}

func (g *paidGame) claim(t *rapid.T) {
	for gr, err := range g.Engine.Grants(context.Background(), finalbell.GrantFilter{States: []finalbell.GrantState{finalbell.GrantPending}}) {
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "claim") {
			_, _ = g.Engine.Claim(context.Background(), gr.Player, gr.ID) // what is custom waits for the host
		}
	}
}

func (g *paidGame) hide(t *rapid.T) {
	g.eachEntry(t, func(b *finalbell.Board, entry finalbell.Entry) {
		if rapid.IntRange(1, 8).Draw(t, "hide") == 8 {
			_ = b.Hide(context.Background(), entry.Player, "cheated") // a window that is final says no
		}
	})
}

func (g *paidGame) season(*rapid.T) {
	g.seasons++
	for _, b := range g.Rules.Boards {
		_, _ = g.Engine.Board(b.ID).BeginSeason(context.Background(), fmt.Sprint("season ", g.seasons)) // not every board has any
	}
}

func (g *paidGame) reopen(t *rapid.T) { g.Reopen(t) }

// eachEntry visits every entry of every window.
func (g *paidGame) eachEntry(t *rapid.T, visit func(b *finalbell.Board, entry finalbell.Entry)) {
	ctx := context.Background()
	for _, rule := range g.Rules.Boards {
		windows, err := g.Engine.Board(rule.ID).Windows(ctx)
		require.NoError(t, err)
		for _, w := range windows {
			b := g.Engine.Board(rule.ID).Window(w.ID)
			partitions := []string{""}
			if rule.Partition != nil {
				partitions, err = b.Partitions(ctx)
				require.NoError(t, err)
			}
			for _, partition := range partitions {
				page, err := b.Partition(partition).Top(ctx, 1000)
				require.NoError(t, err)
				for _, entry := range page.Entries {
					visit(b.Partition(partition), entry)
				}
			}
		}
	}
}

// requireRanks adds the results of every entry up and compares it with its neighbours.
func (g *paidGame) requireRanks(t *rapid.T) {
	g.eachEntry(t, func(b *finalbell.Board, entry finalbell.Entry) {
		x, err := b.Explain(context.Background(), entry.Player)
		require.NoError(t, err)
		printed, err := json.Marshal(x)
		require.NoError(t, err)
		require.Empty(t, x.Differs, "%s", printed)
		require.Equal(t, []int{entry.Rank, entry.Position}, []int{x.Rank, x.Position})
		require.Len(t, x.Keys, len(entry.Values))
		for i, key := range x.Keys {
			require.Equal(t, jsonOf(t, entry.Values[i]), jsonOf(t, key.Value))
			require.Equal(t, jsonOf(t, key.Value), folded(t, key.Rule, i, x.Inputs), "key %d of %s", i, printed)
			requireDropped(t, key.Rule, i, x.Inputs)
		}
		require.True(t, slices.ContainsFunc(x.Inputs, func(in finalbell.InputExplanation) bool { return in.Moment == x.Reached }), "%s", printed)
		position, rank := 1, 1
		if above := x.Above; above != nil {
			position, rank = above.Position+1, above.Position+1
			requireDecided(t, x, above.Values, above.Reached, above.Decided, above.Key, 1)
			if above.Decided == "moment" && x.Ties == finalbell.ShareRank {
				rank = above.Rank
			}
		}
		require.Equal(t, []int{position, rank}, []int{x.Position, x.Rank}, "%s", printed)
		if below := x.Below; below != nil {
			requireDecided(t, x, below.Values, below.Reached, below.Decided, below.Key, -1)
		}
		require.Equal(t, x.Position < x.Size, x.Below != nil)
	})
}

// folded is what the counting results come to under a key.
func folded(t *rapid.T, key finalbell.Key, i int, inputs []finalbell.InputExplanation) string {
	sum, n, places := new(big.Rat), int64(0), []int64{}
	for _, in := range inputs {
		v := in.Keys[i]
		if !v.Counts {
			require.NotEmpty(t, v.Why)
			continue
		}
		n++
		if key.Fold != finalbell.FoldCountback {
			sum.Add(sum, rational(t, v.Value.Number))
			continue
		}
		for at, count := range v.Value.Places {
			for len(places) <= at {
				places = append(places, 0)
			}
			places[at] += count
		}
	}
	switch key.Fold {
	case finalbell.FoldCountback:
		return jsonOf(t, finalbell.Value{Places: places})
	case finalbell.FoldMean:
		if n > 0 {
			sum = halfEven(sum.Quo(sum, big.NewRat(n, 1)), key.Scale)
		}
	case finalbell.FoldBest, finalbell.FoldWorst, finalbell.FoldFirst, finalbell.FoldLatest:
		require.LessOrEqual(t, n, int64(1), "one row is shown")
	}
	return jsonOf(t, finalbell.Value{Number: finalbell.Decimal(sum.FloatString(9))})
}

// halfEven rounds to so many decimals.
func halfEven(x *big.Rat, decimals int) *big.Rat {
	unit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
	x = new(big.Rat).Mul(x, unit)
	floor := new(big.Int).Div(x.Num(), x.Denom()) // Euclidean, and the denominator is positive
	rest := new(big.Rat).Sub(x, new(big.Rat).SetInt(floor))
	if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && floor.Bit(0) == 1 {
		floor.Add(floor, big.NewInt(1))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(floor), unit)
}

// requireDropped holds those that count as the best against those that do not.
func requireDropped(t *rapid.T, key finalbell.Key, i int, inputs []finalbell.InputExplanation) {
	most := 0
	for _, s := range key.Best {
		most += s.Count
	}
	counting := 0
	for _, in := range inputs {
		require.True(t, in.Keys[i].Why != "dropped" || most > 0)
		if in.Keys[i].Counts {
			counting++
		}
		if in.Keys[i].Why != "dropped" || len(key.Best) > 1 {
			continue
		}
		for _, other := range inputs {
			if other.Keys[i].Counts {
				require.GreaterOrEqual(t, better(t, key.Order, other.Keys[i].Value.Number, in.Keys[i].Value.Number), 0)
			}
		}
	}
	require.True(t, most == 0 || counting <= most)
}

// better is positive if a is, 0 if they are equal.
func better(t *rapid.T, order finalbell.Order, a, b finalbell.Number) int {
	c := rational(t, a).Cmp(rational(t, b))
	if order == finalbell.Asc {
		return -c
	}
	return c
}

// requireDecided holds that the neighbour is better, or worse, by the key or the moment that is said to decide.
func requireDecided(t *rapid.T, x finalbell.RankExplanation, values []finalbell.Value, reached finalbell.MomentExplanation, decided string, key, side int) {
	for i := range x.Keys {
		own, theirs := x.Keys[i].Value, values[i]
		if decided == "key" && i == key {
			if x.Keys[i].Rule.Fold == finalbell.FoldCountback {
				require.Equal(t, side, slices.Compare(theirs.Places, own.Places)) // trailing zeros are cut, counts are not negative
			} else {
				require.Equal(t, side, better(t, x.Keys[i].Rule.Order, theirs.Number, own.Number))
			}
			return
		}
		require.Equal(t, jsonOf(t, own), jsonOf(t, theirs))
	}
	require.Equal(t, "moment", decided)
	earlier := reached.At.Before(x.Reached.At) || reached.At.Equal(x.Reached.At) &&
		(reached.Commit < x.Reached.Commit || reached.Commit == x.Reached.Commit && reached.Place < x.Reached.Place)
	require.Equal(t, side > 0, earlier)
}

func jsonOf(t *rapid.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func rational(t *rapid.T, n finalbell.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(n.String())
	require.True(t, ok, "%q", n)
	return r
}
