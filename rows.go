package finalbell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

// This file is the only one that turns our types into store records and back.

func matchRecord(m Match) store.Match {
	r := store.Match{
		ID: m.ID, Version: m.version, Created: m.created, Position: m.position,
		Mode: m.Mode, Room: m.Room, Round: m.Round, State: string(m.State),
		CreatedAt: m.CreatedAt, StartedAt: m.StartedAt, EndedAt: m.EndedAt, Deadline: m.Deadline,
		Report: store.Digest(m.report), NoContest: m.NoContest, Draw: m.Draw, Provisional: m.Provisional,
		Reason: m.Reason, Revision: m.Revision, Revised: m.revised, Grants: m.grants, Roster: m.invited,
		Attributes: attributeRecords(m.Attributes), Data: attributeRecords(m.Data),
		Participants: make([]store.Participant, len(m.roster)),
	}
	for i, s := range m.roster {
		r.Participants[i] = store.Participant{
			Player: s.Player, Team: s.Team, Bot: s.Bot, Outcome: numberRecord(s.Outcome), Status: string(s.Status),
			Metrics: metricRecords(s.Metrics), Attributes: attributeRecords(s.Attributes), Reported: s.reported,
			Rank: s.Rank, Position: s.Position, Result: string(s.Result), Boards: boardRecords(s.Boards),
			Held: s.Held, Paid: s.Paid, Gone: string(s.Gone),
			Counted: s.Summary.Played, Streak: s.Summary.Streak, Best: numberRecord(s.Summary.Best),
		}
		for _, on := range s.Boards { // known of a match that is voided
			known := func(m store.Move) bool { return m.WindowKey == on.key() && m.ID == on.id }
			if on.Rank > 0 && !slices.ContainsFunc(r.Moves, known) { // a team's is that of all its players
				r.Moves = append(r.Moves, store.Move{WindowKey: on.key(), ID: on.id, Old: on.OldRank, New: on.Rank, Size: on.Size, Passed: on.Passed})
			}
		}
	}
	for _, team := range names(m.teams) {
		r.Teams = append(r.Teams, store.TeamOutcome{Team: team, Outcome: numberRecord(m.teams[team])})
	}
	return r
}

// errRecord is a match that no engine has written.
var errRecord = errors.New("the stored match is damaged")

// checkRecord refuses a stored match in which something is out of the bounds within which every engine keeps it and
// the rules count on it. What lies within them and is wrong all the same is for Verify to find.
func checkRecord(r store.Match) error {
	damaged := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: %s", errRecord, quote(r.ID), fmt.Sprintf(format, args...))
	}
	if _, known := law[verbStart][State(r.State)]; !known {
		return damaged("it is %s", quote(r.State))
	}
	if r.Roster < 0 || r.Roster > len(r.Participants) {
		return damaged("%d of its %d players were there at create", r.Roster, len(r.Participants))
	}
	ranked := r.State == string(Ended) && !r.NoContest
	for i := range r.Participants {
		p := &r.Participants[i]
		if p.Rank < 0 || p.Position < 0 || p.Reported < 0 || ranked && (p.Rank == 0 || p.Position == 0) {
			return damaged("%s has rank %d, position %d, reported rank %d", quote(p.Player), p.Rank, p.Position, p.Reported)
		}
		if status, known := readStatus(Status(p.Status)); !known || string(status) != p.Status || !isResult(p.Result) {
			return damaged("%s has status %s, result %s", quote(p.Player), quote(p.Status), quote(p.Result))
		}
		if !isNumber(p.Outcome) {
			return damaged("%s has an outcome of %d units at scale %d", quote(p.Player), p.Outcome.Units, p.Outcome.Scale)
		}
		if p.Counted < 0 || !isNumber(p.Best) || p.Gone != "" && p.Gone != string(Left) && p.Gone != string(Forfeit) {
			return damaged("%s counts %d matches, has a best outcome of %d units at scale %d and is gone by %s", quote(p.Player), p.Counted, p.Best.Units, p.Best.Scale, quote(p.Gone))
		}
		for _, m := range p.Metrics {
			if !isNumber(m.Value) {
				return damaged("%s has %s of %d units at scale %d", quote(p.Player), quote(m.Name), m.Value.Units, m.Value.Scale)
			}
		}
	}
	for _, t := range r.Teams {
		if !isNumber(t.Outcome) {
			return damaged("team %s has an outcome of %d units at scale %d", quote(t.Team), t.Outcome.Units, t.Outcome.Scale)
		}
	}
	return nil
}

