package finalbell

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// Boards made again from nothing but history: Verify compares them with what is stored, a rebuild puts them in its
// place.

// refolding follows the events in order and does again what each did to the boards.
type refolding struct {
	engine *engine
	rules  *ruleset
	boards map[string]*board // that are made; nobody else has them
	// byTime closes windows when they are due, as a board would have that was not there then; else they are closed
	// by the events that closed them.
	byTime bool
	// left are the windows that are not made again.
	left    map[windowName]bool
	entries map[store.WindowKey]map[string]refolded
	// asOf is the position of which history is told, in what it says of amended and voided matches; 0: the one at hand.
	asOf uint64
}

type windowName struct{ board, window string }

// refolded is an entry made again.
type refolded struct {
	entry
	hidden string
}

func newRefolding(e *engine, rules *ruleset, boards map[string]*board, byTime bool) *refolding {
	return &refolding{engine: e, rules: rules, boards: boards, byTime: byTime, left: make(map[windowName]bool), entries: make(map[store.WindowKey]map[string]refolded)}
}

// errMisfit is a result that a board's rule cannot take.
var errMisfit = errors.New("the result does not fit the board")

// change is what an event did to a ranking.
type change struct {
	board   *board
	ranking *ranking // nil: too late
	window  schedule.Window
	part    part
	err     error // why it cannot be folded in
}

// ended does again what the end of a match did to one board. Time is that of the event.
func (f *refolding) ended(ctx context.Context, b *board, mode Mode, m Match, at time.Time, backfill bool) ([]change, []rankMove, error) {
	if f.byTime && !backfill {
		f.closeDue(b, at)
	}
	w, any := b.belongs(m)
	if !any || f.left[windowName{b.rule.ID, w.ID}] {
		return nil, nil, nil
	}
	brought, err := results(b.rule, mode, m)
	if err != nil {
		return []change{{board: b, window: w, err: err}}, nil, nil
	}
	if len(brought) == 0 {
		return nil, nil, nil
	}
	p := b.period(w.ID)
	if p == nil {
		p = b.keep(b.newPeriod(w))
		if due, ends := b.rule.Window.due(w); f.byTime && !backfill && ends && !at.Before(due) {
			p.final, p.closedAt = m.position, due
		}
	}
	var changes []change
	var moves []rankMove
	for _, part := range divided(b.rule, brought) {
		c := change{board: b, window: w, part: part}
		if p.isFinal() {
			changes = append(changes, c)
			continue
		}
		c.ranking = p.ranking(part.name)
		placed, err := f.fold(ctx, b, c.ranking, part, m.position)
		if errors.Is(err, errRecord) || errors.Is(err, errMisfit) {
			c.err, err = err, nil
		}
		if err != nil {
			return nil, nil, err
		}
		p.noted = true
		moves = append(moves, c.ranking.apply(placed)...)
		changes = append(changes, c)
	}
	return changes, moves, nil
}

// fold adds results to the entries as they were at that position.
func (f *refolding) fold(ctx context.Context, b *board, r *ranking, part part, position uint64) ([]placed, error) {
	entries := f.entries[r.key]
	if entries == nil {
		entries = make(map[string]refolded)
		f.entries[r.key] = entries
	}
	var out []placed
	for _, x := range part.results {
		old := entries[x.id]
		next := refolded{hidden: old.hidden}
		var err error
		if old.canAdd(b.rule, x.result) {
			next.entry, err = fold(b.rule, old.entry, x.result)
		} else {
			var past []result
			if past, err = f.past(ctx, b, r.key, x.id, position); err != nil {
				return nil, err
			}
			next.entry, err = foldAll(b.rule, past)
		}
		if err != nil {
			return nil, errors.Join(errMisfit, err)
		}
		entries[x.id] = next
		out = append(out, placedEntry(b.rule, x.id, next.entry, next.hidden != ""))
	}
	return out, nil
}

// past is every result of an entry up to a position.
func (f *refolding) past(ctx context.Context, b *board, key store.WindowKey, id string, position uint64) ([]result, error) {
	return f.engine.pastBy(ctx, f.rules, b, key, id, position, cmp.Or(f.asOf, position))
}

