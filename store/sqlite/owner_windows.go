package sqlite

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func lock(f *os.File) error {
	// One byte far behind what is written there, so that others may read who holds it.
	at := &windows.Overlapped{Offset: 1 << 30}
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}

// leave lets the file stay: one that is open cannot be removed here.
func leave(string) error { return nil }

// syncDir does nothing: the system keeps names durable itself.
func syncDir(string) error { return nil }
