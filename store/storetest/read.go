package storetest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

func readRules() []rule {
	ctx := context.Background()
	return []rule{
		one("what is not there is ErrNotFound or an empty sequence", func(t *testing.T, s store.Store) {
			for _, step := range []string{"in an empty store", "beside others"} {
				_, err := s.Match(ctx, "nobody")
				require.ErrorIs(t, err, store.ErrNotFound, "Match "+step)
				_, err = s.Setting(ctx, "nothing")
				require.ErrorIs(t, err, store.ErrNotFound, "Setting "+step)
				require.Empty(t, all(t, s.Matches(ctx, store.MatchQuery{Player: "nobody"})), step)
				require.Empty(t, all(t, s.Entries(ctx, store.EntryQuery{WindowKey: in("none", "")})), step)
				require.Empty(t, all(t, s.Windows(ctx, store.WindowQuery{Board: "none"})), step)
				require.Empty(t, all(t, s.Chunks(ctx, in("none", ""), 0, 9)), step)
				require.Empty(t, all(t, s.Lines(ctx, store.LineQuery{Match: "none"})), step)
				require.Empty(t, all(t, s.Lines(ctx, store.LineQuery{Touching: []store.Account{wallet("nobody")}})), step)
				require.Empty(t, balancesOf(t, s, wallet("nobody")), step)
				require.Empty(t, all(t, s.Grants(ctx, store.GrantQuery{Player: "nobody"})), step)
				require.Empty(t, factsOf(t, s, []string{"nobody"}), step)
				require.Empty(t, revisionsOf(t, s, "running"), step)
				require.Empty(t, all(t, s.Events(ctx, 3)), step)
				requireSessions(t, s, store.SessionQuery{Player: "nobody"})
				requireRooms(t, s, store.RoomQuery{Match: "none"})
				requireIDs(t, s, store.MatchQuery{Player: "nobody", Newest: true})
				if step == "in an empty store" {
					require.Empty(t, all(t, s.Matches(ctx, store.MatchQuery{})), step)
					require.Empty(t, all(t, s.Windows(ctx, store.WindowQuery{})), step)
					require.Empty(t, all(t, s.Events(ctx, 0)), step)
					requireSame(t, money{}, moneyOf(t, s, nil), step)
					requireSame(t, players{}, playersOf(t, s), step)
					history(t, s)
				}
			}
		}),
		one("entries are those of one window of one board", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			for _, w := range windows() {
				p.write(store.Entry{WindowKey: w, ID: "ann", Version: 1, Values: [][]int64{{1}}},
					store.Entry{WindowKey: w, ID: w.Board + w.Window, Version: 1})
			}
			for _, w := range windows() {
				requireEntries(t, s, store.EntryQuery{WindowKey: w}, "ann", w.Board+w.Window)
			}
			requireEntries(t, s, store.EntryQuery{WindowKey: in("x", "")}, "ann", "x")
			requireEntries(t, s, store.EntryQuery{WindowKey: in("", "yz")})
			requireEntries(t, s, store.EntryQuery{})
		}),
		one("entries by ids leave out missing ones", entriesByID),
		one("events come after a position in order with key, digest and body", func(t *testing.T, s store.Store) {
			var want []store.Event
			for position := uint64(1); position <= 12; position++ { // past 9, where text sorts otherwise
				c := commitAt(position)
				c.Body = fmt.Appendf(nil, `{ "n" : %d,  "a" : 1.0 }`, position) // a store must not tidy it
				want = append(want, eventOf(c))
				require.NoError(t, s.Commit(ctx, store.Batch{Commits: []store.Commit{c}}))
			}
			for after := range uint64(14) {
				requireSame(t, want[min(after, 12):], all(t, s.Events(ctx, after)), "after %d", after)
			}
		}),
		one("a setting is overwritten", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(store.Setting{Name: "rules", Value: []byte("1")}, store.Setting{Name: "clock", Value: []byte("9")})
			p.write(store.Setting{Name: "rules", Value: []byte("2")})
			requireSetting(t, s, "rules", []byte("2"))
			requireSetting(t, s, "clock", []byte("9"))
		}),
		one("a setting without a value is there", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(store.Setting{Name: "rules", Value: []byte("1")}, store.Setting{Name: "clock"})
			p.write(store.Setting{Name: "rules", Value: []byte{}})
			requireSetting(t, s, "rules", nil)
			requireSetting(t, s, "clock", nil)
		}),
		one("a long sequence comes whole and in order", longSequences),
		{"a sequence can be left early and its store written from inside the loop", writtenInside},
	}
}

