package ranktree

import (
	"math/bits"
	"slices"
	"sort"
)

const (
	groupCap        = 64
	groupMergeBelow = groupCap / 4
	groupMergeInto  = groupCap * 3 / 4
	groupLoad       = groupCap * 3 / 4 // chunks a group after Load
)

// group is a run of chunks, at least one, with the number of its members before each of them.
type group struct {
	chunks [groupCap]*chunk
	before [groupCap]uint32
	at, n  int32 // index in the spine; number of chunks
	total  uint32
}

// spine is every chunk in order. Its Fenwick tree counts the members of groups, not of chunks: then a split of a
// chunk, which moves the index of every later one, has only the 64 of its group to renumber.
type spine struct {
	groups  []*group
	fenwick []uint32 // [i]: members of the groups i-(i&-i) … i-1; [0] unused
}

func (s *spine) first() *chunk {
	if len(s.groups) == 0 {
		return nil
	}
	return s.groups[0].chunks[0]
}

func (s *spine) next(c *chunk) *chunk {
	if g := c.g; c.at+1 < g.n {
		return g.chunks[c.at+1]
	}
	if i := int(c.g.at) + 1; i < len(s.groups) {
		return s.groups[i].chunks[0]
	}
	return nil
}

func (s *spine) prev(c *chunk) *chunk {
	if c.at > 0 {
		return c.g.chunks[c.at-1]
	}
	if i := c.g.at - 1; i >= 0 {
		g := s.groups[i]
		return g.chunks[g.n-1]
	}
	return nil
}

// before is the number of members in the chunks before c.
func (s *spine) before(c *chunk) int {
	sum := c.g.before[c.at]
	for i := c.g.at; i > 0; i &= i - 1 {
		sum += s.fenwick[i]
	}
	return int(sum)
}

// find is the chunk that holds the member at a position, which must exist, and its index there.
func (s *spine) find(position int) (*chunk, int) {
	i, rest := 0, uint32(position)
	for step := 1 << bits.Len(uint(len(s.groups))) >> 1; step > 0; step >>= 1 {
		if i+step < len(s.fenwick) && s.fenwick[i+step] <= rest {
			i += step
			rest -= s.fenwick[i]
		}
	}
	g := s.groups[i]
	j := 0
	for left := int(g.n) - 1; left > 0; {
		half := (left + 1) / 2
		_, after := bits.Sub64(uint64(rest), uint64(g.before[j+half]), 0)
		j += half & (int(after) - 1)
		left -= half
	}
	return g.chunks[j], int(rest - g.before[j])
}

// lastBefore is the last chunk after c and not after last whose first member satisfies before, which is true for
// a first part of them; else c.
func (s *spine) lastBefore(c, last *chunk, before func(slot uint32) bool) *chunk {
	g := c.g
	from := int(g.at) + 1
	i := sort.Search(int(last.g.at)+1-from, func(i int) bool { return !before(s.groups[from+i].chunks[0].p[0]) })
	lo := int(c.at) + 1
	if i > 0 {
		g, lo = s.groups[from+i-1], 1
	}
	hi := int(g.n)
	if g == last.g {
		hi = int(last.at) + 1
	}
	return g.chunks[lo-1+sort.Search(hi-lo, func(j int) bool { return !before(g.chunks[lo+j].p[0]) })]
}

// copyOut appends limit members from the i-th of c on; they must exist.
func (s *spine) copyOut(dst []Item, c *chunk, i, limit int) []Item {
	for {
		had := len(dst)
		dst = c.copyOut(dst, i, limit)
		limit -= len(dst) - had
		if limit == 0 {
			return dst
		}
		c, i = s.next(c), 0
	}
}

// count says that c has by more members; by may wrap, for fewer.
func (s *spine) count(c *chunk, by uint32) {
	g := c.g
	after := g.before[c.at+1 : g.n]
	for i := range after {
		after[i] += by
	}
	g.total += by
	for i := int(g.at) + 1; i < len(s.fenwick); i += i & -i {
		s.fenwick[i] += by
	}
}

// link adds a chunk after left, whose members were all in left when last counted. A nil left is for the first
// chunk, which is still to be counted.
func (s *spine) link(left, c *chunk) {
	if left == nil {
		g := &group{n: 1}
		g.chunks[0], c.g, c.at = c, g, 0
		s.groups = append(s.groups, g)
		s.rebuild()
		return
	}
	if left.g.n == groupCap {
		s.split(left.g)
	}
	g := left.g
	at := int(left.at) + 1
	copy(g.chunks[at+1:], g.chunks[at:g.n])
	copy(g.before[at+1:], g.before[at:g.n])
	g.chunks[at], g.before[at] = c, g.before[at-1]+uint32(left.n)
	g.n++
	g.renumber(at)
}

// unlink takes a chunk away that counts no members.
func (s *spine) unlink(c *chunk) {
	g, at := c.g, int(c.at)
	copy(g.chunks[at:], g.chunks[at+1:g.n])
	copy(g.before[at:], g.before[at+1:g.n])
	g.n--
	g.chunks[g.n] = nil
	g.renumber(at)
	c.g = nil
	if g.n >= groupMergeBelow {
		return
	}
	i := int(g.at)
	switch {
	case g.n == 0:
		s.groups = slices.Delete(s.groups, i, i+1)
	case i+1 < len(s.groups) && g.n+s.groups[i+1].n <= groupMergeInto:
		s.groups[i+1].moveTo(g, 0)
		s.groups = slices.Delete(s.groups, i+1, i+2)
	case i > 0 && g.n+s.groups[i-1].n <= groupMergeInto:
		g.moveTo(s.groups[i-1], 0)
		s.groups = slices.Delete(s.groups, i, i+1)
	default:
		return
	}
	s.rebuild()
}

func (s *spine) split(g *group) {
	right := new(group)
	g.moveTo(right, groupCap/2)
	s.groups = slices.Insert(s.groups, int(g.at)+1, right)
	s.rebuild()
}

// rebuild renews what depends on the number of groups. That is a few microseconds for ten million members.
func (s *spine) rebuild() {
	s.fenwick = append(s.fenwick[:0], make([]uint32, len(s.groups)+1)...)
	for i, g := range s.groups {
		g.at = int32(i)
		s.fenwick[i+1] += g.total
		if up := i + 1 + (i+1)&-(i+1); up < len(s.fenwick) {
			s.fenwick[up] += s.fenwick[i+1]
		}
	}
}

// moveTo appends the chunks from the i-th on to another group and drops them here.
func (g *group) moveTo(other *group, i int) {
	moved := g.total - g.before[i]
	at := int(other.n)
	for j, c := range g.chunks[i:g.n] {
		other.chunks[at+j] = c
		other.before[at+j] = other.total + g.before[i+j] - g.before[i]
	}
	clear(g.chunks[i:g.n])
	other.n += g.n - int32(i)
	other.total += moved
	g.n = int32(i)
	g.total -= moved
	other.renumber(at)
}

func (g *group) renumber(from int) {
	for i := from; i < int(g.n); i++ {
		g.chunks[i].g, g.chunks[i].at = g, int32(i)
	}
}
