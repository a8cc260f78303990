package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
	"github.com/finalbell/finalbell/store/storetest/faulty"
)

var (
	quiet     = slog.New(slog.DiscardHandler)
	lineStart = regexp.MustCompile(`^(arena-\d+-\d+) +(?:[a-z]+ wins|a draw|no contest): `)
)

// told are the lines of ended matches by the match's id.
func told(t *testing.T, out string) map[string]string {
	t.Helper()
	lines := make(map[string]string)
	for line := range strings.Lines(out) {
		if found := lineStart.FindStringSubmatch(line); found != nil {
			require.NotContains(t, lines, found[1], "told twice")
			lines[found[1]] = strings.TrimSuffix(line, "\n")
		}
	}
	return lines
}

// short is a line without the ladder, of which a crash may lose the ranks.
func short(line string) string {
	text, _, _ := strings.Cut(line, "; ladder")
	return text
}

// isWhole checks that the database holds what the lines say, that nothing runs that no arena plays, that every win counts once,
// and that nothing in it is wrong. It returns the ended matches.
func isWhole(t *testing.T, db string, lines map[string]string) map[string]finalbell.Match {
	t.Helper()
	e, err := finalbell.View(t.Context(), db)
	require.NoError(t, err)
	defer e.Close()
	found, err := e.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)

	played := make(map[string]string) // by room
	for r, err := range e.Rooms(t.Context(), finalbell.RoomFilter{}) {
		require.NoError(t, err)
		if r.Match != "" {
			played[r.ID] = r.Match
		}
	}
	ended, won, running := make(map[string]finalbell.Match), 0, 0
	for m, err := range e.Matches(t.Context(), finalbell.MatchFilter{}) {
		require.NoError(t, err)
		if m.State != finalbell.Ended {
			require.Contains(t, []finalbell.State{finalbell.Created, finalbell.Started}, m.State)
			require.Equal(t, m.ID, played[m.Room])
			running++
			continue
		}
		require.NotContains(t, ended, m.ID)
		ended[m.ID] = m
		for _, s := range m.Standings {
			if s.Result == finalbell.Win {
				won++
			}
		}
	}
	require.Len(t, played, running)
	for id, text := range lines {
		require.Contains(t, ended, id)
		require.Equal(t, short(line(ended[id])), short(text))
	}
	ladder, err := e.Board("ladder").Top(t.Context(), 1000)
	require.NoError(t, err)
	for _, entry := range ladder.Entries {
		wins, whole := entry.Values[0].Number.Int64()
		require.True(t, whole)
		won -= int(wins)
	}
	require.Zero(t, won)
	return ended
}

func TestThirtyMatches(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "game.db")
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-db", db, "-matches", "30", "-speed", "2000", "-seed", "7"}, &out, quiet))
	lines := told(t, out.String())
	require.GreaterOrEqual(t, len(lines), 30)
	ended := isWhole(t, db, lines)
	require.Len(t, ended, len(lines))
	for id, text := range lines {
		require.Equal(t, line(ended[id]), text)
	}
}

// A server that is stopped leaves its matches running, and the next one plays them to their end from the very tick.
func TestWhatRunsWhenItIsStoppedIsTakenUp(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "game.db")
	rules, err := finalbell.ParseRules(rulesText)
	require.NoError(t, err)
	e, err := finalbell.Open(t.Context(), db, rules, finalbell.Options{})
	require.NoError(t, err)
	v := serverOn(t, e, 4)
	v.steps(t, func() bool {
		return slices.ContainsFunc(v.arenas, func(a *arena) bool { return a.game != nil && a.game.tick == 100 })
	})
	require.NoError(t, v.windDown(nil))
	require.NoError(t, e.Close())
	var running []*game
	for _, a := range v.arenas {
		if a.game != nil {
			running = append(running, a.game)
		}
	}
	require.NotEmpty(t, running)

	var out, log bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-db", db, "-speed", "500", "-matches", "12"}, &out, slog.New(slog.NewTextHandler(&log, nil))))
	ended := isWhole(t, db, told(t, out.String()))
	for _, g := range running {
		require.Contains(t, log.String(), fmt.Sprintf("msg=\"taken up\" match=%s tick=%d ", g.match, g.tick))
		require.Contains(t, ended, g.match)
	}
	require.NotContains(t, log.String(), "when the process died")
}

// When the database fails the server stops and says what to do, and the next one finds out what has happened.
func TestAFailedDatabaseStopsTheServer(t *testing.T) {
	t.Parallel()
	for _, fate := range []faulty.Fault{{Err: errors.New("disk full")}, {Err: errors.New("disk gone"), Done: true}} {
		db := filepath.Join(t.TempDir(), "game.db")
		s, err := sqlite.Open(t.Context(), db, sqlite.Options{})
		require.NoError(t, err)
		e := engineOn(t, faulty.New(s, faulty.On("Commit", 60, fate)), finalbell.Options{})
		var out bytes.Buffer
		err = play(t.Context(), e, setup{arenas: 4, speed: 1000}, &out, quiet)
		require.ErrorIs(t, err, finalbell.ErrUnavailable)
		require.ErrorContains(t, err, "start the server again")
		_ = e.Close() // it says once more that the store has failed

		require.NoError(t, run(t.Context(), []string{"-db", db, "-speed", "1000", "-matches", "6"}, &out, quiet))
		isWhole(t, db, told(t, out.String()))
	}
}

// What the command line gets wrong is refused before there is a file.
func TestAWrongCommandLineIsRefused(t *testing.T) {
	for _, args := range [][]string{{"-arenas", "0"}, {"-matches", "-1"}, {"-speed", "0"}, {"-speed", "NaN"}, {"-speed", "+Inf"}} {
		err := run(t.Context(), args, io.Discard, quiet)
		require.ErrorContains(t, err, args[0]+": ")
	}
	require.NoFileExists(t, "gameserver.db")
}
