package finalbell

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// moment orders results: by the time that decides the window, then the commit, then the place in the match.
type moment struct {
	at       int64 // milliseconds
	position uint64
	place    int
}

// unplaced stands for the position of the commit that is being decided: later than every stored one. The
// committer's position takes its place before it is written.
const unplaced = math.MaxUint64

func (a moment) compare(b moment) int {
	if c := cmp.Compare(a.at, b.at); c != 0 {
		return c
	}
	if c := cmp.Compare(a.position, b.position); c != 0 {
		return c
	}
	return cmp.Compare(a.place, b.place)
}

// result is what one match brings to one entry.
type result struct {
	moment moment
	round  int // -1: none
	cells  []cell
}

// cell is what a result brings to one key: nothing unless fed.
type cell struct {
	fed    bool
	value  int64
	places []int // countback: the ranks finished in; more than one for a team
}

// tally is what a key has gathered.
type tally struct {
	sum    int64     // sum and mean: the sum; best, worst, first and latest: the value
	count  int64     // mean and count
	best   [][]int64 // sum of the best: per segment, best first
	places []int64   // countback: finishes per place
}

// entry is a fold in progress: what a player or team has on a board. The zero entry has folded nothing.
type entry struct {
	entered bool
	tallies []tally
	hasRow  bool
	row     moment // of the result that the row folds took
	changed moment // of the last result that changed the values
	last    moment // of the last result folded
	folded  bool   // last is set

	// On an additive board, where the order of results matters to these two alone:
	since moment // of the first result with the first key's metric; zero: none yet
	added moment // of the last result that added something; zero: none yet
}

// isRow reports whether a fold takes the whole row of one result.
func (f Fold) isRow() bool {
	switch f {
	case FoldBest, FoldWorst, FoldFirst, FoldLatest:
		return true
	}
	return false
}

// foldAll folds results from nothing, in whatever order they come.
func foldAll(b BoardRule, results []result) (entry, error) {
	results = slices.Clone(results)
	slices.SortFunc(results, func(x, y result) int { return x.moment.compare(y.moment) })
	var e entry
	for _, r := range results {
		var err error
		if e, err = fold(b, e, r); err != nil {
			return entry{}, err
		}
	}
	return e, nil
}

// additive reports whether every result adds the same to a board's values whatever came before it. Then
// results may come in any order.
func (b BoardRule) additive() bool {
	return !slices.ContainsFunc(b.Keys, func(k Key) bool {
		return k.Fold.isRow() || k.Fold == FoldMean || len(k.Best) > 0
	})
}

// canAdd reports whether r can be folded on top of e. Unless the board is additive, results must come in their
// order, or the moment at which the values last changed could not be told.
func (e entry) canAdd(b BoardRule, r result) bool {
	return !e.folded || r.moment.compare(e.last) > 0 || b.additive()
}

// fold adds one result to an entry and returns the new one; e stays as it is.
func fold(b BoardRule, e entry, r result) (entry, error) {
	next := entry{entered: e.entered, hasRow: e.hasRow, row: e.row, changed: e.changed, last: r.moment, folded: true}
	next.tallies = make([]tally, len(b.Keys))
	copy(next.tallies, e.tallies)
	takesRow := b.takesRow(e, r)
	for i, key := range b.Keys {
		c := r.cells[i]
		t := &next.tallies[i]
		var err error
		switch {
		case key.Fold.isRow():
			if takesRow {
				t.sum = c.value // 0 where the row lacks this key
			}
		case c.fed:
			err = t.add(key, c, r.round)
		}
		if err != nil {
			return entry{}, fmt.Errorf("board %s: key %d: %w", quote(b.ID), i, err)
		}
	}
	if takesRow {
		next.hasRow, next.row = true, r.moment
	}
	if b.additive() {
		next.track(b, e, r)
		return next, nil
	}
	if !next.entered && r.cells[0].fed {
		next.entered, next.changed = true, r.moment
	} else if next.entered && !sameValues(e.values(b), next.values(b)) {
		next.changed = r.moment
	}
	return next, nil
}

