package finalbell_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/memory"
)

// fixture is one real league result: goals of either side.
type fixture [2]int

// fixtures are the results of the three leagues in testdata.
func fixtures(t testing.TB) []fixture {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "seasons", "football-*.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	var all []fixture
	for _, name := range files {
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			var r struct {
				Participants []struct{ Outcome int }
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
			all = append(all, fixture{r.Participants[0].Outcome, r.Participants[1].Outcome})
		}
	}
	return all
}

// BenchmarkLeague60kMatches plays 60,000 synthetic league matches (60 leagues of 20 clubs, results drawn from
// the three real leagues) through create, start and end on the memory store, one caller. The figure is s/run.
func BenchmarkLeague60kMatches(b *testing.B) {
	results := fixtures(b)
	text, err := os.ReadFile(filepath.Join("testdata", "league.rules.json"))
	require.NoError(b, err)
	rules, err := finalbell.ParseRules(text)
	require.NoError(b, err)
	matches := 60_000
	if testing.Short() {
		matches = 600
	}
	ctx := context.Background()
	type game struct {
		id, home, away string
		goals          fixture
	}
	games := make([]game, matches)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range games {
		league, home := i%60, random.IntN(20)
		away := (home + 1 + random.IntN(19)) % 20
		games[i] = game{fmt.Sprint("m", i), fmt.Sprint("club-", league, "-", home), fmt.Sprint("club-", league, "-", away),
			results[random.IntN(len(results))]}
	}
	for b.Loop() {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		e, err := finalbell.New(ctx, memory.New(), rules, finalbell.Options{Now: func() time.Time { return now }})
		require.NoError(b, err)
		began := time.Now()
		for _, g := range games {
			now = now.Add(time.Minute)
			playFixture(b, e, g.id, g.home, g.away, g.goals)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/run")
		b.ReportMetric(float64(matches)/time.Since(began).Seconds(), "matches/s")
		require.NoError(b, e.Close())
	}
}

func playFixture(b *testing.B, e *finalbell.Engine, id, home, away string, goals fixture) {
	ctx := context.Background()
	_, err := e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "league", Players: finalbell.Players(home, away)})
	if err == nil {
		_, err = e.Start(ctx, id)
	}
	if err == nil {
		side := func(player string, scored, against int) finalbell.Outcome {
			return finalbell.Outcome{Player: player, Value: finalbell.Int(int64(scored)), Metrics: map[string]finalbell.Number{
				"goals_for": finalbell.Int(int64(scored)), "goals_against": finalbell.Int(int64(against)),
				"goal_difference": finalbell.Int(int64(scored - against)),
			}}
		}
		_, err = e.End(ctx, id, side(home, goals[0], goals[1]), side(away, goals[1], goals[0]))
	}
	if err != nil {
		b.Fatal(err)
	}
}
