package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// ours makes a database of ours and closes it.
func ours(t testing.TB, path string) {
	t.Helper()
	e, err := openGame(path)
	require.NoError(t, err)
	races(t, e, "race ", 5)
	require.NoError(t, e.Close())
}

// program runs SQL on a file as another program would. With left, it dies with its log beside the file.
func program(t testing.TB, path string, left bool, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	for _, s := range statements {
		_, err := db.Exec(s)
		require.NoError(t, err, s)
	}
	kept := make(map[string][]byte)
	for _, name := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(name)
		if left && err == nil {
			kept[name] = content
		}
	}
	require.NoError(t, db.Close())
	for name, content := range kept {
		require.NoError(t, os.WriteFile(name, content, 0o600))
	}
}

func edit(t testing.TB, path string, change func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(b), 0o600))
}

func cut(length int) func(b []byte) []byte { return func(b []byte) []byte { return b[:length] } }

// refusal is a file that no engine opens.
type refusal struct {
	says      string
	make      func(t testing.TB, path string)
	mustExist bool
	kind      sqlite.Kind
	text      string // further in the message
}

func refusals() []refusal {
	return []refusal{
		{"no directory", func(t testing.TB, path string) { require.NoError(t, os.Remove(filepath.Dir(path))) }, false, sqlite.ErrNoDirectory, ""},
		{"no file where there must be one", func(testing.TB, string) {}, true, sqlite.ErrMissing, ""},
		{"an empty file where there must be a database", func(t testing.TB, path string) {
			require.NoError(t, os.WriteFile(path, nil, 0o600))
		}, true, sqlite.ErrEmpty, ""},
		{"a database without tables where there must be some", func(t testing.TB, path string) {
			program(t, path, false, "PRAGMA journal_mode=WAL")
		}, true, sqlite.ErrEmpty, ""},
		{"a directory", func(t testing.TB, path string) { require.NoError(t, os.Mkdir(path, 0o700)) }, false, sqlite.ErrNotDatabase, "it is a directory"},
		{"a text", func(t testing.TB, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("Dear diary, ", 1000)), 0o600))
		}, false, sqlite.ErrNotDatabase, ""},
		{"a letter", func(t testing.TB, path string) {
			require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		}, false, sqlite.ErrNotDatabase, ""},
		{"another program's database", func(t testing.TB, path string) {
			program(t, path, false, "CREATE TABLE t (x)")
		}, false, sqlite.ErrForeign, "application_id 0x0, not 0x6662656c"},
		{"another program's database with an id", func(t testing.TB, path string) {
			program(t, path, false, "PRAGMA application_id = -2", "CREATE TABLE t (x)")
		}, false, sqlite.ErrForeign, "application_id 0xfffffffe, not"},
		{"another program's database without tables but with a version", func(t testing.TB, path string) {
			program(t, path, false, "PRAGMA user_version = 3")
		}, false, sqlite.ErrForeign, ""},
		{"another program's database with a log", func(t testing.TB, path string) {
			program(t, path, true, "PRAGMA journal_mode=WAL", "CREATE TABLE t (x)", "INSERT INTO t VALUES (1)")
		}, false, sqlite.ErrForeign, ""},
		{"another program's database with an old-fashioned schema", func(t testing.TB, path string) {
			program(t, path, false, `CREATE TABLE t (x DEFAULT 'a', CHECK (x <> "b"))`)
		}, false, sqlite.ErrForeign, ""},
		{"another program's database with very many tables", func(t testing.TB, path string) {
			var all []string
			for i := range 200 {
				all = append(all, fmt.Sprintf("CREATE TABLE t%d (x)", i))
			}
			program(t, path, true, append([]string{"PRAGMA journal_mode=WAL"}, all...)...)
		}, false, sqlite.ErrForeign, ""},
		{"a newer schema", func(t testing.TB, path string) {
			ours(t, path)
			program(t, path, false, "PRAGMA user_version = 7")
		}, false, sqlite.ErrNewer, "its schema is 7, this version knows those up to 4"},
		{"a newer schema in the log", func(t testing.TB, path string) {
			ours(t, path)
			program(t, path, true, "PRAGMA user_version = 7", "INSERT INTO names (name) VALUES ('x')")
		}, false, sqlite.ErrNewer, ""},
		{"half a file", func(t testing.TB, path string) {
			ours(t, path)
			edit(t, path, func(b []byte) []byte { return b[:len(b)/2] })
		}, false, sqlite.ErrCorrupt, ""},
		{"a file without its last page", func(t testing.TB, path string) {
			ours(t, path)
			edit(t, path, func(b []byte) []byte { return b[:len(b)-2048] })
		}, false, sqlite.ErrCorrupt, ""},
		{"a file's first page", func(t testing.TB, path string) { ours(t, path); edit(t, path, cut(2048)) }, false, sqlite.ErrCorrupt, ""},
		{"the first bytes of a file", func(t testing.TB, path string) { ours(t, path); edit(t, path, cut(60)) }, false, sqlite.ErrCorrupt, ""},
		{"a file whose tables cannot be read", func(t testing.TB, path string) {
			ours(t, path)
			edit(t, path, func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte("CREATE TABLE events"), []byte("CREATE TABLE <vents"))
			})
		}, false, sqlite.ErrCorrupt, ""},
		{"a file whose first page is no page", func(t testing.TB, path string) {
			ours(t, path)
			edit(t, path, func(b []byte) []byte { b[100] = 7; return b })
		}, false, sqlite.ErrCorrupt, ""},
		{"a log without its file", func(t testing.TB, path string) {
			e, err := openGame(path)
			require.NoError(t, err)
			races(t, e, "race ", 5)
			log, err := os.ReadFile(path + "-wal")
			require.NoError(t, err)
			require.NoError(t, e.Close())
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.WriteFile(path+"-wal", log, 0o600))
		}, false, sqlite.ErrCorrupt, "its log -wal holds commits"},
	}
}

