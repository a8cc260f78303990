package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// seasons are the seasons of testdata and the rules of each.
var seasons = map[string]string{
	"f1-1974": "seasons/f1-1974.rules.json", "f1-1988": "seasons/f1-1988.rules.json",
	"f1-2008": "seasons/f1-sum.rules.json", "f1-2021": "seasons/f1-sum.rules.json",
	"football-2011-12-en.1": "league.rules.json", "football-2015-16-en.1": "league.rules.json", "football-2012-13-de.1": "league.rules.json",
}

// longest is how many records a season may have to be tried at length.
const longest = 30

// eachSeason runs a test on every season, its records line by line.
func eachSeason(t *testing.T, test func(t *testing.T, s season)) {
	for name, rules := range seasons {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := testdata + "seasons/" + name + ".jsonl"
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			s := season{rules: testdata + rules, file: file, records: strings.SplitAfter(strings.TrimSpace(string(text)), "\n")}
			if testing.Short() && len(s.records) > longest {
				t.Skip("a season of hundreds of matches")
			}
			test(t, s)
		})
	}
}

type season struct {
	rules, file string
	records     []string
}

// replay runs finalbell replay over a file, with these flags beside --rules.
func (s season) replay(t *testing.T, file string, flags ...string) string {
	t.Helper()
	return succeed(t, append([]string{"replay", "--rules", s.rules, file}, flags...)...)
}

// succeed runs a command that must, and returns what it printed.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr strings.Builder
	require.Equal(t, done, run(args, strings.NewReader(""), &stdout, &stderr), "%v: %s", args, stderr.String())
	require.Empty(t, stderr.String())
	return stdout.String()
}

// withReplayed is the JSON of a replay by which nothing was there already, as it is if n records were.
func withReplayed(output string, n int) string {
	return strings.Replace(output, `"replayed":0,`, fmt.Sprintf(`"replayed":%d,`, n), 1)
}

// A season in a database is, byte for byte, the season in memory; replayed again it says that nothing changed,
// and the file has not changed by a byte.
func TestASeasonInADatabaseIsTheSeasonInMemory(t *testing.T) {
	eachSeason(t, func(t *testing.T, s season) {
		db := filepath.Join(t.TempDir(), "season.db")
		want := s.replay(t, s.file, "--json")
		require.Equal(t, want, s.replay(t, s.file, "--db", db, "--json"))
		before, err := os.ReadFile(db)
		require.NoError(t, err)
		n := len(s.records)
		require.Equal(t, withReplayed(want, n), s.replay(t, s.file, "--db", db, "--json"))

		table := strings.SplitN(s.replay(t, s.file), "\n", 2)
		again := strings.SplitN(s.replay(t, s.file, "--db", db), "\n", 3)
		require.Equal(t, table[0], again[0])
		require.Equal(t, fmt.Sprintf("nothing changed: all %d matches were there already", n), again[1])
		require.Equal(t, table[1], again[2])
		after, err := os.ReadFile(db)
		require.NoError(t, err)
		require.True(t, string(before) == string(after), "the file changed")
		require.Contains(t, succeed(t, "verify", db), ": no problems\n")
	})
}

// A season that was replayed up to any record, and then again from its first, comes out as in one go.
func TestASeasonInTwoPartsIsTheSeasonInOne(t *testing.T) {
	eachSeason(t, func(t *testing.T, s season) {
		want := s.replay(t, s.file, "--json")
		for _, k := range cuts(t, len(s.records)) {
			dir := t.TempDir()
			db, part := filepath.Join(dir, "season.db"), filepath.Join(dir, "part.jsonl")
			write(t, part, strings.Join(s.records[:k], ""))
			s.replay(t, part, "--db", db)
			require.Equal(t, withReplayed(want, k), s.replay(t, s.file, "--db", db, "--json"), "cut after %d records", k)
		}
	})
}

// cuts are the places where a season of n records is cut: everywhere in a short one, which has few enough.
func cuts(t *testing.T, n int) []int {
	if n <= longest && !testing.Short() {
		return rand.Perm(n + 1)
	}
	k := rand.IntN(n + 1)
	t.Logf("cut after %d of %d records", k, n)
	return []int{0, n, k}
}

// Commands that read write nothing, also where windows are due, prizes with them, and grants have expired; not a byte.
func TestTheCommandsThatReadWriteNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "rules.json", `{"currencies":[{"id":"coins"}],"modes":[{"id":"duel","boards":["daily"],"prizes":[{"id":"win","from":1,"to":1,"currency":"coins","amount":5,"claim":true,"expires":"1h"}]}],`+
		`"boards":[{"id":"daily","keys":[{"metric":"wins"}],"window":{"every":"day"},"prizes":[{"id":"day","from":1,"to":1,"currency":"coins","amount":25}]}]}`)
	write(t, "script.jsonl", `{"now":"2020-03-02T09:00:00Z"}`+"\n"+`{"create":{"id":"m1","mode":"duel","players":["ann","bob"]}}`+"\n"+`{"start":"m1"}`+"\n"+
		`{"end":{"match":"m1","outcomes":[{"player":"ann","outcome":2},{"player":"bob","outcome":1}]}}`)
	succeed(t, "script", "--rules", "rules.json", "--db", "game.db", "script.jsonl")
	before, err := os.ReadFile("game.db")
	require.NoError(t, err)
	for _, args := range [][]string{
		{"wallet", "game.db", "ann"}, {"ledger", "game.db", "ann"}, {"ledger", "game.db", "--match", "m1"}, {"grants", "game.db"}, {"progress", "game.db", "ann"},
		{"explain", "game.db", "--board", "daily", "--player", "ann"}, {"explain", "game.db", "--match", "m1", "--player", "bob"},
		{"explain", "game.db", "--grant", "match/m1/win/ann"}, {"match", "game.db", "m1"}, {"verify", "game.db"},
	} {
		succeed(t, args...)
		after, err := os.ReadFile("game.db")
		require.NoError(t, err)
		require.True(t, string(before) == string(after), "%v changed the file", args)
	}
	var stdout, stderr strings.Builder
	require.Equal(t, failure, run([]string{"claim", "game.db", "ann", "match/m1/win/ann"}, nil, &stdout, &stderr), "it has expired in the meantime")
	require.Equal(t, "finalbell: game.db: claim grant \"match/m1/win/ann\": the grant has expired\n", stderr.String())
}
