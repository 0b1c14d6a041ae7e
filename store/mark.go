package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/diskfile"
)

// Mark is the high-water mark of a log, kept beside it: what the log must still
// hold when it is opened again, and what a new log must know if it does not. It
// is never ahead of the log, and may be behind it.
type Mark struct {
	Gateway string      `json:"gateway"`
	Seq     uint64      `json:"seq"`
	Hash    events.Hash `json:"hash"` // of the event at Seq
	Stopped bool        `json:"stopped"`
	Epoch   uint64      `json:"epoch"`
}

// markInterval is the least time between two marks that nobody is in a hurry for.
const markInterval = time.Second

func markPath(dir, gateway string) string { return filepath.Join(dir, markDir, gateway+".json") }

// readMark returns found false if there is no mark, and an error if there is one
// that cannot be trusted.
func readMark(dir, gateway string) (m Mark, found bool, err error) {
	err = diskfile.Unseal(markPath(dir, gateway), &m)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Mark{}, false, nil
	case err == nil && m.Gateway != gateway:
		err = fmt.Errorf("%s: it is the mark of %q", markPath(dir, gateway), m.Gateway)
	}
	if err != nil {
		return Mark{}, true, &MarkError{Gateway: gateway, Problem: "its high-water mark cannot be read", Err: err}
	}
	return m, true, nil
}

// against compares the mark with a log whose head is head and whose event at
// m.Seq, if it has one, hashes to at.
func (m Mark) against(head Head, at events.Hash) error {
	switch {
	case head.Seq < m.Seq:
		return &MarkError{Gateway: m.Gateway, Mark: m, Head: head,
			Problem: fmt.Sprintf("it ends at event %d, its high-water mark is at %d", head.Seq, m.Seq)}
	case m.Seq > 0 && at != m.Hash:
		return &MarkError{Gateway: m.Gateway, Mark: m, Head: head,
			Problem: fmt.Sprintf("event %d is not the one its high-water mark remembers: %s, not %s", m.Seq, at, m.Hash)}
	}
	return nil
}

// marker writes the mark of one log. Marks that are in no hurry are collected
// and written by a timer, so that the one who appends never waits for them.
type marker struct {
	path string

	mu      sync.Mutex // guards the rest, and is held while writing
	written time.Time
	pending *Mark
	timer   *time.Timer // not nil while one is armed
	err     error       // of the timer, for the next caller
	closed  bool
}

func (k *marker) mark(m Mark, now bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return ErrClosed
	}
	k.pending = &m
	if now {
		k.err = nil // of an older mark
		return k.write()
	}
	k.arm(markInterval - time.Since(k.written))
	err := k.err
	k.err = nil
	return err
}

// arm writes what is pending after a while, if that is not due anyway.
func (k *marker) arm(wait time.Duration) {
	if k.timer != nil {
		return
	}
	k.timer = time.AfterFunc(max(0, wait), func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.timer = nil
		if !k.closed {
			k.err = k.write()
		}
	})
}

// write flushes, and comes again until it has: while a gate is stopped nothing else
// may ask for a mark for days.
func (k *marker) write() error {
	err := k.flush()
	if err != nil {
		k.arm(markInterval)
	}
	return err
}

// flush writes what is pending; what could not be written stays pending.
func (k *marker) flush() error {
	if k.pending == nil {
		return nil
	}
	if err := diskfile.Seal(k.path, k.pending); err != nil {
		return fmt.Errorf("high-water mark: %w", err)
	}
	k.pending, k.written = nil, time.Now()
	return nil
}

// sync writes what is pending now.
func (k *marker) sync() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.write()
}

func (k *marker) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil
	}
	k.closed = true
	if k.timer != nil {
		k.timer.Stop()
	}
	return k.flush()
}
