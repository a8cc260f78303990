package finalbell

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// purses are tables to be read aloud. "fee" is what each player paid, and what the house takes of it: flat and percent;
// "prize" is a row of the table: places or percent, tie rule, then an amount, of coins unless an item is named, or the shares after "of"; then come the players in
// listing order with their ranks. The last lines are everything that is paid.
var purses = map[string]string{
	"fixed prizes, full": `
		prize gold 1-1 full 50, prize silver 2-2 full 30, prize bronze 3-3 full 20
		ann 1, bob 2, cid 2, dan 4
		ann gold 50, bob silver 30, cid silver 30`,
	"fixed prizes, pool": `
		prize gold 1-1 pool 50, prize silver 2-2 pool 30, prize bronze 3-3 pool 20
		ann 1, bob 2, cid 2, dan 4
		ann gold 50, bob silver 15, bob bronze 10, cid silver 15, cid bronze 10`,
	"fixed prizes, down_only": `
		prize gold 1-1 down_only 50, prize silver 2-2 down_only 30, prize bronze 3-3 down_only 20
		ann 1, bob 2, cid 2, dan 4
		ann gold 50, bob bronze 20, cid bronze 20`,
	"fixed prizes, tie_break": `
		prize gold 1-1 tie_break 50, prize silver 2-2 tie_break 30, prize bronze 3-3 tie_break 20
		ann 1, bob 2, cid 2, dan 4
		ann gold 50, bob silver 30, cid bronze 20`,
	"odd units of many prizes go on in listing order": `
		prize gold 1-1 pool 5, prize silver 2-2 pool 4, prize bronze 3-3 pool 2
		ann 1, bob 1, cid 1
		ann gold 2, ann silver 1, ann bronze 1, bob gold 2, bob silver 1, bob bronze 1, cid gold 1, cid silver 2`,
	"an open range is to the last": `
		prize gold 1-1 full 9, prize rest 2-0 full 1
		ann 1, bob 2, cid 3
		ann gold 9, bob rest 1, cid rest 1`,
	"the top p percent is rounded up, and who is in the smaller is not in the larger": `
		prize top 10% full 9, prize half 50% full 5, prize all 100% full 1
		ann 1, bob 2, cid 3, dan 4, eve 5
		ann top 9, bob half 5, cid half 5, dan all 1, eve all 1`,
	"a tie across the edge of a percentage counts by its rank": `
		prize half 50% full 5
		ann 1, bob 1, cid 3
		ann half 5, bob half 5`,
	"a pool": `
		fee 100 5 2.5%, prize top 1-3 pool of 50 30 20
		ann 1, bob 2, cid 3, dan 4
		ann top 185, bob top 111, cid top 74, house 30`,
	"a pool, full is pool": `
		fee 10 0 0%, prize top 1-3 full of 50 30 20
		ann 1, bob 2, cid 2, dan 4
		ann top 20, bob top 10, cid top 10`,
	"a pool, down_only": `
		fee 90 0 0%, prize top 1-3 down_only of 50 30 20
		ann 1, bob 2, cid 2, dan 4
		ann top 200, bob top 80, cid top 80`,
	"a pool, tie_break": `
		fee 10 0 0%, prize top 1-3 tie_break of 50 30 20
		ann 1, bob 2, cid 2, dan 4
		ann top 20, bob top 12, cid top 8`,
	"odd units go one by one in listing order": `
		fee 5 0 0%, prize top 1-3 pool of 34 33 33
		ann 1, bob 1, cid 1, dan 4
		ann top 7, bob top 7, cid top 6`,
	"what a small field leaves is spread in proportion": `
		fee 40 0 0%, prize top 1-3 pool of 50 30 20
		ann 1, bob 2
		ann top 50, bob top 30`,
	"so is what the shares lack of 100 percent": `
		fee 8 0 0%, prize top 1-2 pool of 12.5 37.5
		ann 1, bob 2
		ann top 4, bob top 12`,
	"who did not finish takes no place": `
		fee 50 0 0%, prize top 1-2 pool of 70 30
		ann 1, bob 2 dnf
		ann top 100`,
	"a pool that nobody won goes back": `
		fee 10 1 0%, prize top 1-2 pool of 70 30
		ann 1 dnf, bob 1 dnf, cid 3 dnf
		ann refund 9, bob refund 9, cid refund 9, house 3`,
	"a pool that goes back takes no fixed prize along": `
		fee 10 0 0%, prize top 3-3 pool of 100, prize bonus 1-1 full 5
		ann 1, bob 2
		ann bonus 5, ann refund 10, bob refund 10`,
	"an excluded bot's share stays with the house": `
		fee 50 0 0%, prize top 1-2 pool of 70 30, prize bonus 1-2 full 5
		bot1 1 bot, ann 2, bob 3
		ann top 30, ann bonus 5, house 70`,
	"passed down, a bot takes no place, and ranks close up": `
		fee 50 0 0%, prize top 1-2 pool of 70 30, prize bonus 1-1 full 5, pass_down
		bot1 1 bot, ann 2, bob 3
		ann top 70, ann bonus 5, bob top 30`,
	"an included bot is paid": `
		prize bonus 1-1 full 5, bots
		bot1 1 bot, ann 2
		bot1 bonus 5`,
	"without shares the fees are the house's": `
		fee 50 0 10%, prize bonus 1-1 full 70
		ann 1, bob 2
		ann bonus 70, house 100`,
	"the house's percentage is rounded once and down": `
		fee 5 0 10%, prize top 1-1 pool of 100
		ann 1, bob 2, cid 3
		ann top 14, house 1`,
	"a team shares its place's share, and each member gets a fixed prize": `
		fee 10 0 0%, prize top 1-2 pool of 75 25, prize medal 1-1 full 1
		ann 1 red, bob 1 red, cid 2 blue, dan 2 blue
		ann top 15, ann medal 1, bob top 15, bob medal 1, cid top 5, dan top 5`,
	"teams that tie by down_only each split a share of their own": `
		fee 10 0 0%, prize top 1-2 down_only of 75 25
		ann 1 red, bob 1 blue, cid 1 blue
		ann top 15, bob top 8, cid top 7`,
	"teams that tie by pool split evenly, each player the same": `
		fee 10 0 0%, prize top 1-2 pool of 75 25
		ann 1 red, bob 1 blue, cid 1 blue
		ann top 10, bob top 10, cid top 10`,
	"an item for each, and one medal of a pool of medals goes to the first of the tied": `
		prize cup 1-1 full 1 cup, prize medal 2-2 pool 1 medal, prize bonus 1-1 full 5
		ann 1, bob 1, cid 3
		ann cup 1, ann medal 1, ann bonus 5, bob cup 1, bob bonus 5`,
	"who did not finish counts in a percentage": `
		prize half 50% full 1
		ann 1, bob 2, cid 3 dnf, dan 3 dnf
		ann half 1, bob half 1`,
	"percentages are of teams in a team match": `
		prize half 50% full 1
		ann 1 red, bob 1 red, cid 2 blue, dan 2 blue
		ann half 1, bob half 1`,
}

