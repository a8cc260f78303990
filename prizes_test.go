package finalbell

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var everyTies = []PrizeTies{FullPrize, PoolPrize, DownOnlyPrize, TieBreakPrize}

// drawPrizing draws a valid table, and the fee that goes with it.
func drawPrizing(t *rapid.T) prizing {
	p := prizing{
		ties:       rapid.SampledFrom([]TieStyle{Standard, Modified, Dense, Ordinal}).Draw(t, "ties"),
		bots:       rapid.SampledFrom([]Policy{Exclude, Include, PassDown}).Draw(t, "bots"),
		unfinished: rapid.SampledFrom([]Policy{Exclude, Include}).Draw(t, "unfinished"),
	}
	prize := func(id string) Prize {
		f := rapid.SampledFrom([]Prize{{Currency: "coins"}, {Currency: "coins"}, {Item: "cup"}, {Marker: "xp"}, {Custom: "hat"}}).Draw(t, "of")
		f.ID, f.Ties, f.Claim = id, rapid.SampledFrom(everyTies).Draw(t, "tie rule"), rapid.Bool().Draw(t, "claim")
		return f
	}
	next := 1
	for i := range rapid.IntRange(0, 3).Draw(t, "fixed") {
		f := prize(fmt.Sprint("fixed", i))
		f.From = next + rapid.IntRange(0, 1).Draw(t, "gap")
		f.To = f.From + rapid.IntRange(0, 2).Draw(t, "places") - 1
		next, f.To = max(f.To, f.From)+1, max(f.To, f.From)
		f.Amount = rapid.Int64Range(1, 20).Draw(t, "amount")
		p.prizes = append(p.prizes, f)
	}
	for _, percent := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"0.000000001", "10", "33.3", "50", "100"}), 0, 2, rapid.ID[string]).Draw(t, "percentages") {
		f := prize(percent)
		f.Percent, f.Amount = Decimal(percent), rapid.Int64Range(1, 20).Draw(t, "amount")
		p.prizes = append(p.prizes, f)
	}
	if rapid.Bool().Draw(t, "fee") {
		p.fee = &Fee{"coins", rapid.Int64Range(1, 30).Draw(t, "fee"), 0, rapid.SampledFrom([]Number{{}, Int(10), Decimal("33.333")}).Draw(t, "percent")}
		p.fee.HouseFlat = rapid.Int64Range(0, p.fee.Amount/2).Draw(t, "flat")
		from := 1
		for i := range rapid.IntRange(0, 2).Draw(t, "shares") {
			f := prize(fmt.Sprint("shares", i))
			shares := rapid.SampledFrom([][]Number{{Int(50)}, {Int(25), Int(25)}, {Decimal("33.3"), Decimal("16.65")}, {Decimal("0.1")}, {Int(20), Int(20), Int(10)}}).Draw(t, "of")
			f = Prize{ID: f.ID, From: from, Shares: shares, Ties: f.Ties, Claim: f.Claim}
			from += len(shares)
			p.prizes = append(p.prizes, f)
		}
	}
	var c checker
	c.fee("fee", p.fee, map[string]bool{"coins": true})
	c.prizes("prizes", p.prizes, p.fee, map[string]bool{"coins": true})
	require.NoError(t, c.err)
	return p
}

// drawField draws a field as ranking leaves it: ranked in the style, those who did not finish behind.
func drawField(t *rapid.T, p prizing) []contender {
	teams := rapid.Bool().Draw(t, "teams")
	mode := usual()
	mode.Ties = p.ties
	var roster []Standing
	for i := range rapid.IntRange(1, 9).Draw(t, "players") {
		s := Standing{Player: fmt.Sprint("p", i), seat: i, Status: rapid.SampledFrom([]Status{Finished, Finished, Finished, DNF}).Draw(t, "status")}
		if s.Status == Finished {
			s.Outcome = Int(rapid.Int64Range(0, 3).Draw(t, "outcome"))
		}
		if teams {
			mode.Teams = &Teams{Fold: TeamBest}
			s.Team = rapid.SampledFrom([]string{"red", "blue", "grey"}).Draw(t, "team")
		}
		s.Bot = rapid.IntRange(0, 3).Draw(t, "bot") == 0
		roster = append(roster, s)
	}
	standings, _ := rank(mode, roster, nil)
	field := make([]contender, len(standings))
	for i, s := range standings {
		field[i] = contender{player: s.Player, team: s.Team, rank: s.Rank, position: s.Position, bot: s.Bot, finished: s.Status == Finished}
		if p.fee != nil && (!s.Bot || p.bots == Include) {
			field[i].paid = p.fee.Amount
		}
	}
	return field
}

