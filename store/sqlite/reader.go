package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/finalbell/finalbell/store"
)

// reader runs the queries: on a pool, each query by itself, or on one connection whose transaction fixes the
// moment.
type reader struct {
	db interface {
		PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	}
	pool    *sql.DB     // nil for one connection
	conn    *sql.Conn   // nil for a pool
	serial  *sync.Mutex // one query at a time; nil for a pool
	numbers *numbers
	stmts   *statements
}

type statements struct {
	mu     sync.Mutex
	byText map[string]*sql.Stmt
	closed bool
}

func newReader(pool *sql.DB) reader {
	return reader{db: pool, pool: pool, numbers: newNumbers(), stmts: &statements{byText: make(map[string]*sql.Stmt)}}
}

func newSnapshot(conn *sql.Conn) reader {
	return reader{db: conn, conn: conn, serial: new(sync.Mutex), numbers: newNumbers(), stmts: &statements{byText: make(map[string]*sql.Stmt)}}
}

// ready refuses reads of a closed store, and of a caller who has left.
func (r *reader) ready(ctx context.Context) error {
	r.stmts.mu.Lock()
	defer r.stmts.mu.Unlock()
	if r.stmts.closed {
		return errClosed
	}
	return ctx.Err()
}

func (r *reader) close() error {
	if r.stmts == nil {
		return nil
	}
	r.stmts.mu.Lock()
	defer r.stmts.mu.Unlock()
	r.stmts.closed = true
	var failures []error
	for _, s := range r.stmts.byText {
		failures = append(failures, s.Close())
	}
	if r.conn != nil {
		failures = append(failures, r.conn.Close())
	}
	return errors.Join(failures...)
}

func (r *reader) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if err := r.ready(ctx); err != nil {
		return nil, err
	}
	r.stmts.mu.Lock()
	s, there := r.stmts.byText[query]
	r.stmts.mu.Unlock()
	if there {
		return s, nil
	}
	s, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.stmts.mu.Lock()
	defer r.stmts.mu.Unlock()
	if other, there := r.stmts.byText[query]; there || r.stmts.closed {
		_ = s.Close()
		if !there {
			return nil, errClosed
		}
		return other, nil
	}
	r.stmts.byText[query] = s
	return s, nil
}

