package watch

import (
	"context"
	"log/slog"
	"time"

	"ibrecorder/events"
)

const (
	// Interval is the time between two readings. No rule depends on it: it is how
	// late a restart is seen, and a Gateway needs longer than that to start. A recorder at
	// rest took 0.28 % of a core without a watch, 0.36 % with this interval and 0.44 %
	// with half of it, each in two runs of a minute.
	Interval = 10 * time.Second
	// Bound is how long one reading may take, which takes some 12 ms (BenchmarkObserve).
	Bound = 2 * time.Second
)

// Sensor is what is read; *Listener is one.
type Sensor interface {
	Look(context.Context) (events.GatewayObserved, []Unaccepted)
}

// Desk is the log of what was read, by whomever: a stop and an operator's claim have
// readings of their own.
type Desk interface {
	// Last returns the last reading in the log and the id of its event, or nothing.
	Last() (id string, seen events.GatewayObserved)
	// Observed records a reading that was begun when after was the id of the last one,
	// and returns when it is durable. It is left out, without an error, if another was
	// recorded since: nobody can say which one is older.
	Observed(ctx context.Context, seen events.GatewayObserved, after string) (recorded bool, err error)
}

// Periodic reads a sensor again and again and records what has changed: whether the
// port listens, the socket, its owner, the owner's start. Counts are recorded with a
// change and are none. While somebody waits in the queue of the Gateway's own listener it
// reads more often, until they were accepted or it is proven that nobody is.
type Periodic struct {
	Sensor Sensor
	Desk   Desk
	Every  time.Duration
	// Budget is for how long a connection must wait, unaccepted and unread, to prove that
	// the acceptor hangs: the policy's version budget, which is asked for at each reading.
	// nil is for ever.
	Budget func() time.Duration
	// Shown is given every reading, recorded or not; nil is nobody. It must not wait.
	Shown  func(events.GatewayObserved)
	Logger *slog.Logger
}

// Run reads until ctx ends.
func (p Periodic) Run(ctx context.Context) {
	w := watcher{Periodic: p, said: make(map[string]bool)}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		w.look(ctx)
		next := p.Every
		if w.series.running() {
			next = min(next, w.series.every())
		}
		timer.Reset(next)
	}
}

// watcher is one run.
type watcher struct {
	Periodic
	first  *events.GatewayObserved // the first reading that shows a listener, to compare with while the log has none
	said   map[string]bool         // why something was unknown
	series series
}

// maxSaid bounds how many reasons for not knowing one run records.
const maxSaid = 16

// look reads once and records what is new.
func (w *watcher) look(ctx context.Context) {
	after, last := w.Desk.Last()
	begun := time.Now()
	reading, cancel := context.WithTimeout(ctx, Bound)
	seen, waiting := w.Sensor.Look(reading)
	cancel()
	if ctx.Err() != nil {
		return // it was cut short, and says nothing
	}
	if w.Shown != nil {
		w.Shown(seen)
	}
	if w.Budget != nil {
		w.series.budget = w.Budget()
	}
	if proof, proven := w.series.sample(begun, time.Now(), seen, waiting, after); proven {
		if recorded, err := w.Desk.Observed(ctx, proof, after); err == nil && recorded {
			now, _ := w.Desk.Last() // that, or the reading for the stop that follows from it
			w.series.known(now)
		}
		return
	}
	if after == "" && w.first != nil {
		last = *w.first
	}
	trouble := seen.Text != "" && seen.Text != elsewhere && seen.Text != last.Text && !w.said[seen.Text] && len(w.said) < maxSaid
	if trouble {
		w.Logger.Warn("the Gateway cannot be watched as it should", "why", seen.Text)
	}
	if w.first == nil && seen.Listening == events.ListeningYes {
		w.first = &seen
	}
	if !trouble && !changed(last, seen) {
		return
	}
	if _, err := w.Desk.Observed(ctx, seen, after); err != nil {
		return // the log does not keep up, or ends; what is still so is seen again
	}
	if seen.Text != "" {
		w.said[seen.Text] = true
	}
}

// clockStep is the difference of two start times of one process, in milliseconds,
// from which on it is another: they are told by a clock that somebody may set, and
// the policy has the same measure.
const clockStep = 10_000

// changed reports whether a reading shows another listener than the last. What it
// could not read is no change. The first reading of all is one if nothing listens: a
// Gateway that never came has to be told of too, whether somebody dials it or not.
func changed(last, seen events.GatewayObserved) bool {
	switch {
	case seen.Listening == events.ListeningUnknown:
		return false
	case last.Listening == "":
		return seen.Listening == events.ListeningNo
	case seen.Listening != last.Listening:
		return true
	case seen.Listening == events.ListeningNo:
		return false
	case seen.Socket != last.Socket && seen.Socket != "":
		return true
	case seen.PID == 0:
		return false
	}
	apart := seen.StartedMS - last.StartedMS
	if seen.StartedMS == 0 {
		apart = 0
	}
	return seen.PID != last.PID || seen.Owner != last.Owner || apart <= -clockStep || apart >= clockStep
}
