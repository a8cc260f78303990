package finalbell

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ledgers are tables to be read aloud. "has" is a balance before; "line" is a line of the posting named next by
// "post"; "reverse" takes the last posting back. Then comes what the ledger shows: account, currency, amount, kind
// and the balance after it; or "refused".
var ledgers = map[string]string{
	"a fee is held, captured and paid out": `
		has  player:ann  coins 100
		line player:ann  coins -100 fee_held
		line hold:m1     coins  100 fee_held
		post hold
		     hold:m1     coins  100 fee_held 100
		     player:ann  coins -100 fee_held 0
		line hold:m1     coins -100 fee_captured
		line pot:m1      coins  100 fee_captured
		post capture
		     hold:m1     coins -100 fee_captured 0
		     pot:m1      coins  100 fee_captured 100
		line pot:m1      coins -90  prize
		line pot:m1      coins -10  house
		line house       coins  10  house
		line player:ann  coins  90  prize
		post settle
		     house       coins  10  house 10
		     player:ann  coins  90  prize 90
		     pot:m1      coins -10  house 90
		     pot:m1      coins -90  prize 0`,
	"all who are short are named, and nothing is applied": `
		has  player:ann coins 5
		has  player:cid coins 10
		line player:bob gems  -1  debit
		line house      gems   1  debit
		line player:ann coins -10 fee_held
		line player:bob coins -10 fee_held
		line player:cid coins -10 fee_held
		line hold:m1    coins  30 fee_held
		refused hold "ann" is short of 5 coins, "bob" is short of 10 coins, "bob" is short of 1 gems
		line player:ann coins -5 debit
		line house      coins  5 debit
		post debit
		     house      coins  5 debit 5
		     player:ann coins -5 debit 0`,
	"what a player gains in a posting can pay what they lose in it": `
		line house      coins -7 credit
		line player:ann coins  7 credit
		line player:ann coins -5 debit
		line house      coins  5 debit
		post both
		     house      coins  5 debit  5
		     house      coins -7 credit -2
		     player:ann coins  7 credit 7
		     player:ann coins -5 debit  2`,
	"lines of one part are one line, and what comes to nothing is none": `
		line house      coins -1 credit
		line house      coins -2 credit
		line player:ann coins  3 credit
		line player:bob coins  4 credit
		line player:bob coins -4 credit
		line house      gems   0 credit
		post credit
		     house      coins -3 credit -3
		     player:ann coins  3 credit 3`,
	"a currency does not pay for another": `
		line house      coins -1 credit
		line player:ann gems   1 credit
		refused credit posting "credit": does not sum to zero in "coins", "gems"`,
	"the smallest amount has no opposite and is refused": `
		line house      coins -9223372036854775808 credit
		line player:ann coins  9223372036854775807 credit
		line player:bob coins  1 credit
		refused credit posting "credit": "house": the amount overflows`,
	"a sum may pass beyond what fits on its way to zero": `
		line player:ann coins  9223372036854775807 credit
		line player:bob coins  9223372036854775807 credit
		line house      coins -9223372036854775807 credit
		line pot:m1     coins -9223372036854775807 credit
		post credit
		     house      coins -9223372036854775807 credit -9223372036854775807
		     player:ann coins  9223372036854775807 credit  9223372036854775807
		     player:bob coins  9223372036854775807 credit  9223372036854775807
		     pot:m1     coins -9223372036854775807 credit -9223372036854775807`,
	"a balance that overflows is refused": `
		has  player:ann coins 9223372036854775807
		line player:ann coins  1 credit
		line house      coins -1 credit
		refused credit posting "credit": the balance of "player:ann" overflows`,
	"a reversal gives back what was paid": `
		has  player:ann coins 100
		line player:ann coins -10 debit
		line house      coins  10 debit
		post debit
		     house      coins  10 debit 10
		     player:ann coins -10 debit 90
		reverse debt
		     house      coins -10 reversal 0
		     player:ann coins  10 reversal 100`,
	"a short wallet goes into debt, which later credits repay": `
		line pot:m1     coins -50 prize
		line player:ann coins  50 prize
		post prize
		     player:ann coins  50 prize  50
		     pot:m1     coins -50 prize -50
		has  player:ann coins 30
		reverse debt
		     debt:ann   coins -20 debt    -20
		     player:ann coins  20 debt     50
		     player:ann coins -50 reversal 0
		     pot:m1     coins  50 reversal 0
		line house      coins -15 credit
		line player:ann coins  15 credit
		repay first
		     debt:ann   coins  15 debt    -5
		     house      coins -15 credit -15
		     player:ann coins  15 credit  15
		     player:ann coins -15 debt     0
		line house      coins -15 credit
		line player:ann coins  15 credit
		repay second
		     debt:ann   coins   5 debt     0
		     house      coins -15 credit -30
		     player:ann coins  15 credit  15
		     player:ann coins  -5 debt    10`,
	"under floor the house pays what a wallet lacks": `
		line pot:m1     coins -50 prize
		line player:ann coins  50 prize
		post prize
		     player:ann coins  50 prize  50
		     pot:m1     coins -50 prize -50
		has  player:ann coins 30
		reverse floor
		     house      coins -20 floor   -20
		     player:ann coins  20 floor    50
		     player:ann coins -50 reversal 0
		     pot:m1     coins  50 reversal 0`,
	"a debt that comes back after it was repaid goes to the player": `
		has  debt:ann   coins -5
		line debt:ann   coins  20 reversal
		line house      coins -20 reversal
		repay void
		     debt:ann   coins  20 reversal 15
		     debt:ann   coins -15 debt     0
		     house      coins -20 reversal -20
		     player:ann coins  15 debt     15`,
}

