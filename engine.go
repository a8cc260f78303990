package finalbell

import (
	"context"
	"encoding/hex"
	"errors"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/finalbell/finalbell/store"

	"github.com/finalbell/finalbell/internal/timetext"
)

// Options are what an engine takes from its surroundings. The zero value is right.
type Options struct {
	// Now is the clock, read to the millisecond; default the system's. An engine with a clock of its own does
	// what is due only when Tick is called. A clock that steps back is held at the last stored time.
	Now func() time.Time
	// NewID makes ids for matches that come without; default UUIDs of version 7.
	NewID func() string
	// ManualTick leaves what is due to the caller's Tick, with the system's clock too.
	ManualTick bool
	Hooks      Hooks
	// Log is told what no caller can be: a failed background tick, a panic in a Reply hook. Default: nobody.
	Log *slog.Logger
	// MustExist lets Open refuse a file that is not there or empty instead of making a database in it. Set it
	// where there must be data already: an empty file in the place of a lost one looks like a first start.
	MustExist bool
	// Rebuild lets New and Open take rules of which boards have changed or are new to history: they are rebuilt, as by
	// Engine.Rebuild, before the call returns.
	Rebuild bool
	// Top is how many ranks are the top of a board, of which EventEnteredTop tells; default 10.
	Top int
	// Sync says when Open's database is synced to the disk; default SyncFull.
	Sync Sync

	payslice int // grants that one commit gives when a window is paid; default mostPaid
}

// Sync is what a database's commits survive.
type Sync string

const (
	// SyncFull syncs every commit before it counts: what was acknowledged survives the loss of power.
	SyncFull Sync = "full"
	// SyncNormal syncs now and then. Acknowledged commits still survive the death of the process; when the
	// machine loses power or its kernel fails, the last ones may be gone, though never one half.
	SyncNormal Sync = "normal"
)

// check refuses options that mean nothing.
func (o Options) check() error {
	if o.Top < 0 {
		return refuse(ErrInvalid, "options: Top "+strconv.Itoa(o.Top)+" is negative")
	}
	switch o.Sync {
	case "", SyncFull, SyncNormal:
		return o.Hooks.check()
	}
	return refuse(ErrInvalid, "options: Sync "+quote(string(o.Sync))+" is neither "+quote(string(SyncFull))+" nor "+quote(string(SyncNormal)))
}

// Engine runs matches. It is safe for concurrent use. Every call that changes something returns when the
// change is durable and on the boards, or with an error by which nothing has happened; ErrUnknown alone
// leaves that open, and then the same call with the same id is the way to find out.
type Engine struct {
	*engine
	at       time.Time // zero: now
	backfill bool
}

type engine struct {
	options    Options
	inForce    atomic.Pointer[ruleset]
	ids        *index
	store      store.Store
	committer  *committer
	dues       *dues
	opened     opened
	ticking    sync.Mutex
	archives   *archives
	remembered *remembered
	tallied    bool // of whom no statistics are kept there is nothing to count
	forgotten  forgotten
	copyRun    int    // entries in a chunk of a copy
	copying    func() // called between them, for tests; else nil
	audience   audience
	outbox     *outbox // nil without a hook that is fed from it
	closed     atomic.Bool
	stopLoop   context.CancelFunc // nil without a background loop
	loopDone   chan struct{}
	crashed    bool // the engine before was not closed
	orphans    []Orphan
}

// New opens an engine on a store, which is the engine's from then on. What the rules say of boards that have history, and
// of which modes feed them, must be what they said when it was made, but for a board's prizes and its grace; new boards
// may come where no match so far would have fed them. Anything else is ErrInvalid and names the first difference;
// Options.Rebuild takes it. Everything else in the rules may change: it holds from the next commit on, a fee and the
// prizes of a mode from the next match that is created. Nothing is written before the first call that changes
// something, unless the engine before was not closed and had matches running in a mode whose OnCrash is more than to resume
// them: see Orphans.
func New(ctx context.Context, s store.Store, rules Rules, options Options) (*Engine, error) {
	e, err := open(ctx, s, rules, options)
	if err != nil {
		return nil, failed("open", "", err)
	}
	return &Engine{engine: e}, nil
}

