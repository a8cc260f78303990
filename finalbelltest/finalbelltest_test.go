package finalbelltest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What Rules, NewMatch and Outcomes draw is taken as it comes, by an engine and by the model.
func TestWhatIsDrawnIsTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ctx := context.Background()
		rules := finalbelltest.Rules().Draw(t, "rules")
		game := finalbelltest.New(t, rules)
		model := finalbelltest.NewModel(rules, game.Clock.Now)
		n := finalbelltest.NewMatch(rules).Draw(t, "match")
		m, err := game.Engine.Create(ctx, n)
		require.NoError(t, err)
		want, err := model.Create(n)
		finalbelltest.RequireSame(t, m, nil, want, err)
		m, err = game.Engine.Start(ctx, m.ID)
		require.NoError(t, err)
		want, err = model.Start(m.ID)
		finalbelltest.RequireSame(t, m, nil, want, err)
		for _, mode := range rules.Modes {
			if mode.ID == n.Mode {
				outcomes := finalbelltest.Outcomes(mode, n.Players).Draw(t, "outcomes")
				m, err = game.Engine.End(ctx, m.ID, outcomes...)
				require.NoError(t, err)
				want, err = model.End(m.ID, outcomes...)
				finalbelltest.RequireSame(t, m, nil, want, err)
			}
		}
		model.Require(t, game.Engine)
	})
}

// A clone goes its own way, and Diff sees where the two part.
func TestDiffSeesAMatchThatOnlyOneHas(t *testing.T) {
	rules := finalbell.Rules{Modes: []finalbell.Mode{{ID: "duel"}}}
	game := finalbelltest.New(t, rules)
	model := finalbelltest.NewModel(rules, game.Clock.Now)
	ahead := model.Clone()
	n := finalbell.NewMatch{Mode: "duel", Players: finalbell.Players("ann", "bob")}
	want, err := ahead.Create(n)
	require.NoError(t, err)
	require.Empty(t, model.Diff(game.Engine))
	require.NotEmpty(t, ahead.Diff(game.Engine))
	got, err := game.Engine.Create(context.Background(), n)
	finalbelltest.RequireSame(t, got, err, want, nil)
	require.Empty(t, ahead.Diff(game.Engine))
	require.NotEmpty(t, model.Diff(game.Engine))
}

// An engine that New made is closed when its test is over, and one that was reopened has what was there.
func TestAGameLastsAsLongAsItsTest(t *testing.T) {
	ctx := context.Background()
	rules := finalbell.Rules{Modes: []finalbell.Mode{{ID: "duel"}}}
	var game *finalbelltest.Game
	t.Run("a test", func(t *testing.T) {
		game = finalbelltest.New(t, rules)
		m, err := game.Engine.Create(ctx, finalbell.NewMatch{Mode: "duel", Players: finalbell.Players("ann")})
		require.NoError(t, err)
		require.Equal(t, "id-1", m.ID)
		require.Equal(t, game.Clock.Now(), m.CreatedAt)
		game.Clock.Advance(time.Second)
		game.Reopen(t)
		again, err := game.Engine.Match(ctx, "id-1")
		require.NoError(t, err)
		require.Equal(t, m, again)
	})
	_, err := game.Engine.Match(ctx, "id-1")
	require.Equal(t, finalbell.ErrUnavailable, finalbelltest.KindOf(err))
}

// complaints is a test that fails without an end.
type complaints struct{ said []string }

func (c *complaints) Helper()        {}
func (c *complaints) Cleanup(func()) {}
func (c *complaints) Fatalf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

func TestRequireRanksShowsBothLists(t *testing.T) {
	page := finalbell.Page{Board: "table", Entries: []finalbell.Entry{{Rank: 1, Player: "ann"}, {Rank: 1, Player: "bob"}}}
	var c complaints
	finalbelltest.RequireRanks(&c, page, "1 ann", "1 bob")
	require.Empty(t, c.said)
	finalbelltest.RequireRanks(&c, page, "1 ann", "2 bob")
	require.Equal(t, []string{"board table has [1 ann, 1 bob], want [1 ann, 2 bob]"}, c.said)
}
