package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/finalbell/finalbell/store"
)

// Backup writes a copy of the database, as it is when the call comes, to a new file at path. The copy is synced
// and checked whole before it gets its name, and the name is durable when Backup returns; an existing file is
// refused. Writers go on meanwhile. A crash may leave a file that ends in .part, which is no backup.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.backup(ctx, path); err != nil {
		return about(path, "back up to", err)
	}
	return nil
}

var errExists = errors.New("there is a file of that name already; choose another one")

func (s *Store) backup(ctx context.Context, path string) (err error) {
	if err := s.reads.ready(ctx); err != nil {
		return err
	}
	if path, err = settle(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return errExists
	}
	least, err := s.Head(ctx)
	if err != nil {
		return err
	}
	part, err := s.newPart(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := s.copyTo(ctx, part); err != nil {
		return err
	}
	if err := complete(part); err != nil {
		return err
	}
	if err := checkCopy(ctx, part, least); err != nil {
		return err
	}
	if err := nameNew(part, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// newPart makes an empty file beside path, as readable as the database.
func (s *Store) newPart(path string) (string, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.Chmod(f.Name(), info.Mode().Perm()), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// nameNew gives a file its name, unless there is one of that name.
func nameNew(part, path string) error {
	err := os.Link(part, path) // never replaces, as a rename does
	switch {
	case err == nil:
		return os.Remove(part)
	case errors.Is(err, fs.ErrExist):
		return errExists
	}
	// A file system without links. A file that comes between these two lines is lost.
	if _, err := os.Lstat(path); err == nil {
		return errExists
	}
	return os.Rename(part, path)
}

// copyTo has a connection of its own: the copy takes its time, and a view's is in a transaction.
func (s *Store) copyTo(ctx context.Context, path string) (err error) {
	db, err := openPool(ctx, s.path, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", path)
	return err
}

// complete makes a copy one in WAL mode and syncs it. SQLite makes it in another mode, in which a view of the copy
// would keep every engine from opening it. https://www.sqlite.org/fileformat2.html#file_format_version_numbers
func complete(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{2, 2}, 18)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checkCopy reads all of a copy and holds it against what was here before. It may have more: the owner goes on
// writing, and a view knows nothing of that.
func checkCopy(ctx context.Context, path string, least store.Head) (err error) {
	db, err := openCopy(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkWhole(ctx, db); err != nil {
		return err
	}
	position, err := positionIn(ctx, db)
	if err != nil {
		return err
	}
	var id, version int
	row := db.QueryRowContext(ctx, "SELECT a.application_id, v.user_version FROM pragma_application_id AS a, pragma_user_version AS v")
	if err := row.Scan(&id, &version); err != nil {
		return err
	}
	if id != applicationID || version != len(migrations) || position < least.Position {
		return &Error{Kind: ErrCorrupt, Cause: fmt.Errorf("the copy is of program %#x, schema %d, position %d", id, version, position)}
	}
	return nil
}

// openCopy opens a file that nobody has opened yet, and leaves nothing beside it.
func openCopy(ctx context.Context, path string) (*sql.DB, error) {
	return pool(ctx, dsn(path, append([]string{"mode=ro", "immutable=1"}, settings...)...), 1)
}

func positionIn(ctx context.Context, db *sql.DB) (position uint64, err error) {
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(position), 0) FROM events").Scan(&position)
	return position, err
}

// BackupPosition is the last position in a backup that no engine has opened since it was made. Unlike a View it leaves
// nothing beside the file.
func BackupPosition(ctx context.Context, path string) (uint64, error) {
	position, err := backupPosition(ctx, path)
	return position, about(path, "read", err)
}

func backupPosition(ctx context.Context, path string) (position uint64, err error) {
	if path, err = settle(path); err != nil {
		return 0, err
	}
	db, err := openCopy(ctx, path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return positionIn(ctx, db)
}

// checkWhole lets SQLite look at every page of a database.
func checkWhole(ctx context.Context, db interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}) error {
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return err
	}
	if found != "ok" {
		return &Error{Kind: ErrCorrupt, Cause: errors.New(found)}
	}
	return nil
}

// Check lets SQLite look at every page and every index of the file. It says nothing about what the rows mean:
// that is the engine's Verify.
func (s *Store) Check(ctx context.Context) error {
	found := ""
	err := s.reads.each(ctx, "PRAGMA integrity_check(1)", func(c *cells) { found = c.text(0) })
	if err == nil && found != "ok" {
		err = &Error{Kind: ErrCorrupt, Cause: errors.New(found)}
	}
	return about(s.path, "check", err)
}

var _ interface {
	store.Store
	Backup(ctx context.Context, path string) error
} = (*Store)(nil)
