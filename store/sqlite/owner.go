package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// owner is the lock by which one engine owns a file: a lock of the system's on a file beside it, because SQLite's
// own locks let several writers in, and closing the database file itself anywhere in the process would drop
// them. It ends with the process whatever happens, and names the process for whoever comes second.
type owner struct {
	file *os.File
	path string
}

const ownerSuffix = "-owner"

var errLocked = errors.New("locked")

// own takes the lock, or fails at once.
func own(path string) (*owner, error) {
	for {
		file, err := os.OpenFile(path+ownerSuffix, os.O_RDWR|os.O_CREATE, 0o644) //nolint:gosec // as readable as the database
		if err != nil {
			return nil, err
		}
		if err := lock(file); err != nil {
			who, _ := io.ReadAll(io.LimitReader(file, 20))
			_ = file.Close()
			if !errors.Is(err, errLocked) {
				return nil, err
			}
			return nil, &Error{Kind: ErrOwned, Cause: heldBy(string(who))}
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
		// What stands there is for people; a disk too full for it is no reason to fail here.
		if file.Truncate(0) == nil {
			_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
		}
		return &owner{file, path + ownerSuffix}, nil
	}
}

func heldBy(who string) error {
	if _, err := strconv.Atoi(strings.TrimSpace(who)); err != nil {
		return nil
	}
	return fmt.Errorf("process %s", strings.TrimSpace(who))
}

// release gives the lock up.
func (o *owner) release() error {
	return errors.Join(leave(o.path), o.file.Close())
}
