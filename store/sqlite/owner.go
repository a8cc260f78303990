package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// owner is the lock by which one engine owns a file: a lock of the system's on a file beside it, because SQLite's
// own locks let several writers in, and closing the database file itself anywhere in the process would drop
// them. It ends with the process whatever happens, and names the process for whoever comes second.
//
// The file also remembers whether the log may hold commits that were never synced: the word normal stands there
// from before an owner with Options.Normal writes until the log was synced after all, whoever does that.
type owner struct {
	file   *os.File
	path   string // of the database
	normal bool   // the word stands there
}

const (
	ownerSuffix = "-owner"
	normalWord  = "normal"
)

var errLocked = errors.New("locked")

// own takes the lock, or fails at once. normal is whether the log will be written without syncing every commit.
func own(path string, normal bool) (*owner, error) {
	for {
		file, err := os.OpenFile(path+ownerSuffix, os.O_RDWR|os.O_CREATE, 0o644) //nolint:gosec // as readable as the database
		if err != nil {
			return nil, err
		}
		if err := lock(file); err != nil {
			who := words(file)
			_ = file.Close()
			if !errors.Is(err, errLocked) {
				return nil, err
			}
			return nil, &Error{Kind: ErrOwned, Cause: heldBy(who)}
		}
		// An owner that was just leaving may have removed the file between our opening and locking it: then
		// the next one would lock another.
		mine, err := file.Stat()
		if err != nil {
			_ = file.Close()
			return nil, err
		}
		if now, err := os.Stat(path + ownerSuffix); err != nil || !os.SameFile(mine, now) {
			_ = file.Close()
			continue
		}
		o := &owner{file: file, path: path}
		if err := o.sign(normal || slices.Contains(words(file), normalWord)); err != nil {
			return nil, errors.Join(err, leave(path+ownerSuffix), file.Close())
		}
		return o, nil
	}
}

func words(file *os.File) []string {
	b := make([]byte, 64)
	n, _ := file.ReadAt(b, 0)
	return strings.Fields(string(b[:n]))
}

// normalLog reports whether the word stands beside the database, for those who do not own it.
func normalLog(path string) bool {
	file, err := os.Open(path + ownerSuffix)
	if err != nil {
		return false
	}
	defer file.Close()
	return slices.Contains(words(file), normalWord)
}

func heldBy(who []string) error {
	for _, word := range who {
		if _, err := strconv.Atoi(word); err == nil {
			return fmt.Errorf("process %s", word)
		}
	}
	return nil
}

// sign writes who the owner is, and the word if it is to stand there. The word comes first, so that it is there
// whole or not at all wherever the writing is cut off.
func (o *owner) sign(normal bool) error {
	text := strconv.Itoa(os.Getpid())
	if normal {
		text = normalWord + " " + text
	}
	_, err := o.file.WriteAt([]byte(text), 0)
	err = errors.Join(err, o.file.Truncate(int64(len(text))))
	if normal {
		err = errors.Join(err, o.file.Sync(), syncDir(filepath.Dir(o.path)))
	}
	if err != nil && (normal || o.normal) {
		return err
	}
	// Without the word it is only for people, and a disk too full for it no reason to fail here.
	o.normal = normal
	return nil
}

// settle takes the word away once everything in the log is on the disk.
func (o *owner) settle() error {
	if !o.normal {
		return nil
	}
	if err := syncFile(o.path + logSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return o.sign(false)
}

// release gives the lock up.
func (o *owner) release() error {
	if err := o.settle(); err != nil {
		return errors.Join(err, o.file.Close()) // the word stays
	}
	return errors.Join(leave(o.path+ownerSuffix), o.file.Close())
}
