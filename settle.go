package finalbell

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// boardChange is what a match does to one board's window, or to one partition of it.
type boardChange struct {
	rule    BoardRule
	ranking *ranking
	entries []entryChange
}

type entryChange struct {
	id      string
	version uint64
	hidden  string // why the entry is not shown
	entry   entry
	values  [][]int64 // of the entry
}

// matchJob is a decision in the committer's hands.
type matchJob struct {
	engine   *engine
	decision *decision
}

// stale reports that the rules have changed since the decision was taken, that a window which it counts in has become
// final, that the room of a new match was opened, or that somebody whom it names was forgotten.
func (j *matchJob) stale() bool {
	if j.decision.rules != j.engine.ruleset() || j.decision.seasons != j.decision.rules.seasons.Load() {
		return true
	}
	if j.decision.unseated(j.engine) {
		return true
	}
	for _, change := range j.decision.changes {
		if change.ranking.period.isFinal() {
			return true
		}
	}
	return j.engine.forgotten.since(j.decision.marked, j.decision.holds)
}

// seal writes the decision down with its position. It may be asked again with another one.
func (j *matchJob) seal(position uint64) store.Commit {
	d := j.decision
	m := d.next
	if m.version == 1 {
		m.created = position
	}
	if m.position == unplaced {
		m.position = position
	}
	if m.revised == unplaced {
		m.revised = position
	}
	c := store.Commit{
		Key: d.key, Digest: store.Digest(d.digest), Position: position, At: d.at, Kind: d.kind, ID: m.ID, Body: d.body,
	}
	entries := 0
	for _, change := range d.changes {
		entries += len(change.entries)
	}
	record := matchRecord(m)
	if m.State == Voided {
		record.Moves = movesAlone(d.former.Moves) // an amended match gets new ones
	}
	c.Records = append(make([]store.Record, 0, 2+entries), record) // settings may come
	c.Records = append(c.Records, d.booking.seal(&j.engine.committer.books, position, d.at)...)
	if d.former != nil {
		c.Records = append(c.Records, store.Revision{Match: *d.former})
	}
	if d.room != nil {
		c.Records = append(c.Records, roomRecord(*d.room))
	}
	c.Records = append(append(c.Records, grantRecords(d.granted, position)...), factsRecords(d.facts, position)...)
	d.sealed = make([][]placed, len(d.changes))
	for i, change := range d.changes {
		d.sealed[i] = make([]placed, 0, len(change.entries))
		for _, entry := range change.entries {
			r := entryRecord(change.rule, entry, change.ranking.key, position)
			c.Records = append(c.Records, r)
			d.sealed[i] = append(d.sealed[i], placed{id: r.ID, entered: r.Entered, hidden: r.Hidden != "", values: r.Values, changed: momentOf(r.Changed)})
		}
	}
	return c
}

// applied brings a durable decision onto the boards, each in one step, and notes the rank moves.
func (j *matchJob) applied(position uint64) {
	d := j.decision
	if d.next.version == 1 {
		d.next.created = position
	}
	if d.next.position == unplaced {
		d.next.position = position
	}
	if d.next.revised == unplaced {
		d.next.revised = position
	}
	j.engine.dues.noteMatch(d.next, j.engine.mode(d.next))
	j.engine.dues.noteGrants(d.granted)
	j.engine.remembered.note(d.facts, position)
	if d.room != nil {
		j.engine.dues.note(dismissKind, d.room.ID, d.room.Deadline)
	}
	var moves []rankMove
	for i, change := range d.changes {
		moves = append(moves, change.ranking.apply(d.sealed[i])...)
		j.engine.willClose(change.ranking.period)
	}
	// An amended match that moves nobody has lost what it moved before.
	if (len(moves) > 0 || d.kind == amendedEvent) && d.next.State == Ended {
		j.engine.committer.later(softKey{'r', d.next.ID}, moveRecords(d.next.ID, d.next.position, moves))
		d.next.roster = withMoves(d.next.roster, moves)
	}
	if d.next.State == Voided {
		// It keeps where it took its entries when it ended; who leads since it is void comes to that.
		moves = slices.DeleteFunc(moves, func(m rankMove) bool { return m.rank > 0 })
		r := moveRecords(d.next.ID, d.next.position, moves)
		r.Moves = append(movesAlone(d.former.Moves), r.Moves...)
		j.engine.committer.later(softKey{'r', d.next.ID}, r)
	}
	d.moves = moves
}

// withMoves tells each standing where its entries went.
func withMoves(roster []Standing, moves []rankMove) []Standing {
	for i := range roster {
		for b := range roster[i].Boards {
			on := &roster[i].Boards[b]
			for _, m := range moves {
				if m.key == on.key() && m.id == on.id && m.rank > 0 {
					on.OldRank, on.Rank, on.Size, on.Passed = m.old, m.rank, m.size, slices.Clone(m.passed)
				}
			}
		}
	}
	return roster
}

