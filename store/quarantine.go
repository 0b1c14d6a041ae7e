package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
)

// Carried is what a log that was set aside leaves to the one after it. The first
// event of the new log must say it.
type Carried struct {
	Gateway string      `json:"gateway"`  // its name
	OldSeq  uint64      `json:"old_seq"`  // sequence of its last event, 0 if it is not known
	OldHash events.Hash `json:"old_hash"` // SHA-256 of that event
	// Stopped: the old gate was stopped, or nobody could tell.
	Stopped bool   `json:"stopped"`
	Epoch   uint64 `json:"epoch"`  // in which it was
	Reason  string `json:"reason"` // why it was set aside, as it was typed
}

// Quarantined says where a log was put.
type Quarantined struct {
	Carried
	// Folder holds the stream's files as they were, the mark, what was made of the log, and
	// quarantine.json.
	Folder string `json:"folder"`
	// Time is when, in UTC.
	Time time.Time `json:"time"`
}

// Quarantine sets the log of a gateway aside, whole, so that a new one can
// begin; it deletes nothing. No recorder may run (ErrLocked). The new log learns
// from JetLog.Carried what it must tell. Quarantine can be repeated after a
// crash: every step is done already or still to do.
func Quarantine(dir, gateway, reason string, now time.Time) (q Quarantined, err error) {
	fail := func(err error) (Quarantined, error) {
		return Quarantined{}, fmt.Errorf("quarantine %s: %w", gateway, err)
	}
	if err := events.CheckGatewayName(gateway); err != nil {
		return fail(err)
	}
	if reason == "" {
		return fail(errors.New("it needs a reason: --reason TEXT"))
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fail(err)
	}
	if _, err := readFormat(dir); err != nil { // also: never make a folder out of a typing error
		return fail(err)
	}
	l, err := takeLock(context.Background(), dir)
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, l.release()) }()

	parts, err := partsIn(dir, gateway)
	if err != nil {
		return fail(err)
	}
	mark := markPath(dir, gateway)
	known, err := anyExists(mark, notePath(dir, gateway))
	if err != nil {
		return fail(err)
	}
	if !known && len(parts) == 0 {
		return fail(fmt.Errorf("%w: %s has none", ErrUnknownGateway, dir))
	}
	q = Quarantined{Time: now.UTC(), Carried: carry(dir, gateway, reason)}
	if q.Folder, err = newQuarantine(dir, gateway, q.Time); err != nil {
		return fail(err)
	}
	// First what must not be forgotten, then the moves. While the old mark is in
	// its place, a log that is gone is refused: a crash between any two of these
	// never lets a recorder start as if nothing had been.
	for _, step := range []func() error{
		func() error { return diskfile.Seal(filepath.Join(q.Folder, "quarantine.json"), q) },
		func() error { return diskfile.Seal(notePath(dir, gateway), q.Carried) },
		func() error {
			for _, p := range slices.Backward(parts) { // what is left is shorter than the mark
				if err := move(p.path, filepath.Join(q.Folder, streamName(gateway, p.n))); err != nil {
					return err
				}
			}
			return nil
		},
		// They are about the old log: the one that begins has an origin of its own, and
		// nobody shall hold it against a snapshot of the other.
		func() error {
			return move(filepath.Join(dir, checkpointDir, gateway), filepath.Join(q.Folder, checkpointDir))
		},
		func() error { return move(SnapshotsOf(dir, gateway).Path(), filepath.Join(q.Folder, "snapshot.json")) },
		func() error { return move(BaseOf(dir, gateway).Path(), filepath.Join(q.Folder, "base.json")) },
		func() error { return move(mark, filepath.Join(q.Folder, "mark.json")) },
	} {
		if err := step(); err != nil {
			return fail(err)
		}
	}
	return q, nil
}

// carry says what is known of the log that is set aside. What is not known
// counts as stopped.
func carry(dir, gateway, reason string) Carried {
	c := Carried{Gateway: gateway, Stopped: true, Reason: reason}
	mark, marked, markErr := readMark(dir, gateway)
	note, noteErr := readNote(dir, gateway)
	switch {
	case markErr != nil || noteErr != nil:
	case note != nil && mark.Seq == 0: // the log between began with nothing, or an earlier try got this far
		c.OldSeq, c.OldHash, c.Stopped, c.Epoch = note.OldSeq, note.OldHash, note.Stopped, note.Epoch
	case marked:
		c.OldSeq, c.OldHash, c.Stopped, c.Epoch = mark.Seq, mark.Hash, mark.Stopped, mark.Epoch
	}
	return c
}

// newQuarantine makes a folder for one log, named for the time and the gateway.
func newQuarantine(dir, gateway string, now time.Time) (string, error) {
	root := filepath.Join(dir, quarantineDir)
	if err := os.MkdirAll(root, 0o700); err != nil {
		return "", err
	}
	base := filepath.Join(root, now.Format("20060102T150405Z")+"-"+gateway)
	for n := 1; ; n++ {
		path := base
		if n > 1 {
			path = fmt.Sprintf("%s-%d", base, n)
		}
		err := os.Mkdir(path, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return path, cmp.Or(err, diskfile.SyncDir(root))
	}
}

// anyExists fails if it cannot look everywhere: a stream in a folder that cannot be
// entered is not gone.
func anyExists(paths ...string) (found bool, err error) {
	for _, path := range paths {
		switch _, err := os.Lstat(path); {
		case err == nil:
			found = true
		case !errors.Is(err, fs.ErrNotExist):
			return false, err
		}
	}
	return found, nil
}

// move renames, durably; what is not there has been moved already.
func move(from, to string) error {
	if there, err := anyExists(from); !there {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(diskfile.SyncDir(filepath.Dir(to)), diskfile.SyncDir(filepath.Dir(from)))
}

// The note is what a new log finds of the old one. It goes when the first event
// is on disk.
func notePath(dir, gateway string) string {
	return filepath.Join(dir, markDir, gateway+".next.json")
}

// readNote returns nil if no log was set aside.
func readNote(dir, gateway string) (*Carried, error) {
	var c Carried
	err := diskfile.Unseal(notePath(dir, gateway), &c)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, &MarkError{Gateway: gateway, Problem: "the note of its quarantine cannot be read", Err: err}
	}
	return &c, nil
}
