package finalbell

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/finalbell/finalbell/schedule"
	"github.com/finalbell/finalbell/store"
)

// What operators do with boards: list windows, begin seasons, close a window now, hide an entry.

// WindowState is where a board's window stands.
type WindowState string

const (
	WindowOpen  WindowState = "open"
	WindowGrace WindowState = "grace" // over, but results that belong to it still count
	WindowFinal WindowState = "final" // nothing changes any more
)

// Window is one period of a board.
type Window struct {
	ID         string
	Start, End time.Time // half-open; zero: without an end on that side
	State      WindowState
	Size       int // entries, in all partitions
}

// Windows returns the board's windows, oldest first: those that somebody was in, and the open one. Of one partition
// it returns those with that partition's sizes.
func (b *Board) Windows(ctx context.Context) ([]Window, error) {
	all, err := b.windows(ctx)
	return all, failed("windows of board", b.id, err)
}

func (b *Board) windows(ctx context.Context) ([]Window, error) {
	e := b.engine
	if err := e.readable(ctx); err != nil {
		return nil, err
	}
	board, there := e.ruleset().boards[b.id]
	if !there {
		return nil, refuse(ErrNotFound, "no such board")
	}
	if board.rule.Partition == nil && b.partition != "" {
		return nil, refuse(ErrInvalid, "partition: the board has none")
	}
	now := e.now()
	if err := e.closeToRead(ctx, board, now); err != nil {
		return nil, err
	}
	all := []Window{} // prints as a list, also with nothing in it
	listed := make(map[string]bool)
	for _, p := range board.live() {
		w := p.bounds()
		size := p.size()
		if b.partition != "" {
			size = 0
			if r := p.find(b.partition); r != nil {
				size = r.size()
			}
		}
		if p.isNoted() || p.isFinal() {
			all = append(all, Window{ID: w.ID, Start: w.Start, End: w.End, State: p.state(now), Size: size})
			listed[w.ID] = true
		}
	}
	past, err := e.pastWindows(ctx, board, b.partition, listed)
	if err != nil {
		return nil, err
	}
	all = append(all, past...)
	if w, open := board.current(now); open && !listed[w.ID] && !slices.ContainsFunc(past, func(p Window) bool { return p.ID == w.ID }) {
		all = append(all, Window{ID: w.ID, Start: w.Start, End: w.End, State: board.stateOf(w, now)})
	}
	slices.SortFunc(all, func(x, y Window) int {
		return compareWindows(schedule.Window{ID: x.ID, Start: x.Start}, schedule.Window{ID: y.ID, Start: y.Start})
	})
	return all, nil
}

// pastWindows are the windows of a board that are over and not in memory.
func (e *engine) pastWindows(ctx context.Context, b *board, partition string, listed map[string]bool) ([]Window, error) {
	whole, part := make(map[string]store.Window), make(map[string]store.Window)
	for r, err := range e.store.Windows(ctx, store.WindowQuery{Board: b.rule.ID}) {
		if err != nil {
			return nil, unavailable(err)
		}
		if !b.knows(r) || r.Final == 0 || listed[r.Window] {
			continue
		}
		if r.Partition == "" && r.Generation >= whole[r.Window].Generation {
			whole[r.Window] = r
		}
		if r.Partition == partition && r.Generation >= part[r.Window].Generation {
			part[r.Window] = r
		}
	}
	past := make([]Window, 0, len(whole))
	for _, id := range names(whole) {
		w := whole[id]
		size := w.Size
		if partition != "" {
			size = part[id].Size
		}
		past = append(past, Window{ID: id, Start: w.Start, End: w.End, State: WindowFinal, Size: size})
	}
	return past, nil
}

// BeginSeason begins a season on a board of seasons, now. A season that is running ends at this moment: it is final
// after the rule's grace. The same id again, while that season runs, returns it and changes nothing; ErrExists if the
// season of that id is over, ErrInvalid if the board's windows are not begun by calls.
func (b *Board) BeginSeason(ctx context.Context, id string) (Window, error) {
	w, err := b.beginSeason(ctx, id)
	return w, failed("begin season on board", b.id, err)
}

func (b *Board) beginSeason(ctx context.Context, id string) (Window, error) {
	e := b.engine
	if err := e.writable(ctx); err != nil {
		return Window{}, err
	}
	if err := checkID("season", id); err != nil {
		return Window{}, err
	}
	for {
		rs := e.ruleset()
		board, there := rs.boards[b.id]
		if !there {
			return Window{}, refuse(ErrNotFound, "no such board")
		}
		if !board.rule.Window.bySeasons() {
			return Window{}, refuse(ErrInvalid, "the board's windows are not begun by calls")
		}
		if err := e.closeDue(ctx, board, e.now()); err != nil {
			return Window{}, err
		}
		w, err := e.begin(ctx, rs, board, id)
		if err == nil {
			err = e.closeDue(ctx, board, e.now()) // the one before, if there is no grace
		}
		if !errors.Is(err, store.ErrStale) {
			return w, err
		}
	}
}

