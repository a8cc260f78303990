package finalbelltest

import (
	"maps"
	"math/big"
	"slices"

	"github.com/finalbell/finalbell"
)

// side is who is ranked in a match: a player, or a team where the mode has teams.
type side struct {
	members  []int // seats
	finished bool
	score    *big.Rat
	breaks   []*big.Rat // a value per tie-break metric, nil without
	status   int
	rank     int
	result   finalbell.Result
}

// unfinished are the statuses of non-finishers in the order in which they are ranked.
func unfinished() []finalbell.Status {
	return []finalbell.Status{finalbell.DNF, finalbell.Forfeit, finalbell.Disqualified, finalbell.Left, finalbell.NoShow}
}

// standings ranks what was said, in roster order, and tells whether it is a draw. A live report speaks of some
// only: the others are ranked as if it were final, but shown as not reported yet.
func standings(mode finalbell.Mode, s said, live bool) (standings []finalbell.Standing, draw bool) {
	standings = slices.Clone(s.seats)
	for i, seat := range standings {
		if _, scored := s.teams[seat.Team]; seat.Status == "" {
			standings[i] = assumed(mode, seat, scored)
		}
	}
	sides := sidesOf(mode, s, standings)
	for i := range sides {
		sides[i].rank = rankIn(mode, sides, i)
	}
	accepted := mode.Ranks == finalbell.AcceptRanks
	for _, seat := range s.seats {
		accepted = accepted && s.ranks[seat.Player] > 0
	}
	if accepted {
		for i := range sides {
			sides[i].rank = s.ranks[s.seats[sides[i].members[0]].Player]
		}
	}
	draw = results(sides)
	position := 0
	for _, x := range listed(mode, sides) {
		for _, seat := range x.members {
			position++
			to := &standings[seat]
			to.Rank, to.Position, to.Result = x.rank, position, x.result
			to.Metrics = withPoints(mode, *to)
			if live {
				to.Outcome, to.Status = s.seats[seat].Outcome, s.seats[seat].Status
			}
		}
	}
	return standings, draw
}

// sidesOf makes the sides of a match, in the order in which they first stand in the roster.
func sidesOf(mode finalbell.Mode, s said, seats []finalbell.Standing) []side {
	var sides []side
	for i, seat := range seats {
		at := slices.IndexFunc(sides, func(x side) bool { return mode.Teams != nil && seats[x.members[0]].Team == seat.Team })
		if at < 0 {
			at = len(sides)
			sides = append(sides, side{})
		}
		sides[at].members = append(sides[at].members, i)
	}
	for i := range sides {
		x := &sides[i]
		var scores []finalbell.Number
		x.status = len(unfinished())
		for _, member := range x.members {
			if seats[member].Status != finalbell.Finished {
				x.status = min(x.status, slices.Index(unfinished(), seats[member].Status))
			} else if seats[member].Outcome.Known() {
				scores = append(scores, seats[member].Outcome)
			}
		}
		if score, reported := s.teams[seats[x.members[0]].Team]; reported && mode.Teams != nil {
			scores = []finalbell.Number{score}
		}
		x.score = foldTeam(mode, mode.Order, scores)
		x.finished = x.score != nil
		for _, tie := range mode.TieBreak {
			var values []finalbell.Number
			for _, member := range x.members {
				if n, has := seats[member].Metrics[tie.Metric]; has {
					values = append(values, n)
				}
			}
			x.breaks = append(x.breaks, foldTeam(mode, tie.Order, values))
		}
	}
	return sides
}

// foldTeam is the sum, mean or best of members' numbers; of one it is that one. None give none.
func foldTeam(mode finalbell.Mode, order finalbell.Order, values []finalbell.Number) *big.Rat {
	if len(values) == 0 {
		return nil
	}
	best, sum := rat(values[0]), new(big.Rat)
	for _, n := range values {
		v := rat(n)
		sum.Add(sum, v)
		if beats(order, v, best) {
			best = v
		}
	}
	switch {
	case mode.Teams != nil && mode.Teams.Fold == finalbell.TeamBest:
		return best
	case mode.Teams != nil && mode.Teams.Fold == finalbell.TeamMean:
		return sum.Quo(sum, big.NewRat(int64(len(values)), 1))
	}
	return sum
}

