package finalbell

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/finalbell/finalbell/store"
)

// What Forget has to know of everybody else's work: which decisions still hold a name that is gone, where events name
// somebody, and where the ranks of windows do.

// forgotten are the names that were taken away since the engine was opened: the last few, and how many there were.
type forgotten struct {
	count atomic.Uint64
	mu    sync.Mutex
	names []string // the last ones, oldest first
}

const forgottenKept = 256

// mark is what a decision asks before it reads anything.
func (f *forgotten) mark() uint64 { return f.count.Load() }

func (f *forgotten) add(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count.Add(1)
	if f.names = append(f.names, name); len(f.names) > forgottenKept {
		f.names = slices.Delete(f.names, 0, 1)
	}
}

// since reports whether a name that a decision holds was taken away since its mark: nobody has that name any more, or
// somebody else has. What was taken away too long ago to be known counts as held.
func (f *forgotten) since(mark uint64, holds func(name string) bool) bool {
	if f.count.Load() == mark {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.count.Load() - mark
	return n > uint64(len(f.names)) || slices.ContainsFunc(f.names[uint64(len(f.names))-n:], holds)
}

// holds reports whether a decision would write a name: of a player or a team of the match, as it is or as it was, or of
// somebody whom one of them has overtaken.
func (d *decision) holds(name string) bool {
	for _, s := range d.next.roster {
		if s.Player == name || s.Team == name || slices.ContainsFunc(s.Boards, func(on BoardMove) bool { return slices.Contains(on.Passed, name) }) {
			return true
		}
	}
	return d.former != nil && slices.ContainsFunc(d.former.Moves, func(m store.Move) bool { return m.ID == name || slices.Contains(m.Passed, name) })
}

// renaming is a name and the one that takes its place.
type renaming struct{ from, to string }

// keyNames is how the keys of a kind of event name a player.
type keyNames int

const (
	namesNobody keyNames = iota
	namesGrant           // by the id of a grant, before the last part
	endsWithID           // by the ID of the event, at the end
)

// naming is where events of a kind name a player, or a team.
type naming struct {
	id   bool // the ID does
	key  keyNames
	body bool // as "player" or "team" somewhere in the Body
}

// namings has every kind of event. Bodies have names nowhere else than as the string values of those two fields: reasons
// and the like are the host's own words. Matches, windows and rules are no players, whatever they are called.
var namings = map[string]naming{
	createdEvent:   {},
	startedEvent:   {},
	joinedEvent:    {},
	endedEvent:     {},
	cancelledEvent: {},
	expiredEvent:   {},
	refusedEvent:   {body: true}, // the outcomes that were reported

	feesReleasedEvent: {},
	voidedEvent:       {body: true}, // the corrections of final windows
	amendedEvent:      {body: true},

	creditedEvent:     {id: true},
	debitedEvent:      {id: true},
	transferredEvent:  {id: true},
	grantClaimedEvent: {id: true, key: namesGrant},
	grantExpiredEvent: {id: true, key: namesGrant},
	deliveredEvent:    {id: true, key: namesGrant},
	undeliveredEvent:  {id: true, key: namesGrant},
	redeliverEvent:    {id: true, key: namesGrant},
	prizesPaidEvent:   {},

	windowClosedEvent:  {body: true}, // the first of its standings
	seasonBegunEvent:   {},
	entryHiddenEvent:   {id: true, key: endsWithID, body: true},
	entryRestoredEvent: {id: true, key: endsWithID, body: true},
	rebuiltEvent:       {},

	afterFailedEvent: {}, // the ID may, see forgetJob.failed
	replayedEvent:    {},

	sessionStartedEvent: {body: true}, // the ID is the session's
	sessionEndedEvent:   {body: true},
	roomOpenedEvent:     {},
	roomJoinedEvent:     {body: true},
	roomLeftEvent:       {body: true},
	roomDismissedEvent:  {body: true},
	roomClosedEvent:     {body: true},

	forgottenEvent: {}, // the pseudonym, which stays
}

// event is an event under the new name; false if it names nobody who has the old one.
func (r renaming) event(event store.Event) (store.Event, bool) {
	n := namings[event.Kind]
	now := event
	mine := n.id && event.ID == r.from
	if mine {
		now.ID = r.to
	}
	switch {
	case mine && n.key == endsWithID:
		now.Key = strings.TrimSuffix(event.Key, r.from) + r.to
	case mine && n.key == namesGrant:
		now.Key = r.grantKey(event.Key)
	}
	if n.body {
		now.Body = r.body(event.Body)
	}
	return now, now.ID != event.ID || now.Key != event.Key || !bytes.Equal(now.Body, event.Body)
}

// grant is the id of a grant of the player's: the last part of its name is whose it is.
func (r renaming) grant(id string) string {
	parts := partsOf(id)
	if last := len(parts) - 1; parts[last] == r.from {
		parts[last] = r.to
	}
	return nameOf(parts...)
}

// grantKey is a key that ends with the id of a grant of the player's and a number.
func (r renaming) grantKey(key string) string {
	id, number := key, ""
	if at := strings.LastIndexByte(key, '/'); at >= 0 {
		id, number = key[:at], key[at:]
	}
	if rest, is := strings.CutSuffix(id, "/"+escaped(r.from)); is {
		return rest + "/" + escaped(r.to) + number
	}
	return key
}

// body is the body of an event under the new name. Within a JSON string every quote is escaped, so that what is looked for
// is never a part of one.
func (r renaming) body(text []byte) []byte {
	for _, field := range []string{"player", "team"} {
		text = bytes.ReplaceAll(text, fieldIs(field, r.from), fieldIs(field, r.to))
	}
	return text
}

// tellsOfPlayer reports whether an event names a player, and not only a team, who has the old name.
func (r renaming) tellsOfPlayer(event store.Event) bool {
	return namings[event.Kind].body && bytes.Contains(event.Body, fieldIs("player", r.from))
}

// fieldIs is how a field with a value stands in a body.
func fieldIs(field, value string) []byte {
	text, err := marshal(map[string]string{field: value})
	if err != nil {
		panic(err) // unreachable: text that was checked
	}
	return text[1 : len(text)-1]
}

// renamedChunks are the chunks that name a player, or a team, under the new name: of windows that are over the one in which
// the entry is, of others all those of a copy. A copy that cannot be read is taken away.
func (e *engine) renamedChunks(ctx context.Context, names renaming) ([]store.Record, error) {
	var windows []store.Window
	for w, err := range e.store.Windows(ctx, store.WindowQuery{}) {
		if err != nil {
			return nil, unavailable(err)
		}
		windows = append(windows, w)
	}
	var all []store.Record
	for _, w := range windows {
		stored, err := e.storedEntries(ctx, w.WindowKey, []string{names.from})
		if err != nil {
			return nil, err
		}
		entry, there := stored[names.from]
		if !there {
			continue
		}
		from := 0 // of its chunks all, but of a window that is over only those that were left by a copy
		if w.Frozen {
			from = copySet
			chunk, err := e.renamedFrozen(ctx, w, entry, names)
			if err != nil {
				return nil, err
			}
			all = append(all, chunk...)
		}
		copies, err := e.renamedCopies(ctx, w, from, names)
		if err != nil {
			return nil, err
		}
		all = append(all, copies...)
	}
	return all, nil
}

// renamedFrozen is the chunk of a window that is over in which an entry is, if it is in one.
func (e *engine) renamedFrozen(ctx context.Context, w store.Window, entry store.Entry, names renaming) ([]store.Record, error) {
	rule, there := e.ruleset().boardAt(w.Board, w.Final)
	if !there {
		return nil, unavailable(errChunk)
	}
	a := &archived{&archive{engine: e, rule: rule, layout: newLayout(rule), record: w}, ctx}
	if !entry.Entered || entry.Hidden != "" {
		return nil, nil // not ranked
	}
	position, _, err := a.find(entry.ID)
	if err != nil {
		return nil, err
	}
	n := position/chunkEntries + 1
	lines, err := a.chunk(n)
	if err != nil {
		return nil, err
	}
	now, named := names.lines(lines)
	if !named {
		return nil, unavailable(errChunk)
	}
	return []store.Record{store.Chunk{WindowKey: w.WindowKey, N: n, Data: encodeChunk(a.layout, now)}}, nil
}

// renamedCopies are the chunks of a window's copies that name somebody.
func (e *engine) renamedCopies(ctx context.Context, w store.Window, from int, names renaming) ([]store.Record, error) {
	rs := e.ruleset()
	rule, there := rs.boardAt(w.Board, latest)
	if w.Final > 0 {
		rule, there = rs.boardAt(w.Board, w.Final)
	}
	var all []store.Record
	for c, err := range e.store.Chunks(ctx, w.WindowKey, from, math.MaxInt32) {
		if err != nil {
			return nil, unavailable(err)
		}
		if len(c.Data) > 0 && c.Data[0] == copyHeader || !bytes.Contains(c.Data, []byte(names.from)) {
			continue
		}
		lines, err := []line(nil), errChunk
		if there {
			lines, err = decodeChunk(newLayout(rule), c.Data)
		}
		if err != nil {
			all = append(all, store.Drop{WindowKey: c.WindowKey, From: c.N, To: c.N + 1}) // nobody can read it
			continue
		}
		if now, named := names.lines(lines); named {
			all = append(all, store.Chunk{WindowKey: c.WindowKey, N: c.N, Data: encodeChunk(newLayout(rule), now)})
		}
	}
	return all, nil
}

// lines are entries under the new name; false if nobody had the old one.
func (r renaming) lines(lines []line) ([]line, bool) {
	i := slices.IndexFunc(lines, func(l line) bool { return l.id == r.from })
	if i < 0 {
		return lines, false
	}
	lines = slices.Clone(lines)
	lines[i].id = r.to
	return lines, true
}
