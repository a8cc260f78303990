package sqlite

import (
	"context"
	"database/sql/driver"
	"iter"
	"slices"

	"github.com/finalbell/finalbell/store"
)

func (b *batch) putGrant(g store.Grant) error {
	if g.Version == 0 || g.Version == 1 && g.Position != b.head.Position || g.Position > maxPosition {
		return errStale
	}
	words, err := b.words([]string{g.ID, g.Rule, g.Kind, g.What, g.State}, g.Match)
	if err != nil {
		return err
	}
	player, err := b.name(g.Player)
	if err != nil {
		return err
	}
	window, err := b.windowOrNull(g.WindowKey)
	if err != nil {
		return err
	}
	id := spot(g.Position, g.Place)
	args := []driver.Value{
		int64(g.Version), player, words[5], window, words[1], words[2], words[3], g.Amount, g.Old, g.New, words[4], //nolint:gosec // a bit pattern
		millis(g.At), millis(g.Expires), millis(g.Due), int64(g.Attempts), int64(g.Turn), g.Problem, id, words[0],
	}
	var there int64
	if g.Version == 1 {
		there, err = b.exec(insertGrant, args...)
	} else {
		there, err = b.exec(updateGrant, append(args, before(g.Version, false))...)
	}
	if err == nil && there == 0 {
		return errStale
	}
	return err
}

const (
	insertGrant = `INSERT INTO given (version, player, match, window, rule, kind, what, amount, old, new, state,
		at, expires, due, attempts, turn, problem, id, "grant")
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	updateGrant = `UPDATE given SET version = ?, player = ?, match = ?, window = ?, rule = ?, kind = ?, what = ?, amount = ?,
		old = ?, new = ?, state = ?, at = ?, expires = ?, due = ?, attempts = ?, turn = ?, problem = ?
		WHERE id = ? AND "grant" = ? AND version = ?`
)

// Grants yields the grants that q asks for, by position and then by their place in it.
func (s *Store) Grants(ctx context.Context, q store.GrantQuery) iter.Seq2[store.Grant, error] {
	query, args := listingGrants(q)
	return slicewise(s, func(last int64) (found []store.Grant, to int64, more bool, err error) {
		err = s.reads.each(ctx, query, func(c *cells) {
			to = c.int(0)
			g := store.Grant{
				ID: c.text(1), Version: uint64(c.int(2)), Player: c.text(3), Match: c.orNull(4), //nolint:gosec // a bit pattern
				Rule: c.text(10), Kind: c.text(11), What: c.text(12), Amount: c.int(13), Old: c.int(14), New: c.int(15),
				State: c.text(16), Position: uint64(to >> placeBits), Place: int(to & store.MaxPlace), At: c.time(17), //nolint:gosec // not negative
				Expires: c.time(18), Due: c.time(19), Attempts: int(c.int(20)), Turn: int(c.int(21)), Problem: c.text(22),
			}
			if c.values[5] != nil {
				g.WindowKey = c.windowKey(6)
			}
			found = append(found, g)
		}, append(slices.Clip(args), last, rowSlice)...)
		return found, to, len(found) == rowSlice, err
	})
}

const grantColumns = `SELECT g.id, i.word, g.version, n.name, coalesce(m.word, g.match), g.window, w.board, w.window, w.partition,
	w.generation, r.word, k.word, t.word, g.amount, g.old, g.new, s.word, g.at, g.expires, g.due, g.attempts, g.turn, g.problem`

// grantJoins leave no grant out, as lineJoins leave no line.
const grantJoins = ` LEFT JOIN words AS i ON i.id = g."grant" LEFT JOIN names AS n ON n.id = g.player
	LEFT JOIN words AS m ON m.id = g.match LEFT JOIN windows AS w ON w.id = g.window LEFT JOIN words AS r ON r.id = g.rule
	LEFT JOIN words AS k ON k.id = g.kind LEFT JOIN words AS t ON t.id = g.what LEFT JOIN words AS s ON s.id = g.state`

// listingGrants is the query for a slice of the grants that q asks for. What comes first in it leaves the fewest; the
// plus signs keep SQLite to its index, which one number reads in the order of id.
func listingGrants(q store.GrantQuery) (query string, args []any) {
	const oneWord, someWords = "= (SELECT id FROM words WHERE word = ?)", "IN (SELECT id FROM words WHERE word IN (SELECT value FROM json_each(?)))"
	where := ""
	restrict := func(column, numbers string, values ...any) {
		if where != "" {
			column = "+" + column
		}
		where += column + " " + numbers + " AND "
		args = append(args, values...)
	}
	if len(q.IDs) > 0 {
		restrict(`g."grant"`, someWords, list(q.IDs))
	}
	if q.Match != "" {
		restrict("g.match", oneWord, q.Match)
	}
	if q.Player != "" {
		restrict("g.player", "= (SELECT id FROM names WHERE name = ?)", q.Player)
	}
	switch {
	case q.Board != "" && q.Window != "":
		restrict("g.window", "IN (SELECT id FROM windows WHERE board = ? AND window = ?)", q.Board, q.Window)
	case q.Board != "":
		restrict("g.window", "IN (SELECT id FROM windows WHERE board = ?)", q.Board)
	case q.Window != "":
		restrict("g.window", "IN (SELECT id FROM windows WHERE window = ?)", q.Window)
	}
	switch len(q.States) {
	case 0:
	case 1:
		restrict("g.state", oneWord, q.States[0])
	default:
		restrict("g.state", someWords, list(q.States))
	}
	return grantColumns + " FROM given AS g" + grantJoins + " WHERE " + where + "g.id > ? ORDER BY g.id LIMIT ?", args
}
