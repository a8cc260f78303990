package ranktree

import (
	"hash/maphash"
	"strings"
)

const (
	segmentCells = 511
	segmentFull  = segmentCells * 7 / 8 // then it is split
	recordBits   = 40                   // of a cell's word: where the record is; the 24 above are of the hash
	blockSize    = 1 << 16
	recordHead   = 5 // slot, little-endian; length of the id
	offsetPage   = 4096
	longestID    = 128
)

// Index gives every id a slot: 0, 1, 2, … in the order in which they come. Ids are 1 to 128 bytes; they are
// never let go, but one may take the place of another. An Index is not safe for concurrent use while anything is being interned.
//
// An id lies once, with its slot (a renamed one still does), in an append-only block of 64 KiB; a cell of the hash is one word, part of the
// hash and the record's address. There is not one pointer per id, so a collection does not walk them.
//
// The hash grows by extending: it is a directory of segments of 511 cells, and a full segment is split in two
// by the next bit of the hash. No insert hashes more than one segment's ids again (less than 0.2 ms with cold
// caches) or copies more than the directory (8 bytes per 250 ids or so; at a hundred million ids 4 MB). A flat table
// would stop the world of its owner for about a second at ten million.
type Index struct {
	seed    maphash.Seed
	depth   uint       // the directory has 1<<depth entries, by the hash's upper bits
	dir     []*segment // several neighbours may share one
	blocks  []string   // the last one grows
	tail    *strings.Builder
	offsets []*[offsetPage]uint64 // where a slot's record is
	n       int
}

// segment is 4 KiB, a size class of the allocator.
type segment struct {
	n, depth uint32 // all its ids agree in the upper depth bits of the hash
	cells    [segmentCells]uint64
}

// NewIndex returns an empty index.
func NewIndex() *Index {
	return &Index{seed: maphash.MakeSeed(), dir: []*segment{new(segment)}}
}

// Reserve makes an empty index large enough for n ids, so that no segment has to be split, and every id of it hashed
// again, on the way there. On an index that has ids it does nothing.
func (x *Index) Reserve(n int) {
	if x.n > 0 {
		return
	}
	depth := uint(0)
	for n>>depth > segmentFull*3/4 { // some segments get more than others
		depth++
	}
	x.depth, x.dir = depth, make([]*segment, 1<<depth)
	for i := range x.dir {
		x.dir[i] = &segment{depth: uint32(depth)}
	}
}

// Len is the number of ids, and the next slot.
func (x *Index) Len() int { return x.n }

// Slot returns an id's slot; false if it has none.
func (x *Index) Slot(id string) (uint32, bool) {
	h := maphash.String(x.seed, id)
	s := x.segment(h)
	return x.slotAt(s.cells[x.seek(s, h, id)])
}

// ID returns the id of a slot, which must have been given. The string stays valid for ever; it keeps a block of
// other ids in memory.
func (x *Index) ID(slot uint32) string {
	_, id := x.record(x.offsets[slot/offsetPage][slot%offsetPage])
	return id
}

// Intern returns an id's slot, the next one if it had none. It panics if the id is empty or longer than 128
// bytes.
func (x *Index) Intern(id string) uint32 {
	if len(id) == 0 || len(id) > longestID {
		panic("ranktree: an id has 1 to 128 bytes")
	}
	h := maphash.String(x.seed, id)
	s := x.segment(h)
	if slot, ok := x.slotAt(s.cells[x.seek(s, h, id)]); ok {
		return slot
	}
	slot := uint32(x.n)
	x.put(h, id, slot)
	x.n++
	return slot
}

// put gives a slot to an id that has none.
func (x *Index) put(h uint64, id string, slot uint32) {
	s := x.segment(h)
	for s.n >= segmentFull {
		x.split(s, h)
		s = x.segment(h)
	}
	s.cells[x.seek(s, h, id)] = h<<recordBits | x.write(slot, id)
	s.n++
}

