package finalbell

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/google/btree"
)

// Done is something that became due and was done.
type Done struct {
	Kind string // "expire"
	ID   string // of the match
	Due  time.Time
}

// dues are the deadlines of the running matches, and who is in a running match of an exclusive mode.
type dues struct {
	mu      sync.Mutex
	queue   *btree.BTreeG[Done] // by due time, then id
	due     map[string]time.Time
	busy    map[string]string // player → match
	changed chan struct{}     // takes one token when the earliest may have changed
}

func newDues() *dues {
	return &dues{
		queue: btree.NewG(32, func(a, b Done) bool {
			return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) < 0
		}),
		due: make(map[string]time.Time), busy: make(map[string]string), changed: make(chan struct{}, 1),
	}
}

const expireKind = "expire"

// note takes in a match as it is now.
func (d *dues) note(m Match, mode Mode) {
	if m.Deadline.IsZero() && mode.ExpireCreated == 0 && mode.ExpireStarted == 0 && !mode.Exclusive {
		return // nothing can be due, nobody can be busy
	}
	due, expires := deadline(m, mode)
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, there := d.due[m.ID]; there && (!expires || !old.Equal(due)) {
		d.queue.Delete(Done{Kind: expireKind, ID: m.ID, Due: old})
		delete(d.due, m.ID)
	}
	if expires {
		d.queue.ReplaceOrInsert(Done{Kind: expireKind, ID: m.ID, Due: due})
		d.due[m.ID] = due
	}
	if mode.Exclusive {
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
	select {
	case d.changed <- struct{}{}:
	default:
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

// next is the earliest thing due.
func (d *dues) next() (Done, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue.Min()
}

// Tick does everything that is due at Now, in order of due time and then id, each in a commit of its own, and
// returns what it did. The engine calls it by itself unless Options set Now or ManualTick. Calls run one
// after the other. After an error the rest stays due.
func (e *Engine) Tick(ctx context.Context) ([]Done, error) {
	if insideHook() {
		return nil, failed("tick", "", refuse(ErrRefused, "a hook may not call Tick"))
	}
	e.ticking.Lock()
	defer e.ticking.Unlock()
	var done []Done
	for {
		if err := e.writable(ctx); err != nil {
			return done, failed("tick", "", err)
		}
		next, any := e.dues.next()
		if !any || next.Due.After(e.now()) {
			return done, nil
		}
		if err := e.expire(ctx, next.ID); err != nil {
			return done, failed("tick", next.ID, err)
		}
		done = append(done, next)
	}
}

// loop ticks whenever the next thing is due.
func (e *Engine) loop(ctx context.Context) {
	defer close(e.loopDone)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wait := time.Hour
		if next, any := e.dues.next(); any {
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
