package finalbell

import (
	"cmp"
	"maps"
	"slices"
)

// withDefaults returns a copy of the rules in which every default is explicit, and which shares no memory
// with r. What Validate takes, it takes with its defaults too.
func (r Rules) withDefaults() Rules {
	r.Currencies = each(r.Currencies, func(c Currency) Currency {
		c.Shortfall = cmp.Or(c.Shortfall, ShortfallDebt)
		return c
	})
	r.Modes = each(r.Modes, Mode.withDefaults)
	r.Boards = each(r.Boards, BoardRule.withDefaults)
	r.Achievements = each(r.Achievements, func(a Achievement) Achievement {
		a.Modes, a.Rewards = slices.Clone(a.Modes), each(a.Rewards, Reward.withDefaults)
		a.Type, a.Window = cmp.Or(a.Type, Once), cmp.Or(a.Window, AllTime)
		return a
	})
	r.Levels = each(r.Levels, func(l Level) Level {
		l.Thresholds, l.Rewards = slices.Clone(l.Thresholds), maps.Clone(l.Rewards)
		for level, rewards := range l.Rewards {
			l.Rewards[level] = each(rewards, Reward.withDefaults)
		}
		return l
	})
	r.Sessions.Devices = cmp.Or(r.Sessions.Devices, OneDevice)
	return r
}

// each is a new list of what f makes of the elements; nil stays nil.
func each[T, U any](list []T, f func(T) U) []U {
	if list == nil {
		return nil
	}
	out := make([]U, len(list))
	for i, element := range list {
		out[i] = f(element)
	}
	return out
}

func (m Mode) withDefaults() Mode {
	m.Order, m.Ties = cmp.Or(m.Order, Desc), cmp.Or(m.Ties, Standard)
	m.TieBreak = each(m.TieBreak, func(t TieBreak) TieBreak {
		t.Order = cmp.Or(t.Order, Desc)
		return t
	})
	if m.Points != nil {
		p := m.Points.withDefaults()
		m.Points = &p
	}
	m.Players.Min = cmp.Or(m.Players.Min, 1)
	if m.Teams != nil {
		m.Teams = &Teams{MaxSize: m.Teams.MaxSize, Fold: cmp.Or(m.Teams.Fold, TeamSum)}
	}
	m.Reports, m.Ranks, m.OnCrash = cmp.Or(m.Reports, Authority), cmp.Or(m.Ranks, ComputeRanks), cmp.Or(m.OnCrash, ResumeMatches)
	m.OnSessionEnd = cmp.Or(m.OnSessionEnd, KeepSeat)
	m.Bounds = maps.Clone(m.Bounds)
	m.Bots = BotPolicy{
		Boards: cmp.Or(m.Bots.Boards, Exclude), Stats: cmp.Or(m.Bots.Stats, Exclude), Rating: cmp.Or(m.Bots.Rating, Exclude),
		Prizes: cmp.Or(m.Bots.Prizes, Exclude), Achievements: cmp.Or(m.Bots.Achievements, Exclude),
	}
	m.Unfinished = UnfinishedPolicy{
		Boards: cmp.Or(m.Unfinished.Boards, Include), Stats: cmp.Or(m.Unfinished.Stats, Include),
		Rating: cmp.Or(m.Unfinished.Rating, Include), Prizes: cmp.Or(m.Unfinished.Prizes, Exclude),
	}
	if m.Fee != nil {
		fee := *m.Fee
		m.Fee = &fee
	}
	if m.Rating != nil {
		m.Rating = &RatingRule{System: cmp.Or(m.Rating.System, string(elo))}
	}
	m.Boards = slices.Clone(m.Boards)
	m.Prizes = each(m.Prizes, Prize.withDefaults)
	m.XP = each(m.XP, func(g Gain) Gain {
		g.Marker, g.Metric = cmp.Or(g.Marker, "xp"), cmp.Or(g.Metric, "played")
		return g
	})
	return m
}

// withDefaults makes unknown points 0, under the way of awarding that is meant.
func (p Points) withDefaults() Points {
	if len(p.ByRank) == 0 {
		return Points{Win: cmp.Or(p.Win, Int(0)), Draw: cmp.Or(p.Draw, Int(0)), Loss: cmp.Or(p.Loss, Int(0))}
	}
	p.ByRank = each(p.ByRank, func(n Number) Number { return cmp.Or(n, Int(0)) })
	return p
}

func (b BoardRule) withDefaults() BoardRule {
	b.Of, b.PerMatch, b.Ties = cmp.Or(b.Of, OfPlayers), cmp.Or(b.PerMatch, PerMatchSum), cmp.Or(b.Ties, ShareRank)
	b.Keys = each(b.Keys, func(k Key) Key {
		k.Fold, k.Order = cmp.Or(k.Fold, FoldSum), cmp.Or(k.Order, Desc)
		k.Best, k.Modes = slices.Clone(k.Best), slices.Clone(k.Modes)
		if k.Fold == FoldCountback {
			k.Places = cmp.Or(k.Places, maxPlaces)
		}
		return k
	})
	b.Prizes = each(b.Prizes, Prize.withDefaults)
	w := &b.Window
	w.Every, w.N, w.By = cmp.Or(w.Every, AllTime), cmp.Or(w.N, 1), cmp.Or(w.By, ByEnd)
	w.WeekStart, w.Zone = cmp.Or(w.WeekStart, string(monday)), cmp.Or(w.Zone, "UTC")
	w.Fixed = slices.Clone(w.Fixed)
	if b.Partition != nil {
		b.Partition = &Partition{Of: cmp.Or(b.Partition.Of, OfMatch), Attribute: b.Partition.Attribute}
	}
	return b
}

func (p Prize) withDefaults() Prize {
	p.Shares = slices.Clone(p.Shares)
	p.Ties = cmp.Or(p.Ties, FullPrize)
	if p.Item != "" || p.Custom != "" {
		p.Amount = cmp.Or(p.Amount, 1)
	}
	return p
}

func (r Reward) withDefaults() Reward {
	if r.Item != "" || r.Custom != "" {
		r.Amount = cmp.Or(r.Amount, 1)
	}
	return r
}
