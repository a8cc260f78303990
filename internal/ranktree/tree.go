// Package ranktree keeps the members of one board in rank order and answers where a member stands, who stands
// at a place and how many stand before a value, each in well under a microsecond at a million members.
//
// # Layout
//
// A member is a slot, a small number which the owner gave it. Its place is decided by a Key and, among equal
// keys, by the owner's compare. Members lie in chunks of up to 384, in order; a chunk has an array for each
// word, so that a search reads only the words it compares.
//
//	directory (google/btree)   Key → chunk: which chunk a place is in
//	spine: groups of chunks    how many members stand before a chunk, which chunk holds the n-th member
//	chunk: keys, slots         where in the chunk
//	key table: slot → Key      where to begin, given a member
//
// google/btree alone cannot count, so the spine holds up to 64 chunks a group with prefix sums of their
// lengths, and a Fenwick tree over the groups. A change of one member touches one chunk, the prefix sums of its
// group and a path in the Fenwick tree. A full chunk is split in two; one below a quarter is joined with a
// neighbour when the two fill at most three quarters, so that it is not split again at once.
//
// Only chunks, groups, directory and pages hold pointers; there are none in a member. A collection therefore
// costs by the chunk, not by the member.
//
// # Separators
//
// The directory orders chunks by a separator: a Key that is not below any key of the chunks before and not
// above any of its own chunk (the first chunk excepted, which takes whatever is below all others). The
// separator is not a member and has no slot: the member it was copied from may since have moved or gone, and
// comparing that slot's row would then order the directory by something that is no longer in it. A run of equal
// keys can fill many chunks, whose separators are then equal too; these chunks are told apart by their first
// members as they are at the time of asking, and so are a chunk and a wanted place.
package ranktree

import (
	"cmp"
	"slices"
	"sort"

	"github.com/google/btree"
)

// Key is the first two words of a member's place: ascending (S, T) is rank order. Every value is legal.
type Key struct{ S, T uint64 }

// Item is a member with its key.
type Item struct {
	Key
	Slot uint32
}

// Tree is the set of members in order. It is not safe for concurrent use, reads included. Its functions compare,
// update and before, which it calls, must not call it.
type Tree struct {
	compare func(a, b uint32) int
	dir     *btree.BTreeG[dirEnt]
	spine   spine
	keys    keyTable
	n       int
	probe   probe // of the search under way: the directory's comparison reads it
}

// dirEnt is a chunk in the directory, or with c nil a wanted place: the key sep, and among equals Tree.probe.
type dirEnt struct {
	sep Key
	c   *chunk
}

// probe says where among the members of its key a wanted place is.
type probe struct {
	at   edge
	slot uint32
}

type edge uint8

const (
	atSlot    edge = iota // where compare has the slot
	ahead                 // before all members of the key
	afterward             // after all members of the key
)

const dirDegree = 32

// New returns an empty tree. compare orders two members whose keys are equal; it is never asked when they
// differ. It must be a strict total order over the members present (0 for a slot and itself only) and must not
// change its mind about a member except inside the update of that member's Move. A nil compare promises that
// keys are unique.
func New(compare func(a, b uint32) int) *Tree {
	if compare == nil {
		compare = cmp.Compare[uint32] // a broken promise must not break the tree
	}
	t := &Tree{compare: compare}
	t.dir = btree.NewG(dirDegree, func(a, b dirEnt) bool {
		if a.sep.S != b.sep.S {
			return a.sep.S < b.sep.S
		}
		if a.sep.T != b.sep.T {
			return a.sep.T < b.sep.T
		}
		return t.tiedLess(a, b)
	})
	return t
}

// Len is the number of members.
func (t *Tree) Len() int { return t.n }

// Key returns a member's key; false if the slot is no member.
func (t *Tree) Key(slot uint32) (Key, bool) {
	if k := t.keys.at(slot); k != nil {
		return *k, true
	}
	return Key{}, false
}

// Position is the number of members before this one in the total order; false if the slot is no member.
func (t *Tree) Position(slot uint32) (int, bool) {
	k := t.keys.at(slot)
	if k == nil {
		return 0, false
	}
	c, i := t.locate(*k, slot)
	return t.spine.before(c) + i, true
}

