package finalbell

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

// Every verb goes the same way: load, decide, ask the hook, reserve, decide again if the match has moved on,
// commit, apply, reply.

// request is one call of a verb.
type request struct {
	op       string
	id       string
	now, at  time.Time
	backfill bool
	alone    bool     // nobody made it: no hook is asked
	rules    *ruleset // in force when it is tried
	seasons  uint64   // begun and ended by then
	marked   uint64   // names forgotten by then
	outcomes []Outcome
	reason   string
	create   *asked
	decide   func(e *engine, m Match, r request) (*decision, error)
}

// decision is what a verb does to a match.
type decision struct {
	next     Match
	replayed bool
	started  bool   // the mode's AutoStart started it on the way
	key      string // of the commit; empty for a live report, which is soft
	digest   digest
	kind     string // of the event
	body     []byte
	at       time.Time // of the event

	rules   *ruleset // by which it was decided,
	seasons uint64   // and when
	marked  uint64   // names that were forgotten by then
	changes []boardChange
	sealed  [][]placed // per change, with their position
	moves   []rankMove // what they did, once it is durable

	lines   []ledgerLine // that it brings into the ledger,
	booking *booking     // as they come there
	missing shortfalls
	granted []Grant // made or changed
	facts   []playerFacts
	former  *store.Match // the match as it was, if it is voided or amended
	room    *Room        // as it is from then on, if the match goes into it or out of it
	refused error        // the call is refused, although something follows from it
}

// Create makes a match and returns it. Without an ID it gets a new one. The same id with the same content is
// the same match and returns it as it is now, Replayed; with other content it is ErrExists.
//
// In a room that was opened there is one match at a time, until it has ended, was cancelled or expired: ErrState if one is in
// it, or if it is closed. Without a Mode the match has the room's, without Players all members play, in the order in which
// they joined; what a call leaves to the room is not compared when it is made again. Others than members are
// ErrUnknownPlayer. What the room holds of their fees is held for the match from then on.
func (e *Engine) Create(ctx context.Context, n NewMatch) (Match, error) {
	const op = "create match"
	if err := e.writable(ctx); err != nil {
		return Match{}, failed(op, n.ID, err)
	}
	if n.ID == "" {
		n.ID = e.newID()
	}
	return e.create(ctx, op, asked{NewMatch: n})
}

// create makes a match that is asked for, with an id.
func (e *Engine) create(ctx context.Context, op string, n asked) (Match, error) {
	now, at, err := e.times()
	complete := n.NewMatch
	if mode, there := e.opened.mode(n.Room); there {
		n.opened, complete.Mode = true, cmp.Or(n.Mode, mode)
	}
	if err == nil {
		err = e.checkNew(complete)
	}
	if err != nil {
		return Match{}, failed(op, n.ID, err)
	}
	n.Deadline = n.Deadline.UTC()
	return e.do(ctx, request{op: op, id: n.ID, now: now, at: at, backfill: e.backfill, create: &n})
}

// Start starts a created match. A match that has started already, or ended, is returned as it is, Replayed.
// In an exclusive mode a player who is in another running match is ErrPlayers.
func (e *Engine) Start(ctx context.Context, id string) (Match, error) {
	return e.verb(ctx, request{op: "start match", id: id, decide: decideStart})
}

// Report replaces the provisional outcomes of a started match, player by player; the match returned shows
// who would stand where. Scores are soft: the last ones are written within a second or with the next commit,
// and may be lost in a crash; who walks in stays. Without outcomes nothing changes.
func (e *Engine) Report(ctx context.Context, id string, outcomes ...Outcome) (Match, error) {
	return e.undated().verb(ctx, request{op: "report match", id: id, outcomes: outcomes, decide: decideReport})
}

// End ends a started match: ranks the outcomes and applies them to every board of the mode, all in one
// commit. Outcomes may come in any order; who is absent gets what the mode's Missing says; no outcome at all
// is no contest. The same report again, at any time, returns the match as it is now, Replayed; another one is
// ErrAlreadyEnded. A report for a cancelled or expired match is refused, but kept as an event.
func (e *Engine) End(ctx context.Context, id string, outcomes ...Outcome) (Match, error) {
	return e.verb(ctx, request{op: "end match", id: id, outcomes: outcomes, decide: decideEnd})
}

