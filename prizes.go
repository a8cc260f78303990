package finalbell

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Who gets what by a prize table.
//
// A place is a side's place in the listing: a player's, or in a team match a team's; two who share a rank have two
// places. A fixed prize is an amount for each player of the sides in its places, and the house pays it. A share is
// a percentage of the pool, and the pool pays it: the fees, less what the house takes of them. The members of a
// team split its share.
//
// What happens to a tie is each prize's own, and is shown here for the prizes 50, 30 and 20 and the ranks 1-2-2-4:
//
//	full       50 30 30 0   each gets the prize of the rank they share. More is paid than the table lists, so it
//	                        is for fixed prizes; shares take it as pool: a pool has no more to give than itself.
//	pool       50 25 25 0   the prizes of the places they take, added and split evenly; odd units go one by one in
//	                        listing order.
//	down_only  50 20 20 0   each gets the prize of the last place they take, as if the ranks were 1-3-3-4: a tie
//	                        moves prizes down only. What is not paid stays where it was, but for a pool (below).
//	tie_break  50 30 20 0   the listing breaks the tie: each gets the prize of the place they have.
//
// A pool pays exactly the pool. Its shares are a percentage each if all are taken; what nobody takes (the
// places beyond a small field, what the shares lack of 100 percent, what down_only leaves) goes to those who take a
// share, in proportion. The players were told what the house takes; it gets no more by way of a small field. If nobody
// takes a share, the pool goes back to those who paid, in proportion to what they paid. Odd units go
// one by one in listing order.
//
// Who did not finish takes no place, unless the policy includes them, and those behind close up. An excluded bot does take
// its place, and what it would get stays with the house; with PassDown it takes none.

// contender is somebody who stands for prizes.
type contender struct {
	player   string
	team     string // of a team match; empty: a side alone
	rank     int    // of the side; equal: tied
	position int    // in the listing, unique
	bot      bool
	finished bool
	paid     int64 // the entry fee
}

// prizing is what prizes are given by.
type prizing struct {
	prizes     []Prize // that checker.prizes lets pass, with defaults
	fee        *Fee    // nil: nobody paid, and there are no shares
	ties       TieStyle
	bots       Policy // Include, Exclude or PassDown
	unfinished Policy
}

// prizing is what prizes are given by at the end of a mode's match. Bots pay and earn if it includes them.
func (m Mode) prizing() prizing {
	return prizing{prizes: m.Prizes, fee: m.Fee, ties: m.Ties, bots: m.Bots.Prizes, unfinished: m.Unfinished.Prizes}
}

// prizing is what prizes are given by when a window of the board is final: to all who have an entry.
func (b BoardRule) prizing() prizing {
	ties := Standard
	if b.Ties == FirstRank {
		ties = Ordinal
	}
	return prizing{prizes: b.Prizes, ties: ties, bots: Include, unfinished: Include}
}

// lastPlace is how far down a field of so many sides has to be looked at: prizes go to nobody else than to those with a
// place or a rank of at most that, and to those who share a rank with one of them.
func (p prizing) lastPlace(size int) int {
	if p.fee != nil || p.bots != Include || p.unfinished != Include {
		return math.MaxInt // those who pay, or count, or close up, are all over the field
	}
	last := 0
	for _, s := range p.spans(size) {
		last = max(last, min(s.to, size))
	}
	return last
}

// grant is what one player gets by one prize.
type grant struct {
	player string
	prize  int // its index in the table; -1: a refund
	Reward
	pooled  bool          // paid by the pool, else by the house
	claim   bool          // pending until the player claims it
	expires time.Duration // for so long; 0: for ever
}

// payout is what becomes of the fees of a match, and which prizes are given: fees = the pooled grants + refunds +
// houseFee + unpaid.
type payout struct {
	grants   []grant // in listing order, those of one player in the order of the table
	refunds  []grant // of a pool that nobody won; without a prize
	currency string  // of the fees
	fees     int64
	houseFee int64 // what the house takes first; without shares in the table all of the fees
	unpaid   int64 // excluded bots' shares of the pool, which stay with the house
}

