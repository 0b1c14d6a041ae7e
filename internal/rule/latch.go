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
				Rule: "RS1", Because: []uint64{s.seq}, Observed: !f.rec.Data.(events.AttemptPermitted).Enforced,
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
	known bool // epoch is
	grounds
}

// grounds are what a release may rest on, since the stop.
type grounds struct {
	sure     bool   // nothing of it can be missing
	stop     string // id of the stop
	claim    uint64
	override uint64
	observed uint64
	before   process // the Gateway's own, as read for the stop
	after    process // as last read since the claim
}

// process identifies a run of the Gateway.
type process struct {
	pid, startedMS int64
	listening      bool
}

func (p process) known() bool { return p.pid != 0 && p.startedMS != 0 }

func (p process) same(o process) bool {
	return p.known() && o.known() && p.pid == o.pid && p.startedMS == o.startedMS
}

func (m *rs7) forget(l lost) {
	m.grounds.sure = false
	if l >= lostDecisions {
		m.owed, m.known, m.grounds = 0, false, grounds{}
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
		m.permitted(f, f.rec.Data.(events.AttemptPermitted))
	case restartRequired:
		m.owed = 0
		if !s.stands {
			m.grounds = grounds{sure: true, stop: f.rec.ID}
		}
	case gatewayObserved:
		m.see(f)
	case restartClaimed:
		m.claim, m.after = f.rec.Seq, process{}
		if f.rec.Data.(events.RestartClaimed).Override {
			m.override = f.rec.Seq
		}
	case restartObserved:
		if d := f.rec.Data.(events.RestartObserved); d.OldStartedMS == 0 || d.OldStartedMS != d.StartedMS {
			m.observed = f.rec.Seq
		}
	case restartAcknowledged:
		m.checked++
		if s.stands && m.grounds.sure {
			m.released(f, f.rec.Data.(events.RestartAcknowledged))
		}
		m.grounds = grounds{}
	}
}

// see takes in a reading of the listener. What was read at another time than for
// the stop may be out of date, and proves nothing about the process that hung.
func (m *rs7) see(f *facts) {
	d := f.rec.Data.(events.GatewayObserved)
	m.after = process{}
	if d.Owner == events.OwnerGateway {
		m.after = process{pid: d.PID, startedMS: d.StartedMS, listening: d.Listening == events.ListeningYes}
	}
	if m.stop != "" && f.rec.Cause == m.stop {
		m.before = m.after
	}
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
			Rule: "RS7", Because: []uint64{m.owed}, Observed: !d.Enforced,
			Text: fmt.Sprintf("attempt %s was permitted although the start at #%d took over a stopped gate, and no restart.required carried the stop on", f.rec.Attempt, m.owed),
		})
	}
	if s.stands && s.reloaded {
		m.add(f, Finding{
			Rule: "RS7", Because: []uint64{s.seq, max(f.past.runAt, f.past.policyAt)}, Observed: !d.Enforced,
			Text: fmt.Sprintf("the stop of #%d was lost over a start or a change of policy: attempt %s was permitted without a release", s.seq, f.rec.Attempt),
		})
	}
}

// released judges whether the stop was opened by what may open it.
func (m *rs7) released(f *facts, d events.RestartAcknowledged) {
	stop, text := f.past.stop.seq, ""
	evidence := []uint64{stop}
	switch d.Basis {
	case events.BasisObserved:
		if m.observed == 0 {
			text = "as an observed restart, and none was observed since the stop"
		}
	case events.BasisOverride:
		if m.override == 0 {
			text = "as an operator's override, and no operator asked for one since the stop"
		}
	case events.BasisWord:
		switch {
		case m.claim == 0:
			text = "on an operator's word, and no operator gave it since the stop"
		case m.after.listening && m.after.same(m.before):
			evidence = append(evidence, m.claim)
			text = fmt.Sprintf("on an operator's word, although the process %d that was there at the stop still listens", m.after.pid)
		}
	}
	if text != "" {
		m.add(f, Finding{
			Rule: "RS7", Because: evidence, Observed: !f.past.stop.enforced,
			Text: fmt.Sprintf("the stop of #%d was released %s", stop, text),
		})
	}
}
