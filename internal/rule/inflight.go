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
		m.Checked++
		m.alone(f)
	case f.kind.ends() && !f.outside:
		m.Checked++
		m.ended(f)
	}
}

func (m *rs4) alone(f *facts) {
	for i := range f.past.Flights {
		l := &f.past.Flights[i]
		observed := f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced)
		if !l.open() || l.Told || l.Seen && observed {
			continue
		}
		l.Seen, l.Told = true, !observed // said once for each attempt without an end
		text := fmt.Sprintf("attempt %s was permitted while attempt %s, permitted at #%d, was under way", f.rec.Attempt, l.Attempt, l.Seq)
		if l.Run != f.past.Run {
			text = fmt.Sprintf("attempt %s was permitted before attempt %s of an earlier run, permitted at #%d, was closed as unknown", f.rec.Attempt, l.Attempt, l.Seq)
		}
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.Seq}, Observed: observed,
			Text: text,
		})
	}
}

// ended judges an end that the recorder itself wrote.
func (m *rs4) ended(f *facts) {
	switch l := f.flight; {
	case l != nil && l.End != 0:
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.Seq, l.End}, Observed: !l.Enforced,
			Text: fmt.Sprintf("attempt %s ended a second time; it had ended at #%d", f.rec.Attempt, l.End),
		})
	case l != nil && l.Up != 0 && inDial(f):
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.Seq, l.Up}, Observed: !l.Enforced,
			Text: fmt.Sprintf("attempt %s is said to have failed in its dial, which was connected at #%d", f.rec.Attempt, l.Up),
		})
	case l != nil && l.Started != 0 && heldBack(f):
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.Seq, l.Started}, Observed: !l.Enforced,
			Text: fmt.Sprintf("attempt %s is said to have ended before its startAPI, which was passed on at #%d", f.rec.Attempt, l.Started),
		})
	case l != nil && (f.expired() || f.kind == attemptUnknown && l.Lease.By != "") && !l.Lease.over(f):
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{l.Seq}, Observed: !l.Enforced,
			Text: fmt.Sprintf("the lease of attempt %s, permitted at #%d, is said to be over before its time was", f.rec.Attempt, l.Seq),
		})
	case l == nil && f.request != nil && f.kind != attemptAbandoned && !f.past.OldFlights:
		m.add(f, Finding{
			Rule: "RS4", Because: []uint64{f.request.Seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("attempt %s ended, and was never permitted", f.rec.Attempt),
		})
	case l == nil && f.request == nil && !f.past.OldFlights && !f.past.OldRequests:
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
	passed, known := f.at.since(l.From)
	return l.By != "" && (!known || passed >= l.MS*1e6)
}

// rs5: every dial is the effect of a permit, and every permit the answer to a request.
type rs5 struct{ tally }

func (m *rs5) step(f *facts) {
	if f.outside {
		return
	}
	switch f.kind {
	case attemptPermitted:
		m.Checked++
		m.permitted(f)
	case dialStarted:
		m.Checked++
		m.dialled(f)
	case dialConnected, dialFailed, handshakeVersion, handshakeAPIStarted, handshakeReady, handshakeTimedOut, sessionEstablished:
		m.Checked++
		m.shook(f)
	}
}

func (m *rs5) permitted(f *facts) {
	q := f.request
	asked := q != nil && (!q.Outside || q.Lease.By != "")
	if asked && q.ID == f.rec.Cause && q.Run == f.past.Run || q == nil && f.past.OldRequests {
		return
	}
	found := Finding{
		Rule: "RS5", Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
		Text: fmt.Sprintf("attempt %s was permitted, and no request for it was waiting", f.rec.Attempt),
	}
	switch {
	case q != nil && q.Run != f.past.Run:
		found.Because = []uint64{q.Seq, f.past.RunAt}
		found.Text = fmt.Sprintf("attempt %s was permitted on a request of an earlier run, #%d; whoever asked is gone", f.rec.Attempt, q.Seq)
	case q != nil && !asked:
		found.Because = []uint64{q.Seq}
		found.Text = fmt.Sprintf("attempt %s was permitted on a report, #%d, that asks for nothing", f.rec.Attempt, q.Seq)
	case q != nil:
		found.Because = []uint64{q.Seq}
		found.Text = fmt.Sprintf("the permit of attempt %s does not name its request, #%d, as its cause", f.rec.Attempt, q.Seq)
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
	case l.Dial != 0:
		found.Because = []uint64{l.Seq, l.Dial}
		found.Text = fmt.Sprintf("the permit of attempt %s, #%d, was used for a second dial; the first was #%d", f.rec.Attempt, l.Seq, l.Dial)
	case l.Run != f.past.Run:
		found.Because = []uint64{l.Seq, f.past.RunAt}
		found.Text = fmt.Sprintf("the recorder dialled for attempt %s with a permit of an earlier run, #%d", f.rec.Attempt, l.Seq)
	case l.Lease.By != "":
		found.Because = []uint64{l.Seq}
		found.Text = fmt.Sprintf("the recorder dialled for attempt %s with the permit of %s, #%d, who dials by itself", f.rec.Attempt, l.Lease.By, l.Seq)
	case l.Permit != f.rec.Cause:
		found.Because = []uint64{l.Seq}
		found.Text = fmt.Sprintf("the dial of attempt %s does not name its permit, #%d, as its cause", f.rec.Attempt, l.Seq)
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
	case l != nil && l.Run != f.past.Run:
		found.Because = []uint64{l.Seq, f.past.RunAt}
		found.Text = fmt.Sprintf("%s of attempt %s, which was permitted in an earlier run, #%d: no connection outlives a run", f.rec.Kind(), f.rec.Attempt, l.Seq)
	case f.past.OldDials || l != nil && l.Dial != 0:
		return
	case l != nil:
		found.Because = []uint64{l.Seq}
		fallthrough
	default:
		found.Text = fmt.Sprintf("%s of attempt %q belongs to no recorded dial", f.rec.Kind(), f.rec.Attempt)
	}
	m.add(f, found)
}
