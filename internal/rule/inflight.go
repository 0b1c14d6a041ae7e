package rule

import (
	"fmt"

	"ibrecorder/events"
)

// rs4: one attempt at a time, each with one end, and one that it can have had.
type rs4 struct{ tally }

func (m *rs4) step(f *facts) {
	switch {
	case f.kind == attemptPermitted:
		m.checked++
		m.alone(f)
	case f.kind.ends() && !f.outside:
		m.checked++
		m.ended(f)
	}
}

func (m *rs4) alone(f *facts) {
	for i := range f.past.flights {
		l := &f.past.flights[i]
		observed := f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced)
		if !l.open() || l.told || l.seen && observed {
			continue
		}
		l.seen, l.told = true, !observed // said once for each attempt without an end
		text := fmt.Sprintf("attempt %s was permitted while attempt %s, permitted at #%d, was under way", f.rec.Attempt, l.attempt, l.seq)
		if l.run != f.past.run {
			text = fmt.Sprintf("attempt %s was permitted before attempt %s of an earlier run, permitted at #%d, was closed as unknown", f.rec.Attempt, l.attempt, l.seq)
		}
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.seq}, Observed: observed,
			Text: text,
		})
	}
}

// ended judges an end that the recorder itself wrote.
func (m *rs4) ended(f *facts) {
	switch l := f.flight; {
	case l != nil && l.end != 0:
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.seq, l.end}, Observed: !l.enforced,
			Text: fmt.Sprintf("attempt %s ended a second time; it had ended at #%d", f.rec.Attempt, l.end),
		})
	case l != nil && l.up != 0 && inDial(f):
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.seq, l.up}, Observed: !l.enforced,
			Text: fmt.Sprintf("attempt %s is said to have failed in its dial, which was connected at #%d", f.rec.Attempt, l.up),
		})
	case l != nil && l.started != 0 && heldBack(f):
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.seq, l.started}, Observed: !l.enforced,
			Text: fmt.Sprintf("attempt %s is said to have ended before its startAPI, which was passed on at #%d", f.rec.Attempt, l.started),
		})
	case l != nil && (f.expired() || f.kind == attemptUnknown && l.lease.by != "") && !l.lease.over(f):
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.seq}, Observed: !l.enforced,
			Text: fmt.Sprintf("the lease of attempt %s, permitted at #%d, is said to be over before its time was", f.rec.Attempt, l.seq),
		})
	case l == nil && f.request != nil && f.kind != attemptAbandoned && !f.past.oldFlights:
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{f.request.seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("attempt %s ended, and was never permitted", f.rec.Attempt),
		})
	case l == nil && f.request == nil && !f.past.oldFlights && !f.past.oldRequests:
		m.add(f, Finding{
			Rule: "RS4", Observed: f.past.observing(),
			Text: fmt.Sprintf("attempt %s ended, and no attempt of that name was under way", f.rec.Attempt),
		})
	}
}

// inDial reports whether an end says that TCP never came up: the Gateway could not
// have been silent then.
func inDial(f *facts) bool {
	d, failed := f.rec.Data.(events.AttemptFailed)
	return failed && (d.Reason == events.Refused || d.Reason == events.Unreachable || d.Reason == events.DialTimeout)
}

// heldBack reports an end that says that the client's startAPI was never passed on.
func heldBack(f *facts) bool {
	d, failed := f.rec.Data.(events.AttemptFailed)
	return failed && d.Reason == events.ClientWaits
}

// expired reports an end that says that a lease ran out.
func (f *facts) expired() bool {
	d, unknown := f.rec.Data.(events.AttemptUnknown)
	return unknown && d.Reason == events.UnknownLease
}

// over reports whether the lease may have run out when f was written.
func (l *lease) over(f *facts) bool {
	passed, known := f.at.since(l.from)
	return l.by != "" && (!known || passed >= l.ms*1e6)
}

