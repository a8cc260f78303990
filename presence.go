package finalbell

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/finalbell/finalbell/internal/timetext"
	"github.com/finalbell/finalbell/store"
)

// What the calls about sessions decide and write. A player's key is held from the decision until it is applied, and so are
// those of the matches in which it tells of the player.

const (
	sessionStartedEvent = "session_started"
	sessionEndedEvent   = "session_ended"
)

// presence is what a call makes of a player's sessions.
type presence struct {
	now, at  time.Time
	dated    bool // the caller has named the time
	shown    Session
	replayed bool
	soft     bool      // shown was seen, and nothing else
	changed  []Session // to be written, shown among them
	key      string
	kind     string    // of the event
	due      time.Time // of an event that came by itself; zero: now
}

// attendance is one call about a player's sessions.
type attendance struct {
	op     string
	player string
	now    time.Time
	hooks  bool
	decide func(open []Session) (presence, error)
}

func (e *engine) sessionRule() SessionRule { return e.ruleset().rules.Sessions }

func (e *engine) devices() Devices { return e.sessionRule().Devices }

// seen is the time of a step of an open session. A clock that was set back while only heartbeats were written stands still.
func (p presence) seen(s Session) (presence, error) {
	if !p.at.Before(s.SeenAt) {
		return p, nil
	}
	if p.dated {
		return p, refuse(ErrInvalid, "at "+timetext.Format(p.at)+" is before the session was last seen, "+timetext.Format(s.SeenAt))
	}
	p.at = s.SeenAt
	return p, nil
}

// decideStartSession starts a session beside the open ones; same is what has its id already, or noSuch why there is none.
func (e *engine) decideStartSession(n NewSession, open []Session, same Session, noSuch error, p presence) (presence, error) {
	switch {
	case noSuch == nil && (same.Player != n.Player || same.Device != n.Device):
		return p, refuse(ErrExists, "the id is in use for a session of another player or device", n.ID)
	case noSuch == nil:
		p.shown, p.replayed = same, true
		return p, nil
	case !errors.Is(noSuch, ErrNotFound):
		return p, noSuch
	}
	rule := e.sessionRule()
	for _, s := range open {
		if rule.Devices == ManyDevices && s.Device != n.Device {
			continue
		}
		var err error
		if p, err = p.seen(s); err != nil {
			return p, err
		}
		if s.Device == n.Device && p.at.Before(s.SeenAt.Add(rule.ReconnectWithin)) {
			s.SeenAt = p.at
			p.shown, p.replayed, p.soft = s, true, true
			return p, nil
		}
		p.changed = append(p.changed, s)
	}
	for i := range p.changed {
		p.changed[i].EndedAt, p.changed[i].Reason = p.at, reasonReplaced
	}
	p.shown = Session{ID: n.ID, Player: n.Player, Device: n.Device, StartedAt: p.at, SeenAt: p.at, Attributes: maps.Clone(n.Attributes)}
	p.changed = append(p.changed, p.shown)
	p.key, p.kind = keyOf("session", n.ID, "start"), sessionStartedEvent
	return p, nil
}

func (e *engine) decideHeartbeat(s Session, p presence) (presence, error) {
	p, err := p.seen(s)
	s.SeenAt = p.at
	p.shown, p.soft = s, true
	return p, err
}

func (e *engine) decideEndSession(s Session, p presence) (presence, error) {
	p, err := p.seen(s)
	s.SeenAt, s.EndedAt, s.Reason = p.at, p.at, reasonEnded
	p.shown, p.changed = s, []Session{s}
	p.key, p.kind = keyOf("session", s.ID, "end"), sessionEndedEvent
	return p, err
}

// idleAt is when the session ends by itself; the zero time if it does not.
func (s Session) idleAt(rule SessionRule) time.Time {
	if !s.EndedAt.IsZero() || rule.IdleAfter == 0 {
		return time.Time{}
	}
	return s.SeenAt.Add(rule.IdleAfter)
}

