package ranktree

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
)

// check finds whatever in a tree is not as the package comment says, "" if nothing.
func (t *Tree) check() string {
	if bad := t.spine.check(); bad != "" {
		return bad
	}
	var chunks []*chunk
	for c := t.spine.first(); c != nil; c = t.spine.next(c) {
		if len(chunks) > 0 && t.spine.prev(c) != chunks[len(chunks)-1] {
			return "the chunk before the next is not this one"
		}
		chunks = append(chunks, c)
	}
	bad, i, n := "", 0, 0
	t.dir.Ascend(func(e dirEnt) bool {
		if i >= len(chunks) || e.c != chunks[i] || e.sep != e.c.sep {
			bad = fmt.Sprintf("entry %d of the directory is not chunk %d of the spine", i, i)
			return false
		}
		i++
		return true
	})
	if bad == "" && i != len(chunks) {
		bad = "the directory lacks chunks"
	}
	for i := 0; i < len(chunks) && bad == ""; i++ {
		c := chunks[i]
		n += int(c.n)
		bad = t.checkChunk(c)
		if i > 0 && bad == "" {
			before := chunks[i-1]
			last := int(before.n) - 1
			switch {
			case !t.ordered(before, last, c, 0):
				bad = "two chunks overlap"
			case c.sep.less(before.key(last)) || c.key(0).less(c.sep):
				bad = "a separator is not between its chunk and the one before"
			}
		}
		if bad != "" {
			bad = fmt.Sprintf("chunk %d of %d: %s", i, len(chunks), bad)
		}
	}
	if bad == "" && n != t.n {
		bad = fmt.Sprintf("%d members in chunks, Len says %d", n, t.n)
	}
	if bad == "" {
		bad = t.keys.check(t.n)
	}
	return bad
}

func (t *Tree) ordered(a *chunk, i int, b *chunk, j int) bool {
	if a.key(i) != b.key(j) {
		return a.key(i).less(b.key(j))
	}
	return t.compare(a.p[i], b.p[j]) < 0
}

func (t *Tree) checkChunk(c *chunk) string {
	if c.n < 1 || c.n > chunkCap {
		return fmt.Sprintf("has %d members", c.n)
	}
	for i := range chunkCap {
		switch {
		case i >= int(c.n) && c.s[i] != math.MaxUint64:
			return fmt.Sprintf("unused cell %d is %d", i, c.s[i])
		case i%blockLen == 0 && i > 0 && c.marks[i/blockLen-1] != c.s[i]:
			return fmt.Sprintf("mark of cell %d is stale", i)
		case i >= int(c.n):
			continue
		case i > 0 && !t.ordered(c, i-1, c, i):
			return fmt.Sprintf("members %d and %d are not in order", i-1, i)
		}
		if k, ok := t.Key(c.p[i]); !ok || k != c.key(i) {
			return fmt.Sprintf("member %d has another key in the table", i)
		}
	}
	return ""
}

func (s *spine) check() string {
	if len(s.groups) > 0 && len(s.fenwick) != len(s.groups)+1 {
		return "the Fenwick tree has another size than the spine"
	}
	sums := make([]uint32, len(s.groups)+1)
	for i, g := range s.groups {
		sums[i+1] = sums[i] + g.total
		if int(g.at) != i || g.n < 1 || g.n > groupCap {
			return fmt.Sprintf("group %d says it is group %d with %d chunks", i, g.at, g.n)
		}
		if want := sums[i+1] - sums[(i+1)&i]; s.fenwick[i+1] != want {
			return fmt.Sprintf("Fenwick cell %d is %d, want %d", i+1, s.fenwick[i+1], want)
		}
		sum := uint32(0)
		for j := range groupCap {
			c := g.chunks[j]
			if j >= int(g.n) {
				if c != nil {
					return fmt.Sprintf("group %d keeps a chunk in unused cell %d", i, j)
				}
				continue
			}
			if c.g != g || int(c.at) != j || g.before[j] != sum {
				return fmt.Sprintf("chunk %d of group %d: back link or count is wrong", j, i)
			}
			sum += uint32(c.n)
		}
		if sum != g.total {
			return fmt.Sprintf("group %d has %d members, says %d", i, sum, g.total)
		}
	}
	return ""
}

func (t *keyTable) check(want int) string {
	n := 0
	for _, s := range t.shelves {
		if s == nil {
			continue
		}
		for i, p := range s {
			if p == nil {
				continue
			}
			n += p.n
			counted := 0
			for i, tag := range p.tags {
				if tag != 0 {
					counted++
					if p.at(uint32(tag-1)) != &p.few[i] {
						return fmt.Sprintf("slot %d of its page is not found", tag-1)
					}
				}
			}
			if p.full != nil {
				for _, word := range p.has {
					counted += bits.OnesCount64(word)
				}
			}
			switch {
			case p.n != counted || p.n == 0:
				return fmt.Sprintf("page %d has %d keys, says %d", i, counted, p.n)
			case p.full == nil && p.n*4 > len(p.tags)*3:
				return fmt.Sprintf("page %d is too full a hash", i)
			case p.full != nil && p.n < fullBelow:
				return fmt.Sprintf("page %d is too empty an array", i)
			}
		}
	}
	if n != want {
		return fmt.Sprintf("the key table has %d keys, want %d", n, want)
	}
	return ""
}

type fataler interface {
	require.TestingT
	Helper()
}

func requireSound(t fataler, tree *Tree) {
	t.Helper()
	if bad := tree.check(); bad != "" {
		require.FailNow(t, bad)
	}
}

// The checker itself must see what it is for.
func TestTheCheckerSeesDamage(t *testing.T) {
	damage := map[string]func(*Tree){
		"a member out of order":         func(x *Tree) { c := x.spine.first(); c.p[3], c.p[4] = c.p[4], c.p[3] },
		"a stale mark":                  func(x *Tree) { x.spine.first().marks[2]++ },
		"a padding cell":                func(x *Tree) { x.spine.first().s[chunkCap-1] = 5 },
		"a prefix sum":                  func(x *Tree) { x.spine.groups[0].before[1]++ },
		"a Fenwick cell":                func(x *Tree) { x.spine.fenwick[1]-- },
		"a separator above its chunk":   func(x *Tree) { x.setSep(1, Key{1 << 60, 0}) },
		"a separator in the one before": func(x *Tree) { x.setSep(1, Key{3, 0}) },
		"a key missing in the table":    func(x *Tree) { x.keys.drop(5) },
		"a count of members":            func(x *Tree) { x.n++ },
	}
	for name, do := range damage {
		t.Run(name, func(t *testing.T) {
			x := New(nil)
			for i := range uint32(4 * chunkCap) {
				require.True(t, x.Insert(i, Key{uint64(i), 0}))
			}
			requireSound(t, x)
			do(x)
			require.NotEmpty(t, x.check())
		})
	}
}

func (t *Tree) setSep(chunk int, sep Key) {
	c := t.spine.groups[0].chunks[chunk]
	t.dir.Delete(dirEnt{c.sep, c})
	c.sep = sep
	t.dir.ReplaceOrInsert(dirEnt{sep, c})
}
