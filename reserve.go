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
	kind byte // 'm' match, 'p' player, 'r' room, 't' team
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
	queues map[key]queue
	closed error
	gone   chan struct{} // closed with closed set
}

// queue is who has a key, and who waits for it. Most keys are wanted by one at a time.
type queue struct {
	holder  *ticket
	waiting []*ticket
}

func newReservations() *reservations {
	return &reservations{queues: make(map[key]queue), gone: make(chan struct{})}
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
		if q.holder == nil {
			q.holder = t
		} else {
			q.waiting = append(q.waiting, t)
			t.waiting++
		}
		r.queues[k] = q
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
	if t == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range t.keys {
		q := r.queues[k]
		if q.holder != t { // left before it was served
			if i := slices.Index(q.waiting, t); i >= 0 {
				q.waiting = slices.Delete(q.waiting, i, i+1)
				r.queues[k] = q
			}
			continue
		}
		if len(q.waiting) == 0 {
			delete(r.queues, k)
			continue
		}
		q.holder = q.waiting[0]
		q.waiting = slices.Delete(q.waiting, 0, 1)
		r.queues[k] = q
		if q.holder.waiting--; q.holder.waiting == 0 {
			close(q.holder.ready)
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
