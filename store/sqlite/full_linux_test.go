package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// mount mounts a file system in memory, or skips the test where that is not allowed.
func mount(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("finalbell-test", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("skipped: no file system of its own can be mounted here (%v), which needs root", err)
	}
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
}

func TestOnAFullDiskNothingAcknowledgedIsLost(t *testing.T) {
	dir := mount(t, "size=1m")
	path, filler := filepath.Join(dir, "game.db"), filepath.Join(dir, "filler")
	ended := make(map[string]bool)
	for life := range 4 {
		// The disk is full at another moment each time.
		require.NoError(t, os.WriteFile(filler, make([]byte, 300_000+life*70_000), 0o600))
		e, err := openGame(path)
		require.NoError(t, err)
		require.NoError(t, raceUntilFull(e, string(rune('a'+life)), func(id string) { ended[id] = true }))
		require.ErrorIs(t, e.Close(), sqlite.ErrDiskFull)
		require.NoError(t, os.Remove(filler))
		e, err = openGame(path)
		require.NoError(t, err)
		requireWhole(t, e, ended)
		races(t, e, "room again "+string(rune('a'+life)), 3)
		require.NoError(t, e.Close())
		require.Equal(t, []string{"game.db"}, namesIn(t, dir))
	}
	t.Logf("%d ends acknowledged, none lost", len(ended))
}

func TestOpeningOnAFullDiskSaysSoAndHarmsNothing(t *testing.T) {
	dir := mount(t, "size=1m")
	ctx := context.Background()
	path, filler := filepath.Join(dir, "game.db"), filepath.Join(dir, "filler")
	ours(t, path)
	crashed := filepath.Join(dir, "crashed.db")
	e, err := openGame(crashed)
	require.NoError(t, err)
	races(t, e, "race ", 5)
	main, err := os.ReadFile(crashed)
	require.NoError(t, err)
	log, err := os.ReadFile(crashed + "-wal")
	require.NoError(t, err)
	require.NoError(t, e.Close())
	require.NoError(t, errors.Join(os.WriteFile(crashed, main, 0o600), os.WriteFile(crashed+"-wal", log, 0o600)))
	fill(t, filler)
	before := databases(t, dir)
	fresh := filepath.Join(dir, "fresh.db")
	for _, name := range []string{path, crashed, fresh} {
		_, err := openGame(name)
		require.ErrorIs(t, err, sqlite.ErrDiskFull, name)
		require.ErrorIs(t, err, finalbell.ErrUnavailable)
		require.ErrorContains(t, err, "the disk is full; free some space and open it again")
		if name != fresh {
			_, err = finalbell.View(ctx, name)
			require.ErrorIs(t, err, sqlite.ErrDiskFull, name)
		}
	}
	assert.Equal(t, before, databases(t, dir))
	require.NoError(t, os.Remove(filler))
	for name, races := range map[string]int{path: 5, crashed: 5, fresh: 0} {
		e, err := openGame(name)
		require.NoError(t, err)
		assert.Equal(t, races, requireWhole(t, e, nil))
		require.NoError(t, e.Close())
	}
}

func TestABackupToAFullDiskLeavesNothingBehind(t *testing.T) {
	dir := mount(t, "size=200k")
	ctx := context.Background()
	e, err := openGame(filepath.Join(t.TempDir(), "game.db"))
	require.NoError(t, err)
	defer e.Close()
	races(t, e, "race ", 30)
	filler := filepath.Join(dir, "filler")
	for _, free := range []int{0, 1, 4, 8, 12} { // pages
		fill(t, filler)
		info, err := os.Stat(filler)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(filler, info.Size()-int64(free)*4096))
		err = e.Backup(ctx, filepath.Join(dir, "copy.db"))
		require.ErrorIs(t, err, sqlite.ErrDiskFull, free)
		require.ErrorContains(t, err, "copy.db")
		require.Equal(t, []string{"filler"}, namesIn(t, dir))
	}
	require.NoError(t, os.Remove(filler))
	require.NoError(t, e.Backup(ctx, filepath.Join(dir, "copy.db")))
	require.Equal(t, []string{"copy.db"}, namesIn(t, dir))
	requireWhole(t, e, nil)
}