// settleBoards folds the ended match into the entries of its players and teams, on each board in the window that the
// match belongs to. What comes too late for a final window is only noted.
func (e *engine) settleBoards(ctx context.Context, d *decision, mode Mode) error {
	for _, id := range mode.Boards {
		b := d.rules.boards[id]
		w, any := b.belongs(d.next)
		if !any {
			continue
		}
		brought, err := results(b.rule, mode, d.next)
		if err != nil {
			return err
		}
		if len(brought) == 0 {
			continue
		}
		p, err := e.entered(ctx, b, w)
		if err != nil {
			return err
		}
		parts := divided(b.rule, brought)
		if p.isFinal() {
			noteLate(d.next.roster, b, w.ID, parts, mode)
			continue
		}
		for _, part := range parts {
			change := boardChange{rule: b.rule, ranking: p.ranking(part.name), entries: make([]entryChange, 0, len(part.results))}
			stored, err := e.entries(ctx, change.ranking, part.results)
			if err != nil {
				return err
			}
			for _, r := range part.results {
				c, err := e.foldIn(ctx, b, change.ranking.key, r, stored[r.id])
				if err != nil {
					return blame(err, r.id)
				}
				change.entries = append(change.entries, c)
			}
			d.changes = append(d.changes, change)
			noteValues(d.next.roster, change, mode)
		}
	}
	return nil
}

// part is what a match brings to one partition of a board.
type part struct {
	name    string
	results []subjectResult
}

// divided is what a match brings to each partition, in the order of the standings.
func divided(b BoardRule, brought []subjectResult) []part {
	var parts []part
	for _, r := range brought {
		i := slices.IndexFunc(parts, func(p part) bool { return p.name == r.partition })
		if i < 0 {
			i = len(parts)
			parts = append(parts, part{name: r.partition})
		}
		parts[i].results = append(parts[i].results, r)
	}
	return parts
}

// entries loads the stored entries that results will change.
func (e *engine) entries(ctx context.Context, w *ranking, brought []subjectResult) (map[string]store.Entry, error) {
	return e.storedEntries(ctx, w.key, w.has(subjects(brought)))
}

// subjects are whose results they are.
func subjects(results []subjectResult) []string {
	ids := make([]string, len(results))
	for i, r := range results {
		ids[i] = r.id
	}
	return ids
}

// storedEntries are those of a window that the store has of some ids.
func (e *engine) storedEntries(ctx context.Context, key store.WindowKey, ids []string) (map[string]store.Entry, error) {
	stored := make(map[string]store.Entry, len(ids))
	if len(ids) == 0 {
		return stored, nil
	}
	for r, err := range e.store.Entries(ctx, store.EntryQuery{WindowKey: key, IDs: ids}) {
		if err != nil {
			return nil, unavailable(err)
		}
		stored[r.ID] = r
	}
	return stored, nil
}

// foldIn folds one result into an entry: on top of it, or, if the result is not the latest, from history.
func (e *engine) foldIn(ctx context.Context, b *board, key store.WindowKey, r subjectResult, stored store.Entry) (entryChange, error) {
	change := entryChange{id: r.id, version: stored.Version + 1, hidden: stored.Hidden}
	var old entry
	var err error
	if stored.Version > 0 {
		if old, err = entryOf(b.rule, stored); err != nil {
			return change, unavailable(errors.Join(errors.New("entry of "+quote(r.id)+" on board "+quote(b.rule.ID)), err))
		}
	}
	if old.canAdd(b.rule, r.result) {
		change.entry, err = fold(b.rule, old, r.result)
		change.values = change.entry.values(b.rule)
		return change, err
	}
	past, err := e.past(ctx, b, key, r.id)
	if err != nil {
		return change, err
	}
	change.entry, err = foldAll(b.rule, append(past, r.result))
	change.values = change.entry.values(b.rule)
	return change, err
}

// past is every result that history has for an entry of a window.
func (e *engine) past(ctx context.Context, b *board, key store.WindowKey, id string) ([]result, error) {
	return e.pastBy(ctx, e.ruleset(), b, key, id, latest, latest)
}

// pastBy is past by other rules than those in force, of the matches that had ended at a position, as they were at another.
func (e *engine) pastBy(ctx context.Context, rules *ruleset, b *board, key store.WindowKey, id string, position, asOf uint64) ([]result, error) {
	found, err := e.pastResults(ctx, rules, b, key, id, position, asOf)
	past := make([]result, len(found))
	for i, f := range found {
		past[i] = f.result
	}
	return past, err
}

// pastResult is a result with the match that brought it, of which only those participants are there whose result it is.
type pastResult struct {
	result
	match store.Match
}

