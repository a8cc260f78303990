package finalbell

import "math/bits"

// Exact percentages and divisions of money: every rounding is here, and none uses a float.

// hundred is 100 percent in units of percentUnits.
const hundred = 100 * 1e9

// percentUnits is a percentage from 0 to 100 in units of 10^-9; unknown is 0.
func percentUnits(p Number) uint64 {
	units, _, _ := p.unitsAt(maxScale)
	return uint64(units)
}

// percentOf is p percent of n ≥ 0, rounded down.
func percentOf(n int64, p Number) int64 {
	q, _ := mulDiv(uint64(n), percentUnits(p), hundred)
	return int64(q)
}

// mulDiv is a·b/c rounded down and whether something is left over, for b ≤ c.
func mulDiv(a, b, c uint64) (q uint64, rest bool) {
	hi, lo := bits.Mul64(a, b)
	q, r := bits.Div64(hi, lo, c)
	return q, r > 0
}

// topPercent is the last rank of the top p percent of so many: ceil(size·p/100).
func topPercent(size int, p Number) int {
	q, rest := mulDiv(uint64(size), percentUnits(p), hundred)
	if rest {
		q++
	}
	return int(q)
}

// takes is what the house takes of the fees of so many players: the flat part of each fee, and the percentage of
// their sum, never more than all. The percentage is rounded once and down: the odd unit is the players', so that the
// house gets no more than it announced, and less than one unit too little.
func (f Fee) takes(fees int64, players int) int64 {
	flat, ok := mulChecked(f.HouseFlat, int64(players))
	if !ok {
		return fees
	}
	if flat, ok = addChecked(flat, percentOf(fees, f.HousePercent)); !ok {
		return fees
	}
	return min(flat, fees)
}

// divide splits total ≥ 0 in proportion to weights, of which sum > 0 is the sum: each part rounded down, and what
// is left over one by one to the first that have a weight. There are never more left over than have one.
func divide(total int64, weights []uint64, sum uint64) []int64 {
	parts, left := make([]int64, len(weights)), total
	for i, w := range weights {
		q, _ := mulDiv(uint64(total), w, sum)
		parts[i] = int64(q)
		left -= parts[i]
	}
	for i := 0; left > 0; i++ {
		if weights[i] > 0 {
			parts[i]++
			left--
		}
	}
	return parts
}

// split is a sum that goes evenly to several players, who are counted from some index of a group's players.
type split struct {
	prize int
	total int64
	from  int   // the index of the first player
	among int   // how many players
	odd   int64 // the number of those who get the odd units before these
}

// part is what the player of an index gets.
func (s split) part(index int) int64 {
	n := int64(s.among)
	part, rest := s.total/n, s.total%n
	if (int64(index-s.from)-s.odd%n+n)%n < rest {
		part++
	}
	return part
}
