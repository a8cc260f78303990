package finalbell

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"time"
)

// Hooks are the caller's own code inside a call. No lock or reservation is held while one runs, so a hook may
// call the engine; only Close and Tick are refused there. A panic in a hook never ends the process.
type Hooks struct {
	// Before runs when a call would be allowed and would change something, before anything is written; not for
	// replays, heartbeats and what becomes due by itself. An error refuses the call with ErrRefused, and so does a
	// panic; what it puts into Data is stored with the match or the session.
	Before func(ctx context.Context, c *Call) error
	// Reply runs after the commit, and for replays, just before the call returns. What it puts into data, which has what is
	// stored at first, is the Data of this reply alone. It cannot fail the call: after a panic the reply goes without its data.
	Reply func(ctx context.Context, c Call, data map[string]string)
	// Deliver brings an item or a custom grant to its player, if the host keeps such things. It is called by Tick, soon
	// after the commit that granted it: at least once, also after a crash, and always with the same grant ID, and Turn and State. An
	// error or a panic lets it be tried again later, 16 times within four hours and a half; then the grant is failed
	// until Redeliver. A grant that was delivered and whose State is GrantRevoked now is to be taken back. Without this
	// hook such grants are granted at once.
	Deliver func(ctx context.Context, g Grant) error
	// After is told of every event, at least once, also after a crash: events with the same Subject, such as a match, in
	// order, and always with the same ID, by which the host knows one that it has had. It is fed from the log: the first time
	// that a store is opened with After or Release it begins with what happens from then on, and goes on ever after
	// where it stood. An error or a panic lets the event be handed over again later, 16 times within four hours and a
	// half, while the later ones of its subject wait; then it is given up, see Undelivered. While a hundred subjects wait so,
	// nothing new is handed over.
	After func(ctx context.Context, ev Event) error
	// Release is called when a match is over, ended, cancelled or expired, with the match as it is now: to let go what the
	// host keeps for it, such as a server. It is fed as After is, before it.
	Release func(ctx context.Context, m Match) error
	// Timeout is how long the ctx of a hook lasts, if the caller's does not end before; default 30 seconds. A hook that takes
	// no notice of its ctx is waited for.
	Timeout time.Duration
}

const hookTimeout = 30 * time.Second

// check refuses hooks that could never run.
func (h Hooks) check() error {
	if h.Timeout < 0 {
		return refuse(ErrInvalid, "options: Hooks.Timeout "+h.Timeout.String()+" is negative")
	}
	return nil
}

// limited is the ctx of a hook.
func (h Hooks) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(h.Timeout, hookTimeout))
}

// Call is what a hook is told about the call that it is part of.
type Call struct {
	Op       string            // "create match", "rematch", "start match", "report match", "end match", "cancel match", "void match", "amend match", "start session" or "end session"
	Match    Match             // before the call, for create and rematch as it will be; in Reply the one that is returned
	Session  Session           // as Match, of the calls about sessions
	Outcomes []Outcome         // of report, end and amend
	Reason   string            // of cancel, void and amend
	Data     map[string]string // Before: what to store with the match or the session; empty at first
}

// before runs the Before hook and returns the data that it attached.
func (e *engine) before(ctx context.Context, r request, m Match, d *decision) (map[string]string, error) {
	if e.options.Hooks.Before == nil || r.alone {
		return nil, nil
	}
	if r.create != nil {
		m = d.next
	}
	return e.ask(ctx, Call{Op: r.op, Match: m.shown().apart(), Outcomes: r.outcomes, Reason: r.reason})
}

// ask runs the Before hook of a call and returns the data that it attached.
func (e *engine) ask(ctx context.Context, c Call) (map[string]string, error) {
	ctx, stop := e.options.Hooks.limited(ctx)
	defer stop()
	c.Data = make(map[string]string)
	if err := runHook(func() error { return e.options.Hooks.Before(ctx, &c) }); err != nil {
		return nil, &refusal{kind: ErrRefused, text: "refused by the Before hook: " + err.Error(), cause: err}
	}
	for name, value := range c.Data {
		if err := checkAttribute("data", name, value); err != nil {
			return nil, refuse(ErrRefused, "the Before hook attached what cannot be kept: "+err.Error())
		}
	}
	return c.Data, nil
}

// reply runs the Reply hook for a match.
func (e *engine) reply(ctx context.Context, r request, m Match) Match {
	if e.options.Hooks.Reply == nil || r.alone {
		return m
	}
	m.Data = e.tell(ctx, Call{Op: r.op, Match: m.apart(), Outcomes: r.outcomes, Reason: r.reason}, m.Data)
	return m
}

// tell runs the Reply hook on a copy of the data, so that a panic half-way leaves nothing behind, and returns what the
// reply has.
func (e *engine) tell(ctx context.Context, c Call, stored map[string]string) map[string]string {
	ctx, stop := e.options.Hooks.limited(ctx)
	defer stop()
	data := maps.Clone(stored)
	if data == nil {
		data = make(map[string]string)
	}
	err := runHook(func() error {
		e.options.Hooks.Reply(ctx, c, data)
		return nil
	})
	if err != nil {
		e.log("the Reply hook failed", err)
		return stored
	}
	return data
}

// runHook calls a hook and turns a panic into an error. insideHook looks for it by name.
func runHook(hook func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return hook()
}

// insideHook reports whether a hook is among the callers: Close and Tick would wait there for the very call
// that waits for them.
func insideHook() bool {
	pcs := make([]uintptr, 256)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, "finalbell.runHook") {
			return true
		}
		if !more {
			return false
		}
	}
}
