package finalbell

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/finalbell/finalbell/store"
)

// pseudonymPrefix begins the name that a forgotten player has from then on.
const pseudonymPrefix = "forgotten-"

// Forget takes a player's name away and returns the pseudonym that stands in its place from then on: in matches and what
// they were before they were revised, on boards, also of windows that are over, in the ledger, in grants and their ids, in
// progress, sessions, rooms and events. Ranks, balances, history and everything that the engine computes stay as they were
// and go on under the pseudonym; the books still add up. The player's attributes in matches are gone, but those that boards
// are partitioned by, and so are the attributes, the data and the devices of their sessions. Who comes back under the old
// name is a new player. A team of the same name is renamed with the player.
//
// What the host wrote in words of its own stays as it is: ids, attributes and data of matches, reasons, the keys of money
// calls, problems that a Deliver hook told; and so do checksums of calls, which name nobody, but by which somebody who
// has a guess could find it right. A retry of a call that named the player is another call now, and refused where the
// first one would have been known. Backups and earlier exports keep the name: they are the host's to delete.
//
// A player who is in a match that has not ended or in a room, or has an open session, is ErrState, which says where; end that first.
// Of whom nothing is kept is ErrNotFound: so is a player who was forgotten before. It waits for a Tick that is running, and it looks at every event
// of the store.
func (e *Engine) Forget(ctx context.Context, player string) (string, error) {
	as, err := e.forget(ctx, player)
	return as, failed("forget player", player, err)
}

func (e *engine) forget(ctx context.Context, player string) (string, error) {
	if insideHook() {
		return "", refuse(ErrRefused, "a hook may not call Forget")
	}
	if err := e.writable(ctx); err != nil {
		return "", err
	}
	if err := checkID("player", player); err != nil {
		return "", err
	}
	// Meanwhile no chunk is written, no board is rebuilt, nothing that waits for its time is looked at, and nobody else
	// is forgotten.
	e.ticking.Lock()
	defer e.ticking.Unlock()
	return retried(func() (string, error) { return e.tryForget(ctx, player) })
}

func (e *engine) tryForget(ctx context.Context, player string) (string, error) {
	t, err := e.committer.keys.acquire(ctx, key{'p', player}, key{'t', player})
	if err != nil {
		return "", e.notReserved(ctx, err)
	}
	job := &forgetJob{engine: e, ctx: context.WithoutCancel(ctx), keys: make(map[uint64]string), names: renaming{from: player}, at: e.now()}
	if job.names.to, err = e.pseudonym(ctx); err == nil {
		err = job.gather(ctx)
	}
	if err != nil {
		e.committer.keys.release(t)
		return "", err
	}
	// Nobody leaves from here on: what was locked stays so until the name is gone.
	err = e.committer.submit(job.ctx, &pending{job: job, alone: true, bare: true, ticket: t})
	if job.failure != nil {
		err = job.failure
	}
	if err != nil {
		return "", err
	}
	return job.names.to, nil
}

// pseudonym is a name that nobody has.
func (e *engine) pseudonym(ctx context.Context) (string, error) {
	const tries = 8
	for range tries {
		name := pseudonymPrefix + e.newID()
		if err := checkID("NewID", name); err != nil {
			return "", err
		}
		_, taken := e.ids.slot(name)
		for _, q := range []store.MatchQuery{{Player: name}, {Team: name}} {
			for _, err := range e.store.Matches(ctx, q) {
				if err != nil {
					return "", unavailable(err)
				}
				taken = true
				break
			}
		}
		known, err := e.isKept(ctx, name)
		if err != nil {
			return "", err
		}
		if !taken && !known {
			return name, nil
		}
	}
	return "", refuse(ErrInvalid, "NewID: it gives names that are in use")
}

// isKept reports whether anything is kept of a player, beside what events say.
func (e *engine) isKept(ctx context.Context, player string) (bool, error) {
	for _, look := range []func() (bool, error){
		func() (bool, error) { return anyOf(e.store.Matches(ctx, store.MatchQuery{Player: player})) },
		func() (bool, error) { return anyOf(e.store.Facts(ctx, []string{player})) },
		func() (bool, error) { return anyOf(e.store.Balances(ctx, wallets(player))) },
		func() (bool, error) { return anyOf(e.store.Grants(ctx, store.GrantQuery{Player: player})) },
		func() (bool, error) { return anyOf(e.store.Sessions(ctx, store.SessionQuery{Player: player})) },
		func() (bool, error) {
			room, err := e.roomOf(ctx, player, func(store.Room) bool { return true })
			return room != "", err
		},
	} {
		if there, err := look(); err != nil || there {
			return there, err
		}
	}
	return false, nil
}

// anyOf reports whether a sequence of the store has anything.
func anyOf[T any](seq func(yield func(T, error) bool)) (bool, error) {
	for _, err := range seq {
		if err != nil {
			return false, unavailable(err)
		}
		return true, nil
	}
	return false, nil
}

// roomOf is the first of the chosen rooms that a player is in.
func (e *engine) roomOf(ctx context.Context, player string, chosen func(store.Room) bool) (string, error) {
	for r, err := range e.store.Rooms(ctx, store.RoomQuery{}) {
		if err != nil {
			return "", unavailable(err)
		}
		if chosen(r) && slices.ContainsFunc(r.Members, func(m store.Member) bool { return m.Player == player }) {
			return r.ID, nil
		}
	}
	return "", nil
}

