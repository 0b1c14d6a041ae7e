package alert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"ibrecorder/events"
)

// History is a log that is read and followed; store.Log is one.
type History interface {
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error]
}

// Clerk writes down what people are to be told of one gateway: it follows the log, and
// what its ledger makes due it submits. It sends nothing: whoever does so finds it in the
// log. Make one with NewClerk.
type Clerk struct {
	cfg  ClerkConfig
	view atomic.Pointer[View]
}

// ClerkConfig is whose clerk it is.
type ClerkConfig struct {
	Gateway string
	Log     History
	Desk    Desk
	// Boot and Start are those of the run, as its events have them.
	Boot  string
	Start time.Time
	// Stands is the stop in force, from what is known without the log, a zero sequence if
	// there is none: its events may have been archived. nil, and none was.
	Stands   func() Stop
	Settings Settings
	Logger   *slog.Logger
}

// Stop is a stop in force.
type Stop struct {
	ID    string // of its restart.required
	Seq   uint64
	Since time.Time
}

// View is what stands now, and what each channel made of it.
type View struct {
	// Stop and Outage are the alerts in force, the zero Alert if there is none.
	Stop, Outage Alert
	Channels     []ChannelState
	// told are the sequences of what channels were to tell last.
	told []uint64
}

// InForce is the alert that an operator acknowledges: the stop's before an outage's.
func (v View) InForce() (a Alert, found bool) {
	if v.Stop.Seq != 0 {
		return v.Stop, true
	}
	return v.Outage, v.Outage.Seq != 0
}

// Waiting is how many of the last events that are told are at or behind seq, 0 if seq is.
func (v View) Waiting(seq uint64) int {
	if seq == 0 {
		return 0
	}
	at, _ := slices.BinarySearch(v.told, seq)
	return len(v.told) - at
}

// NewClerk makes a clerk. It does nothing before Run.
func NewClerk(cfg ClerkConfig) *Clerk {
	c := &Clerk{cfg: cfg}
	c.view.Store(&View{})
	return c
}

// View never waits.
func (c *Clerk) View() View { return *c.view.Load() }

const (
	// mostWait is after how long the time is looked at in any case: people set clocks.
	mostWait = time.Minute
	// submitAgain is the wait before what the log did not take is submitted once more.
	submitAgain = time.Second
	// maxTold is how many of what is told are counted as waiting.
	maxTold = 256
)

// Run follows the log until ctx ends. Its error is ctx's, or the log's: then it may run
// again, and goes on from what the log says.
func (c *Clerk) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &round{Clerk: c, ledger: newLedger()}
	for rec, err := range c.cfg.Log.Read(ctx, 1, 0) {
		if err != nil {
			return fmt.Errorf("read which alerts there were: %w", err)
		}
		r.take(rec)
	}
	if c.cfg.Stands != nil && r.ledger.stop.seq == 0 {
		if s := c.cfg.Stands(); s.Seq != 0 && s.Seq <= r.ledger.seq {
			r.ledger.stop = happening{id: s.ID, seq: s.Seq, since: Instant{Wall: s.Since}}
		}
	}
	r.publish()
	news := make(chan events.Record)
	ended := make(chan error, 1)
	go func() { ended <- c.follow(ctx, r.ledger.seq+1, news) }()
	err := r.turn(ctx, news, ended)
	cancel()
	return errors.Join(err, drained(ended))
}

// drained waits for a follower whose reader has left, and says nothing of that.
func drained(ended <-chan error) error {
	<-ended
	return nil
}

func (c *Clerk) follow(ctx context.Context, from uint64, news chan<- events.Record) error {
	for rec, err := range c.cfg.Log.Tail(ctx, from) {
		if err != nil {
			return fmt.Errorf("follow the log: %w", err)
		}
		select {
		case news <- rec:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return errors.New("follow the log: it ended without an error")
}

// round is one Run's, and its goroutine owns it.
type round struct {
	*Clerk
	ledger *Ledger
	told   []uint64
	until  uint64 // what was submitted last: before it is folded, nothing more is due
}

func (r *round) take(rec events.Record) {
	r.ledger.take(rec)
	if slices.Contains(kinds, rec.Kind()) {
		r.told = append(r.told, rec.Seq)
		r.told = r.told[max(0, len(r.told)-maxTold):]
	}
}

func (r *round) publish() {
	l := r.ledger
	r.view.Store(&View{Stop: l.stopped, Outage: l.out, Channels: slices.Clone(l.channels), told: slices.Clone(r.told)})
}

// turn takes what comes, and records what is due.
func (r *round) turn(ctx context.Context, news <-chan events.Record, ended chan error) error {
	timer := time.NewTimer(0) // once at the beginning
	defer timer.Stop()
	for {
		select {
		case rec := <-news:
			r.take(rec)
			if rec.Kind().Group() == "alert" {
				r.publish()
			}
		case <-timer.C:
		case err := <-ended:
			ended <- err
			return err
		}
		if r.ledger.seq < r.until {
			continue
		}
		after, err := r.record(ctx)
		if err != nil {
			return err
		}
		if after > 0 {
			timer.Reset(min(after, mostWait))
		} else {
			timer.Stop()
		}
	}
}

// record submits what is due, and says after which time to come again.
func (r *round) record(ctx context.Context) (after time.Duration, err error) {
	d, wake := r.ledger.due(r.cfg.Gateway, r.now(), r.cfg.Settings)
	if d == nil {
		return wake, nil
	}
	rec, err := r.cfg.Desk.Submit(ctx, *d)
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err != nil:
		r.cfg.Logger.Error("an alert is not in the log yet", "kind", d.Data.Kind(), "cause", d.Cause, "error", err)
		return submitAgain, nil
	}
	r.until = rec.Seq
	return 0, nil
}

func (r *round) now() Instant {
	return Instant{Boot: r.cfg.Boot, Mono: int64(time.Since(r.cfg.Start)), Wall: time.Now()}
}
