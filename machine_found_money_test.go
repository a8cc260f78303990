package finalbell_test

import (
	"context"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/stretchr/testify/require"
)

// What the machine of money has found, each by a name of its own.

// purse is a mode in which the first wins 70 coins of the house.
func purse() finalbell.Rules {
	return finalbell.Rules{
		Currencies: []finalbell.Currency{{ID: "coins"}},
		Modes:      []finalbell.Mode{{ID: "match", AutoStart: true, Prizes: []finalbell.Prize{{ID: "first", From: 1, To: 1, Currency: "coins", Amount: 70}}}},
	}
}

func wins(t *testing.T, game *finalbelltest.Game, id string, outcomes ...finalbell.Outcome) {
	t.Helper()
	var players []string
	for _, o := range outcomes {
		players = append(players, o.Player)
	}
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: id, Mode: "match", Players: finalbell.Players(players...)})
	require.NoError(t, err)
	_, err = game.Engine.End(t.Context(), id, outcomes...)
	require.NoError(t, err)
}

// Who owes what a voided prize had repaid pays it at once with what they have since got: nobody has money and owes it.
func TestADebtThatComesBackIsPaidOutOfWhatIsThere(t *testing.T) {
	game := finalbelltest.New(t, purse())
	spend := finalbell.Money{Player: "ann", Currency: "coins", Amount: 70}
	wins(t, game, "m1", finalbell.Score("ann", 1))
	_, err := game.Engine.Debit(t.Context(), spend)
	require.NoError(t, err)
	_, err = game.Engine.Void(t.Context(), "m1", "")
	require.NoError(t, err)
	wins(t, game, "m2", finalbell.Score("ann", 1)) // repays the debt
	_, err = game.Engine.Credit(t.Context(), spend)
	require.NoError(t, err)
	_, err = game.Engine.Void(t.Context(), "m2", "")
	require.NoError(t, err)
	w, err := game.Engine.Wallet(t.Context(), "ann")
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"coins": 0}, w.Balances)
	require.Empty(t, w.Owed)
}

// A window that is due is closed before a match in it is voided: its standings stay.
func TestVoidClosesFirstWhatIsDue(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards = []string{"daily"}
	rules.Boards = []finalbell.BoardRule{{ID: "daily", Keys: []finalbell.Key{{Metric: "wins"}}, Window: finalbell.WindowRule{Every: finalbell.Daily}}}
	for _, revise := range []func(*finalbell.Engine) (finalbell.Match, error){
		func(e *finalbell.Engine) (finalbell.Match, error) { return e.Void(t.Context(), "m1", "") },
		func(e *finalbell.Engine) (finalbell.Match, error) { return e.Amend(t.Context(), "m1", "") },
	} {
		game := finalbelltest.New(t, rules)
		wins(t, game, "m1", finalbell.Score("ann", 1))
		game.Clock.Advance(24 * time.Hour)
		_, err := revise(game.Engine)
		require.NoError(t, err)
		page, err := game.Engine.Board("daily").Window("2026-03-02").Top(t.Context(), 0)
		require.NoError(t, err)
		finalbelltest.RequireRanks(t, page, "1 ann")
	}
}

// An amended match tells where it has taken its players as it stands now, also after a restart.
func TestAnAmendedMatchTellsItsRankMovesAfterwards(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards = []string{"table"}
	rules.Boards = []finalbell.BoardRule{{ID: "table", Keys: []finalbell.Key{{Metric: "outcome"}}}}
	game := finalbelltest.New(t, rules)
	wins(t, game, "m1", finalbell.Score("ann", 2), finalbell.Score("bob", 1))
	amended, err := game.Engine.Amend(t.Context(), "m1", "", finalbell.Score("ann", 2), finalbell.Score("bob", 3))
	require.NoError(t, err)
	require.Equal(t, "bob", amended.Standings[0].Player)
	require.Equal(t, 2, amended.Standings[0].Boards[0].OldRank)
	require.Equal(t, 1, amended.Standings[0].Boards[0].Rank)
	for range 2 {
		m, err := game.Engine.Match(t.Context(), "m1")
		require.NoError(t, err)
		for i, s := range m.Standings {
			require.Equal(t, amended.Standings[i].Boards, s.Boards)
		}
		game.Reopen(t)
	}
	_, err = game.Engine.Void(t.Context(), "m1", "")
	require.NoError(t, err)
	game.Reopen(t)
	voided, err := game.Engine.Match(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, amended.Standings[0].Boards, voided.Standings[0].Boards)
}