func payOut(t *rapid.T, p prizing, field []contender) payout {
	out, err := p.payout(field, 0)
	require.NoError(t, err)
	return out
}

func total(grants []grant, which func(grant) bool) (sum int64) {
	for _, g := range grants {
		if which(g) {
			sum += g.Amount
		}
	}
	return sum
}

// The fees are the pool's prizes, the refunds and what the house keeps, whoever ties with whom; and as a posting
// they leave the pot empty.
func TestFeesArePrizesHouseAndRefunds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		out := payOut(t, p, drawField(t, p))
		everything := func(grant) bool { return true }
		require.Equal(t, out.fees, total(out.grants, func(g grant) bool { return g.pooled })+total(out.refunds, everything)+out.houseFee+out.unpaid)
		require.False(t, out.houseFee < 0 || out.houseFee > out.fees || out.unpaid < 0)
		settled, err := newPosting("settle", out.lines("m")...)
		require.NoError(t, err)
		pot := exact(settled.lines, func(l ledgerLine) bool { return l.account == account{potAccount, "m"} })
		require.Equal(t, -out.fees, pot.Int64())
		fixed := total(out.grants, func(g grant) bool { return !g.pooled && g.Currency != "" })
		waiting := total(out.grants, func(g grant) bool { return g.claim && g.Currency != "" })
		escrow := exact(settled.lines, func(l ledgerLine) bool { return l.account.kind == escrowAccount })
		require.Equal(t, waiting, escrow.Int64())
		house := exact(settled.lines, func(l ledgerLine) bool { return l.account.kind == houseAccount })
		require.Equal(t, out.houseFee+out.unpaid-fixed, house.Int64())
	})
}

// lines are all the money of a payout, as the engine brings it into the ledger.
func (p payout) lines(match string) []ledgerLine {
	g := &giving{known: make(map[string]Grant), places: make(map[string]int), players: make(map[string]*playerFacts)}
	lines := p.rest(match)
	for i, gr := range p.grants {
		if gr.Currency == "" {
			continue
		}
		a := award{id: strconv.Itoa(i), player: gr.player, gives: gr.Reward, kind: prizeLine, from: account{kind: houseAccount}, claim: gr.claim}
		if gr.pooled {
			a.from = account{potAccount, match}
		}
		if err := g.give(a); err != nil {
			panic(err)
		}
	}
	return append(lines, g.lines...)
}

// A player is paid at once what is money and not to be claimed, and nothing else.
func TestWhatIsToBeClaimedAndWhatIsNoMoneyMovesNone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		out := payOut(t, p, drawField(t, p))
		settled, err := newPosting("settle", out.lines("m")...)
		require.NoError(t, err)
		want := total(out.refunds, func(grant) bool { return true }) +
			total(out.grants, func(g grant) bool { return !g.claim && g.Currency != "" })
		wallets := exact(settled.lines, func(l ledgerLine) bool { return l.account.kind == playerAccount })
		require.Equal(t, want, wallets.Int64())
		for _, g := range out.grants {
			require.Equal(t, p.prizes[g.prize].Claim, g.claim)
			require.Equal(t, p.unit(p.prizes[g.prize]), Reward{g.Currency, g.Item, g.Marker, g.Custom, 0})
			require.Len(t, g.kinds(), 1)
		}
	})
}

