package finalbell

import "maps"

// What a standing earns. So far: points.

// award sets the metric points on every standing where the mode awards it: by result, or to finishers by
// rank. The reported metrics stay the caller's: the map is copied before it is written to.
func award(mode Mode, standings []Standing) {
	if mode.Points == nil {
		return
	}
	for i := range standings {
		s := &standings[i]
		metrics := maps.Clone(s.Metrics)
		if metrics == nil {
			metrics = make(map[string]Number, 1)
		}
		metrics["points"] = pointsOf(*mode.Points, *s)
		s.Metrics = metrics
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
