package finalbell

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"
	"strconv"

	"github.com/finalbell/finalbell/store"
)

// What the outbox hands over of an event, and what becomes of what nobody takes.

// The hooks that are fed from the outbox.
const (
	afterHook   = "after"
	releaseHook = "release"
)

// handover is one call of a hook.
type handover struct {
	hook, id string // which hook, and the id of the event
	call     func(ctx context.Context) error
}

// handed is what came of handing over an event. Without a failure all of it was taken.
type handed struct {
	failure  error
	step     int  // at which it failed
	whole    bool // nothing of the event could be handed over
	hook, id string
}

// handovers are the calls that an event brings, in order.
func (e *engine) handovers(ctx context.Context, r store.Event) ([]handover, error) {
	hooks := e.options.Hooks
	if r.Kind == afterFailedEvent || r.Kind == replayedEvent {
		return nil, nil // about the outbox itself: a hook that fails would hear of nothing else
	}
	var of *Match
	kind := EventKind(r.Kind)
	if kind.topic() == matchTopic {
		m, err := e.find(ctx, r.ID)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, err
		}
		if err == nil {
			m = m.shown()
			of = &m
		}
	}
	var all []handover
	over := kind == EventMatchEnded || kind == EventMatchCancelled || kind == EventMatchExpired
	if hooks.Release != nil && over && of != nil {
		m := of.apart()
		all = append(all, handover{releaseHook, eventOf(r).ID, func(ctx context.Context) error { return hooks.Release(ctx, m) }})
	}
	if hooks.After == nil {
		return all, nil
	}
	events, err := e.eventsOf(ctx, r, &EventFilter{})
	if err != nil {
		return nil, err
	}
	events[0].Match = of
	for _, ev := range events {
		all = append(all, handover{afterHook, ev.ID, func(ctx context.Context) error { return hooks.After(ctx, ev) }})
	}
	return all, nil
}

// hand hands over an event from a step on, until a call fails. An error is not the hook's.
func (e *engine) hand(ctx context.Context, r store.Event, step int) (handed, error) {
	calls, err := e.handovers(ctx, r)
	if err != nil {
		if gone := left(ctx); gone != nil {
			return handed{}, gone
		}
		return handed{failure: err, step: step, whole: true, hook: afterHook, id: eventOf(r).ID}, nil
	}
	for ; step < len(calls); step++ {
		if failure := e.call(ctx, calls[step]); failure != nil {
			if gone := left(ctx); gone != nil {
				return handed{}, gone // it was not given its time
			}
			return handed{failure: failure, step: step, hook: calls[step].hook, id: calls[step].id}, nil
		}
	}
	return handed{}, nil
}

func (e *engine) call(ctx context.Context, h handover) error {
	limited, stop := e.options.Hooks.limited(ctx)
	defer stop()
	return runHook(func() error { return h.call(limited) })
}

// failedBody is what the event of one that was given up says.
type failedBody struct {
	Hook     string `json:"hook"`
	Position uint64 `json:"position"` // of the event
	Problem  string `json:"problem"`
}

// replayedBody is what the event of a replay says.
type replayedBody struct {
	After uint64 `json:"after"`
}

// giveUp writes down that an event is not handed over any more.
func (e *engine) giveUp(ctx context.Context, r store.Event, done handed) error {
	e.log("event "+quote(done.id)+" was given up by the "+done.hook+" hook", done.failure)
	body, err := marshal(failedBody{done.hook, r.Position, cut(done.failure.Error(), maxText)})
	if err != nil {
		return err
	}
	job := &outboxJob{commit: store.Commit{At: e.now(), Kind: afterFailedEvent, ID: done.id, Body: body}}
	return e.committer.submit(ctx, &pending{job: job})
}

// outboxJob is a commit about the outbox, which no call asks for twice.
type outboxJob struct{ commit store.Commit }

func (j *outboxJob) stale() bool { return false }

func (j *outboxJob) seal(position uint64) store.Commit {
	c := j.commit
	c.Key, c.Position = keyOf(outboxSetting, strconv.FormatUint(position, 10)), position
	return c
}

func (j *outboxJob) applied(uint64) {}

// ReplayEvents lets everything after a position be handed over to the After and Release hooks again, from now on and also
// after a crash, under the IDs that it had; 0 is everything there is, also from before the hooks were. ErrInvalid for a
// position that does not exist yet, ErrState without such a hook.
func (e *Engine) ReplayEvents(ctx context.Context, after uint64) error {
	return failed("replay events", "", e.replayEvents(ctx, after))
}

func (e *engine) replayEvents(ctx context.Context, after uint64) error {
	if err := e.writable(ctx); err != nil {
		return err
	}
	if e.outbox == nil {
		return refuse(ErrState, "there is no After hook and no Release hook")
	}
	if head := e.committer.applied.Load(); after > head {
		return refuse(ErrInvalid, "position "+strconv.FormatUint(after, 10)+" is after the last, "+strconv.FormatUint(head, 10))
	}
	body, err := marshal(replayedBody{after})
	if err != nil {
		return err
	}
	// Set back first: whatever is written of the outbox from here on is no later than the replay.
	after = e.outbox.setBack(after)
	e.noteOutbox()
	job := &outboxJob{commit: store.Commit{At: e.now(), Kind: replayedEvent, ID: outboxSetting, Body: body, Records: []store.Record{outboxText{after}.record()}}}
	return e.committer.submit(ctx, &pending{job: job})
}

// setBack forgets what was handed over after a position, and returns from where it goes on: there, or before, where
// something was still to be tried again.
func (b *outbox) setBack(after uint64) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = min(b.read, after)
	for _, l := range b.lanes {
		b.read = min(b.read, l.events[0]-1)
	}
	clear(b.lanes)
	b.waiting = 0
	b.turn++
	return b.read
}

// Undelivered yields the events of kind EventAfterFailed of what was given up by the After or the Release hook and was not
// replayed since, oldest first. Subject is the ID of what was given up; Body names the hook, the position of the event, after which
// ReplayEvents goes on behind it, and the problem.
func (e *Engine) Undelivered(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var given []Event
		var positions []uint64
		for ev, err := range e.Events(ctx, 0, EventFilter{Kinds: []EventKind{EventAfterFailed, EventEventsReplayed}}) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if ev.Kind == EventEventsReplayed {
				var body replayedBody
				if err := json.Unmarshal(ev.Body, &body); err != nil {
					continue
				}
				kept := 0
				for i, position := range positions {
					if position <= body.After {
						given[kept], positions[kept] = given[i], position
						kept++
					}
				}
				given, positions = given[:kept], positions[:kept]
				continue
			}
			var body failedBody
			if err := json.Unmarshal(ev.Body, &body); err != nil {
				continue
			}
			// After a crash it may have been given up once more.
			again := func(g Event) bool { return g.Subject == ev.Subject && string(g.Body) == string(ev.Body) }
			if !slices.ContainsFunc(given, again) {
				given, positions = append(given, ev), append(positions, body.Position)
			}
		}
		for _, ev := range given {
			if !yield(ev, nil) {
				return
			}
		}
	}
}