// A match that ended before the first season had begun counts in none, also when it is amended in the same millisecond.
func TestAMatchBeforeTheFirstSeasonIsAmendedIntoNoWindow(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards = []string{"seasons"}
	rules.Boards = []finalbell.BoardRule{{ID: "seasons", Keys: []finalbell.Key{{Metric: "outcome"}}, Window: finalbell.WindowRule{Every: finalbell.Season}}}
	game := finalbelltest.New(t, rules)
	wins(t, game, "m1", finalbell.Score("ann", 2))
	_, err := game.Engine.Board("seasons").BeginSeason(t.Context(), "one")
	require.NoError(t, err)
	m, err := game.Engine.Amend(t.Context(), "m1", "", finalbell.Score("ann", 3))
	require.NoError(t, err)
	require.Empty(t, m.Standings[0].Boards)
	windows, err := game.Engine.Board("seasons").Windows(t.Context())
	require.NoError(t, err)
	require.Len(t, windows, 1)
	require.Zero(t, windows[0].Size)
}

// What is wrong with a report is said before who cannot pay.
func TestAWrongOutcomeIsRefusedBeforeAMissingFee(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards, rules.Modes[0].Fee = []string{"table"}, &finalbell.Fee{Currency: "coins", Amount: 5}
	rules.Boards = []finalbell.BoardRule{{ID: "table", Keys: []finalbell.Key{{Metric: "outcome"}}}}
	game := finalbelltest.New(t, rules)
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "match", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	_, err = game.Engine.End(t.Context(), "m1", finalbell.Score("ann", finalbell.Decimal("0.5")))
	require.ErrorIs(t, err, finalbell.ErrOutcome)
	_, err = game.Engine.End(t.Context(), "m1", finalbell.Score("ann", 1))
	require.ErrorIs(t, err, finalbell.ErrUnpaid)
	m, err := game.Engine.Match(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, finalbell.Created, m.State)
	require.Empty(t, m.Standings[0].Boards)
}

// A match that is amended to no contest has nothing to do with boards any more, and one that was late stays late.
func TestWhatAnAmendedMatchSaysOfBoards(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards = []string{"daily", "table"}
	rules.Boards = []finalbell.BoardRule{
		{ID: "daily", Keys: []finalbell.Key{{Metric: "outcome"}}, Window: finalbell.WindowRule{Every: finalbell.Daily}},
		{ID: "table", Keys: []finalbell.Key{{Metric: "outcome"}}},
	}
	game := finalbelltest.New(t, rules)
	yesterday := game.Engine.At(game.Clock.Now().Add(-24 * time.Hour))
	for _, id := range []string{"m1", "m2"} {
		_, err := yesterday.Create(t.Context(), finalbell.NewMatch{ID: id, Mode: "match", Players: finalbell.Players("ann")})
		require.NoError(t, err)
		_, err = yesterday.End(t.Context(), id, finalbell.Score("ann", 1))
		require.NoError(t, err)
	}
	m, err := game.Engine.Amend(t.Context(), "m1", "", finalbell.Score("ann", 2))
	require.NoError(t, err)
	require.Len(t, m.Standings[0].Boards, 2)
	require.True(t, m.Standings[0].Boards[0].Late)
	require.Equal(t, "table", m.Standings[0].Boards[1].Board)
	_, err = game.Engine.Amend(t.Context(), "m1", "", finalbell.Score("ann", finalbell.Decimal("0.5")))
	require.ErrorIs(t, err, finalbell.ErrOutcome)
	m, err = game.Engine.Amend(t.Context(), "m1", "")
	require.NoError(t, err)
	require.True(t, m.NoContest)
	require.Empty(t, m.Standings[0].Boards)
}

// Verify follows an amendment by which a player comes into a window in which nobody was.
func TestVerifyFollowsAnAmendmentIntoAnEmptyWindow(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards, rules.Modes[0].Unfinished.Boards = []string{"table"}, finalbell.Exclude
	rules.Boards = []finalbell.BoardRule{{ID: "table", Keys: []finalbell.Key{{Metric: "outcome"}}}}
	game := finalbelltest.New(t, rules)
	wins(t, game, "m1", finalbell.Outcome{Player: "ann", Status: finalbell.DNF})
	_, err := game.Engine.Amend(t.Context(), "m1", "", finalbell.Score("ann", 1))
	require.NoError(t, err)
	found, err := game.Engine.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
}

