package ranktree

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// A run of equal keys may be much longer than a group of chunks, and its members change places within it.
func TestARunOfEqualKeysMayBeAsLongAsTheBoard(t *testing.T) {
	const n = 3 * groupCap * chunkCap / 2
	b, r := newBoard(), random(1)
	for i := range uint32(n) {
		b.setRow(i, r.Uint64N(1<<20))
		require.True(t, b.tree.Insert(i, Key{4, uint64(i % 2)}))
		b.model = append(b.model, Item{Key{4, uint64(i % 2)}, i})
	}
	slices.SortFunc(b.model, b.order)
	b.check(t)
	require.Greater(t, len(b.tree.spine.groups), 1)
	for i := range 3000 {
		b.move(t, r.IntN(n), Key{4, uint64(r.IntN(2))}, r.Uint64N(1<<20), false)
		if i%300 == 0 {
			b.check(t)
			b.checkReads(t, r.IntN(n), 700)
		}
	}
	for _, row := range []uint64{0, 1, 1 << 59, math.MaxUint64} {
		for _, k := range []Key{{}, {4, 0}, {4, 1}, {4, 2}, {math.MaxUint64, math.MaxUint64}} {
			b.checkBefore(t, k, row)
		}
	}
	b.check(t)
	for c := b.tree.spine.first(); c != nil; c = b.tree.spine.next(c) {
		for _, i := range []int{0, 1, int(c.n) - 1} {
			row := b.row(c.p[i])
			position, _ := b.tree.Position(c.p[i])
			require.Equal(t, position, b.tree.Before(c.key(i), func(slot uint32) bool { return b.row(slot) < row }))
			require.Equal(t, position+1, b.tree.Before(c.key(i), func(slot uint32) bool { return b.row(slot) <= row }))
		}
	}
}

// The member a separator was copied from may change its row and stay: the directory must not notice.
func TestASeparatorOutlivesItsMember(t *testing.T) {
	b := newBoard()
	for i := range uint32(4 * chunkCap) {
		b.insert(t, i, Key{1, 1}, 1000)
	}
	for range 2 * chunkCap {
		for c := b.tree.spine.first(); c != nil; c = b.tree.spine.next(c) {
			slot := c.p[0]
			i, ok := b.tree.Position(slot)
			require.True(t, ok)
			b.move(t, i, Key{1, 1}, uint64(b.seq%2000), false)
			break
		}
		b.delete(t, len(b.model)/2)
	}
	b.check(t)
	for i := range b.model {
		position, ok := b.tree.Position(b.model[i].Slot)
		require.True(t, ok)
		require.Equal(t, i, position)
	}
}

// Everything can be deleted, from either end, from the middle or in any order, and the tree is as new.
func TestADeletedBoardIsEmpty(t *testing.T) {
	const n = 20_000
	which := map[string]func(r *rand.Rand, left int) int{
		"from the first":  func(_ *rand.Rand, left int) int { return 0 },
		"from the last":   func(_ *rand.Rand, left int) int { return left - 1 },
		"from the middle": func(_ *rand.Rand, left int) int { return left / 2 },
		"in any order":    func(r *rand.Rand, left int) int { return r.IntN(left) },
	}
	for name, pick := range which {
		t.Run(name, func(t *testing.T) {
			b, r := newBoard(), random(2)
			for i := range uint32(n) {
				b.setRow(i, 0)
				b.model = append(b.model, Item{Key{uint64(i / 3000), uint64(i/3000) % 2}, i})
			}
			require.NoError(t, b.tree.Load(b.model))
			b.check(t)
			require.Greater(t, len(b.tree.spine.groups), 1)
			for left := n; left > 0; left-- {
				b.delete(t, pick(r, left))
				if left%2500 == 0 || left < 3 {
					b.check(t)
				}
			}
			require.Zero(t, b.tree.dir.Len())
			require.Empty(t, b.tree.spine.groups)
			b.insert(t, 7, Key{3, 3}, 0)
			b.check(t)
		})
	}
}

