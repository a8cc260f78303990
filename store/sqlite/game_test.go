package sqlite_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/internal/transcript"
)

// rules have a mode of races that feeds two boards. Every race adds one to the games of each of its drivers, so the
// board of games counts the races that ended.
func rules() finalbell.Rules {
	return finalbell.Rules{
		Modes: []finalbell.Mode{{ID: "race", Boards: []string{"season", "games"},
			Points: &finalbell.Points{ByRank: []finalbell.Number{finalbell.Int(9), finalbell.Int(6), finalbell.Int(4), finalbell.Int(3)}}}},
		Boards: []finalbell.BoardRule{
			{ID: "season", Keys: []finalbell.Key{{Metric: "points"}, {Fold: finalbell.FoldCountback, Modes: []string{"race"}}}},
			{ID: "games", Keys: []finalbell.Key{{Fold: finalbell.FoldCount}}},
		},
	}
}

const drivers = 4 // of a race

// openGame opens an engine that does nothing by itself.
func openGame(path string) (*finalbell.Engine, error) {
	return finalbell.Open(context.Background(), path, rules(), finalbell.Options{ManualTick: true})
}

// roster is who drives race n of a life: four of a few, so that they meet again.
func roster(n int) []finalbell.Participant {
	all := make([]finalbell.Participant, drivers)
	for i := range all {
		all[i].Player = fmt.Sprint("driver ", (n*3+i*5)%17)
	}
	return all
}

func report(n int) []finalbell.Outcome {
	out := make([]finalbell.Outcome, drivers)
	for i, p := range roster(n) {
		out[i] = finalbell.Score(p.Player, (n*7+i*i*11)%23)
	}
	return out
}

// race takes race n through its whole life under the id.
func race(ctx context.Context, e *finalbell.Engine, id string, n int) error {
	if _, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "race", Players: roster(n)}); err != nil {
		return err
	}
	if _, err := e.Start(ctx, id); err != nil {
		return err
	}
	_, err := e.End(ctx, id, report(n)...)
	return err
}

// races takes some races to their end.
func races(t testing.TB, e *finalbell.Engine, prefix string, count int) {
	t.Helper()
	for n := range count {
		require.NoError(t, race(context.Background(), e, fmt.Sprint(prefix, n), n))
	}
}

// requireWhole asks for every match to be whole: the rules make of what is stored what is stored, every id in ended
// has ended once, and the boards have those that ended and nothing else. It returns how many ended.
func requireWhole(t testing.TB, e *finalbell.Engine, ended map[string]bool) int {
	t.Helper()
	ctx := context.Background()
	found, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	seen := make(map[string]finalbell.State)
	count := 0
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{}) {
		require.NoError(t, err)
		require.NotContains(t, seen, m.ID, "twice there")
		seen[m.ID] = m.State
		require.Len(t, m.Standings, drivers)
		if m.State == finalbell.Ended {
			count++
		}
	}
	for id := range ended {
		require.Equal(t, finalbell.Ended, seen[id], "%s was acknowledged", id)
	}
	require.Equal(t, count, found.Matches, "events of an end")
	require.Equal(t, count*drivers, gamesPlayed(t, e), "results on the board")
	return count
}

func gamesPlayed(t testing.TB, e *finalbell.Engine) int {
	t.Helper()
	page, err := e.Board("games").Top(context.Background(), 1000)
	require.NoError(t, err)
	games := 0
	for _, entry := range page.Entries {
		n, err := strconv.Atoi(entry.Values[0].Number.String())
		require.NoError(t, err)
		games += n
	}
	return games
}

// contents is all that an engine shows of its store, a line a match and an entry.
func contents(e *finalbell.Engine) (string, error) {
	ctx := context.Background()
	var out strings.Builder
	line := func(v any) error {
		text, err := transcript.Encode(v)
		fmt.Fprintf(&out, "%s\n", text)
		return err
	}
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{}) {
		if err != nil {
			return "", err
		}
		if err := line(m); err != nil {
			return "", err
		}
	}
	for _, b := range e.Rules().Boards {
		page, err := e.Board(b.ID).Top(ctx, 1000)
		if err != nil {
			return "", err
		}
		if err := line(page); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// randomness is a source whose seed is printed, and taken from FINALBELL_SEED to repeat a run.
func randomness(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano()) //nolint:gosec // a bit pattern
	if given := os.Getenv("FINALBELL_SEED"); given != "" {
		var err error
		seed, err = strconv.ParseUint(given, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("FINALBELL_SEED=%d repeats it", seed)
	return rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // not for secrets
}

// listing is what lies in a directory: every name with a sum of the content.
func listing(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() {
			all[e.Name()] = "a directory"
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return all
}

// copyDatabase copies a file and its log as they lie there, into a directory of their own. Nobody may have the
// database open in this process.
func copyDatabase(t testing.TB, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to+suffix, content, 0o600))
	}
	return to
}