// begin begins a season under a reservation of the board's seasons.
func (e *engine) begin(ctx context.Context, rs *ruleset, b *board, id string) (Window, error) {
	t, err := e.committer.keys.acquire(ctx, key{'s', b.rule.ID})
	if err != nil {
		return Window{}, e.notReserved(ctx, err)
	}
	now := e.now()
	b.mu.Lock()
	seasons := slices.Clone(b.seasons)
	b.mu.Unlock()
	last := len(seasons) - 1
	for i, w := range seasons {
		if w.ID != id {
			continue
		}
		e.committer.keys.release(t)
		if i < last || !w.End.IsZero() {
			return Window{}, refuse(ErrExists, "season "+quote(id)+" is over")
		}
		return Window{ID: id, Start: w.Start, State: WindowOpen, Size: e.sizeOf(b, id)}, nil
	}
	if last >= 0 && seasons[last].End.IsZero() {
		if !now.After(seasons[last].Start) {
			e.committer.keys.release(t)
			return Window{}, refuse(ErrInvalid, "season "+quote(seasons[last].ID)+" has begun at this very moment")
		}
		seasons[last].End = now
	}
	seasons = append(seasons, schedule.Window{ID: id, Start: now})
	job := &seasonJob{engine: e, rules: rs, board: b, seasons: seasons, now: now}
	return Window{ID: id, Start: now, State: WindowOpen}, e.committer.submit(ctx, &pending{job: job, alone: true, ticket: t})
}

func (e *engine) sizeOf(b *board, id string) int {
	if p := b.period(id); p != nil {
		return p.size()
	}
	return 0
}

// seasonJob begins the last of a list of seasons and ends the one before.
type seasonJob struct {
	engine  *engine
	rules   *ruleset
	board   *board
	seasons []schedule.Window
	now     time.Time
}

func (j *seasonJob) stale() bool { return j.rules != j.engine.ruleset() }

func (j *seasonJob) seal(position uint64) store.Commit {
	w := j.seasons[len(j.seasons)-1]
	c := store.Commit{Key: keyOf("season", windowID(j.board.rule.ID, w.ID)), Position: position, At: j.now,
		Kind: seasonBegunEvent, ID: windowID(j.board.rule.ID, w.ID)}
	c.Records = append(c.Records, store.Window{WindowKey: j.board.key(w.ID, ""), Version: 1, Start: w.Start})
	if n := len(j.seasons); n > 1 {
		before := j.seasons[n-2]
		if p := j.board.period(before.ID); p != nil && !p.isFinal() {
			c.Records = append(c.Records, store.Window{WindowKey: j.board.key(before.ID, ""), Version: p.recordVersion() + 1, Start: before.Start, End: before.End})
		}
	}
	return c
}

func (j *seasonJob) applied(uint64) {
	if n := len(j.seasons); n > 1 {
		if p := j.board.period(j.seasons[n-2].ID); p != nil && !p.isFinal() {
			p.mu.Lock()
			p.version++
			p.noted = false
			p.mu.Unlock()
		}
	}
	if err := j.board.begin(j.seasons); err != nil {
		panic(err) // they are in order, and their times are the clock's
	}
	j.rules.seasons.Add(1)
	p := j.board.keep(j.board.newPeriod(j.seasons[len(j.seasons)-1]))
	p.mu.Lock()
	p.version = 1
	p.mu.Unlock()
	for _, p := range j.board.live() {
		j.engine.willClose(p)
	}
}

func (p *period) recordVersion() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.version
}

// loadSeasons finds the seasons that were begun.
func (e *engine) loadSeasons(ctx context.Context, b *board) error {
	var seasons []schedule.Window
	for r, err := range e.store.Windows(ctx, store.WindowQuery{Board: b.rule.ID}) {
		if err != nil {
			return unavailable(err)
		}
		if b.knows(r) && r.Partition == "" && r.Version > 0 {
			seasons = append(seasons, schedule.Window{ID: r.Window, Start: r.Start, End: r.End})
		}
	}
	slices.SortFunc(seasons, compareWindows)
	seasons = slices.CompactFunc(seasons, func(x, y schedule.Window) bool { return x.ID == y.ID })
	if len(seasons) == 0 {
		return nil
	}
	if err := b.begin(seasons); err != nil {
		return unavailable(errors.Join(errors.New("the seasons of board "+quote(b.rule.ID)), err))
	}
	return nil
}

