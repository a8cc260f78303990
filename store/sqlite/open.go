package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	_ "modernc.org/sqlite" // the driver
)

const (
	driverName = "sqlite"
	// applicationID is "fbel": whose database it is, in the header of the file.
	applicationID = 0x6662656c
	// libcVersion is the modernc.org/libc that the driver was built and tested with. Another one may corrupt data.
	libcVersion = "v1.77.1"
)

func open(ctx context.Context, path string, options Options) (_ *Store, err error) {
	warnOfLibc(options)
	if path, err = settle(path); err != nil {
		return nil, err
	}
	if _, err = examine(path, options.MustExist); err != nil {
		return nil, err
	}
	s := &Store{path: path, recent: newRecent(), reads: reader{}}
	defer func() {
		if err != nil {
			err = errors.Join(about(path, "open", err), s.Close())
		}
	}()
	if s.owner, err = own(path); err != nil {
		return nil, err
	}
	fresh, err := inspect(ctx, path, options.MustExist)
	if err != nil {
		return nil, err
	}
	if s.writer, err = openWriter(ctx, path, options); err != nil {
		return nil, err
	}
	if err = migrate(ctx, s.writer.conn, migrations); err != nil {
		return nil, err
	}
	if fresh {
		if err = syncDir(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	if s.pool, err = openPool(ctx, path, readers); err != nil {
		return nil, err
	}
	s.reads = newReader(s.pool)
	s.head, err = s.Head(ctx)
	return s, err
}

func view(ctx context.Context, path string) (_ *Store, err error) {
	if path, err = settle(path); err != nil {
		return nil, err
	}
	if _, err = examine(path, true); err != nil {
		return nil, err
	}
	s := &Store{path: path, recent: newRecent(), failed: errView}
	defer func() {
		if err != nil {
			err = errors.Join(about(path, "open", err), s.Close())
		}
	}()
	if _, err = inspect(ctx, path, true); err != nil {
		return nil, err
	}
	if s.pool, err = openPool(ctx, path, 1); err != nil {
		return nil, err
	}
	conn, err := s.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s.reads = newSnapshot(conn)
	if _, err = conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	version := 0
	// The first read is what fixes the moment.
	if err = conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return nil, err
	}
	if version < len(migrations) {
		return nil, fmt.Errorf("its schema is %d, of an older finalbell; open it once with an engine to bring it to %d", version, len(migrations))
	}
	_, err = s.Head(ctx)
	return s, err
}

var errView = errors.New("the database was opened for reading only")

// examine looks at the file without opening it and reports whether it is yet to be made.
func examine(path string, mustExist bool) (fresh bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mustExist:
		return false, &Error{Kind: ErrMissing}
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return false, &Error{Kind: ErrNotDatabase, Cause: errors.New("it is a directory")}
	case info.Size() == 0 && mustExist:
		return false, &Error{Kind: ErrEmpty}
	}
	return info.Size() == 0, nil
}

// inspect reads the header and the list of tables, and refuses what is not ours, without writing. It reports
// whether there is nothing in it yet.
func inspect(ctx context.Context, path string, mustExist bool) (fresh bool, err error) {
	if fresh, err = examine(path, mustExist); fresh || err != nil {
		return fresh, err
	}
	db, err := openPool(ctx, path, 1)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var id, version, objects int
	row := db.QueryRowContext(ctx, `SELECT a.application_id, v.user_version, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_application_id AS a, pragma_user_version AS v`)
	if err := row.Scan(&id, &version, &objects); err != nil {
		return false, err
	}
	switch {
	case id == applicationID && version > len(migrations):
		return false, &Error{Kind: ErrNewer,
			Cause: fmt.Errorf("its schema is %d, this version knows those up to %d", version, len(migrations))}
	case id == applicationID && version > 0:
		return false, nil
	case id == 0 && version == 0 && objects == 0 && mustExist:
		return false, &Error{Kind: ErrEmpty}
	case id == 0 && version == 0 && objects == 0:
		return true, nil // a crash before the tables were made
	}
	return false, &Error{Kind: ErrForeign, Cause: fmt.Errorf("application_id %#x, not %#x", uint32(id), applicationID)} //nolint:gosec // a bit pattern
}

// dsn names the file for the driver. Everything that could mean something in it is escaped.
func dsn(path string, settings ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	u := url.URL{Scheme: "file", Path: path}
	return u.String() + "?" + strings.Join(settings, "&")
}

// settings are those of every connection. The cache is 16 MB; names in double quotes are never text.
var settings = []string{
	"_error_rc=1", "_defensive=1", "_dqs=0", "_pragma=busy_timeout(5000)", "_pragma=trusted_schema(0)", "_pragma=cache_size(-16384)",
}

// readers are the connections for reading.
const readers = 4

// openPool opens connections that can only read. Where no engine runs and none could, because the directory
// cannot be written, there is no log to share either, and the file may be read as it lies there.
func openPool(ctx context.Context, path string, size int) (*sql.DB, error) {
	db, err := pool(ctx, dsn(path, append([]string{"mode=ro"}, settings...)...), size)
	if kindOf(err) != ErrReadOnly {
		return db, err
	}
	if log, statErr := os.Stat(path + "-wal"); statErr == nil && log.Size() > 0 {
		return nil, err
	}
	return pool(ctx, dsn(path, append([]string{"mode=ro", "immutable=1"}, settings...)...), size)
}

func pool(ctx context.Context, name string, size int) (*sql.DB, error) {
	db, err := sql.Open(driverName, name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	// Connecting reads nothing; this does.
	if _, err := db.ExecContext(ctx, "SELECT count(*) FROM sqlite_schema"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// warnOfLibc says so if the program was built with another libc than the driver's own.
func warnOfLibc(options Options) {
	if options.Log == nil {
		return
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return
	}
	if found := libcIn(info.Deps); found != "" && found != libcVersion {
		options.Log.Warn("modernc.org/libc is not the version that the SQLite driver was made for, which may corrupt data: "+
			"go get modernc.org/libc@"+libcVersion, "found", found, "wanted", libcVersion)
	}
}

// libcIn is the version of libc among a program's modules.
func libcIn(modules []*debug.Module) string {
	for _, m := range modules {
		if m.Path != "modernc.org/libc" {
			continue
		}
		if m.Replace != nil {
			return m.Replace.Path + " " + m.Replace.Version
		}
		return m.Version
	}
	return ""
}
