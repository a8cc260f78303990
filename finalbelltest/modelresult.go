package finalbelltest

import (
	"math/big"
	"slices"

	"github.com/finalbell/finalbell"
)

// bring is what an ended match brings to a board, in the order of its positions. It returns false if the board
// cannot keep a number.
func bring(board finalbell.BoardRule, mode finalbell.Mode, p played) ([]brought, bool) {
	round, numbered := roundNumber(p.match.Round)
	if !numbered {
		round = -1
	}
	var all []brought
	var members [][][]cell // per element of all, the cells of each member
	for _, s := range p.show().Standings {
		id := subject(board, s)
		partition, in := partitionOf(board, p.match, s)
		if id == "" || !in || !counts(mode, s) {
			continue
		}
		cells, ok := cellsOf(board, mode.ID, s)
		if !ok {
			return nil, false
		}
		at := slices.IndexFunc(all, func(b brought) bool { return b.id == id })
		if at < 0 {
			at = len(all)
			all = append(all, brought{id: id, partition: partition, at: p.match.EndedAt, order: p.order, place: s.Position, round: round})
			members = append(members, nil)
		}
		members[at] = append(members[at], cells)
	}
	for i := range all {
		all[i].cells = combine(board, members[i])
		for _, c := range all[i].cells {
			if c.units != nil && !c.units.IsInt64() {
				return nil, false
			}
		}
	}
	return all, true
}

// subject is whose entry a standing counts for.
func subject(board finalbell.BoardRule, s finalbell.Standing) string {
	if board.Of == finalbell.OfTeams {
		return s.Team
	}
	return s.Player
}

// partitionOf is the part of the board that a standing counts in; false for none.
func partitionOf(board finalbell.BoardRule, match finalbell.Match, s finalbell.Standing) (string, bool) {
	by := board.Partition
	if by == nil {
		return "", true
	}
	value := match.Attributes[by.Attribute]
	if by.Of == finalbell.OfPlayer {
		value = s.Attributes[by.Attribute]
	}
	return value, value != ""
}

// counts reports whether a standing counts on boards.
func counts(mode finalbell.Mode, s finalbell.Standing) bool {
	if s.Bot && mode.Bots.Boards != finalbell.Include {
		return false
	}
	return s.Status == finalbell.Finished || mode.Unfinished.Boards != finalbell.Exclude
}

func feeds(key finalbell.Key, mode string) bool {
	return len(key.Modes) == 0 || slices.Contains(key.Modes, mode)
}

func cellsOf(board finalbell.BoardRule, mode string, s finalbell.Standing) ([]cell, bool) {
	cells := make([]cell, len(board.Keys))
	for i, key := range board.Keys {
		switch {
		case !feeds(key, mode):
		case key.Fold == finalbell.FoldCountback:
			cells[i].fed = true
			if s.Status == finalbell.Finished {
				cells[i].places = []int{s.Rank}
			}
		case key.Fold == finalbell.FoldCount && key.Metric == "":
			cells[i].fed = true
		default:
			n, has := metric(s, key.Metric)
			if !has {
				continue
			}
			cells[i].fed = true
			if key.Fold == finalbell.FoldCount {
				continue
			}
			units := rat(n)
			units.Mul(units, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(key.Scale)), nil)))
			if !units.IsInt() && !key.Round {
				return nil, false
			}
			cells[i].units = halfEven(units)
			if !cells[i].units.IsInt64() {
				return nil, false
			}
		}
	}
	return cells, true
}

// metric is what a standing is worth under a name.
func metric(s finalbell.Standing, name string) (finalbell.Number, bool) {
	is := func(r finalbell.Result) (finalbell.Number, bool) {
		if s.Result == r {
			return finalbell.Int(1), true
		}
		return finalbell.Int(0), true
	}
	switch name {
	case "outcome":
		return s.Outcome, s.Status == finalbell.Finished && s.Outcome.Known()
	case "rank":
		return finalbell.Int(int64(s.Rank)), s.Status == finalbell.Finished
	case "played":
		return finalbell.Int(1), true
	case "wins":
		return is(finalbell.Win)
	case "draws":
		return is(finalbell.Draw)
	case "losses":
		return is(finalbell.Loss)
	}
	n, has := s.Metrics[name]
	return n, has
}

// combine joins what the members of a team bring in one match; a player alone brings what they have.
func combine(board finalbell.BoardRule, members [][]cell) []cell {
	if len(members) == 1 {
		return members[0]
	}
	best := board.PerMatch == finalbell.PerMatchBest
	whole := members[0] // the member whose row counts, if only the best one's does
	for _, cells := range members[1:] {
		if rowIsBetter(board, cells, whole) {
			whole = cells
		}
	}
	out := make([]cell, len(board.Keys))
	for i, key := range board.Keys {
		if best && isRow(key) {
			out[i] = whole[i]
			continue
		}
		for _, cells := range members {
			c := cells[i]
			switch {
			case key.Fold == finalbell.FoldCountback:
				out[i].places = append(slices.Clip(out[i].places), c.places...)
			case c.units == nil:
			case best && (out[i].units == nil || compareValues(key, value{units: c.units}, value{units: out[i].units}) < 0):
				out[i].units = c.units
			case !best:
				out[i].units = new(big.Int).Add(orZero(out[i].units), c.units)
			}
			out[i].fed = out[i].fed || c.fed
		}
		if best && len(out[i].places) > 0 {
			out[i].places = []int{slices.Min(out[i].places)}
		}
	}
	return out
}

// rowIsBetter compares two members by the keys that take whole rows; who has no number comes behind.
func rowIsBetter(board finalbell.BoardRule, a, b []cell) bool {
	for i, key := range board.Keys {
		switch x, y := a[i].units, b[i].units; {
		case !isRow(key) || x == nil && y == nil:
		case x == nil || y == nil:
			return y == nil
		default:
			if c := compareValues(key, value{units: x}, value{units: y}); c != 0 {
				return c < 0
			}
		}
	}
	return false
}
