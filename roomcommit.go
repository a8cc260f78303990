package finalbell

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/finalbell/finalbell/store"
)

// How a change of a room is committed: under a reservation of the room and of the players whose money moves.

// opened are the modes of the rooms that were ever opened, by id. A match in a room that is not among them asks no store.
// A room is added before it is written: whoever then asks the store waits for the room's reservation first.
type opened struct {
	mu    sync.Mutex
	modes map[string]string
}

func (o *opened) add(id, mode string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.modes == nil {
		o.modes = make(map[string]string)
	}
	o.modes[id] = mode
}

// remove takes back what was not written.
func (o *opened) remove(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.modes, id)
}

// mode is that of a room; false if nobody opened it.
func (o *opened) mode(id string) (string, bool) {
	if id == "" {
		return "", false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	mode, there := o.modes[id]
	return mode, there
}

// noteRooms takes up the rooms of the store.
func (e *engine) noteRooms(ctx context.Context) error {
	for r, err := range e.store.Rooms(ctx, store.RoomQuery{}) {
		if err != nil {
			return unavailable(err)
		}
		e.opened.add(r.ID, e.ruleset().mode(r.Mode).ID)
		e.dues.note(dismissKind, r.ID, r.Deadline)
	}
	return nil
}

// findRoom loads a room.
func (e *engine) findRoom(ctx context.Context, id string) (Room, error) {
	for record, err := range e.store.Rooms(ctx, store.RoomQuery{ID: id}) {
		if err != nil {
			return Room{}, unavailable(err)
		}
		r := roomOf(record)
		for i, m := range r.Members {
			if m.Held == 0 {
				continue
			}
			if r.Members[i].currency, err = e.heldIn(ctx, r, m.Player); err != nil {
				return Room{}, err
			}
		}
		return r, nil
	}
	return Room{}, refuse(ErrNotFound, "no such room", id)
}

// heldIn is the currency in which a member's fee is held: that of the mode's fee, or if the rules have changed it, what the
// ledger says.
func (e *engine) heldIn(ctx context.Context, r Room, player string) (string, error) {
	currencies := e.ruleset().history.currencies(r.Mode)
	if len(currencies) == 1 {
		return currencies[0], nil
	}
	var currency string
	hold := account{holdAccount, player}
	for l, err := range e.store.Lines(ctx, store.LineQuery{Touching: []store.Account{accountRecord(hold)}}) {
		if err != nil {
			return "", unavailable(err)
		}
		joined := strings.SplitN(l.Posting, "/", 3) // see roomJob
		if len(joined) == 3 && joined[0] == roomJoinedEvent && joined[2] == r.ID && accountOf(l.Account) == hold {
			currency = l.Currency
		}
	}
	return currency, nil
}

// currencies are those that a mode's fee ever had.
func (h rulebook) currencies(mode string) []string {
	var all []string
	for _, c := range h {
		for _, m := range c.Rules.Modes {
			if m.ID == mode && m.Fee != nil && !slices.Contains(all, m.Fee.Currency) {
				all = append(all, m.Fee.Currency)
			}
		}
	}
	return all
}

// roomVerb is a call about a room that is there.
func (e *Engine) roomVerb(ctx context.Context, op, id string, syntax error, decide func(rs *ruleset, r Room, now time.Time) (roomChange, error)) (Room, error) {
	err := e.writable(ctx)
	if err == nil {
		err = checkID("room", id)
	}
	if err == nil {
		err = syntax
	}
	now := e.now()
	if err == nil {
		err = e.dueInRoom(ctx, id, now)
	}
	if err != nil {
		return Room{}, failed(op, id, err)
	}
	r, err := e.changeRoom(ctx, id, now, decide)
	return r, failed(op, id, err)
}

// dueInRoom does what is due for a room: its match expires, or its members are dismissed.
func (e *engine) dueInRoom(ctx context.Context, id string, now time.Time) error {
	r, err := e.findRoom(ctx, id)
	if err != nil {
		return err
	}
	if r.Match != "" {
		m, err := e.find(ctx, r.Match)
		if err != nil {
			return err
		}
		if due, expires := deadline(m, e.mode(m)); expires && !due.After(now) {
			return e.expire(ctx, m.ID)
		}
		return nil
	}
	if r.Deadline.IsZero() || r.Deadline.After(now) {
		return nil
	}
	return e.dismissDue(ctx, id, now)
}

// dismissDue dismisses the members of a room if its deadline has passed.
func (e *engine) dismissDue(ctx context.Context, id string, now time.Time) error {
	_, err := e.changeRoom(ctx, id, now, func(_ *ruleset, r Room, now time.Time) (roomChange, error) { return overdue(r, now) })
	return err
}

// again tries what may have to be decided again because somebody else wrote.
func (e *engine) again(try func() (Room, error)) (Room, error) {
	r, err := retried(try)
	if errors.Is(err, store.ErrReused) {
		err = unavailable(err)
	}
	if err != nil {
		return Room{}, err
	}
	return r, nil
}

// changeRoom decides what becomes of a room, and commits it.
func (e *engine) changeRoom(ctx context.Context, id string, now time.Time, decide func(rs *ruleset, r Room, now time.Time) (roomChange, error)) (Room, error) {
	return e.again(func() (Room, error) {
		r, err := e.findRoom(ctx, id)
		if err != nil {
			return r, err
		}
		rs := e.ruleset()
		c, err := decide(rs, r, now)
		if err != nil || c.replayed {
			return c.answer(), err
		}
		t, err := e.committer.keys.acquire(ctx, c.keys()...)
		if err != nil {
			return r, e.notReserved(ctx, err)
		}
		handed := false
		defer func() {
			if !handed {
				e.committer.keys.release(t)
			}
		}()
		before := r.version
		if r, err = e.findRoom(ctx, id); err == nil && r.version != before {
			c, err = decide(rs, r, now)
		}
		if err != nil || c.replayed {
			return c.answer(), err
		}
		for _, k := range c.keys() {
			if !slices.Contains(t.keys, k) {
				return r, store.ErrStale // somebody joined meanwhile: start over with their key too
			}
		}
		job, err := e.roomJob(ctx, rs, c, now)
		if err != nil {
			return r, err
		}
		handed = true
		if err := e.committer.submit(ctx, &pending{ticket: t, job: job}); err != nil {
			return Room{}, err // the job may still be sealed
		}
		return job.next, nil
	})
}

// openRoom opens a room that is not there yet.
func (e *engine) openRoom(ctx context.Context, n NewRoom) (Room, error) {
	t, err := e.committer.keys.acquire(ctx, key{'r', n.ID})
	if err != nil {
		return Room{}, e.notReserved(ctx, err)
	}
	r, err := e.findRoom(ctx, n.ID)
	if !errors.Is(err, ErrNotFound) {
		e.committer.keys.release(t)
		if err == nil && !sameRoom(r, n) {
			err = refuse(ErrExists, "the id is in use for a room with other content", n.ID)
		}
		r.Replayed = true
		return r, err
	}
	now := e.now()
	job, err := e.roomJob(ctx, e.ruleset(), newRoom(n, now), now)
	if err != nil {
		e.committer.keys.release(t)
		return Room{}, err
	}
	e.opened.add(n.ID, n.Mode)
	switch err := e.committer.submit(ctx, &pending{ticket: t, job: job}); {
	case err == nil:
		return job.next, nil
	case errors.Is(err, ErrUnknown):
		return Room{}, err // it may be there yet
	default:
		e.opened.remove(n.ID)
		return Room{}, err
	}
}

// answer is the room for a call that changes nothing.
func (c roomChange) answer() Room {
	c.next.Replayed = c.replayed
	return c.next
}

// keys are the room and the players whose money moves.
func (c roomChange) keys() []key {
	keys := []key{{'r', c.next.ID}}
	for _, l := range c.lines {
		if l.account.kind == playerAccount {
			keys = append(keys, key{'p', l.account.id})
		}
	}
	return keys
}

// roomJob is a change of a room in the committer's hands.
type roomJob struct {
	engine  *engine
	rules   *ruleset
	next    Room
	commit  store.Commit // but for its position
	booking *booking
}

// roomJob makes one of a change.
func (e *engine) roomJob(ctx context.Context, rs *ruleset, c roomChange, now time.Time) (*roomJob, error) {
	c.next.version++
	parts := []string{c.kind, versionText(c.next.version), c.next.ID}
	if c.due {
		parts, now = []string{"due", dismissKind, versionText(c.next.version), c.next.ID}, c.at
	}
	j := &roomJob{engine: e, rules: rs, next: c.next}
	j.commit = store.Commit{Key: keyOf(parts...), At: now, Kind: c.kind, ID: c.next.ID}
	var err error
	if !c.body.empty() {
		if j.commit.Body, err = marshal(c.body); err != nil {
			return nil, err
		}
	}
	j.booking, err = e.book(ctx, j.commit.Key, c.lines, nil)
	return j, err
}

// stale reports that the rules have changed: the fee may be another one.
func (j *roomJob) stale() bool { return j.rules != j.engine.ruleset() }

func (j *roomJob) seal(position uint64) store.Commit {
	c := j.commit
	c.Position = position
	if j.next.version == 1 {
		j.next.created = position
	}
	c.Records = append([]store.Record{roomRecord(j.next)}, j.booking.seal(&j.engine.committer.books, position, c.At)...)
	return c
}

func (j *roomJob) applied(uint64) { j.engine.dues.note(dismissKind, j.next.ID, j.next.Deadline) }
