package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// A board whose windows come from a function is read like any other. Only the program that has the function can
// rebuild the database, and rebuild says so.
func TestACalendarOfAProgramsOwnCanBeReadButNotRebuilt(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", duelRules)
	origin := time.Date(2026, 1, 1, 18, 0, 0, 0, time.UTC)
	now := origin.AddDate(0, 0, 3)
	rules := finalbell.Rules{
		Modes: []finalbell.Mode{{ID: "duel", AutoStart: true, Boards: []string{"rounds"}}},
		Boards: []finalbell.BoardRule{{ID: "rounds", Keys: []finalbell.Key{{Metric: "wins"}}, Window: finalbell.WindowRule{
			Origin: origin, Next: func(t time.Time) time.Time { return t.AddDate(0, 0, 10) },
		}}},
	}
	e, err := finalbell.Open(t.Context(), "game.db", rules, finalbell.Options{Now: func() time.Time { return now }})
	require.NoError(t, err)
	for _, id := range []string{"m1", "m2"} {
		_, err = e.Create(t.Context(), finalbell.NewMatch{ID: id, Mode: "duel", Players: finalbell.Players("ann", "bob")})
		require.NoError(t, err)
		_, err = e.End(t.Context(), id, finalbell.Score("ann", 2), finalbell.Score("bob", 1))
		require.NoError(t, err)
		_, err = e.Tick(t.Context())
		require.NoError(t, err)
		now = now.AddDate(0, 0, 10)
	}
	require.NoError(t, e.Close())

	windows := succeed(t, "windows", "game.db", "rounds")
	require.Contains(t, windows, "rounds · 2 windows\n")
	require.Contains(t, windows, "\n2026-01-01T18:00  2026-01-01T18:00:00Z  2026-01-11T18:00:00Z  final        2\n")
	require.Contains(t, succeed(t, "board", "game.db", "rounds"), "rounds · 2026-01-11T18:00 · ")
	require.Contains(t, succeed(t, "board", "game.db", "rounds", "--window", "2026-01-01T18:00"), " · final · 2 entries\n")
	for _, flags := range [][]string{{}, {"--dry-run"}, {"--json"}} {
		var stderr strings.Builder
		args := append([]string{"rebuild", "--rules", "rules.json", "--db", "game.db"}, flags...)
		require.Equal(t, failure, run(args, nil, io.Discard, &stderr))
		require.Equal(t, `finalbell: game.db: board "rounds" has a calendar of its program's own, so that only that program can rebuild the database: by Engine.Rebuild or Options.Rebuild`+"\n", stderr.String())
	}
}