// track works out the moments of an additive board's entry, for a result that may come late: the values last
// changed when the entry came onto the board or when something was added to it, whichever is later.
func (e *entry) track(b BoardRule, old entry, r result) {
	e.since, e.added = old.since, old.added
	if old.folded && old.last.compare(r.moment) > 0 {
		e.last = old.last
	}
	if r.cells[0].fed && (e.since == moment{} || r.moment.compare(e.since) < 0) {
		e.since = r.moment
	}
	for i, c := range r.cells {
		if c.adds(b.Keys[i]) && (e.added == moment{} || r.moment.compare(e.added) > 0) {
			e.added = r.moment
		}
	}
	e.entered = e.since != moment{}
	if e.entered {
		e.changed = e.since
		if e.added.compare(e.since) > 0 && (e.added != moment{}) {
			e.changed = e.added
		}
	}
}

// adds reports whether a cell changes what its key shows.
func (c cell) adds(key Key) bool {
	switch key.Fold {
	case FoldCount:
		return c.fed
	case FoldCountback:
		return slices.ContainsFunc(c.places, func(place int) bool { return place <= key.Places })
	}
	return c.value != 0
}

// add takes a fed cell into a key that is no row fold.
func (t *tally) add(key Key, c cell, round int) error {
	ok := true
	switch {
	case key.Fold == FoldCount:
		t.count++
	case key.Fold == FoldCountback:
		t.places = slices.Clone(t.places)
		for _, place := range c.places {
			if place > key.Places {
				continue
			}
			for len(t.places) < place {
				t.places = append(t.places, 0)
			}
			t.places[place-1]++
		}
	case key.Fold == FoldMean:
		t.sum, ok = addChecked(t.sum, c.value)
		t.count++
	case len(key.Best) > 0:
		if s := segment(key.Best, round); s >= 0 {
			t.best = withBest(t.best, len(key.Best), s, key, c.value)
			_, ok = sumBest(t.best)
		}
	default:
		t.sum, ok = addChecked(t.sum, c.value)
	}
	if !ok {
		return refuse(ErrOutcome, "the sum of "+quote(key.Metric)+" overflows")
	}
	return nil
}

// segment is the one that a round belongs to, -1 for a round after the last.
func segment(segments []Segment, round int) int {
	for i, s := range segments {
		if s.ThroughRound == 0 || round >= 0 && round <= s.ThroughRound {
			return i
		}
	}
	return -1
}

// withBest keeps the best values of one segment, best first by the key's order.
func withBest(best [][]int64, segments, s int, key Key, v int64) [][]int64 {
	next := make([][]int64, segments)
	copy(next, best)
	kept := next[s]
	at, _ := slices.BinarySearchFunc(kept, v, func(a, b int64) int { return compareBy(key.Order, a, b) })
	if at >= key.Best[s].Count {
		return next
	}
	kept = slices.Insert(slices.Clone(kept), at, v)
	next[s] = kept[:min(len(kept), key.Best[s].Count)]
	return next
}

func sumBest(best [][]int64) (sum int64, ok bool) {
	for _, kept := range best {
		for _, v := range kept {
			if sum, ok = addChecked(sum, v); !ok {
				return 0, false
			}
		}
	}
	return sum, true
}

