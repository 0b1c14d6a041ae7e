package tap

import (
	"sync"
	"time"

	"ibrecorder/events"
)

// turnedSpan is the least time between two events about connections that were turned
// away for one reason. A port probe, or a library that redials by itself, may come
// hundreds of times a second, and each event is a write that waits for the disk.
const turnedSpan = time.Minute

// turned counts connections that were turned away, and tells of them at a bounded
// rate: the first of a reason at once, then at most one event a span.
type turned struct {
	tell func(conn string, p events.Payload) // never blocks

	mu      sync.Mutex // guards everything below; held while telling, so that counts stay in order
	reasons []*turnedFor
	closed  bool
}

// turnedFor is one reason.
type turnedFor struct {
	conn  string
	last  events.ClientRejected // with how many are untold
	timer *time.Timer           // runs while the span does
	quiet bool                  // the span is over
}

// add takes in one connection; r has no count yet.
func (t *turned) add(conn string, r events.ClientRejected) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.of(r.Reason)
	r.Count = f.last.Count + 1
	f.conn, f.last = conn, r
	if f.quiet || t.closed {
		t.say(f)
	}
}

// of finds a reason; there are a handful.
func (t *turned) of(r events.RejectReason) *turnedFor {
	for _, f := range t.reasons {
		if f.last.Reason == r {
			return f
		}
	}
	f := &turnedFor{quiet: true}
	t.reasons = append(t.reasons, f)
	return f
}

// say tells what is untold of a reason, and begins its next span.
func (t *turned) say(f *turnedFor) {
	t.tell(f.conn, f.last)
	f.last.Count = 0
	if t.closed {
		return
	}
	f.quiet = false
	if f.timer == nil {
		f.timer = time.AfterFunc(turnedSpan, func() { t.passed(f) })
	} else {
		f.timer.Reset(turnedSpan)
	}
}

// passed ends a span.
func (t *turned) passed(f *turnedFor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
	case f.last.Count > 0:
		t.say(f)
	default:
		f.quiet = true
	}
}

// close tells what is untold, and ends every span.
func (t *turned) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, f := range t.reasons {
		if f.timer != nil {
			f.timer.Stop()
		}
		if f.last.Count > 0 {
			t.say(f)
		}
	}
}
