package main

import "github.com/finalbell/finalbell/internal/ranktree"

// counted is our own board, asked by slot.
type counted struct {
	tree  *ranktree.Tree
	items []ranktree.Item
}

func newCounted() *counted { return &counted{tree: ranktree.New(nil)} }

func treeKey(r *request) ranktree.Key { return ranktree.Key{S: uint64(r.score), T: r.tie} }

func (b *counted) rank(r *request) int {
	position, _ := b.tree.Position(r.slot)
	return position
}

func (b *counted) count(r *request) int {
	return b.tree.Before(ranktree.Key{S: uint64(r.score) + 1}, nil)
}

func (b *counted) page(offset, limit int) { b.items = b.tree.Page(b.items[:0], offset, limit) }

func (b *counted) around(r *request, by int) {
	b.items, _, _ = b.tree.Around(b.items[:0], r.slot, by)
}

func (b *counted) found(dst []line) []line {
	for _, item := range b.items {
		dst = append(dst, line{idOf(item.Slot), uint32(item.S)})
	}
	return dst
}

func (b *counted) move(r *request)   { b.tree.Move(r.slot, treeKey(r), nil) }
func (b *counted) insert(r *request) { b.tree.Insert(r.slot, treeKey(r)) }
func (b *counted) remove(r *request) { b.tree.Delete(r.slot) }

// countedIDs is the same board asked by id, with the index that gives ids their slots. A page is done when every
// slot on it has its id again.
type countedIDs struct {
	counted
	index *ranktree.Index
	ids   []string
}

func newCountedIDs() *countedIDs {
	return &countedIDs{counted: *newCounted(), index: ranktree.NewIndex()}
}

func (b *countedIDs) slot(r *request) uint32 {
	slot, _ := b.index.Slot(r.id)
	return slot
}

func (b *countedIDs) rank(r *request) int {
	position, _ := b.tree.Position(b.slot(r))
	return position
}

func (b *countedIDs) page(offset, limit int) {
	b.counted.page(offset, limit)
	b.name()
}

func (b *countedIDs) around(r *request, by int) {
	b.items, _, _ = b.tree.Around(b.items[:0], b.slot(r), by)
	b.name()
}

func (b *countedIDs) name() {
	b.ids = b.ids[:0]
	for _, item := range b.items {
		b.ids = append(b.ids, b.index.ID(item.Slot))
	}
}

func (b *countedIDs) found(dst []line) []line {
	for i, item := range b.items {
		dst = append(dst, line{b.ids[i], uint32(item.S)})
	}
	return dst
}

func (b *countedIDs) move(r *request)   { b.tree.Move(b.slot(r), treeKey(r), nil) }
func (b *countedIDs) insert(r *request) { b.tree.Insert(b.index.Intern(r.id), treeKey(r)) }
func (b *countedIDs) remove(r *request) { b.tree.Delete(b.slot(r)) }
