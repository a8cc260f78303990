package sqlite_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
)

// keptMoneyRules are those of the third schema: beside all of the second, duels for coins with prizes, experience, levels
// and achievements, and a board that pays.
func keptMoneyRules() finalbell.Rules {
	rules := keptWindowRules()
	rules.Currencies = []finalbell.Currency{{ID: "coins"}, {ID: "gems \"blue\"", Shortfall: finalbell.ShortfallFloor}}
	rules.Modes = append(rules.Modes, finalbell.Mode{ID: "duel", Boards: []string{"payday"},
		Fee: &finalbell.Fee{Currency: "coins", Amount: 100, HousePercent: finalbell.Int(10)},
		Prizes: []finalbell.Prize{
			{ID: "pot", From: 1, Shares: []finalbell.Number{finalbell.Int(70), finalbell.Int(30)}, Ties: finalbell.PoolPrize},
			{ID: "gem", From: 1, To: 1, Currency: "gems \"blue\"", Amount: 3, Claim: true, Expires: 24 * time.Hour},
			{ID: "cup", From: 1, To: 1, Item: "cup"},
		},
		XP: []finalbell.Gain{{Amount: 10}, {Metric: "wins", Amount: 40}}})
	rules.Boards = append(rules.Boards, finalbell.BoardRule{ID: "payday", Keys: []finalbell.Key{{Metric: "wins"}}, Window: finalbell.WindowRule{Every: finalbell.Daily},
		Prizes: []finalbell.Prize{{ID: "first", From: 1, To: 1, Currency: "coins", Amount: 50}, {ID: "all", From: 1, Marker: "fame", Amount: 1}}})
	rules.Levels = []finalbell.Level{{Marker: "xp", Thresholds: []int64{0, 50, 100}, Rewards: map[string][]finalbell.Reward{"2": {{Currency: "coins", Amount: 5}}, "3": {{Custom: "title \\ 日本", Amount: 1}}}}}
	rules.Achievements = []finalbell.Achievement{
		{ID: "two wins", Metric: "wins", Threshold: finalbell.Int(2), Type: finalbell.Cumulative, Revoke: true, Rewards: []finalbell.Reward{{Item: "badge", Amount: 2}}},
		{ID: "in a row", Metric: "wins", Threshold: finalbell.Int(2), Type: finalbell.Streak, Window: finalbell.Daily},
	}
	return rules
}

// writeMoney adds to a database of the second kind: fees held and in a pot, prizes claimed, expired and waiting, a window that
// paid, a match that was voided after its prize was spent, and one that was amended.
func writeMoney(t *testing.T, path string) {
	writeWindows(t, path)
	ctx := context.Background()
	clock := finalbelltest.NewClock(time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC))
	e, err := finalbell.Open(ctx, path, keptMoneyRules(), finalbell.Options{Now: clock.Now, MustExist: true})
	require.NoError(t, err)
	defer e.Close()
	for _, p := range []string{"ann", "bob", "日本"} {
		_, err := e.Credit(ctx, finalbell.Money{Player: p, Currency: "coins", Amount: 1000, Key: "welcome " + p})
		require.NoError(t, err)
	}
	playDuel(t, e, "duel 1", "ann", "bob")
	playDuel(t, e, "duel 2", "ann", "日本")
	_, err = e.Claim(ctx, "ann", "match/duel 1/gem/ann")
	require.NoError(t, err)
	_, err = e.Debit(ctx, finalbell.Money{Player: "ann", Currency: "coins", Amount: 1000, Key: "shop"})
	require.NoError(t, err)
	_, err = e.Void(ctx, "duel 1", "he \\ \"cheats\"")
	require.NoError(t, err)
	playDuel(t, e, "duel 3", "bob", "日本")
	_, err = e.Amend(ctx, "duel 3", "misread", finalbell.Score("bob", 1), finalbell.Score("日本", 2))
	require.NoError(t, err)
	_, err = e.Transfer(ctx, finalbell.Transfer{From: "bob", To: "çağla", Currency: "coins", Amount: 300, Key: "a gift"})
	require.NoError(t, err)
	clock.Advance(24 * time.Hour)
	_, err = e.Tick(ctx) // the day pays, and a gem that nobody claimed goes back
	require.NoError(t, err)
	playDuel(t, e, "duel 4", "bob", "çağla")
	_, err = e.Void(ctx, "duel 2", "too late for its day")
	require.NoError(t, err)
	_, err = e.Create(ctx, finalbell.NewMatch{ID: "held", Mode: "duel", Players: finalbell.Players("bob", "nobody")})
	require.NoError(t, err)
	_, err = e.Create(ctx, finalbell.NewMatch{ID: "in the pot", Mode: "duel", Players: finalbell.Players("bob", "日本")})
	require.NoError(t, err)
	_, err = e.Start(ctx, "in the pot")
	require.NoError(t, err)
	require.NoError(t, e.Close())
}

// playDuel plays one that the first wins.
func playDuel(t *testing.T, e *finalbell.Engine, id, winner, loser string) {
	t.Helper()
	ctx := context.Background()
	_, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players(loser, winner)})
	require.NoError(t, err)
	_, err = e.Start(ctx, id)
	require.NoError(t, err)
	_, err = e.End(ctx, id, finalbell.Score(winner, 2), finalbell.Score(loser, 1))
	require.NoError(t, err)
}

// playMoneyOn ends what is in the pot, and goes on with everything that moves money.
func playMoneyOn(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	ctx := context.Background()
	playWindowsOn(t, e)
	_, err := e.End(ctx, "in the pot", finalbell.Score("bob", 5), finalbell.Score("日本", 5))
	require.NoError(t, err)
	_, err = e.Start(ctx, "held")
	require.ErrorIs(t, err, finalbell.ErrUnpaid)
	_, err = e.Void(ctx, "duel 4", "why not")
	require.NoError(t, err)
	playDuel(t, e, "duel 5", "日本", "çağla")
	_, err = e.Claim(ctx, "日本", "match/duel 5/gem/日本")
	require.NoError(t, err)
}

// moneyContents is what an engine says of everything, money and progress too.
func moneyContents(e *finalbell.Engine) (string, error) {
	text, err := windowContents(e)
	if err != nil {
		return "", err
	}
	ctx := context.Background()
	var b strings.Builder
	b.WriteString(text)
	for l, err := range e.Postings(ctx, 0) {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%+v\n", l)
	}
	for g, err := range e.Grants(ctx, finalbell.GrantFilter{}) {
		if err != nil {
			return "", err
		}
		line, err := g.MarshalJSON()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	for _, p := range slices.Sorted(slices.Values([]string{"ann", "bob", "日本", "çağla", "nobody"})) {
		w, err := e.Wallet(ctx, p)
		if err != nil {
			return "", err
		}
		progress, err := e.Progress(ctx, p)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%+v\n%+v\n", w, progress)
	}
	for _, m := range []string{"duel 1", "duel 3"} {
		former, err := e.Revisions(ctx, m)
		if err != nil {
			return "", err
		}
		for _, f := range former {
			line, err := f.MarshalJSON()
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%s\n", line)
		}
	}
	return b.String(), nil
}
