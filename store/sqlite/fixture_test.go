package sqlite_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/finalbelltest"
	"github.com/finalbell/finalbell/store/sqlite"
)

// The databases in testdata/databases were written by every version of the schema there has been, each with a text of
// what it holds. A new step comes with a new one:
//
//	go test ./store/sqlite -run TestADatabaseOfEverySchema -update
//
// writes that of the newest schema and no other: what an older finalbell has written stays as it wrote it.
var update = flag.Bool("update", false, "write the database of the newest schema anew")

const databasesDir = "../../testdata/databases"

// kept is how the database of a schema was made. Its rules are all that a board or a mode may have that left a trace in
// a file by then, and show is what is held against the text beside it.
type kept struct {
	rules func() finalbell.Rules
	write func(t *testing.T, path string) // nil: it stays as it was written
	show  func(e *finalbell.Engine) (string, error)
	next  time.Time // when it is played on, which is no moment of a test's own: windows end
	play  func(t *testing.T, e *finalbell.Engine)
}

func keptDatabases() map[string]kept {
	return map[string]kept{
		"0001": {rules: keptRules, show: contents, next: time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC), play: playOn},
		"0002": {rules: keptWindowRules, write: writeWindows, show: windowContents, next: time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC), play: playWindowsOn},
		"0003": {rules: keptMoneyRules, write: writeMoney, show: moneyContents, next: time.Date(2026, 3, 6, 20, 0, 0, 0, time.UTC), play: playMoneyOn},
		"0004": {rules: keptPlayerRules, write: writePlayers, show: playerContents, next: time.Date(2026, 3, 6, 20, 0, 0, 0, time.UTC), play: playPlayersOn},
	}
}

// keptRules are the rules of the first schema.
func keptRules() finalbell.Rules {
	return finalbell.Rules{
		Modes: []finalbell.Mode{
			{ID: "race", Order: finalbell.Asc, Boards: []string{"season", "games", "best lap"}, WalkIns: true, ExpireStarted: time.Hour,
				Points: &finalbell.Points{ByRank: []finalbell.Number{finalbell.Int(25), finalbell.Int(18), finalbell.Int(15), finalbell.Decimal("12.5")}}},
			{ID: "relay", Teams: &finalbell.Teams{MaxSize: 3, Fold: finalbell.TeamMean}, Boards: []string{"clubs", "games"},
				Bots: finalbell.BotPolicy{Boards: finalbell.Include}},
			{ID: "fun"},
		},
		Boards: []finalbell.BoardRule{
			{ID: "season", Keys: []finalbell.Key{{Metric: "points", Scale: 1, Best: []finalbell.Segment{{ThroughRound: 3, Count: 2}, {Count: 1}}},
				{Fold: finalbell.FoldCountback, Modes: []string{"race"}, Places: 5}}},
			{ID: "games", Ties: finalbell.FirstRank, Keys: []finalbell.Key{{Fold: finalbell.FoldCount}}},
			{ID: "best lap", Keys: []finalbell.Key{{Metric: "lap", Fold: finalbell.FoldBest, Order: finalbell.Asc, Scale: 3}, {Metric: "outcome", Fold: finalbell.FoldBest, Order: finalbell.Asc, Scale: 3}}},
			{ID: "clubs", Of: finalbell.OfTeams, Keys: []finalbell.Key{{Metric: "outcome", Fold: finalbell.FoldMean, Scale: 2, Round: true}, {Metric: "wins"}}},
		},
	}
}

