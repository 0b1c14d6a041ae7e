package audit

import (
	"reflect"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// compare holds a recorded decision against the policy's.
func (a *Audit) compare(e *events.Event) {
	if refused(a.state, e) {
		a.resolve(nil)
		return
	}
	a.result.Checked++
	makes := Makes(a.state, a.at, e)
	a.resolve(e)
	if makes {
		a.told = owed{}
		return
	}
	switch d := policy.Decide(a.state, e.Mono); {
	case d.Data == nil:
		a.add(a.extra(e, d))
	case alike(d, e):
		a.add(a.different(e, d))
	default:
		a.unsure = &unsure{d, a.extra(e, d), a.missing(e, d, "the log has "+string(e.Kind())+" in its place")}
	}
}

// refused says whether the judge refused a request in the place of the policy.
func refused(s fsm.State, e *events.Event) bool {
	d, denied := e.Data.(events.AttemptDenied)
	if !denied || d.Reason != events.HoldRule {
		return false
	}
	_, waits := s.Request(e.Attempt)
	return waits
}

// Makes says whether the policy decides e in the state s, at any moment from that of at on
// to that of e: a loop writes later than it decides, and in between a wait may have ended.
func Makes(s fsm.State, at int64, e *events.Event) bool {
	if equal(policy.Decide(s, e.Mono), e) {
		return true
	}
	for t := at; t < e.Mono; {
		if equal(policy.Decide(s, t), e) {
			return true
		}
		next := e.Mono
		if _, until := policy.Hold(s, t); t < until {
			next = min(next, until)
		}
		for _, x := range s.Sessions { // a lease that expires
			if until := x.Lease.Until(); t < until {
				next = min(next, until)
			}
		}
		t = next
	}
	return false
}

// equal says whether e records d.
func equal(d policy.Decision, e *events.Event) bool {
	if d.Data == nil || d.Attempt != e.Attempt || d.Conn != e.Conn || d.Cause != e.Cause || d.Data.Kind() != e.Data.Kind() {
		return false
	}
	recorded := e.Data
	if r, delays := recorded.(events.RetryScheduled); delays && 0 <= r.JitterMS && r.JitterMS <= d.JitterMS {
		r.DelayMS, r.JitterMS = r.DelayMS-r.JitterMS, 0 // what was drawn, nobody computes again
		recorded = r
	}
	return reflect.DeepEqual(recorded, d.Data)
}

// alike says whether d is what e is, and says something else.
func alike(d policy.Decision, e *events.Event) bool {
	if d.Data.Kind() != e.Data.Kind() || d.Attempt != e.Attempt {
		return false
	}
	one, delays := d.Data.(events.RetryScheduled)
	if other, too := e.Data.(events.RetryScheduled); delays && too {
		return reflect.DeepEqual(one.ClientID, other.ClientID)
	}
	return true
}

// resolve says what became of a decision that stood where another was due, now that e
// is there, nil for anything but a decision.
func (a *Audit) resolve(e *events.Event) {
	u := a.unsure
	if u == nil {
		return
	}
	a.unsure = nil
	if e != nil && e.Data.Kind() == u.due.Data.Kind() && e.Attempt == u.due.Attempt && e.Cause == u.due.Cause {
		a.add(u.extra)
		return
	}
	a.add(u.missing)
}

// cut is resolve where a run, or the stream, ends: what is still due may have been about
// to come, and what is not was passed over.
func (a *Audit) cut() {
	u := a.unsure
	if u == nil {
		return
	}
	a.unsure = nil
	if d := policy.Decide(a.state, a.at); d.Data != nil && d.Data.Kind() == u.due.Data.Kind() && d.Attempt == u.due.Attempt && d.Cause == u.due.Cause {
		a.add(u.extra)
		return
	}
	a.add(u.missing)
}
