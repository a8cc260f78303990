package finalbell_test

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

// Callers who leave in the middle tear nothing: what was acknowledged to anybody is there, what one of them is told is
// unknown is there whole or not at all, the same call settles it, and the database goes on.
func TestCallersWhoLeaveTearNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "game.db")
	e, err := finalbell.Open(ctx, path, twoBoards(), finalbell.Options{ManualTick: true})
	require.NoError(t, err)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var callers sync.WaitGroup
	for caller := range 8 {
		random := rand.New(rand.NewPCG(seed, uint64(caller)))
		callers.Go(func() {
			for i := range 60 {
				endAndLeave(t, e, random, fmt.Sprintf("m%d-%d", caller, i))
			}
		})
	}
	callers.Wait()
	matches := 0
	for m, err := range e.Matches(ctx, finalbell.MatchFilter{}) {
		require.NoError(t, err)
		require.Equal(t, finalbell.Ended, m.State)
		matches++
	}
	require.Equal(t, 8*60, matches)
	found, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.NoError(t, e.Close())

	again, err := finalbell.Open(ctx, path, twoBoards(), finalbell.Options{ManualTick: true, MustExist: true})
	require.NoError(t, err)
	defer again.Close()
	found, err = again.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, found.Problems)
	require.Equal(t, 8*60, found.Matches)
}

// endAndLeave takes a match to its end, with contexts that end at any moment, and again until it is there.
func endAndLeave(t *testing.T, e *finalbell.Engine, random *rand.Rand, id string) {
	names := []string{"ann", "bob", "cid", "dan", "eve", "fay"}
	pair := random.Perm(len(names))[:2]
	outcomes := []finalbell.Outcome{finalbell.Score(names[pair[0]], random.IntN(10)), finalbell.Score(names[pair[1]], random.IntN(10))}
	for _, step := range []func(ctx context.Context) (finalbell.Match, error){
		func(ctx context.Context) (finalbell.Match, error) {
			return e.Create(ctx, finalbell.NewMatch{ID: id, Mode: "battle", Players: finalbell.Players(names[pair[0]], names[pair[1]])})
		},
		func(ctx context.Context) (finalbell.Match, error) { return e.Start(ctx, id) },
		func(ctx context.Context) (finalbell.Match, error) { return e.End(ctx, id, outcomes...) },
		func(ctx context.Context) (finalbell.Match, error) {
			_, err := e.Board("season").Top(ctx, 3)
			return finalbell.Match{}, err
		},
	} {
		for {
			// Mostly before the commit is there, so that it is left again and again.
			ctx, leave := context.WithTimeout(context.Background(), time.Duration(random.IntN(3000))*time.Microsecond)
			_, err := step(ctx)
			leave()
			if err == nil {
				break
			}
			if !assert.True(t, errors.Is(err, finalbell.ErrUnknown) || errors.Is(err, finalbell.ErrUnavailable), "%v", err) {
				return
			}
		}
	}
}
