package finalbell

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// paid is the two lines of a payment to the house.
func paid(player, currency string, amount int64) []ledgerLine {
	return ledgerLine{}.moves(purse{account{playerAccount, player}, currency}, purse{account{kind: houseAccount}, currency}, debitLine, amount)
}

func TestWhoIsShortIsInTheErrorOnce(t *testing.T) {
	p, err := newPosting("k", slices.Concat(paid("bob", "gems", 5), paid("ann", "gems", 5), paid("ann", "coins", 5))...)
	require.NoError(t, err)
	_, _, err = p.apply(nil)
	require.ErrorIs(t, err, ErrInsufficient)
	assert.Equal(t, []string{"ann", "bob"}, failed("debit", "k", err).(*Error).IDs)
}

// drawMoney draws amounts, also those at the edge of what fits.
func drawMoney(t *rapid.T) int64 {
	return rapid.OneOf(rapid.Int64Range(-9, 9), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64 - 1, math.MaxInt64})).Draw(t, "money")
}

func drawPurse(t *rapid.T) purse {
	return purse{rapid.SampledFrom([]account{
		{playerAccount, "ann"}, {playerAccount, "bob"}, {kind: houseAccount}, {potAccount, "m"}, {debtAccount, "ann"},
	}).Draw(t, "account"), rapid.SampledFrom([]string{"coins", "gems"}).Draw(t, "currency")}
}

// drawLines draws lines that may sum to zero or not.
func drawLines(t *rapid.T) []ledgerLine {
	var lines []ledgerLine
	for range rapid.IntRange(0, 5).Draw(t, "lines") {
		l := ledgerLine{purse: drawPurse(t), amount: drawMoney(t), kind: rapid.SampledFrom([]lineKind{prizeLine, debitLine}).Draw(t, "kind")}
		l.match, l.window = rapid.SampledFrom([]string{"", "m"}).Draw(t, "match"), rapid.SampledFrom([]string{"", "w"}).Draw(t, "window")
		lines = append(lines, l)
		if l.amount != math.MinInt64 && rapid.IntRange(0, 9).Draw(t, "balanced") > 0 {
			l.account, l.amount = drawPurse(t).account, -l.amount
			lines = append(lines, l)
		}
	}
	return lines
}

// drawPosting draws one that newPosting takes, of payments between purses.
func drawPosting(t *rapid.T, key string) posting {
	var lines []ledgerLine
	for range rapid.IntRange(0, 4).Draw(t, "moves") {
		from, to := drawPurse(t), drawPurse(t)
		to.currency = from.currency
		lines = append(lines, ledgerLine{about: about{match: "m"}}.moves(from, to, transferLine, rapid.Int64Range(0, 9).Draw(t, "amount"))...)
	}
	p, err := newPosting(key, lines...)
	require.NoError(t, err)
	return p
}

// drawBalances draws balances as they can be: no player below zero, no debt above it.
func drawBalances(t *rapid.T) map[purse]int64 {
	balances := make(map[purse]int64)
	for range rapid.IntRange(0, 6).Draw(t, "balances") {
		p, n := drawPurse(t), rapid.Int64Range(0, 9).Draw(t, "balance")
		if p.account.kind == debtAccount {
			n = -n
		}
		balances[p] = n
	}
	return balances
}

func exact(lines []ledgerLine, same func(ledgerLine) bool) *big.Int {
	sum := new(big.Int)
	for _, l := range lines {
		if same(l) {
			sum.Add(sum, big.NewInt(l.amount))
		}
	}
	return sum
}

// samePart tells the lines that become one with l.
func samePart(l ledgerLine) func(ledgerLine) bool {
	return func(x ledgerLine) bool {
		x.amount = l.amount
		return x == l
	}
}

// A posting is taken exactly when it sums to zero in each currency and every part of it fits; it then says of
// each purse what the lines said, without a line of nothing and with one a part.
func TestAPostingIsItsLinesAndSumsToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t)
		balanced, fits := true, true
		for _, l := range lines {
			balanced = balanced && exact(lines, func(x ledgerLine) bool { return x.currency == l.currency }).Sign() == 0
			part := exact(lines, samePart(l))
			fits = fits && part.IsInt64() && part.Int64() != math.MinInt64
		}
		p, err := newPosting("k", lines...)
		if !fits {
			require.ErrorIs(t, err, ErrOutcome)
			return
		}
		if !balanced {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		require.NoError(t, err)
		for i, l := range p.lines {
			require.NotZero(t, l.amount)
			require.False(t, slices.ContainsFunc(p.lines[:i], samePart(l)))
		}
		for _, l := range lines {
			require.Equal(t, exact(lines, samePart(l)).String(), exact(p.lines, samePart(l)).String())
		}
	})
}

func TestTheOrderOfTheLinesDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t)
		want, wantErr := newPosting("k", lines...)
		got, err := newPosting("k", rapid.Permutation(lines).Draw(t, "order")...)
		require.Equal(t, wantErr, err)
		require.Equal(t, want, got)
	})
}

