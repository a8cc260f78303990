package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// writer is the one connection that writes. Its statements are prepared once and run on the driver itself: a
// match is some thirty small statements, and database/sql would double the price of each.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue // reused: the driver keeps none
}

// checkpointPages is when the log goes back into the file, at 32 MB: often enough that the log wraps and is
// written over, which syncs faster than growing it, and seldom enough that a page that changes all the time goes
// back once for many times. Pages are small because a match touches some twenty of them here and there.
const checkpointPages = 16000

// pageBytes is the size of a page: what changes is small, and a commit writes whole pages.
const pageBytes = 2048

func openWriter(ctx context.Context, path string, options Options) (*writer, error) {
	synchronous := "FULL"
	if options.Normal {
		synchronous = "NORMAL"
	}
	all := append([]string{"mode=rwc", "_txlock=immediate"}, settings...)
	// The journal mode has to come after the page size, which it fixes, and after the busy timeout, because changing
	// it takes a lock. The driver sorts its pragmas by name, but sets this one, given by its own name, behind them.
	all = append(all, fmt.Sprintf("_pragma=page_size(%d)", pageBytes), "_journal_mode=WAL", "_synchronous="+synchronous,
		fmt.Sprintf("_pragma=wal_autocheckpoint(%d)", checkpointPages))
	db, err := pool(ctx, dsn(path, all...), 1)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w := &writer{db: db, conn: conn, stmts: make(map[string]driver.Stmt)}
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if mode != "wal" {
		return nil, errors.Join(fmt.Errorf("the file system cannot share memory between processes (journal mode %q instead of wal)", mode), w.close())
	}
	if err := w.tryWriting(ctx); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// tryWriting begins to write and takes it back: SQLite opens a file that it may not write for reading, even for
// BEGIN IMMEDIATE, and would only say so at the first commit.
func (w *writer) tryWriting(ctx context.Context) error {
	var version int
	if err := w.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	back := errors.New("taken back")
	err := w.transaction(func(t *tx) error {
		if _, err := t.exec(fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
			return err
		}
		return back
	})
	if errors.Is(err, back) {
		return nil
	}
	return err
}

func (w *writer) close() error {
	var failures []error
	failures = append(failures, w.conn.Raw(func(any) error {
		for _, s := range w.stmts {
			failures = append(failures, s.Close())
		}
		return nil
	}))
	return errors.Join(append(failures, w.conn.Close(), w.db.Close())...)
}

// transaction runs do in a transaction that begins with the write lock. No context reaches a statement: one that
// was interrupted would end the transaction and let the next statements commit by themselves.
func (w *writer) transaction(do func(t *tx) error) error {
	return w.conn.Raw(func(c any) (err error) {
		t := &tx{writer: w, conn: c.(driver.Conn)} //nolint:forcetypeassert // what Raw gives
		if _, err := t.exec("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		finished := false
		defer func() {
			if !finished {
				// Also on a panic. Where SQLite has rolled back itself this fails, and that is well.
				_, _ = t.exec("ROLLBACK")
			}
		}()
		if err := do(t); err != nil {
			return err
		}
		if _, err := t.exec("COMMIT"); err != nil {
			return err
		}
		finished = true
		return nil
	})
}

// tx is a transaction under way.
type tx struct {
	*writer
	conn driver.Conn
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...driver.Value) (changed int64, err error) {
	s, err := t.prepared(query)
	if err != nil {
		return 0, err
	}
	result, err := s.(driver.StmtExecContext).ExecContext(context.Background(), t.named(args)) //nolint:forcetypeassert // the driver's are
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// row runs a query for one row; false: there is none.
func (t *tx) row(query string, into []driver.Value, args ...driver.Value) (there bool, err error) {
	s, err := t.prepared(query)
	if err != nil {
		return false, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), t.named(args)) //nolint:forcetypeassert // the driver's are
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if err := rows.Next(into); errors.Is(err, io.EOF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// rows runs a query to its end and returns the rows, each of so many columns.
func (t *tx) rows(query string, columns int, args ...driver.Value) (all [][]driver.Value, err error) {
	s, err := t.prepared(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), t.named(args)) //nolint:forcetypeassert // the driver's are
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row := make([]driver.Value, columns)
		if err := rows.Next(row); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
}

func (t *tx) prepared(query string) (driver.Stmt, error) {
	if s, there := t.stmts[query]; there {
		return s, nil
	}
	s, err := t.conn.Prepare(query)
	if err == nil {
		t.stmts[query] = s
	}
	return s, err
}

func (t *tx) named(args []driver.Value) []driver.NamedValue {
	t.args = t.args[:0]
	for i, a := range args {
		t.args = append(t.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return t.args
}
