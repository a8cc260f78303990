package ranktree

import (
	"math"
	"math/bits"
	"slices"
)

const (
	chunkCap   = 384
	blockLen   = 24
	markCount  = chunkCap/blockLen - 1
	mergeBelow = chunkCap / 4     // a chunk with fewer members looks for a neighbour to join
	mergeInto  = chunkCap * 3 / 4 // at most so many in the joined one, or it would soon be split again
)

// chunk is a run of members in order, at least one. Its size is a little below 8 KiB, which is a size class of
// the allocator. g is its only pointer and the first word, so that a collection reads no further.
type chunk struct {
	g     *group
	at, n int32 // index in g; number of members
	sep   Key
	marks [markCount]uint64 // s[24], s[48], …: the search's first look touches two cache lines
	s     [chunkCap]uint64  // unused: math.MaxUint64, which is legal in a used one too
	t     [chunkCap]uint64
	p     [chunkCap]uint32
}

func newChunk() *chunk {
	c := new(chunk)
	c.clearFrom(0)
	return c
}

func (c *chunk) key(i int) Key { return Key{c.s[i], c.t[i]} }

// below is the number of members with a smaller key. It takes no branch on what it compares: these could not be
// predicted, and each wrong guess costs more than several comparisons.
func (c *chunk) below(k Key) int {
	block := 0
	for _, m := range &c.marks {
		_, less := bits.Sub64(m, k.S, 0)
		block += int(less)
	}
	i := block * blockLen
	for _, s := range (*[blockLen]uint64)(c.s[i:]) {
		_, less := bits.Sub64(s, k.S, 0)
		i += int(less)
	}
	// Unused cells are never smaller, so i <= n.
	if i < int(c.n) && c.s[i] == k.S && c.t[i] < k.T {
		return c.belowTied(i+1, k)
	}
	return i
}

// belowTied is below when the first i members are known to be.
func (c *chunk) belowTied(i int, k Key) int {
	left := int(c.n) - i
	for left > 0 {
		half := (left + 1) / 2
		_, less := bits.Sub64(c.t[i+half-1], k.T, 0)
		_, less = bits.Sub64(c.s[i+half-1], k.S, less)
		i += half & -int(less)
		left -= half
	}
	return i
}

// keeps tells whether a member of this chunk stays in it under the key k, whatever its row. Equality with a
// border is left to the directory.
func (c *chunk) keeps(k Key) bool { return c.sep.less(k) && k.less(c.key(int(c.n)-1)) }

// insert puts a member before the i-th. There must be room.
func (c *chunk) insert(i int, k Key, slot uint32) {
	n := int(c.n)
	copy(c.s[i+1:n+1], c.s[i:n])
	copy(c.t[i+1:n+1], c.t[i:n])
	copy(c.p[i+1:n+1], c.p[i:n])
	c.s[i], c.t[i], c.p[i] = k.S, k.T, slot
	c.n++
	c.mark(i, n)
}

// remove takes the i-th member out.
func (c *chunk) remove(i int) {
	n := int(c.n)
	copy(c.s[i:n-1], c.s[i+1:n])
	copy(c.t[i:n-1], c.t[i+1:n])
	copy(c.p[i:n-1], c.p[i+1:n])
	c.s[n-1] = math.MaxUint64
	c.n--
	c.mark(i, n-1)
}

// rotate takes the i-th member out and puts it, with the key k, before the j-th of the others.
func (c *chunk) rotate(i, j int, k Key) {
	slot := c.p[i]
	if i < j {
		copy(c.s[i:j], c.s[i+1:j+1])
		copy(c.t[i:j], c.t[i+1:j+1])
		copy(c.p[i:j], c.p[i+1:j+1])
	} else {
		copy(c.s[j+1:i+1], c.s[j:i])
		copy(c.t[j+1:i+1], c.t[j:i])
		copy(c.p[j+1:i+1], c.p[j:i])
	}
	c.s[j], c.t[j], c.p[j] = k.S, k.T, slot
	c.mark(min(i, j), max(i, j))
}

// mark renews the marks of the cells from lo to hi.
func (c *chunk) mark(lo, hi int) {
	for j := (lo+blockLen-1)/blockLen - 1; j < min(hi/blockLen, markCount); j++ {
		if j >= 0 {
			c.marks[j] = c.s[(j+1)*blockLen]
		}
	}
}

// moveTo appends the members from the i-th on to another chunk and drops them here.
func (c *chunk) moveTo(other *chunk, i int) {
	n, m := int(c.n), int(other.n)
	copy(other.s[m:], c.s[i:n])
	copy(other.t[m:], c.t[i:n])
	copy(other.p[m:], c.p[i:n])
	other.n += int32(n - i)
	other.mark(m, int(other.n))
	c.clearFrom(i)
}

func (c *chunk) clearFrom(i int) {
	for j := i; j < chunkCap; j++ {
		c.s[j] = math.MaxUint64
	}
	c.n = int32(i)
	c.mark(i, chunkCap)
}

// copyOut appends up to limit members from the i-th on.
func (c *chunk) copyOut(dst []Item, i, limit int) []Item {
	end := min(i+limit, int(c.n))
	s, t, p := c.s[i:end], c.t[i:end], c.p[i:end]
	t, p = t[:len(s)], p[:len(s)]
	dst = slices.Grow(dst, len(s))
	out := dst[len(dst):][:len(s)]
	for j := range out {
		out[j] = Item{Key{s[j], t[j]}, p[j]}
	}
	return dst[:len(dst)+len(s)]
}

func (k Key) less(than Key) bool {
	return k.S < than.S || k.S == than.S && k.T < than.T
}