func entriesByID(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	for _, id := range []string{"ann", "bob", "cid"} {
		p.write(store.Entry{WindowKey: in("x", "yz"), ID: id, Version: 1})
	}
	p.write(store.Entry{WindowKey: in("xy", "z"), ID: "dan", Version: 1})
	q := firstWindow()
	q.IDs = []string{"cid", "dan", "ann", "eve"}
	requireEntries(t, s, q, "ann", "cid")
	q.IDs = []string{"eve"}
	requireEntries(t, s, q)
	q.IDs = []string{"bob", "ann", "bob"} // named twice, there once
	requireEntries(t, s, q, "ann", "bob")
	q.IDs = []string{} // none, where nil would be all
	requireEntries(t, s, q)
	q.IDs = nil
	requireEntries(t, s, q, "ann", "bob", "cid")
}

// longSequences is longer than any page or buffer that a store may read in.
func longSequences(t *testing.T, s store.Store) {
	const n = 2500
	ctx := context.Background()
	var b store.Batch
	var ids []string
	var want contents // not by after, which would look at every pair
	for i := range n {
		position := uint64(i) + 1
		id := fmt.Sprintf("%05d", (i*7919)%n) // not in the order of creation
		m := store.Match{ID: id, Version: 1, Created: position, State: "created",
			Participants: []store.Participant{{Player: "ann"}}}
		e := store.Entry{WindowKey: in("x", "yz"), ID: id, Version: 1, Values: [][]int64{{int64(i)}}}
		c := commitAt(position, m, e)
		b.Commits = append(b.Commits, c)
		ids = append(ids, id)
		want.Matches, want.Entries = append(want.Matches, m), append(want.Entries, e)
		w := store.Window{WindowKey: store.WindowKey{Board: "x", Window: "yz", Partition: id}, Version: 1}
		chunk := store.Chunk{WindowKey: in("x", "yz"), N: i}
		b.Commits[i].Records = append(b.Commits[i].Records, w, chunk)
		want.Windows, want.Chunks = append(want.Windows, w), append(want.Chunks, chunk)
		want.Events = append(want.Events, eventOf(c))
		want.Head = store.Head{Position: position, At: c.At}
	}
	want.list(store.Window{WindowKey: in("x", "yz")})
	slices.SortFunc(want.Entries, byKey)
	require.NoError(t, s.Commit(ctx, b))
	got := contentsOf(t, s)
	requireSame(t, want.Head, got.Head)
	requireEach(t, want.Events, got.Events)
	requireEach(t, want.Matches, got.Matches)
	requireEach(t, want.Entries, got.Entries)
	requireEach(t, want.Windows, got.Windows)
	requireEach(t, want.Chunks, got.Chunks)
	requireIDs(t, s, store.MatchQuery{Player: "ann", States: []string{"created"}}, ids...)
	q := firstWindow()
	q.IDs = append(slices.Clone(ids), "nobody")
	requireEntries(t, s, q, slices.Sorted(slices.Values(ids))...)
}

