package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"

	"github.com/finalbell/finalbell/store"
)

// Facts yields what is kept of the players, or of all if players is nil, in no order that means anything.
func (s *Store) Facts(ctx context.Context, players []string) iter.Seq2[store.Facts, error] {
	return slicewise(s, func(last int64) (found []store.Facts, to int64, more bool, err error) {
		query, args := allFacts, []any{last, rowSlice}
		if players != nil {
			query, args = someFacts, []any{list(players)}
		}
		err = s.reads.each(ctx, query, func(c *cells) {
			to = c.int(0)
			found = append(found, store.Facts{Player: c.text(1), Version: uint64(c.int(2)), Data: c.bytes(3)}) //nolint:gosec // a bit pattern
		}, args...)
		return found, to, players == nil && len(found) == rowSlice, err
	})
}

const (
	factColumns = "SELECT f.player, n.name, f.version, f.data FROM "
	allFacts    = factColumns + "facts AS f LEFT JOIN names AS n ON n.id = f.player WHERE f.player > ? ORDER BY f.player LIMIT ?"
	someFacts   = factColumns + `names AS n CROSS JOIN facts AS f ON f.player = n.id WHERE n.name IN (SELECT value FROM json_each(?))`
)

func (b *batch) putFacts(f store.Facts) error {
	if f.Version == 0 {
		return errStale
	}
	player, err := b.name(f.Player)
	if err != nil {
		return err
	}
	args := []driver.Value{int64(f.Version), text(f.Data), player} //nolint:gosec // a bit pattern
	var there int64
	if f.Version == 1 {
		there, err = b.exec("INSERT INTO facts (version, data, player) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", args...)
	} else {
		there, err = b.exec("UPDATE facts SET version = ?, data = ? WHERE player = ? AND version = ?", append(args, before(f.Version, false))...)
	}
	if err == nil && there == 0 {
		return errStale
	}
	return err
}

// Revisions yields what a match was before it was amended, by revision.
func (s *Store) Revisions(ctx context.Context, match string) iter.Seq2[store.Match, error] {
	return slicewise(s, func(int64) ([]store.Match, int64, bool, error) {
		found, _, err := s.reads.matches(ctx, revisionsQuery, match)
		return found, 0, false, err
	})
}

const revisionsQuery = "SELECT " + matchRow + ", m.moves FROM revisions AS m WHERE m.match = ? ORDER BY m.revision"

func (b *batch) putRevision(r store.Revision) error {
	values, err := b.matchValues(&r.Match)
	if err != nil {
		return err
	}
	var moves driver.Value
	if len(r.Moves) > 0 {
		if moves, err = b.moves(r.Moves); err != nil {
			return err
		}
	}
	fresh, err := b.exec("INSERT INTO revisions ("+matchFields+", moves) VALUES ("+matchHolders+", ?) ON CONFLICT (match, revision) DO NOTHING",
		append(values, moves)...)
	if err == nil && fresh == 0 {
		return errStale
	}
	return err
}
