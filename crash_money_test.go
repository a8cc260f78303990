package finalbell_test

import (
	"context"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest/faulty"
	"github.com/stretchr/testify/require"
)

const slice = 5 // prizes of a window that one commit pays

// cupRules have something of everything that money does.
func cupRules() finalbell.Rules {
	return finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "coins"}, {ID: "gems", Shortfall: finalbell.ShortfallFloor}},
		Modes: []finalbell.Mode{{
			ID: "cup", AutoStart: true, Boards: []string{"daily"},
			Fee: &finalbell.Fee{Currency: "coins", Amount: 10, HousePercent: finalbell.Int(10)},
			Prizes: []finalbell.Prize{
				{ID: "pool", From: 1, To: 3, Shares: []finalbell.Number{finalbell.Int(50), finalbell.Int(30), finalbell.Int(20)}},
				{ID: "gem", From: 1, To: 2, Currency: "gems", Amount: 2, Ties: finalbell.PoolPrize, Claim: true, Expires: time.Hour},
			},
			XP: []finalbell.Gain{{Amount: 4}, {Metric: "wins", Amount: 8}},
		}},
		Boards: []finalbell.BoardRule{{
			ID: "daily", Keys: []finalbell.Key{{Metric: "outcome"}}, Window: finalbell.WindowRule{Every: finalbell.Daily},
			Prizes: []finalbell.Prize{{ID: "coins for all", From: 1, Currency: "coins", Amount: 3}, {ID: "honour for all", From: 1, Marker: "honour", Amount: 5}},
		}},
		Levels:       []finalbell.Level{{Marker: "xp", Thresholds: []int64{0, 10, 16}, Rewards: map[string][]finalbell.Reward{"2": {{Currency: "coins", Amount: 1}, {Marker: "xp", Amount: 6}}, "3": {{Currency: "gems", Amount: 1}}}}},
		Achievements: []finalbell.Achievement{{ID: "winner", Metric: "wins", Threshold: finalbell.Int(1), Revoke: true, Rewards: []finalbell.Reward{{Currency: "gems", Amount: 5}}}},
	}
}

// crash is an engine on a store that fails and its model.
type crash struct {
	*machine
	t *testing.T
}

// newCrash has played m1 and created m2, of which everybody's fee is held. Some of the first prize is spent.
func newCrash(t *testing.T) *crash {
	m := &machine{rules: cupRules(), clock: finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)), failing: &failing{data: memory.New()}}
	m.model = finalbelltest.NewModel(m.rules, m.clock.Now)
	c := &crash{m, t}
	c.reopen()
	t.Cleanup(func() { _ = c.engine.Close() })
	players := []string{"ann", "bob", "cat", "dan", "eve", "fay"}
	for _, player := range players {
		c.both(paying("credit", finalbell.Money{Player: player, Currency: "coins", Amount: 20, Key: "to " + player}))
	}
	for _, id := range []string{"m1", "m2"} {
		c.doing(step{
			func(e *finalbell.Engine) error {
				_, err := e.Create(t.Context(), finalbell.NewMatch{ID: id, Mode: "cup", Players: finalbell.Players(players...)})
				return err
			},
			func(m *finalbelltest.Model) error {
				_, err := m.Create(finalbell.NewMatch{ID: id, Mode: "cup", Players: finalbell.Players(players...)})
				return err
			},
		})
	}
	c.doing(ends("m1", 6, 5, 4, 3, 2, 1))
	c.both(paying("debit", finalbell.Money{Player: "ann", Currency: "coins", Amount: 20, Key: "spent"}))
	c.doing(claims("ann", "match/m1/gem/ann"))
	return c
}

// step is a call of both.
type step struct {
	engine func(*finalbell.Engine) error
	model  func(*finalbelltest.Model) error
}

func scores(values []int64) []finalbell.Outcome {
	var outcomes []finalbell.Outcome
	for i, player := range []string{"ann", "bob", "cat", "dan", "eve", "fay"} {
		outcomes = append(outcomes, finalbell.Score(player, values[i]))
	}
	return outcomes
}

func ends(id string, values ...int64) step {
	return step{
		func(e *finalbell.Engine) error {
			_, err := e.End(context.Background(), id, scores(values)...)
			return err
		},
		func(m *finalbelltest.Model) error { _, err := m.End(id, scores(values)...); return err },
	}
}

func amends(id string, values ...int64) step {
	return step{
		func(e *finalbell.Engine) error {
			_, err := e.Amend(context.Background(), id, "", scores(values)...)
			return err
		},
		func(m *finalbelltest.Model) error { _, err := m.Amend(id, "", scores(values)...); return err },
	}
}

func claims(player, grant string) step {
	return step{
		func(e *finalbell.Engine) error { _, err := e.Claim(context.Background(), player, grant); return err },
		func(m *finalbelltest.Model) error { _, err := m.Claim(player, grant); return err },
	}
}

func ticks() step {
	return step{
		func(e *finalbell.Engine) error { _, err := e.Tick(context.Background()); return err },
		func(m *finalbelltest.Model) error { m.Tick(); return nil },
	}
}

