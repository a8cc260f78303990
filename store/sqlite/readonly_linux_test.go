package sqlite_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileSystemMountedReadOnlyCanBeViewed(t *testing.T) {
	dir := mount(t, "size=4m")
	path := filepath.Join(dir, "game.db")
	ours(t, path)
	crashed := filepath.Join(dir, "crashed.db")
	e, err := openGame(crashed)
	require.NoError(t, err)
	races(t, e, "race ", 2)
	from := copyDatabase(t, crashed)
	require.NoError(t, e.Close())
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(from + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(crashed+suffix, content, 0o600))
	}
	before := listing(t, dir)
	require.NoError(t, syscall.Mount("finalbell-test", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	opened, viewed := tries(path)
	require.Equal(t, []string{"read-only", "5 races"}, []string{opened, viewed})
	// What an engine left that died cannot be read without writing.
	opened, viewed = tries(crashed)
	require.Equal(t, []string{"read-only", "read-only"}, []string{opened, viewed})
	opened, _ = tries(filepath.Join(dir, "fresh.db"))
	require.Equal(t, "read-only", opened)
	require.Equal(t, before, listing(t, dir))
}
