package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"iter"

	"github.com/finalbell/finalbell/store"
)

var _ store.Placer = (*Store)(nil)

// Places yields the places of a window's entries. The next slice is read while the last one is looked at.
func (s *Store) Places(ctx context.Context, board, window string) iter.Seq2[[]store.Place, error] {
	type slice struct {
		places []store.Place
		err    error
	}
	return func(yield func([]store.Place, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		read := make(chan slice)
		go func() {
			defer close(read)
			last := int64(0)
			for more := true; more; {
				var next slice
				next.places, last, more, next.err = s.reads.places(ctx, board, window, last)
				more = more && next.err == nil
				select {
				case read <- next:
				case <-ctx.Done():
					return
				}
			}
		}()
		// Whoever leaves early leaves no reading behind.
		defer func() {
			stop()
			for range read {
			}
		}()
		for next := range read {
			if !yield(next.places, about(s.path, "read", next.err)) || next.err != nil {
				return
			}
		}
	}
}

const placesQuery = `SELECT e.id, n.name, e.entered, e.sort, e.changed_at, e.changed_position, e.changed_place
	FROM windows AS w CROSS JOIN entries AS e CROSS JOIN names AS n ON n.id = e.id & 4294967295
	WHERE w.board = ? AND w.window = ? AND e.id > (w.id << 32) + ? AND e.id < (w.id + 1) << 32 ORDER BY e.id LIMIT ?`

// places reads one slice on the driver itself: a row through database/sql costs twice as much.
func (r *reader) places(ctx context.Context, board, window string, after int64) (found []store.Place, last int64, more bool, err error) {
	err = r.rows(ctx, placesQuery, func(c *cells) {
		last = c.int(0) & (1<<32 - 1)
		found = append(found, store.Place{ID: c.text(1), Entered: c.bool(2), Sort: c.bytes(3),
			Changed: store.Moment{At: c.time(4), Position: uint64(c.int(5)), Place: int(c.int(6))}}) //nolint:gosec // a bit pattern
	}, board, window, after, int64(rowSlice))
	return found, last, len(found) == rowSlice, err
}

// rows is each without database/sql between the driver and the cells.
func (r *reader) rows(ctx context.Context, query string, take func(c *cells), args ...driver.Value) error {
	if err := r.ready(ctx); err != nil {
		return err
	}
	return r.borrow(ctx, func(conn any) (err error) {
		named := make([]driver.NamedValue, len(args))
		for i, a := range args {
			named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
		}
		rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, named) //nolint:forcetypeassert // the driver's are
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		c := cells{values: make([]any, len(rows.Columns()))}
		values := make([]driver.Value, len(c.values))
		for {
			if err := rows.Next(values); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			for i, v := range values {
				c.values[i] = v
			}
			take(&c)
			if c.bad {
				return errDamaged
			}
		}
	})
}

// borrow lends a connection.
func (r *reader) borrow(ctx context.Context, use func(conn any) error) error {
	if r.conn != nil {
		r.serial.Lock()
		defer r.serial.Unlock()
		return r.conn.Raw(use)
	}
	conn, err := r.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(use)
}
