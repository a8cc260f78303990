package finalbell

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// Ended matches taken back, or ended once more by another report. Whatever a match did is undone in one commit: its
// lines in the ledger by opposite ones, its results on boards and in progress by folding the others again. Windows
// that are final stay as they are; the event says what would have been.

// Void takes an ended match back: boards, achievements and levels become what the other matches make of them, its
// money goes back where it came from, and what it gave is revoked; achievements stay unless their rule says Revoke. Who
// has spent a prize meanwhile owes it, or the house pays, as the currency's Shortfall says. Windows that are final
// stay. Voiding it again returns it, Replayed, with the first reason.
func (e *Engine) Void(ctx context.Context, id, reason string) (Match, error) {
	return e.undated().verb(ctx, request{op: "void match", id: id, reason: reason, decide: decideVoid})
}

// Amend ends an ended match once more, as of the time when it ended, by other outcomes of the same players: what it did
// is undone as by Void and done anew in the same commit. The match has its next Revision; what it was before stays in
// Revisions. The first report stays known: its retry by End gets the match as it is now. Outcomes by which everybody
// stands as they do are no amendment and return the match, Replayed.
func (e *Engine) Amend(ctx context.Context, id, reason string, outcomes ...Outcome) (Match, error) {
	return e.undated().verb(ctx, request{op: "amend match", id: id, reason: reason, outcomes: outcomes, decide: decideAmend})
}

// Revisions returns what a match was before it was amended, each time, or voided, oldest first.
func (e *Engine) Revisions(ctx context.Context, id string) ([]Match, error) {
	err := e.readable(ctx)
	if err == nil {
		err = checkID("match id", id)
	}
	if err == nil {
		_, err = e.find(ctx, id)
	}
	if err != nil {
		return nil, failed("revisions of match", id, err)
	}
	var all []Match
	for r, err := range e.store.Revisions(ctx, id) {
		if err == nil {
			err = checkRecord(r)
		}
		if err != nil {
			return nil, failed("revisions of match", id, unavailable(err))
		}
		all = append(all, matchOf(r, e.ruleset()).shown())
	}
	return all, nil
}

// Correction is what a voided or amended match would have changed in a window that is final, and did not.
type Correction struct {
	Board     string `json:"board"`
	Window    string `json:"window"`
	Partition string `json:"partition,omitempty"`
	Player    string `json:"player"` // or the team
	// Values are what the entry would be worth; none: it would not be there.
	Values []Value `json:"values,omitempty"`
	Was    []Value `json:"was,omitempty"`
}

// revisedBody is what the event of a voided or amended match says.
type revisedBody struct {
	Reason      string       `json:"reason,omitempty"`
	Revision    int          `json:"revision,omitempty"`
	Corrections []Correction `json:"corrections,omitempty"`
}

// withCorrections tells what the last amendment or void of a match did not change.
func (e *engine) withCorrections(ctx context.Context, m Match) (Match, error) {
	if m.revised == 0 {
		return m, nil
	}
	event, err := e.event(ctx, m.revised)
	if err != nil {
		return m, err
	}
	var body revisedBody
	if len(event.Body) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(event.Body, &body); err != nil {
		return m, unavailable(fmt.Errorf("event %d: %w", event.Position, err))
	}
	m.Corrections = body.Corrections
	return m, nil
}

// revise undoes what a match did, and does what it does now, if it still does anything.
func (e *engine) revise(ctx context.Context, d *decision, before Match) error {
	corrections, err := e.reviseBoards(ctx, d, before)
	if err != nil {
		return err
	}
	if d.body, err = marshal(revisedBody{Reason: d.next.Reason, Revision: d.next.Revision, Corrections: corrections}); err != nil {
		return err
	}
	was, err := e.record(ctx, before.ID)
	if err != nil {
		return err
	}
	d.former, d.next.Corrections = &was, corrections
	return e.reviseRewards(ctx, d, before)
}

// reviseBoards folds the entries that a match was in again, without it or with what it is now.
func (e *engine) reviseBoards(ctx context.Context, d *decision, before Match) ([]Correction, error) {
	for i := range d.next.roster {
		if d.kind == amendedEvent {
			d.next.roster[i].Boards = nil
		}
	}
	var corrections []Correction
	for _, rule := range d.rules.rules.Boards {
		b := d.rules.boards[rule.ID]
		mode, feeds := d.rules.feeder(rule.ID, before)
		w, any := b.belongs(before)
		if !feeds || !any {
			continue
		}
		w, err := e.countedIn(ctx, b, matchRecord(before), w)
		if err != nil {
			return nil, unavailable(err)
		}
		if w.ID == "" {
			continue // it ended before the first season had begun
		}
		is, err := results(b.rule, mode, d.next)
		if err != nil {
			return nil, err
		}
		if wasLate(before, rule.ID) {
			if len(is) > 0 {
				staysLate(d.next.roster, before.roster, rule.ID, mode)
			}
			continue
		}
		was, err := results(b.rule, mode, before)
		if err != nil {
			return nil, unavailable(err)
		}
		if len(was)+len(is) == 0 {
			continue
		}
		p, err := e.entered(ctx, b, w)
		if err != nil {
			return nil, err
		}
		if p.isFinal() {
			missed, err := e.corrections(ctx, b, w.ID, before, d.next)
			if err != nil {
				return nil, err
			}
			corrections = append(corrections, missed...)
			continue
		}
		for _, part := range divided(b.rule, merge(was, is)) {
			change, err := e.foldPart(ctx, b, p.ranking(part.name), part, before, is)
			if err != nil {
				return nil, err
			}
			d.changes = append(d.changes, change)
			if d.next.State == Ended && !d.next.NoContest {
				noteValues(d.next.roster, change, mode)
			}
		}
	}
	return corrections, nil
}

