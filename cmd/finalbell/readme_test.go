package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every command that the README shows does what it says there, in the order in which it stands there.
func TestTheReadmesCommands(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	t.Chdir(t.TempDir()) // for league.db
	var all strings.Builder
	for line := range strings.Lines(string(readme)) {
		command, shown := strings.CutPrefix(strings.TrimSpace(line), "go run ./cmd/finalbell ")
		if shown {
			command = strings.ReplaceAll(command, "testdata/", root+"/testdata/")
			all.WriteString("$ " + strings.Fields(command)[0] + "\n" + succeed(t, strings.Fields(command)...))
		}
		if query, shown := strings.CutPrefix(line, "sqlite3 league.db '"); shown {
			all.WriteString("$ sqlite3\n")
			require.NoError(t, runSQL("league.db", strings.TrimSuffix(strings.TrimSpace(query), "'"), &all))
		}
	}
	require.Contains(t, all.String(), "$ replay\n16 matches, 36 players\n")
	require.Contains(t, all.String(), "$ board\ndrivers · all time · 36 entries\n")
	require.Contains(t, all.String(), "\ndrivers|1|ayrton-senna|[90,[8,3,0,1,0,1,0,0,0,1]]\n")
}
