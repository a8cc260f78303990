package finalbelltest

import (
	"strconv"
	"time"

	"github.com/finalbell/finalbell"
	"pgregory.net/rapid"
)

// Economy draws what Rules does and money with it: fees, prizes, experience, levels and achievements.
func Economy() *rapid.Generator[finalbell.Rules] {
	return rapid.Custom(func(t *rapid.T) finalbell.Rules {
		r := Rules().Draw(t, "rules")
		for _, id := range []string{"coins", "gems"} {
			r.Currencies = append(r.Currencies, finalbell.Currency{ID: id, Shortfall: pick(t, "shortfall", "", finalbell.ShortfallDebt, finalbell.ShortfallFloor)})
		}
		for i := range r.Modes {
			drawEconomy(t, &r.Modes[i])
		}
		for i := range r.Boards {
			if r.Boards[i].Of != finalbell.OfTeams && !once(t, 3, "no prizes") {
				r.Boards[i].Prizes = drawFixedPrizes(t)
			}
		}
		if !once(t, 3, "no levels") {
			r.Levels = drawLevels(t)
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "achievements") {
			r.Achievements = append(r.Achievements, drawAchievement(t, "achievement-"+strconv.Itoa(i+1), r.Modes))
		}
		return r
	})
}

func drawEconomy(t *rapid.T, m *finalbell.Mode) {
	m.Bots.Prizes = pick(t, "bots' prizes", "", finalbell.Exclude, finalbell.Include, finalbell.PassDown)
	m.Bots.Achievements = pick(t, "bots' achievements", "", finalbell.Exclude, finalbell.Include)
	m.Unfinished.Prizes = pick(t, "prizes of the unfinished", "", finalbell.Exclude, finalbell.Include)
	if !once(t, 3, "no prizes") {
		m.Prizes = drawFixedPrizes(t)
	}
	if !once(t, 4, "no fee") {
		m.Fee = &finalbell.Fee{Currency: pick(t, "fee currency", "coins", "gems"), Amount: pick[int64](t, "fee", 1, 5, 7, 10),
			HouseFlat: pick[int64](t, "flat", 0, 0, 1), HousePercent: pick(t, "percent", finalbell.Number{}, finalbell.Int(0), finalbell.Decimal("12.5"))}
		if m.Fee.Amount == 1 {
			m.Fee.HouseFlat = 0
		}
		shares := pick(t, "shares", nil, numbers("50", "30", "20"), numbers("100"), numbers("33.3", "33.3"), numbers("10", "20", "30"))
		if shares != nil {
			m.Prizes = append(m.Prizes, finalbell.Prize{ID: "pool", From: pick(t, "first place", 1, 1, 1, 2), Shares: shares, Ties: drawPrizeTies(t)})
			if once(t, 3, "claim") {
				m.Prizes[len(m.Prizes)-1].Claim = true
			}
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "gains") {
		m.XP = append(m.XP, finalbell.Gain{Marker: pick(t, "marker", "", "xp", "honour"), Metric: pick(t, "gained by", "", "played", "kills", "wins", "outcome"),
			Amount: pick[int64](t, "gain", 1, 3, 10)})
	}
}

func drawPrizeTies(t *rapid.T) finalbell.PrizeTies {
	return pick(t, "prize ties", "", finalbell.FullPrize, finalbell.PoolPrize, finalbell.DownOnlyPrize, finalbell.TieBreakPrize)
}

// drawFixedPrizes draws a table without shares: by place, by percentage, or both.
func drawFixedPrizes(t *rapid.T) []finalbell.Prize {
	var prizes []finalbell.Prize
	if !once(t, 4, "none by place") {
		give := drawReward(t)
		first := prizeOf("first", give)
		first.From, first.To = 1, pick(t, "to", 1, 1, 2, 0)
		prizes = append(prizes, first)
		if first.To > 0 && once(t, 2, "behind") {
			behind := prizeOf("behind", give)
			behind.From, behind.To, behind.Amount = first.To+1, pick(t, "to", 3, 0), 3
			prizes = append(prizes, behind)
		}
	}
	if once(t, 3, "by percentage") {
		give := drawReward(t)
		for i, percent := range []string{"10", "50"} {
			prize := prizeOf("top-"+percent, give)
			prize.Percent, prize.Amount = finalbell.Decimal(percent), int64(7-i)
			prizes = append(prizes, prize)
		}
	}
	for i := range prizes {
		prizes[i].Ties = drawPrizeTies(t)
		if once(t, 3, "claim") {
			prizes[i].Claim, prizes[i].Expires = true, pick(t, "expires", 0, 2*time.Second, 26*time.Hour)
		}
	}
	return prizes
}

func prizeOf(id string, r finalbell.Reward) finalbell.Prize {
	return finalbell.Prize{ID: id, Currency: r.Currency, Item: r.Item, Marker: r.Marker, Custom: r.Custom, Amount: r.Amount}
}

func drawReward(t *rapid.T) finalbell.Reward {
	return pick(t, "reward",
		finalbell.Reward{Currency: "coins", Amount: 5}, finalbell.Reward{Currency: "gems", Amount: 2}, finalbell.Reward{Item: "hat"},
		finalbell.Reward{Item: "key", Amount: 2}, finalbell.Reward{Marker: "xp", Amount: 8}, finalbell.Reward{Marker: "honour", Amount: 1}, finalbell.Reward{Custom: "a title"})
}

func drawLevels(t *rapid.T) []finalbell.Level {
	xp := finalbell.Level{Marker: "xp", Thresholds: pick(t, "thresholds", []int64{0, 10, 30}, []int64{5, 10, 15, 20}), Rewards: map[string][]finalbell.Reward{}}
	for _, level := range []string{"2", "3"} {
		for range rapid.IntRange(0, 2).Draw(t, "rewards of level "+level) {
			xp.Rewards[level] = append(xp.Rewards[level], drawReward(t))
		}
	}
	honour := finalbell.Level{Marker: "honour", Thresholds: []int64{1, 3}, Rewards: map[string][]finalbell.Reward{"1": {drawReward(t)}, "2": {drawReward(t)}}}
	return pick(t, "levels", []finalbell.Level{xp}, []finalbell.Level{xp, honour}, []finalbell.Level{honour, xp})
}

func drawAchievement(t *rapid.T, id string, modes []finalbell.Mode) finalbell.Achievement {
	a := finalbell.Achievement{
		ID:        id,
		Threshold: pick(t, "threshold", finalbell.Int(1), finalbell.Int(2), finalbell.Int(3)),
		Type:      pick(t, "type", "", finalbell.Once, finalbell.Cumulative, finalbell.Streak),
		Window:    pick(t, "window", "", finalbell.AllTime, finalbell.Daily, finalbell.Weekly, finalbell.Monthly),
		Revoke:    once(t, 2, "revoke"),
	}
	if once(t, 4, "by rank") {
		a.Rank = pick(t, "rank", 1, 2)
	} else {
		a.Metric = pick(t, "metric", "wins", "played", "kills", "losses")
	}
	if len(modes) > 1 && once(t, 3, "not all modes") {
		a.Modes = []string{rapid.SampledFrom(modes).Draw(t, "mode").ID}
	}
	for range rapid.IntRange(0, 2).Draw(t, "rewards") {
		a.Rewards = append(a.Rewards, drawReward(t))
	}
	return a
}
