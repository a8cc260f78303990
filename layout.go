package finalbell

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/finalbell/finalbell/internal/ranktree"
)

// An entry's place on a board is a row of words such that comparing two rows word by word as unsigned numbers
// is comparing the entries: first a word a key (half a word a place for countback), then the moment. The
// tree holds the first two words, the rows lie beside it by slot.

// layout says which word of a row holds what.
type layout struct {
	keys       []Key
	width      int // words in a row
	valueWords int // of which hold values; the rest is the moment
}

const (
	momentWords = 3
	signBit     = 1 << 63
	maxCount    = math.MaxUint32 // finishes in one place that a row can tell apart
)

func newLayout(rule BoardRule) layout {
	l := layout{keys: rule.Keys}
	for _, key := range rule.Keys {
		l.valueWords += key.words()
	}
	l.width = l.valueWords + momentWords
	return l
}

func (k Key) words() int {
	if k.Fold == FoldCountback {
		return (k.Places + 1) / 2
	}
	return 1
}

// orderedWord maps values to words so that the better one by the order is the smaller word.
func orderedWord(order Order, v int64) uint64 {
	if order == Asc {
		return uint64(v) ^ signBit
	}
	return ^(uint64(v) ^ signBit)
}

func orderedValue(order Order, word uint64) int64 {
	if order == Asc {
		return int64(word ^ signBit)
	}
	return int64(^word ^ signBit)
}

// encode writes an entry's row.
func (l layout) encode(row []uint64, e placed) {
	at := 0
	for i, key := range l.keys {
		if key.Fold != FoldCountback {
			row[at] = orderedWord(key.Order, e.values[i][0])
			at++
			continue
		}
		for place := 0; place < key.words()*2; place += 2 {
			row[at] = ^(countAt(e.values[i], place)<<32 | countAt(e.values[i], place+1))
			at++
		}
	}
	l.encodeMoment(row, e.changed)
}

func countAt(places []int64, i int) uint64 {
	if i >= len(places) {
		return 0
	}
	return uint64(min(places[i], maxCount))
}

// sort is an entry's row turned over, so that the larger is the better and what ends in zeros, as most counts of
// places do, is short: what a store can order entries by that knows nothing of keys. It tells apart what the
// board's ties tell apart.
func (l layout) sort(ties BoardTies, e placed) []byte {
	row := make([]uint64, l.width)
	l.encode(row, e)
	if ties != FirstRank {
		row = row[:l.valueWords]
	}
	return l.pack(row)
}

// pack writes the words of values without the zeros at the end of their complement, as sort does.
func (l layout) pack(words []uint64) []byte {
	text := make([]byte, 0, 8*len(words))
	for _, word := range words {
		text = binary.BigEndian.AppendUint64(text, ^word)
	}
	end := len(text)
	for end > 0 && text[end-1] == 0 {
		end--
	}
	return text[:end]
}

// unpack reads back the words of values into a row.
func (l layout) unpack(row []uint64, text []byte) bool {
	if len(text) > 8*l.valueWords {
		return false
	}
	var word [8]byte
	for i := range l.valueWords {
		clear(word[:])
		if 8*i < len(text) {
			copy(word[:], text[8*i:])
		}
		row[i] = ^binary.BigEndian.Uint64(word[:])
	}
	return true
}

// unsort makes an entry's row of its sort text and its moment.
func (l layout) unsort(row []uint64, ties BoardTies, text []byte, changed moment) error {
	words := l.valueWords
	if ties == FirstRank {
		words = l.width
	}
	if len(text) > 8*words {
		return errState
	}
	if len(text) > 8*l.valueWords {
		text = text[:8*l.valueWords]
	}
	l.unpack(row, text)
	l.encodeMoment(row, changed)
	return nil
}

func (l layout) encodeMoment(row []uint64, m moment) {
	at := l.valueWords
	row[at] = orderedWord(Asc, m.at)
	row[at+1] = m.position
	row[at+2] = uint64(m.place)
}

