package main

import (
	"math"
	"strings"

	"github.com/bytedance/gopkg/collection/zset"
)

// bytedance is the sorted set of bytedance/gopkg, a skip list beside a map. It cannot be had without its lock.
type bytedance struct {
	set   *zset.Float64Set
	nodes []zset.Float64Node
}

func newBytedance() *bytedance { return &bytedance{set: zset.NewFloat64()} }

func (b *bytedance) rank(r *request) int { return b.set.Rank(r.id) }

func (b *bytedance) count(r *request) int { return b.set.Count(math.Inf(-1), float64(r.score)) }

func (b *bytedance) page(offset, limit int) { b.nodes = b.set.Range(offset, offset+limit-1) }

func (b *bytedance) around(r *request, by int) {
	at := b.set.Rank(r.id)
	b.nodes = b.set.Range(max(at-by, 0), at+by)
}

func (b *bytedance) found(dst []line) []line {
	for _, n := range b.nodes {
		dst = append(dst, line{n.Value, uint32(n.Score)})
	}
	return dst
}

func (b *bytedance) move(r *request) { b.set.Add(float64(r.score), r.id) }

// insert copies the id: the set keeps it, and would keep all that was read with it.
func (b *bytedance) insert(r *request) { b.set.Add(float64(r.score), strings.Clone(r.id)) }

func (b *bytedance) remove(r *request) { b.set.Remove(r.id) }
