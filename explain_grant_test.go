package finalbell_test

import (
	"context"
	"math/big"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/finalbell/finalbell"
)

// requireStandings ranks every side again from what is printed of it and the one above.
func (g *paidGame) requireStandings(t *rapid.T) {
	for m, err := range g.Engine.Matches(context.Background(), finalbell.MatchFilter{}) {
		require.NoError(t, err)
		for _, s := range m.Standings {
			x, err := g.Engine.ExplainStanding(context.Background(), m.ID, s.Player)
			require.NoError(t, err)
			printed := jsonOf(t, x)
			require.Empty(t, x.Differs, printed)
			require.Equal(t, []any{s.Rank, s.Position, s.Result}, []any{x.Rank, x.Position, x.Result})
			if s.Rank == 0 {
				require.Contains(t, []string{"no_contest", "not_ended"}, x.Reason)
				continue
			}
			requireScore(t, x.Fold, x.Order, *x.Side)
			require.Equal(t, x.Rank, x.Side.Rank)
			require.Equal(t, x.Result, x.Side.Result)
			requireReason(t, x)
			if x.Above == nil {
				require.Equal(t, 1, x.Side.Position, printed)
				require.True(t, x.Accepted || x.Rank == 1 || x.Ties == finalbell.Modified, printed)
				continue
			}
			tied := requireAbove(t, x)
			if !x.Accepted && !tied {
				require.Less(t, x.Above.Rank, x.Rank, printed)
			}
			if !x.Accepted && tied && (x.Ties != finalbell.Ordinal || !x.Side.Finished) {
				require.Equal(t, x.Above.Rank, x.Rank, printed)
			}
		}
	}
}

// requireScore folds the members that count.
func requireScore(t *rapid.T, fold finalbell.TeamFold, order finalbell.Order, side finalbell.SideExplanation) {
	if side.Team == "" || side.Reported || !side.Finished {
		return
	}
	var score *big.Rat
	n := int64(0)
	for _, m := range side.Members {
		if !m.Counts {
			continue
		}
		v := rational(t, m.Outcome)
		n++
		switch {
		case score == nil:
			score = v
		case fold != finalbell.TeamBest:
			score.Add(score, v)
		case score.Cmp(v) < 0 == (order == finalbell.Desc):
			score = v
		}
	}
	if fold == finalbell.TeamMean {
		score.Quo(score, big.NewRat(n, 1))
	}
	require.Equal(t, score.RatString(), exactly(t, side.Score).RatString())
}

func exactly(t *rapid.T, x finalbell.Exact) *big.Rat {
	r, ok := new(big.Rat).SetString(x.String())
	require.True(t, ok)
	return r
}

// requireAbove compares a side with the one above, and reports whether nothing but the roster tells them apart.
func requireAbove(t *rapid.T, x finalbell.StandingExplanation) (tied bool) {
	a, b := *x.Above, *x.Side
	if a.Decided == "reported" {
		require.True(t, x.Accepted)
		require.Less(t, a.Given, b.Given)
		return false
	}
	if a.Finished != b.Finished {
		require.True(t, a.Finished)
		require.Equal(t, "finished", a.Decided)
		return false
	}
	if !a.Finished {
		require.Equal(t, a.Status != b.Status, a.Decided == "status")
		return a.Status == b.Status
	}
	compare := func(order finalbell.Order, u, v finalbell.Exact) int {
		switch {
		case u.String() == v.String():
			return 0
		case u.String() == "":
			return -1
		case v.String() == "":
			return 1
		}
		c := exactly(t, u).Cmp(exactly(t, v))
		if order == finalbell.Asc {
			return -c
		}
		return c
	}
	if c := compare(x.Order, a.Score, b.Score); c != 0 {
		require.Equal(t, "outcome", a.Decided)
		require.Positive(t, c)
		return false
	}
	for i, breaks := range x.TieBreak {
		if c := compare(breaks.Order, a.Breaks[i], b.Breaks[i]); c != 0 {
			require.Equal(t, "tie_break", a.Decided)
			require.Equal(t, i, a.Break)
			require.Positive(t, c)
			return false
		}
	}
	require.Equal(t, "roster", a.Decided)
	return true
}

func requireReason(t *rapid.T, x finalbell.StandingExplanation) {
	want := map[string]finalbell.Result{"alone_first": finalbell.Win, "shares_first": finalbell.Draw, "behind_first": finalbell.Loss,
		"not_finished": finalbell.Loss, "one_side": finalbell.None, "nobody_finished": finalbell.None}
	require.Equal(t, want[x.Reason], x.Result)
	require.Equal(t, x.Sides == 1, x.Reason == "one_side")
	require.Equal(t, x.Sides > 1 && x.Finishers == 0, x.Reason == "nobody_finished")
}

