package rule

import (
	"fmt"

	"ibrecorder/events"
)

// rs1: no attempt after a stop before a release.
type rs1 struct{ tally }

func (m *rs1) step(f *facts) {
	s := &f.past.stop
	switch {
	case f.kind == attemptPermitted:
		m.checked++
		if s.stands {
			m.add(f, Finding{
				Rule: "RS1", Because: []uint64{s.seq}, Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
				Text: fmt.Sprintf("attempt %s was permitted while the gate was stopped since #%d", f.rec.Attempt, s.seq),
			})
		}
	case f.bypass():
		m.checked++
		if s.stands && f.beganAfter(s.seq, s.at) {
			m.add(f, Finding{
				Rule: "RS1", Because: because(s.seq, f.request), Bypassed: true, Observed: f.past.observing(),
				Text: fmt.Sprintf("%s connected by itself (attempt %s) while the gate was stopped since #%d", f.rec.Source, f.rec.Attempt, s.seq),
				Hint: "let that program connect through the recorder's port; a report with its local_port is recognised as the tap's own attempt",
			})
		}
	case f.kind == dialStarted && s.stands && !f.outside:
		// A dial is the effect of its permit, which was judged. What is left is a
		// dial without one, and a permit that a restart of the recorder made void.
		l := f.flight
		if l == nil && !f.past.oldPermit() || l != nil && l.run != f.past.run {
			m.checked++
			m.add(f, Finding{
				Rule: "RS1", Because: []uint64{s.seq}, Observed: f.past.observing(),
				Text: fmt.Sprintf("the recorder dialled for attempt %s while the gate was stopped since #%d", f.rec.Attempt, s.seq),
			})
		}
	}
}

func because(seq uint64, q *request) []uint64 {
	if q == nil {
		return []uint64{seq}
	}
	return []uint64{seq, q.seq}
}

// rs7: only a release opens the latch.
type rs7 struct {
	tally
	owed  uint64 // the start that took a stop over from an older log, until it is carried
	epoch uint64
	known bool    // epoch is
	last  process // as last read
	grounds
}

func (m *rs7) forget(l lost) {
	m.grounds.sure = false
	if l >= lostDecisions {
		m.owed, m.known, m.last, m.grounds = 0, false, process{}, grounds{}
	}
}

func (m *rs7) step(f *facts) {
	if f.rec.Epoch != m.epoch || !m.known || f.kind == restartAcknowledged {
		m.count(f)
	}
	s := &f.past.stop
	switch f.kind {
	case recorderStarted:
		m.checked++
		if f.rec.Data.(events.RecorderStarted).OldStopped {
			m.owed = f.rec.Seq
		}
	case attemptPermitted:
		d := f.rec.Data.(events.AttemptPermitted)
		m.permitted(f, d)
		m.inMode(f, d.Enforced && d.Against == "")
	case restartRequired:
		d := f.rec.Data.(events.RestartRequired)
		m.owed = 0
		if !s.stands {
			m.stopped(f, d)
		}
		m.inMode(f, d.Enforced)
	case gatewayObserved:
		m.see(f)
	case gatewayContradicted:
		if f.rec.Data.(events.GatewayContradicted).Ends {
			m.inMode(f, false)
		}
	case restartClaimed:
		m.claim = claim{seq: f.rec.Seq, override: f.rec.Data.(events.RestartClaimed).Override}
	case restartRejected:
		m.claim = claim{}
	case restartObserved:
		if m.borneOut(f.rec.Data.(events.RestartObserved)) {
			m.observed = f.rec.Seq
		}
	case restartAcknowledged:
		m.checked++
		if s.stands && m.sure {
			m.released(f, f.rec.Data.(events.RestartAcknowledged))
		}
		m.grounds = grounds{}
	}
}

// inMode judges whether a decision is of the mode that is in force: one that holds
// nobody while the rule is enforced opens the gate without a release.
func (m *rs7) inMode(f *facts, enforces bool) {
	h := f.past
	if h.policyAt == 0 || enforces != h.observing() {
		return
	}
	m.add(f, Finding{
		Rule: "RS7", Because: []uint64{h.policyAt},
		Text: fmt.Sprintf("%s is not of the mode that the policy of #%d has put in force, which is %s", f.rec.Kind(), h.policyAt, h.mode),
	})
}

// count judges the epoch: it rises by one with a release, and never otherwise.
func (m *rs7) count(f *facts) {
	was := m.epoch
	m.epoch = f.rec.Epoch
	want := was
	if f.kind == restartAcknowledged {
		want++
	}
	if m.known && f.rec.Epoch != want {
		m.add(f, Finding{
			Rule: "RS7", Observed: f.past.observing(),
			Text: fmt.Sprintf("the epoch went from %d to %d where it must be %d: it rises by one with a release and never otherwise", was, f.rec.Epoch, want),
		})
	}
	m.known = true
}

func (m *rs7) permitted(f *facts, d events.AttemptPermitted) {
	m.checked++
	s := &f.past.stop
	if m.owed != 0 {
		m.add(f, Finding{
			Rule: "RS7", Because: []uint64{m.owed}, Observed: f.past.observed(d.Enforced),
			Text: fmt.Sprintf("attempt %s was permitted although the start at #%d took over a stopped gate, and no restart.required carried the stop on", f.rec.Attempt, m.owed),
		})
	}
	if s.stands && s.reloaded {
		m.add(f, Finding{
			Rule: "RS7", Because: []uint64{s.seq, max(f.past.runAt, f.past.policyAt)}, Observed: f.past.observed(d.Enforced),
			Text: fmt.Sprintf("the stop of #%d was lost over a start or a change of policy: attempt %s was permitted without a release", s.seq, f.rec.Attempt),
		})
	}
}
