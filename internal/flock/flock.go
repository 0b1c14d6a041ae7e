package flock

import (
	"errors"
	"os"
)

// ErrHeld: another open file has a lock that excludes this one.
var ErrHeld = errors.New("the file is locked")

// Exclusive locks f for itself alone, or fails at once: with ErrHeld, or what the system
// says. A lock that f has already is exchanged for it.
func Exclusive(f *os.File) error { return lock(f, true) }

// Shared locks f against Exclusive, and not against others that share it.
func Shared(f *os.File) error { return lock(f, false) }

// Unlock gives the lock back before f is closed.
func Unlock(f *os.File) error { return unlock(f) }