// requireGrants works the amount of every grant out again.
func (g *paidGame) requireGrants(t *rapid.T) {
	for gr, err := range g.Engine.Grants(context.Background(), finalbell.GrantFilter{}) {
		require.NoError(t, err)
		x, err := g.Engine.ExplainGrant(context.Background(), gr.ID)
		require.NoError(t, err)
		printed := jsonOf(t, x)
		require.Empty(t, x.Differs, printed)
		require.Equal(t, gr, x.Grant)
		switch {
		case x.Prize != nil:
			requirePrize(t, *x.Prize, gr.Amount, printed)
		case x.Gain != nil:
			product := new(big.Rat).Mul(rational(t, x.Gain.Value), big.NewRat(x.Gain.Rule.Amount, 1))
			require.Equal(t, new(big.Int).Quo(product.Num(), product.Denom()).Int64(), gr.Amount, printed)
		case x.Achievement != nil:
			requireAchievement(t, *x.Achievement, printed)
		case x.Level != nil:
			if x.Level.ReachedBy == "" {
				require.True(t, g.revised, "only what was given anew tells no longer what it was: %s", printed)
				break
			}
			require.True(t, x.Level.Was < x.Level.Threshold && x.Level.Threshold <= x.Level.Became, printed)
		default:
			t.Fatalf("nothing explains %s", printed)
		}
		requireHistory(t, x, printed)
	}
}

func requirePrize(t *rapid.T, x finalbell.PrizeExplanation, amount int64, printed string) {
	total := int64(0)
	for _, place := range x.Places {
		total += place.Amount
		require.True(t, place.Worth >= x.From && (x.To == 0 || place.Worth <= x.To), printed)
		require.True(t, place.Place >= x.First && place.Place <= x.Last, printed)
	}
	require.Equal(t, total, x.Total, printed)
	n := int64(x.Among)
	got, odd := total/n, total%n
	if int64((x.Index-x.Odd+x.Among)%x.Among) < odd {
		got++
	}
	require.Equal(t, amount, got, printed)
	require.Equal(t, amount, x.Amount)
	if x.Pool == nil {
		require.Empty(t, x.Rule.Shares)
		return
	}
	p := x.Pool
	require.Equal(t, int64(p.Payers)*p.Fee.Amount, p.Fees)
	house := new(big.Rat).Mul(big.NewRat(p.Fees, 100), rational(t, p.Fee.HousePercent))
	require.Equal(t, new(big.Int).Quo(house.Num(), house.Denom()).Int64()+int64(p.Payers)*p.Fee.HouseFlat, p.HouseFee, printed)
	require.Equal(t, p.Fees-p.HouseFee, p.Pool)
	all, left := new(big.Rat), p.Pool
	for _, s := range p.Shares {
		all.Add(all, rational(t, s.Percent))
	}
	parts := make([]int64, len(p.Shares))
	for i, s := range p.Shares {
		part := new(big.Rat).Mul(big.NewRat(p.Pool, 1), rational(t, s.Percent))
		part.Quo(part, all)
		parts[i] = new(big.Int).Quo(part.Num(), part.Denom()).Int64()
		left -= parts[i]
	}
	for i, s := range p.Shares {
		if int64(i) < left {
			parts[i]++
		}
		require.Equal(t, parts[i], s.Amount, printed)
	}
}

// requireAchievement follows the value through the matches that made it.
func requireAchievement(t *rapid.T, x finalbell.AchievementExplanation, printed string) {
	require.NotEmpty(t, x.Matches, printed)
	before := ""
	for _, m := range x.Matches {
		require.Equal(t, before, m.Before.String(), printed)
		value := rational(t, m.Value)
		was := new(big.Rat)
		if before != "" {
			was = rational(t, m.Before)
		}
		switch {
		case x.Rule.Type == finalbell.Streak:
			require.Positive(t, value.Sign())
			was.Add(was, big.NewRat(1, 1))
		case x.Rule.Type == finalbell.Once && x.Rule.Metric == "kills":
			was = value
		default:
			was.Add(was, value)
		}
		if before = m.After.String(); before == "" {
			require.Zero(t, was.Sign())
			continue
		}
		require.Equal(t, was.RatString(), rational(t, m.After).RatString(), printed)
	}
	require.Equal(t, x.Value.String(), before)
	require.GreaterOrEqual(t, rational(t, x.Value).Cmp(rational(t, x.Rule.Threshold)), 0, printed)
	require.Equal(t, x.Match, x.Matches[len(x.Matches)-1].Match)
}

// requireHistory adds up what the lines of the grant did to its player.
func requireHistory(t *rapid.T, x finalbell.GrantExplanation, printed string) {
	sum := int64(0)
	for _, l := range x.History {
		require.Equal(t, x.Grant.ID, l.Grant)
		if l.Account == "player:"+x.Grant.Player || l.Account == "escrow:"+x.Grant.Player {
			sum += l.Amount
		}
	}
	if x.Grant.Kind != finalbell.CurrencyGrant {
		require.Empty(t, x.History)
		return
	}
	require.NotEmpty(t, x.History, printed)
	switch x.Grant.State {
	case finalbell.GrantGranted, finalbell.GrantPending:
		require.Equal(t, x.Grant.Amount, sum, printed)
	case finalbell.GrantExpired, finalbell.GrantRevoked:
		require.Zero(t, sum, printed)
	}
}