// Who did not finish ranks behind who did as in every style, also among those who close up behind a bot.
func TestThoseWhoDidNotFinishCloseUpToTheRankThatTheyHaveInEveryStyle(t *testing.T) {
	rules := purse()
	mode := &rules.Modes[0]
	mode.Ties, mode.Bots.Prizes, mode.Unfinished.Prizes = finalbell.Modified, finalbell.PassDown, finalbell.Include
	mode.Prizes = []finalbell.Prize{{ID: "second", From: 2, To: 2, Currency: "coins", Amount: 10}}
	game := finalbelltest.New(t, rules)
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "match", Players: []finalbell.Participant{
		{Player: "robot", Bot: true}, {Player: "bob"}, {Player: "cat"}, {Player: "dan"},
	}})
	require.NoError(t, err)
	m, err := game.Engine.End(t.Context(), "m1", finalbell.Score("robot", 3), finalbell.Score("bob", 2))
	require.NoError(t, err)
	for _, s := range m.Standings {
		require.Len(t, s.Grants, map[string]int{"cat": 1, "dan": 1}[s.Player], s.Player)
	}
}

// A level that the prizes of one partition bring is of that partition.
func TestALevelReachedByAPrizeOfAWindowIsOfItsPartition(t *testing.T) {
	rules := purse()
	rules.Modes[0].Boards = []string{"daily"}
	rules.Boards = []finalbell.BoardRule{{ID: "daily", Keys: []finalbell.Key{{Metric: "outcome"}}, Window: finalbell.WindowRule{Every: finalbell.Daily},
		Partition: &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "country"}, Prizes: []finalbell.Prize{{ID: "xp", From: 1, Marker: "xp", Amount: 10}}}}
	rules.Levels = []finalbell.Level{{Marker: "xp", Thresholds: []int64{10}, Rewards: map[string][]finalbell.Reward{"1": {{Item: "hat"}}}}}
	game := finalbelltest.New(t, rules)
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "match", Players: []finalbell.Participant{
		{Player: "ann", Attributes: map[string]string{"country": "de"}}, {Player: "bob", Attributes: map[string]string{"country": "se"}},
	}})
	require.NoError(t, err)
	_, err = game.Engine.End(t.Context(), "m1", finalbell.Score("ann", 1), finalbell.Score("bob", 2))
	require.NoError(t, err)
	game.Clock.Advance(24 * time.Hour)
	_, err = game.Engine.Tick(t.Context())
	require.NoError(t, err)
	of := make(map[string]string)
	for g, err := range game.Engine.Grants(t.Context(), finalbell.GrantFilter{Board: "daily"}) {
		require.NoError(t, err)
		of[g.Player+" "+g.What] = g.Partition
	}
	require.Equal(t, map[string]string{"ann xp": "de", "ann hat": "de", "bob xp": "se", "bob hat": "se"}, of)
}

// A report is kept as an event too if its match is cancelled while it is on its way.
func TestAReportThatIsOvertakenByACancelIsKept(t *testing.T) {
	var game *finalbelltest.Game
	game = finalbelltest.New(t, purse(), func(o *finalbell.Options) {
		o.Hooks.Before = func(ctx context.Context, c *finalbell.Call) error {
			if c.Op != "end match" {
				return nil
			}
			_, err := game.Engine.Cancel(ctx, "m1", "rain")
			return err
		}
	})
	_, err := game.Engine.Create(t.Context(), finalbell.NewMatch{ID: "m1", Mode: "match", Players: finalbell.Players("ann")})
	require.NoError(t, err)
	_, err = game.Engine.End(t.Context(), "m1", finalbell.Score("ann", 1))
	require.ErrorIs(t, err, finalbell.ErrCancelled)
	var kinds []string
	for event, err := range game.Store.Events(t.Context(), 0) {
		require.NoError(t, err)
		kinds = append(kinds, event.Kind)
	}
	require.Equal(t, []string{"match_created", "match_cancelled", "report_refused"}, kinds)
}