// revised does again what the commit at a position did to a board: it made one version of a match another.
func (f *refolding) revised(ctx context.Context, b *board, mode Mode, was, is Match, position uint64) ([]change, []rankMove, error) {
	w, any := b.belongs(was)
	if !any || f.left[windowName{b.rule.ID, w.ID}] {
		return nil, nil, nil
	}
	before, err := results(b.rule, mode, was)
	if err != nil {
		return nil, nil, err
	}
	now, err := results(b.rule, mode, is)
	if err != nil {
		return []change{{board: b, window: w, err: err}}, nil, nil
	}
	if w, err = f.engine.countedIn(ctx, b, matchRecord(was), w); err != nil {
		return nil, nil, err
	}
	if w.ID == "" || len(before)+len(now) == 0 {
		return nil, nil, nil // it ended before the first season had begun, or never counted
	}
	p := b.period(w.ID)
	if p == nil {
		p = b.keep(b.newPeriod(w)) // nobody was in it before
	}
	if p.isFinal() {
		return nil, nil, nil
	}
	p.noted = true
	var changes []change
	var moves []rankMove
	for _, part := range divided(b.rule, merge(before, now)) {
		c := change{board: b, window: w, part: part, ranking: p.ranking(part.name)}
		entries := f.entries[c.ranking.key]
		if entries == nil {
			entries = make(map[string]refolded)
			f.entries[c.ranking.key] = entries
		}
		var placed []placed
		for _, x := range part.results {
			past, err := f.past(ctx, b, c.ranking.key, x.id, position)
			if err != nil {
				return nil, nil, err
			}
			next := refolded{hidden: entries[x.id].hidden}
			if next.entry, err = foldAll(b.rule, past); err != nil {
				c.err = errors.Join(errMisfit, err)
			}
			entries[x.id] = next
			placed = append(placed, placedEntry(b.rule, x.id, next.entry, next.hidden != ""))
		}
		moves = append(moves, c.ranking.apply(placed)...)
		changes = append(changes, c)
	}
	return changes, moves, nil
}

// shown does again what hiding or restoring an entry did. It returns false for an entry that is not there.
func (f *refolding) shown(event store.Event) (key store.WindowKey, id string, there bool) {
	var body shownBody
	if err := json.Unmarshal(event.Body, &body); err != nil {
		return key, event.ID, false
	}
	b := f.boards[body.Board]
	if b == nil || f.left[windowName{body.Board, body.Window}] {
		return key, body.Player, true // not made here
	}
	key = b.key(body.Window, body.Partition)
	e, there := f.entries[key][body.Player]
	p := b.period(body.Window)
	if !there || p == nil {
		return key, body.Player, false
	}
	e.hidden = ""
	if event.Kind == entryHiddenEvent {
		e.hidden = body.Reason
	}
	f.entries[key][body.Player] = e
	p.ranking(body.Partition).apply([]placed{placedEntry(b.rule, body.Player, e.entry, e.hidden != "")})
	return key, body.Player, true
}

// closeDue closes the windows of a board that are due.
func (f *refolding) closeDue(b *board, now time.Time) {
	for _, p := range b.live() {
		if due, ends := b.rule.Window.due(p.bounds()); ends && !now.Before(due) && p.final == 0 {
			p.final, p.closedAt = latest, due
		}
	}
}

// season takes in that a season was begun. The one before ends there.
func (f *refolding) season(event store.Event) error {
	board, window := splitWindowID(event.ID)
	b := f.boards[board]
	if b == nil || !b.rule.Window.bySeasons() {
		return nil
	}
	seasons := slices.Clone(b.seasons)
	if n := len(seasons); n > 0 && seasons[n-1].End.IsZero() {
		seasons[n-1].End = event.At
	}
	return b.begin(append(seasons, schedule.Window{ID: window, Start: event.At}))
}

// closed takes in that a window was closed, and returns it.
func (f *refolding) closed(event store.Event) (*board, *period, error) {
	board, window := splitWindowID(event.ID)
	b := f.boards[board]
	if b == nil {
		return nil, nil, nil
	}
	if b.rule.Window.bySeasons() {
		seasons := slices.Clone(b.seasons)
		for i := range seasons {
			if seasons[i].ID == window && seasons[i].End.IsZero() {
				seasons[i].End = event.At
			}
		}
		if err := b.begin(seasons); err != nil {
			return nil, nil, err
		}
	}
	p := b.period(window)
	if p == nil {
		w, known := b.byID(window)
		if !known {
			w.ID = window
		}
		p = b.keep(b.newPeriod(w))
	}
	p.final, p.closedAt = event.Position, event.At
	return b, p, nil
}

// splitWindowID takes apart what windowID made.
func splitWindowID(id string) (board, window string) {
	parts := append(partsOf(id), "")
	return parts[0], parts[1]
}

// isBackfill reports whether the end of a match was brought in by Backfill.
func isBackfill(event store.Event) bool {
	var body struct {
		Backfill bool `json:"backfill"`
	}
	return len(event.Body) > 0 && json.Unmarshal(event.Body, &body) == nil && body.Backfill
}
