package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
	"github.com/finalbell/finalbell/store/sqlite"
)

// racing races on several goroutines until it is stopped, and knows which ends were acknowledged.
type racing struct {
	mu    sync.Mutex
	ended map[string]bool
	stop  context.CancelFunc
	group sync.WaitGroup
}

func startRacing(t *testing.T, e *finalbell.Engine, life string) *racing {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &racing{ended: make(map[string]bool), stop: stop}
	for driver := range 3 {
		r.group.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprint(life, " ", driver, " ", n)
				if !assert.NoError(t, race(context.Background(), e, id, n)) {
					return
				}
				r.mu.Lock()
				r.ended[id] = true
				r.mu.Unlock()
			}
		})
	}
	t.Cleanup(r.finish)
	return r
}

// acknowledged are the ends so far.
func (r *racing) acknowledged() map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.ended)
}

func (r *racing) finish() {
	r.stop()
	r.group.Wait()
}

// requireBackup asks for a copy to hold at least what was acknowledged, and to be a database to play on with.
func requireBackup(t *testing.T, path string, ended map[string]bool) {
	t.Helper()
	v, err := finalbell.View(context.Background(), path)
	require.NoError(t, err)
	viewed := requireWhole(t, v, ended)
	e, err := openGame(path) // beside the view
	require.NoError(t, err)
	require.Equal(t, viewed, requireWhole(t, e, ended))
	races(t, e, "on the copy ", 2)
	require.NoError(t, v.Close())
	require.NoError(t, e.Close())
	s, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Check(context.Background()))
	require.NoError(t, s.Close())
}

func TestABackupHoldsEveryEndAcknowledgedBeforeIt(t *testing.T) {
	ctx := context.Background()
	dir, copies := t.TempDir(), t.TempDir()
	e, err := openGame(filepath.Join(dir, "game.db"))
	require.NoError(t, err)
	defer e.Close()
	races(t, e, "before ", 1)
	r := startRacing(t, e, "race")
	for n := range 6 {
		ended := r.acknowledged()
		path := filepath.Join(copies, fmt.Sprint(n, ".db"))
		require.NoError(t, e.Backup(ctx, path))
		requireBackup(t, path, ended)
	}
	r.finish()
	require.NotEmpty(t, r.ended)
	require.Len(t, namesIn(t, copies), 6)
	require.NoError(t, e.Close())
	require.Equal(t, []string{"game.db"}, namesIn(t, dir))
}

func TestABackupOverwritesNothing(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "game.db")
	e, err := openGame(path)
	require.NoError(t, err)
	defer e.Close()
	races(t, e, "race ", 3)
	copied := filepath.Join(t.TempDir(), "copy.db")
	require.NoError(t, e.Backup(ctx, copied))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "text"), []byte("mine"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dir"), 0o700))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
	before := namesIn(t, dir)
	for _, name := range []string{copied, path, filepath.Join(dir, "text"), filepath.Join(dir, "dir"), filepath.Join(dir, "link")} {
		err := e.Backup(ctx, name)
		require.ErrorContains(t, err, "there is a file of that name already; choose another one", name)
		require.ErrorIs(t, err, finalbell.ErrUnavailable)
	}
	require.Equal(t, before, namesIn(t, dir))
	text, err := os.ReadFile(filepath.Join(dir, "text"))
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
	requireBackup(t, copied, nil)

	err = e.Backup(ctx, filepath.Join(dir, "nowhere", "copy.db"))
	require.ErrorIs(t, err, sqlite.ErrNoDirectory)
	require.Equal(t, before, namesIn(t, dir))
	require.NoError(t, e.Close())
	require.ErrorIs(t, e.Backup(ctx, filepath.Join(dir, "late.db")), finalbell.ErrUnavailable)
}

// Several to the same name: one gets it.
func TestOfManyBackupsToOneNameOneIsMade(t *testing.T) {
	ctx := context.Background()
	e, err := openGame(filepath.Join(t.TempDir(), "game.db"))
	require.NoError(t, err)
	defer e.Close()
	races(t, e, "race ", 3)
	copies := t.TempDir()
	for round := range 5 {
		path := filepath.Join(copies, fmt.Sprint(round, ".db"))
		made := make(chan error)
		for range 4 {
			go func() { made <- e.Backup(ctx, path) }()
		}
		good := 0
		for range 4 {
			if err := <-made; err == nil {
				good++
			} else {
				require.ErrorContains(t, err, "a file of that name")
			}
		}
		require.Equal(t, 1, good)
		require.Len(t, namesIn(t, copies), round+1)
		requireBackup(t, path, nil)
	}
}

func TestACancelledBackupLeavesNothingBehind(t *testing.T) {
	random := randomness(t)
	e, err := openGame(filepath.Join(t.TempDir(), "game.db"))
	require.NoError(t, err)
	defer e.Close()
	races(t, e, "race ", 100)
	copies := t.TempDir()
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, e.Backup(gone, filepath.Join(copies, "copy.db")), context.Canceled)
	require.Empty(t, namesIn(t, copies))
	cancelled, whole := 0, 0
	for n := range 20 {
		path := filepath.Join(copies, fmt.Sprint(n, ".db"))
		ctx, cancel := context.WithCancel(context.Background())
		// The moment is what is drawn; a backup takes some tens of milliseconds.
		time.AfterFunc(time.Duration(random.Int64N(int64(50*time.Millisecond))), cancel)
		err := e.Backup(ctx, path)
		cancel()
		if err == nil {
			whole++
			require.Equal(t, []string{filepath.Base(path)}, namesIn(t, copies))
			require.NoError(t, os.Remove(path))
			continue
		}
		cancelled++
		require.Truef(t, errors.Is(err, context.Canceled), "%v", err)
		require.Empty(t, namesIn(t, copies))
	}
	t.Logf("%d cancelled, %d whole", cancelled, whole)
	path := filepath.Join(copies, "last.db")
	require.NoError(t, e.Backup(context.Background(), path), "the store goes on")
	requireBackup(t, path, map[string]bool{"race 99": true})
}

func namesIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
