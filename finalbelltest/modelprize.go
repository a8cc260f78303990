package finalbelltest

import (
	"math/big"
	"slices"

	"github.com/finalbell/finalbell"
)

// The model's prize tables: one unit after another is handed out.

// prizeField is whom prizes are given to, and by what.
type prizeField struct {
	prizes   []finalbell.Prize
	places   []prizePlace // in listing order
	sides    int          // of which a percentage is taken
	pool     int64
	currency string // of the pool
}

// prizePlace is a side that takes a place.
type prizePlace struct {
	rank     int
	finished bool
	members  []finalbell.Standing // in listing order
}

// won is what one player gets by one prize.
type won struct {
	player string
	bot    bool
	prize  int
	amount int64
}

// placesOf are the sides of a match that take places, with the ranks that they have then, and the number of sides of which
// a percentage is taken.
func placesOf(mode finalbell.Mode, standings []finalbell.Standing) (places []prizePlace, sides int) {
	var all [][]finalbell.Standing
	for _, s := range standings {
		at := slices.IndexFunc(all, func(side []finalbell.Standing) bool { return mode.Teams != nil && side[0].Team == s.Team })
		if at < 0 {
			at = len(all)
			all = append(all, nil)
		}
		all[at] = append(all[at], s)
	}
	var without []int // ranks of those who take no place
	for _, side := range all {
		place := prizePlace{rank: side[0].Rank}
		counts := false
		for _, s := range side {
			if s.Bot && mode.Bots.Prizes == finalbell.PassDown {
				continue
			}
			counts = true
			place.finished = place.finished || s.Status == finalbell.Finished
			if s.Status == finalbell.Finished || mode.Unfinished.Prizes == finalbell.Include {
				place.members = append(place.members, s)
			}
		}
		if counts {
			sides++
		}
		if place.members == nil {
			without = append(without, side[0].Rank)
		} else {
			places = append(places, place)
		}
	}
	before := func(p prizePlace) bool {
		return slices.ContainsFunc(without, func(rank int) bool { return rank <= p.rank })
	}
	if slices.ContainsFunc(places, before) {
		closeUp(mode.Ties, places)
	}
	return places, sides
}

// closeUp gives those behind who takes no place their ranks anew.
func closeUp(ties finalbell.TieStyle, places []prizePlace) {
	ranks := make([]int, len(places))
	for i, p := range places {
		above, equal, finished := 0, 0, false
		groups := make(map[int]bool)
		for _, other := range places {
			if other.rank < p.rank {
				above++
				groups[other.rank] = true
			} else if other.rank == p.rank {
				equal++
				finished = finished || other.finished
			}
		}
		ranks[i] = above + 1
		switch {
		case !finished: // so it is in every style
		case ties == finalbell.Modified:
			ranks[i] = above + equal
		case ties == finalbell.Dense:
			ranks[i] = len(groups) + 1
		}
	}
	for i := range places {
		places[i].rank = ranks[i]
	}
}

// worth is the percentage of the pool that a place has by a prize, or its amount for each player; nil for none.
func (f prizeField) worth(prize, place int) *big.Rat {
	p := f.prizes[prize]
	at := place + 1
	first, last := f.tied(place)
	switch {
	case p.Ties == finalbell.DownOnlyPrize:
		at = last
	case (p.Ties == "" || p.Ties == finalbell.FullPrize) && len(p.Shares) == 0:
		at = f.places[first-1].rank
	}
	from, to := f.span(prize)
	switch {
	case at < from || to > 0 && at > to:
		return nil
	case len(p.Shares) == 0:
		return big.NewRat(amountOf(p), 1)
	case at-from >= len(p.Shares):
		return nil
	}
	return rat(p.Shares[at-from])
}

// amountOf is a fixed prize; one of an item or of something custom is one if nothing is said.
func amountOf(p finalbell.Prize) int64 {
	if p.Amount == 0 {
		return 1
	}
	return p.Amount
}

// tied are the first and the last place of those who share the rank of one.
func (f prizeField) tied(place int) (first, last int) {
	first, last = place+1, place+1
	for i, p := range f.places {
		if p.rank == f.places[place].rank {
			first, last = min(first, i+1), max(last, i+1)
		}
	}
	return first, last
}