// The top of a field gets what it gets with all the others behind it, if somebody says how many they are.
func TestTheTopOfAFieldIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		if !rapid.Bool().Draw(t, "match") {
			p.fee, p.bots, p.unfinished = nil, Include, Include
			p.prizes = slices.DeleteFunc(p.prizes, Prize.pooled)
		}
		field := drawField(t, p)
		for i := range field {
			field[i].team = "" // a side alone; ranks are the teams'
		}
		want := payOut(t, p, field)
		_, size := p.sides(field)
		last, worst := p.lastPlace(size), 0
		for _, c := range field {
			if c.position <= last || c.rank <= last {
				worst = max(worst, c.rank)
			}
		}
		top := slices.DeleteFunc(slices.Clone(field), func(c contender) bool { return c.rank > worst })
		got, err := p.payout(top, size)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// Of a board of many the prizes of a few look at a few.
func TestPrizesForAFewNeedAFew(t *testing.T) {
	board := func(prizes ...Prize) prizing { return BoardRule{Prizes: prizes}.withDefaults().prizing() }
	for _, c := range []struct {
		prizes prizing
		want   int
	}{
		{board(), 0},
		{board(Prize{From: 1, To: 100, Item: "cup"}), 100},
		{board(Prize{From: 1, To: 3, Item: "cup"}, Prize{Percent: Decimal("0.5"), Currency: "coins", Amount: 1}), 5000},
		{board(Prize{From: 1, To: 3, Item: "cup"}, Prize{From: 4, Currency: "coins", Amount: 1}), 1_000_000},
		{Mode{Prizes: []Prize{{From: 1, To: 3, Item: "cup"}}}.withDefaults().prizing(), math.MaxInt},
	} {
		require.Equal(t, c.want, c.prizes.lastPlace(1_000_000))
	}
}

func TestAModeAndABoardSayHowTheirPrizesAreGiven(t *testing.T) {
	fee, prizes := &Fee{Currency: "coins", Amount: 1}, []Prize{{ID: "x", From: 1, Custom: "hat", Amount: 1, Ties: FullPrize}}
	m := Mode{Ties: Dense, Fee: fee, Prizes: prizes, Bots: BotPolicy{Prizes: PassDown}, Unfinished: UnfinishedPolicy{Prizes: Include}}
	require.Equal(t, prizing{prizes, fee, Dense, PassDown, Include}, m.prizing())
	require.Equal(t, prizing{prizes, nil, Standard, Include, Include}, BoardRule{Prizes: prizes, Ties: ShareRank}.prizing())
	require.Equal(t, prizing{prizes, nil, Ordinal, Include, Include}, BoardRule{Prizes: prizes, Ties: FirstRank}.prizing())
}

// A pool pays exactly the pool: to the players, unless an excluded bot has a part in it; or back, to
// everybody in proportion, if nobody takes a share.
func TestAPoolPaysExactlyThePool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		field := drawField(t, p)
		out := payOut(t, p, field)
		paid := total(out.grants, func(g grant) bool { return g.pooled })
		if !slices.ContainsFunc(p.prizes, Prize.pooled) {
			require.Zero(t, paid)
			require.Equal(t, out.fees, out.houseFee)
			require.Empty(t, out.refunds)
			return
		}
		pool := new(big.Int).SetInt64(out.fees)
		payers := 0
		for _, c := range field {
			if c.paid > 0 {
				payers++
			}
		}
		percent := new(big.Rat).Mul(p.fee.HousePercent.rat(), big.NewRat(out.fees, 100))
		house := new(big.Int).Quo(percent.Num(), percent.Denom()).Int64() + p.fee.HouseFlat*int64(payers)
		require.Equal(t, house, out.houseFee)
		pool.Sub(pool, big.NewInt(house))
		if out.refunds != nil {
			require.Zero(t, paid)
			require.Equal(t, pool.Int64(), total(out.refunds, func(grant) bool { return true }))
			least, most := out.refunds[0].Amount, out.refunds[0].Amount
			for _, g := range out.refunds {
				least, most = min(least, g.Amount), max(most, g.Amount)
			}
			require.LessOrEqual(t, most-least, int64(1))
			return
		}
		if !slices.ContainsFunc(field, func(c contender) bool { return c.bot }) || p.bots != Exclude {
			require.Zero(t, out.unpaid)
		}
		require.Equal(t, pool.Int64(), paid+out.unpaid)
	})
}

