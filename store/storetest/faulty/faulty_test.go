package faulty_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest"
	"github.com/finalbell/finalbell/store/storetest/faulty"
)

var errDisk = errors.New("disk")

var board = store.WindowKey{Board: "b"}

// Without faults the wrapper is the store that it wraps.
func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store {
		return faulty.New(memory.New(), func(faulty.Call) faulty.Fault { return faulty.Fault{} })
	})
}

// A fault in Commit is an error with the batch written or not, as the test says, and hits one call only.
func TestCommit(t *testing.T) {
	for _, c := range []struct {
		says    string
		fault   faulty.Fault
		want    error // of the second commit
		written uint64
		third   error
	}{
		{"no fault", faulty.Fault{}, nil, 2, nil},
		{"an error without a commit", faulty.Fault{Err: errDisk}, errDisk, 1, store.ErrStale},
		{"a commit, then an error", faulty.Fault{Err: errDisk, Done: true}, errDisk, 2, nil},
		{"done without an error is no fault", faulty.Fault{Done: true}, nil, 2, nil},
		{"a stop before a commit", faulty.Fault{Stop: true}, faulty.ErrStopped, 1, faulty.ErrStopped},
		{"a stop after a commit", faulty.Fault{Stop: true, Done: true}, faulty.ErrStopped, 2, faulty.ErrStopped},
		{"a stop with an error", faulty.Fault{Stop: true, Err: errDisk}, errDisk, 1, faulty.ErrStopped},
	} {
		t.Run(c.says, func(t *testing.T) {
			inner := memory.New()
			s := faulty.New(inner, faulty.On("Commit", 2, c.fault))
			require.NoError(t, s.Commit(t.Context(), batch(1)))
			require.ErrorIs(t, s.Commit(t.Context(), batch(2)), c.want)
			require.Equal(t, c.written, position(t, inner))
			require.ErrorIs(t, s.Commit(t.Context(), batch(3)), c.third)
		})
	}
}

// Every read can fail, before its answer or after it.
func TestReads(t *testing.T) {
	ctx := t.Context()
	reads := map[string]func(store.Store) (int, error){
		"Match":     func(s store.Store) (int, error) { _, err := s.Match(ctx, "m"); return 0, err },
		"Head":      func(s store.Store) (int, error) { _, err := s.Head(ctx); return 0, err },
		"Setting":   func(s store.Store) (int, error) { _, err := s.Setting(ctx, "rules"); return 0, err },
		"Close":     func(s store.Store) (int, error) { return 0, s.Close() },
		"Matches":   func(s store.Store) (int, error) { return count(s.Matches(ctx, store.MatchQuery{})) },
		"Entries":   func(s store.Store) (int, error) { return count(s.Entries(ctx, store.EntryQuery{WindowKey: board})) },
		"Windows":   func(s store.Store) (int, error) { return count(s.Windows(ctx, store.WindowQuery{})) },
		"Chunks":    func(s store.Store) (int, error) { return count(s.Chunks(ctx, board, 0, 9)) },
		"Lines":     func(s store.Store) (int, error) { return count(s.Lines(ctx, store.LineQuery{})) },
		"Balances":  func(s store.Store) (int, error) { return count(s.Balances(ctx, []store.Account{{Kind: "house"}})) },
		"Grants":    func(s store.Store) (int, error) { return count(s.Grants(ctx, store.GrantQuery{})) },
		"Facts":     func(s store.Store) (int, error) { return count(s.Facts(ctx, nil)) },
		"Revisions": func(s store.Store) (int, error) { return count(s.Revisions(ctx, "m")) },
		"Events":    func(s store.Store) (int, error) { return count(s.Events(ctx, 0)) },
	}
	for method, read := range reads {
		t.Run(method, func(t *testing.T) {
			inner := memory.New()
			require.NoError(t, inner.Commit(ctx, batch(1)))
			all, err := read(inner.Reopen()) // as it is without a fault
			require.NoError(t, err)
			if strings.HasSuffix(method, "s") {
				require.NotZero(t, all)
			}

			n, err := read(faulty.New(inner, faulty.On(method, 1, faulty.Fault{Err: errDisk})))
			require.ErrorIs(t, err, errDisk)
			require.Zero(t, n)

			s := faulty.New(inner.Reopen(), faulty.On(method, 1, faulty.Fault{Err: errDisk, Done: true}))
			n, err = read(s)
			require.ErrorIs(t, err, errDisk)
			require.Equal(t, all, n, "a sequence comes whole before it fails")
			_, err = read(s)
			if method != "Close" {
				require.NoError(t, err, "the second call has no fault")
			}

			s = faulty.New(inner, faulty.On("Commit", 1, faulty.Fault{Stop: true}))
			require.ErrorIs(t, s.Commit(ctx, batch(2)), faulty.ErrStopped)
			_, err = read(s)
			require.ErrorIs(t, err, faulty.ErrStopped)
			require.Equal(t, uint64(1), position(t, faulty.New(inner, faulty.On("", 0, faulty.Fault{}))),
				"a stop leaves the inner store open for the next wrapper")
		})
	}
}

