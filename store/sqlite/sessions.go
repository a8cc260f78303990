package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/finalbell/finalbell/store"
)

func (b *batch) putSession(r store.Session, soft bool) error {
	if r.Version == 0 {
		return errStale
	}
	player, err := b.name(r.Player)
	if err != nil {
		return err
	}
	args := []driver.Value{
		int64(r.Version), int64(r.Created), player, r.Device, millis(r.StartedAt), millis(r.SeenAt), millis(r.EndedAt), r.Reason, //nolint:gosec // bit patterns
		attributes(r.Attributes), attributes(r.Data), r.ID,
	}
	var there int64
	if r.Version == 1 && !soft {
		there, err = b.exec(insertSession, args...)
	} else {
		there, err = b.exec(updateSession, append(args, before(r.Version, soft))...)
	}
	if err == nil && there == 0 {
		return errStale
	}
	return err
}

const (
	insertSession = `INSERT INTO sessions (version, created, player, device, started_at, seen_at, ended_at, reason, attributes, data, session)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session) DO NOTHING`
	updateSession = `UPDATE sessions SET version = ?, created = ?, player = ?, device = ?, started_at = ?, seen_at = ?, ended_at = ?,
		reason = ?, attributes = ?, data = ? WHERE session = ? AND version = ?`
)

// Sessions yields the sessions that q asks for in the order of their creation, or with Newest the other way round.
func (s *Store) Sessions(ctx context.Context, q store.SessionQuery) iter.Seq2[store.Session, error] {
	query, args := listingSessions(q)
	return slicewise(s, func(last int64) (found []store.Session, to int64, more bool, err error) {
		if q.Newest && last == math.MinInt64 {
			last = math.MaxInt64 // from the other end
		}
		err = s.reads.each(ctx, query, func(c *cells) {
			to = c.int(0)
			found = append(found, store.Session{
				ID: c.text(1), Version: uint64(c.int(2)), Created: uint64(c.int(3)), Player: c.text(4), Device: c.text(5), //nolint:gosec // bit patterns
				StartedAt: c.time(6), SeenAt: c.time(7), EndedAt: c.time(8), Reason: c.text(9),
				Attributes: c.attributes(10), Data: c.attributes(11),
			})
		}, append(slices.Clip(args), last, rowSlice)...)
		return found, to, len(found) == rowSlice, err
	})
}

// listingSessions is the query for a slice of the sessions that q asks for. What comes first in it leaves the fewest.
func listingSessions(q store.SessionQuery) (query string, args []any) {
	where := ""
	restrict := func(condition string, values ...any) {
		where += condition + " AND "
		args = append(args, values...)
	}
	if q.ID != "" {
		restrict("s.session = ?", q.ID)
	}
	if q.Player != "" {
		column := "s.player"
		if q.ID != "" {
			column = "+" + column
		}
		restrict(column+" = (SELECT id FROM names WHERE name = ?)", q.Player)
	}
	if q.Open {
		restrict("s.ended_at IS NULL")
	}
	if !q.From.IsZero() {
		restrict("s.started_at >= ?", ceiling(q.From))
	}
	if !q.To.IsZero() {
		restrict("s.started_at < ?", ceiling(q.To))
	}
	order := "s.id > ? ORDER BY s.id"
	if q.Newest {
		order = "s.id < ? ORDER BY s.id DESC"
	}
	// A player who is not there is no reason for a session to be left out: it is damaged.
	return `SELECT s.id, s.session, s.version, s.created, n.name, s.device, s.started_at, s.seen_at, s.ended_at, s.reason, s.attributes, s.data
		FROM sessions AS s LEFT JOIN names AS n ON n.id = s.player WHERE ` + where + order + " LIMIT ?", args
}

// ceiling is the first whole millisecond that is not before a moment.
func ceiling(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return ms
}
