package rule

import (
	"fmt"

	"ibrecorder/events"
)

// rs1: no attempt after a stop before a release.
type rs1 struct{ tally }

func (m *rs1) step(f *facts) {
	s := &f.past.Stop
	switch {
	case f.kind == attemptPermitted:
		m.Checked++
		if s.Stands {
			m.add(f, Finding{
				Rule: "RS1", Because: []uint64{s.Seq}, Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
				Text: fmt.Sprintf("attempt %s was permitted while the gate was stopped since #%d", f.rec.Attempt, s.Seq),
			})
		}
	case f.bypass():
		m.Checked++
		if s.Stands && f.beganAfter(s.Seq, s.At) {
			m.add(f, Finding{
				Rule: "RS1", Because: because(s.Seq, f.request), Bypassed: true, Observed: f.past.observing(),
				Text: fmt.Sprintf("%s connected by itself (attempt %s) while the gate was stopped since #%d", f.rec.Source, f.rec.Attempt, s.Seq),
				Hint: "let that program connect through the recorder's port; a report with its local_port is recognised as the tap's own attempt",
			})
		}
	case f.kind == dialStarted && s.Stands && !f.outside:
		// A dial is the effect of its permit, which was judged. What is left is a
		// dial without one, and a permit that a restart of the recorder made void.
		l := f.flight
		if l == nil && !f.past.oldPermit() || l != nil && l.Run != f.past.Run {
			m.Checked++
			m.add(f, Finding{
				Rule: "RS1", Because: []uint64{s.Seq}, Observed: f.past.observing(),
				Text: fmt.Sprintf("the recorder dialled for attempt %s while the gate was stopped since #%d", f.rec.Attempt, s.Seq),
			})
		}
	}
}

func because(seq uint64, q *request) []uint64 {
	if q == nil {
		return []uint64{seq}
	}
	return []uint64{seq, q.Seq}
}

// rs7: only a release opens the latch.
type rs7 struct {
	tally
	Owed  uint64 // the start that took a stop over from an older log, until it is carried
	Epoch uint64
	Known bool    // epoch is
	Last  process // as last read
	grounds
}

func (m *rs7) forget(l lost) {
	m.grounds.Sure = false
	if l >= lostDecisions {
		m.Owed, m.Known, m.Last, m.grounds = 0, false, process{}, grounds{}
	}
}

func (m *rs7) step(f *facts) {
	if f.rec.Epoch != m.Epoch || !m.Known || f.kind == restartAcknowledged {
		m.count(f)
	}
	s := &f.past.Stop
	switch f.kind {
	case recorderStarted:
		m.Checked++
		if f.rec.Data.(events.RecorderStarted).OldStopped {
			m.Owed = f.rec.Seq
		}
	case attemptPermitted:
		d := f.rec.Data.(events.AttemptPermitted)
		m.permitted(f, d)
		m.inMode(f, d.Enforced && d.Against == "")
	case restartRequired:
		d := f.rec.Data.(events.RestartRequired)
		m.Owed = 0
		if !s.Stands {
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
		m.Claim = claim{Seq: f.rec.Seq, Override: f.rec.Data.(events.RestartClaimed).Override}
	case restartRejected:
		m.Claim = claim{}
	case restartObserved:
		if m.borneOut(f.rec.Data.(events.RestartObserved)) {
			m.Observed = f.rec.Seq
		}
	case restartAcknowledged:
		m.Checked++
		if s.Stands && m.Sure {
			m.released(f, f.rec.Data.(events.RestartAcknowledged))
		}
		m.grounds = grounds{}
	}
}

// inMode judges whether a decision is of the mode that is in force: one that holds
// nobody while the rule is enforced opens the gate without a release.
func (m *rs7) inMode(f *facts, enforces bool) {
	h := f.past
	if h.PolicyAt == 0 || enforces != h.observing() {
		return
	}
	m.add(f, Finding{
		Rule: "RS7", Because: []uint64{h.PolicyAt},
		Text: fmt.Sprintf("%s is not of the mode that the policy of #%d has put in force, which is %s", f.rec.Kind(), h.PolicyAt, h.Mode),
	})
}

// count judges the epoch: it rises by one with a release, and never otherwise.
func (m *rs7) count(f *facts) {
	was := m.Epoch
	m.Epoch = f.rec.Epoch
	want := was
	if f.kind == restartAcknowledged {
		want++
	}
	if m.Known && f.rec.Epoch != want {
		m.add(f, Finding{
			Rule: "RS7", Observed: f.past.observing(),
			Text: fmt.Sprintf("the epoch went from %d to %d where it must be %d: it rises by one with a release and never otherwise", was, f.rec.Epoch, want),
		})
	}
	m.Known = true
}

func (m *rs7) permitted(f *facts, d events.AttemptPermitted) {
	m.Checked++
	s := &f.past.Stop
	if m.Owed != 0 {
		m.add(f, Finding{
			Rule: "RS7", Because: []uint64{m.Owed}, Observed: f.past.observed(d.Enforced),
			Text: fmt.Sprintf("attempt %s was permitted although the start at #%d took over a stopped gate, and no restart.required carried the stop on", f.rec.Attempt, m.Owed),
		})
	}
	if s.Stands && s.Reloaded {
		m.add(f, Finding{
			Rule: "RS7", Because: []uint64{s.Seq, max(f.past.RunAt, f.past.PolicyAt)}, Observed: f.past.observed(d.Enforced),
			Text: fmt.Sprintf("the stop of #%d was lost over a start or a change of policy: attempt %s was permitted without a release", s.Seq, f.rec.Attempt),
		})
	}
}
