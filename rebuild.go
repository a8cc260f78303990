package finalbell

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell/store"
)

// RebuildOptions are how a rebuild is done.
type RebuildOptions struct {
	// DryRun only tells who would move where. Nothing is written and nothing changes.
	DryRun bool
}

// Rebuild puts other rules in force: boards that are new, or of which anything has changed, are folded again from
// history as if they had always been so, but for windows that are final, which stay as they are. Calls go on
// meanwhile, by the old rules; those that write wait only for the last step, in which all boards change at once.
// ErrInvalid, and nothing has changed, for rules that are wrong, that lack a board, or by which a result of history
// cannot be kept.
func (e *Engine) Rebuild(ctx context.Context, rules Rules, options RebuildOptions) (Rebuilt, error) {
	if insideHook() {
		return Rebuilt{}, failed("rebuild", "", refuse(ErrRefused, "a hook may not call Rebuild"))
	}
	err := e.writable(ctx)
	if options.DryRun {
		err = e.readable(ctx)
	}
	if err == nil {
		err = rules.Validate()
	}
	if err != nil {
		return Rebuilt{}, failed("rebuild", "", err)
	}
	// Nothing that becomes due is done meanwhile, but by calls that touch a board.
	e.ticking.Lock()
	defer e.ticking.Unlock()
	for {
		r, err := e.newRebuild(ctx, rules, options)
		if err == nil {
			err = r.run(ctx)
		}
		if errors.Is(err, store.ErrStale) && r.failure == nil {
			continue // a season was begun in between
		}
		if errors.Is(err, errRevised) {
			if err = r.sweepAll(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return Rebuilt{}, failed("rebuild", "", err)
		}
		return r.found, nil
	}
}

// rebuild is a rebuild under way.
type rebuild struct {
	*refolding
	engine  *engine
	options RebuildOptions
	old     *ruleset
	next    *ruleset
	seasons uint64
	rebuilt []*board // those that are made again, in the order of the rules
	began   uint64   // where history stood when it began
	at      uint64   // position of the last event taken in
	found   Rebuilt
	written map[store.WindowKey]map[string]bool // entries that the store has already
	dirty   map[store.WindowKey]map[string]bool // entries that it has not, or no longer right
	upTo    uint64                              // position of the last event to take in; 0: all
	over    []store.Window                      // windows that were over, with their ranks written
	seeOver func(b *board, p *period) error     // looks at each of them before it is let go; may be nil
	told    map[*period]bool                    // of which they are
	stray   bool                                // something was written for a window that stays as it is
	now     time.Time                           // of the last step,
	failure error                               // and why it failed
}

// newRebuild compares the rules and prepares empty boards.
func (e *engine) newRebuild(ctx context.Context, rules Rules, options RebuildOptions) (*rebuild, error) {
	old := e.ruleset()
	r := &rebuild{engine: e, options: options, old: old, seasons: old.seasons.Load(), began: e.committer.applied.Load(),
		told: make(map[*period]bool), written: make(map[store.WindowKey]map[string]bool), dirty: make(map[store.WindowKey]map[string]bool)}
	rules = rules.withDefaults()
	c := chapter{After: latest - 1, Rules: rules, Generations: make(map[string]int)}
	if n := len(old.history); n > 0 {
		maps.Copy(c.Generations, old.history[n-1].Generations)
	}
	for _, was := range old.rules.Boards {
		if !slices.ContainsFunc(rules.Boards, func(b BoardRule) bool { return b.ID == was.ID }) {
			return r, refuse(ErrInvalid, "rules: board "+quote(was.ID)+" is gone")
		}
	}
	if err := r.checkCalendars(ctx, rules); err != nil {
		return r, err
	}
	for _, b := range rules.Boards {
		differs, err := old.differs(rules, b)
		if err != nil {
			return r, err
		}
		if !differs {
			continue
		}
		c.Rebuilt = append(c.Rebuilt, b.ID)
		if old.boards[b.ID] != nil {
			c.Generations[b.ID]++
		}
	}
	var err error
	r.next, err = newRuleset(rules, append(slices.Clip(old.history), c), e.ids)
	if err != nil {
		return r, err
	}
	made := make(map[string]*board)
	r.refolding = newRefolding(e, r.next, made, true)
	for _, rule := range r.next.rules.Boards {
		if !slices.Contains(c.Rebuilt, rule.ID) {
			r.next.boards[rule.ID] = old.boards[rule.ID]
			continue
		}
		made[rule.ID] = r.next.boards[rule.ID]
		r.rebuilt = append(r.rebuilt, r.next.boards[rule.ID])
		r.found.Boards = append(r.found.Boards, RebuiltBoard{Board: rule.ID, Added: old.boards[rule.ID] == nil})
	}
	return r, r.prepare(ctx)
}

// checkCalendars refuses to cut the time of a board, or its partitions, in another way when there are windows that are
// final: they stay, and nobody could tell the ones from the others.
func (r *rebuild) checkCalendars(ctx context.Context, rules Rules) error {
	for _, b := range rules.Boards {
		was := r.old.boards[b.ID]
		if was == nil {
			continue
		}
		what, err := firstDifference(was.rule.cut(), b.cut())
		if err != nil {
			return err
		}
		if what == "" {
			continue
		}
		for w, err := range r.engine.store.Windows(ctx, store.WindowQuery{Board: b.ID}) {
			if err != nil {
				return unavailable(err)
			}
			if was.knows(w) && w.Final > 0 {
				return refuse(ErrInvalid, "rules: board "+quote(b.ID)+": "+what+" differs, and window "+quote(w.Window)+" is final: give the board another id")
			}
		}
	}
	return nil
}

// cut is what of a rule divides results into windows and partitions.
func (b BoardRule) cut() BoardRule {
	return BoardRule{ID: b.ID, Window: b.Window, Partition: b.Partition}
}

// differs reports whether a board has to be made again for new rules: it is new, it has changed, or a mode feeds it
// that did not before.
func (rs *ruleset) differs(rules Rules, b BoardRule) (bool, error) {
	was := rs.boards[b.ID]
	if was == nil {
		return true, nil
	}
	same, err := sameJSON(boardAlone(was.rule), boardAlone(b))
	if err != nil || !same {
		return true, err
	}
	for _, m := range rules.Modes {
		old, there := rs.modes[m.ID]
		if slices.Contains(m.Boards, b.ID) && there && !slices.Contains(old.Boards, b.ID) {
			return true, nil
		}
	}
	return false, nil
}

// prepare finds the windows that stay, and clears away what a rebuild that was interrupted has left.
func (r *rebuild) prepare(ctx context.Context) error {
	for _, b := range r.rebuilt {
		if err := r.leave(ctx, b); err != nil {
			return err
		}
		if !r.options.DryRun {
			if err := r.engine.sweep(ctx, b.rule.ID, func(w store.Window) bool { return w.Generation >= b.generation && w.Final == 0 }); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave notes the windows of a board that are final: they are not made again.
func (r *rebuild) leave(ctx context.Context, b *board) error {
	was := r.old.boards[b.rule.ID]
	if was == nil {
		return nil
	}
	for w, err := range r.engine.store.Windows(ctx, store.WindowQuery{Board: b.rule.ID}) {
		if err != nil {
			return unavailable(err)
		}
		if was.knows(w) && w.Final > 0 {
			r.left[windowName{b.rule.ID, w.Window}] = true
		}
	}
	return nil
}

// run makes the boards and puts them in force.
func (r *rebuild) run(ctx context.Context) error {
	if len(r.rebuilt) == 0 {
		r.at = latest // there is nothing to fold
	}
	if err := r.follow(ctx); err != nil {
		return err
	}
	if r.options.DryRun {
		r.engine.committer.writing.Lock()
		defer r.engine.committer.writing.Unlock()
		return r.finish(ctx)
	}
	const few = 500
	for first := true; first || r.dirtyEntries() > few; first = false {
		if err := r.flush(ctx); err != nil {
			return err
		}
		if err := r.follow(ctx); err != nil {
			return err
		}
	}
	for {
		if err := r.makeReady(ctx); err != nil {
			return err
		}
		err := r.engine.committer.submit(ctx, &pending{job: &rebuildJob{r, ctx}, alone: true})
		if errors.Is(r.failure, errNotReady) {
			r.failure = nil
			continue
		}
		if r.failure != nil {
			return r.failure
		}
		if err != nil {
			return err
		}
		return r.engine.afterRebuild(ctx, r)
	}
}

// errRevised is that a match was voided or amended meanwhile: what was made of it is no longer right, and windows that
// it was in may be over and let go.
var errRevised = errors.New("a match was revised meanwhile")

// sweepAll clears away everything that was written.
func (r *rebuild) sweepAll(ctx context.Context) error {
	if r.options.DryRun {
		return nil
	}
	for _, b := range r.rebuilt {
		err := r.engine.sweep(ctx, b.rule.ID, func(w store.Window) bool { return w.Generation == b.generation && w.Final == 0 })
		if err != nil {
			return err
		}
	}
	return nil
}

// errNotReady is that makeReady has something to do before the boards can change.
var errNotReady = errors.New("something has to be done before")

// makeReady closes what is due as it was, with all that belongs to that, and clears away what was written for windows
// that have been closed meanwhile.
func (r *rebuild) makeReady(ctx context.Context) error {
	for _, b := range r.rebuilt {
		if was := r.old.boards[b.rule.ID]; was != nil {
			if err := r.engine.closeDue(ctx, was, r.engine.now()); err != nil {
				return err
			}
		}
		if !r.stray {
			continue
		}
		err := r.engine.sweep(ctx, b.rule.ID, func(w store.Window) bool {
			return w.Generation == b.generation && w.Final == 0 && r.left[windowName{w.Board, w.Window}]
		})
		if err != nil {
			return err
		}
	}
	r.stray = false
	return nil
}

// dueFirst finds the windows that have to be closed before. A dry run takes them for closed.
func (r *rebuild) dueFirst(b *board) error {
	was := r.old.boards[b.rule.ID]
	if was == nil {
		return nil
	}
	for _, p := range was.live() {
		due, ends := was.rule.Window.due(p.bounds())
		if !ends || r.now.Before(due) || p.isFinal() || !p.isNoted() {
			continue
		}
		if !r.options.DryRun {
			return errNotReady
		}
		r.leaveOut(b, p.id)
	}
	return nil
}

// leaveOut forgets a window that stays as it is, with all that was made or told of it.
func (r *rebuild) leaveOut(b *board, window string) {
	r.left[windowName{b.rule.ID, window}] = true
	is := func(key store.WindowKey) bool { return key.Board == b.rule.ID && key.Window == window }
	for key := range r.entries {
		if is(key) {
			delete(r.entries, key)
			delete(r.dirty, key)
		}
	}
	for key := range r.written {
		if is(key) {
			delete(r.written, key)
			r.stray = true
		}
	}
	r.over = slices.DeleteFunc(r.over, func(w store.Window) bool { return is(w.WindowKey) })
	found := r.foundOn(b.rule.ID)
	found.Windows = slices.DeleteFunc(found.Windows, func(w RebuiltWindow) bool { return w.Window == window })
	b.forget(window)
}

// follow takes in the events after the last one.
func (r *rebuild) follow(ctx context.Context) error {
	for event, err := range r.engine.store.Events(ctx, r.at) {
		if err != nil {
			return unavailable(err)
		}
		if r.upTo > 0 && event.Position > r.upTo {
			return nil
		}
		r.at = event.Position
		switch event.Kind {
		case endedEvent:
			err = r.match(ctx, event)
		case seasonBegunEvent:
			err = r.season(event)
		case windowClosedEvent:
			err = r.closing(event)
		case voidedEvent, amendedEvent:
			if r.upTo == 0 && event.Position > r.began {
				return errRevised
			}
		case entryHiddenEvent, entryRestoredEvent:
			if key, id, there := r.shown(event); there && r.entries[key] != nil {
				r.mark(key, id)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// match folds one match into the boards.
func (r *rebuild) match(ctx context.Context, event store.Event) error {
	stored, err := r.engine.store.Match(ctx, event.ID)
	if err == nil {
		err = checkRecord(stored)
	}
	if err != nil {
		return unavailable(err)
	}
	if r.upTo > 0 {
		if stored, err = r.engine.asOf(ctx, stored, r.upTo); err != nil {
			return unavailable(err)
		}
	}
	if stored.Position != event.Position || stored.State != string(Ended) {
		return nil
	}
	r.found.Matches++
	m := matchOf(stored, r.next)
	for _, b := range r.rebuilt {
		mode, feeds := r.next.feeder(b.rule.ID, m)
		if !feeds {
			continue
		}
		changes, _, err := r.ended(ctx, b, mode, m, event.At, isBackfill(event))
		if err != nil {
			return err
		}
		for _, c := range changes {
			if c.err != nil {
				return refuse(ErrInvalid, "rules: board "+quote(b.rule.ID)+": match "+quote(m.ID)+" does not fit it: "+c.err.Error(), m.ID)
			}
			for _, x := range c.part.results {
				if c.ranking != nil {
					r.mark(c.ranking.key, x.id)
				}
			}
		}
		if err := r.writeOver(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// closing takes in that a window was closed while the boards are made: it stays as it is.
func (r *rebuild) closing(event store.Event) error {
	board, window := splitWindowID(event.ID)
	b := r.boards[board]
	if b == nil {
		return nil
	}
	if _, _, err := r.closed(event); err != nil {
		return err
	}
	r.leaveOut(b, window)
	return nil
}

func (r *rebuild) mark(key store.WindowKey, id string) {
	if r.dirty[key] == nil {
		r.dirty[key] = make(map[string]bool)
	}
	r.dirty[key][id] = true
}

func (r *rebuild) dirtyEntries() int {
	n := 0
	for _, ids := range r.dirty {
		n += len(ids)
	}
	return n
}

// flush writes what the store does not have yet, in slices between which others write.
func (r *rebuild) flush(ctx context.Context) error {
	for _, key := range sortedKeys(r.dirty) {
		if err := r.flushWindow(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (r *rebuild) flushWindow(ctx context.Context, key store.WindowKey) error {
	const slice = 200
	for ids := range slices.Chunk(names(r.dirty[key]), slice) {
		var records []store.Record
		for _, id := range ids {
			records = append(records, r.record(key, id, 1))
		}
		if err := r.engine.committer.follow(ctx, records...); err != nil {
			return err
		}
		if r.written[key] == nil {
			r.written[key] = make(map[string]bool)
		}
		for _, id := range ids {
			r.written[key][id] = true
		}
	}
	delete(r.dirty, key)
	return nil
}

func (r *rebuild) record(key store.WindowKey, id string, version uint64) store.Entry {
	b, e := r.next.boards[key.Board], r.entries[key][id]
	return entryRecord(b.rule, entryChange{id: id, version: version, hidden: e.hidden, entry: e.entry, values: e.values(b.rule)}, key, 0)
}

func sortedKeys[T any](m map[store.WindowKey]T) []store.WindowKey {
	return slices.SortedFunc(maps.Keys(m), func(a, b store.WindowKey) int {
		for _, c := range []int{strings.Compare(a.Board, b.Board), strings.Compare(a.Window, b.Window), strings.Compare(a.Partition, b.Partition)} {
			if c != 0 {
				return c
			}
		}
		return a.Generation - b.Generation
	})
}
