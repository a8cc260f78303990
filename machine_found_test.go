package finalbell_test

import (
	"context"
	"testing"
	"time"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
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