// count reads a sequence up to its first error.
func count[T any](seq iter.Seq2[T, error]) (n int, err error) {
	for _, err := range seq {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Next is asked once a call, with the count of its method and the batch of a commit.
func TestCalls(t *testing.T) {
	var calls []faulty.Call
	s := faulty.New(memory.New(), func(c faulty.Call) faulty.Fault {
		calls = append(calls, c)
		return faulty.Fault{Stop: c.Method == "Head"}
	})
	require.NoError(t, s.Commit(t.Context(), batch(1)))
	require.NoError(t, s.Commit(t.Context(), batch(2)))
	events := s.Events(t.Context(), 0)
	for range 2 {
		for range events { //nolint:revive // ranging is the call
			break
		}
	}
	_, _ = s.Head(t.Context())
	_, _ = s.Head(t.Context()) // stopped: there is nothing to choose
	require.Equal(t, []faulty.Call{
		{Method: "Commit", N: 1, Batch: batch(1)},
		{Method: "Commit", N: 2, Batch: batch(2)},
		{Method: "Events", N: 1},
		{Method: "Events", N: 2},
		{Method: "Head", N: 1},
	}, calls)
}

// A delayed commit is written when the delay is over, and reads go on meanwhile.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		s := faulty.New(inner, faulty.On("Commit", 1, faulty.Fault{Wait: func() { time.Sleep(time.Hour) }}))
		done := make(chan error, 1)
		go func() { done <- s.Commit(context.Background(), batch(1)) }()
		time.Sleep(time.Hour - time.Nanosecond)
		synctest.Wait()
		require.Zero(t, position(t, s))
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.NoError(t, <-done)
		require.Equal(t, uint64(1), position(t, s))
	})
}

// A commit that is delayed when the process stops is not written after its end.
func TestStopDuringDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memory.New()
		release := make(chan struct{})
		s := faulty.New(inner, func(c faulty.Call) faulty.Fault {
			if c.Method == "Commit" {
				return faulty.Fault{Wait: func() { <-release }, Done: true, Err: errDisk}
			}
			return faulty.Fault{Stop: true}
		})
		done := make(chan error, 1)
		go func() { done <- s.Commit(context.Background(), batch(1)) }()
		synctest.Wait()
		_, err := s.Head(t.Context())
		require.ErrorIs(t, err, faulty.ErrStopped)
		close(release)
		require.ErrorIs(t, <-done, faulty.ErrStopped)
		require.Zero(t, position(t, inner))
	})
}

// batch is one commit at a position, with something for every read.
func batch(position uint64) store.Batch {
	id := "m"
	if position > 1 {
		id = string(rune('m' + position))
	}
	return store.Batch{Commits: []store.Commit{{
		Key: id, Digest: store.Digest{1}, Position: position, At: time.UnixMilli(1).UTC(),
		Records: []store.Record{
			store.Match{ID: id, Version: 1, Created: position},
			store.Entry{WindowKey: board, ID: id, Version: 1},
			store.Chunk{WindowKey: board, N: 3},
			store.Setting{Name: "rules", Value: []byte(id)},
			store.Line{Account: store.Account{Kind: "house"}, Seq: position, Amount: 1, Position: position},
			store.Grant{ID: id, Version: 1, Position: position},
			store.Facts{Player: id, Version: 1},
			store.Revision{Match: store.Match{ID: id}},
		},
	}}}
}

func position(t *testing.T, s store.Store) uint64 {
	t.Helper()
	head, err := s.Head(context.Background())
	require.NoError(t, err)
	return head.Position
}