// A posting is applied unless a player would be below zero afterwards or a balance on a line would not fit. Then the last
// balance of each purse is what it had and the sum of its lines, every line shows the sum so far, and no
// player's is ever below zero; else nothing is applied and all who are short are named.
func TestBalancesAreTheSumOfTheLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := newPosting("k", drawLines(t)...)
		if err != nil {
			p = drawPosting(t, "k")
		}
		balances := drawBalances(t)
		if rapid.Bool().Draw(t, "rich") {
			balances[drawPurse(t)] = math.MaxInt64
		}
		before := maps.Clone(balances)
		var short []string
		fits := true
		for i, l := range p.lines {
			same := func(x ledgerLine) bool { return x.purse == l.purse }
			before := big.NewInt(balances[l.purse])
			fits = fits && new(big.Int).Add(exact(p.lines[:i+1], same), before).IsInt64()
			after := new(big.Int).Add(exact(p.lines, same), before)
			if l.account.kind == playerAccount && after.Sign() < 0 && !slices.Contains(short, l.account.id) {
				short = append(short, l.account.id)
			}
		}
		applied, moved, err := p.apply(balances)
		require.Equal(t, before, balances)
		if short != nil {
			require.ErrorIs(t, err, ErrInsufficient)
			require.Equal(t, short, failed("debit", "k", err).(*Error).IDs)
			return
		}
		if !fits {
			require.ErrorIs(t, err, ErrOutcome)
			return
		}
		require.NoError(t, err)
		running := maps.Clone(balances)
		for i, l := range applied.lines {
			require.Equal(t, p.lines[i].amount, l.amount)
			running[l.purse] += l.amount
			require.Equal(t, running[l.purse], l.balance)
			require.False(t, l.account.kind == playerAccount && l.balance < 0)
		}
		maps.Copy(balances, moved)
		for at, n := range running {
			require.Equal(t, n, balances[at])
		}
	})
}

// A reversal can always be paid: nobody's wallet falls below zero, no debt rises above it, and together with the
// original every purse is as before, but that what a player lacks is owed, or paid by the house. Its reversal
// can be paid too.
func TestAReversalTakesBackEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPosting(t, "p")
		balances := drawBalances(t)
		missing := rapid.SampledFrom([]Shortfall{ShortfallDebt, ShortfallFloor}).Draw(t, "missing")
		for range 2 {
			back, err := takeBack(p, balances, missing)
			require.NoError(t, err)
			applied, moved, err := back.apply(balances)
			require.NoError(t, err)
			for at, n := range moved {
				require.False(t, at.account.kind == playerAccount && n < 0, "a wallet below zero")
				require.False(t, at.account.kind == debtAccount && n > 0, "a debt above zero")
			}
			for _, l := range p.lines {
				whose := func(x ledgerLine) bool { return x.currency == l.currency && x.account.id == l.account.id }
				both := new(big.Int).Add(exact(p.lines, whose), exact(applied.lines, whose))
				if missing == ShortfallDebt || l.account.kind == potAccount {
					require.Zero(t, both.Sign(), "%s", l.account)
				}
			}
			maps.Copy(balances, moved)
			p = applied
		}
	})
}

// Whoever owes repays with what they gain, no more and no less than they can.
func TestAGainRepaysTheDebtFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gain, owes, has := rapid.Int64Range(1, 9).Draw(t, "gain"), rapid.Int64Range(0, 9).Draw(t, "owes"), rapid.Int64Range(0, 9).Draw(t, "has")
		wallet, debt := purse{account{playerAccount, "ann"}, "coins"}, purse{account{debtAccount, "ann"}, "coins"}
		balances := map[purse]int64{wallet: has, debt: -owes}
		lines, err := withDebts(ledgerLine{}.moves(purse{account{kind: houseAccount}, "coins"}, wallet, creditLine, gain), balances, nil)
		require.NoError(t, err)
		p, err := newPosting("k", lines...)
		require.NoError(t, err)
		_, moved, err := p.apply(balances)
		require.NoError(t, err)
		require.Equal(t, has+gain-min(gain, owes), moved[wallet])
		require.Equal(t, -owes+min(gain, owes), moved[debt]) // one that is not moved is 0
	})
}

func TestDebtsThatOverflowAreRefused(t *testing.T) {
	wallet, debt, house := purse{account{playerAccount, "ann"}, "coins"}, purse{account{debtAccount, "ann"}, "coins"}, purse{account{kind: houseAccount}, "coins"}
	for _, balances := range []map[purse]int64{{wallet: math.MaxInt64}, {debt: math.MaxInt64, wallet: 1}} {
		_, err := withDebts(ledgerLine{}.moves(house, wallet, creditLine, 1), balances, every(ShortfallDebt))
		require.ErrorIs(t, err, ErrOutcome)
	}
	for _, has := range []int64{math.MinInt64, math.MinInt64 + 1} {
		_, err := withDebts(ledgerLine{}.moves(wallet, house, debitLine, 1), map[purse]int64{wallet: has}, every(ShortfallDebt))
		require.ErrorIs(t, err, ErrOutcome)
	}
}
