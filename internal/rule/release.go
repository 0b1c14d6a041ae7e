package rule

import (
	"fmt"

	"ibrecorder/events"
)

// grounds are what a release may rest on, since the stop.
type grounds struct {
	sure     bool    // nothing of it can be missing
	stop     string  // id of the stop; "" for one that was taken over, whose process nobody read
	earlier  process // as last read before the stop
	before   process // as read for the stop
	claim    claim
	observed uint64 // the last restart.observed that the readings bear out
}

// claim is an operator's word that no decision has answered.
type claim struct {
	seq      uint64 // 0: none
	override bool
	read     bool // the listener was read since
}

// process is what was read of the Gateway's listener.
type process struct {
	listening      events.Listening
	owner          events.Owner
	pid, startedMS int64
	socket         string
}

// known reports whether p identifies a run of the Gateway: the listener of a
// forwarder stays when the Gateway behind it restarts.
func (p process) known() bool {
	return p.listening == events.ListeningYes && p.owner == events.OwnerGateway && p.pid != 0 && p.startedMS != 0
}

// setClock is how far somebody who sets the clock moves the start time that the
// system tells of a process, in milliseconds.
const setClock = 10_000

// same reports whether o is the same run of the Gateway. A process id may be given
// out again, and a process may hand its listening socket to another; a new run has a
// start and a socket of its own.
func (p process) same(o process) bool {
	apart := p.startedMS - o.startedMS
	switch {
	case !p.known() || !o.known():
		return false
	case p.socket != "" && p.socket == o.socket, apart == 0:
		return true
	}
	return p.pid == o.pid && -setClock < apart && apart < setClock
}

func (m *rs7) stopped(f *facts, d events.RestartRequired) {
	m.grounds = grounds{sure: true}
	if !d.Carried {
		m.stop, m.earlier = f.rec.ID, m.last
	}
}

// see takes in a reading of the listener.
func (m *rs7) see(f *facts) {
	d := f.rec.Data.(events.GatewayObserved)
	m.last = process{listening: d.Listening, owner: d.Owner, pid: d.PID, startedMS: d.StartedMS, socket: d.Socket}
	m.claim.read = m.claim.seq != 0
	if m.stop != "" && f.rec.Cause == m.stop {
		m.before = m.last
	}
}

// borneOut reports whether an observed restart is one between the reading for the
// stop and the last one.
func (m *rs7) borneOut(d events.RestartObserved) bool {
	was, is := m.before, m.last
	return was.known() && is.known() && !was.same(is) &&
		d.OldPID == was.pid && d.OldStartedMS == was.startedMS && d.PID == is.pid && d.StartedMS == is.startedMS
}

// unchanged reports whether the process that listens is one that listened when the
// gate stopped, or was last read before that if it was not read then.
func (m *rs7) unchanged() bool {
	if m.before.known() {
		return m.before.same(m.last)
	}
	return m.earlier.same(m.last)
}

// released judges whether the stop was opened by what may open it.
func (m *rs7) released(f *facts, d events.RestartAcknowledged) {
	stop, text := f.past.stop.seq, ""
	evidence := []uint64{stop}
	if m.claim.seq != 0 && d.Basis != events.BasisObserved {
		evidence = append(evidence, m.claim.seq)
	}
	switch {
	case d.Basis == events.BasisObserved:
		if m.observed == 0 {
			text = "as an observed restart, and the readings since the stop show none"
		}
	case d.Basis == events.BasisOverride:
		if !m.claim.override {
			text = "as an operator's override, and no operator asked for one since the stop"
		}
	case m.claim.seq == 0:
		text = "on an operator's word, and no operator gave it since the stop"
	case !m.claim.read:
		text = "on an operator's word, and the listener was not read since"
	case m.last.listening == events.ListeningNo:
		text = "on an operator's word, although nothing listened"
	case m.unchanged():
		text = fmt.Sprintf("on an operator's word, although the process %d that was there at the stop still listens", m.last.pid)
	}
	if text != "" {
		m.add(f, Finding{
			Rule: "RS7", Because: evidence, Observed: !f.past.stop.enforced && f.past.observing(),
			Text: fmt.Sprintf("the stop of #%d was released %s", stop, text),
		})
	}
}
