package storetest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/finalbell/finalbell/store"
)

func windowRules() []rule {
	ctx := context.Background()
	return []rule{
		one("windows are those that were written and those that have an entry", listedWindows),
		one("windows are those that a query asks for by board, window and being unfrozen", askedWindows),
		one("a window comes back with every field and is replaced whole", func(t *testing.T, s store.Store) {
			at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
			p := pen{t: t, s: s}
			w := store.Window{WindowKey: store.WindowKey{Board: "x", Window: "w", Partition: "eu", Generation: 2}, Version: 1,
				Start: at, End: at.Add(time.Hour), Final: 7, ClosedAt: at.Add(time.Minute), Size: 9, Frozen: true, Chunks: 5}
			p.write(w)
			requireSame(t, []store.Window{w}, windowsOf(t, s, store.WindowQuery{}))
			w = store.Window{WindowKey: w.WindowKey, Version: 2}
			p.write(w)
			requireSame(t, []store.Window{w}, windowsOf(t, s, store.WindowQuery{}))
		}),
		one("a soft window replaces the stored one of the same version", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			p.write(store.Window{WindowKey: in("x", "w"), Version: 1, Size: 1})
			soft := store.Window{WindowKey: in("x", "w"), Version: 1, Frozen: true}
			p.soft(soft)
			requireSame(t, []store.Window{soft}, windowsOf(t, s, store.WindowQuery{}))
			soft.Version, soft.Frozen = 2, false
			p.batch(store.Batch{Commits: []store.Commit{p.next(store.Window{WindowKey: in("x", "w"), Version: 2})}, Soft: []store.Record{
				store.Window{WindowKey: in("x", "w"), Version: 1, Size: 8}, soft, // one that was overtaken in the same batch
			}})
			requireSame(t, []store.Window{soft}, windowsOf(t, s, store.WindowQuery{}))
		}),
		one("a soft window of another version, or of an unwritten window, is left out without an error", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			w := store.Window{WindowKey: in("x", "w"), Version: 2, Size: 1}
			p.write(store.Window{WindowKey: in("x", "w"), Version: 1}, store.Entry{WindowKey: in("x", "e"), ID: "ann", Version: 1})
			p.write(w)
			for _, version := range []uint64{0, 1, 3} {
				p.soft(store.Window{WindowKey: in("x", "w"), Version: version, Size: 2})
			}
			p.soft(store.Window{WindowKey: in("x", "e"), Size: 2}, store.Window{WindowKey: in("x", "e"), Version: 1},
				store.Window{WindowKey: in("x", "none")}, store.Window{WindowKey: in("x", "none"), Version: 1})
			requireSame(t, []store.Window{{WindowKey: in("x", "e")}, w}, windowsOf(t, s, store.WindowQuery{}))
		}),
		one("a soft entry is written without a look at the stored version", softEntries),
		one("an entry is hidden and shown again", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			for i, hidden := range []string{"", "banned", "asked for it", ""} {
				e := store.Entry{WindowKey: windows()[0], ID: "ann", Version: uint64(i) + 1, Hidden: hidden, Entered: true, Sort: []byte{1}} //nolint:gosec // small
				p.write(e, store.Entry{WindowKey: windows()[0], ID: fmt.Sprint(i), Version: 1, Hidden: hidden})
				requireEntry(t, s, e)
				contentsOf(t, s) // whose places say the same
			}
		}),
		one("values that came late are late and no others", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			m := store.Match{ID: "m", Version: 1, Created: 1, Participants: []store.Participant{{Player: "ann", Boards: []store.BoardValues{
				{WindowKey: windows()[3], ID: "ann", Late: true}, {WindowKey: windows()[0], ID: "ann"}, {WindowKey: windows()[5], ID: "red", Late: true},
				{WindowKey: windows()[4], ID: "red", Values: [][]int64{{1}}},
			}}, {Player: "bob", Attributes: []store.Attribute{{Name: "car", Value: "7"}, {Name: "tyres"}}}}}
			p.write(m)
			requireMatch(t, s, m)
		}),
		one("chunks come by number, from one on and below another", chunksBetween),
		one("a chunk is overwritten, in a commit and softly", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			key := windows()[0]
			p.write(store.Chunk{WindowKey: key, N: 1, Data: []byte("one")}, store.Chunk{WindowKey: key, N: 2, Data: []byte("two")})
			p.write(store.Chunk{WindowKey: key, N: 1, Data: []byte("anew")})
			p.soft(store.Chunk{WindowKey: key, N: 2}, store.Chunk{WindowKey: key, N: 3, Data: []byte("soft")}, store.Chunk{WindowKey: key, N: 3, Data: []byte("three")})
			requireSame(t, []store.Chunk{
				{WindowKey: key, N: 1, Data: []byte("anew")}, {WindowKey: key, N: 2}, {WindowKey: key, N: 3, Data: []byte("three")},
			}, all(t, s.Chunks(ctx, key, 0, 9)))
		}),
	}
}

