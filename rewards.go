package finalbell

// What a standing earns. So far: points.

// award sets the metric points on every standing where the mode awards it: by result, or to finishers by
// rank. It writes into the standings' own maps.
func award(mode Mode, standings []Standing) {
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
