package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
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

// A server that is stopped leaves its matches running, and the next one plays them to their end.
func TestWhatRunsWhenItIsStoppedIsTakenUp(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "game.db")
	ctx, stop := context.WithCancel(t.Context())
	first := writer(func(text []byte) { stop() }) // while the other arenas play
	require.NoError(t, run(ctx, []string{"-db", db, "-speed", "500"}, first, quiet))
	running := make(map[string]finalbell.Match)
	e, err := finalbell.View(t.Context(), db)
	require.NoError(t, err)
	for m, err := range e.Matches(t.Context(), finalbell.MatchFilter{States: []finalbell.State{finalbell.Started}}) {
		require.NoError(t, err)
		running[m.ID] = m
	}
	require.NoError(t, e.Close())
	require.NotEmpty(t, running)

	var out, log bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-db", db, "-speed", "500", "-matches", "12"}, &out, slog.New(slog.NewTextHandler(&log, nil))))
	ended := isWhole(t, db, told(t, out.String()))
	for id := range running {
		require.Contains(t, log.String(), `msg="taken up" match=`+id+" ")
		require.Contains(t, ended, id)
	}
	require.NotContains(t, log.String(), "when the process died")
}

// writer is a function that is told what is written.
type writer func(text []byte)

func (w writer) Write(text []byte) (int, error) { w(text); return len(text), nil }

// Who was dismissed because they have waited too long is back in the room at once, and no match lacks anybody.
func TestWhoIsDismissedComesAgain(t *testing.T) {
	rules, err := finalbell.ParseRules(rulesText)
	require.NoError(t, err)
	e, err := finalbell.New(t.Context(), memory.New(), rules, finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	defer e.Close()
	v := newServer(e, setup{arenas: 2}, io.Discard, quiet)
	require.NoError(t, v.takeUp(t.Context(), 2))
	v.employ(t.Context())
	dismissed := 0
	for v.ended < 6 || dismissed < 3 {
		require.NoError(t, v.step())
		runtime.Gosched() // to the clerks
		if v.tick%100 > 0 {
			continue
		}
		r, err := e.Dismiss(t.Context(), "arena-1", "waited too long")
		if err == nil && !r.Replayed {
			dismissed++
		} else if err != nil {
			require.ErrorIs(t, err, finalbell.ErrState)
		}
		for _, a := range v.arenas {
			if a.game != nil && !a.busy {
				require.Len(t, a.game.runners, len(a.members))
			}
		}
	}
	require.NoError(t, v.windDown(nil))
	found, err := e.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
}

// When the database fails the server stops and says what to do, and the next one finds out what has happened.
func TestAFailedDatabaseStopsTheServer(t *testing.T) {
	t.Parallel()
	rules, err := finalbell.ParseRules(rulesText)
	require.NoError(t, err)
	for _, fate := range []faulty.Fault{{Err: errors.New("disk full")}, {Err: errors.New("disk gone"), Done: true}} {
		db := filepath.Join(t.TempDir(), "game.db")
		s, err := sqlite.Open(t.Context(), db, sqlite.Options{})
		require.NoError(t, err)
		e, err := finalbell.New(t.Context(), faulty.New(s, faulty.On("Commit", 60, fate)), rules, finalbell.Options{})
		require.NoError(t, err)
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
