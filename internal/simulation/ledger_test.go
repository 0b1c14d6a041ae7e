package simulation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"
)

// ledger remembers what a log has acknowledged, over all runs, and is what is wrong with
// its disk. Its methods may be called from any goroutine.
type ledger struct {
	mu      sync.Mutex // guards the rest
	acked   map[uint64]events.Hash
	last    uint64
	permits int64 // acknowledged
	stands  bool  // a stop, by the decisions alone: fold and policy have no say in it
	full    bool
	losing  int // how many answers are lost from now on
	refused int // appends that a full disk refused
	lost    int // answers that were lost
}

func (l *ledger) disk(full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full = full
}

func (l *ledger) lose(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losing = n
}

func (l *ledger) permitted() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.permits
}

func (l *ledger) stopped() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stands
}

func (l *ledger) isFull() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full
}

// log is the gateway's log of one run, with the ledger before it.
type log struct {
	*store.JetLog
	of *ledger
}

var _ recorder.Log = log{}

func (l log) Append(ctx context.Context, rec events.Record) error {
	l.of.mu.Lock()
	if l.of.full {
		l.of.refused++
		l.of.mu.Unlock()
		return fmt.Errorf("append event %d: %w", rec.Seq, store.ErrFull)
	}
	l.of.mu.Unlock()
	if err := l.JetLog.Append(ctx, rec); err != nil {
		return err
	}
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.of.losing > 0 {
		l.of.losing--
		l.of.lost++
		return fmt.Errorf("append event %d: %w", rec.Seq, store.ErrUnavailable)
	}
	if _, again := l.of.acked[rec.Seq]; again {
		return fmt.Errorf("event %d was acknowledged before", rec.Seq)
	}
	l.of.enter(rec)
	return nil
}

// enter takes an event that is in the log for certain.
func (l *ledger) enter(rec events.Record) {
	l.acked[rec.Seq], l.last = rec.Hash(), rec.Seq
	switch d := rec.Data.(type) {
	case events.AttemptPermitted:
		l.permits++
	case events.RestartRequired:
		l.stands = true
	case events.RestartAcknowledged:
		l.stands = false
	case events.GatewayContradicted:
		l.stands = l.stands && !d.Ends
	}
}

// found takes what a run finds in the log when it starts. An event that nobody has
// acknowledged can only be the last one: its append was cut short.
func (l *ledger) found(recs []events.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := uint64(len(recs)); n < l.last || n > l.last+1 {
		return fmt.Errorf("the log has %d events, and %d were acknowledged", n, l.last)
	}
	for i, rec := range recs {
		seq := uint64(i) + 1
		if rec.Seq != seq || seq <= l.last && l.acked[seq] != rec.Hash() {
			return fmt.Errorf("event %d is %d, %s, and not what was acknowledged", seq, rec.Seq, rec.Raw)
		}
		if seq > l.last {
			l.enter(rec)
		}
	}
	return nil
}

// wallClock is one that people set.
type wallClock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *wallClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *wallClock) set(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += by
}