func listedWindows(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	entered, written, both := in("x", "entered"), in("x", "written"), in("x", "both")
	named := []store.WindowKey{in("x", "named"), in("x", "moved"), {Board: "x", Window: "entered", Partition: "p"}, {Board: "x", Window: "both", Generation: 1}}
	p.write(store.Entry{WindowKey: entered, ID: "ann", Version: 1}, store.Window{WindowKey: written, Version: 1, Size: 1},
		store.Entry{WindowKey: both, ID: "ann", Version: 1}, store.Chunk{WindowKey: in("x", "chunk only")})
	m := store.Match{ID: "m", Version: 1, Created: 2, Position: 2}
	p1 := store.Participant{Player: "ann"}
	for _, key := range named {
		p1.Boards = append(p1.Boards, store.BoardValues{WindowKey: key, ID: "ann"})
		m.Moves = append(m.Moves, store.Move{WindowKey: key, ID: "ann"})
	}
	m.Participants = []store.Participant{p1}
	p.write(m, store.Window{WindowKey: both, Version: 1, Size: 2})
	p.soft(store.Entry{WindowKey: in("y", "soft"), ID: "ann", Version: 1})
	requireSame(t, []store.Window{{WindowKey: both, Version: 1, Size: 2}, {WindowKey: entered}, {WindowKey: written, Version: 1, Size: 1},
		{WindowKey: in("y", "soft")}}, windowsOf(t, s, store.WindowQuery{}))
	requireMatch(t, s, m)
}

func askedWindows(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	partition, generation := store.WindowKey{Board: "x", Window: "w", Partition: "p"}, store.WindowKey{Board: "x", Window: "w", Generation: 1}
	p.write(store.Window{WindowKey: in("x", "w"), Version: 1, Frozen: true}, store.Window{WindowKey: in("y", "w"), Version: 1},
		store.Window{WindowKey: in("x", "v"), Version: 1, Final: 1}, store.Entry{WindowKey: partition, ID: "ann", Version: 1},
		store.Window{WindowKey: generation, Version: 1}, store.Entry{WindowKey: in("x", ""), ID: "ann", Version: 1})
	for _, c := range []struct {
		q    store.WindowQuery
		want []store.WindowKey
	}{
		{store.WindowQuery{}, []store.WindowKey{in("x", ""), in("x", "v"), in("x", "w"), generation, partition, in("y", "w")}},
		{store.WindowQuery{Board: "x"}, []store.WindowKey{in("x", ""), in("x", "v"), in("x", "w"), generation, partition}},
		{store.WindowQuery{Window: "w"}, []store.WindowKey{in("x", "w"), generation, partition, in("y", "w")}},
		{store.WindowQuery{Board: "y", Window: "w"}, []store.WindowKey{in("y", "w")}},
		{store.WindowQuery{Board: "y", Window: "v"}, nil},
		{store.WindowQuery{Unfrozen: true}, []store.WindowKey{in("x", ""), in("x", "v"), generation, partition, in("y", "w")}},
		{store.WindowQuery{Board: "x", Window: "w", Unfrozen: true}, []store.WindowKey{generation, partition}},
	} {
		requireWindows(t, s, c.q, c.want...)
	}
	// It is asked for by what it is, not by what it was.
	p.write(store.Window{WindowKey: in("x", "w"), Version: 2}, store.Window{WindowKey: generation, Version: 2, Frozen: true})
	p.soft(store.Window{WindowKey: in("y", "w"), Version: 1, Frozen: true})
	requireWindows(t, s, store.WindowQuery{Unfrozen: true}, in("x", ""), in("x", "v"), in("x", "w"), partition)
}