// writeKept writes such a database: matches in every state, of one round after the other and one that came late, with
// names and texts that need care.
func writeKept(t *testing.T, path string, rules finalbell.Rules) {
	ctx := context.Background()
	clock := finalbelltest.NewClock(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	ids := 0
	e, err := finalbell.Open(ctx, path, rules, finalbell.Options{
		Now:   clock.Now,
		NewID: func() string { ids++; return fmt.Sprint("id-", ids) },
		Hooks: finalbell.Hooks{Before: func(_ context.Context, c *finalbell.Call) error {
			if c.Op == "end match" {
				c.Data["seen by"] = "the steward"
			}
			return nil
		}},
	})
	require.NoError(t, err)
	defer e.Close()
	create := func(at *finalbell.Engine, n finalbell.NewMatch) string {
		t.Helper()
		m, err := at.Create(ctx, n)
		require.NoError(t, err)
		clock.Advance(time.Second)
		return m.ID
	}
	start := func(id string) string {
		t.Helper()
		_, err := e.Start(ctx, id)
		require.NoError(t, err)
		clock.Advance(time.Second)
		return id
	}
	end := func(id string, outcomes ...finalbell.Outcome) {
		t.Helper()
		_, err := e.End(ctx, id, outcomes...)
		require.NoError(t, err)
		clock.Advance(time.Minute)
	}
	drivers := finalbell.Players("ann", `bob "the \ axe"`, "çağla", "日本")
	lap := func(player, time, best string) finalbell.Outcome {
		o := finalbell.Score(player, finalbell.Decimal(time))
		if best != "" {
			o.Metrics = map[string]finalbell.Number{"lap": finalbell.Decimal(best), "pit stops": finalbell.Int(2)}
		}
		return o
	}
	for round := 1; round <= 5; round++ {
		id := start(create(e, finalbell.NewMatch{Mode: "race", Room: "league", Round: fmt.Sprint("round ", round), Players: drivers,
			Attributes: map[string]string{"track": "Nürburgring\n\"Nordschleife\"", "rain": []string{"", "yes"}[round%2]}}))
		end(id, lap("ann", fmt.Sprintf("90.%d", round), "29.512"), lap(drivers[1].Player, fmt.Sprintf("9%d.25", round%3), fmt.Sprintf("29.%d", 600-round)),
			lap("çağla", "92.125", ""), finalbell.Outcome{Player: "日本", Status: []finalbell.Status{finalbell.DNF, finalbell.Left}[round%2]})
	}
	// One that walks in, a draw, nobody there, and bots.
	end(start(create(e, finalbell.NewMatch{Mode: "race", Round: "6", Players: drivers[:2]})),
		lap("ann", "91", "30"), lap(drivers[1].Player, "91", "30"), lap("late comer", "91", ""))
	end(start(create(e, finalbell.NewMatch{Mode: "race", Round: "7", Players: drivers})))
	relay := []finalbell.Participant{{Player: "ann", Team: "red"}, {Player: "r2", Team: "red", Bot: true}, {Player: "b1", Team: "blue"}, {Player: "b2", Team: "blue"}}
	end(start(create(e, finalbell.NewMatch{Mode: "relay", Players: relay})),
		finalbell.Score("ann", 3), finalbell.Score("r2", 4), finalbell.TeamScore("blue", finalbell.Decimal("3.75")))
	end(start(create(e, finalbell.NewMatch{ID: "relay 2", Mode: "relay", Players: relay})),
		finalbell.Score("b2", 5), finalbell.Score("b1", finalbell.Decimal("6.25")), finalbell.Score("ann", 6), finalbell.Score("r2", 1))
	end(start(create(e, finalbell.NewMatch{Mode: "fun", Players: finalbell.Players("solo")})), finalbell.Score("solo", -1))
	// A result that comes late, into the middle of the season.
	past := e.At(time.Date(2026, 3, 2, 9, 2, 30, 0, time.UTC))
	create(past, finalbell.NewMatch{ID: "late", Mode: "race", Round: "3", Players: drivers[:3]})
	_, err = past.Start(ctx, "late")
	require.NoError(t, err)
	_, err = past.End(ctx, "late", lap("çağla", "80", "28.001"), lap("ann", "81", "28.001"), lap(drivers[1].Player, "82", "28.002"))
	require.NoError(t, err)
	// Cancelled, expired, created, started with a live report.
	_, err = e.Cancel(ctx, start(create(e, finalbell.NewMatch{Mode: "race", Round: "8", Players: drivers})), "power cut: \"lights\" out")
	require.NoError(t, err)
	start(create(e, finalbell.NewMatch{ID: "expired", Mode: "race", Round: "8", Players: drivers}))
	clock.Advance(2 * time.Hour)
	done, err := e.Tick(ctx)
	require.NoError(t, err)
	require.Len(t, done, 1)
	_, err = e.End(ctx, "expired", lap("ann", "1", "")) // kept as an event
	require.ErrorIs(t, err, finalbell.ErrExpired)
	create(e, finalbell.NewMatch{ID: "created", Mode: "relay", Players: relay, Deadline: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)})
	start(create(e, finalbell.NewMatch{ID: "running", Mode: "fun", Room: "lobby", Players: drivers}))
	_, err = e.Report(ctx, "running", finalbell.Score("ann", 1), finalbell.Score("çağla", finalbell.Decimal("1.5")))
	require.NoError(t, err)
	require.NoError(t, e.Close()) // writes the report and the last moves
}

func schemas(t *testing.T) []string {
	t.Helper()
	steps, err := filepath.Glob("schema/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, steps)
	for i := range steps {
		steps[i] = strings.TrimSuffix(filepath.Base(steps[i]), ".sql")
		require.Equal(t, fmt.Sprintf("%04d", i+1), steps[i])
	}
	return steps
}

func writeFixture(t *testing.T, name string, k kept) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kept.db")
	k.write(t, path)
	e, err := finalbell.View(context.Background(), path)
	require.NoError(t, err)
	text, err := k.show(e)
	require.NoError(t, err)
	require.NoError(t, e.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(databasesDir, 0o755))               //nolint:gosec // a directory of the repository
	require.NoError(t, os.WriteFile(name+".db", content, 0o644))       //nolint:gosec // a file of it
	require.NoError(t, os.WriteFile(name+".txt", []byte(text), 0o644)) //nolint:gosec // another one
}