// Every file that cannot be opened says why and what to do, and is left alone: nothing is repaired, nothing made.
func TestARefusedFileIsToldWhyAndLeftAlone(t *testing.T) {
	ctx := context.Background()
	for _, r := range refusals() {
		t.Run(r.says, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			require.NoError(t, os.Mkdir(dir, 0o700))
			path := filepath.Join(dir, "game.db")
			r.make(t, path)
			list := func() map[string]string {
				if r.kind == sqlite.ErrNoDirectory {
					return listing(t, filepath.Dir(dir))
				}
				return listing(t, dir)
			}
			before := list()
			check := func(err error) {
				t.Helper()
				require.ErrorIs(t, err, r.kind)
				var failure *sqlite.Error
				require.ErrorAs(t, err, &failure)
				assert.Equal(t, path, failure.Path)
				for _, part := range []string{string(r.kind), path, r.text} {
					assert.ErrorContains(t, err, part)
				}
				assert.Equal(t, before, list(), "nothing is changed or left")
			}
			_, err := sqlite.Open(ctx, path, sqlite.Options{MustExist: r.mustExist})
			check(err)
			_, err = finalbell.Open(ctx, path, rules(), finalbell.Options{MustExist: r.mustExist})
			check(err)
			require.ErrorIs(t, err, finalbell.ErrUnavailable)
			t.Log(err)
			if r.says != "a log without its file" { // then there is nothing to view
				_, err = finalbell.View(ctx, path)
				check(err)
				require.ErrorIs(t, err, finalbell.ErrUnavailable)
			}
		})
	}
}

func TestAViewNeedsADatabase(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "game.db")
	_, err := sqlite.View(ctx, path)
	require.ErrorIs(t, err, sqlite.ErrMissing)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = sqlite.View(ctx, path)
	require.ErrorIs(t, err, sqlite.ErrEmpty)
	require.Len(t, listing(t, filepath.Dir(path)), 1)
}

func TestRefusedRulesOrOptionsLeaveNoFileBehind(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "game.db")
	bad := rules()
	bad.Modes[0].Boards = []string{"nowhere"}
	_, err := finalbell.Open(ctx, path, bad, finalbell.Options{})
	require.ErrorIs(t, err, finalbell.ErrInvalid)
	_, err = finalbell.Open(ctx, path, rules(), finalbell.Options{Sync: "sometimes"})
	require.ErrorIs(t, err, finalbell.ErrInvalid)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = finalbell.Open(gone, path, rules(), finalbell.Options{})
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, listing(t, dir))

	// Rules that do not fit the data leave the data alone.
	ours(t, path)
	before := listing(t, dir)
	bad = rules()
	bad.Boards[1].Keys[0].Fold = finalbell.FoldSum
	bad.Boards[1].Keys[0].Metric = "points"
	_, err = finalbell.Open(ctx, path, bad, finalbell.Options{})
	require.ErrorIs(t, err, finalbell.ErrInvalid)
	assert.Equal(t, before, listing(t, dir))
}

// The header says whose a file is, so other tools can tell, too.
func TestTheFileSaysWhoseItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	ours(t, path)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "fbel", string(b[68:72]))
	assert.EqualValues(t, 4, binary.BigEndian.Uint32(b[60:]))
}