// CloseWindow makes the window final now, in the way in which it will be when it is due: no grace, and whatever
// belongs to it from here on comes too late: until the next one begins the board takes nothing. The window is the one that b reads, so the open one unless Window says
// otherwise; a running season ends now. Closing it again returns it and changes nothing. A board of all time has no
// window to close: ErrInvalid.
func (b *Board) CloseWindow(ctx context.Context) (Window, error) {
	w, err := b.closeWindow(ctx)
	return w, failed("close window of board", b.id, err)
}

func (b *Board) closeWindow(ctx context.Context) (Window, error) {
	e := b.engine
	if err := e.writable(ctx); err != nil {
		return Window{}, err
	}
	board, there := e.ruleset().boards[b.id]
	if !there {
		return Window{}, refuse(ErrNotFound, "no such board")
	}
	if board.rule.Window.endless() {
		return Window{}, refuse(ErrInvalid, "the board is of all time and has no window to close")
	}
	now := e.now()
	if err := e.closeDue(ctx, board, now); err != nil {
		return Window{}, err
	}
	w, known := board.current(now)
	if b.period != "" {
		w, known = board.byID(b.period)
	}
	switch {
	case !known && b.period == "":
		return Window{}, refuse(ErrNotFound, "no window is open")
	case !known:
		return Window{}, refuse(ErrNotFound, "no window "+quote(b.period))
	case !w.Start.IsZero() && now.Before(w.Start):
		return Window{}, refuse(ErrNotFound, "window "+quote(w.ID)+" has not begun")
	}
	p, err := e.entered(ctx, board, w)
	if err == nil && !p.isFinal() {
		err = e.closeNow(ctx, board, p, now)
	}
	if err != nil {
		return Window{}, err
	}
	all, err := (&Board{engine: e, id: b.id}).windows(ctx)
	if err != nil {
		return Window{}, err
	}
	i := slices.IndexFunc(all, func(x Window) bool { return x.ID == w.ID })
	if i < 0 {
		return Window{}, refuse(ErrNotFound, "no window "+quote(w.ID))
	}
	return all[i], nil
}

// closeNow closes a window before its time, and ends it if it is a season.
func (e *engine) closeNow(ctx context.Context, b *board, p *period, now time.Time) error {
	if due, ends := b.rule.Window.due(p.bounds()); ends && !now.Before(due) {
		return e.close(ctx, p, due) // nobody was in it, so nobody has closed it yet
	}
	if !b.rule.Window.bySeasons() || !p.bounds().End.IsZero() {
		return e.close(ctx, p, now)
	}
	t, err := e.committer.keys.acquire(ctx, key{'s', b.rule.ID})
	if err != nil {
		return e.notReserved(ctx, err)
	}
	defer e.committer.keys.release(t)
	b.mu.Lock()
	seasons := slices.Clone(b.seasons)
	b.mu.Unlock()
	i := slices.IndexFunc(seasons, func(w schedule.Window) bool { return w.ID == p.id })
	if i < 0 || !seasons[i].End.IsZero() {
		return e.close(ctx, p, now) // another one has been begun meanwhile
	}
	if !now.After(seasons[i].Start) {
		return refuse(ErrInvalid, "season "+quote(p.id)+" has begun at this very moment")
	}
	seasons[i].End = now
	return e.closeAs(ctx, p, now, seasons)
}

// Hide takes an entry off the board, for a reason that is kept; the others close up. Results still count in it, so
// that Restore brings it back as it would have been. The window is the one that b reads; a final one is ErrClosed. An
// entry that is hidden already stays so, with its first reason. ErrNotFound without an entry.
func (b *Board) Hide(ctx context.Context, player, reason string) error {
	if reason == "" {
		return failed("hide on board", b.id, refuse(ErrInvalid, "reason: must not be empty", player))
	}
	return failed("hide on board", b.id, b.show(ctx, player, reason, true))
}

// Restore brings a hidden entry back, for a reason that is kept. An entry that is not hidden stays as it is.
func (b *Board) Restore(ctx context.Context, player, reason string) error {
	return failed("restore on board", b.id, b.show(ctx, player, reason, false))
}