func open(ctx context.Context, s store.Store, rules Rules, options Options) (*engine, error) {
	if s == nil {
		return nil, refuse(ErrInvalid, "no store")
	}
	if err := options.check(); err != nil {
		return nil, err
	}
	if options.MustExist || options.Sync != "" {
		return nil, refuse(ErrInvalid, "options: MustExist and Sync are for Open; a store is opened by whoever gives it")
	}
	if err := rules.Validate(); err != nil {
		return nil, err
	}
	history, err := storedRules(ctx, s)
	if err != nil {
		return nil, err
	}
	e, err := prepare(ctx, s, rules, history, options)
	if err != nil {
		return nil, err
	}
	err = e.openRules(ctx)
	if options.Rebuild && errors.Is(err, errRebuild) {
		return e.openAsWas(ctx, rules, options)
	}
	if err != nil {
		return nil, err
	}
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	if err := e.openOutbox(ctx); err != nil {
		return nil, err
	}
	if err := e.takeUp(ctx); err != nil {
		return nil, err
	}
	e.startLoop(options)
	return e, nil
}

// openAsWas opens an engine by the rules of the store and then puts the new ones in force.
func (e *engine) openAsWas(ctx context.Context, rules Rules, options Options) (*engine, error) {
	history := e.ruleset().history
	was := e.ruleset().withCalendars(history[len(history)-1].Rules)
	e, err := prepare(ctx, e.store, was, history, options)
	if err == nil {
		err = e.load(ctx)
	}
	if err == nil {
		err = e.openOutbox(ctx)
	}
	if err == nil {
		_, err = (&Engine{engine: e}).Rebuild(ctx, rules, RebuildOptions{})
	}
	if err == nil {
		err = e.takeUp(ctx)
	}
	if err != nil {
		return nil, err
	}
	e.startLoop(options)
	return e, nil
}

// startLoop starts the background loop, unless the caller ticks.
func (e *engine) startLoop(options Options) {
	if options.Now == nil && !options.ManualTick {
		ctx, stop := context.WithCancel(context.Background())
		e.stopLoop = stop
		go (&Engine{engine: e}).loop(ctx)
		if e.outbox != nil {
			go e.work(ctx)
		}
	}
}

