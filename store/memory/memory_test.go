package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
	"github.com/finalbell/finalbell/store/memory"
	"github.com/finalbell/finalbell/store/storetest"
)

var ladder = store.WindowKey{Board: "ladder"}

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return memory.New() })
}

func TestReopen(t *testing.T) {
	storetest.RunReopen(t, func(*testing.T) (store.Store, func() store.Store) {
		s := memory.New()
		return s, func() store.Store {
			s = s.Reopen()
			return s
		}
	})
}

// A closed handle stays closed when another is opened on its data, and is told so when it is closed again.
func TestClosedStaysClosed(t *testing.T) {
	s := memory.New()
	require.NoError(t, s.Close())
	again := s.Reopen()
	_, err := s.Head(t.Context())
	require.Error(t, err)
	require.Error(t, s.Close())
	_, err = again.Head(t.Context())
	require.NoError(t, err)
}

// A read under a done context fails with the context's error, also in the middle of a sequence; a commit under
// one is written.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := memory.New()
	require.NoError(t, s.Commit(ctx, batch(0)))
	require.NoError(t, s.Commit(ctx, batch(1)))

	count := 0
	for _, err := range s.Events(ctx, 0) {
		if count++; count == 1 {
			require.NoError(t, err)
			cancel()
			continue
		}
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, 2, count)

	_, err := s.Match(ctx, "0")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Setting(ctx, "rules")
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Head(ctx)
	require.ErrorIs(t, err, context.Canceled)
	for _, err := range s.Matches(ctx, store.MatchQuery{}) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Entries(ctx, store.EntryQuery{WindowKey: ladder}) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Windows(ctx, store.WindowQuery{}) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Chunks(ctx, ladder, 0, 1) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Lines(ctx, store.LineQuery{}) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Balances(ctx, nil) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Grants(ctx, store.GrantQuery{}) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Facts(ctx, nil) {
		require.ErrorIs(t, err, context.Canceled)
	}
	for _, err := range s.Revisions(ctx, "0") {
		require.ErrorIs(t, err, context.Canceled)
	}

	require.NoError(t, s.Commit(ctx, batch(2)))
	head, err := s.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, uint64(3), head.Position)
}

// A sequence is a snapshot: what is written while it runs is not in it.
func TestSequenceIsASnapshot(t *testing.T) {
	s := memory.New()
	for i := range 3 {
		require.NoError(t, s.Commit(t.Context(), batch(i)))
	}
	next := 3
	for m, err := range s.Matches(t.Context(), store.MatchQuery{}) {
		require.NoError(t, err)
		require.Equal(t, uint64(1), m.Version)
		require.NoError(t, s.Commit(t.Context(), batch(next)))
		next++
	}
	require.Equal(t, 6, next)
}

// A pointer satisfies store.Record too, but no store could tell what to do with it; nothing is written.
func TestUnknownRecord(t *testing.T) {
	s := memory.New()
	b := batch(0)
	b.Commits[0].Records = append(b.Commits[0].Records, &store.Match{ID: "pointer", Version: 1})
	require.ErrorContains(t, s.Commit(t.Context(), b), "*store.Match")
	b = batch(0)
	b.Soft = []store.Record{nil}
	require.Error(t, s.Commit(t.Context(), b))
	head, err := s.Head(t.Context())
	require.NoError(t, err)
	require.Zero(t, head)
}

// batch is the one that fits at position i+1: a match of two with their entries.
func batch(i int) store.Batch {
	position := uint64(i) + 1 //nolint:gosec // small
	roster := []store.Participant{{Player: fmt.Sprint("ann ", i)}, {Player: fmt.Sprint("bob ", i)}}
	return store.Batch{Commits: []store.Commit{{
		Key: fmt.Sprint("create ", i), Digest: store.Digest{1}, Position: position,
		At: time.UnixMilli(int64(i)).UTC(), Kind: "created", ID: fmt.Sprint(i),
		Records: []store.Record{
			store.Match{ID: fmt.Sprint(i), Version: 1, Created: position, State: "created", Participants: roster},
			store.Entry{WindowKey: ladder, ID: roster[0].Player, Version: 1},
			store.Entry{WindowKey: ladder, ID: roster[1].Player, Version: 1},
		},
	}}}
}

// BenchmarkCommit writes one commit of a match with two participants and their two entries at a time: 20 000
// matches of 400 players are created, started and ended in turn, then the store is made anew.
func BenchmarkCommit(b *testing.B) {
	const matches, players, open = 20_000, 400, 50
	batches := league(matches, players, open)
	b.ReportAllocs()
	var s *memory.Store
	for i := 0; b.Loop(); i++ {
		if i%len(batches) == 0 {
			s = memory.New()
		}
		if err := s.Commit(context.Background(), batches[i%len(batches)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLeague writes 60 000 matches in three commits each; one iteration is the whole league.
func BenchmarkLeague(b *testing.B) {
	batches := league(60_000, 2_000, 200)
	b.ReportAllocs()
	for b.Loop() {
		s := memory.New()
		for _, batch := range batches {
			if err := s.Commit(context.Background(), batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batches)), "ns/commit")
}

// league returns one batch a commit: each match is created, started and ended while up to open others run.
func league(matches, players, open int) []store.Batch {
	states := []string{"created", "started", "ended"}
	names := make([]string, players)
	versions := make([]uint64, players)
	for i := range names {
		names[i] = fmt.Sprintf("player-%05d", i)
	}
	var batches []store.Batch
	step := func(i, stage int) {
		position := uint64(len(batches)) + 1
		pair := [2]int{i % players, (i*7 + 1 + i%players) % players}
		if pair[0] == pair[1] {
			pair[1] = (pair[1] + 1) % players
		}
		id := fmt.Sprintf("match-%06d", i)
		m := store.Match{ID: id, Version: uint64(stage) + 1, Created: position, Mode: "duel", State: states[stage]} //nolint:gosec // small
		c := store.Commit{Key: states[stage] + " " + id, Digest: store.Digest{byte(i)}, Position: position,
			At: time.UnixMilli(int64(len(batches))).UTC(), Kind: states[stage], ID: id}
		for _, p := range pair {
			versions[p]++
			m.Participants = append(m.Participants, store.Participant{Player: names[p]})
			c.Records = append(c.Records, store.Entry{WindowKey: store.WindowKey{Board: "ladder", Window: "all"}, ID: names[p],
				Version: versions[p], Values: [][]int64{{int64(i)}}})
		}
		c.Records = append(c.Records, m)
		batches = append(batches, store.Batch{Commits: []store.Commit{c}})
	}
	for i := range matches + open {
		if i < matches {
			step(i, 0)
		}
		if started := i - open/2; started >= 0 && started < matches {
			step(started, 1)
		}
		if ended := i - open; ended >= 0 {
			step(ended, 2)
		}
	}
	return batches
}