// Rename gives the slot of one id to another. It does nothing and returns false if the first has none or the second has
// one, or is no id.
func (x *Index) Rename(from, to string) bool {
	h := maphash.String(x.seed, from)
	s := x.segment(h)
	cell := x.seek(s, h, from)
	slot, there := x.slotAt(s.cells[cell])
	if _, taken := x.Slot(to); !there || taken || len(to) == 0 || len(to) > longestID {
		return false
	}
	// Whoever came to a cell behind this one because it was taken would not be found there: all are seated anew.
	cells := s.cells
	cells[cell] = 0
	s.cells, s.n = [segmentCells]uint64{}, 0
	for _, w := range cells {
		if w != 0 {
			_, id := x.record(address(w))
			s.cells[x.seek(s, maphash.String(x.seed, id), id)] = w
			s.n++
		}
	}
	x.put(maphash.String(x.seed, to), to, slot)
	return true
}

// The hash's bits: 0–23 are the tag in a cell, 24–39 choose the cell, 40–63 the segment. None serves twice, or
// the ids of one segment, which agree in some, would crowd in a few cells.

func (x *Index) segment(h uint64) *segment { return x.dir[h>>(64-x.depth)] }

func firstCell(h uint64) int { return int(h >> 24 & 0xffff * segmentCells >> 16) }

// seek is the cell of an id, or the empty one where it would be. There is always an empty one.
func (x *Index) seek(s *segment, h uint64, id string) int {
	tag := h << recordBits >> recordBits
	for i := firstCell(h); ; i++ {
		if i == segmentCells {
			i = 0
		}
		w := s.cells[i]
		if w == 0 {
			return i
		}
		if w>>recordBits != tag {
			continue
		}
		if _, known := x.record(address(w)); known == id {
			return i
		}
	}
}

func address(cell uint64) uint64 { return cell & (1<<recordBits - 1) }

func (x *Index) slotAt(cell uint64) (uint32, bool) {
	if cell == 0 {
		return 0, false
	}
	slot, _ := x.record(address(cell))
	return slot, true
}

func (x *Index) record(at uint64) (slot uint32, id string) {
	b := x.blocks[at/blockSize][at%blockSize:]
	slot = uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return slot, b[recordHead : recordHead+int(b[4])]
}

// write appends a record and returns its address, which is never 0.
func (x *Index) write(slot uint32, id string) uint64 {
	if x.tail == nil || x.tail.Len()+recordHead+len(id) > blockSize {
		// A builder, not a byte slice: what it has given out stays valid while it grows within its capacity.
		x.tail = new(strings.Builder)
		x.tail.Grow(blockSize)
		x.tail.WriteByte(0)
		x.blocks = append(x.blocks, "")
	}
	at := uint64(len(x.blocks)-1)*blockSize + uint64(x.tail.Len())
	x.tail.Write([]byte{byte(slot), byte(slot >> 8), byte(slot >> 16), byte(slot >> 24), byte(len(id))})
	x.tail.WriteString(id)
	x.blocks[len(x.blocks)-1] = x.tail.String()
	if int(slot/offsetPage) == len(x.offsets) {
		x.offsets = append(x.offsets, new([offsetPage]uint64))
	}
	x.offsets[slot/offsetPage][slot%offsetPage] = at
	return at
}

// split divides the segment of h by the next bit of its ids' hashes.
func (x *Index) split(s *segment, h uint64) {
	if uint(s.depth) == x.depth {
		wider := make([]*segment, 2*len(x.dir))
		for i, s := range x.dir {
			wider[2*i], wider[2*i+1] = s, s
		}
		x.dir = wider
		x.depth++
	}
	s.depth++
	upper := &segment{depth: s.depth}
	width := 1 << (x.depth - uint(s.depth)) // entries of each half
	from := int(h>>(64-x.depth)) &^ (2*width - 1)
	for i := from + width; i < from+2*width; i++ {
		x.dir[i] = upper
	}
	cells := s.cells
	s.cells, s.n = [segmentCells]uint64{}, 0
	for _, w := range cells {
		if w == 0 {
			continue
		}
		_, id := x.record(address(w))
		h := maphash.String(x.seed, id)
		half := x.segment(h)
		i := firstCell(h)
		for half.cells[i] != 0 {
			i = (i + 1) % segmentCells
		}
		half.cells[i] = w
		half.n++
	}
}
