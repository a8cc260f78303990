package finalbell

import (
	"context"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/finalbell/finalbell/store"
)

// Live events. The committer puts them into the queue of each subscriber who wants them and waits for nobody.

// Subscription says which events a subscriber gets.
type Subscription struct {
	EventFilter
	// Buffer is how many events wait for a subscriber who is slower than they come; default 256.
	Buffer int
}

const defaultBuffer = 256

// audience is everybody who listens.
type audience struct {
	count atomic.Int32 // so that an engine without any pays nothing
	mu    sync.Mutex
	all   map[*subscriber]struct{}
}

// subscriber is one queue.
type subscriber struct {
	filter EventFilter
	buffer int
	ready  chan struct{} // takes one token when there is something new

	mu     sync.Mutex
	queue  []Event
	last   uint64 // position of the last event that came into the queue
	missed int    // events after those in the queue that did not
}

// Subscribe returns the events that happen from the call on, each as soon as its commit is durable and on the boards, and
// what follows from it on boards right after it. It must be ranged over once, or its ctx ended: until then up to Buffer
// events are kept for it. Who is slower than that misses what happens until they have taken all that waits: then comes an
// event of kind EventMissed with the number of those that are missing and the Position after which Events, with the same
// filter, has them. What one commit brings is queued whole or not at all, so that more than Buffer may wait if it alone is more.
//
// The sequence ends when ctx does, or, once all that waits is taken, when the engine is closed; with an error if the store
// has failed or the subscription is refused.
func (e *Engine) Subscribe(ctx context.Context, s Subscription) iter.Seq2[Event, error] {
	const op = "subscribe"
	err := e.readable(ctx)
	if err == nil && s.Buffer < 0 {
		err = refuse(ErrInvalid, "Buffer "+strconv.Itoa(s.Buffer)+" is negative")
	}
	if err != nil {
		return func(yield func(Event, error) bool) { yield(Event{}, failed(op, "", err)) }
	}
	sub := &subscriber{filter: s.EventFilter.apart(), buffer: s.Buffer, ready: make(chan struct{}, 1)}
	if sub.buffer == 0 {
		sub.buffer = defaultBuffer
	}
	e.audience.add(sub)
	stop := context.AfterFunc(ctx, func() { e.audience.remove(sub) })
	return func(yield func(Event, error) bool) {
		defer func() {
			stop()
			e.audience.remove(sub)
		}()
		for {
			ev, err := e.nextOf(ctx, sub)
			if err != nil {
				yield(Event{}, failed(op, "", err))
				return
			}
			if ev.Kind == "" || !yield(ev, nil) {
				return
			}
		}
	}
}

// nextOf waits for a subscriber's next event; one without a kind is the end.
func (e *engine) nextOf(ctx context.Context, sub *subscriber) (Event, error) {
	for {
		if ctx.Err() != nil {
			return Event{}, nil
		}
		if ev, any := sub.take(); any {
			return e.withMatch(ctx, ev), nil
		}
		select {
		case <-sub.ready:
		case <-ctx.Done():
		case <-e.committer.keys.gone: // whoever stops the committer closes them
			if ev, any := sub.take(); any {
				return e.withMatch(ctx, ev), nil
			}
			if _, stopped := e.committer.stand(); stopped != errClosed && stopped != errViewing {
				return Event{}, stopped
			}
			return Event{}, nil
		}
	}
}

// withMatch adds the match as it is now to an event about one; an event comes without it if it cannot be read any more.
func (e *engine) withMatch(ctx context.Context, ev Event) Event {
	if ev.Kind.topic() == matchTopic && !e.closed.Load() {
		if m, err := e.find(ctx, ev.Subject); err == nil {
			m = m.shown()
			ev.Match = &m
		}
	}
	return ev
}

// apart is a filter that shares nothing with the caller's.
func (f EventFilter) apart() EventFilter {
	return EventFilter{
		Kinds: slices.Clone(f.Kinds), Matches: slices.Clone(f.Matches), Modes: slices.Clone(f.Modes),
		Rooms: slices.Clone(f.Rooms), Players: slices.Clone(f.Players), Boards: slices.Clone(f.Boards),
	}
}

func (a *audience) add(s *subscriber) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all = make(map[*subscriber]struct{})
	}
	a.all[s] = struct{}{}
	a.count.Store(int32(len(a.all))) //nolint:gosec // a number of subscribers
}

func (a *audience) remove(s *subscriber) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.all, s)
	a.count.Store(int32(len(a.all))) //nolint:gosec // a number of subscribers
}

// knowing is a job that knows the match that its event is about, nil if there is none, and how that moved on boards.
type knowing interface {
	about() (m *Match, moves []rankMove)
}

func (j *matchJob) about() (*Match, []rankMove)  { return &j.decision.next, j.decision.moves }
func (j *ledgerJob) about() (*Match, []rankMove) { return j.match, nil }

// publish brings a commit that is on the boards to whoever listens. The committer calls it, in position order.
func (e *engine) publish(c *store.Commit, j job) {
	if e.outbox != nil {
		e.outbox.wake()
	}
	if e.audience.count.Load() == 0 {
		return
	}
	ev := eventOf(store.Event{Position: c.Position, Key: c.Key, At: c.At, Kind: c.Kind, ID: c.ID, Body: c.Body})
	all := []Event{ev}
	var m *Match
	if knows, is := j.(knowing); is {
		var moves []rankMove
		if m, moves = knows.about(); movesBoards(ev.Kind) {
			all = append(all, followers(&ev, moveRecords("", 0, moves).Moves, e.options.top())...)
		}
	}
	e.audience.mu.Lock()
	defer e.audience.mu.Unlock()
	for sub := range e.audience.all {
		sub.put(all, m)
	}
}

// put queues what one commit brings, as far as the subscriber wants it.
func (s *subscriber) put(all []Event, m *Match) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := 0
	for i := range all {
		if s.filter.takes(&all[i], m) {
			wanted++
		}
	}
	switch {
	case wanted == 0:
		return
	case s.missed > 0 || len(s.queue) > 0 && len(s.queue)+wanted > s.buffer:
		s.missed += wanted
	default:
		for i := range all {
			if s.filter.takes(&all[i], m) {
				s.queue = append(s.queue, all[i])
			}
		}
		s.last = all[0].Position
	}
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// take takes the next event out of the queue; behind the last what is missing.
func (s *subscriber) take() (Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		ev := s.queue[0]
		s.queue[0] = Event{}
		ev.Body = slices.Clone(ev.Body) // others have the same
		if s.queue = s.queue[1:]; len(s.queue) == 0 {
			s.queue = nil
		}
		return ev, true
	}
	if s.missed > 0 {
		ev := Event{Kind: EventMissed, Position: s.last, Missed: s.missed}
		s.missed = 0
		return ev, true
	}
	return Event{}, false
}
