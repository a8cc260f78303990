package ranktree

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/btree"
)

// The benchmarks' boards: scores of 20 bits, so that equal ones occur, and a sequence that breaks them. Members
// come in at random places.

const million = 1_000_000

var sizes = []struct {
	name string
	n    int
}{{"n=10k", 10_000}, {"n=1M", million}}

// draws makes keys and picks members.
type draws struct{ state, seq uint64 }

func (d *draws) word() uint64 {
	d.state += 0x9E3779B97F4A7C15
	z := d.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (d *draws) key() Key {
	d.seq++
	return Key{^(d.word() >> 44), d.seq}
}

func (d *draws) slot(n int) uint32 { return uint32(d.word() >> 32 * uint64(n) >> 32) }

func inserted(n int, d *draws) *Tree {
	t := New(nil)
	for i := range uint32(n) {
		t.Insert(i, d.key())
	}
	return t
}

// sorted makes items in order with slots in no order.
func sorted(n int, d *draws) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i] = Item{Key{uint64(i) * 3, 0}, uint32(i)}
	}
	for i := range items {
		j := int(d.slot(n-i)) + i
		items[i].Slot, items[j].Slot = items[j].Slot, items[i].Slot
	}
	return items
}

func idOf(i int) string {
	return fmt.Sprintf("%016x", (&draws{state: uint64(i)}).word())
}

func indexed(n int) *Index {
	x := NewIndex()
	for i := range n {
		x.Intern(idOf(i))
	}
	return x
}

// asked is ids as requests bring them: one after the other in memory, of members in no order.
func asked(n int, d *draws) []string {
	ids := make([]string, 1<<16)
	for i := range ids {
		ids[i] = idOf(int(d.slot(n)))
	}
	return ids
}

func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

func BenchmarkTree(b *testing.B) {
	for _, size := range sizes {
		d := &draws{}
		n := size.n
		t := inserted(n, d)
		x := indexed(n)
		ids := asked(n, d)
		page := make([]Item, 0, 64)
		i := 0
		one := func(name string, op func()) {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					op()
				}
			})
		}
		slotOf := func() uint32 {
			i++
			slot, _ := x.Slot(ids[i%len(ids)])
			return slot
		}
		one("rank", func() { t.Position(d.slot(n)) })
		one("rank by id", func() { t.Position(slotOf()) })
		one("page20", func() { t.Page(page, int(d.slot(n-20)), 20) })
		one("around5", func() { t.Around(page, d.slot(n), 5) })
		one("count", func() { t.Before(d.key(), nil) })
		one("move", func() { t.Move(d.slot(n), d.key(), nil) })
		one("move by id", func() { t.Move(slotOf(), d.key(), nil) })
		one("move near", func() {
			slot := d.slot(n)
			k, _ := t.Key(slot)
			k.S += d.word() & 3
			t.Move(slot, k, nil)
		})
		one("slot of id", func() { slotOf() })
		b.Run("insert/"+size.name, func(b *testing.B) { benchmarkInsert(b, n) })
	}
}

func benchmarkInsert(b *testing.B, n int) {
	d := &draws{}
	var t *Tree
	for i := 0; b.Loop(); i++ {
		if i%n == 0 {
			t = New(nil)
		}
		t.Insert(uint32(i%n), d.key())
	}
}