// rest are the lines of what becomes of the pot beside the grants: it is empty afterwards.
func (p payout) rest(match string) []ledgerLine {
	var lines []ledgerLine
	pot := account{potAccount, match}
	move := func(to account, currency string, amount int64, kind lineKind) {
		if amount > 0 {
			lines = append(lines, feeMove(match, currency, pot, to, kind, amount)...)
		}
	}
	for _, g := range p.refunds {
		move(account{playerAccount, g.player}, g.Currency, g.Amount, refundLine)
	}
	move(account{kind: houseAccount}, p.currency, p.houseFee, houseLine)
	move(account{kind: houseAccount}, p.currency, p.unpaid, houseLine)
	return lines
}

// payout gives the prizes to a field in any order. It refuses what overflows. Percentages are of so many sides; with
// size 0 of those of the field, which must be the whole then, and may else end where lastPlace says.
func (p prizing) payout(field []contender, size int) (payout, error) {
	field = slices.Clone(field)
	slices.SortFunc(field, func(a, b contender) int { return cmp.Compare(a.position, b.position) })
	stake, err := p.stake(field)
	if err != nil {
		return payout{}, err
	}
	out := payout{fees: stake.fees, houseFee: stake.houseFee}
	if p.fee != nil {
		out.currency = p.fee.Currency
	}
	pool := stake.pool()
	sides, counted := p.sides(field)
	sums, taken, err := p.sums(sides, cmp.Or(size, counted), pool)
	if err != nil {
		return payout{}, err
	}
	if !taken && pool > 0 {
		out.refund(field, pool)
	}
	if err := p.give(&out, sides, sums); err != nil {
		return payout{}, err
	}
	return out, nil
}

// stake is what was paid to enter.
type stake struct {
	fees     int64
	payers   int
	houseFee int64 // what the house takes first
}

func (s stake) pool() int64 { return s.fees - s.houseFee }

// stake adds up what a field has paid. Without shares in the table the house takes all of it.
func (p prizing) stake(field []contender) (stake, error) {
	var s stake
	for _, c := range field {
		var ok bool
		if s.fees, ok = addChecked(s.fees, c.paid); !ok {
			return stake{}, errPrizes
		}
		if c.paid > 0 {
			s.payers++
		}
	}
	if s.houseFee = s.fees; slices.ContainsFunc(p.prizes, Prize.pooled) {
		s.houseFee = p.fee.takes(s.fees, s.payers)
	}
	return s, nil
}

func (p Prize) pooled() bool { return len(p.Shares) > 0 }

// fixed is what a prize that is no share gives to each player.
func (p Prize) fixed() Reward {
	return Reward{Currency: p.Currency, Item: p.Item, Marker: p.Marker, Custom: p.Custom, Amount: p.Amount}
}

var errPrizes = refuse(ErrOutcome, "the prizes overflow")

// refund gives a pool that nobody won back.
func (p *payout) refund(field []contender, pool int64) {
	weights := make([]uint64, len(field))
	for i, c := range field {
		weights[i] = uint64(c.paid)
	}
	for i, amount := range divide(pool, weights, uint64(p.fees)) {
		if amount > 0 {
			p.refunds = append(p.refunds, grant{player: field[i].player, prize: -1, Reward: Reward{Currency: p.currency, Amount: amount}, pooled: true})
		}
	}
}

// prizeSide is who takes one place.
type prizeSide struct {
	rank        int
	first, last int // the places of all who share the rank; its own is between them
	members     []contender
	counted     bool // among those of whom a percentage is taken
}

// finished reports whether anybody of the side has.
func (s prizeSide) finished() bool {
	return slices.ContainsFunc(s.members, func(c contender) bool { return c.finished })
}

