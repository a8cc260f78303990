package finalbell

import (
	"context"
	"iter"
	"time"

	"github.com/finalbell/finalbell/store"
)

// NewSession is what StartSession is told.
type NewSession struct {
	ID         string // default: a new one
	Player     string
	Device     string            // may be empty
	Attributes map[string]string // at most 64
}

// Session is the time that a player spends in the game, as it stood when the call returned. Its maps belong to the
// caller. A session is never a match.
type Session struct {
	ID, Player, Device string
	StartedAt          time.Time
	SeenAt             time.Time // the last sign of life
	EndedAt            time.Time // zero: it is open
	Reason             string    // why it ended: "ended", "replaced" or "idle"
	Attributes         map[string]string
	Data               map[string]string // what a Before hook attached for ever, and a Reply hook to this reply
	Replayed           bool              // it had been started before and goes on, or is over

	version uint64
	created uint64 // position of the commit that began it
}

// Why sessions end.
const (
	reasonEnded    = "ended"    // by EndSession
	reasonReplaced = "replaced" // by the next one
	reasonIdle     = "idle"     // nobody was heard of
)

// Duration is how long the session lasted: until its end, or while it is open until the last sign of life.
func (s Session) Duration() time.Duration {
	if s.EndedAt.IsZero() {
		return s.SeenAt.Sub(s.StartedAt)
	}
	return s.EndedAt.Sub(s.StartedAt)
}

// StartSession starts a session of a player, who is back in every match that they had left by ending the one before. One
// that is open, on any device unless the rules allow many, ends with it, "replaced"; but if it is on the same device and
// was seen within the rules' ReconnectWithin, it goes on and is returned, Replayed, whatever id and attributes the call
// brings. The same id again, for the same player and device, returns that session as it is now, Replayed; for others it
// is ErrExists.
func (e *Engine) StartSession(ctx context.Context, n NewSession) (Session, error) {
	const op = "start session"
	name := n.ID
	if name == "" {
		name = n.Player
	}
	if err := e.writable(ctx); err != nil {
		return Session{}, failed(op, name, err)
	}
	if n.ID == "" {
		n.ID = e.newID()
	}
	err := checkID("session id", n.ID)
	if err == nil {
		err = checkWho(n.Player, n.Device)
	}
	if err == nil {
		err = checkAttributes("attributes", n.Attributes)
	}
	now, at, wrong := e.times()
	if err == nil {
		err = wrong
	}
	if err != nil {
		return Session{}, failed(op, name, err)
	}
	s, err := e.attend(ctx, attendance{op: op, player: n.Player, now: now, hooks: true, decide: func(open []Session) (presence, error) {
		same, err := e.session(ctx, n.ID)
		return e.decideStartSession(n, open, same, err, presence{now: now, at: at, dated: !e.at.IsZero()})
	}})
	return s, failed(op, name, err)
}

// Heartbeat notes that a player is still there. It is soft: the last one is written within a second or with the next
// commit, and may be lost in a crash. Without an open session it is ErrNotFound. Where a player has one device, none need
// be named; one that is named must be the session's.
func (e *Engine) Heartbeat(ctx context.Context, player, device string) (Session, error) {
	return e.undated().present(ctx, attendance{op: "heartbeat", player: player}, device, (*engine).decideHeartbeat)
}

// EndSession ends a player's open session; without one it is ErrNotFound. The device is as for Heartbeat. If no other
// session of the player is open, they are gone from the matches that they are in, as the OnSessionEnd of each mode says.
// It names no session, so a repeat is another call: ErrNotFound, or the end of one that was started meanwhile. Who did
// not hear the answer reads Session first.
func (e *Engine) EndSession(ctx context.Context, player, device string) (Session, error) {
	return e.present(ctx, attendance{op: "end session", player: player, hooks: true}, device, (*engine).decideEndSession)
}

// present makes a call about the open session of a player.
func (e *Engine) present(ctx context.Context, a attendance, device string, decide func(*engine, Session, presence) (presence, error)) (Session, error) {
	err := e.writable(ctx)
	if err == nil {
		err = checkWho(a.player, device)
	}
	now, at, wrong := e.times()
	if err == nil {
		err = wrong
	}
	if err != nil {
		return Session{}, failed(a.op, a.player, err)
	}
	a.now = now
	a.decide = func(open []Session) (presence, error) {
		for i := len(open) - 1; i >= 0; i-- {
			if one := e.devices() != ManyDevices && device == ""; one || open[i].Device == device {
				return decide(e.engine, open[i], presence{now: now, at: at, dated: !e.at.IsZero()})
			}
		}
		return presence{}, refuse(ErrNotFound, "no open session", a.player)
	}
	s, err := e.attend(ctx, a)
	return s, failed(a.op, a.player, err)
}