// each runs a query to its end and gives every row to take, which keeps nothing of the cells but what it copies
// out of them. Nothing is open any more when it returns.
func (r *reader) each(ctx context.Context, query string, take func(c *cells), args ...any) (err error) {
	s, err := r.prepared(ctx, query)
	if err != nil {
		return err
	}
	if r.serial != nil {
		r.serial.Lock()
		defer r.serial.Unlock()
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	c := cells{values: make([]any, len(names))}
	into := make([]any, len(names))
	for i := range into {
		into[i] = &c.values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		take(&c)
		if c.bad {
			return errDamaged
		}
	}
	return rows.Err()
}

// cells are the columns of a row. One that holds what no engine writes there makes the row bad.
type cells struct {
	values []any
	bad    bool
}

func (c *cells) int(i int) int64 {
	n, ok := c.values[i].(int64)
	c.bad = c.bad || !ok
	return n
}

func (c *cells) bool(i int) bool { return c.int(i) != 0 }

func (c *cells) text(i int) string {
	s, ok := c.values[i].(string)
	c.bad = c.bad || !ok
	return s
}

// optional is a text, empty for NULL.
func (c *cells) optional(i int) string {
	if c.values[i] == nil {
		return ""
	}
	return c.text(i)
}

// orNull is a text that is never empty, empty for NULL.
func (c *cells) orNull(i int) string {
	s := c.optional(i)
	c.bad = c.bad || s == "" && c.values[i] != nil
	return s
}

// windowKey stands in four columns.
func (c *cells) windowKey(i int) store.WindowKey {
	return store.WindowKey{Board: c.text(i), Window: c.text(i + 1), Partition: c.text(i + 2), Generation: int(c.int(i + 3))}
}

// attributes are NULL if there are none.
func (c *cells) attributes(i int) []store.Attribute {
	text := c.orNull(i)
	if text == "" {
		return nil
	}
	e := &eye{b: text}
	list := e.attributes()
	c.bad = c.bad || e.err() != nil || len(list) == 0
	return list
}

func (c *cells) bytes(i int) []byte {
	switch v := c.values[i].(type) {
	case nil:
		return nil
	case []byte:
		if v == nil {
			return []byte{} // how the driver gives an empty one
		}
		return v
	case string:
		return []byte(v)
	}
	c.bad = true
	return nil
}

func (c *cells) digest(i int) store.Digest {
	d, err := digestOf(c.values[i])
	c.bad = c.bad || err != nil
	return d
}

func (c *cells) time(i int) time.Time {
	if _, ok := c.values[i].(int64); !ok && c.values[i] != nil {
		c.bad = true
	}
	return timeOf(c.values[i])
}

// matchRow are the columns of a row m of matches or of revisions; matchColumns have the moves besides.
const matchRow = `m.id, m.match, m.version, m.created, m.position, m.mode, m.room, m.round, m.state,
	m.created_at, m.started_at, m.ended_at, m.deadline, m.report, m.no_contest, m.draw, m.provisional, m.reason,
	m.revision, m.roster, m.participants, m.teams, m.attributes, m.data, m.revised, m.grants`

const matchColumns = matchRow + ", v.moves"

// written is a match as far as its own row tells; the rest is JSON with numbers for names.
type written struct {
	match                                        store.Match
	participants, teams, attributes, data, moved string
}

// matches runs a query for matches and returns them with their row numbers.
func (r *reader) matches(ctx context.Context, query string, args ...any) ([]store.Match, []int64, error) {
	r.numbers.naming.RLock()
	defer r.numbers.naming.RUnlock()
	var found []written
	var ids []int64
	err := r.each(ctx, query, func(c *cells) {
		ids = append(ids, c.int(0))
		found = append(found, written{
			match: store.Match{
				ID: c.text(1), Version: uint64(c.int(2)), Created: uint64(c.int(3)), Position: uint64(c.int(4)), //nolint:gosec // bit patterns
				Mode: c.text(5), Room: c.text(6), Round: c.text(7), State: c.text(8),
				CreatedAt: c.time(9), StartedAt: c.time(10), EndedAt: c.time(11), Deadline: c.time(12),
				Report: c.digest(13), NoContest: c.bool(14), Draw: c.bool(15), Provisional: c.bool(16), Reason: c.text(17),
				Revision: int(c.int(18)), Roster: int(c.int(19)), Revised: uint64(c.int(24)), Grants: int(c.int(25)), //nolint:gosec // a bit pattern
			},
			participants: c.optional(20), teams: c.optional(21), attributes: c.optional(22), data: c.optional(23), moved: c.optional(26),
		})
	}, args...)
	if err != nil {
		return nil, nil, err
	}
	matches := make([]store.Match, len(found))
	return matches, ids, r.resolve(ctx, func(l *lookup) error {
		for i := range found {
			if matches[i], err = found[i].read(l); err != nil {
				return fmt.Errorf("match %q: %w", found[i].match.ID, err)
			}
		}
		return nil
	})
}

func (w *written) read(l *lookup) (store.Match, error) {
	m := w.match
	var err error
	read := func(text string, into func(e *eye)) {
		if text == "" {
			return
		}
		e := &eye{b: text}
		into(e)
		err = errors.Join(err, e.err())
	}
	read(w.participants, func(e *eye) { m.Participants = e.participants(l) })
	read(w.teams, func(e *eye) {
		e.open('[')
		for e.more(']') {
			e.open('[')
			m.Teams = append(m.Teams, store.TeamOutcome{Team: l.name(e.int()), Outcome: e.number()})
			e.expect(']')
		}
	})
	read(w.attributes, func(e *eye) { m.Attributes = e.attributes() })
	read(w.data, func(e *eye) { m.Data = e.attributes() })
	read(w.moved, func(e *eye) { m.Moves = e.moves(l) })
	return m, err
}

func (e *eye) participants(l *lookup) []store.Participant {
	roster := []store.Participant{}
	e.open('[')
	for e.more(']') {
		e.open('[')
		player := e.int()
		p := store.Participant{Player: l.name(player)}
		if team := e.int(); team != 0 {
			p.Team = l.name(team)
		}
		p.Bot, p.Outcome, p.Status = e.bool(), e.number(), e.text()
		p.Reported, p.Rank, p.Position, p.Result = int(e.int()), int(e.int()), int(e.int()), e.text()
		e.open('{')
		for e.more('}') {
			name := e.key()
			e.open('[')
			p.Metrics = append(p.Metrics, store.Metric{Name: name, Value: e.number()})
			e.expect(']')
		}
		e.open('[')
		for e.more(']') {
			e.open('[')
			key, id := l.window(e.int()), p.Player
			if number := e.int(); number != 0 {
				id = l.name(number)
				e.bad = e.bad || number == player
			}
			v := store.BoardValues{WindowKey: key, ID: id, Late: e.null()}
			if !v.Late {
				v.Values = e.values()
			}
			p.Boards = append(p.Boards, v)
			e.expect(']')
		}
		e.optional(&p)
		e.expect(']')
		roster = append(roster, p)
	}
	return roster
}

const (
	entryColumns = `e.name, n.name, e.version, e.entered, e.sort, e."values", e.changed_at, e.changed_position, e.changed_place, e.fold, e.hidden`
	allEntries   = "SELECT " + entryColumns + ` FROM windows AS w CROSS JOIN entries AS e CROSS JOIN names AS n ON n.id = e.name
		WHERE w.board = ? AND w.window = ? AND w.partition = ? AND w.generation = ? AND e.id > (w.id << 32) + max(?, 0) AND e.id < (w.id + 1) << 32 ORDER BY e.id LIMIT ?`
	someEntries = "SELECT " + entryColumns + ` FROM windows AS w CROSS JOIN names AS n CROSS JOIN entries AS e ON e.id = (w.id << 32) + n.id
		WHERE w.board = ? AND w.window = ? AND w.partition = ? AND w.generation = ? AND n.name IN (SELECT value FROM json_each(?))`
)

// entries runs a query for entries of q's window and returns them with the number of the last one's name.
func (r *reader) entries(ctx context.Context, q store.EntryQuery, query string, args ...any) (found []store.Entry, last int64, err error) {
	err = r.each(ctx, query, func(c *cells) {
		e := store.Entry{
			WindowKey: q.WindowKey, ID: c.text(1), Version: uint64(c.int(2)), Entered: c.bool(3), Sort: c.bytes(4), //nolint:gosec // a bit pattern
			Changed: store.Moment{At: c.time(6), Position: uint64(c.int(7)), Place: int(c.int(8))}, //nolint:gosec // a bit pattern
		}
		if text := c.optional(5); text != "" {
			eye := &eye{b: text}
			e.Values = eye.values()
			c.bad = c.bad || eye.err() != nil
		}
		c.bad = c.bad || readFold(slices.Clone(c.bytes(9)), &e) != nil
		e.Hidden = c.orNull(10)
		last = c.int(0)
		found = append(found, e)
	}, slices.Concat([]any{q.Board, q.Window, q.Partition, q.Generation}, args)...)
	return found, last, err
}

// lookup turns numbers back into names. Those that it does not know it notes, and gives nothing for them.
type lookup struct {
	numbers        *numbers
	names          map[int64]string // found for this query
	missingNames   []int64
	missingWindows []int64
}

func (l *lookup) name(id int64) string {
	if s, there := l.names[id]; there {
		return s
	}
	s, there := l.numbers.textOf(id)
	if !there {
		l.missingNames = append(l.missingNames, id)
	}
	return s
}

func (l *lookup) window(id int64) store.WindowKey {
	key, there := l.numbers.keyOf(id)
	if !there {
		l.missingWindows = append(l.missingWindows, id)
	}
	return key
}

// resolve decodes, and decodes again once the numbers that were missing have been looked up.
func (r *reader) resolve(ctx context.Context, decode func(l *lookup) error) error {
	l := &lookup{numbers: r.numbers, names: make(map[int64]string)}
	if err := decode(l); err != nil || len(l.missingNames)+len(l.missingWindows) == 0 {
		return err
	}
	err := r.each(ctx, "SELECT id, name FROM names WHERE id IN (SELECT value FROM json_each(?))", func(c *cells) {
		l.names[c.int(0)] = c.text(1)
		r.numbers.noteName(c.text(1), c.int(0))
	}, numberList(l.missingNames))
	if err != nil {
		return err
	}
	err = r.each(ctx, "SELECT id, board, window, partition, generation FROM windows WHERE id IN (SELECT value FROM json_each(?))", func(c *cells) {
		r.numbers.noteWindow(c.windowKey(1), c.int(0))
	}, numberList(l.missingWindows))
	if err != nil {
		return err
	}
	l.missingNames, l.missingWindows = nil, nil
	if err := decode(l); err != nil {
		return err
	}
	if len(l.missingNames)+len(l.missingWindows) > 0 {
		return fmt.Errorf("%w: names %v or windows %v are not there", errDamaged, l.missingNames, l.missingWindows)
	}
	return nil
}

func numberList(ids []int64) string {
	slices.Sort(ids)
	var p pen
	p.open('[')
	for _, id := range slices.Compact(ids) {
		p.int(id)
	}
	p.close(']')
	return string(p.b)
}
