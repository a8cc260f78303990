package finalbell

import (
	"context"
	"iter"
	"maps"
	"slices"
)

// Matches that are over, as what could be said once more: for exports.

// Ended yields the ended matches in the order of the commits that ended them, as they stand now; voided ones are left
// out. In that order they make the same boards once more. One that is written meanwhile comes as it was or as it is. The
// sequence holds no lock while it yields, and ends after an error.
func (e *Engine) Ended(ctx context.Context) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Match{}, failed("list ended matches", "", err))
			return
		}
		for event, err := range e.store.Events(ctx, 0) {
			if err != nil {
				yield(Match{}, failed("list ended matches", "", unavailable(err)))
				return
			}
			if event.Kind != endedEvent {
				continue
			}
			m, err := e.find(ctx, event.ID)
			if err == nil && m.State != Ended {
				continue
			}
			if !yield(m.shown(), failed("list ended matches", event.ID, err)) || err != nil {
				return
			}
		}
	}
}

// Played returns what Create and then End have to be told for an ended match to stand as it does, by a mode that is as it
// was: everybody who was in it from the start, and for each of them an outcome, with what was filled in for who was
// absent; none after no contest. The deadline is left out, for it has passed, and so is what hooks attached.
func (m Match) Played(mode Mode) (NewMatch, []Outcome) {
	n := NewMatch{ID: m.ID, Mode: m.Mode, Room: m.Room, Round: m.Round, Attributes: maps.Clone(m.Attributes)}
	var outcomes []Outcome
	for _, s := range inSeats(m.Standings) {
		n.Players = append(n.Players, Participant{Player: s.Player, Team: s.Team, Bot: s.Bot, Attributes: maps.Clone(s.Attributes)})
		if !m.NoContest {
			outcomes = append(outcomes, s.played(mode))
		}
	}
	for _, team := range names(m.teams) {
		outcomes = append(outcomes, Outcome{Team: team, Value: m.teams[team]})
	}
	return n, outcomes
}

// inSeats are standings in roster order.
func inSeats(standings []Standing) []Standing {
	roster := slices.Clone(standings)
	slices.SortFunc(roster, func(a, b Standing) int { return a.seat - b.seat })
	return roster
}

// played is the outcome that makes a standing.
func (s Standing) played(mode Mode) Outcome {
	o := Outcome{Player: s.Player, Value: s.Outcome, Status: s.Status, Metrics: maps.Clone(s.Metrics)}
	if mode.Points != nil {
		delete(o.Metrics, "points") // the mode gives them
	}
	if len(o.Metrics) == 0 {
		o.Metrics = nil
	}
	if mode.Ranks == AcceptRanks {
		o.Rank = s.reported
	}
	// What the mode gives who is absent need not be what it takes from who reports.
	if s.Status == Finished && s.Outcome == mode.Missing.Outcome && within(mode, "outcome", s.Outcome) != nil {
		o.Value, o.Status = Number{}, ""
	}
	return o
}
