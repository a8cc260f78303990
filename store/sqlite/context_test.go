package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

// filled is a store with many matches, entries and events.
func filled(t *testing.T, count int) *Store {
	t.Helper()
	s, err := Open(context.Background(), filepath.Join(t.TempDir(), "game.db"), Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	require.NoError(t, s.Commit(context.Background(), manyCommits(1, count)))
	return s
}

var all = store.WindowKey{Board: "b", Window: "all"}

func manyCommits(from, count int) (b store.Batch) {
	for i := from; i < from+count; i++ {
		player := fmt.Sprint("player ", i%100)
		b.Commits = append(b.Commits, store.Commit{Key: fmt.Sprint("key ", i), Position: uint64(i), At: time.UnixMilli(int64(i)).UTC(), Kind: "made", Records: []store.Record{
			store.Match{ID: fmt.Sprint("match ", i), Version: 1, Created: uint64(i), State: "created", Participants: []store.Participant{{Player: player}}},
			store.Entry{WindowKey: all, ID: fmt.Sprint("entry ", i), Version: 1, Values: [][]int64{{int64(i)}}, Sort: []byte{1}},
		}})
	}
	return b
}

// counts reads everything in the ways that a store has, and counts it.
func counts(ctx context.Context, s *Store) (matches, ofPlayer, entries, places, events int, err error) {
	count := func(n *int, failed error) bool {
		if err = failed; err == nil {
			*n++
		}
		return err == nil
	}
	for _, failed := range s.Matches(ctx, store.MatchQuery{}) {
		if !count(&matches, failed) {
			return
		}
	}
	for _, failed := range s.Matches(ctx, store.MatchQuery{Player: "player 7"}) {
		if !count(&ofPlayer, failed) {
			return
		}
	}
	for _, failed := range s.Entries(ctx, store.EntryQuery{WindowKey: all}) {
		if !count(&entries, failed) {
			return
		}
	}
	for some, failed := range s.Places(ctx, all) {
		if err = failed; err != nil {
			return
		}
		places += len(some)
	}
	for _, failed := range s.Events(ctx, 0) {
		if !count(&events, failed) {
			return
		}
	}
	return
}

func requireAll(t *testing.T, s *Store, count int) {
	t.Helper()
	matches, ofPlayer, entries, places, events, err := counts(context.Background(), s)
	require.NoError(t, err)
	require.Equal(t, []int{count, count / 100, count, count, count}, []int{matches, ofPlayer, entries, places, events})
}

// Others wait for the same transaction, so nobody's leaving may tear it.
func TestACommitTakesNoNoticeOfItsContext(t *testing.T) {
	s := filled(t, 100)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, s.Commit(gone, manyCommits(101, 100)))
	requireAll(t, s, 200)
	for i := 201; i <= 700; i += 100 {
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		require.NoError(t, s.Commit(ctx, manyCommits(i, 100)))
		requireAll(t, s, i+99)
	}
}

// A reader who leaves, before or while the store reads for them, gets the reason, and no connection is lost with them.
func TestAReaderMayLeaveAtAnyMoment(t *testing.T) {
	const count = 1000
	s := filled(t, count)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, _, _, _, err := counts(gone, s)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Head(gone)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Match(gone, "match 1")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Setting(gone, "x")
	require.ErrorIs(t, err, context.Canceled)

	v, err := View(context.Background(), s.Path())
	require.NoError(t, err)
	defer v.Close()
	for _, reading := range []*Store{s, v} {
		var group sync.WaitGroup
		var left, stayed int
		var mu sync.Mutex
		for reader := range 6 {
			random := rand.New(rand.NewPCG(uint64(reader), 1)) //nolint:gosec // not for secrets
			group.Go(func() {
				for range 12 {
					ctx, cancel := context.WithCancel(context.Background())
					time.AfterFunc(time.Duration(random.Int64N(int64(60*time.Millisecond))), cancel) // a moment, drawn
					_, _, _, _, _, err := counts(ctx, reading)
					mu.Lock()
					if err == nil {
						stayed++
					} else {
						left++
						assert.ErrorIs(t, err, context.Canceled)
					}
					mu.Unlock()
					cancel()
				}
			})
		}
		group.Wait()
		t.Logf("%d left, %d stayed", left, stayed)
		assert.Positive(t, left)
		assert.LessOrEqual(t, reading.pool.Stats().OpenConnections, readers)
		if reading == s {
			// One that was only being opened when its reader left comes back by itself, a little later.
			assert.Eventually(t, func() bool { return reading.pool.Stats().InUse == 0 }, time.Minute, time.Millisecond, "connections lost")
		}
		requireAll(t, reading, count)
	}
	// The view has stayed at its moment, and the store goes on.
	require.NoError(t, s.Commit(context.Background(), manyCommits(count+1, 100)))
	requireAll(t, v, count)
	requireAll(t, s, count+100)
}

// After a commit has failed for another reason than an answer, nobody knows what the disk holds, so nothing more is
// written until the file is opened again, whatever has become of the reason.
func TestAfterAFailedCommitNothingIsWrittenUntilTheFileIsOpenedAgain(t *testing.T) {
	ctx := context.Background()
	s := filled(t, 100)
	_, err := s.writer.conn.ExecContext(ctx, "CREATE TEMP TRIGGER broken BEFORE INSERT ON events WHEN new.position = 150 BEGIN SELECT raise(ABORT, 'broken'); END")
	require.NoError(t, err)
	err = s.Commit(ctx, manyCommits(101, 100))
	require.ErrorContains(t, err, "broken")
	requireAll(t, s, 100)
	_, err = s.writer.conn.ExecContext(ctx, "DROP TRIGGER broken")
	require.NoError(t, err)
	for range 2 {
		require.ErrorContains(t, s.Commit(ctx, manyCommits(101, 100)), "broken")
	}
	requireAll(t, s, 100)
	path := s.Path()
	require.NoError(t, s.Close())
	s, err = Open(ctx, path, Options{})
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, s.Commit(ctx, manyCommits(101, 100)))
	requireAll(t, s, 200)
}