// idles reports whether that time has come.
func (s Session) idles(rule SessionRule, now time.Time) bool {
	due := s.idleAt(rule)
	return !due.IsZero() && !due.After(now)
}

// attend carries out a call.
func (e *engine) attend(ctx context.Context, a attendance) (Session, error) {
	s, err := retried(func() (Session, error) { return e.tryAttend(ctx, a) })
	return s, taken(err)
}

func (e *engine) tryAttend(ctx context.Context, a attendance) (Session, error) {
	if err := e.idleOf(ctx, a.player, a.now); err != nil {
		return Session{}, err
	}
	open, err := e.openSessions(ctx, a.player)
	if err != nil {
		return Session{}, err
	}
	p, err := a.decide(open)
	if err != nil {
		return Session{}, err
	}
	var data map[string]string
	asked := a.hooks && !p.replayed && e.options.Hooks.Before != nil
	if asked {
		before := p.shown
		if i := slices.IndexFunc(open, func(s Session) bool { return s.ID == before.ID }); i >= 0 {
			before = open[i]
		}
		if data, err = e.ask(ctx, Call{Op: a.op, Session: before.apart()}); err != nil {
			return Session{}, err
		}
	}
	if !p.replayed || p.soft {
		if p, err = e.attendReserved(ctx, a, asked, data); err != nil {
			return Session{}, err
		}
	}
	reply := p.shown.apart()
	reply.Replayed = p.replayed
	if a.hooks && e.options.Hooks.Reply != nil {
		reply.Data = e.tell(ctx, Call{Op: a.op, Session: reply.apart()}, reply.Data)
	}
	return reply, nil
}

// apart returns a copy that shares nothing with s.
func (s Session) apart() Session {
	s.Attributes, s.Data = maps.Clone(s.Attributes), maps.Clone(s.Data)
	return s
}

// attendReserved decides again with the player's key held, and commits.
func (e *engine) attendReserved(ctx context.Context, a attendance, asked bool, data map[string]string) (presence, error) {
	rules := e.ruleset()
	t, matches, err := e.holdPlayer(ctx, a.player)
	if err != nil {
		return presence{}, err
	}
	handed := false
	defer func() {
		if !handed {
			e.committer.keys.release(t)
		}
	}()
	open, err := e.openSessions(ctx, a.player)
	if err != nil {
		return presence{}, err
	}
	p, err := a.decide(open)
	switch {
	case err != nil:
		return p, err
	case p.soft:
		if seen := p.shown; !slices.ContainsFunc(open, func(s Session) bool { return s.ID == seen.ID && s.SeenAt.Equal(seen.SeenAt) }) {
			e.committer.later(softKey{'s', seen.ID}, sessionRecord(seen))
			e.dues.note(idleKind, seen.ID, seen.idleAt(rules.rules.Sessions))
		}
		return p, nil
	case p.replayed:
		return p, nil
	case a.hooks && !asked && e.options.Hooks.Before != nil:
		return p, store.ErrStale // it was to go on, and is to be a new one now: the hook is asked first
	}
	p = p.withData(data)
	body, err := marshal(sessionBody{p.shown.Player, p.shown.Reason})
	if err != nil {
		return p, err
	}
	job := &sessionJob{engine: e, rules: rules, sessions: p.changed, commit: store.Commit{
		Body: body,
		Key:  p.key, Digest: store.Digest(digester(nil).text(p.shown.Player).text(p.shown.Device).sum()), At: p.eventAt(), Kind: p.kind, ID: p.shown.ID}}
	left := len(open)
	for i := range job.sessions {
		if job.sessions[i].version++; job.sessions[i].version == 1 {
			left++
		}
		if !job.sessions[i].EndedAt.IsZero() {
			left--
		}
	}
	job.matches = rules.seatsAfter(matches, a.player, p.kind == sessionStartedEvent, left == 0, job.commit.At)
	handed = true
	return p, e.committer.submit(ctx, &pending{ticket: t, job: job})
}

