package sqlite

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/finalbell/finalbell/store"
)

// A line or a grant stands under its position and its place in one number.
const (
	placeBits = 20 // store.MaxPlace has room in them
	// maxPosition has room in the rest; no file gets there.
	maxPosition = 1<<(63-placeBits) - 1
)

func spot(position uint64, place int) int64 {
	return int64(position)<<placeBits + int64(place) //nolint:gosec // a position that was looked at, see maxPosition
}

func (b *batch) putLine(l store.Line) error {
	if l.Position != b.head.Position || l.Position > maxPosition {
		return errStale
	}
	account, err := b.account(purse{l.Account, l.Currency})
	if err != nil {
		return err
	}
	words, err := b.words([]string{l.Kind, l.Posting}, l.Match, l.Grant)
	if err != nil {
		return err
	}
	window, err := b.windowOrNull(store.WindowKey{Board: l.Board, Window: l.Window})
	if err != nil {
		return err
	}
	id, seq := spot(l.Position, l.Place), int64(l.Seq) //nolint:gosec // a bit pattern
	fresh, err := b.exec(insertLine, id, account, seq, l.Amount, l.Balance, words[0], words[1], millis(l.At), words[2], window, words[3],
		seq, account, account, id)
	if err == nil && fresh == 0 {
		return errStale
	}
	return err
}

// insertLine puts a line behind the last one of its account, which must be the one before it.
const insertLine = `INSERT INTO lines (id, account, seq, amount, balance, kind, posting, at, match, window, "grant")
	SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
	WHERE ? = 1 + coalesce((SELECT x.seq FROM lines AS x WHERE x.account = ? ORDER BY x.id DESC LIMIT 1), 0)
		AND NOT EXISTS (SELECT 1 FROM lines AS x WHERE x.account = ? AND x.id > ?)
	ON CONFLICT (id) DO NOTHING`

// Lines yields the lines of the ledger that q asks for, by position and then by their place in it.
func (s *Store) Lines(ctx context.Context, q store.LineQuery) iter.Seq2[store.Line, error] {
	if len(q.Touching) > 0 && q.Posting == "" && q.Match == "" {
		return s.touching(ctx, q)
	}
	query, args := listingLines(q)
	first := firstAfter(q.After)
	return slicewise(s, func(last int64) ([]store.Line, int64, bool, error) {
		found, to, err := s.reads.lines(ctx, query, append(slices.Clip(args), max(first, last), rowSlice)...)
		return found, to, len(found) == rowSlice, err
	})
}

// firstAfter is the number before those of the lines of later positions.
func firstAfter(position uint64) int64 { return spot(min(position, maxPosition), store.MaxPlace) }

// listingLines is the query for a slice of the lines that q asks for.
func listingLines(q store.LineQuery) (query string, args []any) {
	from, where := "lines AS l", "TRUE"
	switch {
	case q.Posting != "":
		from, where = "words AS q CROSS JOIN lines AS l ON l.posting = q.id", "q.word = ?"
		args = append(args, q.Posting)
		if q.Match != "" {
			where += " AND +l.match = (SELECT id FROM words WHERE word = ?)" // the posting's index, not the match's
			args = append(args, q.Match)
		}
	case q.Match != "":
		from, where = "words AS q CROSS JOIN lines AS l ON l.match = q.id", "q.word = ?"
		args = append(args, q.Match)
	}
	if len(q.Touching) > 0 {
		where += " AND EXISTS (SELECT 1 FROM lines AS x WHERE x.posting = l.posting AND x.account IN (SELECT o.id FROM " + namedAccounts + "))"
		args = append(args, accountList(q.Touching))
	}
	return lineColumns + " FROM " + from + lineJoins + " WHERE " + where + " AND l.id > ? ORDER BY l.id LIMIT ?", args
}

// touched is a line of an account that was asked for.
type touched struct{ line, posting int64 }

