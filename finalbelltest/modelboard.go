package finalbelltest

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell"
)

// cell is what one result brings to one key: nothing unless fed.
type cell struct {
	fed    bool
	units  *big.Int // of the key's scale
	places []int    // countback: the ranks finished in
}

// brought is what a match brings to one entry.
type brought struct {
	id        string
	partition string
	at        time.Time
	order     int // of the match among those that ended
	place     int // position in that match
	round     int
	cells     []cell
}

// row is an entry with its values.
type row struct {
	id      string
	entered bool
	hidden  bool
	values  []value
	changed brought // the last result that changed the values
}

// value is what an entry has under one key.
type value struct {
	units  *big.Int
	places []int64 // countback
}

// listed reports whether a board shows the entry.
func (r row) listed() bool { return r.entered && !r.hidden }

// entries are those of one part of a window, by position.
func (m *Model) entries(board finalbell.BoardRule, window, partition string) []finalbell.Entry {
	rows, _ := m.table(board, window, partition, nil)
	entries := make([]finalbell.Entry, 0, len(rows))
	for i, r := range rows {
		if r.listed() {
			entries = append(entries, finalbell.Entry{Rank: rankOnBoard(board, rows, r.id), Position: i + 1, Player: r.id, Values: shown(board, r.values)})
		}
	}
	return entries
}

// size is the number of entries that are shown.
func (m *Model) size(board finalbell.BoardRule, window, partition string) int {
	rows, _ := m.table(board, window, partition, nil)
	return len(slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !r.listed() }))
}

func (m *Model) board(id string) finalbell.BoardRule {
	i := slices.IndexFunc(m.rules.Boards, func(b finalbell.BoardRule) bool { return b.ID == id })
	return m.rules.Boards[i]
}

// table folds every entry of one part of a window from all its results and some more, and lists the entries by
// position, those that are not shown last. It returns false if a number cannot be kept.
func (m *Model) table(board finalbell.BoardRule, window, partition string, more []brought) ([]row, bool) {
	counted := m.results[board.ID][window]
	at := place{windowName{board.ID, window}, partition, ""}
	if rows, known := m.recall(at, len(counted), m.shows); known && more == nil {
		return rows, true
	}
	var all []brought
	for _, b := range append(slices.Clip(counted), more...) {
		if b.partition == partition {
			all = append(all, b)
		}
	}
	slices.SortStableFunc(all, func(a, b brought) int { return compareMoments(a, b) })
	byID := make(map[string][]brought)
	var ids []string
	for _, b := range all {
		if byID[b.id] == nil {
			ids = append(ids, b.id)
		}
		byID[b.id] = append(byID[b.id], b)
	}
	var rows []row
	for _, id := range ids {
		at.id = id
		r, ok := m.folded(at, byID[id], func() (row, bool) { return foldEntry(board, byID[id]) })
		if !ok {
			return nil, false
		}
		_, r.hidden = m.hidden[at]
		rows = append(rows, r)
	}
	at.id = ""
	for _, id := range m.emptied(at, ids) {
		rows = append(rows, row{id: id})
	}
	slices.SortFunc(rows, func(a, b row) int {
		switch {
		case a.listed() != b.listed() && a.listed():
			return -1
		case a.listed() != b.listed():
			return 1
		case !a.listed():
			return strings.Compare(a.id, b.id)
		}
		if c := compareRows(board, a.values, b.values); c != 0 {
			return c
		}
		return compareMoments(a.changed, b.changed)
	})
	if at.id = ""; more == nil {
		m.remember(at, len(counted), m.shows, rows)
	}
	return rows, true
}

func compareMoments(a, b brought) int {
	if c := a.at.Compare(b.at); c != 0 {
		return c
	}
	if a.order != b.order {
		return a.order - b.order
	}
	return a.place - b.place
}

// rankOnBoard is 1 + the number of entries strictly above, 0 without an entry that is shown.
func rankOnBoard(board finalbell.BoardRule, rows []row, id string) int {
	at := slices.IndexFunc(rows, func(r row) bool { return r.id == id })
	if at < 0 || !rows[at].listed() {
		return 0
	}
	if board.Ties == finalbell.FirstRank {
		return at + 1
	}
	rank := 1
	for _, other := range rows {
		if other.listed() && compareRows(board, other.values, rows[at].values) < 0 {
			rank++
		}
	}
	return rank
}

