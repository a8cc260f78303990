package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/finalbell/finalbell/store"
)

// Commit writes everything in b or nothing, in one transaction. It takes no notice of its context: others may
// wait for the same transaction.
func (s *Store) Commit(_ context.Context, b store.Batch) error {
	s.committing.Lock()
	defer s.committing.Unlock()
	if s.failed != nil {
		return about(s.path, "commit", s.failed)
	}
	if err := known(b); err != nil {
		return err
	}
	w := &batch{
		recent: s.recent, numbers: s.reads.numbers, head: s.head, made: newMade(),
		changed: changes{
			matches: make(map[string]store.Match), entries: make(map[entryKey]store.Entry), dropped: make(map[store.WindowKey]bool),
		},
	}
	done := func() {}
	err := s.writer.transaction(func(t *tx) error {
		w.tx = t
		if err := w.write(b); err != nil {
			return err
		}
		s.recent.forget(w.changed)
		if w.changed.renamed {
			done = s.reads.numbers.renaming()
		}
		return nil
	})
	done()
	var answer *store.CommitError
	if errors.As(err, &answer) {
		return err
	}
	if err != nil {
		s.failed = err
		return about(s.path, "commit", err)
	}
	s.head = w.head
	s.reads.numbers.keep(w.made)
	s.recent.note(w.changed)
	return nil
}

// known refuses what no store may keep, and what this one has no room for.
func known(b store.Batch) error {
	if err := b.Check(); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	check := func(records []store.Record) error {
		for _, r := range records {
			if r, is := r.(store.Chunk); is && (r.N < 0 || int64(r.N) > maxChunk) {
				return fmt.Errorf("sqlite: no number of a chunk: %d", r.N)
			}
		}
		return nil
	}
	for i := range b.Commits {
		if err := check(b.Commits[i].Records); err != nil {
			return err
		}
	}
	return check(b.Soft)
}

// batch is a batch being written.
type batch struct {
	*tx
	recent  *recent
	numbers *numbers
	head    store.Head
	made    made
	changed changes
}

// errStale is a record whose version is not the next one.
var errStale = errors.New("stale")

func (b *batch) write(given store.Batch) error {
	for i := range given.Commits {
		c := &given.Commits[i]
		err := b.commit(c)
		if errors.Is(err, errStale) {
			err = store.ErrStale
		}
		switch {
		case err == nil:
		case errors.Is(err, store.ErrStale), errors.Is(err, store.ErrReused), errors.Is(err, store.ErrReplayed):
			return &store.CommitError{Index: i, Key: c.Key, Err: err}
		default:
			return err
		}
	}
	for _, r := range given.Soft {
		// A record that another version has overtaken is left out.
		if err := b.put(r, true); err != nil && !errors.Is(err, errStale) {
			return err
		}
	}
	return nil
}

func (b *batch) commit(c *store.Commit) error {
	if c.Position != b.head.Position+1 {
		// The key comes first, so that a retry that has the position of its time is known for what it is.
		if err := b.used(c); err != nil {
			return err
		}
		return store.ErrStale
	}
	head := store.Head{Position: c.Position, At: b.head.At}
	if c.At.After(head.At) {
		head.At = c.At
	}
	fresh, err := b.exec(`INSERT INTO events (position, key, digest, at, latest, kind, subject, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING`,
		int64(c.Position), c.Key, digest(c.Digest), c.At.UnixMilli(), head.At.UnixMilli(), c.Kind, c.ID, text(c.Body)) //nolint:gosec // a bit pattern
	if err != nil {
		return err
	}
	if fresh == 0 {
		return b.used(c)
	}
	b.head = head
	var forgets []store.Forget
	for _, r := range c.Records {
		if f, is := r.(store.Forget); is {
			forgets = append(forgets, f)
			continue
		}
		if err := b.put(r, false); err != nil {
			return err
		}
	}
	for _, f := range forgets {
		if err := b.forget(f); err != nil {
			return err
		}
	}
	return nil
}

// used tells what the key of a commit was used for, nil if it was not.
func (b *batch) used(c *store.Commit) error {
	row := make([]driver.Value, 1)
	there, err := b.row("SELECT digest FROM events WHERE key = ?", row, c.Key)
	if err != nil || !there {
		return err
	}
	d, err := digestOf(row[0])
	if err != nil {
		return err
	}
	if d == c.Digest {
		return store.ErrReplayed
	}
	return store.ErrReused
}

