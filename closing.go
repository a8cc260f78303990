package finalbell

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// How windows end. A small commit makes a window final at a position; from then on its entries cannot change. Its ranks
// are a function of them, and are written afterwards in slices, which a crash may interrupt anywhere. Then the window
// leaves the memory.

// windowID names a board's window in events and keys.
func windowID(board, window string) string { return nameOf(board, window) }

// entered is the window that a result is about to enter, in memory if results still count there.
func (e *engine) entered(ctx context.Context, b *board, w schedule.Window) (*period, error) {
	if p := b.period(w.ID); p != nil {
		return p, nil
	}
	p := b.newPeriod(w)
	if b.rule.Window.endless() {
		return b.keep(p), nil
	}
	r, err := e.windowRecord(ctx, b, w.ID)
	if err != nil {
		return nil, err
	}
	if p.version = r.Version; r.Final > 0 {
		p.final = r.Final
		return p, nil // of a window that is over only the mark is asked for
	}
	return b.keep(p), nil
}

// windowRecord is what the store has of a window as a whole, the zero record if nothing.
func (e *engine) windowRecord(ctx context.Context, b *board, id string) (store.Window, error) {
	var found store.Window
	for r, err := range e.store.Windows(ctx, store.WindowQuery{Board: b.rule.ID, Window: id}) {
		if err != nil {
			return store.Window{}, unavailable(err)
		}
		if b.knows(r) && r.Partition == "" && (found.Version == 0 || r.Generation > found.Generation) {
			found = r
		}
	}
	return found, nil
}

// knows reports whether a stored window is one of the board as it is today: made since it was last rebuilt, or final
// before.
func (b *board) knows(r store.Window) bool {
	return r.Generation == b.generation || r.Generation < b.generation && r.Final > 0
}

// willClose sees that a window with results in it is closed when it is due.
func (e *engine) willClose(p *period) {
	p.mu.Lock()
	due, ends := p.board.rule.Window.due(p.window)
	known := p.noted || p.final > 0
	p.noted = true
	p.mu.Unlock()
	if ends && !known {
		e.dues.noteWindow(closeKind, p, due)
	}
}

// closeDue closes the windows of a board that are due, the oldest first.
func (e *engine) closeDue(ctx context.Context, b *board, now time.Time) error {
	if b.rule.Window.endless() {
		return nil
	}
	for _, p := range b.live() {
		due, ends := b.rule.Window.due(p.bounds())
		if !ends || now.Before(due) || p.isFinal() || !p.isNoted() {
			continue
		}
		if err := e.writable(ctx); err != nil {
			return err
		}
		if err := e.close(ctx, p, due); err != nil {
			return err
		}
	}
	return nil
}

// closeToRead is closeDue for a read, which goes on when nothing can be written, or nobody knows whether it was: no
// result counts any more in a window that is due.
func (e *engine) closeToRead(ctx context.Context, b *board, now time.Time) error {
	err := e.closeDue(ctx, b, now)
	if errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnknown) {
		return nil
	}
	return err
}

// isNoted reports whether the window has something in it.
func (p *period) isNoted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.noted
}

