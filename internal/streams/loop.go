package streams

import (
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// loop stamps what it is given and makes the decisions that are due, as the
// recorder's loop does. It keeps nothing of what it has stamped but the state.
type loop struct {
	gateway string
	redact  *events.Redactor
	folder  *fsm.Folder
	state   fsm.State
	boot    string
	started time.Time
	now     int64 // nanoseconds since the boot
	seq     uint64
	prev    events.Hash
}

func newLoop(gateway string) loop {
	// The streams hold no account, so the key is no secret: it must only be there.
	return loop{gateway: gateway, redact: events.NewRedactor([]byte("streams for tests hold no account")), folder: fsm.NewFolder(), state: fsm.Initial()}
}

func (l *loop) clock() time.Time { return l.started.Add(time.Duration(l.now)) }

func (l *loop) append(d events.Draft, at time.Time, mono int64) (events.Record, error) {
	epoch := l.state.Epoch
	if _, release := d.Data.(events.RestartAcknowledged); release {
		epoch++
	}
	rec, err := events.NewRecord(l.redact.Event(d, events.Stamp{
		Gateway: l.gateway, Time: at, Seq: l.seq + 1, Boot: l.boot, Mono: mono, Epoch: epoch, Prev: l.prev,
	}))
	if err != nil {
		return rec, fmt.Errorf("%w: %w", ErrFacts, err)
	}
	l.state = l.folder.Apply(l.state, rec.Event)
	l.seq, l.prev = rec.Seq, rec.Hash()
	return rec, nil
}

// pass lets the time come to at, and decides on the way whatever is due by then.
func (l *loop) pass(at int64, made func(events.Record)) error {
	if at < l.now {
		return fmt.Errorf("%w: +%s is before +%s", ErrFacts, time.Duration(at), time.Duration(l.now))
	}
	for {
		wake, err := l.decide(made)
		if err != nil {
			return err
		}
		if wake == 0 || wake > at {
			l.now = at
			return nil
		}
		l.now = wake
	}
}

// decide hands over every decision that is due now, and returns when time alone makes
// another due, 0 if never.
func (l *loop) decide(made func(events.Record)) (wake int64, err error) {
	for {
		due := policy.Decide(l.state, l.now)
		if due.Data == nil {
			return due.Wake, nil
		}
		if retry, ok := due.Data.(events.RetryScheduled); ok {
			retry.JitterMS = due.JitterMS / 2 // drawn here for good: half of what may be
			retry.DelayMS += retry.JitterMS
			due.Data = retry
		}
		d := events.Draft{Source: "/recorder", Attempt: due.Attempt, Conn: due.Conn, Cause: due.Cause, Data: due.Data}
		rec, err := l.append(d, l.clock(), l.now)
		if err != nil {
			return 0, err
		}
		made(rec)
	}
}