// A full chunk is split by the next member wherever in it that one belongs, and joined again only below a quarter.
func TestChunksSplitAndJoinAtTheirBorders(t *testing.T) {
	for _, at := range []uint64{0, 1, chunkCap/2 - 1, chunkCap / 2, chunkCap/2 + 1, chunkCap - 1, chunkCap} {
		b := newBoard()
		for i := range uint32(chunkCap) {
			b.insert(t, i, Key{2*uint64(i) + 1, 0}, 0)
		}
		require.Equal(t, 1, b.tree.dir.Len())
		b.insert(t, 9999, Key{2 * at, 0}, 0)
		require.Equal(t, 2, b.tree.dir.Len())
		b.check(t)
		for first := b.tree.spine.first(); first.n > mergeBelow; {
			b.delete(t, int(first.n)-1)
			require.Equal(t, 2, b.tree.dir.Len())
		}
		b.delete(t, 0)
		b.check(t)
		require.Equal(t, 1, b.tree.dir.Len(), "the pair fits, so it is joined")
	}
}

// A pair that would fill more than three quarters stays a pair.
func TestChunksThatWouldBeTooFullAreNotJoined(t *testing.T) {
	b := newBoard()
	for i := range uint32(2 * chunkCap) {
		b.insert(t, i, Key{uint64(i), 0}, 0)
	}
	chunks := b.tree.dir.Len()
	first := b.tree.spine.first()
	next := b.tree.spine.next(first)
	for i := uint32(0); next.n < chunkCap*3/4; i++ {
		b.insert(t, 5000+i, Key{next.s[0], uint64(i) + 1}, 0)
	}
	for first.n > 2 {
		b.delete(t, 0)
	}
	b.check(t)
	require.Equal(t, chunks, b.tree.dir.Len())
	b.delete(t, 0)
	b.delete(t, 0)
	b.check(t)
	require.Equal(t, chunks-1, b.tree.dir.Len(), "an empty chunk is dropped")
}

// The smallest and largest words are keys like any other, also as padding and as absence.
func TestEveryWordIsLegalInAKey(t *testing.T) {
	b := newBoard()
	slot := uint32(math.MaxUint32) // the last slot as well
	b.step = 1000
	for range 100 {
		for _, s := range words {
			for _, x := range words {
				b.insert(t, slot, Key{s, x}, uint64(slot%7))
				slot -= 1000
			}
		}
	}
	b.check(t)
	for _, s := range words {
		for _, x := range words {
			b.checkBefore(t, Key{s, x}, 3<<40)
		}
	}
	for i := range b.model {
		b.checkReads(t, i, 2)
	}
}

// Pages beyond the ends, and numbers that would overflow, give what there is.
func TestAPageIsClipped(t *testing.T) {
	b := newBoard()
	require.Empty(t, b.tree.Page(nil, 0, 10))
	require.Empty(t, b.tree.All(nil))
	require.Empty(t, b.tree.Page(nil, -1, 10))
	require.Zero(t, b.tree.Before(Key{1, 1}, nil))
	require.Zero(t, b.tree.Before(Key{1, 1}, func(uint32) bool { return true }))
	for i := range uint32(1000) {
		b.insert(t, i, Key{uint64(i), 0}, 0)
	}
	for _, c := range []struct{ offset, limit, first, n int }{
		{0, 0, 0, 0}, {0, -1, 0, 0}, {1000, 5, 0, 0}, {990, 20, 990, 10}, {-5, 5, 0, 0}, {-5, 8, 0, 3},
		{math.MinInt, math.MaxInt, 0, 0}, {math.MaxInt, math.MaxInt, 0, 0}, {-1, math.MaxInt, 0, 1000}, {3, math.MaxInt, 3, 997},
	} {
		page := b.tree.Page(nil, c.offset, c.limit)
		require.Len(t, page, c.n, "%+v", c)
		if c.n > 0 {
			require.Equal(t, b.model[c.first:c.first+c.n], page)
		}
	}
	for _, by := range []int{math.MinInt, -1, 0, 2, math.MaxInt} {
		b.checkAround(t, 1, by)
	}
}

func (b *board) checkAround(t *testing.T, i, by int) {
	items, first, ok := b.tree.Around(nil, b.model[i].Slot, by)
	require.True(t, ok)
	by = min(max(by, 0), len(b.model))
	require.Equal(t, max(i-by, 0), first)
	require.Equal(t, b.model[first:min(i+by+1, len(b.model))], items)
}

// A Move without a change leaves everything alone, one of the row alone moves within the run.
func TestAMoveMayChangeTheRowAlone(t *testing.T) {
	b := newBoard()
	for i := range uint32(1000) {
		b.insert(t, i, Key{1, 1}, uint64(i))
	}
	b.move(t, 10, Key{1, 1}, 0, true)
	b.check(t)
	b.move(t, 10, Key{1, 1}, 1<<20, false)
	b.check(t)
	require.Equal(t, uint32(10), b.model[999].Slot)
}

