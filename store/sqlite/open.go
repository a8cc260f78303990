package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
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
	warnOfLibc(options.Log, modules())
	if path, err = settle(path); err != nil {
		return nil, err
	}
	if _, err = examine(path, options.MustExist); err != nil {
		return nil, err
	}
	s := &Store{path: path, recent: newRecent()}
	defer func() {
		if err != nil {
			err = about(path, "open", err)
			if failed := s.Close(); failed != nil {
				err = errors.Join(err, failed)
			}
		}
	}()
	if s.owner, err = own(path, options.Normal); err != nil {
		return nil, err
	}
	l, err := readLog(path)
	if err != nil {
		return nil, err
	}
	if s.owner.normal {
		l.damage = nil // without a sync at every commit the loss of power tears more than the last one
	}
	fresh, err := inspect(ctx, path, l, options.MustExist)
	if err != nil {
		return nil, err
	}
	if _, missing := os.Lstat(path); errors.Is(missing, fs.ErrNotExist) {
		s.unborn = true
	}
	if s.writer, err = openWriter(ctx, path, options); err != nil {
		return nil, err
	}
	if err = trim(ctx, s.writer.conn, path); err != nil {
		return nil, err
	}
	if !options.Normal {
		if err = s.owner.settle(); err != nil {
			return nil, err
		}
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
	if s.head, err = s.Head(ctx); err != nil {
		return nil, err
	}
	s.unborn = false
	return s, nil
}

func view(ctx context.Context, path string) (_ *Store, err error) {
	if path, err = settle(path); err != nil {
		return nil, err
	}
	if _, err = examine(path, true); err != nil {
		return nil, err
	}
	l, err := readLog(path)
	if err != nil {
		return nil, err
	}
	if normalLog(path) {
		l.damage = nil
	}
	if _, err = inspect(ctx, path, l, true); err != nil {
		return nil, err
	}
	s := &Store{path: path, recent: newRecent(), failed: errView}
	defer func() {
		if err != nil {
			err = about(path, "open", err)
			if failed := s.Close(); failed != nil {
				err = errors.Join(err, failed)
			}
		}
	}()
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
	case !info.Mode().IsRegular():
		return false, &Error{Kind: ErrNotDatabase, Cause: errors.New("it is no regular file")}
	case info.Size() == 0 && mustExist:
		return false, &Error{Kind: ErrEmpty}
	case info.Size() == 1:
		// SQLite takes a file of one byte for an empty one, because on some file systems it makes such a file itself,
		// and would write over it.
		if b, err := os.ReadFile(path); err != nil || string(b) != "S" {
			return false, errors.Join(&Error{Kind: ErrNotDatabase}, err)
		}
	}
	return info.Size() <= 1, nil
}

// inspect tells whose database it is, and refuses what is not ours without touching it. It reports whether there
// is nothing in it yet.
func inspect(ctx context.Context, path string, l walk, mustExist bool) (fresh bool, err error) {
	if fresh, err = examine(path, mustExist); err != nil {
		return false, err
	}
	var h header
	switch {
	case fresh && l.commits > 0:
		// A log comes into being behind a database, and SQLite would remove this one.
		return false, &Error{Kind: ErrCorrupt, Cause: errors.New("the file is empty or not there, but its log " + logSuffix + " holds commits")}
	case fresh:
		return true, l.err()
	case l.first != nil:
		h = headerOf(l.first)
	default:
		if h, err = readHeader(ctx, path); err != nil {
			return false, err
		}
	}
	ours := h.application == applicationID && h.version > 0
	switch {
	case ours && h.version > len(migrations):
		return false, &Error{Kind: ErrNewer,
			Cause: fmt.Errorf("its schema is %d, this version knows those up to %d", h.version, len(migrations))}
	case !ours && !h.blank():
		return false, &Error{Kind: ErrForeign, Cause: fmt.Errorf("application_id %#x, not %#x", uint32(h.application), applicationID)} //nolint:gosec // a bit pattern
	case l.damage != nil:
		return false, l.err()
	case !ours && mustExist:
		return false, &Error{Kind: ErrEmpty}
	}
	return !ours, nil // blank: a crash before the tables were made
}

// header is what a database says about itself.
type header struct {
	application, version, objects int
}

func (h header) blank() bool { return h == header{} }

// headerOf reads the beginning of a first page. Of the tables and indexes it only tells whether there are any.
func headerOf(page []byte) header {
	h := header{
		application: int(int32(binary.BigEndian.Uint32(page[68:]))), //nolint:gosec // a bit pattern
		version:     int(int32(binary.BigEndian.Uint32(page[60:]))), //nolint:gosec // a bit pattern
		objects:     int(binary.BigEndian.Uint16(page[103:])),
	}
	const interior = 5
	if page[100] == interior {
		h.objects++ // on the pages below it
	}
	return h
}

// readHeader reads the header of a file as it lies there: without a lock, a log or a recovery, which would all
// leave something beside a file that may be somebody else's.
func readHeader(ctx context.Context, path string) (h header, err error) {
	db, err := sql.Open(driverName, dsn(path, "mode=ro", "immutable=1", "_error_rc=1"))
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&h.application); err != nil {
		return h, err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&h.version); err != nil {
		return h, err
	}
	if h.application == 0 && h.version == 0 || h.application == applicationID { // the tables of others may be beyond us
		err = db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&h.objects)
	}
	return h, err
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
func warnOfLibc(log *slog.Logger, modules []*debug.Module) {
	if log == nil {
		return
	}
	if found := libcIn(modules); found != "" && found != libcVersion {
		log.Warn("modernc.org/libc is not the version that the SQLite driver was made for, which may corrupt data: "+
			"go get modernc.org/libc@"+libcVersion, "found", found, "wanted", libcVersion)
	}
}

// modules are those that the program was built from, as far as it knows.
func modules() []*debug.Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	return info.Deps
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