// values reads an entry's values back from its row.
func (l layout) values(row []uint64) [][]int64 {
	values := make([][]int64, len(l.keys))
	at := 0
	for i, key := range l.keys {
		if key.Fold != FoldCountback {
			values[i] = []int64{orderedValue(key.Order, row[at])}
			at++
			continue
		}
		last := 0
		places := make([]int64, 0, key.words()*2)
		for range key.words() {
			word := ^row[at]
			at++
			for _, count := range [2]int64{int64(word >> 32), int64(word & maxCount)} {
				places = append(places, count)
				if count > 0 {
					last = len(places)
				}
			}
		}
		values[i] = places[:last]
	}
	return values
}

// probe is the words of values of the first keys, to count against.
func (l layout) probe(values []Number) ([]uint64, error) {
	if len(values) == 0 || len(values) > len(l.keys) {
		return nil, refuse(ErrInvalid, plural(len(values), "value")+" for "+plural(len(l.keys), "key"))
	}
	words := make([]uint64, len(values))
	for i, n := range values {
		key := l.keys[i]
		if key.Fold == FoldCountback {
			return nil, refuse(ErrInvalid, "key "+quote(string(key.Fold))+" has no number to count against")
		}
		if err := n.Err(); err != nil {
			return nil, refuse(ErrInvalid, err.Error())
		}
		units, exact, ok := n.unitsAt(key.Scale)
		if !n.Known() || !exact || !ok {
			return nil, refuse(ErrInvalid, "value "+quote(n.String())+" is none that key "+quote(key.Metric)+" can have")
		}
		words[i] = orderedWord(key.Order, units)
	}
	return words, nil
}

// rows are the entries' rows by slot. Slots are the engine's, so a window may have nearly all of a range of them or
// one in a thousand: of 64 slots only those that have a row take room.
type rows struct {
	width int
	pages map[uint32]*rowPage
	last  *rowPage // the one made or changed last, which is mostly the next one too
	of    uint32
}

type rowPage struct {
	has  uint64 // a bit a slot
	rows []uint64
}

const pageRows = 64

func newRows(width int) rows { return rows{width: width, pages: make(map[uint32]*rowPage)} }

// at is the row of a slot that has one, until the next make.
func (r *rows) at(slot uint32) []uint64 {
	p := r.pages[slot/pageRows] // and not what make remembers: rows are compared by several at once
	return p.row(bits.OnesCount64(p.has&(1<<(slot%pageRows)-1)), r.width)
}

func (p *rowPage) row(n, width int) []uint64 { return p.rows[n*width : (n+1)*width : (n+1)*width] }

// make is the row of a slot, new if it had none.
func (r *rows) make(slot uint32) []uint64 {
	p := r.last
	if p == nil || r.of != slot/pageRows {
		p = r.pages[slot/pageRows]
	}
	if p == nil {
		p = new(rowPage)
		r.pages[slot/pageRows] = p
	}
	r.last, r.of = p, slot/pageRows
	bit := uint64(1) << (slot % pageRows)
	n := bits.OnesCount64(p.has & (bit - 1))
	if p.has&bit == 0 {
		p.has |= bit
		p.rows = slices.Grow(p.rows, r.width)
		p.rows = p.rows[:len(p.rows)+r.width]
		copy(p.rows[(n+1)*r.width:], p.rows[n*r.width:])
	}
	return p.row(n, r.width)
}

// index gives every id of the engine a small number for its boards.
type index struct {
	mu  sync.RWMutex
	ids *ranktree.Index
}

func newIndex() *index { return &index{ids: ranktree.NewIndex()} }

func (x *index) intern(id string) uint32 {
	if slot, there := x.slot(id); there {
		return slot
	}
	return x.enter(id)
}

// reserve makes room for so many ids if there are none yet.
func (x *index) reserve(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ids.Reserve(n)
}

// enter is intern for an id that is hardly there yet.
func (x *index) enter(id string) uint32 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.ids.Intern(id)
}

func (x *index) slot(id string) (uint32, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.ids.Slot(id)
}

func (x *index) id(slot uint32) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.ids.ID(slot)
}

// rename lets an id have another's place on every board.
func (x *index) rename(from, to string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.ids.Rename(from, to)
}