// writtenInside must end, whatever locks the store takes: a loop that hangs is reported, not waited for.
func writtenInside(t *testing.T, open func(tb) store.Store) {
	const n = 300
	ctx := context.Background()
	s := open(t)
	p := pen{t: t, s: s}
	var b store.Batch
	for i := range n {
		id := fmt.Sprint(i)
		b.Commits = append(b.Commits, p.next(store.Match{ID: id, Version: 1, Created: uint64(i) + 1, State: "created"},
			store.Entry{WindowKey: in("x", "yz"), ID: id, Version: 1},
			store.Window{WindowKey: in("x", id), Version: 1}, store.Chunk{WindowKey: in("x", "yz"), N: i},
			posted(uint64(i)+1, 0, id, "m", wallet(id), "", 1), posted(uint64(i)+1, 1, id, "m", store.Account{Kind: "house"}, "", uint64(i)+1),
			store.Grant{ID: id, Version: 1, Player: id, State: "pending", Position: uint64(i) + 1}, store.Facts{Player: id, Version: 1},
			store.Revision{Match: store.Match{ID: "m", Revision: i}}, store.Session{ID: id, Version: 1, Player: "ann"}, store.Room{ID: id, Version: 1, State: "open"}))
	}
	p.batch(b)
	write := func() error {
		p.position++
		return s.Commit(ctx, store.Batch{Commits: []store.Commit{commitAt(p.position,
			store.Match{ID: fmt.Sprint("new ", p.position), Version: 1, Created: p.position, State: "created"},
			store.Entry{WindowKey: in("x", "yz"), ID: fmt.Sprint("new ", p.position), Version: 1},
			store.Window{WindowKey: in("x", fmt.Sprint("new ", p.position)), Version: 1},
			store.Chunk{WindowKey: in("x", "yz"), N: n + int(p.position)}, //nolint:gosec // small
			posted(p.position, 0, "new", "m", store.Account{Kind: "house"}, "", p.position),
			store.Grant{ID: fmt.Sprint("new ", p.position), Version: 1, Player: "ann", State: "pending", Position: p.position},
			store.Facts{Player: fmt.Sprint("new ", p.position), Version: 1},
			store.Revision{Match: store.Match{ID: "m", Revision: n + int(p.position)}}, //nolint:gosec // small
			store.Session{ID: fmt.Sprint("new ", p.position), Version: 1, Player: "ann"}, store.Room{ID: fmt.Sprint("new ", p.position), Version: 1, State: "open"})}})
	}
	finishes(t, "Matches", func() bool {
		return loop(t, s.Matches(ctx, store.MatchQuery{}), n, write) &&
			loop(t, s.Matches(ctx, store.MatchQuery{States: []string{"created"}}), n, write) &&
			loop(t, s.Matches(ctx, store.MatchQuery{Newest: true}), n, write)
	})
	finishes(t, "Entries", func() bool { return loop(t, s.Entries(ctx, firstWindow()), n, write) })
	finishes(t, "Windows", func() bool { return loop(t, s.Windows(ctx, store.WindowQuery{}), n, write) })
	finishes(t, "Chunks", func() bool { return loop(t, s.Chunks(ctx, windows()[0], 0, math.MaxInt), n, write) })
	finishes(t, "Lines", func() bool {
		return loop(t, s.Lines(ctx, store.LineQuery{}), n, write) &&
			loop(t, s.Lines(ctx, store.LineQuery{Match: "m"}), n, write) &&
			loop(t, s.Lines(ctx, store.LineQuery{Touching: []store.Account{{Kind: "house"}}}), n, write)
	})
	finishes(t, "Balances", func() bool { return loop(t, s.Balances(ctx, []store.Account{{Kind: "house"}, wallet("0")}), 2, write) })
	finishes(t, "Grants", func() bool {
		return loop(t, s.Grants(ctx, store.GrantQuery{}), n, write) &&
			loop(t, s.Grants(ctx, store.GrantQuery{States: []string{"pending"}}), n, write)
	})
	finishes(t, "Facts", func() bool { return loop(t, s.Facts(ctx, nil), n, write) })
	finishes(t, "Revisions", func() bool { return loop(t, s.Revisions(ctx, "m"), n, write) })
	finishes(t, "Sessions", func() bool {
		return loop(t, s.Sessions(ctx, store.SessionQuery{}), n, write) && loop(t, s.Sessions(ctx, store.SessionQuery{Player: "ann", Newest: true}), n, write)
	})
	finishes(t, "Rooms", func() bool { return loop(t, s.Rooms(ctx, store.RoomQuery{States: []string{"open"}}), n, write) })
	finishes(t, "Events", func() bool { return loop(t, s.Events(ctx, 0), n, write) })
}

// loop leaves a sequence after its first element, then reads it on with a write at the first few, and asks for
// no fewer than were there. It only asserts, because it runs beside the test's goroutine.
func loop[T any](t *testing.T, seq iter.Seq2[T, error], least int, write func() error) bool {
	for _, err := range seq {
		if !assert.NoError(t, err) || !assert.NoError(t, write()) {
			return false
		}
		break
	}
	count := 0
	for _, err := range seq {
		if !assert.NoError(t, err) {
			return false
		}
		if count++; count <= 3 && !assert.NoError(t, write()) {
			return false
		}
		if count > 100*least {
			return assert.Fail(t, "the sequence does not end")
		}
	}
	return assert.GreaterOrEqual(t, count, least)
}

// requireEach stops at the first difference: a diff of thousands of records would take longer than the tests.
func requireEach[T any](t tb, want, got []T) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		requireSame(t, want[i], got[i], "at %d", i)
	}
	require.Equal(t, len(want), len(got), "the length of the sequence")
}

func requireSetting(t tb, s store.Store, name string, want []byte) {
	t.Helper()
	got, err := s.Setting(context.Background(), name)
	require.NoError(t, err, "Setting %q", name)
	requireSame(t, want, got)
}

// requireEntries compares ids, which it wants sorted: entries come in any order.
func requireEntries(t tb, s store.Store, q store.EntryQuery, want ...string) {
	t.Helper()
	var ids []string
	for _, e := range all(t, s.Entries(context.Background(), q)) {
		require.Equal(t, q.WindowKey, e.WindowKey, "the window of %q", e.ID)
		ids = append(ids, e.ID)
	}
	slices.Sort(ids)
	require.Equal(t, want, ids, "entries of %+v", q.WindowKey)
}

// requireFails asks for an error and nothing else.
func requireFails[T any](t tb, seq iter.Seq2[T, error], about string) {
	t.Helper()
	elements := 0
	var failure error
	for _, err := range seq {
		if failure = err; err != nil {
			break
		}
		elements++
	}
	require.Error(t, failure, about)
	require.Zero(t, elements, about)
}