// touching yields the lines of the postings that have a line of one of the accounts. Which these are is looked up once,
// and that is all of the moment; then as many at a time as make about a slice, all those of a position together.
func (s *Store) touching(ctx context.Context, q store.LineQuery) iter.Seq2[store.Line, error] {
	return func(yield func(store.Line, error) bool) {
		var left []touched
		looked := false
		slicewise(s, func(int64) ([]store.Line, int64, bool, error) {
			if !looked {
				looked = true
				if err := s.reads.each(ctx, touchedQuery, func(c *cells) {
					left = append(left, touched{c.int(0), c.int(1)})
				}, accountList(q.Touching), firstAfter(q.After)); err != nil {
					return nil, 0, false, err
				}
				slices.SortFunc(left, func(a, b touched) int { return cmp.Compare(a.line, b.line) })
			}
			var postings []int64
			size := min(len(left), rowSlice/4)
			for size > 0 && size < len(left) && left[size].line>>placeBits == left[size-1].line>>placeBits {
				size++
			}
			for _, t := range left[:size] {
				postings = append(postings, t.posting)
			}
			left = left[size:]
			found, _, err := s.reads.lines(ctx, linesOfPostings, numberList(postings))
			return found, 0, len(left) > 0, err
		})(yield)
	}
}

const (
	// namedAccounts are the rows o of accounts that a list names, in every currency.
	namedAccounts = "json_each(?) AS j CROSS JOIN accounts AS o ON o.kind = j.value ->> 0 AND o.owner = j.value ->> 1"
	touchedQuery  = "SELECT x.id, x.posting FROM " + namedAccounts + " CROSS JOIN lines AS x ON x.account = o.id WHERE x.id > ?"

	lineColumns = `SELECT l.id, a.kind, a.owner, a.currency, l.seq, l.amount, l.balance, k.word, p.word, l.at,
		coalesce(m.word, l.match), l.window, w.board, w.window, coalesce(g.word, l."grant")`
	// What is not there is no reason for a line to be left out: the line is damaged.
	lineJoins = ` LEFT JOIN accounts AS a ON a.id = l.account LEFT JOIN words AS k ON k.id = l.kind
		LEFT JOIN words AS p ON p.id = l.posting LEFT JOIN words AS m ON m.id = l.match
		LEFT JOIN windows AS w ON w.id = l.window LEFT JOIN words AS g ON g.id = l."grant"`
	linesOfPostings = lineColumns + " FROM json_each(?) AS j CROSS JOIN lines AS l ON l.posting = j.value" + lineJoins + " ORDER BY l.id"
	balancesQuery   = lineColumns + " FROM " + namedAccounts +
		" CROSS JOIN lines AS l ON l.id = (SELECT max(x.id) FROM lines AS x WHERE x.account = o.id)" + lineJoins
)

// Balances yields the last line of each of the accounts, in each currency in which it has one, in any order.
func (s *Store) Balances(ctx context.Context, accounts []store.Account) iter.Seq2[store.Line, error] {
	return slicewise(s, func(int64) ([]store.Line, int64, bool, error) {
		found, _, err := s.reads.lines(ctx, balancesQuery, accountList(accounts))
		return found, 0, false, err
	})
}

// lines runs a query for lines and returns them with the number of the last one.
func (r *reader) lines(ctx context.Context, query string, args ...any) (found []store.Line, last int64, err error) {
	err = r.each(ctx, query, func(c *cells) {
		last = c.int(0)
		l := store.Line{
			Account: store.Account{Kind: c.text(1), ID: c.text(2)}, Currency: c.text(3),
			Seq: uint64(c.int(4)), Amount: c.int(5), Balance: c.int(6), Kind: c.text(7), Posting: c.text(8), //nolint:gosec // a bit pattern
			Position: uint64(last >> placeBits), Place: int(last & store.MaxPlace), At: c.time(9), //nolint:gosec // not negative
			Match: c.orNull(10), Grant: c.orNull(14),
		}
		if c.values[11] != nil {
			l.Board, l.Window = c.text(12), c.text(13)
		}
		found = append(found, l)
	}, args...)
	return found, last, err
}

// accountList is accounts as a JSON array, none twice.
func accountList(accounts []store.Account) string {
	sorted := slices.Clone(accounts)
	slices.SortFunc(sorted, func(a, b store.Account) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	var p pen
	p.open('[')
	for _, a := range slices.Compact(sorted) {
		p.open('[')
		p.text(a.Kind)
		p.text(a.ID)
		p.close(']')
	}
	p.close(']')
	return string(p.b)
}