func rat(n finalbell.Number) *big.Rat {
	r, _ := new(big.Rat).SetString(n.String()) // a known Number prints as a decimal
	return r
}

// beats reports whether a is better than b.
func beats(order finalbell.Order, a, b *big.Rat) bool {
	if order == finalbell.Asc {
		return a.Cmp(b) < 0
	}
	return a.Cmp(b) > 0
}

// better reports whether a did strictly better than b.
func better(mode finalbell.Mode, a, b side) bool {
	switch {
	case a.finished != b.finished:
		return a.finished
	case !a.finished:
		return a.status < b.status
	case a.score.Cmp(b.score) != 0:
		return beats(mode.Order, a.score, b.score)
	}
	for i, tie := range mode.TieBreak {
		switch x, y := a.breaks[i], b.breaks[i]; {
		case x == nil && y == nil:
		case x == nil || y == nil:
			return y == nil
		case x.Cmp(y) != 0:
			return beats(tie.Order, x, y)
		}
	}
	return false
}

// rankIn is the rank of one side among all, in the mode's style. In every style those who did not finish come
// behind all who did, and are equal within a status.
func rankIn(mode finalbell.Mode, sides []side, i int) int {
	above, equal, equalBefore, groups := 0, 0, 0, 0
	for j, other := range sides {
		switch {
		case better(mode, other, sides[i]):
			above++
			if !slices.ContainsFunc(sides[:j], func(x side) bool { return !better(mode, x, other) && !better(mode, other, x) }) {
				groups++
			}
		case !better(mode, sides[i], other):
			equal++
			if j < i {
				equalBefore++
			}
		}
	}
	style := mode.Ties
	if !sides[i].finished {
		style = finalbell.Standard
	}
	switch style {
	case finalbell.Modified:
		return above + equal
	case finalbell.Dense:
		return groups + 1
	case finalbell.Ordinal:
		return above + equalBefore + 1
	}
	return above + 1
}

// results gives every side its result. Of those that finished the best rank leads: alone it wins, shared it
// draws.
func results(sides []side) (draw bool) {
	leading := 0
	for _, x := range sides {
		if x.finished && (leading == 0 || x.rank < leading) {
			leading = x.rank
		}
	}
	leads := func(x side) bool { return x.finished && x.rank == leading }
	leaders := 0
	for _, x := range sides {
		if leads(x) {
			leaders++
		}
	}
	for i := range sides {
		switch {
		case leaders == 0 || len(sides) == 1:
			sides[i].result = finalbell.None
		case !leads(sides[i]):
			sides[i].result = finalbell.Loss
		case leaders == 1:
			sides[i].result = finalbell.Win
		default:
			sides[i].result = finalbell.Draw
		}
	}
	return leaders >= 2 && leaders == len(sides)
}

// listed is the order of the positions: by rank, then by what ranks that were accepted do not tell, then by
// the roster.
func listed(mode finalbell.Mode, sides []side) []side {
	sides = slices.Clone(sides)
	slices.SortStableFunc(sides, func(a, b side) int {
		switch {
		case a.rank != b.rank:
			return a.rank - b.rank
		case better(mode, a, b):
			return -1
		case better(mode, b, a):
			return 1
		}
		return 0
	})
	return sides
}

// withPoints adds the points that the mode awards to what was reported.
func withPoints(mode finalbell.Mode, s finalbell.Standing) map[string]finalbell.Number {
	if mode.Points == nil {
		return s.Metrics
	}
	points := finalbell.Number{}
	p := mode.Points
	switch {
	case len(p.ByRank) > 0:
		if s.Status == finalbell.Finished && s.Rank <= len(p.ByRank) {
			points = p.ByRank[s.Rank-1]
		}
	case s.Result == finalbell.Win:
		points = p.Win
	case s.Result == finalbell.Draw:
		points = p.Draw
	case s.Result == finalbell.Loss:
		points = p.Loss
	}
	if !points.Known() {
		points = finalbell.Int(0)
	}
	metrics := make(map[string]finalbell.Number)
	maps.Copy(metrics, s.Metrics)
	metrics["points"] = points
	return metrics
}