func TestThePrizesOfTheSpecification(t *testing.T) {
	for name, table := range purses {
		t.Run(name, func(t *testing.T) {
			rows := strings.Split(strings.TrimSpace(table), "\n")
			require.Len(t, rows, 3)
			p := prizing{ties: Standard, bots: Exclude, unfinished: Exclude}
			for part := range strings.SplitSeq(rows[0], ",") {
				p.read(strings.Fields(part))
			}
			var field []contender
			for i, part := range strings.Split(rows[1], ",") {
				f := strings.Fields(part)
				c := contender{player: f[0], rank: int(readInt(f[1])), position: i + 1, finished: true}
				for _, word := range f[2:] {
					switch word {
					case "bot":
						c.bot = true
					case "dnf":
						c.finished = false
					default:
						c.team = word
					}
				}
				if p.fee != nil && !c.bot {
					c.paid = p.fee.Amount
				}
				field = append(field, c)
			}
			out, err := p.payout(field, 0)
			require.NoError(t, err)
			assert.Equal(t, strings.TrimSpace(rows[2]), strings.Join(said(p, out), ", "))
		})
	}
}

// read takes one part of a table's first row.
func (p *prizing) read(f []string) {
	switch f[0] {
	case "pass_down":
		p.bots = PassDown
	case "bots":
		p.bots = Include
	case "fee":
		p.fee = &Fee{"coins", readInt(f[1]), readInt(f[2]), Decimal(strings.TrimSuffix(f[3], "%"))}
	case "prize":
		prize := Prize{ID: f[1], Ties: PrizeTies(f[3]), Currency: "coins"}
		if percent, is := strings.CutSuffix(f[2], "%"); is {
			prize.Percent = Decimal(percent)
		} else {
			from, to, _ := strings.Cut(f[2], "-")
			prize.From, prize.To = int(readInt(from)), int(readInt(to))
		}
		if f[4] != "of" {
			prize.Amount = readInt(f[4])
			if len(f) > 5 {
				prize.Currency, prize.Item = "", f[5]
			}
		} else {
			for _, share := range f[5:] {
				prize.Shares = append(prize.Shares, Decimal(share))
			}
		}
		p.prizes = append(p.prizes, prize)
	}
}

func said(p prizing, out payout) []string {
	var lines []string
	for _, g := range out.grants {
		lines = append(lines, fmt.Sprint(g.player, " ", p.prizes[g.prize].ID, " ", g.Amount))
	}
	for _, g := range out.refunds {
		lines = append(lines, fmt.Sprint(g.player, " refund ", g.Amount))
	}
	if kept := out.houseFee + out.unpaid; kept > 0 {
		lines = append(lines, fmt.Sprint("house ", kept))
	}
	return lines
}
