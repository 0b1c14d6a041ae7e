package store

import (
	"errors"
	"fmt"
)

// What an Append, an Open or a read can fail with; the structs below wrap these.
var (
	// ErrConflict: another event is at that sequence. Somebody else writes this
	// log. The writer must stop.
	ErrConflict = errors.New("another writer appended to this log")
	// ErrForked: the log holds an event of the same id with other bytes. The
	// writer must stop.
	ErrForked = errors.New("the log holds another event under the same id")
	// ErrNotNext: the record does not follow the head. Nothing was written.
	ErrNotNext = errors.New("does not follow the head of the log")
	// ErrFull: the log's limit is reached. Nothing was written, nothing is lost, and
	// the same append succeeds once there is room.
	ErrFull = errors.New("the log is full; make room on its disk, or restart the recorder with a larger log_max_bytes")
	// ErrUnavailable: no answer. Whether the record was written is unknown;
	// appending the same record again finds out.
	ErrUnavailable = errors.New("the log did not answer")
	// ErrDisk: the disk refused a write, and until the store is opened again nothing
	// can be appended, room or not. It comes with ErrUnavailable.
	ErrDisk = errors.New("its disk refused a write, and it takes nothing more; make room or repair the disk, then restart the recorder")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrLocked: another process has the folder open.
	ErrLocked = errors.New("the data folder is in use")
	// ErrFormat: the folder was written by a newer recorder, or is no data folder.
	ErrFormat = errors.New("not a data folder this recorder can open")
	// ErrFatal: the embedded server gave up. Nothing more can be appended.
	ErrFatal = errors.New("the embedded server failed")
	// ErrCopy: a copy is for reading.
	ErrCopy = errors.New("this is a copy for examination")
	// ErrUnknownGateway: the folder has no log of that gateway.
	ErrUnknownGateway = errors.New("no log of that gateway")
	// ErrMark: the log is not the one that the high-water mark remembers.
	ErrMark = errors.New("the log contradicts its high-water mark")
	// ErrNothingToRoll: the newest part of the log has no event.
	ErrNothingToRoll = errors.New("there is nothing to roll: no event came since the last roll")
	// ErrArchived: the event was archived, and is not in this folder any more.
	ErrArchived = errors.New("archived")
	// ErrDamaged: bytes on disk are not those that were written.
	ErrDamaged = errors.New("the log is damaged on disk")
)

// LockError says who has the folder open.
type LockError struct {
	Dir    string
	PID    int  // of the recorder, 0 if it left no readable one
	Copied bool // no recorder has it; it is copied, for longer than anybody waits
}

func (e *LockError) Error() string {
	if e.Copied {
		return fmt.Sprintf("open %s: %s: somebody copies it to read it; start again when that has ended", e.Dir, ErrLocked)
	}
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("open %s: %s by %s; stop that recorder, or give this one a folder of its own", e.Dir, ErrLocked, who)
}

func (e *LockError) Unwrap() error { return ErrLocked }

// AppendError says which record was not appended and what the log ends with.
type AppendError struct {
	Gateway string
	Seq     uint64
	ID      string
	Head    Head // as far as it is known
	Err     error
}

func (e *AppendError) Error() string {
	return fmt.Sprintf("append event %d (%s) of %s after %d (%s): %v", e.Seq, e.ID, e.Gateway, e.Head.Seq, e.Head.ID, e.Err)
}

func (e *AppendError) Unwrap() error { return e.Err }

// diskError is ErrFull where the disk is what is full: a larger limit would not help.
type diskError struct{ free int64 }

func (e *diskError) Error() string {
	return fmt.Sprintf("the log is full: %d bytes are free on its disk, and a log grows into no more than leaves %d; make room on its disk", e.free, int64(diskReserve))
}

func (e *diskError) Is(target error) bool { return target == ErrFull }

// numberOfEvents: a GapError is about how many there are.
const numberOfEvents = "number of events"

// GapError says that the log does not hold the event it should hold next.
type GapError struct {
	Gateway string
	Want    uint64
	Got     uint64 // 0 if nothing follows
	What    string // which number differs: "stream sequence", "event sequence" or numberOfEvents
}

func (e *GapError) Error() string {
	got := fmt.Sprintf("found %d", e.Got)
	if e.Got == 0 {
		got = "found nothing"
	}
	missing := fmt.Sprintf("%s %d is missing, %s", e.What, e.Want, got)
	if e.What == numberOfEvents {
		missing = fmt.Sprintf("%d events should be there, %s", e.Want, got)
	}
	return fmt.Sprintf("log of %s: %s; stop the recorder, then: recorder log quarantine %s --reason TEXT", e.Gateway, missing, e.Gateway)
}

// ArchivedError says that a log begins behind what was asked for.
type ArchivedError struct {
	Gateway string
	Want    uint64
	First   uint64 // that the log still has
}

func (e *ArchivedError) Error() string {
	return fmt.Sprintf("log of %s: event %d was archived, and the log here begins with event %d; read the archive: replay timeline FILE", e.Gateway, e.Want, e.First)
}

func (e *ArchivedError) Unwrap() error { return ErrArchived }

// FileError says which file keeps the store from being opened, and what to type.
type FileError struct {
	Path    string
	Problem string
	Hint    string
	Err     error // may be nil
}

func (e *FileError) Error() string {
	s := fmt.Sprintf("%s: %s", e.Path, e.Problem)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

func (e *FileError) Unwrap() error { return e.Err }

// DamageError says where a log is not what was written. It is found before the
// embedded server starts, because that would cut the log there without a word.
type DamageError struct {
	Gateway string
	Path    string
	Offset  int    // in bytes, of the first record that is not whole
	After   uint64 // the last sequence that is
	Problem string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("log of %s: %s: %s at byte %d, after event %d; nothing was changed; copy the folder away, then: recorder log quarantine %s --reason TEXT",
		e.Gateway, e.Path, e.Problem, e.Offset, e.After, e.Gateway)
}

func (e *DamageError) Unwrap() error { return ErrDamaged }

// MarkError says how a log differs from its high-water mark. Nothing was deleted.
type MarkError struct {
	Gateway string
	Mark    Mark // zero if it could not be read
	Head    Head // what the log ends with, as far as it is known
	Problem string
	Err     error // may be nil
}

func (e *MarkError) Error() string {
	s := fmt.Sprintf("log of %s: %s", e.Gateway, e.Problem)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s + fmt.Sprintf("; nothing was deleted; if no copy of the whole log can be brought back: recorder log quarantine %s --reason TEXT", e.Gateway)
}

func (e *MarkError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrMark}
	}
	return []error{ErrMark, e.Err}
}

// Level of a ServerError.
const (
	LevelWarning = "warning"
	LevelError   = "error"
	LevelFatal   = "fatal"
)

// ServerError is a line that the embedded server logged. It is often the only
// sign of trouble on disk. One of LevelFatal matches ErrFatal.
type ServerError struct {
	Level string
	Text  string
}

func (e *ServerError) Error() string { return "embedded server: " + e.Level + ": " + e.Text }

// Is makes the fatal ones match ErrFatal.
func (e *ServerError) Is(target error) bool { return target == ErrFatal && e.Level == LevelFatal }