// Cancel closes a match that will not end. Cancelling it again returns it, Replayed, with the first reason.
func (e *Engine) Cancel(ctx context.Context, id, reason string) (Match, error) {
	return e.undated().verb(ctx, request{op: "cancel match", id: id, reason: reason, decide: decideCancel})
}

// undated is the engine for calls that take no time of their own.
func (e *Engine) undated() *Engine { return e.At(time.Time{}) }

// verb checks what can be checked without the match.
func (e *Engine) verb(ctx context.Context, r request) (Match, error) {
	err := e.writable(ctx)
	if err == nil {
		err = checkID("match id", r.id)
	}
	if err == nil {
		r.now, r.at, err = e.times()
		r.backfill = e.backfill
	}
	for _, o := range r.outcomes {
		if err == nil {
			err = checkSubject(o)
		}
	}
	if err == nil && r.reason != "" {
		err = checkText("reason", r.reason)
	}
	if err != nil {
		return Match{}, failed(r.op, r.id, err)
	}
	return e.do(ctx, r)
}

// do carries out a request.
func (e *Engine) do(ctx context.Context, r request) (Match, error) {
	m, err := retried(func() (Match, error) { return e.try(ctx, r) })
	if err != nil {
		return Match{}, failed(r.op, r.id, taken(err))
	}
	return m, nil
}

// retried tries what somebody else's writing makes stale: it is decided again then, though not for ever.
func retried[T any](try func() (T, error)) (T, error) {
	const tries = 8
	for n := 1; ; n++ {
		x, err := try()
		switch stale := errors.Is(err, store.ErrStale) || errors.Is(err, store.ErrReplayed); {
		case !stale:
			return x, err
		case n == tries:
			return x, unavailable(err)
		}
	}
}

// taken says of a step whose key was used that it was taken otherwise.
func taken(err error) error {
	if errors.Is(err, store.ErrReused) {
		return &refusal{kind: ErrExists, text: "the same step was taken with other content", cause: err}
	}
	return err
}

func (e *engine) try(ctx context.Context, r request) (Match, error) {
	r.rules = e.ruleset()
	r.seasons, r.marked = r.rules.seasons.Load(), e.forgotten.mark()
	m, d, err := e.decide(ctx, r)
	if err != nil {
		return Match{}, err
	}
	if !d.replayed {
		for _, version := range []Match{m, d.next} { // what is amended or voided touched boards before
			if version.State != Ended || version.NoContest || r.backfill {
				continue
			}
			if err := e.closeBefore(ctx, r, version); err != nil {
				return Match{}, err
			}
		}
		data, err := e.before(ctx, r, m, d)
		if err != nil {
			return Match{}, err
		}
		if d, err = e.reserveAndCommit(ctx, r, m, d, data); err != nil {
			return Match{}, e.ifLate(ctx, m, r, err) // cancelled while the report was on its way
		}
		if d.refused != nil {
			return Match{}, d.refused
		}
	}
	reply := d.next.shown()
	reply.Replayed = d.replayed
	return e.reply(ctx, r, reply), nil
}

// decide loads the match, does what is due for it, and looks at what the request would do.
func (e *engine) decide(ctx context.Context, r request) (Match, *decision, error) {
	m, err := e.find(ctx, r.id)
	if r.create != nil && errors.Is(err, ErrNotFound) {
		d, err := e.decideNew(ctx, r)
		return Match{}, d, err
	}
	if err != nil {
		return Match{}, nil, err
	}
	if any, err := e.idleIn(ctx, m, r.now); err != nil {
		return Match{}, nil, err
	} else if any {
		if m, err = e.find(ctx, r.id); err != nil {
			return Match{}, nil, err
		}
	}
	if due, expires := deadline(m, e.mode(m)); expires && !due.After(r.now) {
		if err := e.expire(ctx, r.id); err != nil {
			return Match{}, nil, err
		}
		if m, err = e.find(ctx, r.id); err != nil {
			return Match{}, nil, err
		}
	}
	if r.create != nil {
		if !sameContent(m, *r.create) {
			return m, nil, refuse(ErrExists, "the id is in use for a match with other content", r.id)
		}
		return m, &decision{next: m, replayed: true}, nil
	}
	d, err := r.decide(e, m, r)
	return m, d, e.ifLate(ctx, m, r, err)
}

