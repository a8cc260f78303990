package finalbell

import (
	"cmp"
	"slices"
)

// PrizeExplanation is how much of a prize comes to a player.
type PrizeExplanation struct {
	Rule           Prize
	Bots           Policy // "pass_down": they take no place, and those behind them close up
	Unfinished     Policy // "exclude": those who did not finish take none
	PassedOver     int    // how many players take no place
	Rank, Position int    // of the player, in the match or the window
	Place          int    // of the player's side, which in a team match is the team, among those who take places
	PrizeRank      int    // of the side among them
	First, Last    int    // the places of all who share that rank
	From, To       int    // the places that the prize is for; To 0: to the last
	Size           int    // of how many sides a percentage is taken
	// Places are those of which the player gets a part, and what they are worth.
	Places []PlaceExplanation
	Pool   *PoolExplanation // of shares
	// Total is what the places are worth together. Each of so many players gets the whole part of it, and one odd unit goes
	// to each of them from index Odd on, counted from 0 in the order of the listing, as far as they go.
	Total, Amount int64
	Among         int
	Index         int // of the player
	Odd           int
}

// PlaceExplanation is what one place is worth by a prize.
type PlaceExplanation struct {
	Place        int
	Player, Team string // whose it is
	Prize        string
	Worth        int    // the place of which it has the prize: its own, or one of a rank that is shared
	Percent      Number // of a share of the pool
	Amount       int64  // for all players of a team together
}

// PoolExplanation is what was paid, and what became of it. The pool is divided in proportion to the percentages of the
// shares that are taken: each part rounded down, and what is left over one by one to the first of them.
type PoolExplanation struct {
	Fee      Fee
	Payers   int
	Fees     int64
	HouseFee int64 // flat for each payer, and the percentage of the fees rounded down
	Pool     int64
	Shares   []PlaceExplanation // all that are taken: the first thousand
	Omitted  int
	Unpaid   int64 // of the pool: shares of bots that get none, which stay with the house
}

// explain tells how a prize comes to a player; false if it does not. The field and its size are as for payout.
func (p prizing) explain(field []contender, size int, player string, prize int) (PrizeExplanation, bool) {
	field = slices.Clone(field)
	slices.SortFunc(field, func(a, b contender) int { return cmp.Compare(a.position, b.position) })
	sides, counted := p.sides(field)
	size = cmp.Or(size, counted)
	stake, err := p.stake(field)
	if err != nil {
		return PrizeExplanation{}, false
	}
	sums, _, err := p.sums(sides, size, stake.pool())
	at, member := seatOf(sides, player)
	if err != nil || at < 0 {
		return PrizeExplanation{}, false
	}
	own := sides[at]
	group := slices.DeleteFunc(slices.Clone(sums), func(s prizeSum) bool { return s.side+1 < own.first || s.side+1 > own.last })
	shared, apart, from, err := p.splits(sides[own.first-1:own.last], own.first-1, group)
	if err != nil {
		return PrizeExplanation{}, false
	}
	n := at - (own.first - 1)
	parts := slices.Concat(shared, apart[n])
	i := slices.IndexFunc(parts, func(s split) bool { return s.prize == prize })
	if i < 0 {
		return PrizeExplanation{}, false
	}
	part, rule := parts[i], p.prizes[prize]
	c := own.members[member]
	x := PrizeExplanation{Rule: rule, Bots: p.bots, Unfinished: p.unfinished, Rank: c.rank, Position: c.position,
		Place: at + 1, PrizeRank: own.rank, First: own.first, Last: own.last, Size: size,
		Total: part.total, Among: part.among, Index: from[n] + member - part.from, Odd: int(part.odd % int64(part.among)), Amount: part.part(from[n] + member)}
	span := p.spans(size)[prize]
	if x.From, x.To = span.from, span.to; rule.To == 0 && !rule.byPercent() {
		x.To = 0
	}
	x.PassedOver = len(field)
	for _, s := range sides {
		x.PassedOver -= len(s.members)
	}
	for _, s := range group {
		if s.prize == prize && (!rule.apart() || s.side == at) {
			x.Places = append(x.Places, p.placed(sides, s))
		}
	}
	if rule.pooled() {
		x.Pool = p.explainPool(field, size, sides, sums, stake)
	}
	return x, true
}

// explainPool tells what became of the fees.
func (p prizing) explainPool(field []contender, size int, sides []prizeSide, sums []prizeSum, s stake) *PoolExplanation {
	x := &PoolExplanation{Fee: *p.fee, Payers: s.payers, Fees: s.fees, HouseFee: s.houseFee, Pool: s.pool()}
	if paid, err := p.payout(field, size); err == nil {
		x.Unpaid = paid.unpaid
	}
	for _, sum := range sums {
		switch {
		case !p.prizes[sum.prize].pooled():
		case len(x.Shares) == maxInputs:
			x.Omitted++
		default:
			x.Shares = append(x.Shares, p.placed(sides, sum))
		}
	}
	return x
}

func (p prizing) placed(sides []prizeSide, s prizeSum) PlaceExplanation {
	side := sides[s.side]
	x := PlaceExplanation{Place: s.side + 1, Team: side.members[0].team, Prize: p.prizes[s.prize].ID, Worth: s.place, Percent: s.share, Amount: s.amount}
	if x.Team == "" {
		x.Player = side.members[0].player
	}
	return x
}

// seatOf is the side of a player, and the player's index in it; -1 if none has a place for them.
func seatOf(sides []prizeSide, player string) (side, member int) {
	for i, s := range sides {
		if m := slices.IndexFunc(s.members, func(c contender) bool { return c.player == player }); m >= 0 {
			return i, m
		}
	}
	return -1, -1
}
