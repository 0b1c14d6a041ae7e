package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ibrecorder/internal/flock"
)

// lock is the folder's. The embedded server has none: two processes on one
// store acknowledge the same sequences and overwrite each other (reproduced
// with nats-server 2.15.2).
type lock struct{ f *os.File }

// copyWait is how long a recorder waits for readers that copy the folder: somebody
// who looks at a stopped recorder must not keep it from being started. A copy of the
// largest log takes seconds.
const (
	copyWait  = 15 * time.Second
	lockAgain = 20 * time.Millisecond
)

// takeLock takes the lock of dir or fails with a *LockError: at once when another
// recorder has it. The kernel releases it when the process ends, however it ends, so
// the file itself is never removed and its presence means nothing.
func takeLock(ctx context.Context, dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE|flock.NoFollow, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := waitForReaders(ctx, f, dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	pid := fmt.Appendf(nil, "%d\n", os.Getpid())
	if err := errors.Join(f.Truncate(0), writeAt(f, pid)); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return &lock{f}, nil
}

// shareLock keeps recorders out of dir while it is read, and writes nothing.
// Without a lock file no recorder was ever there: the lock is nil.
func shareLock(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDONLY|flock.NoFollow, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if err := take(f, flock.Shared, dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &lock{f}, nil
}

// waitForReaders takes the lock for itself. Only readers share it, so whoever can
// share it knows that no recorder has it.
func waitForReaders(ctx context.Context, f *os.File, dir string) error {
	for until := time.Now().Add(copyWait); ; {
		err := take(f, flock.Exclusive, dir)
		if !errors.Is(err, ErrLocked) {
			return err
		}
		if err := take(f, flock.Shared, dir); err != nil {
			return err
		}
		if err := flock.Unlock(f); err != nil {
			return fmt.Errorf("lock %s: %w", dir, err)
		}
		if time.Now().After(until) {
			return &LockError{Dir: dir, Copied: true}
		}
		if pause(ctx, lockAgain); ctx.Err() != nil {
			return fmt.Errorf("lock %s: %w", dir, context.Cause(ctx))
		}
	}
}

// take does not wait.
func take(f *os.File, how func(*os.File) error, dir string) error {
	err := how(f)
	if err == nil {
		return nil
	}
	if !errors.Is(err, flock.ErrHeld) {
		return fmt.Errorf("lock %s: %w", dir, err)
	}
	b := make([]byte, 32)
	n, _ := f.ReadAt(b, 0)
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return &LockError{Dir: dir, PID: pid}
}

func writeAt(f *os.File, b []byte) error {
	_, err := f.WriteAt(b, 0)
	return err
}

// release gives the folder back. A nil lock has nothing to give.
func (l *lock) release() error {
	if l == nil {
		return nil
	}
	return l.f.Close()
}
