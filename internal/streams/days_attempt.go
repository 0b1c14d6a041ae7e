package streams

import (
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

const (
	gatewayAt = "127.0.0.1:4002"
	speaks    = 203 // the server version of all of them
)

// asks is a program that has said its hello, before anything is decided.
func (d *days) asks(p *program) {
	d.attempts++
	p.attempt, p.conn = fmt.Sprintf("a%d", d.attempts), fmt.Sprintf("c%d", d.attempts)
	d.put(p.tap, p, events.ClientOpened{Peer: fmt.Sprintf("127.0.0.1:%d", 20000+d.attempts%40000)})
	d.put(p.tap, p, events.ClientHello{MinVersion: 100, MaxVersion: speaks})
	d.put(p.tap, p, events.AttemptRequested{})
}

// dials is a program that asks and waits for as long as it is told to, and the dial.
func (d *days) dials(p *program) {
	d.asks(p)
	permit := ""
	for d.err == nil {
		wake := d.rest()
		if permit = d.permitOf(p.attempt); permit != "" {
			break
		}
		if wake == 0 && d.err == nil {
			d.err = fmt.Errorf("attempt %s of seed %d waits for ever", p.attempt, d.Seed)
		}
		d.now = max(d.now, wake)
	}
	d.begun(p, permit)
}

// begun is the dial that a permit allows.
func (d *days) begun(p *program, permit string) {
	d.now += int64(time.Millisecond)
	d.because(permit, p.tap, p, events.DialStarted{Address: gatewayAt})
}

func (d *days) permitOf(attempt string) string {
	if x := d.state.Session(attempt); x != nil {
		return x.Permit
	}
	return ""
}

// forced is a permit that no policy would give, and its dial.
func (d *days) forced(p *program) {
	d.asks(p)
	d.because(d.last, "/recorder", p, events.AttemptPermitted{Policy: d.policy.Hash, Enforced: true})
	d.begun(p, d.permitOf(p.attempt))
}

func (d *days) accepted(p *program) {
	us := 100 + d.rng.Int64N(200)
	d.now += us * 1000
	d.say(p.tap, p, events.DialConnected{LocalPort: int64(30000 + d.attempts%30000), ElapsedUS: us})
}

// greeted is a handshake as far as its startAPI.
func (d *days) greeted(p *program) {
	d.accepted(p)
	d.answered(p)
	d.say(p.tap, p, events.HandshakeAPIStarted{ClientID: &p.id})
}

func (d *days) answered(p *program) {
	us := 20_000 + d.rng.Int64N(60_000)
	d.now += us * 1000
	d.say(p.tap, p, events.HandshakeVersion{ServerVersion: speaks, ElapsedUS: us})
}

func (d *days) connects(p *program) {
	d.dials(p)
	d.ready(p)
}

func (d *days) ready(p *program) {
	d.greeted(p)
	us := 100_000 + d.rng.Int64N(400_000)
	d.now += us * 1000
	d.put(p.tap, p, events.HandshakeReady{Accounts: 1, ElapsedUS: us})
	d.say(p.tap, p, events.AttemptSucceeded{ClientID: &p.id, ServerVersion: speaks, ElapsedUS: us + 80_000})
	d.say(p.tap, p, events.SessionEstablished{ClientID: &p.id, ServerVersion: speaks})
	p.since = d.now
}

// silent is an attempt that is accepted and then hears nothing for its whole budget.
func (d *days) silent(p *program) {
	d.mute(p)
	d.rest()
	d.gone(p, events.Recorder)
}

func (d *days) mute(p *program) {
	d.accepted(p)
	ms := d.policy.VersionBudgetMS
	d.after(time.Duration(ms) * time.Millisecond)
	d.say(p.tap, p, events.HandshakeTimedOut{Stage: events.StageConnected, WaitedMS: ms, LimitMS: ms})
	d.put(p.tap, p, events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: ms, LimitMS: ms, ClientBytes: 17})
}

// refused is an attempt that finds nobody listening. The listener is read for it, and
// the tap closed if there is none either, until the wait is over.
func (d *days) refused(p *program) {
	d.put(p.tap, p, events.DialFailed{Reason: events.Refused, ElapsedUS: 90, Text: "connect: connection refused"})
	d.put(p.tap, p, events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial, ElapsedUS: 90})
	d.because(d.last, "/watch", nil, d.process)
	d.rest()
	d.gone(p, events.Recorder)
}