// Where a table's shares and amounts descend, nobody gets less than somebody who did strictly worse, by any tie
// rule that the whole table has. In a team match it is teams of one size that compare.
func TestNobodyGetsLessThanWhoDidWorse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ties := rapid.SampledFrom(everyTies).Draw(t, "tie rule")
		shares := rapid.SliceOfN(rapid.IntRange(1, 20), 1, 5).Draw(t, "shares")
		slices.Sort(shares)
		slices.Reverse(shares)
		p := prizing{ties: rapid.SampledFrom([]TieStyle{Standard, Modified, Dense, Ordinal}).Draw(t, "ties"), bots: Include, unfinished: Include}
		p.fee = &Fee{Currency: "coins", Amount: rapid.Int64Range(1, 50).Draw(t, "fee")}
		top := Prize{ID: "top", From: 1, Ties: ties}
		for i, n := range shares {
			top.Shares = append(top.Shares, Int(int64(n)))
			p.prizes = append(p.prizes, Prize{ID: fmt.Sprint(i), From: i + 1, To: i + 1, Amount: int64(n), Currency: "coins", Ties: ties})
		}
		p.prizes = append(p.prizes, top)
		field := drawField(t, p)
		for i := range field {
			field[i].team = "" // a side alone; ranks are the teams'
		}
		out := payOut(t, p, field)
		for _, pooled := range []bool{false, true} {
			gets := func(c contender) int64 {
				return total(out.grants, func(g grant) bool { return g.player == c.player && g.pooled == pooled })
			}
			for i, better := range field {
				for _, worse := range field[i+1:] {
					if better.rank < worse.rank || ties == TieBreakPrize {
						require.GreaterOrEqual(t, gets(better), gets(worse), "%s and %s", better.player, worse.player)
					}
				}
			}
		}
	})
}

// Under pool those who share a rank get the same, but for one unit that goes to the first in listing order; and
// together what their places are worth.
func TestEqualPlayersDifferByAtMostOneUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		p.bots = Include
		for i := range p.prizes {
			p.prizes[i].Ties = PoolPrize
		}
		field := drawField(t, p)
		out := payOut(t, p, field)
		type part struct {
			of     Reward
			player string
		}
		partOf := func(g grant) part { return part{p.unit(p.prizes[g.prize]), g.player} }
		gets := make(map[part]int64)
		for _, g := range out.grants {
			gets[partOf(g)] += g.Amount
		}
		// By place, as if nobody were tied: what they are worth together.
		apart := p
		apart.prizes = slices.Clone(p.prizes)
		for i := range apart.prizes {
			apart.prizes[i].Ties = TieBreakPrize
		}
		worth := make(map[part]int64)
		for _, g := range payOut(t, apart, field).grants {
			worth[partOf(g)] += g.Amount
		}
		for _, prize := range p.prizes {
			last := make(map[int]int64)
			sums, places := make(map[int]int64), make(map[int]int64)
			for _, c := range field {
				own := part{p.unit(prize), c.player}
				sums[c.rank] += gets[own]
				places[c.rank] += worth[own]
				if !c.finished && p.unfinished != Include {
					continue
				}
				if before, tied := last[c.rank]; tied {
					require.LessOrEqual(t, before-gets[own], int64(1))
					require.LessOrEqual(t, gets[own]-before, int64(1))
				}
				last[c.rank] = gets[own]
			}
			require.Equal(t, places, sums)
		}
	})
}

func TestTheOrderOfTheFieldDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		field := drawField(t, p)
		want := payOut(t, p, field)
		require.Equal(t, want, payOut(t, p, rapid.Permutation(field).Draw(t, "order")))
		require.True(t, slices.IsSortedFunc(want.grants, func(a, b grant) int {
			at := func(g grant) int {
				return slices.IndexFunc(field, func(c contender) bool { return c.player == g.player })
			}
			return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a.prize, b.prize))
		}))
	})
}

// What the house pays is the same with a pool beside it and without, whoever wins the pool.
func TestFixedPrizesDoNotDependOnThePool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		field := drawField(t, p)
		fixed := func(p prizing) []grant {
			grants := payOut(t, p, field).grants
			return append([]grant{}, slices.DeleteFunc(grants, func(g grant) bool { return g.pooled })...)
		}
		with := fixed(p)
		p.prizes = slices.DeleteFunc(slices.Clone(p.prizes), Prize.pooled) // they come last in the drawn table
		require.Equal(t, fixed(p), with)
	})
}