// foldPart folds the entries of one part of a window again, with the results of a match as they are now.
func (e *engine) foldPart(ctx context.Context, b *board, r *ranking, part part, of Match, is []subjectResult) (boardChange, error) {
	change := boardChange{rule: b.rule, ranking: r}
	stored, err := e.entries(ctx, r, part.results)
	if err != nil {
		return change, err
	}
	for _, x := range part.results {
		c, err := e.foldAgain(ctx, e.ruleset(), b, r.key, x.id, latest, of, is, stored[x.id])
		if err != nil {
			return change, blame(err, x.id)
		}
		change.entries = append(change.entries, c)
	}
	return change, nil
}

// wasLate reports whether a match came too late for a board.
func wasLate(m Match, board string) bool {
	return slices.ContainsFunc(m.roster, func(s Standing) bool {
		return slices.ContainsFunc(s.Boards, func(on BoardMove) bool { return on.Board == board && on.Late })
	})
}

// staysLate takes over from standings as they were that their results came too late for a board.
func staysLate(roster, was []Standing, board string, mode Mode) {
	for i := range roster {
		for _, on := range was[i].Boards {
			if on.Board == board && on.Late && counts(mode, roster[i]) {
				roster[i].Boards = append(roster[i].Boards, on)
			}
		}
	}
}

// merge is the results of two versions of a match, one a subject.
func merge(was, is []subjectResult) []subjectResult {
	all := slices.Clone(was)
	for _, r := range is {
		if !slices.ContainsFunc(was, func(x subjectResult) bool { return x.id == r.id && x.partition == r.partition }) {
			all = append(all, r)
		}
	}
	return all
}

// foldAgain folds the results that an entry had at a position, with those of a match as they are now. What came later came
// too late.
func (e *engine) foldAgain(ctx context.Context, rules *ruleset, b *board, key store.WindowKey, id string, position uint64, of Match, is []subjectResult, stored store.Entry) (entryChange, error) {
	change := entryChange{id: id, version: stored.Version + 1, hidden: stored.Hidden}
	past, err := e.pastBy(ctx, rules, b, key, id, position, latest)
	if err != nil {
		return change, err
	}
	past = slices.DeleteFunc(past, func(r result) bool { return r.moment.position == of.position })
	for _, r := range is {
		if r.id == id && r.partition == key.Partition {
			past = append(past, r.result)
		}
	}
	change.entry, err = foldAll(b.rule, past)
	change.values = change.entry.values(b.rule)
	return change, err
}

// corrections are what one version of a match instead of another would change in a window that is final, by the rules by
// which it was made.
func (e *engine) corrections(ctx context.Context, now *board, window string, before, next Match) ([]Correction, error) {
	whole, err := e.windowRecord(ctx, now, window)
	if err != nil {
		return nil, err
	}
	rules, b, err := e.boardOf(ctx, whole.WindowKey, whole.Final)
	if err != nil {
		return nil, err
	}
	mode, feeds := rules.feeder(b.rule.ID, before)
	if !feeds {
		return nil, nil
	}
	was, err := results(b.rule, mode, before)
	if err != nil {
		return nil, unavailable(err)
	}
	is, err := results(b.rule, mode, next)
	if err != nil {
		return nil, nil // what the board could not have kept then would not be there
	}
	var all []Correction
	for _, part := range divided(b.rule, merge(was, is)) {
		key := whole.WindowKey
		key.Partition = part.name
		stored, err := e.storedEntries(ctx, key, subjects(part.results))
		if err != nil {
			return nil, err
		}
		for _, r := range part.results {
			c, err := e.foldAgain(ctx, rules, b, key, r.id, whole.Final, before, is, stored[r.id])
			if err != nil {
				return nil, blame(err, r.id)
			}
			if one, changes := corrected(b.rule, key, r.id, stored[r.id], c); changes {
				all = append(all, one)
			}
		}
	}
	return all, nil
}

// corrected is what an entry that was stored would be; false if it is that.
func corrected(b BoardRule, key store.WindowKey, id string, was store.Entry, is entryChange) (Correction, bool) {
	one := Correction{Board: key.Board, Window: key.Window, Partition: key.Partition, Player: id}
	if was.Entered {
		one.Was = b.shown(was.Values)
	}
	if is.entry.entered {
		one.Values = b.shown(is.values)
	}
	return one, is.entry.entered != was.Entered || was.Entered && !sameValues(is.values, was.Values)
}