func (b *Board) show(ctx context.Context, player, reason string, hide bool) error {
	e := b.engine
	if err := e.writable(ctx); err != nil {
		return err
	}
	if err := cmp.Or(checkID("player", player), checkText("reason", reason)); err != nil {
		return err
	}
	for {
		rs := e.ruleset()
		v, err := b.look(ctx)
		if err != nil {
			return err
		}
		if v.state == WindowFinal {
			return refuse(ErrClosed, "window "+quote(v.window.ID)+" is final")
		}
		r, there := v.source.(*ranking)
		if !there {
			return noEntry(player)
		}
		if err := e.showEntry(ctx, rs, r, player, reason, hide); !errors.Is(err, store.ErrStale) {
			return err
		}
	}
}

// showEntry hides or restores one entry under a reservation of whose it is.
func (e *engine) showEntry(ctx context.Context, rs *ruleset, r *ranking, id, reason string, hide bool) error {
	kind := byte('p')
	if r.rule.Of == OfTeams {
		kind = 't'
	}
	t, err := e.committer.keys.acquire(ctx, key{kind, id})
	if err != nil {
		return e.notReserved(ctx, err)
	}
	handed := false
	defer func() {
		if !handed {
			e.committer.keys.release(t)
		}
	}()
	stored, err := e.entries(ctx, r, []subjectResult{{id: id}})
	if err != nil {
		return err
	}
	old, there := stored[id]
	if !there {
		return noEntry(id)
	}
	if hide == (old.Hidden != "") {
		return nil
	}
	job := &showJob{engine: e, rules: rs, ranking: r, entry: old, reason: reason, hide: hide, at: e.now()}
	handed = true
	return e.committer.submit(ctx, &pending{job: job, ticket: t})
}

// showJob hides an entry or restores it.
type showJob struct {
	engine  *engine
	rules   *ruleset
	ranking *ranking
	entry   store.Entry
	reason  string
	hide    bool
	at      time.Time
}

func (j *showJob) stale() bool {
	return j.rules != j.engine.ruleset() || j.ranking.period.isFinal()
}

func (j *showJob) seal(position uint64) store.Commit {
	r := j.entry
	r.Version++
	kind := entryRestoredEvent
	r.Hidden = ""
	if j.hide {
		kind, r.Hidden = entryHiddenEvent, j.reason
	}
	body, err := marshal(shownBody{r.Board, r.Window, r.Partition, r.ID, j.reason})
	if err != nil {
		body = nil // text that was checked always marshals
	}
	return store.Commit{Key: keyOf("show", windowID(r.Board, r.Window), strconv.Itoa(r.Generation), strconv.FormatUint(r.Version, 10), strconv.Quote(r.Partition), r.ID),
		Position: position, At: j.at, Kind: kind, ID: r.ID, Body: body, Records: []store.Record{r}}
}

func (j *showJob) applied(uint64) {
	r := j.entry
	j.ranking.apply([]placed{{id: r.ID, entered: r.Entered, hidden: j.hide, values: r.Values, changed: momentOf(r.Changed)}})
}

// shownBody is what the event of hiding or restoring says.
type shownBody struct {
	Board     string `json:"board"`
	Window    string `json:"window"`
	Partition string `json:"partition,omitempty"`
	Player    string `json:"player"`
	Reason    string `json:"reason,omitempty"`
}

// Partitions returns the partitions that somebody is in, by name, in the window that b reads; none on a board without.
func (b *Board) Partitions(ctx context.Context) ([]string, error) {
	all, err := b.partitions(ctx)
	return all, failed("partitions of board", b.id, err)
}

func (b *Board) partitions(ctx context.Context) ([]string, error) {
	e := b.engine
	if err := e.readable(ctx); err != nil {
		return nil, err
	}
	board, there := e.ruleset().boards[b.id]
	if !there {
		return nil, refuse(ErrNotFound, "no such board")
	}
	now := e.now()
	if err := e.closeToRead(ctx, board, now); err != nil {
		return nil, err
	}
	id := b.period
	if id == "" {
		w, open := board.current(now)
		if !open {
			return nil, refuse(ErrNotFound, "no window is open")
		}
		id = w.ID
	}
	found := make(map[string]bool)
	if p := board.period(id); p != nil {
		for _, r := range p.rankings() {
			if r.key.Partition != "" && r.size() > 0 {
				found[r.key.Partition] = true
			}
		}
		return names(found), nil
	}
	_, known := board.byID(id)
	for r, err := range e.store.Windows(ctx, store.WindowQuery{Board: b.id, Window: id}) {
		if err != nil {
			return nil, unavailable(err)
		}
		known = known || board.knows(r)
		if board.knows(r) && r.Partition != "" && r.Size > 0 {
			found[r.Partition] = true
		}
	}
	if !known {
		return nil, refuse(ErrNotFound, "no window "+quote(id))
	}
	return names(found), nil
}
