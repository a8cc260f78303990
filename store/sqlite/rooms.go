package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

func (b *batch) putRoom(r store.Room) error {
	if r.Version == 0 {
		return errStale
	}
	members, err := b.members(r.Members)
	if err != nil {
		return err
	}
	args := []driver.Value{
		int64(r.Version), int64(r.Created), r.Mode, r.State, int64(r.Min), int64(r.Max), r.Wait.Milliseconds(), //nolint:gosec // bit patterns
		millis(r.OpenedAt), millis(r.ClosedAt), millis(r.Deadline), r.Match, int64(r.Matches), r.Reason, members, attributes(r.Attributes), r.ID,
	}
	var there int64
	if r.Version == 1 {
		there, err = b.exec(insertRoom, args...)
	} else {
		there, err = b.exec(updateRoom, append(args, before(r.Version, false))...)
	}
	if err == nil && there == 0 {
		return errStale
	}
	return err
}

const (
	insertRoom = `INSERT INTO rooms (version, created, mode, state, min, max, wait, opened_at, closed_at, deadline, match, matches,
		reason, members, attributes, room)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room) DO NOTHING`
	updateRoom = `UPDATE rooms SET version = ?, created = ?, mode = ?, state = ?, min = ?, max = ?, wait = ?, opened_at = ?,
		closed_at = ?, deadline = ?, match = ?, matches = ?, reason = ?, members = ?, attributes = ? WHERE room = ? AND version = ?`
)

// members writes who is in a room.
func (b *batch) members(members []store.Member) (driver.Value, error) {
	if len(members) == 0 {
		return nil, nil
	}
	var p pen
	p.open('[')
	for i := range members {
		m := &members[i]
		player, err := b.name(m.Player)
		if err != nil {
			return nil, err
		}
		team, err := b.optional(m.Team)
		if err != nil {
			return nil, err
		}
		p.open('[')
		p.int(player)
		p.int(team)
		p.bool(m.Bot)
		if m.JoinedAt.IsZero() {
			p.null()
		} else {
			p.int(m.JoinedAt.UnixMilli())
		}
		p.int(m.Held)
		if len(m.Attributes) > 0 {
			p.attributes(m.Attributes)
		}
		p.close(']')
	}
	p.close(']')
	return string(p.b), nil
}

func (e *eye) members(l *lookup) (members []store.Member) {
	e.open('[')
	for e.more(']') {
		e.open('[')
		m := store.Member{Player: l.name(e.int())}
		if team := e.int(); team != 0 {
			m.Team = l.name(team)
		}
		m.Bot = e.bool()
		if !e.null() {
			m.JoinedAt = timeOf(e.int())
			e.bad = e.bad || m.JoinedAt.IsZero()
		}
		m.Held = e.int()
		if e.take(',') {
			m.Attributes = e.attributes()
			e.bad = e.bad || len(m.Attributes) == 0
		}
		e.expect(']')
		members = append(members, m)
	}
	e.bad = e.bad || len(members) == 0
	return members
}

// Rooms yields the rooms that q asks for in the order of their creation.
func (s *Store) Rooms(ctx context.Context, q store.RoomQuery) iter.Seq2[store.Room, error] {
	query, args := listingRooms(q)
	return slicewise(s, func(last int64) ([]store.Room, int64, bool, error) {
		found, to, err := s.reads.rooms(ctx, query, append(slices.Clip(args), last, rowSlice)...)
		return found, to, len(found) == rowSlice, err
	})
}

// listingRooms is the query for a slice of the rooms that q asks for. What comes first in it leaves the fewest.
func listingRooms(q store.RoomQuery) (query string, args []any) {
	where := ""
	restrict := func(column, condition string, value any) {
		if where != "" {
			column = "+" + column
		}
		where += column + " " + condition + " AND "
		args = append(args, value)
	}
	if q.ID != "" {
		restrict("r.room", "= ?", q.ID)
	}
	if q.Match != "" {
		restrict("r.match", "= ? AND r.match <> ''", q.Match)
	}
	switch len(q.States) {
	case 0:
	case 1:
		restrict("r.state", "= ?", q.States[0])
	default:
		restrict("r.state", "IN (SELECT value FROM json_each(?))", list(q.States))
	}
	return `SELECT r.id, r.room, r.version, r.created, r.mode, r.state, r.min, r.max, r.wait, r.opened_at, r.closed_at, r.deadline,
		r.match, r.matches, r.reason, r.attributes, r.members FROM rooms AS r WHERE ` + where + "r.id > ? ORDER BY r.id LIMIT ?", args
}

// longestWait is as many milliseconds as a time.Duration has room for.
const longestWait = int64(1<<63-1) / int64(time.Millisecond)

// rooms runs a query for rooms and returns them with the number of the last one.
func (r *reader) rooms(ctx context.Context, query string, args ...any) (found []store.Room, last int64, err error) {
	r.numbers.naming.RLock()
	defer r.numbers.naming.RUnlock()
	var members []string
	err = r.each(ctx, query, func(c *cells) {
		last = c.int(0)
		wait := c.int(8)
		c.bad = c.bad || wait > longestWait || wait < -longestWait
		found = append(found, store.Room{
			ID: c.text(1), Version: uint64(c.int(2)), Created: uint64(c.int(3)), Mode: c.text(4), State: c.text(5), //nolint:gosec // bit patterns
			Min: int(c.int(6)), Max: int(c.int(7)), Wait: time.Duration(wait) * time.Millisecond,
			OpenedAt: c.time(9), ClosedAt: c.time(10), Deadline: c.time(11), Match: c.text(12), Matches: int(c.int(13)), Reason: c.text(14),
			Attributes: c.attributes(15),
		})
		members = append(members, c.orNull(16))
	}, args...)
	if err != nil {
		return nil, 0, err
	}
	return found, last, r.resolve(ctx, func(l *lookup) error {
		for i, text := range members {
			if text == "" {
				continue
			}
			e := &eye{b: text}
			found[i].Members = e.members(l)
			if err := e.err(); err != nil {
				return fmt.Errorf("room %q: %w", found[i].ID, err)
			}
		}
		return nil
	})
}
