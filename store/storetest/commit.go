package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

func commitRules() []rule {
	return []rule{
		one("a batch is written whole", wholeBatch),
		one("a batch may be empty", func(t *testing.T, s store.Store) {
			history(t, s)
			before := contentsOf(t, s)
			require.NoError(t, s.Commit(context.Background(), store.Batch{}))
			requireSame(t, before, contentsOf(t, s))
		}),
		one("a commit need not have records", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write()
			p.write()
			requireSame(t, []store.Event{eventOf(commitAt(1)), eventOf(commitAt(2))},
				all(t, s.Events(context.Background(), 0)))
		}),
		one("a commit under a done context is whole or not there", func(t *testing.T, s store.Store) {
			history(t, s)
			before := contentsOf(t, s)
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			b := store.Batch{Commits: []store.Commit{
				commitAt(4, store.Match{ID: "new", Version: 1}),
				commitAt(5, store.Match{ID: "new", Version: 2}, store.Entry{WindowKey: in("x", ""), ID: "new", Version: 1}),
			}}
			after, err := before.after(b)
			require.NoError(t, err)
			err = s.Commit(ctx, b)
			got := contentsOf(t, s)
			if err != nil && got.Head.Position == before.Head.Position {
				requireSame(t, before, got)
				return
			}
			requireSame(t, after, got)
		}),
		one("neither side changes a record that was handed over", unchanged),
		one("the head is the last position and the latest time", func(t *testing.T, s store.Store) {
			ctx := context.Background()
			head, err := s.Head(ctx)
			require.NoError(t, err)
			require.Zero(t, head, "the head of an empty store")
			late := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
			var b store.Batch
			for i, at := range []time.Time{late.Add(-time.Hour), late, late.Add(-time.Minute)} {
				c := commitAt(uint64(i) + 1)
				c.At = at
				b.Commits = append(b.Commits, c)
			}
			require.NoError(t, s.Commit(ctx, b))
			c := commitAt(4)
			c.At = late.Add(-time.Second)
			require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
			head, err = s.Head(ctx)
			require.NoError(t, err)
			requireSame(t, store.Head{Position: 4, At: late}, head)
		}),
		one("a time before 1970 can be the latest", func(t *testing.T, s store.Store) {
			ctx := context.Background()
			for i, year := range []int{1950, 1940} {
				c := commitAt(uint64(i) + 1)
				c.At = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
				require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
			}
			head, err := s.Head(ctx)
			require.NoError(t, err)
			requireSame(t, store.Head{Position: 2, At: time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)}, head)
		}),
		one("calls after Close fail", afterClose),
	}
}

// wholeBatch writes what several earlier commits of the same batch make fit.
func wholeBatch(t *testing.T, s store.Store) {
	b := store.Batch{
		Commits: []store.Commit{
			commitAt(1, store.Match{ID: "m", Version: 1, Created: 1, State: "created"},
				store.Setting{Name: "rules", Value: []byte("1")}),
			commitAt(2, store.Match{ID: "m", Version: 2, Created: 1, Position: 2, State: "ended"},
				store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 1, Values: [][]int64{{3}}},
				store.Entry{WindowKey: in("x", "yz"), ID: "bob", Version: 1, Values: [][]int64{{1}}}),
			commitAt(3, store.Match{ID: "n", Version: 1, Created: 3, State: "created"},
				store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 2, Values: [][]int64{{4}}},
				store.Setting{Name: "rules", Value: []byte("2")}, store.Setting{Name: "clock"},
				store.Window{WindowKey: in("x", "yz"), Version: 1, Final: 3}, store.Chunk{WindowKey: in("x", "yz"), Data: []byte{1}}),
			commitAt(4, store.Window{WindowKey: in("x", "yz"), Version: 2, Final: 3, Size: 2, Frozen: true},
				store.Chunk{WindowKey: in("x", "yz"), N: 1, Data: []byte{2}}, store.Drop{WindowKey: in("x", "yz"), To: 1}),
			commitAt(5, posted(5, 3, "p", "m", wallet("ann"), "gold", 1), posted(5, 1, "p", "m", wallet("bob"), "gold", 1),
				store.Grant{ID: "g", Version: 1, Player: "ann", State: "pending", Position: 5}, store.Facts{Player: "ann", Version: 1, Data: []byte("1")},
				store.Revision{Match: store.Match{ID: "m", Version: 2, State: "ended"}}),
			commitAt(6, store.Facts{Player: "ann", Version: 2, Data: []byte("2")}, store.Session{ID: "s", Version: 1, Player: "ann"}, store.Room{ID: "r", Version: 1}, posted(6, 0, "q", "m", wallet("ann"), "gold", 2),
				store.Grant{ID: "g", Version: 2, Player: "ann", State: "granted", Position: 5},
				store.Revision{Match: store.Match{ID: "m", Version: 3, State: "ended", Revision: 1}}),
		},
		Soft: []store.Record{
			store.Moves{Match: "m", Position: 2, Moves: []store.Move{{WindowKey: in("x", "yz"), ID: "ann", New: 1}}},
			store.Match{ID: "n", Version: 1, Created: 3, State: "created", Reason: "soft"},
			store.Window{WindowKey: in("x", "yz"), Version: 2, Final: 3, Size: 2, Frozen: true, Chunks: 1},
			store.Entry{WindowKey: in("xy", "z"), ID: "ann", Version: 7, Hidden: "banned"},
			store.Session{ID: "s", Version: 1, Player: "ann", Reason: "soft"},
		},
	}
	want, err := contents{}.after(b)
	require.NoError(t, err)
	require.NoError(t, s.Commit(context.Background(), b))
	requireSame(t, want, contentsOf(t, s))
}