// closeBefore closes what is due of the boards that an ended match is about to enter: also the window that it belongs
// to, even if nobody ever was in that.
func (e *engine) closeBefore(ctx context.Context, r request, m Match) error {
	for _, id := range r.rules.mode(m.Mode).Boards {
		b := r.rules.boards[id]
		if b.rule.Window.endless() {
			continue
		}
		if err := e.closeDue(ctx, b, r.now); err != nil {
			return err
		}
		w, any := b.belongs(m)
		due, ends := b.rule.Window.due(w)
		if !any || !ends || r.now.Before(due) {
			continue
		}
		if brought, err := results(b.rule, r.rules.mode(m.Mode), m); err == nil && len(brought) == 0 {
			continue // for this board it is no result
		}
		p, err := e.entered(ctx, b, w)
		if err == nil && !p.isFinal() {
			err = e.close(ctx, p, due)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// endless reports whether the one window never ends.
func (w WindowRule) endless() bool {
	return (w.Every == AllTime || w.Every == "") && len(w.Fixed) == 0 && w.Next == nil && w.Origin.IsZero()
}

// close makes a window final as of a time. It does nothing if somebody was faster.
func (e *engine) close(ctx context.Context, p *period, at time.Time) error {
	return e.closeAs(ctx, p, at, nil)
}

// closeAs is close for a season that ends with it: seasons are the board's from then on.
func (e *engine) closeAs(ctx context.Context, p *period, at time.Time, seasons []schedule.Window) error {
	for {
		job := &closeJob{ledgerJob: ledgerJob{engine: e}, period: p, rules: e.ruleset(), at: at, id: windowID(p.board.rule.ID, p.id), seasons: seasons}
		err := e.tryClose(ctx, job)
		if !errors.Is(err, store.ErrStale) {
			return err
		}
		if p.isFinal() || job.rules != e.ruleset() {
			return nil // somebody was faster, or the window is no longer the one in force
		}
	}
}

// tryClose makes a window final if nobody's result comes in between who is to win what and the commit.
func (e *engine) tryClose(ctx context.Context, job *closeJob) error {
	day, err := job.period.payday(job.period.board.rule)
	if err != nil {
		return err
	}
	job.day = day
	first := day.slice(0, e.payslice())
	t, err := e.committer.keys.acquire(ctx, append(first.players(), key{'w', job.id})...)
	if err != nil {
		return e.notReserved(ctx, err)
	}
	job.commit = store.Commit{Key: keyOf("due", closeKind, job.id), At: job.at, Kind: windowClosedEvent, ID: job.id}
	switch {
	case job.period.isFinal():
		err = store.ErrStale
	case len(first.awards) > 0:
		err = e.payOut(ctx, job.rules, first, &job.ledgerJob)
	}
	if err != nil {
		e.committer.keys.release(t)
		return err
	}
	return e.committer.submit(ctx, &pending{job: job, alone: true, ticket: t})
}

// closeJob makes a window final.
type closeJob struct {
	ledgerJob
	period  *period
	day     payday
	rules   *ruleset
	at      time.Time
	id      string
	seasons []schedule.Window // not nil: the season ends now
}

// stale is asked when every earlier commit is on the boards.
func (j *closeJob) stale() bool {
	if j.rules != j.engine.ruleset() || j.period.isFinal() {
		return true
	}
	now, err := j.period.payday(j.period.board.rule)
	return err != nil || !now.same(j.day)
}

// seal looks at the boards, on which every earlier commit is by now.
func (j *closeJob) seal(position uint64) store.Commit {
	p := j.period
	w := p.bounds()
	if j.seasons != nil {
		w.End = j.at
	}
	c := j.ledgerJob.seal(position)
	p.mu.Lock()
	whole := store.Window{WindowKey: p.board.key(p.id, ""), Version: p.version + 1, Start: w.Start, End: w.End, Final: position, ClosedAt: j.at}
	p.mu.Unlock()
	c.Records = append(c.Records, whole)
	for _, r := range p.rankings() {
		if r.key.Partition != "" {
			part := whole
			part.WindowKey, part.Version = r.key, 1
			c.Records = append(c.Records, part)
		}
	}
	c.Body = closedBody(p, w)
	return c
}

func (j *closeJob) applied(position uint64) {
	j.ledgerJob.applied(position)
	p := j.period
	if j.seasons != nil {
		if err := p.board.begin(j.seasons); err != nil {
			panic(err) // they are in order, and their times are the clock's
		}
		j.rules.seasons.Add(1)
	}
	p.mu.Lock()
	p.final, p.closedAt, p.version = position, j.at, p.version+1
	p.mu.Unlock()
	j.engine.dues.forgetWindow(closeKind, p)
	j.engine.dues.noteWindow(freezeKind, p, j.at)
}

const (
	headEntries    = 10  // of the standings that a closing event carries
	headPartitions = 100 // of which it does
)

// closedBody is what the event of a closing says of the window: how it ended for the first ten, in each of the first
// hundred partitions.
func closedBody(p *period, w schedule.Window) []byte {
	type head struct {
		Partition string  `json:"partition,omitempty"`
		Size      int     `json:"size"`
		Top       []Entry `json:"top,omitempty"`
	}
	body := struct {
		Board  string `json:"board"`
		Window string `json:"window"`
		Start  string `json:"start,omitempty"`
		End    string `json:"end,omitempty"`
		Size   int    `json:"size"`
		Heads  []head `json:"standings,omitempty"`
	}{Board: p.board.rule.ID, Window: p.id, Start: wireTime(w.Start), End: wireTime(w.End)}
	for _, r := range p.rankings() {
		v := &view{rule: r.rule, layout: r.layout, key: r.key, source: r}
		page, err := v.page(context.Background(), Read{Limit: headEntries})
		if err != nil {
			continue // cannot be: the ranking is in memory
		}
		body.Size += page.Size
		if len(body.Heads) < headPartitions && page.Size > 0 {
			body.Heads = append(body.Heads, head{r.key.Partition, page.Size, page.Entries})
		}
	}
	text, err := marshal(body)
	if err != nil {
		return nil
	}
	return text
}

// freeze writes down the ranks of a final window and lets it go from memory. Begun again after a crash it writes the
// same.
func (e *engine) freeze(ctx context.Context, p *period) error {
	if err := e.payRest(ctx, p); err != nil {
		return err
	}
	total := 0
	var whole store.Window
	for _, r := range append([]*ranking{nil}, p.rankings()...) {
		p.mu.Lock()
		record := store.Window{WindowKey: p.board.key(p.id, ""), Version: p.version, Start: p.window.Start, End: p.window.End,
			Final: p.final, ClosedAt: p.closedAt, Frozen: true}
		p.mu.Unlock()
		if r == nil {
			whole = record
			continue
		}
		chunks, err := e.writeChunks(ctx, r, 0)
		if err != nil {
			return err
		}
		size := r.size()
		total += size
		if r.key.Partition == "" {
			whole.Chunks = chunks
			continue
		}
		record.WindowKey, record.Version, record.Size, record.Chunks = r.key, 1, size, chunks
		if err := e.committer.follow(ctx, record); err != nil {
			return err
		}
	}
	whole.Size = total
	for _, r := range p.rankings() {
		if err := e.dropCopy(ctx, r.key, r.copied()); err != nil {
			return err
		}
	}
	// Last of all: as long as it is missing, everything is written again.
	if err := e.committer.follow(ctx, whole); err != nil {
		return err
	}
	e.dues.forgetWindow(freezeKind, p)
	if b := e.ruleset().boards[p.board.rule.ID]; b != nil {
		b.forget(p.id) // which may have been rebuilt since
	}
	p.board.forget(p.id)
	return nil
}

// loadWindows fills the windows that are not frozen from the stored entries.
func (e *engine) loadWindows(ctx context.Context, rs *ruleset) error {
	for _, rule := range rs.rules.Boards {
		if b := rs.boards[rule.ID]; rule.Window.bySeasons() {
			if err := e.loadSeasons(ctx, b); err != nil {
				return err
			}
		}
	}
	var rankings []*ranking
	for r, err := range e.store.Windows(ctx, store.WindowQuery{Unfrozen: true}) {
		if err != nil {
			return unavailable(err)
		}
		b := rs.boards[r.Board]
		if b == nil {
			continue
		}
		if !b.knows(r) {
			e.dues.note(sweepKind, r.Board, e.now()) // left by a rebuild
			continue
		}
		p, err := e.loadPeriod(rs, b, r)
		if err != nil {
			return err
		}
		if r.Partition == "" {
			p.version, p.final, p.closedAt = r.Version, r.Final, r.ClosedAt
			if r.Final > 0 {
				p.window.Start, p.window.End = r.Start, r.End
			}
		}
		rankings = append(rankings, p.ranking(r.Partition))
	}
	half, err := e.halfFrozen(ctx, rankings)
	if err != nil {
		return err
	}
	since := &since{engine: e, head: e.committer.head}
	for _, w := range append(rankings, half...) {
		if err := e.fill(ctx, w, since); err != nil {
			return err
		}
		if p := w.period; p.isFinal() {
			e.dues.noteWindow(freezeKind, p, p.closedAt)
		} else {
			e.willClose(p)
		}
	}
	return nil
}

// halfFrozen are the partitions that were frozen when a crash came between them and the rest of their window. They are
// taken up again, for a window is in memory whole or not at all.
func (e *engine) halfFrozen(ctx context.Context, rankings []*ranking) ([]*ranking, error) {
	var half []*ranking
	for _, w := range rankings {
		if w.key.Partition != "" || !w.period.isFinal() {
			continue
		}
		for r, err := range e.store.Windows(ctx, store.WindowQuery{Board: w.key.Board, Window: w.key.Window}) {
			if err != nil {
				return nil, unavailable(err)
			}
			if r.Generation == w.key.Generation && w.period.find(r.Partition) == nil {
				half = append(half, w.period.ranking(r.Partition))
			}
		}
	}
	return half, nil
}

// loadPeriod is the window of a record, in memory.
func (e *engine) loadPeriod(rs *ruleset, b *board, r store.Window) (*period, error) {
	if p := b.period(r.Window); p != nil {
		return p, nil
	}
	of := b
	if r.Generation != b.generation {
		// Final before the board was rebuilt, and not frozen yet: it keeps the rule of its time.
		rule, there := rs.boardAt(r.Board, r.Final)
		if !there {
			return nil, unavailable(fmt.Errorf("no rule for window %s of board %s", quote(r.Window), quote(r.Board)))
		}
		var err error
		if of, err = newBoard(rule, r.Generation, e.ids); err != nil {
			return nil, unavailable(err)
		}
	}
	w, known := b.byID(r.Window)
	if !known {
		w = schedule.Window{ID: r.Window, Start: r.Start, End: r.End} // of another calendar
	}
	return b.keep(of.newPeriod(w)), nil
}

// fill fills one ranking, from its copy if there is one.
func (e *engine) fill(ctx context.Context, w *ranking, since *since) error {
	err := e.loadCopy(ctx, w, since)
	if err == nil || !errors.Is(err, errNoCopy) {
		return err
	}
	if errors.Is(err, errChunk) {
		e.log("the copy of board "+w.key.Board+" is damaged and was not used", err)
	}
	w.reset()
	return e.loadRanking(ctx, w)
}

// loadRanking fills one ranking from its entries.
func (e *engine) loadRanking(ctx context.Context, w *ranking) error {
	l := w.loader()
	for some, err := range storedPlaces(ctx, e.store, w.key) {
		if err != nil {
			return unavailable(err)
		}
		for i := range some {
			if err := l.add(&some[i]); err != nil {
				return unavailable(fmt.Errorf("entry of %q on board %q: %w", some[i].ID, w.key.Board, err))
			}
		}
	}
	if err := l.finish(); err != nil {
		return unavailable(fmt.Errorf("board %q: %w", w.key.Board, err))
	}
	return nil
}
