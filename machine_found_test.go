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

// What the machines have found, each by a name of its own.

// crews is a mode of teams with points for the first, into which crews walk in.
func crews() finalbell.Rules {
	return finalbell.Rules{Modes: []finalbell.Mode{{
		ID: "crews", Teams: &finalbell.Teams{}, WalkIns: true, Points: &finalbell.Points{ByRank: []finalbell.Number{finalbell.Int(25)}},
	}}}
}

// started starts a match of the red crew alone.
func started(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	_, err := e.Create(context.Background(), finalbell.NewMatch{ID: "m1", Mode: "crews", Players: []finalbell.Participant{{Player: "ann", Team: "red"}}})
	require.NoError(t, err)
	_, err = e.Start(context.Background(), "m1")
	require.NoError(t, err)
}

func TestReportAndCancelIgnoreAt(t *testing.T) {
	game := finalbelltest.New(t, crews())
	started(t, game.Engine)
	for _, at := range []time.Time{game.Clock.Now().Add(time.Hour), game.Clock.Now().Add(-time.Hour), game.Clock.Now().Add(-time.Microsecond)} {
		_, err := game.Engine.At(at).Report(context.Background(), "m1", finalbell.Score("ann", 1))
		require.NoError(t, err)
	}
	m, err := game.Engine.At(game.Clock.Now().Add(time.Hour)).Cancel(context.Background(), "m1", "rain")
	require.NoError(t, err)
	require.Equal(t, game.Clock.Now(), m.EndedAt)
}

func TestATeamScoreMayComeBeforeTheWalkInWhoBringsTheTeam(t *testing.T) {
	game := finalbelltest.New(t, crews())
	started(t, game.Engine)
	blue, bob := finalbell.TeamScore("blue", 2), finalbell.Outcome{Player: "bob", Team: "blue"}
	m, err := game.Engine.End(context.Background(), "m1", blue, bob, finalbell.Score("ann", 1))
	require.NoError(t, err)
	require.Equal(t, "bob", m.Standings[0].Player)
	m, err = game.Engine.End(context.Background(), "m1", finalbell.Score("ann", 1), bob, blue)
	require.NoError(t, err)
	require.True(t, m.Replayed)
}

func TestALiveTeamScoreIsWorthTheSamePointsAsAFinalOne(t *testing.T) {
	game := finalbelltest.New(t, crews())
	started(t, game.Engine)
	live, err := game.Engine.Report(context.Background(), "m1", finalbell.TeamScore("red", 1))
	require.NoError(t, err)
	final, err := game.Engine.End(context.Background(), "m1", finalbell.TeamScore("red", 1))
	require.NoError(t, err)
	require.Equal(t, finalbell.Int(25), final.Standings[0].Metrics["points"])
	require.Equal(t, final.Standings[0].Metrics, live.Standings[0].Metrics)
}

func TestAStrangersTeamIsAsUnknownAsTheStranger(t *testing.T) {
	rules := crews()
	rules.Modes[0].WalkIns = false
	game := finalbelltest.New(t, rules)
	started(t, game.Engine)
	_, err := game.Engine.End(context.Background(), "m1", finalbell.Outcome{Player: "zoe", Team: "mauve"}, finalbell.TeamScore("mauve", 1))
	var refused *finalbell.Error
	require.ErrorAs(t, err, &refused)
	require.ErrorIs(t, err, finalbell.ErrUnknownPlayer)
	require.ElementsMatch(t, []string{"zoe", "mauve"}, refused.IDs)
}

// A match that ended before the call that begins a season, but in the same millisecond, counts in the season before
// and in no other, also when the new one is folded again.
func TestAMatchOfTheMillisecondInWhichASeasonBeginsCountsOnce(t *testing.T) {
	rules := league(finalbell.WindowRule{Every: finalbell.Season, Grace: time.Hour})
	rules.Boards[0].Keys[0].Best = finalbell.BestOf(5)
	game := finalbelltest.New(t, rules)
	b := game.Engine.Board("board-1")
	_, err := b.BeginSeason(t.Context(), "one")
	require.NoError(t, err)
	boundary := game.Clock.Advance(time.Second)
	playedAt(t, game.Engine, boundary, "ann")
	_, err = b.BeginSeason(t.Context(), "two")
	require.NoError(t, err)
	playedAt(t, game.Engine, game.Clock.Advance(time.Second), "ann")
	playedAt(t, game.Engine, boundary, "ann") // is not the latest, so all of the season are folded again
	require.Equal(t, []string{"ann 1"}, points(t, b, "one"))
	require.Equal(t, []string{"ann 2"}, points(t, b, "two"))
}

