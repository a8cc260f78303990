package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell"
)

// Callers who leave at any moment of any call lose nothing that was acknowledged, to them or to others, and the same
// call again tells each of them what became of theirs.
func TestCallersWhoLeaveLoseNothingAcknowledged(t *testing.T) {
	const callers, each = 8, 12
	seed := randomness(t)
	path := filepath.Join(t.TempDir(), "game.db")
	e, err := openGame(path)
	require.NoError(t, err)
	defer e.Close()
	races(t, e, "before ", 1)
	acknowledged := make(map[string]bool)
	left := 0
	var mu sync.Mutex
	var group sync.WaitGroup
	for caller := range callers {
		random := rand.New(rand.NewPCG(seed.Uint64(), uint64(caller))) //nolint:gosec // not for secrets
		group.Go(func() {
			for n := range each {
				id := fmt.Sprint("of ", caller, " ", n)
				for try := 0; ; try++ {
					ctx, leave := context.WithCancel(context.Background())
					if try < 4 { // the moment is what is drawn; who has left often stays at last
						time.AfterFunc(time.Duration(random.Int64N(int64(4*time.Millisecond))), leave)
					}
					err := race(ctx, e, id, n)
					leave()
					mu.Lock()
					if err == nil {
						acknowledged[id] = true
						mu.Unlock()
						break
					}
					left++
					mu.Unlock()
					if !assert.ErrorIs(t, err, context.Canceled) ||
						!assert.True(t, errors.Is(err, finalbell.ErrUnknown) || errors.Is(err, finalbell.ErrUnavailable), err) {
						return
					}
				}
			}
		})
	}
	// Readers leave, too.
	stop, stopped := context.WithCancel(context.Background())
	for range 2 {
		group.Go(func() {
			for stop.Err() == nil {
				ctx, leave := context.WithTimeout(stop, 3*time.Millisecond)
				for _, err := range e.Matches(ctx, finalbell.MatchFilter{Player: "driver 3"}) {
					if err != nil {
						assert.ErrorIs(t, err, finalbell.ErrUnavailable)
					}
				}
				_, err := e.Verify(ctx)
				assert.True(t, err == nil || errors.Is(err, finalbell.ErrUnavailable), err)
				leave()
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	require.Eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged) == callers*each || t.Failed()
	}, patience, time.Millisecond)
	stopped()
	<-done
	t.Logf("%d calls left, %d ends acknowledged", left, len(acknowledged))
	assert.Positive(t, left)
	require.Equal(t, callers*each+1, requireWhole(t, e, acknowledged), "every race has ended once")
	require.NoError(t, e.Close())
	e, err = openGame(path)
	require.NoError(t, err)
	defer e.Close()
	require.Equal(t, callers*each+1, requireWhole(t, e, acknowledged))
}
