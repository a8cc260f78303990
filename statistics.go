package finalbell

import (
	"maps"
	"math/big"
	"slices"
	"time"
)

// What a player's matches come to. Statistics are folded over results in the order of their moments, as goals are:
// adding is folding, and what comes late is folded in its place.

// Tally is what a player's matches come to: Played is the sum of the next four, and counts every contested match whose
// mode lets it.
type Tally struct {
	Played, Won, Drawn, Lost int
	None                     int           // matches with nobody to win against, or that nobody finished
	Streak                   int           // matches won in a row by now; below 0: lost in a row
	LongestStreak            int           // the most that were ever won in a row
	Total                    time.Duration // from start to end
	// Of one mode: the best outcome by the mode's order, and the mean of all, rounded half to even to as many decimals as
	// the outcomes have, at least 2. Only who finished has one; unknown: there is none.
	Best, Mean Number

	sum      *big.Int // of the outcomes, at maxScale
	scored   int      // of how many
	decimals int      // the most that one of them has
}

// Summary is what a match meant for one of its players just after it, for a summary screen.
type Summary struct {
	Played       int    // of the mode, this match included; 0: it does not count in the player's statistics
	Streak       int    // matches of the mode won in a row by then; below 0: lost in a row
	Best         Number // the best outcome in the mode before it; unknown: there was none
	PersonalBest bool   // the outcome is better than that, or the first
}

// statistics are what is kept of a player's matches. The zero ones are those of somebody who has played none.
type statistics struct {
	overall Tally
	modes   map[string]Tally
	last    moment // of the last result that went in; zero: none
}

// playerResult is one match as far as it concerns one player.
type playerResult struct {
	moment      moment
	mode, match string
	rules       Mode // of its time
	took        time.Duration
	standing    Standing
	by          progression // of its time
}

// counts reports whether a result goes into its player's statistics.
func (r playerResult) counts() bool { return r.rules.tallies(r.standing) }

// tallies is counts for a standing in a match of the mode.
func (m Mode) tallies(s Standing) bool {
	return (!s.Bot || m.Bots.Stats == Include) && (s.Status == Finished || m.Unfinished.Stats != Exclude)
}

// canAdd reports whether a result may go on top.
func (s statistics) canAdd(r playerResult) bool {
	return s.last == moment{} || r.moment.compare(s.last) > 0
}

// add puts one result on top of statistics, which stay as they are, and says what it meant.
func (s statistics) add(r playerResult) (statistics, Summary) {
	if !r.counts() {
		return s, Summary{}
	}
	before := s.modes[r.mode]
	next := statistics{overall: s.overall.add(r), modes: maps.Clone(s.modes), last: r.moment}
	if next.modes == nil {
		next.modes = make(map[string]Tally)
	}
	after := before.add(r).score(r)
	next.modes[r.mode] = after
	return next, Summary{Played: after.Played, Streak: after.Streak, Best: before.Best, PersonalBest: r.rules.betters(r.standing, before.Best)}
}

// foldStatistics makes statistics of all results of a player, in whatever order they come, and says what the one of a
// moment meant.
func foldStatistics(results []playerResult, of moment) (statistics, Summary) {
	results = slices.Clone(results)
	slices.SortFunc(results, func(x, y playerResult) int { return x.moment.compare(y.moment) })
	var s statistics
	var meant Summary
	for _, r := range results {
		var one Summary
		if s, one = s.add(r); r.moment == of {
			meant = one
		}
	}
	return s, meant
}

// betters reports whether a standing's outcome is better than the best so far.
func (m Mode) betters(s Standing, best Number) bool {
	switch {
	case s.Status != Finished || !s.Outcome.Known():
		return false
	case !best.Known():
		return true
	case m.Order == Asc:
		return s.Outcome.Cmp(best) < 0
	}
	return s.Outcome.Cmp(best) > 0
}

// add counts a match.
func (t Tally) add(r playerResult) Tally {
	t.Played++
	t.Total += r.took
	switch r.standing.Result {
	case Win:
		t.Won++
		t.Streak = max(t.Streak, 0) + 1
		t.LongestStreak = max(t.LongestStreak, t.Streak)
	case Loss:
		t.Lost++
		t.Streak = min(t.Streak, 0) - 1
	case Draw:
		t.Drawn++
		t.Streak = 0
	default:
		t.None++
		t.Streak = 0
	}
	return t
}

// score takes in the outcome.
func (t Tally) score(r playerResult) Tally {
	n := r.standing.Outcome
	if r.standing.Status != Finished || !n.Known() {
		return t
	}
	if r.rules.betters(r.standing, t.Best) {
		t.Best = n
	}
	units := new(big.Int).Mul(big.NewInt(n.units), big.NewInt(pow10(maxScale-int(n.scale))))
	if t.sum != nil {
		units.Add(units, t.sum)
	}
	t.sum, t.scored, t.decimals = units, t.scored+1, max(t.decimals, int(n.scale))
	return t.withMean()
}

// withMean works the mean out of the sum. Where it has more digits than a number holds, it has fewer decimals.
func (t Tally) withMean() Tally {
	if t.scored == 0 {
		return t
	}
	for decimals := max(t.decimals, 2); decimals >= 0; decimals-- {
		divisor := new(big.Int).Mul(big.NewInt(int64(t.scored)), big.NewInt(pow10(maxScale-decimals)))
		if units := quotient(t.sum, divisor); units.IsInt64() {
			t.Mean = fromUnits(units.Int64(), decimals)
			return t
		}
	}
	return t // unreachable: it is no more than the largest outcome
}

// quotient is rounded half to even; the divisor is above 0.
func quotient(n, divisor *big.Int) *big.Int {
	q, rest := new(big.Int).DivMod(n, divisor, new(big.Int)) // the rest is never below 0
	switch rest.Lsh(rest, 1).Cmp(divisor) {
	case 1:
		return q.Add(q, big.NewInt(1))
	case 0:
		return q.Add(q, big.NewInt(int64(q.Bit(0))))
	}
	return q
}