// A crash between the partitions of a window that are frozen leaves it whole all the same.
func TestAWindowOfWhichACrashLeftSomePartitionsFrozenIsWhole(t *testing.T) {
	rules := league(finalbell.WindowRule{Every: finalbell.Daily})
	rules.Boards[0].Partition = &finalbell.Partition{Of: finalbell.OfPlayer, Attribute: "country"}
	failing := &failing{data: memory.New()}
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	open := func() *finalbell.Engine {
		e, err := finalbell.New(t.Context(), failing.open(), rules, finalbell.Options{Now: clock.Now})
		require.NoError(t, err)
		return e
	}
	whole := func(e *finalbell.Engine) {
		b := e.Board("board-1").Window("2026-03-02")
		all, err := b.Windows(t.Context())
		require.NoError(t, err)
		require.Equal(t, 3, all[0].Size)
		partitions, err := b.Partitions(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{"de", "fr", "se"}, partitions)
		for _, partition := range partitions {
			require.Len(t, points(t, b.Partition(partition), "2026-03-02"), 1)
		}
	}
	e := open()
	_, err := e.Create(t.Context(), finalbell.NewMatch{ID: "m", Mode: "match", Players: []finalbell.Participant{
		{Player: "ann", Attributes: map[string]string{"country": "de"}},
		{Player: "bob", Attributes: map[string]string{"country": "fr"}},
		{Player: "cat", Attributes: map[string]string{"country": "se"}},
	}})
	require.NoError(t, err)
	_, err = e.End(t.Context(), "m", finalbell.Score("ann", 1), finalbell.Score("bob", 1), finalbell.Score("cat", 1))
	require.NoError(t, err)
	clock.Advance(24 * time.Hour)
	for writes := 0; ; writes++ { // of the close and of each slice
		failing.arm("Commit", writes, faulty.Fault{Stop: true})
		_, err := e.Tick(t.Context())
		e = open()
		failing.pause(true)
		whole(e)
		failing.pause(false)
		if err == nil {
			require.Greater(t, writes, 5)
			break
		}
	}
	whole(e)
}

// A bot that a board does not count has nothing that could come too late, even if its team has.
func TestVerifyAsksNoLateNoteOfABotWhoseTeamCameTooLate(t *testing.T) {
	rules := league(finalbell.WindowRule{Every: finalbell.Daily})
	rules.Boards[0].Of = finalbell.OfTeams
	game := finalbelltest.New(t, rules)
	at := game.Clock.Now()
	game.Clock.Advance(24 * time.Hour)
	_, err := game.Engine.At(at).Create(t.Context(), finalbell.NewMatch{ID: "m", Mode: "match", Players: []finalbell.Participant{
		{Player: "ann", Team: "red"}, {Player: "bot", Team: "red", Bot: true},
	}})
	require.NoError(t, err)
	m, err := game.Engine.At(at).End(t.Context(), "m", finalbell.Score("ann", 1), finalbell.Score("bot", 0))
	require.NoError(t, err)
	require.True(t, m.Standings[0].Boards[0].Late)
	require.Empty(t, m.Standings[1].Boards)
	found, err := game.Engine.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
}

// A window that nobody was in and that was due is closed as of then, also by hand.
func TestAnEmptyWindowThatWasDueIsClosedAsOfThen(t *testing.T) {
	game := finalbelltest.New(t, league(finalbell.WindowRule{Every: finalbell.Daily, Grace: time.Hour}))
	game.Clock.Advance(48 * time.Hour)
	w, err := game.Engine.Board("board-1").Window("2026-03-02").CloseWindow(t.Context())
	require.NoError(t, err)
	require.Equal(t, finalbell.WindowFinal, w.State)
	require.Equal(t, []string{"board-1/2026-03-02 2026-03-03T01:00:00Z"}, closings(t, game.Store))
}

// The read that happens to close a window is not told that nobody knows whether it did.
func TestAReadGoesOnWhenTheCloseThatItBeginsWithIsOfUnknownFate(t *testing.T) {
	failing := &failing{data: memory.New()}
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	e, err := finalbell.New(t.Context(), failing.open(), league(finalbell.WindowRule{Every: finalbell.Daily}), finalbell.Options{Now: clock.Now})
	require.NoError(t, err)
	playedAt(t, e, clock.Now(), "ann")
	clock.Advance(24 * time.Hour)
	failing.arm("Commit", 0, faulty.Fault{Err: errDisk})
	page, err := e.Board("board-1").Window("2026-03-02").Top(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, finalbell.WindowFinal, page.State)
	finalbelltest.RequireRanks(t, page, "1 ann")
	_, err = e.Create(t.Context(), finalbell.NewMatch{Mode: "match", Players: finalbell.Players("ann")})
	require.ErrorIs(t, err, finalbell.ErrUnavailable)
}
