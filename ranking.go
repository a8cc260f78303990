package finalbell

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
)

// side is who is ranked: a player, or in a team match a team.
type side struct {
	first    int        // the roster index of its first member: its place in the roster
	members  []int      // roster indexes; nil for a player, who is first alone
	finished bool       //
	score    Number     // of a finished side, unless exact is set
	exact    *big.Rat   // a team's score by fold: a sum or mean may be no Number
	breaks   []breaking // by the mode's TieBreak
	status   int        // of a side that did not finish: its place in unfinishedOrder
	reported int        // the rank that came with the report
	rank     int
	result   Result
}

// breaking is a side's value of a tie-break metric.
type breaking struct {
	known bool
	n     Number
	exact *big.Rat
}

// unfinishedOrder is the order in which non-finishers are ranked.
var unfinishedOrder = [...]Status{DNF, Forfeit, Disqualified, Left, NoShow}

// rank orders a contest: the roster in roster order, with outcome and status of everybody, becomes the
// standings by position, and whether the match is a draw. Roster order breaks ties only in the listing, never
// in the rank: whoever is named first must not earn the larger prize. The input is not changed.
func rank(mode Mode, roster []Standing, teams map[string]Number) (standings []Standing, draw bool) {
	sides, draw := rankSides(mode, roster, teams)
	standings = make([]Standing, 0, len(roster))
	for i := range sides {
		standings = sides[i].stand(standings, roster)
	}
	return standings, draw
}

// rankSides is rank for the sides, in the order of the listing.
func rankSides(mode Mode, roster []Standing, teams map[string]Number) (sides []side, draw bool) {
	sides = sidesOf(&mode, roster, teams)
	slices.SortFunc(sides, func(a, b side) int {
		if c := compareSides(&mode, &a, &b); c != 0 {
			return c
		}
		return cmp.Compare(a.first, b.first)
	})
	finishers := 0
	for finishers < len(sides) && sides[finishers].finished {
		finishers++
	}
	rankFinishers(&mode, sides[:finishers])
	rankUnfinished(sides[finishers:], finishers)
	if accepted(&mode, sides) {
		for i := range sides {
			sides[i].rank = sides[i].reported
		}
		slices.SortStableFunc(sides, func(a, b side) int { return cmp.Compare(a.rank, b.rank) })
	}
	return sides, decide(sides)
}

// stand appends a side's members as they stand, in roster order.
func (s *side) stand(standings, roster []Standing) []Standing {
	members := s.members
	if members == nil {
		members = []int{s.first}
	}
	for _, m := range members {
		p := roster[m]
		p.Rank, p.Position, p.Result = s.rank, len(standings)+1, s.result
		standings = append(standings, p)
	}
	return standings
}

// sidesOf makes the sides of a match, in the order in which they first stand in the roster.
func sidesOf(mode *Mode, roster []Standing, teams map[string]Number) []side {
	sides := make([]side, 0, len(roster))
	if mode.Teams == nil {
		breaks := make([]breaking, 0, len(roster)*len(mode.TieBreak))
		for i := range roster {
			s := &roster[i]
			p := side{first: i, finished: s.Status == Finished && s.Outcome.Known(), score: s.Outcome,
				status: slices.Index(unfinishedOrder[:], s.Status), reported: s.reported}
			for _, t := range mode.TieBreak {
				n := s.Metrics[t.Metric]
				breaks = append(breaks, breaking{known: n.Known(), n: n})
			}
			p.breaks = breaks[len(breaks)-len(mode.TieBreak):]
			sides = append(sides, p)
		}
		return sides
	}
	at := make(map[string]int)
	for i, s := range roster {
		t, there := at[s.Team]
		if !there {
			t = len(sides)
			at[s.Team] = t
			sides = append(sides, side{first: i, reported: s.reported})
		}
		sides[t].members = append(sides[t].members, i)
	}
	for i := range sides {
		sides[i].takeTeam(mode, roster, teams)
	}
	return sides
}

// takeTeam works out a team's score from its own report or its members'.
func (s *side) takeTeam(mode *Mode, roster []Standing, teams map[string]Number) {
	s.status = len(unfinishedOrder)
	var scores []Number
	for _, m := range s.members {
		p := roster[m]
		if p.Status == Finished && p.Outcome.Known() {
			scores = append(scores, p.Outcome)
		}
		if at := slices.Index(unfinishedOrder[:], p.Status); at >= 0 {
			s.status = min(s.status, at)
		}
	}
	s.score, s.finished = teams[roster[s.first].Team]
	if !s.finished && len(scores) > 0 {
		s.finished = true
		s.exact = foldTeam(mode.Teams.Fold, mode.Order, scores)
	}
	if !s.finished {
		return
	}
	for _, t := range mode.TieBreak {
		var values []Number
		for _, m := range s.members {
			if n := roster[m].Metrics[t.Metric]; n.Known() {
				values = append(values, n)
			}
		}
		if len(values) == 0 {
			s.breaks = append(s.breaks, breaking{})
			continue
		}
		s.breaks = append(s.breaks, breaking{known: true, exact: foldTeam(mode.Teams.Fold, t.Order, values)})
	}
}