func unchanged(t *testing.T, s store.Store) {
	ctx := context.Background()
	given := store.Match{
		ID: "m", Version: 1, Created: 1, Position: 1,
		Participants: []store.Participant{{Player: "ann"}}, Moves: []store.Move{{WindowKey: in("x", ""), Old: 2, New: 2}},
	}
	entry := store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 1, Values: [][]int64{{1}}, State: []byte{1}}
	chunk := store.Chunk{WindowKey: in("x", "yz"), Data: []byte{1}}
	facts, was := store.Facts{Player: "ann", Version: 1, Data: []byte("1")}, store.Revision{Match: given}
	batch := store.Batch{Commits: []store.Commit{commitAt(1, given, entry, chunk, facts, was)}}
	asGiven, asBatch := plain(given), plain(batch)
	require.NoError(t, s.Commit(ctx, batch))
	read, err := s.Match(ctx, "m")
	require.NoError(t, err)
	var listed store.Match
	for listed, err = range s.Matches(ctx, store.MatchQuery{}) {
		require.NoError(t, err)
	}
	chunks := all(t, s.Chunks(ctx, in("x", "yz"), 0, 1))
	asRead := plain(chunks)
	ofAnn, before := all(t, s.Facts(ctx, nil)), all(t, s.Revisions(ctx, "m"))
	require.Len(t, ofAnn, 1)
	p := pen{t: t, s: s, position: 1}
	p.soft(store.Chunk{WindowKey: in("x", "yz"), Data: []byte{2}})
	p.soft(store.Moves{Match: "m", Position: 1, Moves: []store.Move{{WindowKey: in("x", ""), Old: 2, New: 1}}})
	p.soft(store.Match{ID: "m", Version: 1, Created: 1, Position: 1,
		Participants: []store.Participant{{Player: "bob"}}})
	p.write(store.Match{ID: "m", Version: 2, Created: 1},
		store.Entry{WindowKey: in("x", "yz"), ID: "ann", Version: 2, Values: [][]int64{{2}}, State: []byte{2}},
		store.Facts{Player: "ann", Version: 2, Data: []byte("2")})
	requireSame(t, []store.Facts{facts}, ofAnn, "facts that the store gave out")
	requireSame(t, []store.Match{asGiven}, before, "a revision that the store gave out")
	requireSame(t, asGiven, listed, "a match that the store listed")
	requireSame(t, asGiven, read, "a match that the store gave out")
	requireSame(t, asRead, chunks, "a chunk that the store gave out")
	requireSame(t, asBatch, batch, "a batch that the store was given")
}

func afterClose(t *testing.T, s store.Store) {
	ctx := context.Background()
	history(t, s)
	matches := s.Matches(ctx, store.MatchQuery{}) // not ranged over yet
	require.NoError(t, s.Close())

	err := s.Commit(ctx, store.Batch{Commits: []store.Commit{commitAt(4)}})
	require.Error(t, err, "Commit")
	for _, answer := range []error{store.ErrReplayed, store.ErrReused, store.ErrStale} {
		require.NotErrorIs(t, err, answer, "Commit answered as if it had looked")
	}
	_, err = s.Match(ctx, "running")
	require.Error(t, err, "Match")
	require.NotErrorIs(t, err, store.ErrNotFound, "Match")
	_, err = s.Setting(ctx, "rules")
	require.Error(t, err, "Setting")
	require.NotErrorIs(t, err, store.ErrNotFound, "Setting")
	_, err = s.Head(ctx)
	require.Error(t, err, "Head")
	requireFails(t, matches, "Matches, called before")
	requireFails(t, s.Matches(ctx, store.MatchQuery{}), "Matches")
	requireFails(t, s.Entries(ctx, firstWindow()), "Entries")
	requireFails(t, s.Windows(ctx, store.WindowQuery{}), "Windows")
	requireFails(t, s.Chunks(ctx, windows()[0], 0, 1), "Chunks")
	requireFails(t, s.Lines(ctx, store.LineQuery{}), "Lines")
	requireFails(t, s.Lines(ctx, store.LineQuery{Touching: []store.Account{wallet("ann")}}), "Lines that touch")
	requireFails(t, s.Balances(ctx, []store.Account{wallet("ann")}), "Balances")
	requireFails(t, s.Grants(ctx, store.GrantQuery{}), "Grants")
	requireFails(t, s.Facts(ctx, nil), "Facts")
	requireFails(t, s.Revisions(ctx, "ended"), "Revisions")
	requireFails(t, s.Events(ctx, 0), "Events")
	requireFails(t, s.Matches(ctx, store.MatchQuery{Newest: true}), "the newest matches")
	requireFails(t, s.Sessions(ctx, store.SessionQuery{}), "Sessions")
	requireFails(t, s.Rooms(ctx, store.RoomQuery{}), "Rooms")
}
