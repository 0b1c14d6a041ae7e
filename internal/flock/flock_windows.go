package flock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// NoFollow is nothing here: only who may do more than a user can make a symbolic link.
const NoFollow = 0

// locked is the byte that stands for the file. A lock of Windows keeps others from the
// bytes themselves, so it is one far behind what anybody writes there.
var locked = windows.Overlapped{OffsetHigh: 1}

func lock(f *os.File, alone bool) error {
	how := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if alone {
		how |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	at := locked
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrHeld
	}
	return err
}

func unlock(f *os.File) error {
	at := locked
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &at)
}