// Bots pass prizes down as if they had not been there.
func TestPassedDownIsAsIfTheBotsWereNotThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPrizing(t)
		p.bots = PassDown
		mode := usual()
		mode.Ties = p.ties
		var roster, people []Standing
		for i := range rapid.IntRange(1, 8).Draw(t, "players") {
			s := Standing{Player: fmt.Sprint("p", i), seat: i, Status: Finished, Outcome: Int(rapid.Int64Range(0, 3).Draw(t, "outcome")), Bot: rapid.Bool().Draw(t, "bot")}
			roster = append(roster, s)
			if !s.Bot {
				people = append(people, s)
			}
		}
		pay := func(roster []Standing) payout {
			standings, _ := rank(mode, roster, nil)
			var field []contender
			for _, s := range standings {
				c := contender{player: s.Player, rank: s.Rank, position: s.Position, bot: s.Bot, finished: true}
				if p.fee != nil && !s.Bot {
					c.paid = p.fee.Amount
				}
				field = append(field, c)
			}
			return payOut(t, p, field)
		}
		require.Equal(t, pay(people), pay(roster))
	})
}

func TestPrizesThatOverflowAreRefused(t *testing.T) {
	two := []contender{{player: "ann", rank: 1, position: 1, finished: true, paid: math.MaxInt64}, {player: "bob", rank: 1, position: 2, finished: true, paid: 1}}
	_, err := prizing{}.payout(two, 0)
	require.ErrorIs(t, err, ErrOutcome)
	two[0].paid, two[1].paid = 0, 0
	huge := prizing{prizes: []Prize{{ID: "x", From: 1, Amount: math.MaxInt64, Ties: PoolPrize, Currency: "coins"}}}
	_, err = huge.payout(two, 0)
	require.ErrorIs(t, err, ErrOutcome)
	two[0].team, two[1].team = "red", "red"
	_, err = huge.payout(two, 0)
	require.ErrorIs(t, err, ErrOutcome)
	huge.prizes[0].Ties = FullPrize
	two[0].team, two[1].team, two[1].rank = "", "", 2
	out, err := huge.payout(two, 0)
	require.NoError(t, err)
	settled, err := newPosting("settle", out.lines("m")...)
	require.NoError(t, err, "each by itself fits")
	require.ErrorIs(t, new(books).room(settled), ErrOutcome)
}

// Percentages are exact for everything that fits: the same as with fractions, rounded down, and up for ranks.
func TestPercentagesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, math.MaxInt64), rapid.Just(int64(math.MaxInt64))).Draw(t, "n")
		p := fromUnits(rapid.Int64Range(0, hundred).Draw(t, "percent"), maxScale)
		want := new(big.Rat).Mul(p.rat(), new(big.Rat).SetFrac64(n, 100))
		down := new(big.Int).Quo(want.Num(), want.Denom())
		require.Equal(t, down.Int64(), percentOf(n, p))
		if !want.IsInt() {
			down.Add(down, big.NewInt(1))
		}
		require.Equal(t, down.Int64(), int64(topPercent(int(n), p)))
	})
}

// The house never takes more than the fees, even if its part of them overflows.
func TestTheHouseNeverTakesMoreThanTheFees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := Fee{HouseFlat: rapid.Int64Range(0, math.MaxInt64).Draw(t, "flat"), HousePercent: Int(rapid.Int64Range(0, 100).Draw(t, "percent"))}
		fees, players := rapid.Int64Range(0, math.MaxInt64).Draw(t, "fees"), rapid.IntRange(0, 1000).Draw(t, "players")
		want := new(big.Int).Mul(big.NewInt(f.HouseFlat), big.NewInt(int64(players)))
		want.Add(want, big.NewInt(percentOf(fees, f.HousePercent)))
		if want.Cmp(big.NewInt(fees)) > 0 {
			want.SetInt64(fees)
		}
		require.Equal(t, want.Int64(), f.takes(fees, players))
	})
}
