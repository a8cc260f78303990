package sqlite

import (
	"context"
	"iter"
	"math"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// newestSlice is how many matches are read at once when the latest come first: whoever asks for these wants few.
const newestSlice = 32

// rowOfMatch is a match as far as the order of the latest tells: when and at which position it ended, and its row.
type rowOfMatch struct{ endedAt, position, id int64 }

// newest yields the matches that q asks for, the latest first. SQL sorts their rows, many at a time, and only those that
// are yielded are read whole, a few at a time.
func (s *Store) newest(ctx context.Context, q store.MatchQuery) iter.Seq2[store.Match, error] {
	return func(yield func(store.Match, error) bool) {
		query, args := listingNewest(q)
		var rows []rowOfMatch
		last, more := rowOfMatch{math.MaxInt64, math.MaxInt64, math.MaxInt64}, true
		slicewise(s, func(int64) ([]store.Match, int64, bool, error) {
			if len(rows) == 0 && more {
				var err error
				if rows, err = s.reads.rowsOfMatches(ctx, query, append(slices.Clip(args), last.endedAt, last.position, last.id, rowSlice)...); err != nil {
					return nil, 0, false, err
				}
				if more = len(rows) == rowSlice; more {
					last = rows[rowSlice-1]
				}
			}
			some := rows[:min(len(rows), newestSlice)]
			rows = rows[len(some):]
			found, err := s.reads.matchesAt(ctx, some, q)
			return found, 0, more || len(rows) > 0, err
		})(yield)
	}
}

// listingNewest is the query for a slice of the rows of the matches that q asks for: those behind one, the latest first.
// Without a time a match comes last.
func listingNewest(q store.MatchQuery) (query string, args []any) {
	from, where, args := narrowed(q)
	if q.Player != "" || q.Team != "" {
		where += " AND x.id > n.id << 32 AND x.id < (n.id + 1) << 32"
	}
	const endedAt = "coalesce(m.ended_at, -9223372036854775808)"
	return "SELECT m.ended_at, m.position, m.id FROM " + from + " WHERE " + where + " AND (" + endedAt + ", m.position, m.id) < (?, ?, ?)" +
		" ORDER BY " + endedAt + " DESC, m.position DESC, m.id DESC LIMIT ?", args
}

func (r *reader) rowsOfMatches(ctx context.Context, query string, args ...any) (rows []rowOfMatch, err error) {
	err = r.each(ctx, query, func(c *cells) {
		row := rowOfMatch{math.MinInt64, c.int(1), c.int(2)}
		if c.values[0] != nil {
			row.endedAt = c.int(0)
		}
		rows = append(rows, row)
	}, args...)
	return rows, err
}

// matchesAt are the matches in rows, in their order. One that has been written since, so that it has another place in it
// or is no longer asked for, is left out.
func (r *reader) matchesAt(ctx context.Context, rows []rowOfMatch, q store.MatchQuery) ([]store.Match, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	numbers := make([]int64, len(rows))
	for i, row := range rows {
		numbers[i] = row.id
	}
	read, ids, err := r.matches(ctx, matchesIn, numberList(numbers))
	if err != nil {
		return nil, err
	}
	at := make(map[int64]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	found := make([]store.Match, 0, len(rows))
	for _, row := range rows {
		i, there := at[row.id]
		if !there {
			continue
		}
		m := &read[i]
		if asks(m, q) && row == (rowOfMatch{endedAtOf(m), int64(m.Position), row.id}) { //nolint:gosec // a bit pattern
			found = append(found, *m)
		}
	}
	return found, nil
}

func endedAtOf(m *store.Match) int64 {
	if m.EndedAt.IsZero() {
		return math.MinInt64
	}
	return m.EndedAt.UnixMilli()
}

const matchesIn = "SELECT " + matchColumns + ` FROM json_each(?) AS j CROSS JOIN matches AS m ON m.id = j.value
	LEFT JOIN moves AS v ON v.match = m.id`