// openView opens an engine that only reads, by the rules of the store and at the time that it stands at.
func openView(ctx context.Context, s store.Store) (*engine, error) {
	history, err := storedRules(ctx, s)
	if err != nil {
		return nil, err
	}
	var rules Rules
	if n := len(history); n > 0 {
		rules = history[n-1].Rules
	}
	head, err := s.Head(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	e, err := prepare(ctx, s, rules, history, Options{Now: func() time.Time { return head.At }})
	if err != nil {
		return nil, err
	}
	e.committer.stopped = errViewing
	return e, e.load(ctx)
}

// prepare makes an engine without anything in it.
func prepare(ctx context.Context, s store.Store, rules Rules, history rulebook, options Options) (*engine, error) {
	e := &engine{
		options: options, store: s, ids: newIndex(), dues: newDues(), archives: newArchives(), remembered: newRemembered(), copyRun: chunkEntries, loopDone: make(chan struct{}),
	}
	if options.Now == nil {
		e.options.Now = time.Now
	}
	rs, err := newRuleset(rules, history, e.ids)
	if err != nil {
		return nil, err
	}
	e.inForce.Store(rs)
	head, err := s.Head(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	if e.crashed, err = leftRunning(ctx, s); err != nil {
		return nil, err
	}
	if e.tallied, err = isTallied(ctx, s, head); err != nil {
		return nil, err
	}
	e.committer = newCommitter(s, head)
	e.committer.remembered = e.remembered
	e.committer.told = e.crashed
	e.committer.heard = e.publish
	return e, e.committer.books.open(ctx, s)
}

// load fills the boards from the stored entries and takes up the rooms and the running matches.
func (e *engine) load(ctx context.Context) error {
	rs := e.ruleset()
	if err := e.loadWindows(ctx, rs); err != nil {
		return err
	}
	if err := e.noteRooms(ctx); err != nil {
		return err
	}
	return e.noteRunning(ctx)
}

// noteRunning takes up the running matches, the open sessions and the grants that wait.
func (e *engine) noteRunning(ctx context.Context) error {
	rs := e.ruleset()
	running := store.MatchQuery{States: []string{string(Created), string(Started), string(Disputed)}}
	for r, err := range e.store.Matches(ctx, running) {
		if err == nil {
			err = checkRecord(r)
		}
		if err != nil {
			return unavailable(err)
		}
		m := matchOf(r, rs)
		e.dues.noteMatch(m, rs.mode(m.Mode))
	}
	for s, err := range e.sessions(ctx, store.SessionQuery{Open: true}) {
		if err != nil {
			return err
		}
		e.dues.note(idleKind, s.ID, s.idleAt(rs.rules.Sessions))
	}
	for g, err := range e.grants(ctx, store.GrantQuery{States: []string{string(GrantPending), string(GrantRevoked)}}) {
		if err != nil {
			return err
		}
		e.dues.noteGrants([]Grant{g})
	}
	return nil
}

// Close writes what is still to be written, ends the background loop and closes the store. Calls after it,
// and those that still wait, fail with ErrUnavailable. A second Close does nothing.
func (e *Engine) Close() error {
	if insideHook() {
		return failed("close", "", refuse(ErrRefused, "a hook may not call Close"))
	}
	if e.closed.Swap(true) {
		return nil
	}
	if e.stopLoop != nil {
		e.stopLoop()
		<-e.loopDone
		if e.outbox != nil {
			<-e.outbox.done
		}
	}
	// Who ticks at this moment may be copying too, and two would write one copy.
	if _, stopped := e.committer.stand(); stopped == nil && e.ticking.TryLock() {
		if err := e.copyLarge(context.Background(), true); err != nil {
			e.log("the boards could not be copied", err) // the next open takes longer
		}
		e.ticking.Unlock()
	}
	failure := e.committer.drain(errClosed)
	if failure == errViewing {
		failure = nil
	}
	if err := e.store.Close(); err != nil && failure == nil {
		failure = unavailable(err)
	}
	return failed("close", "", failure)
}

var (
	errClosed  = refuse(ErrUnavailable, "the engine is closed")
	errViewing = refuse(ErrUnavailable, "the engine was opened for reading only")
)

// At returns the same engine for calls about something that happened at t: Create, Start and End take t as
// the time of the step instead of now. A t finer than a millisecond, after now or before the match's last
// step is ErrInvalid. Other calls ignore it.
func (e *Engine) At(t time.Time) *Engine {
	return &Engine{engine: e.engine, at: t, backfill: e.backfill}
}

// Backfill returns the same engine for bringing in matches that were played before: its calls close no window, so
// that a result counts in the window that it belongs to, however long ago that ended, unless it is final already.
// Such windows are closed by the next Tick, or by the next call that is no backfill and touches the board.
func (e *Engine) Backfill() *Engine { return &Engine{engine: e.engine, at: e.at, backfill: true} }

// Rules returns the rules of the engine, with every default in place.
func (e *Engine) Rules() Rules { return e.ruleset().rules.withDefaults() }

// now is the clock's time, but never before what is stored.
func (e *engine) now() time.Time {
	now := e.options.Now().UTC().Truncate(time.Millisecond)
	if stored, _ := e.committer.stand(); now.Before(stored) {
		return stored
	}
	return now
}

// times are the present and the time of the step that the caller speaks of.
func (e *Engine) times() (now, at time.Time, err error) {
	now = e.now()
	if e.at.IsZero() {
		return now, now, nil
	}
	at = e.at.UTC()
	if !at.Equal(at.Truncate(time.Millisecond)) {
		return now, at, refuse(ErrInvalid, "at "+at.Format(time.RFC3339Nano)+" is finer than a millisecond")
	}
	if at.After(now) {
		return now, at, refuse(ErrInvalid, "at "+timetext.Format(at)+" is after now, "+timetext.Format(now))
	}
	return now, at, nil
}

// writable refuses calls that change something once the engine is closed or its store has failed.
func (e *engine) writable(ctx context.Context) error {
	if err := e.readable(ctx); err != nil {
		return err
	}
	_, stopped := e.committer.stand()
	return stopped
}

// readable refuses reads once the engine is closed.
func (e *engine) readable(ctx context.Context) error {
	if e.closed.Load() {
		return errClosed
	}
	return left(ctx)
}

// left refuses to go on for a caller who has left.
func left(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	cause := context.Cause(ctx)
	return &refusal{kind: ErrUnavailable, text: "the caller left: " + cause.Error(), cause: cause}
}

// unavailable wraps what a store answered to a read.
func unavailable(err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return err
	}
	return &refusal{kind: ErrUnavailable, text: "the store failed: " + err.Error(), cause: err}
}

// backupper is what a store can do that copies itself.
type backupper interface {
	Backup(ctx context.Context, path string) error
}

// Backup writes a copy of the store to a new file at path: everything that was acknowledged before the call, and
// nothing half. The copy is synced and checked before the file has its name; one that is there already is
// refused, never overwritten. Calls go on meanwhile. ErrUnavailable if the store cannot copy itself.
func (e *Engine) Backup(ctx context.Context, path string) error {
	if err := e.readable(ctx); err != nil {
		return failed("back up", path, err)
	}
	s, can := e.store.(backupper)
	if !can {
		return failed("back up", path, refuse(ErrUnavailable, "this store has no copy of itself to give"))
	}
	if err := s.Backup(ctx, path); err != nil {
		return failed("back up", path, unavailable(err))
	}
	return nil
}

// Match returns a match as it stands, live reports included.
func (e *Engine) Match(ctx context.Context, id string) (Match, error) {
	err := e.readable(ctx)
	if err == nil {
		err = checkID("match id", id)
	}
	if err != nil {
		return Match{}, failed("read match", id, err)
	}
	m, err := e.find(ctx, id)
	if err != nil {
		return Match{}, failed("read match", id, err)
	}
	return m.shown(), nil
}

// MatchFilter selects matches; a zero field does not restrict.
type MatchFilter struct {
	Player, Mode, Room string
	States             []State
	From, To           time.Time // by the time when they ended: not before From, and before To
	Newest             bool      // the latest EndedAt first, then the later commit
}

// Matches yields the matches that f selects in the order of their creation, or with Newest the other way round. One that is written meanwhile
// comes as it was or as it is. The sequence holds no lock while it yields, and ends after an error.
func (e *Engine) Matches(ctx context.Context, f MatchFilter) iter.Seq2[Match, error] {
	return func(yield func(Match, error) bool) {
		if err := e.readable(ctx); err != nil {
			yield(Match{}, failed("list matches", "", err))
			return
		}
		q := store.MatchQuery{Player: f.Player, Mode: f.Mode, Room: f.Room, From: f.From.UTC(), To: f.To.UTC(), Newest: f.Newest}
		for _, s := range f.States {
			q.States = append(q.States, string(s))
		}
		for r, err := range e.store.Matches(ctx, q) {
			if err == nil {
				err = checkRecord(r)
			}
			if err != nil {
				yield(Match{}, failed("list matches", "", unavailable(err)))
				return
			}
			m, err := e.withGrants(ctx, matchOf(e.overlaid(r), e.ruleset()))
			if err != nil {
				yield(Match{}, failed("list matches", "", err))
				return
			}
			if !yield(m.shown(), nil) {
				return
			}
		}
	}
}

// find loads a match.
func (e *engine) find(ctx context.Context, id string) (Match, error) {
	r, err := e.record(ctx, id)
	if err != nil {
		return Match{}, err
	}
	m, err := e.withGrants(ctx, matchOf(r, e.ruleset()))
	if err != nil {
		return Match{}, err
	}
	return e.withCorrections(ctx, m)
}

func (e *engine) record(ctx context.Context, id string) (store.Match, error) {
	r, err := e.store.Match(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Match{}, refuse(ErrNotFound, "no such match", id)
	}
	if err == nil {
		err = checkRecord(r)
	}
	if err != nil {
		return store.Match{}, unavailable(err)
	}
	return e.overlaid(r), nil
}

// event is the one at a position, the zero event if there is none.
func (e *engine) event(ctx context.Context, position uint64) (store.Event, error) {
	if position == 0 {
		return store.Event{}, nil
	}
	for event, err := range e.store.Events(ctx, position-1) {
		if err != nil {
			return store.Event{}, unavailable(err)
		}
		if event.Position == position {
			return event, nil
		}
		break
	}
	return store.Event{}, nil
}

// overlaid adds to a stored match what is still on its way to the store.
func (e *engine) overlaid(r store.Match) store.Match {
	if soft, there := e.committer.overlay(softKey{'m', r.ID}); there {
		if m := soft.(store.Match); m.Version == r.Version {
			r = m
		}
	}
	if soft, there := e.committer.overlay(softKey{'r', r.ID}); there {
		if moves := soft.(store.Moves); moves.Position == r.Position {
			r.Moves = moves.Moves
		}
	}
	return r
}

// log tells the operator what no caller can be told.
func (e *engine) log(text string, err error) {
	if e.options.Log != nil {
		e.options.Log.Error(text, "error", err)
	}
}

func keyOf(parts ...string) string { return strings.Join(parts, "/") }

func (d digest) text() string { return hex.EncodeToString(d[:]) }