// withData attaches what a hook brought to the session that the call is about.
func (p presence) withData(data map[string]string) presence {
	if len(data) == 0 {
		return p
	}
	p.shown = p.shown.apart()
	if p.shown.Data == nil {
		p.shown.Data = make(map[string]string)
	}
	maps.Copy(p.shown.Data, data)
	p.changed[len(p.changed)-1] = p.shown
	return p
}

// eventAt is the time of the commit: not before that of the step, which heartbeats may have brought forward.
func (p presence) eventAt() time.Time {
	if !p.due.IsZero() {
		return p.due
	}
	if p.at.After(p.now) {
		return p.at
	}
	return p.now
}

// sessionBody is what the event of a session that began or ended says.
type sessionBody struct {
	Player string `json:"player"`
	Reason string `json:"reason,omitempty"`
}

// idleOf ends the sessions of a player that are idle, each as of its last heartbeat.
func (e *engine) idleOf(ctx context.Context, player string, now time.Time) error {
	rule := e.sessionRule()
	if rule.IdleAfter == 0 {
		return nil
	}
	open, err := e.openSessions(ctx, player)
	if err != nil {
		return err
	}
	slices.SortStableFunc(open, func(a, b Session) int { return cmp.Or(a.SeenAt.Compare(b.SeenAt), cmp.Compare(a.ID, b.ID)) })
	for _, s := range open {
		if s.idles(rule, now) {
			if err := e.idle(ctx, s.ID); err != nil && !errors.Is(err, errNotDue) {
				return err
			}
		}
	}
	return nil
}

// errNotDue is why nothing was done: a sign of life came first.
var errNotDue = errors.New("not due any more")

// idle ends a session that is due to, as of its last heartbeat.
func (e *engine) idle(ctx context.Context, id string) error {
	for {
		s, err := e.session(ctx, id)
		if err != nil {
			return err
		}
		_, err = e.attendReserved(ctx, attendance{player: s.Player, decide: func(open []Session) (presence, error) {
			rule := e.sessionRule()
			for _, s := range open {
				if s.ID == id && s.idles(rule, e.now()) {
					due := s.idleAt(rule)
					s.EndedAt, s.Reason = s.SeenAt, reasonIdle
					return presence{due: due, shown: s, changed: []Session{s}, key: keyOf("due", idleKind, id), kind: sessionEndedEvent}, nil
				}
				if s.ID == id {
					e.dues.note(idleKind, id, s.idleAt(rule))
					return presence{}, errNotDue
				}
			}
			e.dues.note(idleKind, id, time.Time{})
			return presence{}, errNotDue
		}}, false, nil)
		if !errors.Is(err, store.ErrStale) {
			return err
		}
	}
}

// idleIn ends the idle sessions of those who play a match, if that may tell of them.
func (e *engine) idleIn(ctx context.Context, m Match, now time.Time) (any bool, err error) {
	if m.State != Started || !e.mode(m).tellsGone() || !e.dues.has(idleKind, now) {
		return false, nil
	}
	for _, s := range m.roster {
		if s.Bot {
			continue
		}
		if err := e.idleOf(ctx, s.Player, now); err != nil {
			return false, err
		}
	}
	return true, nil
}

// sessionJob commits what a call makes of a player's sessions, and of their seats in matches.
type sessionJob struct {
	engine   *engine
	rules    *ruleset
	commit   store.Commit // but for its position
	sessions []Session
	matches  []Match
}

// stale reports that the rules have changed since the decision was taken.
func (j *sessionJob) stale() bool { return j.rules != j.engine.ruleset() }

func (j *sessionJob) seal(position uint64) store.Commit {
	c := j.commit
	c.Position = position
	for _, s := range j.sessions {
		if s.version == 1 {
			s.created = position
		}
		c.Records = append(c.Records, sessionRecord(s))
	}
	for _, m := range j.matches {
		c.Records = append(c.Records, matchRecord(m))
	}
	return c
}

func (j *sessionJob) applied(uint64) {
	for _, s := range j.sessions {
		j.engine.dues.note(idleKind, s.ID, s.idleAt(j.rules.rules.Sessions))
	}
}