// compareBy is negative when a is better than b.
func compareBy(order Order, a, b int64) int {
	if order == Asc {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(b, a)
}

// takesRow reports whether the row of r replaces that of e. A result has a row if it has the metric of the
// board's first row key; of equal rows the earlier stays.
func (b BoardRule) takesRow(e entry, r result) bool {
	first := slices.IndexFunc(b.Keys, func(k Key) bool { return k.Fold.isRow() })
	if first < 0 || !r.cells[first].fed {
		return false
	}
	if !e.hasRow {
		return true
	}
	better := 0
	for i, key := range b.Keys {
		if key.Fold.isRow() && better == 0 {
			better = compareBy(key.Order, r.cells[i].value, e.tallies[i].sum)
		}
	}
	switch b.Keys[first].Fold {
	case FoldBest:
		return better < 0
	case FoldWorst:
		return better > 0
	case FoldFirst:
		return r.moment.compare(e.row) < 0
	}
	return r.moment.compare(e.row) > 0
}

// values are what the entry shows: one number a key in units of its scale, for countback a count a place
// without trailing zeros.
func (e entry) values(b BoardRule) [][]int64 {
	values := make([][]int64, len(b.Keys))
	numbers := make([]int64, len(b.Keys)) // one allocation for all
	for i, key := range b.Keys {
		var t tally
		if i < len(e.tallies) {
			t = e.tallies[i]
		}
		if key.Fold == FoldCountback {
			values[i] = t.places
			continue
		}
		numbers[i] = t.value(key)
		values[i] = numbers[i : i+1 : i+1]
	}
	return values
}

func (t tally) value(key Key) int64 {
	switch {
	case key.Fold == FoldCount:
		return t.count
	case key.Fold == FoldMean:
		if t.count == 0 {
			return 0
		}
		return divHalfEven(t.sum, t.count)
	case key.Fold == FoldSum && len(key.Best) > 0:
		sum, _ := sumBest(t.best) // add refused what overflows
		return sum
	}
	return t.sum
}

func sameValues(a, b [][]int64) bool { return slices.EqualFunc(a, b, slices.Equal) }

// encode writes what a fold needs to go on, beside the values and moments that the record has in the open.
// position takes the place of the commit's own.
func (e entry) encode(b BoardRule, position uint64) []byte {
	state := append(make([]byte, 0, 32), 1) // the version of this encoding
	for i, key := range b.Keys {
		var t tally
		if i < len(e.tallies) { // none if every result was taken back
			t = e.tallies[i]
		}
		switch {
		case key.Fold == FoldMean:
			state = binary.AppendVarint(binary.AppendVarint(state, t.sum), t.count)
		case key.Fold == FoldSum && len(key.Best) > 0:
			for s := range key.Best {
				var kept []int64
				if s < len(t.best) {
					kept = t.best[s]
				}
				state = binary.AppendUvarint(state, uint64(len(kept)))
				for _, v := range kept {
					state = binary.AppendVarint(state, v)
				}
			}
		}
	}
	if b.additive() {
		return e.added.append(e.since.append(state, position), position)
	}
	if e.hasRow {
		return append(state, 1)
	}
	return append(state, 0)
}

func (a moment) append(state []byte, position uint64) []byte {
	if a.position == unplaced {
		a.position = position
	}
	state = binary.AppendUvarint(binary.AppendVarint(state, a.at), a.position)
	return binary.AppendUvarint(state, uint64(a.place))
}

var errState = errors.New("fold state cannot be read")

// decode takes up a fold again from its state and the values that go with it.
func (e *entry) decode(b BoardRule, state []byte, values [][]int64) error {
	e.folded, e.tallies = true, make([]tally, len(b.Keys))
	if len(state) == 0 || state[0] != 1 || len(values) != len(b.Keys) {
		return errState
	}
	d := stateReader{rest: state[1:]}
	for i, key := range b.Keys {
		t := &e.tallies[i]
		if key.Fold == FoldCountback {
			t.places = values[i]
			continue
		}
		if len(values[i]) != 1 {
			return errState
		}
		switch {
		case key.Fold == FoldCount:
			t.count = values[i][0]
		case key.Fold == FoldMean:
			t.sum, t.count = d.varint(), d.varint()
		case key.Fold == FoldSum && len(key.Best) > 0:
			t.best = make([][]int64, len(key.Best))
			for s := range t.best {
				for n := d.size(key.Best[s].Count); n > 0; n-- {
					t.best[s] = append(t.best[s], d.varint())
				}
			}
		default:
			t.sum = values[i][0]
		}
	}
	if b.additive() {
		e.since, e.added = d.moment(), d.moment()
	} else {
		e.hasRow = d.size(1) == 1
	}
	if d.failed || len(d.rest) > 0 {
		return errState
	}
	return nil
}

// stateReader reads varints until something does not fit.
type stateReader struct {
	rest   []byte
	failed bool
}

func (d *stateReader) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *stateReader) size(most int) int {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 || v > uint64(most) {
		d.failed, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return int(v)
}

func (d *stateReader) moment() moment {
	m := moment{at: d.varint()}
	position, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.failed, d.rest = true, nil
		return moment{}
	}
	m.position, d.rest = position, d.rest[n:]
	m.place = d.size(math.MaxInt32)
	return m
}
