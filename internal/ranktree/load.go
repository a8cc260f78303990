package ranktree

import "fmt"

// chunkLoad is how many members Load puts into a chunk: nearly all it can hold, with room for the first ones that
// come after.
const chunkLoad = chunkCap * 15 / 16

// Load replaces the members by items, which must be in ascending order, by compare where keys are equal, and
// each slot once. Otherwise it returns an error and changes nothing. The owner has set the rows before. It keeps
// nothing of items.
func (t *Tree) Load(items []Item) error {
	counts, err := t.countPages(items)
	if err != nil {
		return err
	}
	keys, err := loadKeys(items, counts)
	if err != nil {
		return err
	}
	t.keys, t.spine, t.n = keys, spine{}, len(items)
	t.dir.Clear(false)
	for len(items) > 0 {
		c := loadChunk(items[:min(len(items), chunkLoad)])
		items = items[c.n:]
		if t.spine.groups == nil {
			c.sep = Key{}
		}
		t.spine.append(c)
		t.dir.ReplaceOrInsert(dirEnt{c.sep, c})
	}
	t.spine.rebuild()
	return nil
}

// countPages checks the order of items and counts how many there are for each page of the key table.
func (t *Tree) countPages(items []Item) ([]int32, error) {
	var counts []int32
	var last Item
	for i, it := range items {
		if !last.Key.less(it.Key) && i > 0 && (last.Key != it.Key || t.compare(last.Slot, it.Slot) >= 0) {
			return nil, fmt.Errorf("ranktree: item %d is not after the one before it", i)
		}
		last = it
		page := int(it.Slot >> pageBits)
		if page >= len(counts) {
			counts = append(counts, make([]int32, page+1-len(counts))...)
		}
		counts[page]++
	}
	return counts, nil
}

// arrivals is a full-size page being loaded: n keys from the one at first on, around the end, are those that came,
// in their order, and lows are their slots in the page.
type arrivals struct {
	page     *keyPage
	keys     *[pageLen]Key
	lows     *[pageLen]uint16
	first, n uint32
}

// stagger sets apart where pages begin to be filled. They are filled at the same pace, and the same index in
// every page falls into the same few lines of a cache.
const stagger = 5 * 64 / 16

// loadKeys makes the key table of items. Their slots are in no order, and a write for each at its place would
// miss every cache: so they are first written one after the other in their page and then, a page at a time, put
// where they belong.
func loadKeys(items []Item, counts []int32) (keyTable, error) {
	var t keyTable
	pages := make([]arrivals, len(counts))
	for i, n := range counts {
		if n == 0 {
			continue
		}
		p := newKeyPage(int(n))
		t.setPage(uint32(i)<<pageBits, p)
		pages[i] = arrivals{page: p, keys: p.full, first: uint32(i) * stagger}
		if p.full != nil {
			pages[i].lows = new([pageLen]uint16)
		}
	}
	for i := range items {
		it := &items[i]
		a := &pages[it.Slot>>pageBits]
		if a.keys != nil {
			at := (a.first + a.n) % pageLen
			a.keys[at], a.lows[at] = it.Key, uint16(it.Slot%pageLen)
			a.n++
		} else if !a.page.put(it.Slot%pageLen, it.Key) {
			return t, fmt.Errorf("ranktree: slot %d is there twice", it.Slot)
		}
	}
	for i := range pages {
		if a := &pages[i]; a.keys != nil && !a.settle() {
			return t, fmt.Errorf("ranktree: a slot of page %d is there twice", i)
		}
	}
	return t, nil
}

// settle puts what came where it belongs; false if a slot came twice, which it did if more came than there are
// slots.
func (a *arrivals) settle() bool {
	came, has := *a.keys, a.page.has
	for j := range a.n {
		at := (a.first + j) % pageLen
		low := a.lows[at] % pageLen
		bit := uint64(1) << (low % 64)
		if has[low/64]&bit != 0 {
			return false
		}
		has[low/64] |= bit
		a.keys[low] = came[at]
	}
	a.page.n = int(a.n)
	return true
}

// loadChunk makes a chunk of items.
func loadChunk(items []Item) *chunk {
	c := new(chunk)
	s, x, p := c.s[:len(items)], c.t[:len(items)], c.p[:len(items)]
	for i := range items {
		s[i], x[i], p[i] = items[i].S, items[i].T, items[i].Slot
	}
	c.clearFrom(len(items))
	c.mark(0, len(items))
	c.sep = items[0].Key
	return c
}

// append adds a chunk after all others. The Fenwick tree is not up to date until rebuild.
func (s *spine) append(c *chunk) {
	last := len(s.groups) - 1
	if last < 0 || s.groups[last].n == groupLoad {
		s.groups = append(s.groups, new(group))
		last++
	}
	g := s.groups[last]
	g.chunks[g.n], g.before[g.n] = c, g.total
	c.g, c.at = g, g.n
	g.n++
	g.total += uint32(c.n)
}
