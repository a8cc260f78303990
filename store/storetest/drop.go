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

func dropRules() []rule {
	ctx := context.Background()
	return []rule{
		one("a drop takes away the chunks between two numbers and nothing else", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			key := windows()[0]
			p.write(fill(key, 3, 6)...)
			left := func() (numbers []int) {
				for _, c := range all(t, s.Chunks(ctx, key, 0, math.MaxInt)) {
					numbers = append(numbers, c.N)
				}
				return numbers
			}
			p.write(store.Drop{WindowKey: key, From: 1, To: 3})
			require.Equal(t, []int{0, 3, 4, 5}, left())
			p.soft(store.Drop{WindowKey: key, From: 5, To: math.MaxInt}, store.Drop{WindowKey: key, From: 4, To: 3}, store.Drop{WindowKey: key, From: 2, To: 2})
			require.Equal(t, []int{0, 3, 4}, left())
			p.soft(store.Drop{WindowKey: key, From: -3, To: 1})
			require.Equal(t, []int{3, 4}, left())
			p.soft(store.Drop{WindowKey: key, To: math.MaxInt})
			require.Empty(t, left())
			requireEntries(t, s, store.EntryQuery{WindowKey: key}, "0", "1", "2")
			requireWindows(t, s, store.WindowQuery{}, key)
		}),
		one("a drop of all takes the entries, the chunks and the window", func(t *testing.T, s store.Store) {
			for i, soft := range []bool{false, true} {
				key := store.WindowKey{Board: "x", Window: "yz", Generation: i}
				p := pen{t: t, s: s, position: uint64(i) * 2} //nolint:gosec // small
				p.write(fill(key, 3, 3)...)
				if soft {
					p.soft(store.Drop{WindowKey: key, All: true})
				} else {
					p.write(store.Drop{WindowKey: key, All: true})
				}
				requireGone(t, s, key)
			}
			require.Empty(t, windowsOf(t, s, store.WindowQuery{}))
		}),
		one("a drop of all takes the window whose record or entries or chunks are all that there is", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			keys := []store.WindowKey{in("x", "record"), in("x", "entry"), in("x", "chunk"), in("x", "nothing")}
			p.write(store.Window{WindowKey: keys[0], Version: 1}, store.Entry{WindowKey: keys[1], ID: "ann", Version: 1}, store.Chunk{WindowKey: keys[2]})
			for _, key := range keys {
				p.soft(store.Drop{WindowKey: key, All: true})
				requireGone(t, s, key)
			}
			p.write(store.Drop{WindowKey: keys[0], All: true}) // again, and softly: there is nothing to take
			p.soft(store.Drop{WindowKey: keys[0], All: true}, store.Drop{WindowKey: keys[3], To: 9})
		}),
		one("a drop takes a thousand, and the window with the last of them", dropThousands),
		one("a drop takes nothing of another window", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			for _, key := range windows() {
				p.write(fill(key, 2, 2)...)
			}
			for i, key := range windows() {
				before := contentsOf(t, s)
				b := store.Batch{Soft: []store.Record{store.Drop{WindowKey: key, To: 9}, store.Drop{WindowKey: key, All: true}}}
				want, err := before.after(b)
				require.NoError(t, err)
				p.soft(b.Soft...)
				requireSame(t, want, contentsOf(t, s))
				require.Len(t, want.Windows, len(windows())-i-1)
			}
		}),
		one("a dropped window is begun anew", begunAnew),
		one("a drop leaves the matches that name the window as they are", func(t *testing.T, s store.Store) {
			p := pen{t: t, s: s}
			key := windows()[3]
			m := store.Match{ID: "m", Version: 1, Created: 1, Position: 1, Moves: []store.Move{{WindowKey: key, ID: "0", New: 1}},
				Participants: []store.Participant{{Player: "0", Boards: []store.BoardValues{{WindowKey: key, ID: "0", Values: [][]int64{{1}}}}}}}
			p.write(append(fill(key, 1, 1), m)...)
			p.soft(store.Drop{WindowKey: key, All: true})
			requireGone(t, s, key)
			requireSame(t, []store.Match{m}, all(t, s.Matches(ctx, store.MatchQuery{})))
			requireMatch(t, s, m)
			p.write(fill(key, 1, 1)...)
			requireWindows(t, s, store.WindowQuery{}, key)
			requireMatch(t, s, m)
		}),
	}
}