// absent closes the tap while the Gateway does not listen, and opens it again.
func (d *days) absent() {
	until := policy.Absent(d.state, d.now)
	if d.err != nil || until == 0 {
		return
	}
	d.say("/recorder", nil, events.TapClosed{WaitMS: (until - d.now + 999_999) / 1e6})
	d.after(time.Duration(until - d.now))
	d.say("/recorder", nil, events.TapReopened{})
}

// inUse is a program that comes back before the Gateway has noticed that it left.
func (d *days) inUse(p *program) {
	d.dials(p)
	d.greeted(p)
	d.now += int64(4 * time.Millisecond)
	d.say(p.tap, p, events.AttemptFailed{Reason: events.ClientIDInUse, Stage: events.StageStarted, ClientID: &p.id, By: events.Upstream, How: events.FIN, Code: 326, ClientBytes: 44, GatewayBytes: 120})
	d.gone(p, events.Upstream)
	for _, c := range d.state.Clients { // its startAPI would be held until then
		if left := c.Delay.Until() - d.now; c.ID == p.id && left > 0 {
			d.after(time.Duration(left))
		}
	}
}

// leavesEarly is one more connection of a program, which goes before the version and is answered.
func (d *days) leavesEarly(like *program) {
	p := program{id: like.id, tap: like.tap}
	d.dials(&p)
	d.accepted(&p)
	d.say(p.tap, &p, events.DisconnectDeferred{Stage: events.StageConnected, How: events.FIN})
	d.after(d.between(time.Second, 3*time.Second))
	d.answered(&p)
	d.say(p.tap, &p, events.AttemptAbandoned{Stage: events.StageConnected, Answered: true})
	d.gone(&p, events.Client)
}

// gone is the end of a relayed connection.
func (d *days) gone(p *program, by events.Side) {
	d.say(p.tap, p, events.ClientClosed{By: by, How: events.FIN, ClientBytes: 17 + d.rng.Int64N(5000), GatewayBytes: d.rng.Int64N(90000), ElapsedUS: d.rng.Int64N(3600e6)})
	p.attempt, p.conn = "", ""
}

// closes is the end of a session, by whom it may be.
func (d *days) closes(p *program, by events.Side) {
	if p.attempt == "" {
		return
	}
	us := (d.now - p.since) / 1000
	if by == events.Upstream {
		d.say(p.tap, p, events.SessionLost{Reason: events.LostFIN, ElapsedUS: us})
	} else {
		d.say(p.tap, p, events.SessionClosed{By: by, How: events.FIN, ElapsedUS: us})
	}
	d.gone(p, by)
}

func (d *days) connectAll() {
	for i := range d.programs {
		if p := &d.programs[i]; p.attempt == "" {
			d.after(d.between(200*time.Millisecond, 5*time.Second))
			d.connects(p)
		}
	}
}

// comesBack is a program that is started again.
func (d *days) comesBack(p *program) {
	d.closes(p, events.Client)
	d.after(d.between(time.Second, 20*time.Second))
	if d.due("RS4") {
		d.dials(p)
		q := program{id: p.id, tap: p.tap}
		d.forced(&q) // although p is under way
		d.accepted(&q)
		d.put(q.tap, &q, events.AttemptFailed{Reason: events.FINBeforeVersion, Stage: events.StageConnected, By: events.Upstream, How: events.FIN})
		d.rest()
		d.gone(&q, events.Upstream)
		d.ready(p)
		return
	}
	if d.due("RS5") {
		q := program{id: p.id, tap: p.tap}
		d.asks(&q)
		d.put(q.tap, &q, events.DialStarted{Address: gatewayAt}) // before anything was decided
		d.say(q.tap, &q, events.AttemptAbandoned{Stage: events.StageNone})
		d.gone(&q, events.Client)
	}
	if d.rng.IntN(10) == 0 {
		d.inUse(p)
		d.after(d.between(time.Second, 5*time.Second))
	}
	d.connects(p)
}

// stands reports whether the gate is stopped.
func (d *days) stands() bool { return d.state.Gate == fsm.Stopped }