func isResult(word string) bool {
	switch Result(word) {
	case "", Win, Draw, Loss, None:
		return true
	}
	return false
}

// isNumber reports whether a number is one that can be reported.
func isNumber(n store.Number) bool {
	return !n.Known || n.Scale <= maxScale && n.Units <= maxUnits && n.Units >= -maxUnits
}

func matchOf(r store.Match, rules *ruleset) Match {
	m := Match{
		ID: r.ID, Mode: r.Mode, Room: r.Room, Round: r.Round, State: State(r.State),
		CreatedAt: r.CreatedAt, StartedAt: r.StartedAt, EndedAt: r.EndedAt, Deadline: r.Deadline,
		NoContest: r.NoContest, Draw: r.Draw, Provisional: r.Provisional, Reason: r.Reason, Revision: r.Revision,
		Attributes: attributesOf(r.Attributes), Data: attributesOf(r.Data),
		version: r.Version, created: r.Created, position: r.Position, revised: r.Revised, grants: r.Grants, report: digest(r.Report), invited: r.Roster,
		roster: make([]Standing, len(r.Participants)),
	}
	for i, p := range r.Participants {
		m.roster[i] = Standing{
			Player: p.Player, Team: p.Team, Bot: p.Bot, Outcome: numberOf(p.Outcome), Status: Status(p.Status),
			Metrics: metricsOf(p.Metrics), Attributes: attributesOf(p.Attributes), Rank: p.Rank, Position: p.Position,
			Result: Result(p.Result), Boards: boardMoves(p, r, rules), seat: i, reported: p.Reported,
			Held: p.Held, Paid: p.Paid, Gone: Status(p.Gone),
		}
		if p.Counted > 0 {
			mode := rules.history.mode(r.Mode, r.Position)
			m.roster[i].Summary = Summary{Played: p.Counted, Streak: p.Streak, Best: numberOf(p.Best), PersonalBest: mode.betters(m.roster[i], numberOf(p.Best))}
		}
	}
	if len(r.Teams) > 0 {
		m.teams = make(map[string]Number, len(r.Teams))
		for _, t := range r.Teams {
			m.teams[t.Team] = numberOf(t.Outcome)
		}
	}
	return m
}

func entryRecord(b BoardRule, c entryChange, key store.WindowKey, position uint64) store.Entry {
	e := c.entry
	r := store.Entry{
		WindowKey: key, ID: c.id, Version: c.version, Entered: e.entered, Hidden: c.hidden,
		Values: c.values, State: e.encode(b, position), Changed: momentRecord(e.changed, position),
		Last: momentRecord(e.last, position), Row: momentRecord(e.row, position),
	}
	if e.entered {
		r.Sort = newLayout(b).sort(b.Ties, placed{values: c.values, changed: momentOf(r.Changed)})
	}
	return r
}

func entryOf(b BoardRule, r store.Entry) (entry, error) {
	e := entry{entered: r.Entered, row: momentOf(r.Row), changed: momentOf(r.Changed), last: momentOf(r.Last)}
	return e, e.decode(b, r.State, r.Values)
}

// storedPlaces are the places of a window's entries, from a store that has them ready or from its entries.
func storedPlaces(ctx context.Context, s store.Store, key store.WindowKey) iter.Seq2[[]store.Place, error] {
	if ready, can := s.(store.Placer); can {
		return ready.Places(ctx, key)
	}
	return func(yield func([]store.Place, error) bool) {
		for r, err := range s.Entries(ctx, store.EntryQuery{WindowKey: key}) {
			if !yield([]store.Place{{ID: r.ID, Entered: r.Entered, Hidden: r.Hidden != "", Sort: r.Sort, Changed: r.Changed}}, err) {
				return
			}
		}
	}
}