// checkWho refuses a player or a device that could be none.
func checkWho(player, device string) error {
	if err := checkID("player", player); err != nil || device == "" {
		return err
	}
	return checkID("device", device)
}

// Session returns a session as it stands, heartbeats included.
func (e *Engine) Session(ctx context.Context, id string) (Session, error) {
	err := e.readable(ctx)
	if err == nil {
		err = checkID("session id", id)
	}
	var s Session
	if err == nil {
		s, err = e.session(ctx, id)
	}
	return s, failed("read session", id, err)
}

// SessionFilter selects sessions; a zero field does not restrict.
type SessionFilter struct {
	Player   string
	Open     bool      // only those that have not ended
	From, To time.Time // by StartedAt: not before From, and before To
	Newest   bool      // the latest first
}

// Sessions yields the sessions that f selects in the order of their creation, or with Newest the other way round. One that
// is written meanwhile comes as it was or as it is. The sequence holds no lock while it yields, and ends after an error.
func (e *Engine) Sessions(ctx context.Context, f SessionFilter) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Session{}, failed("list sessions", "", err))
			return
		}
		q := store.SessionQuery{Player: f.Player, Open: f.Open, From: f.From, To: f.To, Newest: f.Newest}
		for s, err := range e.sessions(ctx, q) {
			if !yield(s, failed("list sessions", "", err)) || err != nil {
				return
			}
		}
	}
}

// SessionTotals are how many sessions there are, and how long those lasted that have ended.
type SessionTotals struct {
	Sessions int // that have ended
	Open     int
	Total    time.Duration
	Longest  time.Duration
	Mean     time.Duration // to the millisecond, half to even
}

// SessionTotals adds up the sessions that f selects.
func (e *Engine) SessionTotals(ctx context.Context, f SessionFilter) (SessionTotals, error) {
	var t SessionTotals
	for s, err := range e.Sessions(ctx, f) {
		if err != nil {
			return SessionTotals{}, err
		}
		t = t.add(s)
	}
	return t, nil
}

// add is the totals with one more session.
func (t SessionTotals) add(s Session) SessionTotals {
	if s.EndedAt.IsZero() {
		t.Open++
		return t
	}
	t.Sessions++
	t.Total += s.Duration()
	t.Longest = max(t.Longest, s.Duration())
	t.Mean = mean(t.Total, t.Sessions)
	return t
}

// mean is the n-th part in whole milliseconds, half to even.
func mean(total time.Duration, n int) time.Duration {
	all, by := total.Milliseconds(), int64(n)
	part, rest := all/by, all%by
	if 2*rest > by || 2*rest == by && part%2 == 1 {
		part++
	}
	return time.Duration(part) * time.Millisecond
}

// sessions yields stored sessions with what is still on its way to the store.
func (e *engine) sessions(ctx context.Context, q store.SessionQuery) iter.Seq2[Session, error] {
	return func(yield func(Session, error) bool) {
		for r, err := range e.store.Sessions(ctx, q) {
			if err != nil {
				yield(Session{}, unavailable(err))
				return
			}
			if soft, there := e.committer.overlay(softKey{'s', r.ID}); there && soft.(store.Session).Version == r.Version {
				r = soft.(store.Session)
			}
			if !yield(sessionOf(r), nil) {
				return
			}
		}
	}
}

func (e *engine) session(ctx context.Context, id string) (Session, error) {
	for s, err := range e.sessions(ctx, store.SessionQuery{ID: id}) {
		return s, err
	}
	return Session{}, refuse(ErrNotFound, "no such session", id)
}

// openSessions are those of a player, oldest first.
func (e *engine) openSessions(ctx context.Context, player string) ([]Session, error) {
	var open []Session
	for s, err := range e.sessions(ctx, store.SessionQuery{Player: player, Open: true}) {
		if err != nil {
			return nil, err
		}
		open = append(open, s)
	}
	return open, nil
}