// reserveAndCommit holds the keys that the decision depends on, decides again if the match has moved on
// meanwhile, and commits.
func (e *engine) reserveAndCommit(ctx context.Context, r request, before Match, d *decision, data map[string]string) (*decision, error) {
	held := e.keys(d)
	t, err := e.committer.keys.acquire(ctx, held...)
	if err != nil {
		return d, e.notReserved(ctx, err)
	}
	handed := false
	defer func() {
		if !handed {
			e.committer.keys.release(t)
		}
	}()
	stored, err := e.record(ctx, r.id)
	switch {
	case errors.Is(err, ErrNotFound) && r.create != nil:
		if err := e.stillSeated(ctx, d); err != nil {
			return d, err
		}
	case err != nil:
		return d, err
	case stored.Version != before.version || stored.Provisional:
		before = matchOf(stored, r.rules)
		if d, err = e.redecide(r, before); err != nil || d.replayed {
			return d, err
		}
		if len(e.keys(d)) > len(held) {
			return d, store.ErrStale // somebody walked in meanwhile: start over with their keys too
		}
	}
	d.rules, d.seasons, d.marked = r.rules, r.seasons, r.marked
	if e.forgotten.since(d.marked, d.holds) {
		return d, store.ErrStale // before money is looked for under the old name
	}
	if err := e.settle(ctx, d, before, data); err != nil {
		return d, err
	}
	handed = true
	return e.submit(ctx, t, d)
}

func (e *engine) redecide(r request, m Match) (*decision, error) {
	if r.create == nil {
		return r.decide(e, m, r)
	}
	if !sameContent(m, *r.create) {
		return nil, refuse(ErrExists, "the id is in use for a match with other content", r.id)
	}
	return &decision{next: m, replayed: true}, nil
}

// settle works out, under the reservation, what the decision depends on beside the match itself.
func (e *engine) settle(ctx context.Context, d *decision, before Match, data map[string]string) error {
	if len(data) > 0 {
		d.next.Data = maps.Clone(d.next.Data)
		if d.next.Data == nil {
			d.next.Data = make(map[string]string)
		}
		maps.Copy(d.next.Data, data)
	}
	mode := e.mode(d.next)
	if mode.Exclusive && (d.next.State == Started || d.started) {
		if busy := e.dues.elsewhere(d.next); busy != nil {
			return refuse(ErrPlayers, "in another running match: "+list(busy), busy...)
		}
	}
	if d.key == "" {
		return nil // a live report
	}
	if err := e.follows(ctx, d, before, mode); err != nil {
		return err
	}
	if err := e.freeRoom(ctx, d); err != nil {
		return err
	}
	var err error
	if d.booking, err = e.book(ctx, d.key, d.lines, d.missing); err != nil {
		return err
	}
	d.booking.tell(d.granted)
	d.next.roster = granted(d.next.roster, d.given())
	return nil
}

// given are the grants of the match: those that were there, as the decision leaves them, and those that it makes.
func (d *decision) given() []Grant {
	var all []Grant
	told := make(map[string]Grant, len(d.granted))
	for _, g := range d.granted {
		told[g.ID] = g
	}
	for _, s := range d.next.roster {
		for _, g := range s.Grants {
			if now, changed := told[g.ID]; changed {
				g = now
				delete(told, g.ID)
			}
			all = append(all, g)
		}
	}
	for _, g := range d.granted {
		if _, left := told[g.ID]; left && g.Match == d.next.ID {
			all = append(all, g)
		}
	}
	return all
}

// follows works out what a step does to money, boards and players.
func (e *engine) follows(ctx context.Context, d *decision, before Match, mode Mode) error {
	if before.State == Ended {
		return e.revise(ctx, d, before)
	}
	if d.next.State == Ended && !d.next.NoContest { // first, for what is wrong with a report is said before money
		if err := e.settleBoards(ctx, d, mode); err != nil {
			return err
		}
	}
	if err := e.takeFees(ctx, d, before); err != nil || d.next.State != Ended || d.refused != nil {
		return err
	}
	return e.reward(ctx, d)
}