func (b *batch) put(record store.Record, soft bool) error {
	switch r := record.(type) {
	case store.Match:
		return b.putMatch(r, soft)
	case store.Entry:
		return b.putEntry(r, soft)
	case store.Window:
		return b.putWindow(r, soft)
	case store.Chunk:
		return b.putChunk(r)
	case store.Drop:
		return b.drop(r)
	case store.Moves:
		return b.putMoves(r)
	case store.Line:
		return b.putLine(r)
	case store.Grant:
		return b.putGrant(r)
	case store.Facts:
		return b.putFacts(r)
	case store.Revision:
		return b.putRevision(r)
	case store.Session:
		return b.putSession(r, soft)
	case store.Room:
		return b.putRoom(r)
	case store.Setting:
		_, err := b.exec("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
			r.Name, blob(r.Value))
		return err
	}
	return nil // known has seen them all
}

// before is the version that a record replaces.
func before(version uint64, soft bool) int64 {
	if soft {
		return int64(version) //nolint:gosec // a bit pattern
	}
	return int64(version) - 1 //nolint:gosec // a bit pattern
}

func (b *batch) putMatch(m store.Match, soft bool) error {
	if m.Version == 0 {
		return errStale
	}
	values, err := b.matchValues(&m)
	if err != nil {
		return err
	}
	old, known := b.lately(m.ID)
	if m.Version == 1 && !soft {
		fresh, err := b.exec(insertMatch, values...)
		if err != nil {
			return err
		}
		if fresh == 0 {
			return errStale
		}
		old, known = store.Match{}, true
	} else {
		there, err := b.exec(updateMatch, append(values[1:], m.ID, before(m.Version, soft))...)
		if err != nil {
			return err
		}
		if there == 0 {
			return errStale
		}
	}
	if err := b.index(m, old, known); err != nil {
		return err
	}
	b.changed.matches[m.ID] = m
	return nil
}

// matchValues are what insertMatch and, but for the first, updateMatch set.
func (b *batch) matchValues(m *store.Match) ([]driver.Value, error) {
	participants, err := b.participants(m.Participants)
	if err != nil {
		return nil, err
	}
	teams, err := b.teams(m.Teams)
	if err != nil {
		return nil, err
	}
	return []driver.Value{
		m.ID, int64(m.Version), int64(m.Created), int64(m.Position), m.Mode, m.Room, m.Round, m.State, //nolint:gosec // bit patterns
		millis(m.CreatedAt), millis(m.StartedAt), millis(m.EndedAt), millis(m.Deadline),
		digest(m.Report), flag(m.NoContest), flag(m.Draw), flag(m.Provisional), m.Reason, int64(m.Revision), int64(m.Roster),
		participants, teams, attributes(m.Attributes), attributes(m.Data), int64(m.Revised), int64(m.Grants), //nolint:gosec // a bit pattern
	}, nil
}

const (
	matchFields = `match, version, created, position, mode, room, round, state,
		created_at, started_at, ended_at, deadline, report, no_contest, draw, provisional, reason, revision, roster,
		participants, teams, attributes, data, revised, grants`
	matchHolders = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
	insertMatch  = "INSERT INTO matches (" + matchFields + ") VALUES (" + matchHolders + ") ON CONFLICT (match) DO NOTHING"
	updateMatch  = `UPDATE matches SET version = ?, created = ?, position = ?, mode = ?, room = ?, round = ?, state = ?,
		created_at = ?, started_at = ?, ended_at = ?, deadline = ?, report = ?, no_contest = ?, draw = ?, provisional = ?,
		reason = ?, revision = ?, roster = ?, participants = ?, teams = ?, attributes = ?, data = ?,
		revised = ?, grants = ? WHERE match = ? AND version = ?`
)

// lately is a match as this transaction or the last ones left it.
func (b *batch) lately(id string) (store.Match, bool) {
	if m, there := b.changed.matches[id]; there {
		return m, true
	}
	return b.recent.match(id)
}

