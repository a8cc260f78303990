package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"time"

	"github.com/finalbell/finalbell/store"
)

// How the fields of records stand in columns. What is nil or zero in Go is NULL.

func digest(d store.Digest) driver.Value {
	if d == (store.Digest{}) {
		return nil
	}
	return d[:]
}

func digestOf(v driver.Value) (d store.Digest, err error) {
	switch v := v.(type) {
	case nil:
		return d, nil
	case []byte:
		if len(v) == len(d) {
			return store.Digest(v), nil
		}
	}
	return d, errDamaged
}

func millis(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func timeOf(v driver.Value) time.Time {
	if ms, ok := v.(int64); ok {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func flag(b bool) driver.Value {
	if b {
		return int64(1)
	}
	return int64(0)
}

func blob(b []byte) driver.Value {
	if b == nil {
		return nil
	}
	return b
}

func text(b []byte) driver.Value {
	if b == nil {
		return nil
	}
	return string(b)
}

// orNull is a text that is never empty.
func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func values(v [][]int64) driver.Value {
	if v == nil {
		return nil
	}
	var p pen
	p.values(v)
	return string(p.b)
}

func attributes(list []store.Attribute) driver.Value {
	if len(list) == 0 {
		return nil
	}
	var p pen
	p.attributes(list)
	return string(p.b)
}

func (p *pen) attributes(list []store.Attribute) {
	p.open('{')
	for _, a := range list {
		p.name(a.Name)
		p.text(a.Value)
	}
	p.close('}')
}

func (e *eye) attributes() []store.Attribute {
	var list []store.Attribute
	e.open('{')
	for e.more('}') {
		name := e.key()
		list = append(list, store.Attribute{Name: name, Value: e.text()})
	}
	return list
}

// participants writes the roster of a match.
func (b *batch) participants(roster []store.Participant) (driver.Value, error) {
	if roster == nil {
		return nil, nil
	}
	p := pen{b: make([]byte, 0, 96*len(roster)+2)}
	p.open('[')
	for i := range roster {
		if err := b.participant(&p, &roster[i]); err != nil {
			return nil, err
		}
	}
	p.close(']')
	return string(p.b), nil
}

func (b *batch) participant(p *pen, r *store.Participant) error {
	player, err := b.name(r.Player)
	if err != nil {
		return err
	}
	team, err := b.optional(r.Team)
	if err != nil {
		return err
	}
	p.open('[')
	p.int(player)
	p.int(team)
	p.bool(r.Bot)
	p.number(r.Outcome)
	p.text(r.Status)
	p.int(int64(r.Reported))
	p.int(int64(r.Rank))
	p.int(int64(r.Position))
	p.text(r.Result)
	p.open('{')
	for _, m := range r.Metrics {
		p.name(m.Name)
		p.open('[')
		p.number(m.Value)
		p.close(']')
	}
	p.close('}')
	p.open('[')
	for _, v := range r.Boards {
		if err := b.boardValues(p, v, r.Player); err != nil {
			return err
		}
	}
	p.close(']')
	p.optional(r)
	p.close(']')
	return nil
}

// optional writes what few participants have: attributes, fees and how they stood after the match. Each of the three
// comes with those before it, and none for nothing.
func (p *pen) optional(r *store.Participant) {
	stood := r.Gone != "" || r.Counted != 0 || r.Streak != 0 || r.Best.Known
	fee := stood || r.Held != 0 || r.Paid != 0
	if fee || len(r.Attributes) > 0 {
		p.attributes(r.Attributes)
	}
	if fee {
		p.int(r.Held)
		p.int(r.Paid)
	}
	if stood {
		p.text(r.Gone)
		p.int(int64(r.Counted))
		p.int(int64(r.Streak))
		p.number(r.Best)
	}
}

// optional reads what the pen's wrote.
func (e *eye) optional(p *store.Participant) {
	if !e.take(',') {
		return
	}
	p.Attributes = e.attributes()
	there := len(p.Attributes) > 0
	if e.take(',') {
		p.Held, p.Paid = e.int(), e.int()
		there = p.Held != 0 || p.Paid != 0
		if e.take(',') {
			p.Gone, p.Counted, p.Streak, p.Best = e.text(), int(e.int()), int(e.int()), e.number()
			there = p.Gone != "" || p.Counted != 0 || p.Streak != 0 || p.Best.Known
		}
	}
	e.bad = e.bad || !there
}

func (b *batch) boardValues(p *pen, v store.BoardValues, player string) error {
	window, err := b.window(v.WindowKey)
	if err != nil {
		return err
	}
	id := int64(0)
	if v.ID != player {
		if id, err = b.name(v.ID); err != nil {
			return err
		}
	}
	p.open('[')
	p.int(window)
	p.int(id)
	if v.Late {
		p.null()
	} else {
		p.values(v.Values)
	}
	p.close(']')
	return nil
}

// optional is the number of a name, 0 for none.
func (b *batch) optional(name string) (int64, error) {
	if name == "" {
		return 0, nil
	}
	return b.name(name)
}

func (b *batch) teams(teams []store.TeamOutcome) (driver.Value, error) {
	if len(teams) == 0 {
		return nil, nil
	}
	var p pen
	p.open('[')
	for _, t := range teams {
		id, err := b.name(t.Team)
		if err != nil {
			return nil, err
		}
		p.open('[')
		p.int(id)
		p.number(t.Outcome)
		p.close(']')
	}
	p.close(']')
	return string(p.b), nil
}

func (b *batch) moves(moves []store.Move) (driver.Value, error) {
	p := pen{b: make([]byte, 0, 24*len(moves)+2)}
	p.open('[')
	for _, m := range moves {
		window, err := b.window(m.WindowKey)
		if err != nil {
			return nil, err
		}
		id, err := b.name(m.ID)
		if err != nil {
			return nil, err
		}
		p.open('[')
		p.int(window)
		p.int(id)
		p.int(int64(m.Old))
		p.int(int64(m.New))
		if m.Size != 0 || len(m.Passed) > 0 {
			p.int(int64(m.Size))
		}
		if len(m.Passed) > 0 {
			p.open('[')
			for _, passed := range m.Passed {
				id, err := b.name(passed)
				if err != nil {
					return nil, err
				}
				p.int(id)
			}
			p.close(']')
		}
		p.close(']')
	}
	p.close(']')
	return string(p.b), nil
}

func (e *eye) moves(l *lookup) (moves []store.Move) {
	e.open('[')
	for e.more(']') {
		e.open('[')
		key, id := l.window(e.int()), l.name(e.int())
		m := store.Move{WindowKey: key, ID: id, Old: int(e.int()), New: int(e.int())}
		if e.take(',') {
			m.Size = int(e.int())
			there := m.Size != 0
			if e.take(',') {
				e.open('[')
				for e.more(']') {
					m.Passed = append(m.Passed, l.name(e.int()))
				}
				there = len(m.Passed) > 0
			}
			e.bad = e.bad || !there
		}
		e.expect(']')
		moves = append(moves, m)
	}
	return moves
}

// What a fold column holds: flags, the moments of the last result and of the row, and the engine's state.
const (
	hasLast = 1 << iota
	hasRow
	hasState
)

func fold(e *store.Entry) driver.Value {
	b := make([]byte, 1, 48+len(e.State))
	if !e.Last.At.IsZero() {
		b[0] |= hasLast
	}
	if !e.Row.At.IsZero() {
		b[0] |= hasRow
	}
	if e.State != nil {
		b[0] |= hasState
	}
	for _, m := range [2]store.Moment{e.Last, e.Row} {
		if !m.At.IsZero() {
			b = binary.AppendVarint(b, m.At.UnixMilli())
		}
		b = binary.AppendUvarint(b, m.Position)
		b = binary.AppendVarint(b, int64(m.Place))
	}
	return append(b, e.State...)
}

func readFold(b []byte, e *store.Entry) error {
	if len(b) == 0 {
		return errDamaged
	}
	flags := b[0]
	b = b[1:]
	bad := false
	// A number has one spelling, so that what is damaged has no other one to hide behind.
	taken := func(size int) {
		if size <= 0 || size > 1 && b[size-1] == 0 {
			bad, size = true, 0
		}
		b = b[size:]
	}
	for i, m := range [2]*store.Moment{&e.Last, &e.Row} {
		if flags&(hasLast<<i) != 0 {
			ms, size := binary.Varint(b)
			taken(size)
			m.At = time.UnixMilli(ms).UTC()
			bad = bad || m.At.IsZero()
		}
		position, size := binary.Uvarint(b)
		taken(size)
		place, size := binary.Varint(b)
		taken(size)
		m.Position, m.Place = position, int(place)
	}
	if bad || flags&^(hasLast|hasRow|hasState) != 0 || flags&hasState == 0 && len(b) > 0 {
		return errDamaged
	}
	if flags&hasState != 0 {
		e.State = b
	}
	return nil
}
