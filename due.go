package finalbell

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/btree"
)

// Done is something that became due and was done.
type Done struct {
	// Kind is "expire" for a match, "dismiss" for the members of a room, "close" for a window, "idle" for a session, "lapse"
	// for a grant that nobody claimed in time and "deliver" for one that the host was asked to deliver.
	Kind string
	ID   string // of the match, room, session or grant; of a window its board's and its own with a slash between, in which % and / are %25 and %2F
	Due  time.Time
}

// dues are the things that become due, and who is in a running match of an exclusive mode.
type dues struct {
	mu      sync.Mutex
	queue   *btree.BTreeG[Done] // by due time, then id
	items   map[dueOf]time.Time // of those in the queue that are not about windows
	windows map[Done]*period    // of those that are
	busy    map[string]string   // player → match
	changed chan struct{}       // takes one token when the earliest may have changed
}

// dueOf names what becomes due.
type dueOf struct{ kind, id string }

func newDues() *dues {
	return &dues{
		queue: btree.NewG(32, func(a, b Done) bool {
			return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind)) < 0
		}),
		items: make(map[dueOf]time.Time), windows: make(map[Done]*period), busy: make(map[string]string), changed: make(chan struct{}, 1),
	}
}

const (
	expireKind = "expire"
	closeKind  = "close"
	freezeKind = "freeze" // what follows from a close, and is no news
	sweepKind  = "sweep"  // what follows from a rebuild

	idleKind    = "idle"
	lapseKind   = "lapse"
	deliverKind = "deliver"
	dismissKind = "dismiss"
)

// note sees that something is done when it is due, in place of what was noted of it before; at the zero time it never is.
func (d *dues) note(kind, id string, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(kind, id, due)
}

// put is note. The lock is held.
func (d *dues) put(kind, id string, due time.Time) {
	name := dueOf{kind, id}
	old, there := d.items[name]
	if there && old.Equal(due) || !there && due.IsZero() {
		return
	}
	if there {
		d.queue.Delete(Done{Kind: kind, ID: id, Due: old})
		delete(d.items, name)
	}
	if !due.IsZero() {
		d.queue.ReplaceOrInsert(Done{Kind: kind, ID: id, Due: due})
		d.items[name] = due
	}
	d.wake()
}

// noteGrants sees that grants are delivered when they are due, and no longer to be claimed when their time is over.
func (d *dues) noteGrants(grants []Grant) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, g := range grants {
		lapses := time.Time{}
		if g.due.IsZero() && g.State == GrantPending {
			lapses = g.Expires
		}
		d.put(deliverKind, g.ID, g.due)
		d.put(lapseKind, g.ID, lapses)
	}
}

// noteWindow sees that something is done about a window.
func (d *dues) noteWindow(kind string, p *period, due time.Time) {
	d.forgetWindow(kind, p)
	d.mu.Lock()
	defer d.mu.Unlock()
	item := Done{Kind: kind, ID: windowID(p.board.rule.ID, p.id), Due: due}
	d.queue.ReplaceOrInsert(item)
	d.windows[item] = p
	d.wake()
}

// forgetWindow takes that back, or notes that it was done.
func (d *dues) forgetWindow(kind string, p *period) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for item, of := range d.windows {
		if item.Kind == kind && of == p {
			d.queue.Delete(item)
			delete(d.windows, item)
		}
	}
}

// wake tells the loop that the earliest may have changed. The lock is held.
func (d *dues) wake() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// noteMatch takes in a match as it is now.
func (d *dues) noteMatch(m Match, mode Mode) {
	if m.Deadline.IsZero() && mode.ExpireCreated == 0 && mode.ExpireStarted == 0 && !mode.Exclusive {
		return // nothing can be due, nobody can be busy
	}
	due, _ := deadline(m, mode)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(expireKind, m.ID, due)
	if !mode.Exclusive {
		return
	}
	for _, s := range m.roster {
		switch {
		case s.Bot:
		case m.State == Started || m.State == Disputed:
			d.busy[s.Player] = m.ID
		case d.busy[s.Player] == m.ID:
			delete(d.busy, s.Player)
		}
	}
}

// elsewhere names the players who are in another running match of an exclusive mode.
func (d *dues) elsewhere(m Match) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var players []string
	for _, s := range m.roster {
		if match, there := d.busy[s.Player]; there && match != m.ID && !s.Bot {
			players = append(players, s.Player)
		}
	}
	return players
}

// next is the earliest thing due, and the window that it is about.
func (d *dues) next() (Done, *period, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	item, any := d.queue.Min()
	return item, d.windows[item], any
}

// has reports whether something of a kind is due.
func (d *dues) has(kind string, now time.Time) (any bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue.Ascend(func(item Done) bool {
		any = any || item.Kind == kind && !item.Due.After(now)
		return !any && !item.Due.After(now)
	})
	return any
}

// Tick does everything that is due at Now, in order of due time and then id, each in a commit of its own, and
// returns what it did; then it feeds the After and Release hooks what there is for them. The engine calls it by itself,
// and feeds these hooks from a goroutine of their own, unless Options set Now or ManualTick. Calls run one after the
// other. After an error the rest stays due.
func (e *Engine) Tick(ctx context.Context) ([]Done, error) {
	if insideHook() {
		return nil, failed("tick", "", refuse(ErrRefused, "a hook may not call Tick"))
	}
	done, err := e.doDue(ctx)
	if err == nil && e.outbox != nil && e.stopLoop == nil {
		err = failed("tick", "", e.handOver(ctx))
	}
	return done, err
}

// doDue does everything that is due.
func (e *Engine) doDue(ctx context.Context) ([]Done, error) {
	e.ticking.Lock()
	defer e.ticking.Unlock()
	var done []Done
	for {
		if err := e.writable(ctx); err != nil {
			return done, failed("tick", "", err)
		}
		next, p, any := e.dues.next()
		if !any || next.Due.After(e.now()) {
			return done, failed("tick", "", e.copyLarge(ctx, false))
		}
		err := e.perform(ctx, next, p)
		if errors.Is(err, errNotDue) {
			continue
		}
		if err != nil {
			return done, failed("tick", next.ID, err)
		}
		if next.Kind != freezeKind && next.Kind != sweepKind {
			done = append(done, next)
		}
	}
}

// perform does one thing that is due.
func (e *engine) perform(ctx context.Context, next Done, p *period) error {
	switch next.Kind {
	case closeKind:
		return e.close(ctx, p, next.Due)
	case freezeKind:
		return e.freeze(ctx, p)
	case sweepKind:
		return e.sweepOld(ctx, next.ID)
	case idleKind:
		return e.idle(ctx, next.ID)
	case lapseKind:
		return e.lapse(ctx, next.ID, next.Due)
	case deliverKind:
		return e.deliver(ctx, next.ID)
	case dismissKind:
		return e.dismissDue(ctx, next.ID, e.now())
	}
	return e.expire(ctx, next.ID)
}

// loop ticks whenever the next thing is due.
func (e *Engine) loop(ctx context.Context) {
	defer close(e.loopDone)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if next, _, any := e.dues.next(); any {
			wait = max(0, next.Due.Sub(e.now()))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-e.dues.changed:
			continue
		case <-timer.C:
		}
		if _, err := e.Tick(ctx); err != nil && ctx.Err() == nil {
			e.log("tick failed", err)
			if e.writable(ctx) != nil {
				return // nothing can be done until the engine is opened again
			}
			timer.Reset(time.Second)
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
		}
	}
}