// index keeps the lists by player and by team, and the moves. Who is no longer in a match stays in the lists: a
// query looks at the match itself.
func (b *batch) index(m, old store.Match, known bool) error {
	for i := range m.Participants {
		var was store.Participant
		if known && i < len(old.Participants) {
			was = old.Participants[i]
		}
		p := &m.Participants[i]
		if !known || i >= len(old.Participants) || p.Player != was.Player {
			if err := b.list("INSERT INTO match_players (id) SELECT (? << 32) + id FROM matches WHERE match = ? ON CONFLICT DO NOTHING", p.Player, m.ID); err != nil {
				return err
			}
		}
		if p.Team != "" && (!known || p.Team != was.Team) {
			if err := b.list("INSERT INTO match_teams (id) SELECT (? << 32) + id FROM matches WHERE match = ? ON CONFLICT DO NOTHING", p.Team, m.ID); err != nil {
				return err
			}
		}
	}
	if !known || len(old.Moves) > 0 {
		if _, err := b.exec("DELETE FROM moves WHERE match = (SELECT id FROM matches WHERE match = ?)", m.ID); err != nil {
			return err
		}
	}
	if len(m.Moves) == 0 {
		return nil
	}
	_, err := b.setMoves(m.Moves, "SELECT id, ? FROM matches WHERE match = ?", m.ID)
	return err
}

func (b *batch) list(query, name, match string) error {
	id, err := b.name(name)
	if err != nil {
		return err
	}
	_, err = b.exec(query, id, match)
	return err
}

// putMoves sets the moves of a match that ended at their position.
func (b *batch) putMoves(r store.Moves) error {
	if r.Position == 0 {
		return nil // that of every match that has not ended, and of none
	}
	there, err := b.setMoves(r.Moves, "SELECT id, ? FROM matches WHERE match = ? AND position = ?", r.Match, int64(r.Position)) //nolint:gosec // a bit pattern
	if err != nil || there == 0 {
		return err
	}
	if m, known := b.lately(r.Match); known {
		m.Moves = r.Moves
		b.changed.matches[r.Match] = m
	}
	return nil
}

func (b *batch) setMoves(moves []store.Move, from string, args ...driver.Value) (int64, error) {
	text, err := b.moves(moves)
	if err != nil {
		return 0, err
	}
	there, err := b.exec("INSERT INTO moves "+from+" ON CONFLICT DO UPDATE SET moves = excluded.moves",
		append([]driver.Value{text}, args...)...)
	return there, err
}

func (b *batch) putEntry(e store.Entry, soft bool) error {
	if e.Version == 0 {
		return errStale
	}
	window, err := b.window(e.WindowKey)
	if err != nil {
		return err
	}
	name, err := b.name(e.ID)
	if err != nil {
		return err
	}
	args := []driver.Value{
		int64(e.Version), flag(e.Entered), blob(e.Sort), values(e.Values), //nolint:gosec // a bit pattern
		millis(e.Changed.At), int64(e.Changed.Position), int64(e.Changed.Place), fold(&e), orNull(e.Hidden), window<<32 + name, //nolint:gosec // a bit pattern
	}
	var there int64
	switch {
	case soft:
		there, err = b.exec(upsertEntry, args...)
	case e.Version == 1:
		there, err = b.exec(insertEntry, args...)
	default:
		there, err = b.exec(updateEntry, append(args, before(e.Version, false))...)
	}
	if err != nil {
		return err
	}
	if there == 0 {
		return errStale
	}
	b.changed.entries[entryKey{WindowKey: e.WindowKey, id: e.ID}] = e
	return nil
}

const (
	entryRow = `INSERT INTO entries (version, entered, sort, "values", changed_at, changed_position, changed_place, fold, hidden, id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT `
	insertEntry = entryRow + "DO NOTHING"
	upsertEntry = entryRow + `DO UPDATE SET version = excluded.version, entered = excluded.entered, sort = excluded.sort,
		"values" = excluded."values", changed_at = excluded.changed_at, changed_position = excluded.changed_position,
		changed_place = excluded.changed_place, fold = excluded.fold, hidden = excluded.hidden`
	updateEntry = `UPDATE entries SET version = ?, entered = ?, sort = ?, "values" = ?, changed_at = ?, changed_position = ?,
		changed_place = ?, fold = ?, hidden = ? WHERE id = ? AND version = ?`
)