// forgetJob takes a name away. The player is reserved.
type forgetJob struct {
	engine *engine
	ctx    context.Context
	names  renaming
	at     time.Time

	seen    uint64            // position of the last event looked at
	events  []store.Event     // as they are from then on, as far as they change
	keys    map[uint64]string // what their keys were, by position
	told    bool              // some event names the player as one: who was refused, or has left a room, may be kept nowhere else
	grants  []Grant           // under their new ids
	ids     []store.Rename
	chunks  []store.Record
	failure error // why it cannot be done
}

// gather looks at everything that names the player.
func (j *forgetJob) gather(ctx context.Context) error {
	if err := j.follow(ctx); err != nil {
		return err
	}
	if err := j.isFree(ctx); err != nil {
		return err
	}
	kept, err := j.engine.isKept(ctx, j.names.from)
	if err != nil {
		return err
	}
	if !kept && !j.told {
		return refuse(ErrNotFound, "nothing is kept of such a player")
	}
	for g, err := range j.engine.grants(ctx, store.GrantQuery{Player: j.names.from}) {
		if err != nil {
			return err
		}
		was := g.ID
		g.Player, g.ID = j.names.to, j.names.grant(g.ID)
		j.grants = append(j.grants, g)
		j.ids = append(j.ids, store.Rename{From: was, To: g.ID})
	}
	slices.SortFunc(j.ids, func(a, b store.Rename) int { return cmp.Compare(a.From, b.From) })
	j.chunks, err = j.engine.renamedChunks(ctx, j.names)
	return err
}

// follow takes in the events after the last one looked at.
func (j *forgetJob) follow(ctx context.Context) error {
	for event, err := range j.engine.store.Events(ctx, j.seen) {
		if err == nil {
			err = left(ctx)
		}
		if err != nil {
			return unavailable(err)
		}
		j.seen = event.Position
		now, changed := j.names.event(event)
		if event.Kind == afterFailedEvent {
			now, changed = j.failed(event)
		}
		if changed {
			j.keys[event.Position] = event.Key
			j.events = append(j.events, now)
			j.told = j.told || j.names.tellsOfPlayer(event)
		}
	}
	return nil
}

// failed is the event of an event that was given up, which it names by its id; false if that one has not changed.
func (j *forgetJob) failed(event store.Event) (store.Event, bool) {
	var body failedBody
	if json.Unmarshal(event.Body, &body) != nil {
		return event, false
	}
	i, there := slices.BinarySearchFunc(j.events, body.Position, func(e store.Event, at uint64) int { return cmp.Compare(e.Position, at) })
	if !there {
		return event, false
	}
	was := eventOf(store.Event{Key: j.keys[body.Position]}).ID
	rest, is := strings.CutPrefix(event.ID, was)
	event.ID = eventOf(j.events[i]).ID + rest
	return event, is && j.events[i].Key != j.keys[body.Position]
}

// isFree refuses to forget somebody who is still playing.
func (j *forgetJob) isFree(ctx context.Context) error {
	player := j.names.from
	running := store.MatchQuery{Player: player, States: []string{string(Created), string(Started), string(Disputed)}}
	for m, err := range j.engine.store.Matches(ctx, running) {
		if err != nil {
			return unavailable(err)
		}
		return refuse(ErrState, "the player is in match "+quote(m.ID)+", which is "+m.State, player)
	}
	for s, err := range j.engine.store.Sessions(ctx, store.SessionQuery{Player: player, Open: true}) {
		if err != nil {
			return unavailable(err)
		}
		return refuse(ErrState, "the player's session "+quote(s.ID)+" is open", player)
	}
	room, err := j.engine.roomOf(ctx, player, func(r store.Room) bool { return r.ClosedAt.IsZero() })
	if err == nil && room != "" {
		err = refuse(ErrState, "the player is in room "+quote(room), player)
	}
	return err
}

// stale looks at what came after gather. Whatever the player has to be reserved for is as it was.
func (j *forgetJob) stale() bool {
	if j.seen == j.engine.committer.applied.Load() {
		return false
	}
	if j.failure = j.follow(j.ctx); j.failure == nil {
		j.failure = j.isFree(j.ctx)
	}
	return j.failure != nil
}

func (j *forgetJob) seal(position uint64) store.Commit {
	c := store.Commit{Key: keyOf("forget", j.names.to), Position: position, At: j.at, Kind: forgottenEvent, ID: j.names.to}
	forget := store.Forget{Player: j.names.from, As: j.names.to, Keep: j.engine.ruleset().parting(), Grants: j.ids, Events: j.events}
	for _, a := range wallets("") {
		forget.Accounts = append(forget.Accounts, a.Kind)
	}
	c.Records = append(append(c.Records, forget), j.chunks...)
	return c
}

func (j *forgetJob) applied(uint64) {
	e := j.engine
	e.ids.rename(j.names.from, j.names.to)
	e.archives.letGo()
	e.remembered.clear()
	for _, id := range j.ids {
		e.dues.note(deliverKind, id.From, time.Time{})
		e.dues.note(lapseKind, id.From, time.Time{})
	}
	e.dues.noteGrants(j.grants)
	e.forgotten.add(j.names.from)
	if e.outbox != nil {
		e.outbox.setBack(math.MaxUint64) // what waits may wait under the old name
	}
}

// parting are the attributes of players by which any board has ever been partitioned: without them nobody could tell
// which partition their results are of.
func (rs *ruleset) parting() []string {
	var attributes []string
	for _, c := range append(slices.Clip(rs.history), chapter{Rules: rs.rules}) {
		for _, b := range c.Rules.Boards {
			if b.Partition != nil && b.Partition.Of == OfPlayer {
				attributes = append(attributes, b.Partition.Attribute)
			}
		}
	}
	slices.Sort(attributes)
	return slices.Compact(attributes)
}
