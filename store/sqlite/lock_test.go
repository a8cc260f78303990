package sqlite

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An owner that leaves removes the file that the others may be opening at that moment.
func TestThereIsOneOwnerAtATimeHoweverTheyComeAndGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	var inside, entered atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 2000 {
				o, err := own(path, false)
				if err != nil {
					if !assert.ErrorIs(t, err, ErrOwned) {
						return
					}
					continue
				}
				entered.Add(1)
				if !assert.EqualValues(t, 1, inside.Add(1), "owners at once") {
					return
				}
				inside.Add(-1)
				if !assert.NoError(t, o.release()) {
					return
				}
			}
		})
	}
	group.Wait()
	assert.Greater(t, entered.Load(), int64(100))
}

func TestTheWordNormalStandsUntilTheLogIsSynced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "game.db")
	for _, left := range []string{"normal 4194304", "normal", "normal 1", "normal 17rubbish"} {
		require.NoError(t, os.WriteFile(path+ownerSuffix, []byte(left), 0o600))
		o, err := own(path, false)
		require.NoError(t, err)
		assert.True(t, o.normal, left)
		assert.True(t, normalLog(path), "until the log is synced")
		require.NoError(t, o.settle())
		assert.False(t, normalLog(path))
		assert.EqualError(t, heldBy(words(o.file)), "process "+strconv.Itoa(os.Getpid()))
		require.NoError(t, o.release())
	}
	assert.NoError(t, heldBy(nil))
	assert.NoError(t, heldBy([]string{"normal", "x"}))
}
