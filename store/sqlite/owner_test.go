//go:build unix

package sqlite_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// childOwns opens the database, says so, races as often as it is told to, says that, and keeps it until its input
// ends.
func childOwns(args []string) error {
	e, err := openGame(args[0])
	if err != nil {
		return err
	}
	fmt.Println("open")
	count, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	for n := range count {
		if err := race(context.Background(), e, fmt.Sprint("owner's ", n), n); err != nil {
			return err
		}
	}
	fmt.Println("raced")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return e.Close()
}

// requireOwned asks for a file to be refused because of its owner, by both ways to open it.
func requireOwned(t *testing.T, path string, pid int) {
	t.Helper()
	_, err := openGame(path)
	require.ErrorIs(t, err, sqlite.ErrOwned)
	require.ErrorIs(t, err, finalbell.ErrUnavailable)
	require.ErrorContains(t, err, fmt.Sprintf("another engine has it open; close that one first: process %d", pid))
	_, err = sqlite.Open(context.Background(), path, sqlite.Options{})
	require.ErrorIs(t, err, sqlite.ErrOwned)
}

func TestOneEngineOwnsAFileByWhateverNameItIsOpened(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "game.db")
	link, linkedDir := filepath.Join(dir, "link.db"), filepath.Join(t.TempDir(), "dir")
	require.NoError(t, os.Symlink("game.db", link))
	require.NoError(t, os.Symlink(dir, linkedDir))
	t.Chdir(dir)
	everyName := []string{path, "game.db", "./x/../game.db", link, "link.db", filepath.Join(linkedDir, "game.db"), filepath.Join(linkedDir, "link.db")}
	require.NoError(t, os.Mkdir("x", 0o700))

	other := startChild(t, "own", nil, path, "1")
	require.Equal(t, "open", other.next(t))
	require.Equal(t, "raced", other.next(t))
	for _, name := range everyName {
		requireOwned(t, name, other.cmd.Process.Pid)
	}
	other.kill(t)
	other.killed(t)
	for _, name := range everyName {
		e, err := openGame(name)
		require.NoError(t, err, "the dead own nothing")
		requireOwned(t, path, os.Getpid())
		requireWhole(t, e, map[string]bool{"owner's 0": true})
		require.NoError(t, e.Close())
		require.Equal(t, []string{"game.db", "link.db", "x"}, namesIn(t, dir), "nothing stays beside a database that was closed")
	}
}

// Two that open at the same moment never own the file both.
func TestOfManyWhoOpenAFileOneOwnsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	ctx := context.Background()
	owned := 0
	for range 30 {
		const tries = 8
		results := make(chan error, tries)
		stores := make(chan *sqlite.Store, tries)
		for range tries {
			go func() {
				s, err := sqlite.Open(ctx, path, sqlite.Options{})
				if err == nil {
					stores <- s
				}
				results <- err
			}()
		}
		for range tries {
			if err := <-results; err != nil {
				require.ErrorIs(t, err, sqlite.ErrOwned)
			}
		}
		require.Len(t, stores, 1)
		owned++
		require.NoError(t, (<-stores).Close())
	}
	require.Equal(t, 30, owned)
}

func TestAViewBesideTheOwnerSeesOneMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	owner := startChild(t, "race", nil, path, "other")
	require.Equal(t, "opening", owner.next(t))
	ctx := context.Background()
	acknowledged := make(map[string]bool)
	first, last := 0, 0
	for range 8 {
		acknowledged[strings.TrimPrefix(owner.next(t), "ended ")] = true
		e, err := finalbell.View(ctx, path)
		require.NoError(t, err)
		before, err := contents(e)
		require.NoError(t, err)
		another := owner.next(t) // has ended, and the view may be too early for it
		ended := requireWhole(t, e, acknowledged)
		after, err := contents(e)
		require.NoError(t, err)
		require.Equal(t, before, after, "a view stays at its moment")
		require.GreaterOrEqual(t, ended, last)
		if last = ended; first == 0 {
			first = ended
		}
		acknowledged[strings.TrimPrefix(another, "ended ")] = true
		_, err = e.Create(ctx, finalbell.NewMatch{ID: "mine", Mode: "race", Players: roster(0)})
		require.ErrorIs(t, err, finalbell.ErrUnavailable)
		require.NoError(t, e.Close())
	}
	require.Greater(t, last, first, "a later view is of a later moment")
	owner.kill(t)
	owner.rest()
	owner.killed(t)

	// And without one.
	e, err := finalbell.View(ctx, path)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, requireWhole(t, e, nil), last)
	require.NoError(t, e.Close())
}

// An owner that closes while somebody looks on leaves its log to the next one.
func TestWhatAViewKeepsOpenTheNextOwnerTakesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	ctx := context.Background()
	e, err := openGame(path)
	require.NoError(t, err)
	races(t, e, "a", 3)
	v, err := finalbell.View(ctx, path)
	require.NoError(t, err)
	races(t, e, "b", 3)
	require.NoError(t, e.Close())
	require.Equal(t, 3, requireWhole(t, v, nil))
	e, err = openGame(path)
	require.NoError(t, err)
	races(t, e, "c", 3)
	require.Equal(t, 3, requireWhole(t, v, nil))
	require.NoError(t, v.Close())
	require.Equal(t, 9, requireWhole(t, e, nil))
	require.NoError(t, e.Close())
	require.Equal(t, []string{"game.db"}, namesIn(t, filepath.Dir(path)))
}
