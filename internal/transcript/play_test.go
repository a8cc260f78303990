package transcript

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/internal/emptydb"
	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/sqlite"
)

var update = flag.Bool("update", false, "write the answers of today into the transcripts")

// openMemory gives stores in memory.
func openMemory(closed store.Store) (store.Store, error) {
	if closed == nil {
		return memory.New(), nil
	}
	return closed.(*memory.Store).Reopen(), nil
}

// stores are all the stores that every transcript must come out the same on.
var stores = map[string]func(t *testing.T) Opener{
	"memory": func(*testing.T) Opener { return openMemory },
	"sqlite": openSQLite,
}

// openSQLite gives stores in files.
func openSQLite(t *testing.T) Opener {
	dir, files := t.TempDir(), 0
	return func(closed store.Store) (store.Store, error) {
		if closed != nil {
			return sqlite.Open(context.Background(), closed.(*sqlite.Store).Path(), sqlite.Options{MustExist: true})
		}
		files++
		return emptydb.Open(filepath.Join(dir, strconv.Itoa(files)+".db"))
	}
}

// Every transcript in testdata comes out as it is written, on every store, and so it does twice. Short, a database
// plays every fourth of them.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../../testdata/transcripts/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			for i, file := range files {
				if testing.Short() && name == "sqlite" && i%4 > 0 {
					continue
				}
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
					playFile(t, file, open(t))
				})
			}
		})
	}
}

func playFile(t *testing.T, file string, open Opener) {
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(want, []byte("# ")), "a transcript begins with the sentence that it shows")
	got, err := Play(context.Background(), want, open)
	require.NoError(t, err, file)
	again, err := Play(context.Background(), want, open)
	require.NoError(t, err)
	require.Equal(t, string(got), string(again), "the same calls, clock and ids give the same bytes")
	if *update && !bytes.Equal(got, want) {
		require.NoError(t, os.WriteFile(file, got, 0o644))
		return
	}
	require.Equal(t, string(want), string(got))
}

// A file that is no transcript is refused with its line.
func TestPlayNamesTheLineThatIsNoTranscript(t *testing.T) {
	for text, want := range map[string]string{
		"# a\nfoo":             `line 2: expected a line of "#", "rules:", "reopen:", ">", "<" or "!"`,
		"> {\"verify\":true}":  "line 1: no engine to ask",
		"reopen:":              "line 1: nothing to reopen",
		"rules: {}\n\n\nrule:": `line 4: expected a line of "#", "rules:", "reopen:", ">", "<" or "!"`,
	} {
		_, err := Play(context.Background(), []byte(text), openMemory)
		require.EqualError(t, err, want)
	}
}
