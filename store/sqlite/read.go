package sqlite

import (
	"context"
	"iter"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// How many rows a sequence reads at once: enough that a slice costs less than its rows, few enough to hold.
const (
	matchSlice = 256
	rowSlice   = 4096
)

// Match returns the match with the id, or store.ErrNotFound.
func (s *Store) Match(ctx context.Context, id string) (store.Match, error) {
	if err := s.reads.ready(ctx); err != nil {
		return store.Match{}, about(s.path, "read", err)
	}
	if m, there := s.recent.match(id); there {
		return m, nil
	}
	found, _, err := s.reads.matches(ctx, "SELECT "+matchColumns+" FROM matches AS m LEFT JOIN moves AS v ON v.match = m.id WHERE m.match = ?", id)
	if err != nil {
		return store.Match{}, about(s.path, "read", err)
	}
	if len(found) == 0 {
		return store.Match{}, store.ErrNotFound
	}
	return found[0], nil
}

// Matches yields the matches that q asks for in the order of their creation, or with Newest the latest first.
func (s *Store) Matches(ctx context.Context, q store.MatchQuery) iter.Seq2[store.Match, error] {
	if q.Newest {
		return s.newest(ctx, q)
	}
	query, args := listing(q)
	return slicewise(s, func(last int64) ([]store.Match, int64, bool, error) {
		found, ids, err := s.reads.matches(ctx, query, append(slices.Clip(args), last, matchSlice)...)
		if err != nil || len(ids) == 0 {
			return nil, 0, false, err
		}
		asked := found[:0]
		for i := range found {
			if asks(&found[i], q) {
				asked = append(asked, found[i])
			}
		}
		return asked, ids[len(ids)-1], len(ids) == matchSlice, nil
	})
}

// listing is the query for a slice of the matches that q asks for: all that SQL can tell, by the index that
// leaves the fewest.
func listing(q store.MatchQuery) (query string, args []any) {
	from, where, args := narrowed(q)
	after := "m.id > ? ORDER BY m.id"
	if q.Player != "" || q.Team != "" {
		after = "x.id > (n.id << 32) + max(?, 0) AND x.id < (n.id + 1) << 32 ORDER BY x.id"
	}
	return "SELECT " + matchColumns + " FROM " + from + " LEFT JOIN moves AS v ON v.match = m.id WHERE " + where +
		" AND " + after + " LIMIT ?", args
}

// narrowed are the rows of matches that a query asks for, as far as SQL can tell. With a player or a team, who is n, the
// rows x of their list are still to be narrowed to theirs.
func narrowed(q store.MatchQuery) (from, where string, args []any) {
	from, where = "matches AS m", "TRUE"
	narrow := func(condition string, value any) {
		where += " AND " + condition
		args = append(args, value)
	}
	switch {
	case q.Player != "":
		from = "names AS n CROSS JOIN match_players AS x CROSS JOIN matches AS m ON m.id = x.match"
		narrow("n.name = ?", q.Player)
	case q.Team != "":
		from = "names AS n CROSS JOIN match_teams AS x CROSS JOIN matches AS m ON m.id = x.match"
		narrow("n.name = ?", q.Team)
	case q.Room == "" && len(q.States) > 0 && !slices.ContainsFunc(q.States, func(state string) bool { return !slices.Contains(runningStates, state) }):
		where += " AND m.state IN ('created', 'started', 'disputed')" // as the index has it
	}
	if q.Mode != "" {
		narrow("m.mode = ?", q.Mode)
	}
	if q.Room != "" {
		narrow("m.room = ? AND m.room <> ''", q.Room)
	}
	if len(q.States) > 0 {
		narrow("m.state IN (SELECT value FROM json_each(?))", list(q.States))
	}
	if q.Opponent != "" {
		narrow("EXISTS (SELECT 1 FROM names AS o CROSS JOIN match_players AS y ON y.id = (o.id << 32) + m.id WHERE o.name = ?)", q.Opponent)
	}
	if !q.From.IsZero() {
		narrow("m.ended_at >= ?", ceiling(q.From))
	}
	if !q.To.IsZero() {
		narrow("m.ended_at < ?", ceiling(q.To))
	}
	return from, where, args
}

// runningStates are those of the index matches_running.
var runningStates = []string{"created", "started", "disputed"}

// asks reports whether a match is as q asks for, with the players and the team of today.
func asks(m *store.Match, q store.MatchQuery) bool {
	return (q.Mode == "" || m.Mode == q.Mode) && (q.Room == "" || m.Room == q.Room) &&
		(len(q.States) == 0 || slices.Contains(q.States, m.State)) &&
		(q.From.IsZero() || !m.EndedAt.Before(q.From)) && (q.To.IsZero() || m.EndedAt.Before(q.To)) &&
		(q.Opponent == "" || q.Opponent != q.Player && slices.ContainsFunc(m.Participants, func(p store.Participant) bool { return p.Player == q.Opponent })) &&
		(q.Player == "" || slices.ContainsFunc(m.Participants, func(p store.Participant) bool { return p.Player == q.Player })) &&
		(q.Team == "" || slices.ContainsFunc(m.Participants, func(p store.Participant) bool { return p.Team == q.Team }))
}

// Entries yields the entries that q asks for in no order that means anything.
func (s *Store) Entries(ctx context.Context, q store.EntryQuery) iter.Seq2[store.Entry, error] {
	if q.IDs == nil {
		return slicewise(s, func(last int64) ([]store.Entry, int64, bool, error) {
			found, next, err := s.reads.entries(ctx, q, allEntries, last, rowSlice)
			return found, next, len(found) == rowSlice, err
		})
	}
	return slicewise(s, func(int64) ([]store.Entry, int64, bool, error) {
		if err := s.reads.ready(ctx); err != nil {
			return nil, 0, false, err
		}
		if known, all := s.recent.all(q); all {
			return known, 0, false, nil
		}
		found, _, err := s.reads.entries(ctx, q, someEntries, list(q.IDs))
		return found, 0, false, err
	})
}

// Events yields the events after a position, in order.
func (s *Store) Events(ctx context.Context, after uint64) iter.Seq2[store.Event, error] {
	return slicewise(s, func(last int64) ([]store.Event, int64, bool, error) {
		if last < int64(after) { //nolint:gosec // a position that high has no events behind it
			last = int64(after) //nolint:gosec // the same
		}
		var found []store.Event
		err := s.reads.each(ctx, `SELECT position, key, digest, at, kind, subject, body FROM events
			WHERE position > ? ORDER BY position LIMIT ?`, func(c *cells) {
			found = append(found, store.Event{Position: uint64(c.int(0)), Key: c.text(1), Digest: c.digest(2), At: c.time(3), //nolint:gosec // a bit pattern
				Kind: c.text(4), ID: c.text(5), Body: c.bytes(6)})
		}, last, rowSlice)
		if err != nil || len(found) == 0 {
			return nil, 0, false, err
		}
		return found, int64(found[len(found)-1].Position), len(found) == rowSlice, nil //nolint:gosec // as it was read
	})
}

// Head returns the last position and the latest time.
func (s *Store) Head(ctx context.Context) (head store.Head, err error) {
	err = s.reads.each(ctx, "SELECT position, latest FROM events ORDER BY position DESC LIMIT 1", func(c *cells) {
		head = store.Head{Position: uint64(c.int(0)), At: c.time(1)} //nolint:gosec // a bit pattern
	})
	return head, about(s.path, "read", err)
}

// Setting returns the value of a setting, or store.ErrNotFound.
func (s *Store) Setting(ctx context.Context, name string) (value []byte, err error) {
	err = store.ErrNotFound
	failed := s.reads.each(ctx, "SELECT value FROM settings WHERE name = ?", func(c *cells) {
		value, err = c.bytes(0), nil
	}, name)
	if failed != nil {
		return nil, about(s.path, "read", failed)
	}
	return value, err
}

// slicewise yields slice by slice; next reads the one after a row number and tells its last and whether more may
// follow.
func slicewise[T any](s *Store, next func(last int64) (found []T, to int64, more bool, err error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		last, more := int64(-1)<<63, true
		for more {
			found, to, goesOn, err := next(last)
			if err != nil {
				yield(none, about(s.path, "read", err))
				return
			}
			for _, row := range found {
				if !yield(row, nil) {
					return
				}
			}
			last, more = to, goesOn
		}
	}
}

// list is texts as a JSON array.
func list(texts []string) string {
	var p pen
	p.open('[')
	for _, s := range texts {
		p.text(s)
	}
	p.close(']')
	return string(p.b)
}