func momentOf(r store.Moment) moment {
	if r.Position == 0 {
		return moment{}
	}
	return moment{at: r.At.UnixMilli(), position: r.Position, place: r.Place}
}

// momentRecord gives a moment of the commit at hand its position.
func momentRecord(m moment, position uint64) store.Moment {
	switch m.position {
	case 0:
		return store.Moment{}
	case unplaced:
		m.position = position
	}
	return store.Moment{At: time.UnixMilli(m.at).UTC(), Position: m.position, Place: m.place}
}

func moveRecords(match string, position uint64, moves []rankMove) store.Moves {
	r := store.Moves{Match: match, Position: position, Moves: make([]store.Move, len(moves))}
	for i, m := range moves {
		r.Moves[i] = store.Move{WindowKey: m.key, ID: m.id, Old: m.old, New: m.rank, Size: m.size, Passed: m.passed}
	}
	return r
}

// key names the window of a move.
func (m BoardMove) key() store.WindowKey {
	return store.WindowKey{Board: m.Board, Window: m.Window, Partition: m.Partition, Generation: m.generation}
}

func boardRecords(moves []BoardMove) []store.BoardValues {
	if len(moves) == 0 {
		return nil
	}
	out := make([]store.BoardValues, len(moves))
	for i, m := range moves {
		out[i] = store.BoardValues{WindowKey: m.key(), ID: m.id, Late: m.Late, Values: m.raw}
	}
	return out
}

// boardMoves brings together what a match was worth on its boards and where that took the entries. The values are
// read by the board's rule of that time; a board that the rules did not have keeps its place without values.
func boardMoves(p store.Participant, r store.Match, rules *ruleset) []BoardMove {
	if len(p.Boards) == 0 {
		return nil
	}
	out := make([]BoardMove, len(p.Boards))
	for i, v := range p.Boards {
		out[i] = BoardMove{Board: v.Board, Window: v.Window, Partition: v.Partition, Late: v.Late, generation: v.Generation, id: v.ID, raw: v.Values}
		if rule, there := rules.boardAt(v.Board, r.Position); there && !v.Late {
			out[i].Values = rule.shown(v.Values)
		}
		for _, m := range r.Moves {
			if m.WindowKey == v.WindowKey && m.ID == v.ID && m.New > 0 {
				out[i].OldRank, out[i].Rank, out[i].Size, out[i].Passed = m.Old, m.New, m.Size, slices.Clone(m.Passed)
			}
		}
	}
	return out
}

func numberRecord(n Number) store.Number {
	return store.Number{Units: n.units, Scale: uint8(n.scale), Known: n.Known()}
}

func numberOf(r store.Number) Number {
	if !r.Known {
		return Number{}
	}
	return Number{units: r.Units, scale: int8(r.Scale), state: known}
}

func metricRecords(metrics map[string]Number) []store.Metric {
	if len(metrics) == 0 {
		return nil
	}
	out := make([]store.Metric, 0, len(metrics))
	for name, n := range metrics {
		out = append(out, store.Metric{Name: name, Value: numberRecord(n)})
	}
	slices.SortFunc(out, func(a, b store.Metric) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func metricsOf(records []store.Metric) map[string]Number {
	if len(records) == 0 {
		return nil
	}
	out := make(map[string]Number, len(records))
	for _, r := range records {
		out[r.Name] = numberOf(r.Value)
	}
	return out
}

func attributeRecords(attributes map[string]string) []store.Attribute {
	if len(attributes) == 0 {
		return nil
	}
	out := make([]store.Attribute, 0, len(attributes))
	for _, name := range names(attributes) {
		out = append(out, store.Attribute{Name: name, Value: attributes[name]})
	}
	return out
}

// names are the keys of a map in order.
func names[T any](m map[string]T) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}

func attributesOf(records []store.Attribute) map[string]string {
	if len(records) == 0 {
		return nil
	}
	out := make(map[string]string, len(records))
	for _, r := range records {
		out[r.Name] = r.Value
	}
	return out
}
