package main

import (
	"slices"
	"sort"

	"github.com/tidwall/btree"
)

// tidwall is tidwall/btree with the members as its items. It gives the n-th item but not the n of an item: a rank
// is a binary search over places.
type tidwall struct {
	tree *btree.BTreeG[item]
	keys keys
	items
}

// newTidwall leaves the tree's lock out: google/btree and our own have none either.
func newTidwall() *tidwall {
	return &tidwall{tree: btree.NewBTreeGOptions(item.less, btree.Options{NoLocks: true})}
}

func (b *tidwall) rank(r *request) int { return b.search(b.keys.item(r.slot)) }

func (b *tidwall) count(r *request) int { return b.search(item{score: uint64(r.score) + 1}) }

func (b *tidwall) search(to item) int {
	return sort.Search(b.tree.Len(), func(at int) bool {
		i, _ := b.tree.GetAt(at)
		return !i.less(to)
	})
}

func (b *tidwall) page(offset, limit int) {
	b.items = b.items[:0]
	first, ok := b.tree.GetAt(offset)
	if !ok {
		return
	}
	b.tree.Ascend(first, func(i item) bool {
		b.items = append(b.items, i)
		return len(b.items) < limit
	})
}

// around finds the neighbours without their places, which nothing here asks for.
func (b *tidwall) around(r *request, by int) {
	self := b.keys.item(r.slot)
	b.items = b.items[:0]
	b.tree.Descend(self, func(i item) bool {
		b.items = append(b.items, i)
		return len(b.items) <= by
	})
	slices.Reverse(b.items)
	above := len(b.items) - 1
	b.items = b.items[:above] // the walk up begins with the member itself
	b.tree.Ascend(self, func(i item) bool {
		b.items = append(b.items, i)
		return len(b.items) <= above+by
	})
}

func (b *tidwall) move(r *request) {
	b.tree.Delete(b.keys.item(r.slot))
	b.insert(r)
}

func (b *tidwall) insert(r *request) {
	i := itemOf(r)
	b.keys.set(i)
	b.tree.Set(i)
}

func (b *tidwall) remove(r *request) { b.tree.Delete(b.keys.item(r.slot)) }