// pastResults is pastBy with the matches.
func (e *engine) pastResults(ctx context.Context, rules *ruleset, b *board, key store.WindowKey, id string, position, asOf uint64) ([]pastResult, error) {
	q := store.MatchQuery{Player: id}
	if b.rule.Of == OfTeams {
		q.Player, q.Team = "", id
	}
	var past []pastResult
	for r, err := range e.endedAsOf(ctx, q, position, asOf) {
		if err != nil {
			return nil, err
		}
		r.Participants = slices.DeleteFunc(slices.Clone(r.Participants), func(p store.Participant) bool {
			return p.Player != id && (b.rule.Of != OfTeams || p.Team != id) // the others' results are not asked for
		})
		w, brought, err := rules.brought(b, r)
		if err == nil && len(brought) > 0 {
			w, err = e.countedIn(ctx, b, r, w)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		for _, x := range brought {
			if x.id == id && w.ID == key.Window && x.partition == key.Partition {
				past = append(past, pastResult{x.result, r})
			}
		}
	}
	return past, nil
}

// endedAsOf are the matches that q asks for and that had ended at a position, as they were at another: some may have been
// voided by then.
func (e *engine) endedAsOf(ctx context.Context, q store.MatchQuery, position, asOf uint64) iter.Seq2[store.Match, error] {
	q.States = []string{string(Ended), string(Voided)}
	if asOf == latest {
		q.States = q.States[:1]
	}
	return func(yield func(store.Match, error) bool) {
		for r, err := range e.store.Matches(ctx, q) {
			if err == nil {
				err = checkRecord(r)
			}
			if err == nil {
				r, err = e.asOf(ctx, r, asOf)
			}
			if err != nil {
				yield(r, unavailable(err))
				return
			}
			if r.Position <= position && !yield(r, nil) {
				return
			}
		}
	}
}

// asOf is a match as it was at a position: before what came later amended or voided it.
func (e *engine) asOf(ctx context.Context, r store.Match, position uint64) (store.Match, error) {
	if r.Revised <= position {
		return r, nil
	}
	was := r
	for former, err := range e.store.Revisions(ctx, r.ID) {
		if err == nil {
			err = checkRecord(former)
		}
		if err != nil {
			return r, err
		}
		if former.Revised <= position {
			was = former
		}
	}
	return was, nil
}

// countedIn is the season that a stored match counted in. In the millisecond in which one begins both it and the one
// before have matches: whatever ended before the call that began it counted in the one before.
func (e *engine) countedIn(ctx context.Context, b *board, r store.Match, w schedule.Window) (schedule.Window, error) {
	at := r.EndedAt
	if b.rule.Window.By == ByStart {
		at = r.StartedAt
	}
	if !b.rule.Window.bySeasons() || !at.Equal(w.Start) {
		return w, nil
	}
	for event, err := range e.store.Events(ctx, r.Position) {
		if err != nil || event.At.After(w.Start) {
			return w, err // the season had begun by then
		}
		if event.Kind == seasonBegunEvent && event.ID == windowID(b.rule.ID, w.ID) {
			return b.seasonBefore(w), nil
		}
	}
	return w, nil
}

// brought is the window that a stored match belongs to on a board, and what it brought there under the rules of its
// time.
func (rules *ruleset) brought(b *board, r store.Match) (schedule.Window, []subjectResult, error) {
	m := matchOf(r, rules)
	w, any := b.belongs(m)
	mode, feeds := rules.feeder(b.rule.ID, m)
	if !any || !feeds {
		return w, nil, nil
	}
	brought, err := results(b.rule, mode, m)
	return w, brought, err
}

// noteValues writes on each standing what the match made of its entry.
func noteValues(roster []Standing, change boardChange, mode Mode) {
	b, key := change.rule, change.ranking.key
	for i := range roster {
		s := &roster[i]
		id := b.subject(*s)
		if !counts(mode, *s) {
			continue
		}
		for _, c := range change.entries {
			if c.id == id && c.entry.entered {
				s.Boards = append(s.Boards, BoardMove{Board: key.Board, Window: key.Window, Partition: key.Partition,
					Values: b.shown(c.values), generation: key.Generation, id: id, raw: c.values})
			}
		}
	}
}

// noteLate writes on each standing that its result came too late.
func noteLate(roster []Standing, b *board, window string, parts []part, mode Mode) {
	for i := range roster {
		s := &roster[i]
		id := b.rule.subject(*s)
		for _, p := range parts {
			if counts(mode, *s) && slices.ContainsFunc(p.results, func(r subjectResult) bool { return r.id == id }) {
				s.Boards = append(s.Boards, BoardMove{Board: b.rule.ID, Window: window, Partition: p.name, Late: true, generation: b.generation, id: id})
			}
		}
	}
}
