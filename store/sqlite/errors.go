package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Kind is what is wrong with a database file. Every failure to open one, and every failure of the disk later, is
// an *Error of a kind, so errors.Is(err, sqlite.ErrOwned) tells one from the other.
type Kind string

// The kinds; each one's text says what to do.
const (
	ErrNoDirectory Kind = "its directory is not there; make it first"
	ErrMissing     Kind = "there is no such file, and it must exist; check the path, or restore a backup"
	ErrEmpty       Kind = "the file is empty, and a database must exist; check the path, or restore a backup"
	ErrReadOnly    Kind = "it may not be read or written; check the permissions of the file and of its directory, and how it is mounted"
	ErrDiskFull    Kind = "the disk is full; free some space and open it again"
	ErrNotDatabase Kind = "it is not a SQLite database; check the path"
	ErrForeign     Kind = "it is the database of another program; check the path"
	ErrNewer       Kind = "it was written by a newer version of finalbell; use that version"
	ErrOwned       Kind = "another engine has it open; close that one first"
	ErrCorrupt     Kind = "it is damaged, and nothing was changed; restore a backup"
	ErrIO          Kind = "the disk failed; check it and open the database again"
)

func (k Kind) Error() string { return string(k) }

// Error says what went wrong with which file.
type Error struct {
	Op    string // "open", "commit", "read", "back up", "close"
	Path  string
	Kind  Kind  // empty for what has no kind of its own
	Cause error // may be nil
}

func (e *Error) Error() string { return e.Op + " " + e.Path + ": " + e.Reason() }

// Reason is what went wrong and what to do, without the operation and the file.
func (e *Error) Reason() string {
	var parts []string
	if e.Kind != "" {
		parts = append(parts, string(e.Kind))
	}
	if e.Cause != nil {
		parts = append(parts, e.Cause.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *Error) Unwrap() []error {
	var all []error
	if e.Kind != "" {
		all = append(all, e.Kind)
	}
	if e.Cause != nil {
		all = append(all, e.Cause)
	}
	return all
}

// about wraps what went wrong as the error of an operation on a file.
func about(path, op string, err error) error {
	if err == nil {
		return nil
	}
	var already *Error
	if errors.As(err, &already) {
		if already.Path != "" {
			return err
		}
		return &Error{Op: op, Path: path, Kind: already.Kind, Cause: already.Cause}
	}
	kind := kindOf(err)
	if unclear(err) && full(path) {
		kind = ErrDiskFull
	}
	return &Error{Op: op, Path: path, Kind: kind, Cause: err}
}

// unclear reports whether SQLite failed to write or to make a file and does not say why: it knows only one of the
// ways in which a system says that there is no room, and not for every file.
func unclear(err error) bool {
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return false
	}
	code := failure.Code()
	return code&0xff == lib.SQLITE_IOERR && code != lib.SQLITE_IOERR_READ && code != lib.SQLITE_IOERR_SHORT_READ ||
		code&0xff == lib.SQLITE_CANTOPEN
}

// full finds out whether there is room for files as long as the database's beside it.
func full(path string) bool {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-room-*")
	if err != nil {
		return kindOf(err) == ErrDiskFull
	}
	end := int64(0)
	for _, name := range []string{path, path + logSuffix} {
		if info, err := os.Stat(name); err == nil {
			end = max(end, info.Size())
		}
	}
	_, err = f.WriteAt(make([]byte, 1<<20), end)
	err = errors.Join(err, f.Close())
	_ = os.Remove(f.Name())
	return kindOf(err) == ErrDiskFull
}

// kindOf tells what SQLite or the system means by an error.
func kindOf(err error) Kind {
	switch {
	case errors.Is(err, errDamaged):
		return ErrCorrupt
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return ErrDiskFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return ErrReadOnly
	}
	var failure *sqlite.Error
	if !errors.As(err, &failure) {
		return ""
	}
	switch code := failure.Code(); code & 0xff {
	case lib.SQLITE_FULL:
		return ErrDiskFull
	case lib.SQLITE_READONLY, lib.SQLITE_PERM:
		return ErrReadOnly
	case lib.SQLITE_CANTOPEN:
		return ErrReadOnly
	case lib.SQLITE_NOTADB:
		return ErrNotDatabase
	case lib.SQLITE_CORRUPT, lib.SQLITE_MISMATCH:
		return ErrCorrupt
	case lib.SQLITE_BUSY:
		return ErrOwned
	case lib.SQLITE_IOERR:
		if code == lib.SQLITE_IOERR_SHORT_READ {
			return ErrCorrupt
		}
		return ErrIO
	}
	return ""
}

// errDamaged is a row that no engine has written.
var errDamaged = errors.New("a row cannot be read")