// A database of every schema there has been opens, holds what it held, and is played on with.
func TestADatabaseOfEverySchemaIsOpenedAndPlayedOn(t *testing.T) {
	all := schemas(t)
	for i, schema := range all {
		t.Run(schema, func(t *testing.T) {
			k, there := keptDatabases()[schema]
			require.True(t, there, "every step of the schema has a database that is written with it")
			name := filepath.Join(databasesDir, "schema-"+schema)
			if *update && i == len(all)-1 {
				writeFixture(t, name, k)
			}
			info, err := os.Stat(name + ".db")
			require.NoError(t, err, "every step of the schema has a database that was written with it: -update")
			require.Less(t, info.Size(), int64(250_000))
			before := listing(t, databasesDir)
			requireKept(t, name, k, i == len(all)-1)
			require.Equal(t, before, listing(t, databasesDir), "the kept ones stay as they are")
		})
	}
}

func requireKept(t *testing.T, name string, k kept, newest bool) {
	ctx := context.Background()
	text, err := os.ReadFile(name + ".txt")
	require.NoError(t, err)
	want := string(text)
	path := copyDatabase(t, name+".db")
	show := func(e *finalbell.Engine) string {
		t.Helper()
		text, err := k.show(e)
		require.NoError(t, err)
		return text
	}
	view := func() string {
		t.Helper()
		e, err := finalbell.View(ctx, path)
		require.NoError(t, err)
		defer e.Close()
		requireVerified(t, e)
		return show(e)
	}
	if newest { // an older one is brought to date by an engine first
		require.Equal(t, want, view())
	}
	clock := finalbelltest.NewClock(k.next)
	e, err := finalbell.Open(ctx, path, k.rules(), finalbell.Options{Now: clock.Now, MustExist: true})
	require.NoError(t, err)
	require.Equal(t, want, show(e))
	requireVerified(t, e)
	k.play(t, e)
	requireVerified(t, e)
	after := show(e)
	require.NotEqual(t, want, after)
	require.NoError(t, e.Close())

	fresh := filepath.Join(t.TempDir(), "fresh.db")
	ours(t, fresh)
	require.Equal(t, tablesOf(t, fresh), tablesOf(t, path), "a step that was released is never changed; if this one was not, -update")

	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Check(ctx))
	require.NoError(t, s.Close())
	require.Equal(t, after, view())
}

// tablesOf is the schema of a database that nobody has open.
func tablesOf(t *testing.T, path string) (tables []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&immutable=1")
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Query("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var text string
		require.NoError(t, rows.Scan(&text))
		tables = append(tables, text)
	}
	require.NoError(t, rows.Err())
	return tables
}

func requireVerified(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	found, err := e.Verify(context.Background())
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.Positive(t, found.Matches)
}

// playOn ends what runs, repeats what was done, and plays new matches with old players in every mode.
func playOn(t *testing.T, e *finalbell.Engine) {
	t.Helper()
	ctx := context.Background()
	m, err := e.End(ctx, "running", finalbell.Score("ann", 2))
	require.NoError(t, err)
	assert.Equal(t, finalbell.Ended, m.State)
	_, err = e.Start(ctx, "created")
	require.NoError(t, err)
	m, err = e.End(ctx, "created", finalbell.TeamScore("red", 1), finalbell.TeamScore("blue", 1))
	require.NoError(t, err)
	assert.True(t, m.Draw)
	m, err = e.Cancel(ctx, "id-10", "again")
	require.NoError(t, err)
	assert.True(t, m.Replayed)
	assert.Equal(t, "power cut: \"lights\" out", m.Reason)
	_, err = e.Start(ctx, "expired")
	require.ErrorIs(t, err, finalbell.ErrExpired)
	old, err := e.Match(ctx, "id-1")
	require.NoError(t, err)
	var roster []finalbell.Participant
	var outcomes []finalbell.Outcome
	for i, s := range old.Standings {
		roster = append(roster, finalbell.Participant{Player: s.Player})
		outcomes = append(outcomes, finalbell.Score(s.Player, i+1))
	}
	for _, mode := range []string{"race", "fun"} {
		m, err := e.Create(ctx, finalbell.NewMatch{Mode: mode, Round: "8", Players: roster})
		require.NoError(t, err)
		_, err = e.Start(ctx, m.ID)
		require.NoError(t, err)
		_, err = e.End(ctx, m.ID, outcomes...)
		require.NoError(t, err)
	}
}