// span is from where to where a prize goes; 0: to the last.
func (f prizeField) span(prize int) (from, to int) {
	p := f.prizes[prize]
	if !byPercent(p) {
		return p.From, p.To
	}
	top := func(p finalbell.Prize) int {
		n := new(big.Rat).Mul(rat(p.Percent), big.NewRat(int64(f.sides), 100))
		rank := int(new(big.Int).Quo(n.Num(), n.Denom()).Int64())
		if !n.IsInt() {
			rank++
		}
		return rank
	}
	from, to = 1, max(top(p), 0)
	for _, other := range f.prizes {
		if byPercent(other) && other.Percent.Cmp(p.Percent) < 0 && f.unit(other) == f.unit(p) && (len(other.Shares) == 0) == (len(p.Shares) == 0) {
			from = max(from, top(other)+1)
		}
	}
	if to == 0 {
		return 1, -1 // nobody's; 0 would be to the last
	}
	return from, to
}

func byPercent(p finalbell.Prize) bool {
	return p.Percent.Known() && p.Percent.Cmp(finalbell.Int(0)) > 0
}

// unit is what a prize is given in.
func (f prizeField) unit(p finalbell.Prize) finalbell.Reward {
	if len(p.Shares) > 0 {
		return finalbell.Reward{Currency: f.currency}
	}
	return finalbell.Reward{Currency: p.Currency, Item: p.Item, Marker: p.Marker, Custom: p.Custom}
}

// handOut gives the prizes. taken reports whether anybody takes a share of the pool.
func (f prizeField) handOut() (all []won, taken bool) {
	sums := make([][]int64, len(f.places)) // by place and prize
	shares := new(big.Rat)
	for place := range f.places {
		sums[place] = make([]int64, len(f.prizes))
		for prize := range f.prizes {
			worth := f.worth(prize, place)
			switch {
			case worth == nil:
			case len(f.prizes[prize].Shares) > 0:
				shares.Add(shares, worth)
				taken = true
			default:
				sums[place][prize] = worth.Num().Int64() * int64(len(f.places[place].members))
			}
		}
	}
	left := f.pool
	for round := range 2 { // whole parts first, then what is left, one by one
		for place := range f.places {
			for prize := range f.prizes {
				worth := f.worth(prize, place)
				if worth == nil || len(f.prizes[prize].Shares) == 0 || left == 0 {
					continue
				}
				part := int64(1)
				if round == 0 {
					whole := new(big.Rat).Mul(big.NewRat(f.pool, 1), worth)
					whole.Quo(whole, shares)
					part = new(big.Int).Quo(whole.Num(), whole.Denom()).Int64()
				}
				sums[place][prize] += part
				left -= part
			}
		}
	}
	for first := 0; first < len(f.places); {
		_, last := f.tied(first)
		all = append(all, f.divide(first, last, sums)...)
		first = last
	}
	return all, taken
}

// divide gives what tied places are worth to their players: evenly, by prizes that are pooled and by those that everybody
// has in full, and else each place its own.
func (f prizeField) divide(first, last int, sums [][]int64) []won {
	gets := make(map[won]int64) // without the amount
	odd := make(map[finalbell.Reward]int)
	var order []won
	for prize, p := range f.prizes {
		if p.Ties == finalbell.DownOnlyPrize || p.Ties == finalbell.TieBreakPrize {
			for place := first; place < last; place++ {
				order = append(order, evenly(gets, prize, sums[place][prize], 0, f.places[place].members)...)
			}
			continue
		}
		var total int64
		var members []finalbell.Standing
		for place := first; place < last; place++ {
			total += sums[place][prize]
			members = append(members, f.places[place].members...)
		}
		order = append(order, evenly(gets, prize, total, odd[f.unit(p)], members)...)
		odd[f.unit(p)] += int(total % int64(len(members)))
	}
	var all []won
	for _, g := range order {
		if g.amount = gets[g]; g.amount > 0 {
			all = append(all, g)
		}
	}
	return all
}

// evenly gives an amount to players, the odd units one by one from the one on whose turn it is.
func evenly(gets map[won]int64, prize int, amount int64, turn int, members []finalbell.Standing) []won {
	var order []won
	n := int64(len(members))
	for _, s := range members {
		g := won{player: s.Player, bot: s.Bot, prize: prize}
		order = append(order, g)
		gets[g] += amount / n
	}
	for i := range int(amount % n) {
		gets[order[(turn+i)%len(order)]]++
	}
	return order
}
