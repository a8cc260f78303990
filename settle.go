package finalbell

import (
	"context"
	"errors"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// boardChange is what a match does to one board's window.
type boardChange struct {
	rule    BoardRule
	window  *window
	entries []entryChange
}

type entryChange struct {
	id      string
	version uint64
	entry   entry
	values  [][]int64 // of the entry
}

// matchJob is a decision in the committer's hands.
type matchJob struct {
	engine   *engine
	decision *decision
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
	c := store.Commit{
		Key: d.key, Digest: store.Digest(d.digest), Position: position, At: d.at, Kind: d.kind, ID: m.ID, Body: d.body,
	}
	entries := 0
	for _, change := range d.changes {
		entries += len(change.entries)
	}
	c.Records = append(make([]store.Record, 0, 2+entries), matchRecord(m)) // settings may come
	d.sealed = make([][]placed, len(d.changes))
	for i, change := range d.changes {
		d.sealed[i] = make([]placed, 0, len(change.entries))
		for _, entry := range change.entries {
			r := entryRecord(change.rule, entry, change.window.id, position)
			c.Records = append(c.Records, r)
			d.sealed[i] = append(d.sealed[i], placed{id: r.ID, entered: r.Entered, values: r.Values, changed: momentOf(r.Changed)})
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
	j.engine.dues.note(d.next, j.engine.mode(d.next))
	var moves []rankMove
	for i, change := range d.changes {
		moves = append(moves, change.window.apply(d.sealed[i])...)
	}
	if len(moves) > 0 {
		j.engine.committer.later(softKey{'r', d.next.ID}, moveRecords(d.next.ID, position, moves))
		d.next.roster = withMoves(d.next.roster, moves)
	}
}

// withMoves tells each standing where its entries went.
func withMoves(roster []Standing, moves []rankMove) []Standing {
	for i := range roster {
		for b := range roster[i].Boards {
			on := &roster[i].Boards[b]
			for _, m := range moves {
				if m.board == on.Board && m.window == on.Window && m.id == on.id {
					on.OldRank, on.Rank = m.old, m.rank
				}
			}
		}
	}
	return roster
}

// settleBoards folds the ended match into the entries of its players and teams.
func (e *engine) settleBoards(ctx context.Context, d *decision, mode Mode) error {
	for _, id := range mode.Boards {
		b := e.boards[id]
		brought, err := results(b.rule, mode, d.next)
		if err != nil {
			return err
		}
		change := boardChange{rule: b.rule, window: b.open, entries: make([]entryChange, 0, len(brought))}
		stored, err := e.entries(ctx, b, brought)
		if err != nil {
			return err
		}
		for _, r := range brought {
			c, err := e.foldIn(ctx, b, r, stored[r.id])
			if err != nil {
				return blame(err, r.id)
			}
			change.entries = append(change.entries, c)
		}
		d.changes = append(d.changes, change)
		noteValues(d.next.roster, b, change.entries, mode)
	}
	return nil
}

// entries loads the stored entries that results will change.
func (e *engine) entries(ctx context.Context, b *board, brought []subjectResult) (map[string]store.Entry, error) {
	ids := make([]string, len(brought))
	for i, r := range brought {
		ids[i] = r.id
	}
	ids = b.open.has(ids)
	stored := make(map[string]store.Entry, len(ids))
	if len(ids) == 0 {
		return stored, nil
	}
	for r, err := range e.store.Entries(ctx, store.EntryQuery{Board: b.rule.ID, Window: b.open.id, IDs: ids}) {
		if err != nil {
			return nil, unavailable(err)
		}
		stored[r.ID] = r
	}
	return stored, nil
}

// foldIn folds one result into an entry: on top of it, or, if the result is not the latest, from history.
func (e *engine) foldIn(ctx context.Context, b *board, r subjectResult, stored store.Entry) (entryChange, error) {
	change := entryChange{id: r.id, version: stored.Version + 1}
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
	past, err := e.past(ctx, b.rule, r.id)
	if err != nil {
		return change, err
	}
	change.entry, err = foldAll(b.rule, append(past, r.result))
	change.values = change.entry.values(b.rule)
	return change, err
}

// past is every result that history has for an entry.
func (e *engine) past(ctx context.Context, b BoardRule, id string) ([]result, error) {
	q := store.MatchQuery{Player: id, States: []string{string(Ended)}}
	if b.Of == OfTeams {
		q.Player, q.Team = "", id
	}
	var past []result
	for r, err := range e.store.Matches(ctx, q) {
		if err == nil {
			err = checkRecord(r)
		}
		if err != nil {
			return nil, unavailable(err)
		}
		r.Participants = slices.DeleteFunc(slices.Clone(r.Participants), func(p store.Participant) bool {
			return p.Player != id && (b.Of != OfTeams || p.Team != id) // the others' results are not asked for
		})
		brought, err := e.brought(b, r)
		if err != nil {
			return nil, unavailable(err)
		}
		for _, x := range brought {
			if x.id == id {
				past = append(past, x.result)
			}
		}
	}
	return past, nil
}

// brought is what a stored match brought to a board under the rules of its time.
func (e *engine) brought(b BoardRule, r store.Match) ([]subjectResult, error) {
	mode := e.history.mode(r.Mode, r.Position)
	for _, id := range mode.Boards {
		if id == b.ID {
			return results(b, mode, matchOf(r, e.boards))
		}
	}
	return nil, nil
}

// noteValues writes on each standing what the match made of its entry.
func noteValues(roster []Standing, b *board, changed []entryChange, mode Mode) {
	for i := range roster {
		s := &roster[i]
		id := s.Player
		if b.rule.Of == OfTeams {
			id = s.Team
		}
		if !counts(mode, *s) {
			continue
		}
		for _, c := range changed {
			if c.id == id && c.entry.entered {
				s.Boards = append(s.Boards, BoardMove{Board: b.rule.ID, Window: b.open.id,
					Values: b.rule.shown(c.values), id: id, raw: c.values})
			}
		}
	}
}