// compareRows is negative when a is better than b by the keys in their order.
func compareRows(board finalbell.BoardRule, a, b []value) int {
	for i := range min(len(a), len(b)) {
		if c := compareValues(board.Keys[i], a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

func compareValues(key finalbell.Key, a, b value) int {
	if key.Fold == finalbell.FoldCountback {
		for place := range max(len(a.places), len(b.places)) {
			if x, y := countAt(a.places, place), countAt(b.places, place); x != y {
				return int(y - x)
			}
		}
		return 0
	}
	if key.Order == finalbell.Asc {
		return a.units.Cmp(b.units)
	}
	return b.units.Cmp(a.units)
}

func countAt(places []int64, i int) int64 {
	if i < len(places) {
		return places[i]
	}
	return 0
}

// foldEntry folds an entry's results, earliest first. When it entered and what changed it last is found by
// folding every beginning of them.
func foldEntry(board finalbell.BoardRule, results []brought) (row, bool) {
	r := row{id: results[0].id}
	for n := range results {
		values, ok := foldValues(board, results[:n+1])
		if !ok {
			return r, false
		}
		enters := !r.entered && results[n].cells[0].fed
		if enters || r.entered && differ(r.values, values) {
			r.changed = results[n]
		}
		r.entered, r.values = r.entered || enters, values
	}
	return r, true
}

// differ reports whether an entry changed at all.
func differ(a, b []value) bool {
	return !slices.EqualFunc(a, b, func(x, y value) bool {
		return slices.Equal(x.places, y.places) && (x.units == nil || x.units.Cmp(y.units) == 0)
	})
}

func foldValues(board finalbell.BoardRule, results []brought) ([]value, bool) {
	whole := wholeRow(board, results)
	values := make([]value, len(board.Keys))
	for i, key := range board.Keys {
		var fed []brought
		for _, r := range results {
			if r.cells[i].fed {
				fed = append(fed, r)
			}
		}
		v := value{units: new(big.Int)}
		switch {
		case isRow(key):
			if whole != nil && whole.cells[i].units != nil {
				v.units = whole.cells[i].units
			}
		case key.Fold == finalbell.FoldCount:
			v.units.SetInt64(int64(len(fed)))
		case key.Fold == finalbell.FoldCountback:
			v = value{places: countPlaces(key, fed, i)}
		case key.Fold == finalbell.FoldMean:
			v.units = sum(fed, i)
			if !v.units.IsInt64() {
				return nil, false
			}
			if len(fed) > 0 {
				v.units = halfEven(new(big.Rat).SetFrac(v.units, big.NewInt(int64(len(fed)))))
			}
		case len(key.Best) > 0:
			v.units = sum(bestOf(key, fed, i), i)
		default:
			v.units = sum(fed, i)
		}
		if v.units != nil && !v.units.IsInt64() {
			return nil, false
		}
		values[i] = v
	}
	return values, true
}

func isRow(key finalbell.Key) bool {
	return slices.Contains([]finalbell.Fold{finalbell.FoldBest, finalbell.FoldWorst, finalbell.FoldFirst, finalbell.FoldLatest}, key.Fold)
}

// wholeRow is the one result that best, worst, first or latest takes: of those that have the metric of the
// first such key. Of equal ones the earliest.
func wholeRow(board finalbell.BoardRule, results []brought) *brought {
	first := slices.IndexFunc(board.Keys, isRow)
	var taken *brought
	for i := range results {
		r := &results[i]
		if first < 0 || !r.cells[first].fed {
			continue
		}
		c := 0 // negative when r is better than what was taken
		for k, key := range board.Keys {
			if isRow(key) && c == 0 && taken != nil {
				c = compareValues(key, value{units: orZero(r.cells[k].units)}, value{units: orZero(taken.cells[k].units)})
			}
		}
		fold := board.Keys[first].Fold
		if taken == nil || fold == finalbell.FoldBest && c < 0 || fold == finalbell.FoldWorst && c > 0 || fold == finalbell.FoldLatest {
			taken = r
		}
	}
	return taken
}

func orZero(n *big.Int) *big.Int {
	if n == nil {
		return new(big.Int)
	}
	return n
}

func countPlaces(key finalbell.Key, results []brought, i int) []int64 {
	most := key.Places
	if most == 0 {
		most = 64
	}
	places := []int64{}
	for _, r := range results {
		for _, place := range r.cells[i].places {
			if place > most {
				continue
			}
			for len(places) < place {
				places = append(places, 0)
			}
			places[place-1]++
		}
	}
	return places
}

func sum(results []brought, i int) *big.Int {
	total := new(big.Int)
	for _, r := range results {
		total.Add(total, r.cells[i].units)
	}
	return total
}

// bestOf are the results that a key with segments counts.
func bestOf(key finalbell.Key, results []brought, i int) []brought {
	var counted []brought
	after := -1
	for _, segment := range key.Best {
		within := slices.DeleteFunc(slices.Clone(results), func(r brought) bool {
			return len(key.Best) > 1 && r.round <= after || segment.ThroughRound > 0 && r.round > segment.ThroughRound
		})
		slices.SortStableFunc(within, func(a, b brought) int {
			return compareValues(key, value{units: a.cells[i].units}, value{units: b.cells[i].units})
		})
		counted = append(counted, within[:min(segment.Count, len(within))]...)
		after = segment.ThroughRound
	}
	return counted
}

// halfEven rounds to a whole number, halves to the even one.
func halfEven(r *big.Rat) *big.Int {
	doubled := new(big.Int).Mul(r.Num(), big.NewInt(2))
	floor := new(big.Int)
	rest := new(big.Int)
	floor.DivMod(doubled.Add(doubled, r.Denom()), new(big.Int).Mul(r.Denom(), big.NewInt(2)), rest) // ⌊r + ½⌋
	if rest.Sign() == 0 && floor.Bit(0) == 1 {
		floor.Sub(floor, big.NewInt(1)) // it was a half
	}
	return floor
}

// shown turns values into those of an entry.
func shown(board finalbell.BoardRule, values []value) []finalbell.Value {
	out := make([]finalbell.Value, len(values))
	for i, v := range values {
		if board.Keys[i].Fold == finalbell.FoldCountback {
			out[i].Places = v.places
			continue
		}
		scale := board.Keys[i].Scale
		text := new(big.Rat).SetFrac(v.units, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)).FloatString(scale)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		// A sum may have more digits than a Number that is reported; its text is the same all the same.
		out[i].Number = finalbell.Decimal(text)
	}
	return out
}
