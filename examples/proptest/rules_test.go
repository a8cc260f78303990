package proptest

import (
	"context"
	"os"
	"testing"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// record is what a player has done in a season.
type record struct {
	wins, draws, finished int
}

// season plays up to twenty random arena matches by our rules file and returns the board that they leave and
// what everybody but the bots has done. Every match is reported twice, as a client does whose connection broke.
func season(t *rapid.T) (finalbell.Page, map[string]record) {
	ctx := context.Background()
	text, err := os.ReadFile("rules.json")
	require.NoError(t, err)
	rules, err := finalbell.ParseRules(text)
	require.NoError(t, err)
	engine := finalbelltest.New(t, rules).Engine
	arena := rules.Modes[0]

	records := make(map[string]record)
	for range rapid.IntRange(1, 20).Draw(t, "matches") {
		roster := finalbelltest.Roster(arena).Draw(t, "roster")
		outcomes := finalbelltest.Outcomes(arena, roster).Draw(t, "outcomes")
		m, err := engine.Create(ctx, finalbell.NewMatch{Mode: arena.ID, Players: roster})
		require.NoError(t, err)
		_, err = engine.Start(ctx, m.ID)
		require.NoError(t, err)
		m, err = engine.End(ctx, m.ID, outcomes...)
		require.NoError(t, err)
		again, err := engine.End(ctx, m.ID, outcomes...)
		require.NoError(t, err)
		require.True(t, again.Replayed)
		for _, s := range m.Standings {
			if !m.NoContest && !s.Bot {
				records[s.Player] = records[s.Player].with(s)
			}
		}
	}
	found, err := engine.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	page, err := engine.Board("season").Top(ctx, 1000)
	require.NoError(t, err)
	return page, records
}

// with adds what a match made of the player.
func (r record) with(s finalbell.Standing) record {
	if s.Result == finalbell.Win {
		r.wins++
	}
	if s.Result == finalbell.Draw {
		r.draws++
	}
	if s.Status == finalbell.Finished {
		r.finished++
	}
	return r
}

// above calls f for every two players of whom the first has the better rank.
func above(page finalbell.Page, f func(a, b finalbell.Entry)) {
	for _, a := range page.Entries {
		for _, b := range page.Entries {
			if a.Rank < b.Rank {
				f(a, b)
			}
		}
	}
}

// Who has won more, and drawn no less, is never below.
func TestWinningMoreIsNeverWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		page, records := season(t)
		above(page, func(a, b finalbell.Entry) {
			x, y := records[a.Player], records[b.Player]
			if y.wins > x.wins && y.draws >= x.draws {
				t.Fatalf("%s %+v is above %s %+v", a.Player, x, b.Player, y)
			}
		})
	})
}

// Who never finished is never above anybody who has won.
func TestNobodyGetsPastAWinnerWithoutFinishing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		page, records := season(t)
		above(page, func(a, b finalbell.Entry) {
			if records[a.Player].finished == 0 && records[b.Player].wins > 0 {
				t.Fatalf("%s never finished and is above %s", a.Player, b.Player)
			}
		})
	})
}

// Everybody who has played is on the board, and no bot is.
func TestTheSeasonHasEveryPlayerAndNoBot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		page, records := season(t)
		require.Len(t, page.Entries, len(records))
		for _, e := range page.Entries {
			require.Contains(t, records, e.Player)
		}
	})
}
