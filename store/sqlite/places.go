package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"iter"
	"sync"

	"github.com/finalbell/finalbell/store"
)

var _ store.Placer = (*Store)(nil)

// Places yields the places of a window's entries. Two halves are read side by side, while the slices read before are
// looked at: a million rows take SQLite longer than they take the engine.
func (s *Store) Places(ctx context.Context, key store.WindowKey) iter.Seq2[[]store.Place, error] {
	return func(yield func([]store.Place, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		read := make(chan placesSlice)
		var reading sync.WaitGroup
		middle, err := s.reads.middle(ctx)
		if err != nil {
			stop()
			yield(nil, about(s.path, "read", err))
			return
		}
		reading.Go(func() { s.reads.placesBetween(ctx, key, 0, middle, read) })
		reading.Go(func() { s.reads.placesBetween(ctx, key, middle, 1<<32-1, read) })
		go func() {
			reading.Wait()
			close(read)
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

type placesSlice struct {
	places []store.Place
	err    error
}

// middle is a number with about as many names below it as above.
func (r *reader) middle(ctx context.Context) (id int64, err error) {
	err = r.each(ctx, "SELECT coalesce(max(id), 0) / 2 FROM names", func(c *cells) { id = c.int(0) })
	return id, err
}

// placesBetween sends the places of the names after one number up to another, slice by slice.
func (r *reader) placesBetween(ctx context.Context, key store.WindowKey, after, upTo int64, to chan<- placesSlice) {
	for more := true; more; {
		var next placesSlice
		next.places, after, more, next.err = r.places(ctx, key, after, upTo)
		more = more && next.err == nil
		select {
		case to <- next:
		case <-ctx.Done():
			return
		}
	}
}

const placesQuery = `SELECT e.id, n.name, e.entered, e.sort, e.changed_at, e.changed_position, e.changed_place, e.hidden IS NOT NULL
	FROM windows AS w CROSS JOIN entries AS e CROSS JOIN names AS n ON n.id = e.id & 4294967295
	WHERE w.board = ? AND w.window = ? AND w.partition = ? AND w.generation = ? AND e.id > (w.id << 32) + ? AND e.id <= (w.id << 32) + ? ORDER BY e.id LIMIT ?`

// places reads one slice on the driver itself: a row through database/sql costs twice as much.
func (r *reader) places(ctx context.Context, key store.WindowKey, after, upTo int64) (found []store.Place, last int64, more bool, err error) {
	err = r.rows(ctx, placesQuery, func(c *cells) {
		last = c.int(0) & (1<<32 - 1)
		found = append(found, store.Place{ID: c.text(1), Entered: c.bool(2), Hidden: c.bool(7), Sort: c.bytes(3),
			Changed: store.Moment{At: c.time(4), Position: uint64(c.int(5)), Place: int(c.int(6))}}) //nolint:gosec // a bit pattern
	}, append(keyArgs(key), after, upTo, int64(rowSlice))...)
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
