package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README's program is a part of the package's Example, line by line: what a reader copies compiles.
func TestTheReadmesProgramIsTheExample(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	require.NoError(t, err)
	_, program, found := strings.Cut(string(readme), "```go\n")
	require.True(t, found)
	program, _, found = strings.Cut(program, "```\n")
	require.True(t, found)
	require.NotContains(t, strings.TrimSpace(program), "\n\n")
	example, err := os.ReadFile(filepath.Join("..", "..", "example_open_test.go"))
	require.NoError(t, err)
	require.Contains(t, string(example), "\t"+strings.ReplaceAll(strings.TrimSpace(program), "\n", "\n\t"))
}