// submit hands the decision to the committer, which frees the ticket.
func (e *engine) submit(ctx context.Context, t *ticket, d *decision) (*decision, error) {
	if d.key == "" {
		e.soften(d)
		e.committer.keys.release(t)
		return d, nil
	}
	d.next.version++
	p := &pending{ticket: t, job: &matchJob{engine: e, decision: d}}
	if err := e.committer.submit(ctx, p); err != nil {
		return d, err
	}
	return d, nil
}

// soften keeps a live report for a batch to come.
func (e *engine) soften(d *decision) {
	e.committer.later(softKey{'m', d.next.ID}, matchRecord(d.next))
	e.dues.noteMatch(d.next, e.mode(d.next))
}

// keys are what a decision reads and writes: the match, its room if it enters or leaves it, and where boards, money, sessions
// or exclusive modes are concerned the players and teams.
func (e *engine) keys(d *decision) []key {
	keys := []key{{'m', d.next.ID}}
	if d.inRoom(e) {
		keys = append(keys, key{'r', d.next.Room})
	}
	mode := e.mode(d.next)
	paid := (e.ruleset().terms(d.next).Fee != nil || d.room != nil) && d.key != "" // a room may hold what was a fee once
	over := d.next.State == Ended || d.next.State == Voided
	seats := d.key != "" && mode.tellsGone() // a session may end meanwhile
	if !over && !paid && !(d.next.State == Started && (mode.Exclusive || seats)) {
		return keys
	}
	for _, s := range d.next.roster {
		keys = append(keys, key{'p', s.Player})
		if s.Team != "" {
			keys = append(keys, key{'t', s.Team})
		}
	}
	return keys
}

// notReserved tells why a caller did not get its keys.
func (e *engine) notReserved(ctx context.Context, err error) error {
	if gone := left(ctx); gone != nil {
		return gone
	}
	return err
}

// expire closes a match whose deadline has passed, as of its deadline.
func (e *engine) expire(ctx context.Context, id string) error {
	marked := e.forgotten.mark()
	m, err := e.find(ctx, id)
	for err == nil {
		due, expires := deadline(m, e.mode(m))
		if !expires || due.After(e.now()) {
			return nil // somebody else was faster
		}
		rs := e.ruleset()
		d := &decision{next: expire(m, due), key: keyOf("due", expireKind, id), kind: expiredEvent, at: due, rules: rs, seasons: rs.seasons.Load(), marked: marked}
		var t *ticket
		if t, err = e.committer.keys.acquire(ctx, e.keys(d)...); err != nil {
			return e.notReserved(ctx, err)
		}
		var now Match
		if now, err = e.find(ctx, id); err == nil && now.version == m.version {
			if err = e.settle(ctx, d, m, nil); err == nil {
				if _, err = e.submit(ctx, t, d); !errors.Is(err, store.ErrStale) {
					return err
				}
				marked = e.forgotten.mark()
				m, err = e.find(ctx, id)
				continue
			}
		}
		e.committer.keys.release(t)
		m = now
	}
	return err
}

// ifLate is what a request was refused for. A report that came after the match was cancelled or had expired is kept first.
func (e *engine) ifLate(ctx context.Context, m Match, r request, refused error) error {
	if r.op == "end match" && !r.alone && (errors.Is(refused, ErrCancelled) || errors.Is(refused, ErrExpired)) {
		if err := e.keepLate(ctx, m, r); err != nil {
			return err
		}
	}
	return refused
}

// keepLate keeps a refused report as an event, once. It returns an error only when that could not be done.
func (e *engine) keepLate(ctx context.Context, m Match, r request) error {
	body, sum, err := lateBody(r.outcomes)
	if err != nil {
		return nil // a number that cannot be written was none to keep
	}
	t, err := e.committer.keys.acquire(ctx, key{'m', m.ID})
	if err != nil {
		return e.notReserved(ctx, err)
	}
	names := func(name string) bool {
		return slices.ContainsFunc(r.outcomes, func(o Outcome) bool { return o.Player == name || o.Team == name })
	}
	p := &pending{ticket: t, job: &ledgerJob{engine: e, match: &m, commit: store.Commit{Key: keyOf("late", m.ID, sum.text()), Digest: store.Digest(sum),
		At: r.now, Kind: refusedEvent, ID: m.ID, Body: body}, marked: r.marked, holds: names}}
	err = e.committer.submit(ctx, p)
	if errors.Is(err, store.ErrReplayed) || errors.Is(err, store.ErrStale) {
		return nil
	}
	return err
}
