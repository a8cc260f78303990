//go:build unix

package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// tries opens a database both ways and says in a word how each went: how many races had ended, or what was wrong.
func tries(path string) (opened, viewed string) {
	say := func(e *finalbell.Engine, err error) string {
		if err == nil {
			defer e.Close()
			found, err := e.Verify(context.Background())
			if err != nil || len(found.Problems) > 0 {
				return fmt.Sprint(err, found.Problems)
			}
			return fmt.Sprint(found.Matches, " races")
		}
		if errors.Is(err, sqlite.ErrReadOnly) && errors.Is(err, finalbell.ErrUnavailable) {
			return "read-only"
		}
		return err.Error()
	}
	return say(openGame(path)), say(finalbell.View(context.Background(), path))
}

// childAsNobody tries as somebody who may not do what root may.
func childAsNobody(args []string) error {
	const nobody = 65534
	if os.Getuid() == 0 {
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
			fmt.Println("cannot become nobody:", err)
			return nil
		}
	}
	opened, viewed := tries(args[0])
	fmt.Println(opened)
	fmt.Println(viewed)
	return nil
}

func TestWhatMayNotBeWrittenIsRefusedAndCanBeViewed(t *testing.T) {
	type place struct {
		file, dir      os.FileMode
		log            bool // an engine has died there
		opened, viewed string
	}
	for says, p := range map[string]place{
		"all may be written":                     {0o666, 0o777, false, "5 races", "5 races"},
		"the file":                               {0o444, 0o777, false, "read-only", "5 races"},
		"the directory":                          {0o666, 0o555, false, "read-only", "5 races"},
		"both":                                   {0o444, 0o555, false, "read-only", "5 races"},
		"a file that may not even be read":       {0o000, 0o777, false, "read-only", "read-only"},
		"a file with a log":                      {0o444, 0o777, true, "read-only", "5 races"},
		"a directory with a log and its index":   {0o444, 0o555, true, "read-only", "read-only"},
		"all may be written, and there is a log": {0o666, 0o777, true, "5 races", "5 races"},
	} {
		t.Run(says, func(t *testing.T) {
			base := t.TempDir()
			require.NoError(t, os.Chmod(filepath.Dir(base), 0o755)) //nolint:gosec // for nobody, too
			dir := filepath.Join(base, "data")
			require.NoError(t, os.Mkdir(dir, 0o700))
			path := filepath.Join(dir, "game.db")
			ours(t, path)
			if p.log {
				e, err := openGame(path)
				require.NoError(t, err)
				_, err = e.Create(context.Background(), finalbell.NewMatch{ID: "more", Mode: "race", Players: roster(1)})
				require.NoError(t, err)
				from := copyDatabase(t, path)
				require.NoError(t, e.Close())
				require.NoError(t, os.Rename(from, path))
				require.NoError(t, os.Rename(from+"-wal", path+"-wal"))
				require.NoError(t, os.Chmod(path+"-wal", p.file))
			}
			require.NoError(t, os.Chmod(path, p.file))
			require.NoError(t, os.Chmod(dir, p.dir))
			t.Cleanup(func() { _ = os.Chmod(dir, 0o700) }) //nolint:gosec // a directory
			content := listing(t, dir)["game.db"]
			c := startChild(t, "nobody", nil, path)
			opened := c.next(t)
			if len(opened) > 6 && opened[:6] == "cannot" {
				t.Skip("skipped: root " + opened + ", and root may write everything")
			}
			assert.Equal(t, p.opened, opened, "open")
			assert.Equal(t, p.viewed, c.next(t), "view")
			c.leave(t)
			if p.opened == "read-only" {
				assert.Equal(t, content, listing(t, dir)["game.db"])
			}
			if p.dir == 0o555 {
				want := []string{"game.db"}
				if p.log {
					want = append(want, "game.db-wal")
				}
				assert.Equal(t, want, namesIn(t, dir))
			}
		})
	}
}

// Somebody who may only read looks on while the owner writes.
func TestWhoMayOnlyReadCanViewBesideTheOwner(t *testing.T) {
	base := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(base), 0o755)) //nolint:gosec // for nobody, too
	dir := filepath.Join(base, "data")
	require.NoError(t, os.Mkdir(dir, 0o755)) //nolint:gosec // the same
	path := filepath.Join(dir, "game.db")
	e, err := openGame(path)
	require.NoError(t, err)
	races(t, e, "race ", 7)
	c := startChild(t, "nobody", nil, path)
	opened := c.next(t)
	if os.Getuid() != 0 || len(opened) > 6 && opened[:6] == "cannot" {
		t.Skip("skipped: only root can become somebody else: " + opened)
	}
	assert.Equal(t, "read-only", opened)
	assert.Equal(t, "7 races", c.next(t))
	c.leave(t)
	races(t, e, "more ", 2)
	requireWhole(t, e, nil)
	require.NoError(t, e.Close())
	require.Equal(t, []string{"game.db"}, namesIn(t, dir))
}