// Load refuses what is not in order or has a slot twice, and the members are those of before.
func TestLoadRefusesDisorder(t *testing.T) {
	b := newBoard()
	for i := range uint32(1000) {
		b.insert(t, i, Key{uint64(i / 100), 1}, uint64(i))
	}
	good := slices.Clone(b.model)
	swapped := slices.Clone(good)
	swapped[500], swapped[501] = swapped[501], swapped[500]
	twice := slices.Clone(good)
	twice[999].Slot, twice[999].Key = 3, Key{math.MaxUint64, 0}
	for name, items := range map[string][]Item{
		"equal keys in the wrong order": swapped,
		"a slot twice":                  twice,
		"an item twice":                 append(good[:1:1], good...),
		"a smaller key":                 append(good[999:1000:1000], good[0]),
	} {
		require.Error(t, b.tree.Load(items), name)
		b.check(t)
	}
	require.NoError(t, b.tree.Load(good[100:700]))
	b.model = good[100:700]
	b.check(t)
	require.NoError(t, b.tree.Load(nil))
	b.model = nil
	b.check(t)
	unique := New(nil)
	require.Error(t, unique.Load([]Item{{Key{1, 1}, 5}, {Key{1, 1}, 5}}))
}

// Load sees a slot that comes twice in a page with few slots, with many, and with more than there can be.
func TestLoadRefusesASlotTwiceInAnyPage(t *testing.T) {
	for _, n := range []int{2, 100, 2000, pageLen, pageLen + 1, 3 * pageLen} {
		x := New(nil)
		items := make([]Item, n)
		for i := range items {
			items[i] = Item{Key{uint64(i), 0}, 5<<pageBits + uint32(i*7%pageLen)}
		}
		if n <= pageLen {
			require.NoError(t, x.Load(items))
			requireSound(t, x)
			items[n-1].Slot = items[n/2-1].Slot
		}
		require.Error(t, x.Load(items), n)
	}
}

// A page of the key table is a hash while it has few members and an array when it has many, in both directions.
func TestAPageOfKeysSuitsItsMembers(t *testing.T) {
	for _, step := range []uint32{1, 3, 4097} { // neighbours; scattered over the page; one a page
		var table keyTable
		r := random(3)
		slots := make([]uint32, 0, pageLen)
		for i := range uint32(pageLen) {
			slot := i * step
			if step < pageLen {
				slot %= pageLen
			}
			slots = append(slots, 1<<20+slot)
		}
		r.Shuffle(len(slots), func(i, j int) { slots[i], slots[j] = slots[j], slots[i] })
		for i, slot := range slots {
			require.True(t, table.put(slot, Key{uint64(slot), math.MaxUint64}))
			require.False(t, table.put(slot, Key{}))
			if i%500 == 0 {
				require.Empty(t, table.check(i+1))
			}
		}
		require.Equal(t, step < pageLen, table.page(slots[0]).full != nil)
		for i, slot := range slots {
			require.Equal(t, Key{uint64(slot), math.MaxUint64}, *table.at(slot))
			table.drop(slot)
			require.Nil(t, table.at(slot))
			if left := len(slots) - i - 1; left%100 == 0 {
				require.Empty(t, table.check(left))
			}
		}
		require.Nil(t, table.page(slots[0]))
	}
}

// No read allocates.
func TestReadsAllocateNothing(t *testing.T) {
	b, r := newBoard(), random(4)
	const n = 20_000
	for i := range uint32(n) {
		b.setRow(i, 0)
		require.True(t, b.tree.Insert(i, Key{r.Uint64N(50), r.Uint64N(2)}))
	}
	dst := make([]Item, 0, 100)
	reads := map[string]func(){
		"Position": func() { b.tree.Position(r.Uint32N(n)) },
		"Key":      func() { b.tree.Key(r.Uint32N(n)) },
		"Page":     func() { b.tree.Page(dst, r.IntN(n), 100) },
		"Around":   func() { b.tree.Around(dst, r.Uint32N(n), 49) },
		"Before":   func() { b.tree.Before(Key{r.Uint64N(50), 1}, nil) },
		"Before among equals": func() {
			row := b.row(r.Uint32N(n))
			b.tree.Before(Key{r.Uint64N(50), 1}, func(slot uint32) bool { return b.row(slot) < row })
		},
	}
	for name, read := range reads {
		require.Zero(t, testing.AllocsPerRun(200, read), name)
	}
}