// rs5: every dial is the effect of a permit, and every permit the answer to a request.
type rs5 struct{ tally }

func (m *rs5) step(f *facts) {
	if f.outside {
		return
	}
	switch f.kind {
	case attemptPermitted:
		m.checked++
		m.permitted(f)
	case dialStarted:
		m.checked++
		m.dialled(f)
	case dialConnected, dialFailed, handshakeVersion, handshakeAPIStarted, handshakeReady, handshakeTimedOut, sessionEstablished:
		m.checked++
		m.shook(f)
	}
}

func (m *rs5) permitted(f *facts) {
	q := f.request
	asked := q != nil && (!q.outside || q.lease.by != "")
	if asked && q.id == f.rec.Cause && q.run == f.past.run || q == nil && f.past.oldRequests {
		return
	}
	found := Finding{
		Rule: "RS5", Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
		Text: fmt.Sprintf("attempt %s was permitted, and no request for it was waiting", f.rec.Attempt),
	}
	switch {
	case q != nil && q.run != f.past.run:
		found.Because = []uint64{q.seq, f.past.runAt}
		found.Text = fmt.Sprintf("attempt %s was permitted on a request of an earlier run, #%d; whoever asked is gone", f.rec.Attempt, q.seq)
	case q != nil && !asked:
		found.Because = []uint64{q.seq}
		found.Text = fmt.Sprintf("attempt %s was permitted on a report, #%d, that asks for nothing", f.rec.Attempt, q.seq)
	case q != nil:
		found.Because = []uint64{q.seq}
		found.Text = fmt.Sprintf("the permit of attempt %s does not name its request, #%d, as its cause", f.rec.Attempt, q.seq)
	}
	m.add(f, found)
}

func (m *rs5) dialled(f *facts) {
	l := f.flight
	if l == nil && f.past.oldPermit() {
		return
	}
	found := Finding{Rule: "RS5", Observed: f.past.observing()}
	switch {
	case l == nil:
		found.Text = fmt.Sprintf("the recorder dialled for attempt %s without a permit", f.rec.Attempt)
	case l.dial != 0:
		found.Because = []uint64{l.seq, l.dial}
		found.Text = fmt.Sprintf("the permit of attempt %s, #%d, was used for a second dial; the first was #%d", f.rec.Attempt, l.seq, l.dial)
	case l.run != f.past.run:
		found.Because = []uint64{l.seq, f.past.runAt}
		found.Text = fmt.Sprintf("the recorder dialled for attempt %s with a permit of an earlier run, #%d", f.rec.Attempt, l.seq)
	case l.lease.by != "":
		found.Because = []uint64{l.seq}
		found.Text = fmt.Sprintf("the recorder dialled for attempt %s with the permit of %s, #%d, who dials by itself", f.rec.Attempt, l.lease.by, l.seq)
	case l.permit != f.rec.Cause:
		found.Because = []uint64{l.seq}
		found.Text = fmt.Sprintf("the dial of attempt %s does not name its permit, #%d, as its cause", f.rec.Attempt, l.seq)
	default:
		return
	}
	m.add(f, found)
}

// shook judges what came back from a dial: without a dial somebody redialled
// behind the recorder's back.
func (m *rs5) shook(f *facts) {
	l := f.flight
	found := Finding{Rule: "RS5", Observed: f.past.observing()}
	switch {
	case l != nil && l.run != f.past.run:
		found.Because = []uint64{l.seq, f.past.runAt}
		found.Text = fmt.Sprintf("%s of attempt %s, which was permitted in an earlier run, #%d: no connection outlives a run", f.rec.Kind(), f.rec.Attempt, l.seq)
	case f.past.oldDials || l != nil && l.dial != 0:
		return
	case l != nil:
		found.Because = []uint64{l.seq}
		fallthrough
	default:
		found.Text = fmt.Sprintf("%s of attempt %q belongs to no recorded dial", f.rec.Kind(), f.rec.Attempt)
	}
	m.add(f, found)
}
