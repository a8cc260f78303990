package finalbell

// What a reward is of, and the points that a standing earns.

// rewardKind is what a reward is of. The words are stored, and stay for ever.
type rewardKind string

const (
	currencyReward rewardKind = "currency"
	itemReward     rewardKind = "item"
	markerReward   rewardKind = "marker"
	customReward   rewardKind = "custom"
)

// gives is what a reward is an amount of; of a valid one there is one kind.
func (r Reward) gives() (rewardKind, string) {
	switch {
	case r.Currency != "":
		return currencyReward, r.Currency
	case r.Item != "":
		return itemReward, r.Item
	case r.Marker != "":
		return markerReward, r.Marker
	}
	return customReward, r.Custom
}

// kinds are all of which a reward names something, valid or not.
func (r Reward) kinds() []string {
	var kinds []string
	for _, field := range []struct {
		kind rewardKind
		what string
	}{{currencyReward, r.Currency}, {itemReward, r.Item}, {markerReward, r.Marker}, {customReward, r.Custom}} {
		if field.what != "" {
			kinds = append(kinds, string(field.kind))
		}
	}
	return kinds
}

// awardPoints sets the metric points on every standing where the mode awards it: by result, or to finishers by
// rank. It writes into the standings' own maps.
func awardPoints(mode Mode, standings []Standing) {
	if mode.Points == nil {
		return
	}
	for i := range standings {
		s := &standings[i]
		if s.Metrics == nil {
			s.Metrics = make(map[string]Number, 1)
		}
		s.Metrics["points"] = pointsOf(*mode.Points, *s)
	}
}

func pointsOf(p Points, s Standing) Number {
	var n Number
	if len(p.ByRank) > 0 {
		if s.Status == Finished && s.Rank >= 1 && s.Rank <= len(p.ByRank) {
			n = p.ByRank[s.Rank-1]
		}
	} else {
		switch s.Result {
		case Win:
			n = p.Win
		case Draw:
			n = p.Draw
		case Loss:
			n = p.Loss
		}
	}
	if !n.Known() {
		return Int(0)
	}
	return n
}