func TestTheLedgersOfTheSpecification(t *testing.T) {
	for name, table := range ledgers {
		t.Run(name, func(t *testing.T) {
			balances := make(map[purse]int64)
			var waiting []ledgerLine
			var last posting
			var shown []string
			apply := func(p posting, err error) error {
				require.Empty(t, shown, "lines that are not shown")
				waiting = nil
				if err != nil {
					return err
				}
				applied, moved, err := p.apply(balances)
				if err != nil {
					return err
				}
				maps.Copy(balances, moved)
				for _, l := range applied.lines {
					shown = append(shown, fmt.Sprint(l.account, " ", l.currency, " ", l.amount, " ", l.kind, " ", l.balance))
				}
				last = p
				return nil
			}
			for row := range strings.Lines(table) {
				f := strings.Fields(row)
				switch {
				case len(f) == 0:
				case f[0] == "has":
					balances[purseOf(f[1:])] = readInt(f[3])
				case f[0] == "line":
					waiting = append(waiting, ledgerLine{purse: purseOf(f[1:]), amount: readInt(f[3]), kind: lineKind(f[4])})
				case f[0] == "post":
					require.NoError(t, apply(newPosting(f[1], waiting...)))
				case f[0] == "repay":
					lines, err := withDebts(waiting, balances, nil)
					require.NoError(t, err)
					require.NoError(t, apply(newPosting(f[1], lines...)))
				case f[0] == "reverse":
					require.NoError(t, apply(takeBack(last, balances, Shortfall(f[1]))))
				case f[0] == "refused":
					assert.EqualError(t, apply(newPosting(f[1], waiting...)), strings.Join(f[2:], " "))
				default:
					require.NotEmpty(t, shown, row)
					require.Equal(t, strings.Join(f, " "), shown[0])
					shown = shown[1:]
				}
			}
			require.Empty(t, shown, "lines that are not shown")
		})
	}
}

func purseOf(f []string) purse {
	kind, id, _ := strings.Cut(f[0], ":")
	return purse{account{accountKind(kind), id}, f[1]}
}

// takeBack is the posting that takes p back.
func takeBack(p posting, balances map[purse]int64, missing Shortfall) (posting, error) {
	return postingOf("void", undone(p.lines), balances, every(missing))
}

func every(missing Shortfall) shortfalls {
	return shortfalls{"coins": missing, "gems": missing}
}

func readInt(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}
