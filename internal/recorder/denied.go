package recorder

import (
	"context"
	"sync/atomic"
	"time"

	"ibrecorder/events"
)

// deniedSpan is the least time between two attempt.denied about programs that relays
// turned away by themselves while a stop stands, or that asked for a lease then: a program that retries a hundred
// times a second must not fill the log.
const deniedSpan = time.Minute

// denied are those programs. A stop is their denial: it is durable, and a relay that
// is shut needs no decision for each of them.
type denied struct {
	untold atomic.Int64 // not in the log yet

	// The rest is the loop's alone.
	stop string // ID of the restart.required that stands, or stood last
	next int64  // monotonic nanosecond before which no more is told
}

// Denied counts a program that a relay has turned away because it is shut. It never
// blocks. The first is recorded at once, and then a count at most once a minute, when
// the stop ends, and at the end of the run.
func (g *Gateway) Denied() {
	if g.denied.untold.Add(1) == 1 {
		g.inbox.wake()
	}
}

// tellDenied records what is untold, if it is time to; now says that it is. The loop
// asks each time it wakes, which is every second at the least.
func (g *Gateway) tellDenied(ctx context.Context, now bool) error {
	d := &g.denied
	if g.state.Stop.ID != "" {
		d.stop = g.state.Stop.ID
	}
	if !now && g.now() < d.next {
		return nil
	}
	n := d.untold.Swap(0)
	if n == 0 {
		return nil
	}
	d.next = g.now() + int64(deniedSpan)
	_, err := g.append(ctx, events.Draft{Source: "/recorder", Cause: d.stop,
		Data: events.AttemptDenied{Policy: g.state.Policy.Hash, Reason: events.HoldStopped, Count: n}})
	return err
}
