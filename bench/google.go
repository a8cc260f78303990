package main

import (
	"slices"

	"github.com/google/btree"
)

// google is google/btree with the members as its items. It does not count: a place in it is found by walking
// there from the first member.
type google struct {
	tree *btree.BTreeG[item]
	keys keys
	items
}

const googleDegree = 32 // as the directory of our own board

func newGoogle() *google { return &google{tree: btree.NewG(googleDegree, item.less)} }

func (b *google) rank(r *request) int { return b.walk(b.keys.item(r.slot)) }

func (b *google) count(r *request) int { return b.walk(item{score: uint64(r.score) + 1}) }

func (b *google) walk(to item) int {
	n := 0
	b.tree.AscendLessThan(to, func(item) bool {
		n++
		return true
	})
	return n
}

func (b *google) page(offset, limit int) {
	b.items = b.items[:0]
	b.tree.Ascend(func(i item) bool {
		if offset > 0 {
			offset--
			return true
		}
		b.items = append(b.items, i)
		return len(b.items) < limit
	})
}

// around finds the neighbours without their places, which nothing here asks for.
func (b *google) around(r *request, by int) {
	self := b.keys.item(r.slot)
	b.items = b.items[:0]
	b.tree.DescendLessOrEqual(self, func(i item) bool {
		b.items = append(b.items, i)
		return len(b.items) <= by
	})
	slices.Reverse(b.items)
	above := len(b.items) - 1
	b.items = b.items[:above] // the walk up begins with the member itself
	b.tree.AscendGreaterOrEqual(self, func(i item) bool {
		b.items = append(b.items, i)
		return len(b.items) <= above+by
	})
}

func (b *google) move(r *request) {
	b.tree.Delete(b.keys.item(r.slot))
	b.insert(r)
}

func (b *google) insert(r *request) {
	i := itemOf(r)
	b.keys.set(i)
	b.tree.ReplaceOrInsert(i)
}

func (b *google) remove(r *request) { b.tree.Delete(b.keys.item(r.slot)) }
