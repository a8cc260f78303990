package finalbell

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// A reservation holds the keys that a decision reads and writes from before it is made until it is applied,
// so that what it read is still true when it is written. Keys are not locks: no thread waits in one while it
// holds a mutex, and whoever waits can leave.

// key names something that only one decision at a time may depend on.
type key struct {
	kind byte // 'm' match, 'p' player, 't' team
	id   string
}

// ticket is one decision's place in the queues of all its keys.
type ticket struct {
	keys    []key
	waiting int           // queues in which somebody is still ahead
	ready   chan struct{} // closed when waiting is 0
}

// reservations is a queue per key. A ticket enters all its queues in one step, so no two can wait for each
// other, and everybody is served in the order of arrival.
type reservations struct {
	mu     sync.Mutex
	queues map[key][]*ticket
	closed error
	gone   chan struct{} // closed with closed set
}

func newReservations() *reservations {
	return &reservations{queues: make(map[key][]*ticket), gone: make(chan struct{})}
}

// acquire waits until every key is free for the caller, who must release the ticket or hand it to the
// committer. Keys may repeat.
func (r *reservations) acquire(ctx context.Context, keys ...key) (*ticket, error) {
	slices.SortFunc(keys, func(a, b key) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id)) })
	t := &ticket{keys: slices.Compact(keys)}
	r.mu.Lock()
	if r.closed != nil {
		r.mu.Unlock()
		return nil, r.closed
	}
	for _, k := range t.keys {
		q := r.queues[k]
		if len(q) > 0 {
			t.waiting++
		}
		r.queues[k] = append(q, t)
	}
	if t.waiting == 0 {
		r.mu.Unlock()
		return t, nil
	}
	t.ready = make(chan struct{})
	r.mu.Unlock()
	select {
	case <-t.ready:
		return t, nil
	case <-r.gone:
		r.release(t)
		return nil, r.closed
	case <-ctx.Done():
		r.release(t)
		return nil, context.Cause(ctx)
	}
}

// release leaves all queues; whoever is first in one now has that key.
func (r *reservations) release(t *ticket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range t.keys {
		q := r.queues[k]
		i := slices.Index(q, t)
		switch {
		case i < 0:
			continue
		case len(q) == 1:
			delete(r.queues, k)
			continue
		}
		q = slices.Delete(q, i, i+1)
		r.queues[k] = q
		if i > 0 {
			continue
		}
		if q[0].waiting--; q[0].waiting == 0 {
			close(q[0].ready)
		}
	}
}

// close turns away everybody who waits or comes later.
func (r *reservations) close(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed == nil {
		r.closed = why
		close(r.gone)
	}
}
