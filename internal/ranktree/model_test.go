package ranktree

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// board is a tree with an owner that keeps a row beside every slot, and the same members in a sorted slice.
type board struct {
	tree  *Tree
	step  uint32   // slots are its multiples, or nearly
	rows  []uint64 // by slot / step; unique
	seq   uint64
	model []Item
}

func newBoard() *board {
	b := &board{step: 1}
	b.tree = New(b.compare)
	return b
}

func (b *board) compare(x, y uint32) int { return cmp.Compare(b.row(x), b.row(y)) }

func (b *board) order(x, y Item) int {
	return cmp.Or(cmp.Compare(x.S, y.S), cmp.Compare(x.T, y.T), b.compare(x.Slot, y.Slot))
}

func (b *board) row(slot uint32) uint64 { return b.rows[slot/b.step] }

// setRow gives a slot a row that no other has: coarse first, so that it lies anywhere among the others.
func (b *board) setRow(slot uint32, coarse uint64) {
	b.seq++
	i := int(slot / b.step)
	if i >= len(b.rows) {
		b.rows = append(b.rows, make([]uint64, i+1-len(b.rows))...)
	}
	b.rows[i] = coarse<<40 | b.seq
}

func (b *board) place(it Item) int {
	i, _ := slices.BinarySearchFunc(b.model, it, b.order)
	return i
}

func (b *board) insert(t fataler, slot uint32, k Key, coarse uint64) {
	b.setRow(slot, coarse)
	require.True(t, b.tree.Insert(slot, k))
	b.model = slices.Insert(b.model, b.place(Item{k, slot}), Item{k, slot})
}

func (b *board) delete(t fataler, i int) {
	slot := b.model[i].Slot
	require.True(t, b.tree.Delete(slot))
	b.model = slices.Delete(b.model, i, i+1)
}

// move gives the i-th member the key k and, unless keep, another row.
func (b *board) move(t fataler, i int, k Key, coarse uint64, keep bool) {
	slot := b.model[i].Slot
	b.model = slices.Delete(b.model, i, i+1)
	update := func() { b.setRow(slot, coarse) }
	if keep {
		update = nil
	}
	require.True(t, b.tree.Move(slot, k, update))
	b.model = slices.Insert(b.model, b.place(Item{k, slot}), Item{k, slot})
}

func (b *board) check(t fataler) {
	t.Helper()
	requireSound(t, b.tree)
	require.Equal(t, len(b.model), b.tree.Len())
	if !slices.Equal(b.model, b.tree.All(nil)) {
		require.FailNow(t, "the tree has other members than the model, or in another order")
	}
}

// checkReads compares the reads around the i-th place.
func (b *board) checkReads(t fataler, i, by int) {
	t.Helper()
	n := len(b.model)
	prefix := []Item{{Slot: 9}}
	lo, hi := min(max(i, 0), n), min(max(i+by, 0), n)
	page := b.tree.Page(prefix, i, by)
	require.Equal(t, append(prefix[:1:1], b.model[lo:max(lo, hi)]...), page)
	if i < 0 || i >= n {
		return
	}
	it := b.model[i]
	position, ok := b.tree.Position(it.Slot)
	require.True(t, ok)
	require.Equal(t, i, position)
	k, ok := b.tree.Key(it.Slot)
	require.True(t, ok)
	require.Equal(t, it.Key, k)
	items, first, ok := b.tree.Around(prefix, it.Slot, by)
	require.True(t, ok)
	require.Equal(t, max(i-max(by, 0), 0), first)
	require.Equal(t, append(prefix[:1:1], b.model[first:min(i+max(by, 0)+1, n)]...), items)
	b.checkBefore(t, it.Key, b.row(it.Slot))
}

func (b *board) checkBefore(t fataler, k Key, row uint64) {
	t.Helper()
	below := sort.Search(len(b.model), func(i int) bool { return !b.model[i].less(k) })
	through := sort.Search(len(b.model), func(i int) bool { return k.less(b.model[i].Key) })
	smaller := below
	for smaller < through && b.row(b.model[smaller].Slot) < row {
		smaller++
	}
	require.Equal(t, below, b.tree.Before(k, nil))
	require.Equal(t, below, b.tree.Before(k, func(uint32) bool { return false }))
	require.Equal(t, through, b.tree.Before(k, func(uint32) bool { return true }))
	require.Equal(t, smaller, b.tree.Before(k, func(slot uint32) bool {
		at, ok := b.tree.Key(slot)
		require.True(t, ok)
		require.Equal(t, k, at)
		return b.row(slot) < row
	}))
}

// words has every extreme, among them the images of MinInt64 and MaxInt64 in both directions.
var words = [...]uint64{0, 1, 2, math.MaxInt64, 1 << 63, 1<<63 + 1, math.MaxUint64 - 1, math.MaxUint64}

