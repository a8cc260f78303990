package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whole seasons come back from an export as what they were, by way of JSON Lines and of CSV, with the same boards.
func TestSeasonsComeBackFromAnExport(t *testing.T) {
	for season, rules := range map[string]string{
		"f1-1974": "seasons/f1-1974.rules.json", "f1-1988": "seasons/f1-1988.rules.json", "f1-2008": "f1.rules.json", "f1-2021": "f1.rules.json",
		"football-2011-12-en.1": "league.rules.json", "football-2012-13-de.1": "league.rules.json", "football-2015-16-en.1": "league.rules.json",
	} {
		t.Run(season, func(t *testing.T) {
			if testing.Short() && season != "f1-1988" {
				t.Skip("every match is synced to the disk three times")
			}
			dir, rules := t.TempDir(), testdata+rules
			in := func(name string) string { return filepath.Join(dir, name) }
			runs(t, "import", "--rules", rules, "--db", in("first.db"), testdata+"seasons/"+season+".jsonl")
			lines := runs(t, "export", "--db", in("first.db"))
			require.Equal(t, strings.Count(fileText(t, testdata+"seasons/"+season+".jsonl"), "\n"), strings.Count(lines, "\n"))
			runs(t, "export", "--db", in("first.db"), "-o", in("first.jsonl"))
			require.Equal(t, lines, fileText(t, in("first.jsonl")))
			runs(t, "export", "--db", in("first.db"), "--csv", "-o", in("first.csv"))
			runs(t, "import", "--rules", rules, "--db", in("rows.db"), "--csv", in("first.csv"))
			require.Equal(t, lines, runs(t, "export", "--db", in("rows.db")))
			require.Equal(t, fileText(t, in("first.csv")), runs(t, "export", "--db", in("rows.db"), "--csv"))
			replayed := runs(t, "replay", "--json", "--rules", rules, testdata+"seasons/"+season+".jsonl")
			require.Equal(t, replayed, runs(t, "replay", "--json", "--rules", rules, in("first.jsonl")))
			require.Contains(t, runs(t, "import", "--rules", rules, "--db", in("first.db"), in("first.jsonl")), "0 matches imported, ")
		})
	}
}

func runs(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr strings.Builder
	require.Equal(t, done, run(args, nil, &stdout, &stderr), stderr.String())
	return stdout.String()
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}