// sides are those who take places, in listing order, and how many sides there are to take a percentage of.
func (p prizing) sides(field []contender) (sides []prizeSide, size int) {
	at := make(map[string]int)
	var all []prizeSide
	for _, c := range field {
		i, there := at[c.team]
		if !there || c.team == "" {
			i = len(all)
			at[c.team] = i
			all = append(all, prizeSide{rank: c.rank})
		}
		if c.bot && p.bots == PassDown {
			continue
		}
		all[i].counted = true
		if c.finished || p.unfinished == Include {
			all[i].members = append(all[i].members, c)
		}
	}
	worst, best := 0, math.MaxInt // of those with a place, and of those without
	for _, s := range all {
		if s.counted {
			size++
		}
		if len(s.members) > 0 {
			sides = append(sides, s)
			worst = max(worst, s.rank)
		} else {
			best = min(best, s.rank)
		}
	}
	// Ranks stay what the match says unless somebody without a place stands before somebody with one.
	p.place(sides, best <= worst)
	return sides, size
}

// place gives sides the places that they share and, if they close up, their ranks anew.
func (p prizing) place(sides []prizeSide, closeUp bool) {
	groups := 0
	for i := 0; i < len(sides); {
		next := i + 1
		for next < len(sides) && sides[next].rank == sides[i].rank {
			next++
		}
		groups++
		rank := sides[i].rank
		switch {
		case !closeUp:
		case !slices.ContainsFunc(sides[i:next], prizeSide.finished):
			rank = i + 1 // so it is in every style
		case p.ties == Modified:
			rank = next
		case p.ties == Dense:
			rank = groups
		default:
			rank = i + 1
		}
		for j := i; j < next; j++ {
			sides[j].rank, sides[j].first, sides[j].last = rank, i+1, next
		}
		i = next
	}
}

// prizeSum is what one side gets by one prize, for all its members.
type prizeSum struct {
	side, prize int
	place       int // of which it is the prize
	amount      int64
	share       Number // of the pool, in percent
}

// sums are what the places are worth: per side and, within it, per prize; nothing of 0. taken reports whether
// anybody takes a share of the pool.
func (p prizing) sums(sides []prizeSide, size int, pool int64) (sums []prizeSum, taken bool, err error) {
	spans := p.spans(size)
	var shares []int // the sums that are shares of the pool
	var weights []uint64
	var all uint64
	for s, side := range sides {
		for i, prize := range p.prizes {
			place := s + 1
			switch {
			case prize.Ties == DownOnlyPrize:
				place = side.last
			case cmp.Or(prize.Ties, FullPrize) == FullPrize && !prize.pooled():
				place = side.rank
			}
			if place < spans[i].from || place > spans[i].to {
				continue
			}
			if !prize.pooled() {
				amount, ok := mulChecked(prize.Amount, int64(len(side.members)))
				if !ok {
					return nil, false, errPrizes
				}
				sums = append(sums, prizeSum{side: s, prize: i, place: place, amount: amount})
				continue
			}
			if k := place - spans[i].from; k < len(prize.Shares) && percentUnits(prize.Shares[k]) > 0 {
				shares, weights = append(shares, len(sums)), append(weights, percentUnits(prize.Shares[k]))
				sums = append(sums, prizeSum{side: s, prize: i, place: place, share: prize.Shares[k]})
				var carry uint64
				if all, carry = bits.Add64(all, weights[len(weights)-1], 0); carry != 0 {
					return nil, false, errPrizes
				}
			}
		}
	}
	if len(weights) > 0 {
		for k, amount := range divide(pool, weights, all) {
			sums[shares[k]].amount = amount
		}
	}
	return sums, len(weights) > 0, nil
}

// span is the places of one prize.
type span struct{ from, to int }

// spans are the places of every prize. Of percentages of the same each begins where the next smaller one
// ends, as ranges do: who is in the top 1 percent gets that prize, and not that of the top 10 percent as well.
func (p prizing) spans(size int) []span {
	spans := make([]span, len(p.prizes))
	for i, prize := range p.prizes {
		if !prize.byPercent() {
			spans[i] = span{prize.From, cmp.Or(prize.To, math.MaxInt)}
			continue
		}
		spans[i] = span{1, topPercent(size, prize.Percent)}
		for _, other := range p.prizes {
			if other.byPercent() && p.alike(other, prize) && other.Percent.Cmp(prize.Percent) < 0 {
				spans[i].from = max(spans[i].from, topPercent(size, other.Percent)+1)
			}
		}
	}
	return spans
}