// BenchmarkLongestInsert reports the longest of a million single inserts, by slot and of an id. The same million
// is put in several times over: what an insert itself takes it takes each time, but an interrupt, a collection
// or another process strikes another one. So the longest is that of the inserts' shortest times; the longest
// time seen at all is reported beside it.
func BenchmarkLongestInsert(b *testing.B) {
	const runs = 5
	seed := maphash.MakeSeed()
	shortest := make([][2]time.Duration, million)
	var seen [2]time.Duration
	for b.Loop() {
		for i := range shortest {
			shortest[i] = [2]time.Duration{time.Hour, time.Hour}
		}
		for range runs {
			d := &draws{}
			t, x := New(nil), NewIndex()
			x.seed = seed
			for i := range shortest {
				id := idOf(i)
				start := time.Now()
				slot := x.Intern(id)
				interned := time.Now()
				t.Insert(slot, d.key())
				for j, took := range [2]time.Duration{time.Since(interned), interned.Sub(start)} {
					shortest[i][j] = min(shortest[i][j], took)
					seen[j] = max(seen[j], took)
				}
			}
		}
	}
	var longest [2]time.Duration
	for _, took := range shortest {
		longest[0], longest[1] = max(longest[0], took[0]), max(longest[1], took[1])
	}
	for j, name := range []string{"insert", "intern"} {
		b.ReportMetric(float64(longest[j].Nanoseconds())/1e3, "µs/longest-"+name)
		b.ReportMetric(float64(seen[j].Nanoseconds())/1e3, "µs/longest-"+name+"-seen")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkBytes reports the memory of a million members inserted at random: of the tree with its key table, of
// these with an index of 16-byte ids (the ids' bytes included), after Load, and of a board of one slot in 500.
func BenchmarkBytes(b *testing.B) {
	for b.Loop() {
		empty := heap()
		t := inserted(million, &draws{})
		b.ReportMetric((heap()-empty)/million, "B/member")
		x := indexed(million)
		b.ReportMetric((heap()-empty)/million, "B/member-with-id")
		runtime.KeepAlive(x)
		runtime.KeepAlive(t)

		items := sorted(million, &draws{})
		empty = heap()
		l := New(nil)
		if err := l.Load(items); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric((heap()-empty)/million, "B/member-loaded")
		runtime.KeepAlive(items)
		runtime.KeepAlive(l)

		empty = heap()
		sparse, d := New(nil), &draws{}
		for i := range uint32(20_000) {
			sparse.Insert(i*500, d.key())
		}
		b.ReportMetric((heap()-empty)/20_000, "B/member-sparse")
		runtime.KeepAlive(sparse)
	}
}

func BenchmarkLoad(b *testing.B) {
	items := sorted(million, &draws{})
	t := New(nil)
	for b.Loop() {
		if err := t.Load(items); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFreeze(b *testing.B) {
	t := inserted(million, &draws{})
	b.Run("reused", func(b *testing.B) {
		dst := make([]Item, 0, million)
		for b.Loop() {
			t.All(dst)
		}
	})
	b.Run("fresh", func(b *testing.B) {
		for b.Loop() {
			t.All(nil)
		}
	})
}

// BenchmarkCollectTenMillion is the wall time of a full collection with a board of ten million members, and with
// their ids.
func BenchmarkCollectTenMillion(b *testing.B) {
	const n = 10 * million
	t := New(nil)
	if err := t.Load(sorted(n, &draws{})); err != nil {
		b.Fatal(err)
	}
	collect := func(b *testing.B) {
		runtime.GC()
		for b.Loop() {
			runtime.GC()
		}
	}
	b.Run("board", collect)
	x := indexed(n)
	b.Run("board and ids", collect)
	runtime.KeepAlive(t)
	runtime.KeepAlive(x)
}

// BenchmarkFigures compares the tree at a million members with google/btree alone, holding the same members as
// its items: each figure is a ratio to its Delete + ReplaceOrInsert of a random member, which is what a move
// costs there. Both are measured in turns within each round, and the medians of the rounds are compared.
func BenchmarkFigures(b *testing.B) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) { benchmarkFigures(b, size.n) })
	}
}

func benchmarkFigures(b *testing.B, n int) {
	const ops, rounds = 50_000, 9
	d := &draws{}
	t, plain := inserted(n, d), newPlain(n, d)
	page := make([]Item, 0, 64)
	var sink int
	runs := []struct {
		name string
		op   func()
	}{
		{"btree", func() { plain.move(d.slot(n), d.key()) }},
		{"rank", func() { p, _ := t.Position(d.slot(n)); sink += p }},
		{"move", func() { t.Move(d.slot(n), d.key(), nil) }},
		{"page20", func() { sink += len(t.Page(page, int(d.slot(n-20)), 20)) }},
		{"around5", func() { _, p, _ := t.Around(page, d.slot(n), 5); sink += p }},
		{"count", func() { sink += t.Before(d.key(), nil) }},
	}
	took := make([][]float64, len(runs))
	for b.Loop() {
		for range rounds {
			for i, r := range runs {
				start := time.Now()
				for range ops {
					r.op()
				}
				took[i] = append(took[i], float64(time.Since(start).Nanoseconds())/ops)
			}
		}
	}
	runtime.KeepAlive(sink)
	median := func(x []float64) float64 {
		slices.Sort(x)
		return x[len(x)/2]
	}
	alone := median(took[0])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(alone, "ns/btree")
	for i, r := range runs[1:] {
		b.ReportMetric(median(took[i+1])/alone, r.name+"/btree")
	}
}

// plain is a board on google/btree alone.
type plain struct {
	tree *btree.BTreeG[Item]
	keys []Key
}

func newPlain(n int, d *draws) *plain {
	p := &plain{keys: make([]Key, n), tree: btree.NewG(dirDegree, func(a, b Item) bool {
		if a.S != b.S {
			return a.S < b.S
		}
		if a.T != b.T {
			return a.T < b.T
		}
		return a.Slot < b.Slot
	})}
	for i := range p.keys {
		p.keys[i] = d.key()
		p.tree.ReplaceOrInsert(Item{p.keys[i], uint32(i)})
	}
	return p
}

func (p *plain) move(slot uint32, k Key) {
	p.tree.Delete(Item{p.keys[slot], slot})
	p.keys[slot] = k
	p.tree.ReplaceOrInsert(Item{k, slot})
}
