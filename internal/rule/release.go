package rule

import (
	"fmt"

	"ibrecorder/events"
)

// grounds are what a release may rest on, since the stop.
type grounds struct {
	Sure     bool    // nothing of it can be missing
	Stop     string  // id of the stop; "" for one that was taken over, whose process nobody read
	Earlier  process // as last read before the stop
	Before   process // as read for the stop
	Claim    claim
	Observed uint64 // the last restart.observed that the readings bear out
}

// claim is an operator's word that no decision has answered.
type claim struct {
	Seq      uint64 // 0: none
	Override bool
	Read     bool // the listener was read since
}

// process is what was read of the Gateway's listener.
type process struct {
	Listening      events.Listening
	Owner          events.Owner
	PID, StartedMS int64
	Socket         string
}

// known reports whether p identifies a run of the Gateway: the listener of a
// forwarder stays when the Gateway behind it restarts.
func (p process) known() bool {
	return p.Listening == events.ListeningYes && p.Owner == events.OwnerGateway && p.PID != 0 && p.StartedMS != 0
}

// setClock is how far somebody who sets the clock moves the start time that the
// system tells of a process, in milliseconds.
const setClock = 10_000

// same reports whether o is the same run of the Gateway. A process id may be given
// out again, and a process may hand its listening socket to another; a new run has a
// start and a socket of its own.
func (p process) same(o process) bool {
	apart := p.StartedMS - o.StartedMS
	switch {
	case !p.known() || !o.known():
		return false
	case p.Socket != "" && p.Socket == o.Socket, apart == 0:
		return true
	}
	return p.PID == o.PID && -setClock < apart && apart < setClock
}

func (m *rs7) stopped(f *facts, d events.RestartRequired) {
	m.grounds = grounds{Sure: true}
	if !d.Carried {
		m.Stop, m.Earlier = f.rec.ID, m.Last
	}
}

// see takes in a reading of the listener.
func (m *rs7) see(f *facts) {
	d := f.rec.Data.(events.GatewayObserved)
	m.Last = process{Listening: d.Listening, Owner: d.Owner, PID: d.PID, StartedMS: d.StartedMS, Socket: d.Socket}
	m.Claim.Read = m.Claim.Seq != 0
	if m.Stop != "" && f.rec.Cause == m.Stop {
		m.Before = m.Last
	}
}

// borneOut reports whether an observed restart is one between the reading for the
// stop and the last one.
func (m *rs7) borneOut(d events.RestartObserved) bool {
	was, is := m.Before, m.Last
	return was.known() && is.known() && !was.same(is) &&
		d.OldPID == was.PID && d.OldStartedMS == was.StartedMS && d.PID == is.PID && d.StartedMS == is.StartedMS
}

// unchanged reports whether the process that listens is one that listened when the
// gate stopped, or was last read before that if it was not read then.
func (m *rs7) unchanged() bool {
	if m.Before.known() {
		return m.Before.same(m.Last)
	}
	return m.Earlier.same(m.Last)
}

// released judges whether the stop was opened by what may open it.
func (m *rs7) released(f *facts, d events.RestartAcknowledged) {
	stop, text := f.past.Stop.Seq, ""
	evidence := []uint64{stop}
	if m.Claim.Seq != 0 && d.Basis != events.BasisObserved {
		evidence = append(evidence, m.Claim.Seq)
	}
	switch {
	case d.Basis == events.BasisObserved:
		if m.Observed == 0 {
			text = "as an observed restart, and the readings since the stop show none"
		}
	case d.Basis == events.BasisOverride:
		if !m.Claim.Override {
			text = "as an operator's override, and no operator asked for one since the stop"
		}
	case m.Claim.Seq == 0:
		text = "on an operator's word, and no operator gave it since the stop"
	case !m.Claim.Read:
		text = "on an operator's word, and the listener was not read since"
	case m.Last.Listening == events.ListeningNo:
		text = "on an operator's word, although nothing listened"
	case m.unchanged():
		text = fmt.Sprintf("on an operator's word, although the process %d that was there at the stop still listens", m.Last.PID)
	}
	if text != "" {
		m.add(f, Finding{
			Rule: "RS7", Because: evidence, Observed: !f.past.Stop.Enforced && f.past.observing(),
			Text: fmt.Sprintf("the stop of #%d was released %s", stop, text),
		})
	}
}
