//go:build unix

package sqlite_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// raceUntilFull races until an end fails and tells of those before. The failure must say that the disk is full,
// that nobody knows about this end, and that nothing more is written; reading goes on.
func raceUntilFull(e *finalbell.Engine, life string, ended func(id string)) error {
	ctx := context.Background()
	var failure error
	for n := 0; failure == nil; n++ {
		id := fmt.Sprint(life, " ", n)
		if failure = race(ctx, e, id, n); failure == nil {
			ended(id)
		}
	}
	if !errors.Is(failure, sqlite.ErrDiskFull) || !errors.Is(failure, finalbell.ErrUnknown) {
		return fmt.Errorf("the first call to fail: %w", failure)
	}
	for range 3 {
		err := race(ctx, e, "too late", 1)
		if !errors.Is(err, sqlite.ErrDiskFull) || !errors.Is(err, finalbell.ErrUnavailable) || errors.Is(err, finalbell.ErrUnknown) {
			return fmt.Errorf("a later call: %w", err)
		}
	}
	if _, err := contents(e); err != nil {
		return fmt.Errorf("reading on: %w", err)
	}
	if _, err := e.Match(ctx, life+" 0"); err != nil {
		return fmt.Errorf("reading on: %w", err)
	}
	return nil
}

// childWithLimit may make no file longer than it is told. It opens the database, unless that is what must fail, and
// races until an end fails.
func childWithLimit(args []string) error {
	path, life := args[0], args[2]
	limit, err := strconv.ParseUint(args[1], 10, 63)
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	var most syscall.Rlimit
	setBoth(&most.Cur, &most.Max, limit)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &most); err != nil {
		return err
	}
	e, err := openGame(path)
	if err != nil {
		if !errors.Is(err, sqlite.ErrDiskFull) || !errors.Is(err, finalbell.ErrUnavailable) {
			return fmt.Errorf("open: %w", err)
		}
		fmt.Println("full at once")
		return nil
	}
	if err := raceUntilFull(e, life, func(id string) { fmt.Println("ended " + id) }); err != nil {
		return err
	}
	if err := e.Close(); !errors.Is(err, sqlite.ErrDiskFull) {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// A process that may not make its files longer is one to whom the disk is full.
func TestALimitOnTheLengthOfFilesIsAFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	limited := func(path string, limit int64, life string) []string {
		c := startChild(t, "limit", nil, path, strconv.FormatInt(limit, 10), life)
		said := c.rest()
		require.NoError(t, c.cmd.Wait(), c.stderr.String())
		return said
	}
	ended := make(map[string]bool)
	for life, limit := range []int64{190_000, 220_000, 290_001, 490_000, 490_000} {
		said := limited(path, limit, fmt.Sprint("life ", life))
		for _, line := range said {
			id, is := strings.CutPrefix(line, "ended ")
			require.True(t, is, line)
			ended[id] = true
		}
		if life < 4 {
			require.NotEmpty(t, said, "%d bytes", limit)
		}
		e, err := openGame(copyDatabase(t, path))
		require.NoError(t, err)
		requireWhole(t, e, ended)
		require.NoError(t, e.Close())
	}
	e, err := openGame(path)
	require.NoError(t, err)
	races(t, e, "room again ", 3)
	requireWhole(t, e, ended)
	require.NoError(t, e.Close())
	t.Logf("%d ends acknowledged, none lost", len(ended))

	// And no room at all.
	before := databases(t, filepath.Dir(path))
	require.Equal(t, []string{"full at once"}, limited(path, 1000, "none"))
	assert.Equal(t, before, databases(t, filepath.Dir(path)))
	for _, limit := range []int64{1000, 10_000, 35_000} {
		fresh := filepath.Join(t.TempDir(), "game.db")
		require.Equal(t, []string{"full at once"}, limited(fresh, limit, "none"))
		assert.Empty(t, listing(t, filepath.Dir(fresh)), "what was not made is not left half made")
	}
	e, err = openGame(path)
	require.NoError(t, err)
	require.NoError(t, e.Close())
}

// databases lists a directory without what SQLite keeps for itself beside databases: a failure may leave an empty log
// and its index.
func databases(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := listing(t, dir)
	nothing := fmt.Sprintf("%x", sha256.Sum256(nil))
	maps.DeleteFunc(all, func(name, sum string) bool {
		return strings.HasSuffix(name, "-shm") || strings.HasSuffix(name, "-wal") && sum == nothing
	})
	return all
}

// setBoth sets a limit, whose fields are signed on some systems.
func setBoth[T int64 | uint64](current, most *T, limit uint64) {
	*current, *most = T(limit), T(limit)
}
