package explore

import (
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// wire writes what the tap sees of one connection.
func (p *product) wire(m move) {
	x := *p.s.Sessions[m.at]
	params := &p.m.params
	see := func(data events.Payload) {
		p.fact(events.Draft{Source: "/tap", Attempt: x.Attempt, Conn: x.Conn, Data: data})
	}
	failed := func(reason events.FailReason, code int64, by events.Side, waited int64) {
		if waited > 0 {
			p.pass(p.now + waited*int64(time.Millisecond))
			if x.Stage != events.StageDial {
				see(events.HandshakeTimedOut{Stage: x.Stage, WaitedMS: waited, LimitMS: waited})
			}
		}
		see(events.AttemptFailed{Reason: reason, Stage: x.Stage, ClientID: x.ClientID, By: by, How: events.FIN, Code: code, WaitedMS: waited, LimitMS: waited})
		p.fact(p.closed(x.Attempt, by))
	}
	abandoned := func(answered bool) {
		see(events.AttemptAbandoned{Stage: x.Stage, Answered: answered})
		p.fact(p.closed(x.Attempt, events.Client))
	}
	if !p.m.cast.Steps && !x.Ended && m.what != unused && !p.through(&x, m) {
		failed(events.ClientWaits, 0, events.Recorder, 0)
		return
	}
	switch m.what {
	case unused:
		p.fact(events.Draft{Source: "/recorder", Attempt: x.Attempt, Conn: x.Conn, Cause: x.Permit, Data: events.AttemptUnknown{Reason: events.UnknownUnused}})
		p.fact(p.closed(x.Attempt, events.Client))
	case dials:
		p.fact(events.Draft{Source: "/tap", Attempt: x.Attempt, Conn: x.Conn, Cause: x.Permit, Data: events.DialStarted{Address: "127.0.0.1:4002"}})
	case connects:
		see(events.DialConnected{LocalPort: 40001})
	case refused:
		failed(events.Refused, 0, events.Recorder, 0)
	case unreachable:
		failed(events.Unreachable, 0, events.Recorder, 0)
	case dialTimesOut:
		failed(events.DialTimeout, 0, events.Recorder, params.DialTimeoutMS)
	case answers:
		see(events.HandshakeVersion{ServerVersion: 203})
	case silent:
		failed(events.AcceptedNoBytes, 0, events.Recorder, params.VersionBudgetMS)
	case closes:
		failed(events.FINBeforeVersion, 0, events.Upstream, 0)
	case resets:
		failed(events.RSTBeforeVersion, 0, events.Upstream, 0)
	case garbles:
		failed(events.BadVersion, 0, events.Recorder, 0)
	case starts:
		see(events.HandshakeAPIStarted{}) // as who, it does not say
	case neverStarts:
		failed(events.NoStartAPI, 0, events.Recorder, params.StartAPIBudgetMS)
	case closesLate:
		failed(events.ClosedBeforeReady, 0, events.Upstream, 0)
	case readies:
		see(events.HandshakeReady{Accounts: 1})
		see(events.AttemptSucceeded{ClientID: x.ClientID, ServerVersion: 203})
		see(events.SessionEstablished{ClientID: x.ClientID, ServerVersion: 203})
		if p.established() > p.m.cast.Sessions { // it has done what it came for
			see(events.SessionClosed{By: events.Client, How: events.FIN})
			p.fact(p.closed(x.Attempt, events.Client))
		}
	case readyNotCome:
		failed(events.VersionNoReady, 0, events.Recorder, params.ReadyBudgetMS)
	case idInUse:
		failed(events.ClientIDInUse, 326, events.Upstream, 0)
	case disclaimer:
		failed(events.DisclaimerPending, 10141, events.Upstream, 0)
	case explains:
		failed(events.ErrorBeforeReady, 502, events.Upstream, 0)
	case noAccounts:
		failed(events.NoAccounts, 0, events.Recorder, 0)
	case leaves:
		see(events.DisconnectDeferred{Stage: x.Stage, How: events.FIN})
	case gone:
		abandoned(false)
	case goneAnswered:
		abandoned(true)
	case degrades:
		see(events.SessionDegraded{Code: 1100})
	case restores:
		code := int64(1102)
		if x.Phase == fsm.Mute {
			code = 0
		}
		see(events.SessionRestored{Code: code})
	case mutes:
		see(events.SessionMute{WaitedMS: 60_000})
	case loses:
		see(events.SessionLost{Reason: events.LostFIN})
		p.fact(p.closed(x.Attempt, events.Upstream))
	case ends:
		see(events.SessionClosed{By: events.Client, How: events.FIN})
		p.fact(p.closed(x.Attempt, events.Client))
	}
}

// through takes an attempt that is told in one move to the stage in which it ends. It
// returns false if the tap keeps the startAPI, because its client waits.
func (p *product) through(x *fsm.Session, m move) bool {
	if m.id != 0 {
		x.ClientID = new(m.id)
	}
	for _, step := range [...]struct {
		to   events.Stage
		data events.Payload
	}{
		{events.StageDial, events.DialStarted{Address: "127.0.0.1:4002"}},
		{events.StageConnected, events.DialConnected{LocalPort: 40001}},
		{events.StageVersioned, events.HandshakeVersion{ServerVersion: 203}},
		{events.StageStarted, events.HandshakeAPIStarted{ClientID: x.ClientID}},
	} {
		if step.to == events.StageStarted && m.id != 0 && p.held(m.id) {
			return false
		}
		d := events.Draft{Source: "/tap", Attempt: x.Attempt, Conn: x.Conn, Data: step.data}
		if step.to == events.StageDial {
			d.Cause = x.Permit
		}
		p.fact(d)
		if x.Stage = step.to; step.to == stageOf(m.what) {
			break
		}
	}
	return true
}

// stageOf is how far an attempt comes that ends so.
func stageOf(what verb) events.Stage {
	switch what {
	case refused, dialTimesOut:
		return events.StageDial
	case silent, closes, gone:
		return events.StageConnected
	}
	return events.StageStarted
}

// held says whether the tap keeps the startAPI of a client id back.
func (p *product) held(id int64) bool {
	return p.m.policy.Mode == events.Enforce &&
		slices.ContainsFunc(p.s.Clients, func(c fsm.Client) bool { return c.ID == id && p.now < c.Delay.Until() })
}

func (p *product) established() (n int) {
	for _, x := range p.s.Sessions {
		if x.Ended {
			n++
		}
	}
	return n
}