// foldTeam is the exact sum, mean or best of members' numbers.
func foldTeam(fold TeamFold, order Order, numbers []Number) *big.Rat {
	if fold == TeamBest {
		return slices.MinFunc(numbers, func(a, b Number) int { return directed(order, a.Cmp(b)) }).rat()
	}
	sum := new(big.Rat)
	for _, n := range numbers {
		sum.Add(sum, n.rat())
	}
	if fold == TeamMean {
		sum.Quo(sum, big.NewRat(int64(len(numbers)), 1))
	}
	return sum
}

// directed turns a comparison so that the better one by the order is the smaller.
func directed(order Order, c int) int {
	if order == Asc {
		return c
	}
	return -c
}

// compareSides is negative when a is better than b and 0 when they are tied: finishers by outcome, then by
// the tie-break metrics; then non-finishers by status alone.
func compareSides(mode *Mode, a, b *side) int {
	switch {
	case a.finished && !b.finished:
		return -1
	case !a.finished && b.finished:
		return 1
	case !a.finished:
		return cmp.Compare(a.status, b.status)
	}
	if c := directed(mode.Order, compareExact(a.score, a.exact, b.score, b.exact)); c != 0 {
		return c
	}
	for i, t := range mode.TieBreak {
		x, y := a.breaks[i], b.breaks[i]
		switch {
		case x.known && !y.known:
			return -1
		case !x.known && y.known:
			return 1
		case !x.known:
			continue
		}
		if c := directed(t.Order, compareExact(x.n, x.exact, y.n, y.exact)); c != 0 {
			return c
		}
	}
	return 0
}

// compareExact compares two values, each a Number or, where a fold made it, a fraction.
func compareExact(a Number, x *big.Rat, b Number, y *big.Rat) int {
	if x == nil && y == nil {
		return a.Cmp(b)
	}
	if x == nil {
		x = a.rat()
	}
	if y == nil {
		y = b.rat()
	}
	return x.Cmp(y)
}

// rankFinishers ranks sorted sides that finished, in the mode's style.
func rankFinishers(mode *Mode, sides []side) {
	groups := 0
	for i := 0; i < len(sides); groups++ {
		next := i + 1
		for next < len(sides) && compareSides(mode, &sides[i], &sides[next]) == 0 {
			next++
		}
		for j := i; j < next; j++ {
			switch mode.Ties {
			case Modified:
				sides[j].rank = next
			case Dense:
				sides[j].rank = groups + 1
			case Ordinal:
				sides[j].rank = j + 1
			default:
				sides[j].rank = i + 1
			}
		}
		i = next
	}
}

// rankUnfinished ranks sorted sides that did not finish: behind all finishers and all earlier statuses, equal
// within a status, in every style.
func rankUnfinished(sides []side, finishers int) {
	for i := range sides {
		if i > 0 && sides[i].status == sides[i-1].status {
			sides[i].rank = sides[i-1].rank
			continue
		}
		sides[i].rank = finishers + i + 1
	}
}

// accepted reports whether the ranks that came with the report are the ranks.
func accepted(mode *Mode, sides []side) bool {
	return mode.Ranks == AcceptRanks && !slices.ContainsFunc(sides, func(s side) bool { return s.reported == 0 })
}

// decide gives every side its result: of those that finished the ones with the smallest rank lead. One leader
// wins; several draw, and if nobody stands behind them the match is a draw.
func decide(sides []side) (draw bool) {
	best, leaders := 0, 0
	for _, s := range sides {
		switch {
		case !s.finished:
		case best == 0 || s.rank < best:
			best, leaders = s.rank, 1
		case s.rank == best:
			leaders++
		}
	}
	for i := range sides {
		s := &sides[i]
		switch {
		case len(sides) == 1 || leaders == 0:
			s.result = None
		case !s.finished || s.rank != best:
			s.result = Loss
		case leaders == 1:
			s.result = Win
		default:
			s.result = Draw
		}
	}
	return leaders > 1 && leaders == len(sides)
}

// checkReported refuses ranks that came with outcomes and are not ours.
func checkReported(mode Mode, standings []Standing) error {
	var wrong []string
	text := ""
	for _, s := range standings {
		if s.reported > 0 && s.reported != s.Rank {
			if text == "" {
				text = quote(s.Player) + ": reported rank " + strconv.Itoa(s.reported) + ", but the outcomes give " + strconv.Itoa(s.Rank)
			}
			wrong = append(wrong, s.Player)
		}
	}
	if wrong == nil {
		return nil
	}
	return refuse(ErrOutcome, text, wrong...)
}
