package ranktree

const (
	pageBits   = 12
	pageLen    = 1 << pageBits
	shelfBits  = 10
	fewestFew  = 8
	mostFew    = pageLen / 2        // cells of a page's hash: above three quarters of it the page is full-size
	fullBelow  = pageLen * 3 / 32   // a full-size page with fewer members becomes a hash again
	multiplier = uint32(0x9E3779B1) // 2^32 / golden ratio: spreads slots that are a fixed step apart
)

// keyTable holds each member's key by its slot. Slots are the engine's, so a board may have nearly all of a
// range of them or one in a thousand. Each page of 4,096 slots decides for itself: with few members it is a
// small hash, with many an array. Nothing is ever copied but a page's few members, so no insert waits for a
// table of millions to grow.
type keyTable struct{ shelves []*shelf }

type shelf [1 << shelfBits]*keyPage

// keyPage is a hash (tags, few) or, if full is not nil, an array with one bit a slot for presence: every value
// of a key is legal, so none can stand for absence.
type keyPage struct {
	n    int
	has  *[pageLen / 64]uint64
	full *[pageLen]Key
	tags []uint16 // slot in the page + 1; 0: none. Linear probing.
	few  []Key
}

// at is where a member's key is, nil for none. It may be written through until the next put or drop.
func (t *keyTable) at(slot uint32) *Key {
	if p := t.page(slot); p != nil {
		return p.at(slot % pageLen)
	}
	return nil
}

func (t *keyTable) page(slot uint32) *keyPage {
	if i := int(slot >> (pageBits + shelfBits)); i < len(t.shelves) && t.shelves[i] != nil {
		return t.shelves[i][slot>>pageBits%(1<<shelfBits)]
	}
	return nil
}

// put adds a key; false, and nothing changed, if the slot has one.
func (t *keyTable) put(slot uint32, k Key) bool {
	p := t.page(slot)
	if p == nil {
		p = newKeyPage(0)
		t.setPage(slot, p)
	}
	return p.put(slot%pageLen, k)
}

// drop takes away a key, which must be there.
func (t *keyTable) drop(slot uint32) {
	p := t.page(slot)
	p.drop(slot % pageLen)
	if p.n == 0 {
		t.setPage(slot, nil)
	}
}

func (t *keyTable) setPage(slot uint32, p *keyPage) {
	i := int(slot >> (pageBits + shelfBits))
	for len(t.shelves) <= i {
		t.shelves = append(t.shelves, nil)
	}
	if t.shelves[i] == nil {
		t.shelves[i] = new(shelf)
	}
	t.shelves[i][slot>>pageBits%(1<<shelfBits)] = p
}

// newKeyPage returns an empty page with room for n members.
func newKeyPage(n int) *keyPage {
	cells := fewestFew
	for n*4 > cells*3 {
		cells *= 2
	}
	if cells > mostFew {
		return &keyPage{has: new([pageLen / 64]uint64), full: new([pageLen]Key)}
	}
	return &keyPage{tags: make([]uint16, cells), few: make([]Key, cells)}
}

func (p *keyPage) at(low uint32) *Key {
	if p.full != nil {
		if p.has[low/64%(pageLen/64)]>>(low%64)&1 == 0 {
			return nil
		}
		return &p.full[low%pageLen]
	}
	if i := p.seek(low); p.tags[i] != 0 {
		return &p.few[i]
	}
	return nil
}

// seek is the cell of a slot in the hash, or the empty cell where it would be. There is always an empty one.
func (p *keyPage) seek(low uint32) int {
	i := home(low, len(p.tags))
	for p.tags[i] != 0 && p.tags[i] != uint16(low+1) {
		i = (i + 1) & (len(p.tags) - 1)
	}
	return i
}

func home(low uint32, cells int) int { return int(low*multiplier>>20) & (cells - 1) }

func (p *keyPage) put(low uint32, k Key) bool {
	if p.at(low) != nil {
		return false
	}
	if p.full == nil && (p.n+1)*4 > len(p.tags)*3 {
		p.resize(p.n + 1)
	}
	p.n++
	if p.full != nil {
		p.has[low/64] |= 1 << (low % 64)
		p.full[low] = k
		return true
	}
	i := p.seek(low)
	p.tags[i], p.few[i] = uint16(low+1), k
	return true
}

func (p *keyPage) drop(low uint32) {
	p.n--
	if p.full != nil {
		p.has[low/64] &^= 1 << (low % 64)
		if p.n < fullBelow && p.n > 0 {
			p.resize(2 * p.n)
		}
		return
	}
	// The cells that follow may have probed across this one: each that would no longer be found moves into the
	// gap, and leaves one itself.
	mask := len(p.tags) - 1
	gap := p.seek(low)
	for i := (gap + 1) & mask; p.tags[i] != 0; i = (i + 1) & mask {
		if h := home(uint32(p.tags[i]-1), len(p.tags)); (i-h)&mask >= (i-gap)&mask {
			p.tags[gap], p.few[gap] = p.tags[i], p.few[i]
			gap = i
		}
	}
	p.tags[gap] = 0
}

// resize makes room for n members, in whichever form suits so many.
func (p *keyPage) resize(n int) {
	q := newKeyPage(n)
	if p.full != nil {
		for low := range uint32(pageLen) {
			if k := p.at(low); k != nil {
				q.put(low, *k)
			}
		}
	} else {
		for i, tag := range p.tags {
			if tag != 0 {
				q.put(uint32(tag-1), p.few[i])
			}
		}
	}
	*p = *q
}