func (p Prize) byPercent() bool { return p.Percent.Known() && p.Percent != Int(0) }

// alike reports whether two prizes are of the same, such as one currency, and both shares of the pool, or both fixed. Such
// two exclude one another; a fixed prize beside a share is a bonus.
func (p prizing) alike(a, b Prize) bool {
	return p.unit(a) == p.unit(b) && a.pooled() == b.pooled()
}

// unit is what a prize is given in: shares are in the currency of the fees.
func (p prizing) unit(prize Prize) Reward {
	if prize.pooled() && p.fee != nil {
		return Reward{Currency: p.fee.Currency}
	}
	unit := prize.fixed()
	unit.Amount = 0
	return unit
}

// give turns the sums of places into grants: of those tied for one rank together by pool, else of each side.
func (p prizing) give(out *payout, sides []prizeSide, sums []prizeSum) error {
	for i := 0; i < len(sides); {
		next := sides[i].last
		end := 0
		for end < len(sums) && sums[end].side < next {
			end++
		}
		if err := p.giveTied(out, sides[i:next], i, sums[:end]); err != nil {
			return err
		}
		i, sums = next, sums[end:]
	}
	return nil
}

// giveTied gives to the sides of one rank, of which the first has the index at.
func (p prizing) giveTied(out *payout, sides []prizeSide, at int, sums []prizeSum) error {
	shared, apart, from, err := p.splits(sides, at, sums)
	if err != nil {
		return err
	}
	for i, side := range sides {
		splits := slices.Concat(shared, apart[i])
		slices.SortFunc(splits, func(a, b split) int { return cmp.Compare(a.prize, b.prize) })
		for m, c := range side.members {
			for _, s := range splits {
				p.grant(out, c, s.prize, s.part(from[i]+m))
			}
		}
	}
	return nil
}

// splits are the sums that the sides of one rank split together, and those that the members of each split alone. The
// players of the sides are counted together, and from says from which on those of each side are.
func (p prizing) splits(sides []prizeSide, at int, sums []prizeSum) (shared []split, apart [][]split, from []int, err error) {
	together := make(map[int]int64) // by prize
	apart, from = make([][]split, len(sides)), make([]int, len(sides))
	players := 0
	for i, s := range sides {
		from[i] = players
		players += len(s.members)
	}
	for _, s := range sums {
		if p.prizes[s.prize].apart() {
			i := s.side - at
			apart[i] = append(apart[i], split{prize: s.prize, total: s.amount, from: from[i], among: len(sides[i].members)})
			continue
		}
		sum, ok := addChecked(together[s.prize], s.amount)
		if !ok {
			return nil, nil, nil, errPrizes
		}
		together[s.prize] = sum
	}
	// Odd units go on, prize by prize, where those of the prize before ended: players who are equal by a table
	// of many prizes differ by one unit too.
	odd := make(map[Reward]int64) // by unit
	for prize := range p.prizes {
		total, there := together[prize]
		if !there {
			continue
		}
		unit := p.unit(p.prizes[prize])
		shared = append(shared, split{prize: prize, total: total, among: players, odd: odd[unit]})
		odd[unit] += total % int64(players)
	}
	return shared, apart, from, nil
}

// apart reports whether those who share a rank do not split a prize together.
func (p Prize) apart() bool { return p.Ties == DownOnlyPrize || p.Ties == TieBreakPrize }

// grant gives a prize to one player, or keeps it from an excluded bot.
func (p prizing) grant(out *payout, c contender, prize int, amount int64) {
	rule := p.prizes[prize]
	switch {
	case amount == 0:
	case !c.bot || p.bots == Include:
		given := p.unit(rule)
		given.Amount = amount
		out.grants = append(out.grants, grant{c.player, prize, given, rule.pooled(), rule.Claim, rule.Expires})
	case rule.pooled():
		out.unpaid += amount // a part of the pool: it fits
	}
}
