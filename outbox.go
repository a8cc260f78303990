package finalbell

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/finalbell/finalbell/store"
)

// The outbox is the log itself: the After and Release hooks are fed from it, and a setting keeps the position up to which
// everything was handed over or given up. It is written a moment later than that is so: a crash lets some of it be handed
// over again, and skips nothing.

const (
	outboxSetting = "outbox"
	mostParked    = 100    // subjects of which something has to be tried again; with more nothing new is handed over
	mostWaiting   = 10_000 // events of theirs that wait
)

// outbox is where the hooks stand in the log.
type outbox struct {
	stirred chan struct{} // takes one token when there may be something to hand over
	done    chan struct{} // closed when the worker has ended
	feeding sync.Mutex    // held by who hands over: one at a time

	mu      sync.Mutex
	read    uint64           // everything up to here was handed over, given up, or is in a lane
	lanes   map[string]*lane // by subject
	waiting int              // events in them
	turn    int              // how often it was set back
	noted   uint64           // the position that was written, or will be
}

// lane is the events of a subject, of which the first has to be tried again.
type lane struct {
	subject  string
	events   []uint64 // their positions
	step     int      // of the first: what is to be handed over next
	attempts int      // at it
	due      time.Time
}

// outboxText is the outbox as the store keeps it.
type outboxText struct {
	After uint64 `json:"after"`
}

func (t outboxText) record() store.Setting {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // unreachable: a number
	}
	return store.Setting{Name: outboxSetting, Value: text}
}

// openOutbox finds where the outbox stands, if there is a hook that is fed from it. One that never was begins here, and
// the first commit says so.
func (e *engine) openOutbox(ctx context.Context) error {
	if e.options.Hooks.After == nil && e.options.Hooks.Release == nil {
		return nil
	}
	box := &outbox{stirred: make(chan struct{}, 1), done: make(chan struct{}), lanes: make(map[string]*lane)}
	text, err := e.store.Setting(ctx, outboxSetting)
	head := e.committer.applied.Load()
	switch {
	case errors.Is(err, store.ErrNotFound):
		box.read = head
		e.committer.settings = append(slices.Clip(e.committer.settings), outboxText{head}.record())
	case err != nil:
		return unavailable(err)
	default:
		var stored outboxText
		if err := json.Unmarshal(text, &stored); err != nil {
			return unavailable(errors.Join(errors.New("the setting "+outboxSetting), err))
		}
		box.read = min(stored.After, head)
	}
	box.noted = box.read
	e.outbox = box
	return nil
}

// wake tells the worker that there may be something.
func (b *outbox) wake() {
	select {
	case b.stirred <- struct{}{}:
	default:
	}
}

// work hands over whatever comes, until ctx ends.
func (e *engine) work(ctx context.Context) {
	box := e.outbox
	defer close(box.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		err := e.handOver(ctx)
		if ctx.Err() != nil || e.closed.Load() {
			return
		}
		wait, any := box.nextDue(e.now())
		if err != nil {
			e.log("the events could not be handed over", err)
			if e.writable(ctx) != nil {
				return // nothing can be done until the engine is opened again
			}
			wait, any = time.Second, true
		}
		if timer.Stop(); any {
			timer.Reset(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-box.stirred:
		}
	}
}

// nextDue is how long it is until something has to be tried again; false if nothing has.
func (b *outbox) nextDue(now time.Time) (time.Duration, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait, any := time.Duration(0), false
	for _, l := range b.lanes {
		if left := max(0, l.due.Sub(now)); !any || left < wait {
			wait, any = left, true
		}
	}
	return wait, any
}

// handOver hands over what there is: first what is to be tried again, then what is new.
func (e *engine) handOver(ctx context.Context) error {
	e.outbox.feeding.Lock()
	defer e.outbox.feeding.Unlock()
	upTo := e.committer.applied.Load() // what the hooks themselves bring about is for the next time
	for {
		if err := e.tryAgain(ctx); err != nil {
			return err
		}
		if more, err := e.readOn(ctx, upTo); err != nil || !more {
			return err
		}
	}
}

// readOn hands over what is new, until there is no more, or something else to be done before.
func (e *engine) readOn(ctx context.Context, upTo uint64) (more bool, err error) {
	box := e.outbox
	box.mu.Lock()
	after, turn := box.read, box.turn
	box.mu.Unlock()
	for r, err := range e.store.Events(ctx, after) {
		if err == nil {
			err = e.writable(ctx)
		}
		if err != nil {
			return false, unavailable(err)
		}
		if r.Position > upTo || box.full() {
			return false, nil
		}
		if !box.joins(r, turn) {
			done, err := e.hand(ctx, r, 0)
			if err != nil {
				return false, err
			}
			box.took(r, turn, done, e.now())
		}
		e.noteOutbox()
		if box.interrupted(turn, e.now()) {
			return true, nil
		}
	}
	return false, nil
}

// full reports whether too much waits already.
func (b *outbox) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.lanes) >= mostParked || b.waiting >= mostWaiting
}