func (c *crash) both(on either[finalbell.Receipt]) {
	c.doing(step{
		func(e *finalbell.Engine) error { _, err := on.engine(e); return err },
		func(m *finalbelltest.Model) error { _, err := on.model(m); return err },
	})
}

func (c *crash) doing(s step) {
	c.t.Helper()
	require.NoError(c.t, s.engine(c.engine))
	require.NoError(c.t, s.model(c.model))
}

func (c *crash) reopen() {
	e, err := finalbell.New(context.Background(), c.failing.open(), c.rules, finalbell.WithPayslice(finalbell.Options{Now: c.clock.Now}, slice))
	require.NoError(c.t, err)
	c.engine = e
}

// Wherever the process ends while money moves, it has moved as before the call or as after it, and the call again, or the
// next tick, makes it as after.
func TestTheProcessMayEndAtEveryWriteThatMovesMoney(t *testing.T) {
	for _, x := range []struct {
		name    string
		later   time.Duration
		step    step
		commits int // at least
	}{
		{"end", 0, ends("m2", 1, 2, 2, 2, 5, 5), 1},
		{"end after a window was due", 24 * time.Hour, ends("m2", 1, 2, 2, 2, 5, 5), 2},
		{"close", 24 * time.Hour, ticks(), 6},
		{"lapse", time.Hour, ticks(), 1},
		{"void", 0, step{
			func(e *finalbell.Engine) error { _, err := e.Void(context.Background(), "m1", ""); return err },
			func(m *finalbelltest.Model) error { _, err := m.Void("m1", ""); return err },
		}, 1},
		{"amend", 0, amends("m1", 1, 2, 3, 4, 5, 6), 1},
		{"amend after a window was due", 24 * time.Hour, amends("m1", 1, 2, 3, 4, 5, 6), 2},
		{"claim", 0, claims("bob", "match/m1/gem/bob"), 1},
		{"cancel", 0, step{
			func(e *finalbell.Engine) error { _, err := e.Cancel(context.Background(), "m2", ""); return err },
			func(m *finalbelltest.Model) error { _, err := m.Cancel("m2", ""); return err },
		}, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			for writes := 0; ; writes++ {
				hit := false
				for _, written := range []bool{false, true} {
					c := newCrash(t)
					c.clock.Advance(x.later)
					hit = c.ends(x.step, writes, written) || hit
				}
				if !hit {
					require.GreaterOrEqual(t, writes, x.commits)
					return
				}
			}
		})
	}
}

// ends ends the process at one write of a step, before it or after it, and reports whether there was such a write.
func (c *crash) ends(s step, writes int, written bool) bool {
	t := c.t
	before := c.model.Clone()
	c.failing.arm("Commit", writes, faulty.Fault{Stop: true, Done: written})
	err := s.engine(c.engine)
	require.NoError(t, s.model(c.model))
	hit := c.failing.hit()
	c.failing.disarm()
	if hit {
		require.Error(t, err)
		c.reopen()
		c.isWhole(before)
		err = s.engine(c.engine)
	}
	require.NoError(t, err)
	c.doing(ticks()) // which pays the rest of a window, if it was to be paid
	c.same()
	c.checkBooks(t, c.failing.data)
	c.checkHouse(t, c.failing.data)
	found, err := c.engine.Verify(context.Background())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	return hit
}

// same holds the engine against the model, but for rank moves, which a crash takes back, and for the number of commits,
// of which a window that is paid in slices takes more.
func (c *crash) same() {
	c.model.RequireMoney(c.t, c.engine)
	for m, err := range c.engine.Matches(context.Background(), finalbell.MatchFilter{}) {
		require.NoError(c.t, err)
		require.True(c.t, c.model.Recover(m), m.ID)
	}
	entries, err := c.model.Board("daily").Window("2026-03-02").Entries()
	require.NoError(c.t, err)
	page, err := c.engine.Board("daily").Window("2026-03-02").Top(context.Background(), 0)
	require.NoError(c.t, err)
	require.Equal(c.t, len(entries), len(page.Entries))
	for i, e := range entries {
		require.Equal(c.t, e.Player, page.Entries[i].Player)
		require.Equal(c.t, e.Rank, page.Entries[i].Rank)
	}
}

// isWhole holds an engine that was opened after a crash against the states that it may be in: those between one thing
// that was to be done and the next. Of a window's prizes the first slices are paid.
func (c *crash) isWhole(before *finalbelltest.Model) {
	t := c.t
	c.checkBooks(t, c.failing.data)
	paid := 0
	for g, err := range c.engine.Grants(context.Background(), finalbell.GrantFilter{Board: "daily"}) {
		require.NoError(t, err)
		if g.Rule == "coins for all" || g.Rule == "honour for all" {
			paid++
		}
	}
	if paid > 0 && paid < 12 {
		require.Zero(t, paid%slice)
		return
	}
	states := append([]*finalbelltest.Model{before}, before.Ticks()...)
	states = append(states, before.Closings(c.model)...)
	states = append(states, c.model)
	var problems []string
	for _, state := range states {
		problem := state.DiffMoney(c.engine)
		if problem == "" {
			return
		}
		problems = append(problems, problem)
	}
	t.Fatalf("after a crash the engine is in none of %d states: %v", len(states), problems)
}
