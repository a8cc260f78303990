package finalbell

import (
	"cmp"
	"fmt"
	"math"
	"strings"
)

// What a prize table, a fee and a reward may say.

// mostGiven is the most that one rule gives or takes at once: every such amount is exact in whatever program reads it.
const mostGiven = 1 << 53

// currencies checks the currencies.
func (c *checker) currencies(currencies []Currency) map[string]bool {
	known := make(map[string]bool, len(currencies))
	for i, currency := range currencies {
		path := fmt.Sprintf("currencies[%d].id", i)
		c.id(path, currency.ID)
		if known[currency.ID] {
			c.fail(path, "%s comes twice", quote(currency.ID))
		}
		known[currency.ID] = true
		checkWord(c, fmt.Sprintf("currencies[%d].shortfall", i), currency.Shortfall)
	}
	return known
}

func (c *checker) currency(path, id string, known map[string]bool) {
	c.id(path, id)
	if !known[id] {
		c.fail(path, "no currency %s", quote(id))
	}
}

func (c *checker) fee(path string, f *Fee, known map[string]bool) {
	if f == nil {
		return
	}
	c.currency(path+".currency", f.Currency, known)
	c.amount(path+".amount", f.Amount)
	if f.HouseFlat < 0 || f.HouseFlat > f.Amount {
		c.fail(path+".house_flat", "%d is not between 0 and the fee of %d", f.HouseFlat, f.Amount)
	}
	c.percentage(path+".house_percent", f.HousePercent)
	// Beyond this the house would take all and the rules would mean something else than they say.
	if c.err == nil && f.HouseFlat > f.Amount-percentOf(f.Amount, f.HousePercent) {
		c.fail(path, "house_flat %d and house_percent %s together are more than the fee of %d", f.HouseFlat, f.HousePercent, f.Amount)
	}
}

// amount refuses what nothing, or too much, would be given by.
func (c *checker) amount(path string, n int64) {
	switch {
	case n < 1:
		c.fail(path, "%d is less than 1", n)
	case n > mostGiven:
		c.fail(path, "%d is more than %d", n, int64(mostGiven))
	}
}

// rewards checks a list of rewards.
func (c *checker) rewards(path string, rewards []Reward, known map[string]bool) {
	for i, r := range rewards {
		c.reward(fmt.Sprintf("%s[%d]", path, i), r.withDefaults(), known)
	}
}

// reward checks what is given, an amount of one thing.
func (c *checker) reward(path string, r Reward, known map[string]bool) {
	named := r.kinds()
	if len(named) != 1 {
		c.fail(path, "needs one of currency, item, marker and custom, found %s", cmp.Or(strings.Join(named, " and "), "none"))
		return
	}
	kind, what := r.gives()
	if kind == currencyReward {
		c.currency(path+".currency", what, known)
	}
	c.id(path+"."+string(kind), what)
	c.amount(path+".amount", r.Amount)
}

// percentage refuses what is not between 0 and 100; an unknown number is 0.
func (c *checker) percentage(path string, n Number) {
	c.number(path, n)
	if c.err == nil && n.Known() && (n.Cmp(Int(0)) < 0 || n.Cmp(Int(100)) > 0) {
		c.fail(path, "%s is not between 0 and 100 percent", n)
	}
}

// prizes checks a prize table. A board's has no fee.
func (c *checker) prizes(path string, prizes []Prize, fee *Fee, known map[string]bool) {
	ids := make(map[string]bool, len(prizes))
	for i, p := range prizes {
		path := fmt.Sprintf("%s[%d]", path, i)
		c.id(path+".id", p.ID)
		if ids[p.ID] {
			c.fail(path+".id", "%s comes twice", quote(p.ID))
		}
		ids[p.ID] = true
		checkWord(c, path+".ties", p.Ties)
		p = p.withDefaults()
		c.places(path, p)
		c.worth(path, p, fee, known)
		c.duration(path+".expires", p.Expires)
		if p.Expires != 0 && !p.Claim {
			c.fail(path+".expires", "only what is to be claimed expires")
		}
	}
	if c.err != nil {
		return
	}
	var shares uint64
	for i, p := range prizes {
		path := fmt.Sprintf("%s[%d]", path, i)
		for _, other := range prizes[:i] {
			c.apart(path, p, other, prizing{fee: fee})
		}
		for k, share := range p.Shares {
			if shares += percentUnits(share); shares > hundred {
				c.fail(fmt.Sprintf("%s.shares[%d]", path, k), "the shares of the table come to %s percent, more than 100", fromUnits(int64(shares), maxScale))
			}
		}
	}
}

// places checks for which places a prize is.
func (c *checker) places(path string, p Prize) {
	c.percentage(path+".percent", p.Percent)
	c.notNegative(path+".from", p.From)
	c.notNegative(path+".to", p.To)
	switch {
	case p.byPercent() && (p.From != 0 || p.To != 0):
		c.fail(path, "either from and to, or percent, not both")
	case !p.byPercent() && p.From == 0:
		c.fail(path+".from", "needs a place, 1 or more; or give percent")
	case p.To != 0 && p.From > p.To:
		c.fail(path, "from %d is more than to %d", p.From, p.To)
	}
}

// worth checks what a prize gives.
func (c *checker) worth(path string, p Prize, fee *Fee, known map[string]bool) {
	switch {
	case !p.pooled() && p.Amount == 0:
		c.fail(path, "needs an amount or shares")
	case !p.pooled():
		c.reward(path, p.fixed(), known)
	case p.Item != "" || p.Marker != "" || p.Custom != "":
		c.fail(path, "shares are of the pool, which is money and no %s", Reward{Item: p.Item, Marker: p.Marker, Custom: p.Custom}.kinds()[0])
	case p.Amount != 0:
		c.fail(path, "either an amount or shares, not both")
	case fee == nil:
		c.fail(path+".shares", "without a fee there is no pool to share")
	case p.Currency != "" && p.Currency != fee.Currency:
		c.fail(path+".currency", "the pool is in %s, the currency of the fee, not in %s", quote(fee.Currency), quote(p.Currency))
	case p.To != 0 && len(p.Shares) != p.To-p.From+1:
		c.fail(path+".shares", "from %d to %d there is a share a place, %d and not %d", p.From, p.To, p.To-p.From+1, len(p.Shares))
	}
	for k, share := range p.Shares {
		path := fmt.Sprintf("%s.shares[%d]", path, k)
		c.percentage(path, share)
		if !share.Known() || share == Int(0) {
			c.fail(path, "is nothing")
		}
	}
}

// apart refuses two prizes of the same for the same places: it could not be told whether both are meant.
func (c *checker) apart(path string, p, other Prize, in prizing) {
	_, what := in.unit(p).gives()
	switch {
	case !in.alike(p, other) || p.byPercent() != other.byPercent():
	case p.byPercent() && p.Percent == other.Percent:
		c.fail(path+".percent", "%s gives %s to %s percent too", quote(other.ID), quote(what), p.Percent)
	case !p.byPercent() && p.From <= other.end() && other.From <= p.end():
		c.fail(path, "has places to which %s gives %s too", quote(other.ID), quote(what))
	}
}

// end is the last place of a range that the prize gives anything for.
func (p Prize) end() int {
	if p.pooled() {
		return p.From + len(p.Shares) - 1
	}
	return cmp.Or(p.To, math.MaxInt)
}