func softEntries(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	e := func(version uint64, units int64) store.Entry {
		return store.Entry{WindowKey: windows()[4], ID: "ann", Version: version, Values: [][]int64{{units}}, Sort: []byte{1}, Entered: true}
	}
	p.soft(e(3, 1)) // a new one
	requireEntry(t, s, e(3, 1))
	for _, version := range []uint64{3, 1, 7, 5} {
		p.soft(e(version, int64(version))) //nolint:gosec // small
		requireEntry(t, s, e(version, int64(version)))
	}
	p.soft(e(0, 9)) // without a version it is none
	requireEntry(t, s, e(5, 5))
	p.soft(e(2, 2), e(4, 4)) // the last one counts
	requireEntry(t, s, e(4, 4))
	// A commit goes on from there.
	c := p.next(e(7, 7))
	requireRefused(t, s.Commit(context.Background(), store.Batch{Commits: []store.Commit{c}}), &store.CommitError{Key: c.Key, Err: store.ErrStale}, "another version")
	p.position--
	p.write(e(5, 8))
	requireEntry(t, s, e(5, 8))
	p.batch(store.Batch{Commits: []store.Commit{p.next(e(6, 6))}, Soft: []store.Record{e(1, 1)}})
	requireEntry(t, s, e(1, 1))
}

func chunksBetween(t *testing.T, s store.Store) {
	ctx := context.Background()
	p := pen{t: t, s: s}
	numbers := []int{0, 1, 2, 9, 10, 11, 1000, math.MaxInt32} // as text they sort otherwise
	var chunks []store.Record
	for _, key := range windows() {
		for i := range numbers {
			n := numbers[len(numbers)-1-i]
			chunks = append(chunks, store.Chunk{WindowKey: key, N: n, Data: fmt.Append(nil, key, n)})
		}
	}
	p.write(chunks...)
	for _, key := range windows() {
		for _, c := range []struct{ from, to, first, end int }{
			{0, math.MaxInt, 0, 8}, {0, math.MaxInt32, 0, 7}, {0, 0, 0, 0}, {0, 1, 0, 1}, {1, 3, 1, 3}, {2, 10, 2, 4}, {3, 9, 0, 0}, {12, 1001, 6, 7},
			{-5, 2, 0, 2}, {math.MinInt, 1, 0, 1}, {9, 2, 0, 0}, {math.MaxInt32, math.MaxInt, 7, 8}, {math.MaxInt, math.MaxInt, 0, 0}, {-9, -1, 0, 0},
		} {
			var want []store.Chunk
			for _, n := range numbers[c.first:c.end] {
				want = append(want, store.Chunk{WindowKey: key, N: n, Data: fmt.Append(nil, key, n)})
			}
			requireSame(t, want, all(t, s.Chunks(ctx, key, c.from, c.to)), "from %d to %d", c.from, c.to)
		}
	}
	require.Empty(t, windowsOf(t, s, store.WindowQuery{}), "chunks alone make no window")
}

func requireWindows(t tb, s store.Store, q store.WindowQuery, want ...store.WindowKey) {
	t.Helper()
	var keys []store.WindowKey
	for _, w := range windowsOf(t, s, q) {
		keys = append(keys, w.WindowKey)
	}
	require.Equal(t, want, keys, "%+v", q)
}

// requireEntry reads an entry by its id, and with all others.
func requireEntry(t tb, s store.Store, want store.Entry) {
	t.Helper()
	ctx := context.Background()
	q := store.EntryQuery{WindowKey: want.WindowKey, IDs: []string{want.ID}}
	requireSame(t, []store.Entry{want}, all(t, s.Entries(ctx, q)))
	q.IDs = nil
	var listed []store.Entry
	for _, e := range all(t, s.Entries(ctx, q)) {
		if e.ID == want.ID {
			listed = append(listed, e)
		}
	}
	requireSame(t, []store.Entry{want}, listed)
}