func tiedKeys() *rapid.Generator[Key] {
	return rapid.Custom(func(t *rapid.T) Key {
		return Key{words[rapid.IntRange(0, len(words)-1).Draw(t, "S")], []uint64{0, 7, math.MaxUint64}[rapid.IntRange(0, 2).Draw(t, "T")]}
	})
}

func oneOrTwoKeys() *rapid.Generator[Key] {
	return rapid.SampledFrom([]Key{{5, 5}, {5, 5}, {5, 5}, {5, 6}, {math.MaxUint64, math.MaxUint64}})
}

func wideKeys() *rapid.Generator[Key] {
	return rapid.Custom(func(t *rapid.T) Key { return Key{rapid.Uint64().Draw(t, "S"), rapid.Uint64().Draw(t, "T")} })
}

// A tree is at every moment what a sorted slice of the same members would be.
func TestTreeIsASortedSlice(t *testing.T) {
	t.Run("of all kinds of keys", func(t *testing.T) { machine(t, wideKeys()) })
	t.Run("of a handful of keys", func(t *testing.T) { machine(t, tiedKeys()) })
	t.Run("of nearly one key", func(t *testing.T) { machine(t, oneOrTwoKeys()) })
}

func machine(t *testing.T, keys *rapid.Generator[Key]) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBoard()
		b.step = rapid.SampledFrom([]uint32{1, 1, 64, 5000}).Draw(t, "slots apart")
		next := uint32(0)
		any := func(t *rapid.T) int {
			if len(b.model) == 0 {
				t.Skip("empty")
			}
			return rapid.IntRange(0, len(b.model)-1).Draw(t, "place")
		}
		burst := func(t *rapid.T) (int, []Key, func(i int) uint64) { return drawBurst(t, keys) }
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { b.check(t) },
			"insert": func(t *rapid.T) {
				n, ks, coarse := burst(t)
				for i := range n {
					b.insert(t, next, ks[i%len(ks)], coarse(i))
					next += b.step
				}
				require.False(t, b.tree.Insert(next-b.step, ks[0]))
			},
			"move": func(t *rapid.T) {
				at := any(t)
				n, ks, coarse := burst(t)
				stride := rapid.IntRange(0, 50).Draw(t, "stride")
				for i := range n {
					b.move(t, (at+i*stride)%len(b.model), ks[i%len(ks)], coarse(i), i%5 == 0)
				}
			},
			"move near": func(t *rapid.T) {
				at := any(t)
				for i := range rapid.IntRange(1, 100).Draw(t, "burst") {
					at := (at + i) % len(b.model)
					k := b.model[at].Key
					k.T += uint64(i%5) - 2
					b.move(t, at, k, uint64(i), i%3 == 0)
				}
			},
			"delete a run": func(t *rapid.T) {
				at := any(t)
				for range min(rapid.IntRange(1, 900).Draw(t, "run"), len(b.model)-at) {
					b.delete(t, at)
				}
			},
			"delete": func(t *rapid.T) {
				at := any(t)
				for i := range min(rapid.IntRange(1, 200).Draw(t, "burst"), len(b.model)) {
					b.delete(t, (at+i*97)%len(b.model))
				}
			},
			"load": func(t *rapid.T) {
				other := New(b.compare)
				require.NoError(t, other.Load(b.model))
				b.tree = other
			},
			"read": func(t *rapid.T) {
				b.checkReads(t, rapid.IntRange(-3, len(b.model)+3).Draw(t, "place"), rapid.IntRange(-2, 1000).Draw(t, "by"))
			},
			"before": func(t *rapid.T) {
				b.checkBefore(t, keys.Draw(t, "key"), rapid.Uint64().Draw(t, "row")>>rapid.IntRange(0, 60).Draw(t, "shift"))
			},
			"a stranger": func(t *rapid.T) {
				b.checkStranger(t, next+uint32(rapid.IntRange(0, 9000).Draw(t, "beyond")))
			},
		})
	})
}

// drawBurst draws many members a step, from few numbers: a chunk has to fill and to empty.
func drawBurst(t *rapid.T, keys *rapid.Generator[Key]) (n int, ks []Key, coarse func(i int) uint64) {
	n = rapid.IntRange(1, 500).Draw(t, "burst")
	ks = rapid.SliceOfN(keys, 1, 6).Draw(t, "keys")
	spread := rapid.SampledFrom([]uint64{1, 3, 1 << 16}).Draw(t, "spread")
	return n, ks, func(i int) uint64 { return uint64(i) * 0x9E3779B97F4A7C15 >> 40 % spread }
}

// checkStranger asks for a slot that is no member.
func (b *board) checkStranger(t fataler, slot uint32) {
	require.False(t, b.tree.Delete(slot))
	require.False(t, b.tree.Move(slot, Key{}, func() { require.FailNow(t, "update was called") }))
	_, ok := b.tree.Position(slot)
	require.False(t, ok)
	_, ok = b.tree.Key(slot)
	require.False(t, ok)
	items, _, ok := b.tree.Around(nil, slot, 3)
	require.False(t, ok)
	require.Empty(t, items)
}
