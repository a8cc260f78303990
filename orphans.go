package finalbell

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// What becomes of matches that were running when the process ended without Close. A setting tells: it is written with the
// first batch after an open, and Close takes it back.

const (
	runningSetting = "running"
	isOpen         = "yes"
	isClosed       = "no"

	crashReason = "the process ended while the match was running"
)

// Orphan is a match that was running when the process before this one ended without Close.
type Orphan struct {
	Match, Mode string
	Policy      CrashPolicy // the mode's OnCrash
	State       State       // after it was applied
	Problem     string      // why it could not be
}

// Orphans returns the matches that were running when the process before this one ended without Close, in the order of
// their creation, as they were when the engine was opened and the OnCrash of each mode had been applied. A match whose
// deadline has passed meanwhile expires and is none of them. The list is the caller's.
func (e *Engine) Orphans() []Orphan { return slices.Clone(e.orphans) }

// runningRecord says whether an engine has the store open.
func runningRecord(value string) store.Record {
	return store.Setting{Name: runningSetting, Value: []byte(value)}
}

// leftRunning reports whether the engine before was not closed. A store that no engine has said it of counts as closed.
func leftRunning(ctx context.Context, s store.Store) (bool, error) {
	value, err := s.Setting(ctx, runningSetting)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, unavailable(err)
	}
	return string(value) == isOpen, nil
}

// takeUp does with the orphans what their modes say. A crash on the way leaves the rest for the next open.
func (e *engine) takeUp(ctx context.Context) error {
	if !e.crashed {
		return nil
	}
	var running []Match
	for r, err := range e.store.Matches(ctx, store.MatchQuery{States: []string{string(Started), string(Disputed)}}) {
		if err == nil {
			err = checkRecord(r)
		}
		if err != nil {
			return unavailable(err)
		}
		running = append(running, matchOf(r, e.ruleset()))
	}
	for _, m := range running {
		o, err := e.orphan(ctx, m)
		if err != nil {
			return err
		}
		if o.State != Expired {
			e.orphans = append(e.orphans, o)
		}
	}
	return nil
}

// orphan applies the policy of its mode to one match. An error is the store's; what is refused is the orphan's Problem.
func (e *engine) orphan(ctx context.Context, m Match) (Orphan, error) {
	mode := e.mode(m)
	o := Orphan{Match: m.ID, Mode: m.Mode, Policy: mode.OnCrash, State: m.State}
	r := request{id: m.ID, alone: true}
	switch mode.OnCrash {
	case CancelMatches:
		r.op, r.reason, r.decide = "cancel match", crashReason, decideCancel
	case SettleMatches:
		// What is due comes first, and may tell of players who are gone.
		r.op, r.decide = "end match", func(e *engine, m Match, r request) (*decision, error) {
			r.outcomes = lastReported(m, mode)
			return decideEnd(e, m, r)
		}
	default:
		if due, expires := deadline(m, mode); expires && !due.After(e.now()) {
			o.State = Expired // by the next tick, or the next call about it
		}
		return o, nil
	}
	_, err := (&Engine{engine: e}).verb(ctx, r)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown) {
		return o, err
	}
	if err != nil {
		o.Problem = err.Error()
	}
	now, err := e.find(ctx, m.ID)
	o.State = now.State
	return o, err
}

// lastReported is the last live report of a match as one that ends it: none if there was none.
func lastReported(m Match, mode Mode) []Outcome {
	if !m.Provisional {
		return nil
	}
	ranked := mode.Ranks == AcceptRanks && !slices.ContainsFunc(m.roster, func(s Standing) bool { return s.reported == 0 })
	var outcomes []Outcome
	for _, s := range m.roster {
		o := Outcome{Player: s.Player, Value: s.Outcome, Status: s.Status, Metrics: maps.Clone(s.Metrics)}
		if mode.Points != nil {
			delete(o.Metrics, "points") // the engine's own
		}
		if ranked {
			o.Rank = s.reported
		}
		if o.Status != "" || o.Value.Known() || len(o.Metrics) > 0 || ranked {
			outcomes = append(outcomes, o)
		}
	}
	for _, team := range names(m.teams) {
		outcomes = append(outcomes, Outcome{Team: team, Value: m.teams[team]})
	}
	return outcomes
}
