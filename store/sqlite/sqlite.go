// Package sqlite keeps an engine's data in one SQLite file.
//
// The file is written by one owner, in one transaction a batch, and is synced before a commit counts. Its tables
// are plain SQL for everybody to read, also while an engine runs: schema/*.sql describe them, and the views standings,
// boards, board_windows, history, ledger, balances, grants, player_facts, player_sessions, room_list and room_members save
// the joins. Copy the file with Backup and never with a file copier: opening and closing the file in the engine's own
// process would drop SQLite's locks on it.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/finalbell/finalbell/store"
)

// Options are how a database is opened. The zero value is right.
type Options struct {
	// MustExist refuses a file that is not there or has nothing in it (ErrMissing, ErrEmpty). Without it a new
	// database is made: set it where the data must be there already, because an empty file in the place of a
	// lost one looks like a first start.
	MustExist bool
	// Normal syncs only now and then (PRAGMA synchronous=NORMAL) instead of at every commit. What was acknowledged
	// still survives the death of the process, but the power or the kernel failing may take the last commits
	// back, acknowledged ones among them. The file stays whole either way.
	Normal bool
	// Log is told of what does not stop the database from being opened. Default: nobody.
	Log *slog.Logger
}

// Store is a store.Store in a SQLite file.
//
// What Commit has acknowledged survives the death of the process and of the machine (but see Options.Normal).
// After a commit has failed for another reason than an answer of the contract, every later one fails with the
// same error: what the disk holds is known again only when the file is opened again. Sequences are read in
// slices, each of whole batches. Contexts end reads, never a commit.
type Store struct {
	path   string
	owner  *owner // nil: a reader
	writer *writer
	pool   *sql.DB
	reads  reader
	recent *recent

	unborn     bool // the file was made by an Open that has not succeeded
	committing sync.Mutex
	failed     error // under committing
	head       store.Head
}

var _ store.Store = (*Store)(nil)

// Open opens the database in the file, or makes one there, and owns it until Close. A file that another engine
// owns is ErrOwned at once. Everything that keeps the file from being opened is an *Error of one of the kinds.
func Open(ctx context.Context, path string, options Options) (*Store, error) {
	s, err := open(ctx, path, options)
	if err != nil {
		return nil, about(path, "open", err)
	}
	return s, nil
}

// View opens the database for reading, beside its owner if there is one. It sees the data of this moment for as
// long as it is open; meanwhile the owner's log beside the file grows, so close it soon. Commit fails.
func View(ctx context.Context, path string) (*Store, error) {
	s, err := view(ctx, path)
	if err != nil {
		return nil, about(path, "open", err)
	}
	return s, nil
}

// Path is the file that the store is in, absolute and without symbolic links.
func (s *Store) Path() string { return s.path }

// Close closes the file and gives up its ownership. A second Close fails.
func (s *Store) Close() error {
	s.committing.Lock()
	defer s.committing.Unlock()
	if errors.Is(s.failed, errClosed) {
		return errClosed
	}
	s.failed = errClosed
	var failures []error
	failures = append(failures, s.reads.close())
	if s.pool != nil {
		failures = append(failures, s.pool.Close())
	}
	if s.writer != nil {
		failures = append(failures, s.writer.close())
	}
	if s.unborn {
		for _, suffix := range []string{"", logSuffix, "-shm", "-journal"} {
			_ = os.Remove(s.path + suffix) // nobody's yet
		}
	}
	if s.owner != nil {
		failures = append(failures, s.owner.release())
	}
	return about(s.path, "close", errors.Join(failures...))
}

var errClosed = errors.New("the database is closed")

// settle makes a path absolute and free of symbolic links, so that one file has one name. The file itself need
// not be there, its directory must.
func settle(path string) (string, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(full); err == nil {
		return real, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(full))
	if err != nil {
		return "", &Error{Kind: ErrNoDirectory, Cause: err}
	}
	return filepath.Join(dir, filepath.Base(full)), nil
}