// Before counts the members ordered before a place: those with a smaller key and, among the members with an
// equal key, those for which before is true. It must be true for a first part of them, in their order, and
// false for the rest; it is asked about few. A nil before is false for all.
func (t *Tree) Before(k Key, before func(slot uint32) bool) int {
	c := t.floor(k, probe{at: ahead})
	if c == nil {
		return 0
	}
	i := c.below(k)
	if before == nil {
		return t.spine.before(c) + i
	}
	if last := t.floor(k, probe{at: afterward}); last != c {
		// Every chunk after c up to last begins with a member of this key.
		if run := t.spine.lastBefore(c, last, before); run != c {
			c, i = run, 0
		}
	}
	i += sort.Search(int(c.n)-i, func(j int) bool {
		return c.key(i+j) != k || !before(c.p[i+j])
	})
	return t.spine.before(c) + i
}

// Page appends the members at the places offset, offset+1, … offset+limit-1 to dst and returns it. Places that
// do not exist, below zero or past the end, give nothing. It allocates only if dst has too little capacity.
func (t *Tree) Page(dst []Item, offset, limit int) []Item {
	if offset < 0 {
		offset, limit = 0, max(limit, 0)+offset
	}
	limit = min(limit, t.n-offset)
	if limit <= 0 {
		return dst
	}
	c, i := t.spine.find(offset)
	return t.spine.copyOut(slices.Grow(dst, limit), c, i, limit)
}

// Around appends a member with up to by members on each side to dst, fewer at an end, none for a negative by. first
// is the position of the first one appended. ok is false, and dst as it was, if the slot is no member.
func (t *Tree) Around(dst []Item, slot uint32, by int) (items []Item, first int, ok bool) {
	k := t.keys.at(slot)
	if k == nil {
		return dst, 0, false
	}
	c, i := t.locate(*k, slot)
	position := t.spine.before(c) + i
	by = min(max(by, 0), t.n)
	first = max(position-by, 0)
	limit := min(position+by+1, t.n) - first
	for i -= position - first; i < 0; i += int(c.n) {
		c = t.spine.prev(c)
	}
	return t.spine.copyOut(slices.Grow(dst, limit), c, i, limit), first, true
}

// All appends every member in order to dst and returns it: a board is frozen by such a copy.
func (t *Tree) All(dst []Item) []Item { return t.Page(dst, 0, t.n) }

// locate finds a member's chunk and its index there.
func (t *Tree) locate(k Key, slot uint32) (*chunk, int) {
	c := t.floor(k, probe{slot: slot})
	i := t.place(c, k, slot)
	if i >= int(c.n) || c.p[i] != slot {
		panic("ranktree: compare changed its mind about a member outside of Move")
	}
	return c, i
}

// floor is the chunk that a wanted place is in: the last one that begins at or before it, else the first; nil if
// there is none.
func (t *Tree) floor(k Key, p probe) *chunk {
	t.probe = p
	found := t.spine.first()
	t.dir.DescendLessOrEqual(dirEnt{sep: k}, func(e dirEnt) bool {
		found = e.c
		return false
	})
	return found
}

// tiedLess orders a and b, whose separators are equal. At most one is a wanted place.
func (t *Tree) tiedLess(a, b dirEnt) bool {
	switch {
	case a.c == b.c:
		return false
	case a.c == nil:
		return !t.reaches(b.c, a.sep)
	case b.c == nil:
		return t.reaches(a.c, b.sep)
	}
	if x, y := a.c.key(0), b.c.key(0); x != y {
		return x.less(y)
	}
	return t.compare(a.c.p[0], b.c.p[0]) < 0
}

// reaches tells whether c begins at or before the wanted place.
func (t *Tree) reaches(c *chunk, k Key) bool {
	if first := c.key(0); first != k {
		return first.less(k)
	}
	switch t.probe.at {
	case ahead:
		return false
	case afterward:
		return true
	}
	return c.p[0] == t.probe.slot || t.compare(c.p[0], t.probe.slot) < 0
}

// place is the number of members in c before a member (k, slot), which may be among them or not.
func (t *Tree) place(c *chunk, k Key, slot uint32) int {
	i := c.below(k)
	if i >= int(c.n) || c.p[i] == slot || c.key(i) != k {
		return i
	}
	return i + sort.Search(int(c.n)-i, func(j int) bool {
		return c.key(i+j) != k || t.compare(c.p[i+j], slot) >= 0
	})
}
