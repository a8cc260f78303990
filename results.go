package finalbell

import (
	"fmt"
	"slices"
)

// A match brings one result to each player's entry, and one to each team's on a board of teams. This file
// turns the standings of an ended match into those results.

// subjectResult is a result and whose it is.
type subjectResult struct {
	id        string
	partition string // of the board
	result
}

// results are what m brings to a board, in the order of the standings. Nobody gets one from a match of no
// contest. A value that the board cannot keep exactly is refused, unless its key rounds.
func results(b BoardRule, mode Mode, m Match) ([]subjectResult, error) {
	if m.NoContest || m.State != Ended {
		return nil, nil
	}
	round, ok := roundNumber(m.Round)
	if !ok {
		round = -1
	}
	at := moment{at: m.EndedAt.UnixMilli(), position: m.position}
	standings := slices.Clone(m.roster)
	slices.SortFunc(standings, func(x, y Standing) int { return x.Position - y.Position })
	var out []subjectResult
	index := make(map[string]int) // of each id in out
	for _, s := range standings {
		id := b.subject(s)
		partition, in := b.partition(m, s)
		if id == "" || !in || !counts(mode, s) {
			continue
		}
		cells, err := cellsOf(b, mode.ID, s)
		if err != nil {
			return nil, err
		}
		if i, there := index[id]; there && b.Of == OfTeams {
			if out[i].cells, err = combine(b, out[i].cells, cells); err != nil {
				return nil, blame(err, id)
			}
			continue
		}
		index[id] = len(out)
		at.place = s.Position
		out = append(out, subjectResult{id, partition, result{moment: at, round: round, cells: cells}})
	}
	return out, nil
}

// subject is whom a standing's result is for: the player, or the team, which may be nobody.
func (b BoardRule) subject(s Standing) string {
	if b.Of == OfTeams {
		return s.Team
	}
	return s.Player
}

// partition is the one that a standing of a match belongs to; false for none.
func (b BoardRule) partition(m Match, s Standing) (string, bool) {
	if b.Partition == nil {
		return "", true
	}
	from := m.Attributes
	if b.Partition.Of == OfPlayer {
		from = s.Attributes
	}
	value := from[b.Partition.Attribute]
	return value, value != ""
}

// counts reports whether a standing enters boards at all.
func counts(mode Mode, s Standing) bool {
	if s.Bot && mode.Bots.Boards == Exclude {
		return false
	}
	return s.Status == Finished || mode.Unfinished.Boards != Exclude
}

// cellsOf is what a standing brings to each key of a board.
func cellsOf(b BoardRule, mode string, s Standing) ([]cell, error) {
	cells := make([]cell, len(b.Keys))
	for i, key := range b.Keys {
		if len(key.Modes) > 0 && !slices.Contains(key.Modes, mode) {
			continue
		}
		if key.Fold == FoldCountback {
			cells[i].fed = true
			if s.Status == Finished {
				cells[i].places = []int{s.Rank}
			}
			continue
		}
		if key.Fold == FoldCount && key.Metric == "" {
			cells[i].fed = true
			continue
		}
		n, has := metric(s, key.Metric)
		if !has {
			continue
		}
		cells[i].fed = true
		if key.Fold == FoldCount {
			continue
		}
		units, exact, ok := n.unitsAt(key.Scale)
		switch {
		case !ok:
			return nil, refuse(ErrOutcome, fmt.Sprintf("%s: %s %s overflows on board %s", quote(s.Player), key.Metric, n, quote(b.ID)), s.Player)
		case !exact && !key.Round:
			return nil, refuse(ErrOutcome, fmt.Sprintf("%s: %s %s has more decimals than the %d that board %s keeps", quote(s.Player), key.Metric, n, key.Scale, quote(b.ID)), s.Player)
		}
		cells[i].value = units
	}
	return cells, nil
}

// metric is what a standing is worth under a name. Non-finishers have neither outcome nor rank.
func metric(s Standing, name string) (Number, bool) {
	switch name {
	case "outcome":
		return s.Outcome, s.Status == Finished && s.Outcome.Known()
	case "rank":
		return Int(int64(s.Rank)), s.Status == Finished
	case "played":
		return Int(1), true
	case "wins":
		return one(s.Result == Win), true
	case "draws":
		return one(s.Result == Draw), true
	case "losses":
		return one(s.Result == Loss), true
	}
	n, has := s.Metrics[name]
	return n, has
}

func one(yes bool) Number {
	if yes {
		return Int(1)
	}
	return Int(0)
}

// combine joins two members' cells into their team's: added up, or the better of the two. Of row keys the
// best takes one member's whole row. Each member's finish counts for a countback when they are added up.
func combine(b BoardRule, x, y []cell) ([]cell, error) {
	out := make([]cell, len(x))
	better := 0 // which member's row is the better: negative x
	for i, key := range b.Keys {
		if key.Fold.isRow() && better == 0 {
			better = compareCells(key.Order, x[i], y[i])
		}
	}
	for i, key := range b.Keys {
		best := b.PerMatch == PerMatchBest
		switch {
		case best && key.Fold.isRow():
			out[i] = x[i]
			if better > 0 {
				out[i] = y[i]
			}
		case key.Fold == FoldCountback:
			places := slices.Concat(x[i].places, y[i].places)
			if best && len(places) > 0 {
				places = []int{slices.Min(places)}
			}
			out[i] = cell{fed: x[i].fed || y[i].fed, places: places}
		case best:
			out[i] = x[i]
			if compareCells(key.Order, x[i], y[i]) > 0 {
				out[i] = y[i]
			}
		default:
			sum, ok := addChecked(x[i].value, y[i].value) // an unfed cell is 0
			if !ok {
				return nil, refuse(ErrOutcome, "the sum of "+quote(key.Metric)+" overflows on board "+quote(b.ID))
			}
			out[i] = cell{fed: x[i].fed || y[i].fed, value: sum}
		}
	}
	return out, nil
}

// compareCells is negative when x is better than y; a fed cell is better than an unfed one.
func compareCells(order Order, x, y cell) int {
	switch {
	case x.fed && !y.fed:
		return -1
	case !x.fed && y.fed:
		return 1
	case !x.fed:
		return 0
	}
	return compareBy(order, x.value, y.value)
}