// fill makes a window with its record, entries and chunks.
func fill(key store.WindowKey, entries, chunks int) []store.Record {
	records := []store.Record{store.Window{WindowKey: key, Version: 1, Size: entries}}
	for i := range entries {
		records = append(records, store.Entry{WindowKey: key, ID: fmt.Sprint(i), Version: 1})
	}
	for n := range chunks {
		records = append(records, store.Chunk{WindowKey: key, N: n, Data: []byte{byte(n)}})
	}
	return records
}

func dropThousands(t *testing.T, s store.Store) {
	ctx := context.Background()
	p := pen{t: t, s: s}
	for _, c := range []struct{ entries, chunks int }{{1000, 0}, {0, 1000}, {600, 400}, {1500, 700}, {700, 1500}, {0, 2001}, {2001, 0}} {
		key := store.WindowKey{Board: "x", Window: fmt.Sprint(c)}
		p.write(fill(key, c.entries, c.chunks)...)
		left := c.entries + c.chunks
		for left > 0 {
			requireSame(t, []store.Window{{WindowKey: key, Version: 1, Size: c.entries}}, windowsOf(t, s, store.WindowQuery{}))
			p.soft(store.Drop{WindowKey: key, All: true})
			left = max(left-1000, 0)
			entries, chunks := all(t, s.Entries(ctx, store.EntryQuery{WindowKey: key})), all(t, s.Chunks(ctx, key, 0, math.MaxInt))
			require.Len(t, append(make([]struct{}, len(entries)), make([]struct{}, len(chunks))...), left, "%+v", c)
		}
		requireGone(t, s, key)
	}
	// Chunks alone are taken from the first one on.
	key := windows()[0]
	p.write(fill(key, 0, 2500)...)
	for _, first := range []int{1007, 2007, 2400, 2400} {
		p.soft(store.Drop{WindowKey: key, From: 7, To: 2400})
		chunks := all(t, s.Chunks(ctx, key, 0, math.MaxInt))
		require.Equal(t, 6, chunks[6].N)
		require.Equal(t, first, chunks[7].N)
		require.Len(t, chunks, 7+2500-first)
	}
	requireWindows(t, s, store.WindowQuery{}, key)
}

// begunAnew drops in a commit and softly, reads between, and goes on in the same batch and in another.
func begunAnew(t *testing.T, s store.Store) {
	p := pen{t: t, s: s}
	key := windows()[5]
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	w := store.Window{WindowKey: key, Version: 1, Start: at, End: at, Final: 1, ClosedAt: at, Size: 1, Frozen: true, Chunks: 1}
	e := store.Entry{WindowKey: key, ID: "ann", Version: 1, Values: [][]int64{{1}}}
	anew := e
	anew.Values = [][]int64{{2}}
	for range 2 {
		p.write(w, e)
		requireEntry(t, s, e)
		p.batch(store.Batch{Commits: []store.Commit{p.next(store.Drop{WindowKey: key, All: true}), p.next(w, anew)}})
		requireEntry(t, s, anew)
		requireSame(t, []store.Window{w}, windowsOf(t, s, store.WindowQuery{}))
		p.soft(store.Drop{WindowKey: key, All: true})
		requireGone(t, s, key)
		p.soft(e, store.Drop{WindowKey: key, All: true}, anew)
		requireEntry(t, s, anew)
		requireSame(t, []store.Window{{WindowKey: key}}, windowsOf(t, s, store.WindowQuery{Unfrozen: true})) // nothing of the old record
		p.soft(anew, store.Drop{WindowKey: key, All: true})
		requireGone(t, s, key)
	}
}

// requireGone asks for nothing to be left of a window.
func requireGone(t tb, s store.Store, key store.WindowKey) {
	t.Helper()
	ctx := context.Background()
	requireEntries(t, s, store.EntryQuery{WindowKey: key})
	for _, id := range []string{"0", "ann"} { // one by one: what a store remembers of one may hide what it has of the others
		requireEntries(t, s, store.EntryQuery{WindowKey: key, IDs: []string{id}})
	}
	require.Empty(t, all(t, s.Chunks(ctx, key, 0, math.MaxInt)))
	for _, w := range windowsOf(t, s, store.WindowQuery{Board: key.Board}) {
		require.NotEqual(t, key, w.WindowKey, "it is still listed")
	}
}