// joins lets an event wait behind others of its subject, if there are any.
func (b *outbox) joins(r store.Event, turn int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[r.ID]
	if turn != b.turn {
		return true // it was set back, and this event will come again
	}
	if l == nil {
		return false
	}
	l.events = append(l.events, r.Position)
	b.waiting++
	b.read = r.Position
	return true
}

// took notes what came of handing over an event for the first time.
func (b *outbox) took(r store.Event, turn int, done handed, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if turn != b.turn {
		return
	}
	b.read = r.Position
	if done.failure != nil {
		b.lanes[r.ID] = &lane{subject: r.ID, events: []uint64{r.Position}, step: done.step, attempts: 1, due: now.Add(retryAfter(1))}
		b.waiting++
	}
}

// interrupted reports whether there is something to be done before the next new event.
func (b *outbox) interrupted(turn int, now time.Time) bool {
	if b.due(now) != nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return turn != b.turn
}

// due is the lane that is to be tried again first, nil if none is yet.
func (b *outbox) due(now time.Time) *lane {
	b.mu.Lock()
	defer b.mu.Unlock()
	var first *lane
	for _, l := range b.lanes {
		if !l.due.After(now) && (first == nil || l.due.Before(first.due) || l.due.Equal(first.due) && l.events[0] < first.events[0]) {
			first = l
		}
	}
	return first
}

// tryAgain hands over what is to be tried again by now, and what waits behind it.
func (e *engine) tryAgain(ctx context.Context) error {
	for {
		l := e.outbox.due(e.now())
		if l == nil {
			return nil
		}
		if err := e.writable(ctx); err != nil {
			return err
		}
		if err := e.tryLane(ctx, l); err != nil {
			return err
		}
		e.noteOutbox()
	}
}

// tryLane tries the first event of a lane once more.
func (e *engine) tryLane(ctx context.Context, l *lane) error {
	box := e.outbox
	box.mu.Lock()
	position, step, attempts, turn := l.events[0], l.step, l.attempts, box.turn
	box.mu.Unlock()
	r, err := e.event(ctx, position)
	if err != nil {
		return err
	}
	done := handed{}
	if r.Position > 0 {
		if done, err = e.hand(ctx, r, step); err != nil {
			return err
		}
	}
	if done.failure != nil {
		if done.step > step {
			attempts = 0
		}
		attempts++
	}
	dead := attempts >= mostAttempts && done.failure != nil
	if dead {
		if err := e.giveUp(ctx, r, done); err != nil {
			return err
		}
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	switch {
	case turn != box.turn:
	case done.failure == nil || dead && done.whole:
		box.next(l, e.now())
	case dead:
		l.step, l.attempts, l.due = done.step+1, 0, e.now()
	default:
		l.step, l.attempts, l.due = done.step, attempts, e.now().Add(retryAfter(attempts))
	}
	return nil
}

// next lets the next event of a lane be handed over, or the lane go. The mutex is held.
func (b *outbox) next(l *lane, now time.Time) {
	l.events, l.step, l.attempts, l.due = l.events[1:], 0, 0, now
	b.waiting--
	if len(l.events) == 0 {
		delete(b.lanes, l.subject)
	}
}

// noteOutbox lets the position be written up to which everything is done.
func (e *engine) noteOutbox() {
	box := e.outbox
	box.mu.Lock()
	defer box.mu.Unlock()
	after := box.read
	for _, l := range box.lanes {
		after = min(after, l.events[0]-1)
	}
	if after != box.noted {
		box.noted = after
		e.committer.later(softKey{kind: 'o'}, outboxText{after}.record())
	}
}
