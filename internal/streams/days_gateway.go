package streams

import (
	"fmt"
	"time"

	"ibrecorder/events"
)

// listens is a new process of the Gateway.
func (d *days) listens() {
	d.process = events.GatewayObserved{
		Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: 4000 + d.rng.Int64N(20000),
		StartedMS: d.clock().UnixMilli() - 20_000, Socket: fmt.Sprintf("inode-%d", 70000+d.rng.IntN(900000)),
	}
	d.say("/watch", nil, d.process)
}

// exits is the end of its process, and so of every session.
func (d *days) exits() {
	for i := range d.programs {
		d.closes(&d.programs[i], events.Upstream)
	}
	d.after(time.Second)
	d.process = events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
	d.say("/watch", nil, d.process)
}

// night is the Gateway's own restart. Programs come back at once, and are refused.
func (d *days) night() {
	d.degraded(1100)
	d.after(d.between(2*time.Second, 20*time.Second))
	d.exits()
	for range 3 + d.rng.IntN(4) {
		p := d.any()
		d.after(d.between(100*time.Millisecond, 4*time.Second))
		d.dials(p)
		d.refused(p)
		if d.due("RS3") {
			d.forced(p) // although the wait has just begun
			d.refused(p)
		}
		d.absent()
	}
	d.after(d.between(time.Minute, 5*time.Minute))
	d.listens()
	d.connectAll()
}

// degraded is what every session says when the Gateway loses IB, or has it again.
func (d *days) degraded(code int64) {
	told := false
	for i := range d.programs {
		p := &d.programs[i]
		if p.attempt == "" {
			continue
		}
		if !told {
			d.say("/tap", &program{conn: p.conn}, events.GatewayNotice{Code: code, Origin: events.OriginWire, Count: 1})
			told = true
		}
		if code == 1102 {
			d.say(p.tap, p, events.SessionRestored{Code: code})
		} else {
			d.say(p.tap, p, events.SessionDegraded{Code: code})
		}
	}
}

func (d *days) outage() {
	d.degraded(1100)
	d.after(d.between(5*time.Second, 4*time.Minute))
	d.degraded(1102)
}

// farms are notices of IB's data farms, which mean nothing for the rule.
func (d *days) farms() {
	for _, code := range []int64{2103, 2104, 2105, 2106, 2158} {
		d.say("/tap", nil, events.GatewayNotice{Code: code, Origin: events.OriginWire, Count: 1 + d.rng.Int64N(9)})
		d.after(d.between(100*time.Millisecond, 2*time.Second))
	}
}

// hangs is a Gateway whose API layer is dead: one silent attempt, a stop, a restart by
// hand, and a probation whose first attempt may fail.
func (d *days) hangs(p *program) {
	d.closes(p, events.Client)
	d.after(d.between(time.Second, 20*time.Second))
	d.dials(p)
	if d.due("RS2") {
		d.mute(p) // and nobody decides the stop
		q := program{id: p.id, tap: p.tap}
		d.forced(&q)
		d.silent(&q)
		d.gone(p, events.Recorder)
	} else {
		d.silent(p)
	}
	d.stopStands(p)
}

// stopStands is from a stop to its end and the first sessions after it.
func (d *days) stopStands(p *program) {
	ms := 200 + d.rng.Int64N(300)
	d.after(time.Duration(ms) * time.Millisecond)
	d.because(d.stopped, "/recorder", nil, events.AlertDelivered{Channel: "command", ElapsedMS: ms, Tries: 1})
	d.knocks(1 + d.rng.IntN(20))
	if d.due("RS1", "RS7") {
		d.dies() // and what comes up has forgotten the stop
		d.forced(p)
		d.silent(p)
	}
	switch d.rng.IntN(3) {
	case 0: // an operator who has restarted nothing
		d.claims()
		d.knocks(1 + d.rng.IntN(3))
	case 1: // the machine is restarted, and the recorder with it
		d.ends(d.rng.IntN(2) == 0)
	}
	d.exits()
	d.knocks(2)
	d.listens()
	if d.err == nil && d.stands() {
		d.err = fmt.Errorf("seed %d: a new process listens, and the gate is stopped", d.Seed)
	}
	d.after(d.between(time.Second, 40*time.Second))
	if d.rng.IntN(3) == 0 { // the first connect after a fresh start is known to fail
		d.dials(p)
		d.silent(p)
	}
	d.connectAll()
}

// knocks are minutes in which programs are turned away.
func (d *days) knocks(minutes int) {
	for range minutes {
		d.because(d.stopped, "/recorder", nil, events.AttemptDenied{Policy: d.policy.Hash, Reason: events.HoldStopped, Count: 1 + d.rng.Int64N(90)})
		d.after(time.Minute)
	}
}

func (d *days) claims() {
	d.put("/operator/cli", nil, events.RestartClaimed{By: "kim", Reason: "restarted, or so I think"})
	d.because(d.last, "/watch", nil, d.process)
	d.rest()
}

// comesUp begins a run, the first or one more.
func (d *days) comesUp() {
	said := events.RecorderStarted{Version: "synthetic", Previous: events.PreviousNone}
	if d.runs > 0 {
		said.Previous, said.PreviousBoot = events.PreviousCrashed, d.boot
	}
	for _, x := range d.state.InFlight() {
		said.Unfinished = append(said.Unfinished, x.Attempt)
	}
	d.begins(said)
}

func (d *days) begins(said events.RecorderStarted) {
	d.runs++
	d.boot, d.started, d.now = fmt.Sprintf("b%d", d.runs), d.wall, 0
	d.put("/recorder", nil, said)
	d.say("/recorder", nil, d.policy)
}

// ends is the end of a run, in order or not, and the next one.
func (d *days) ends(inOrder bool) {
	if !inOrder {
		d.dies()
		return
	}
	for i := range d.programs {
		d.closes(&d.programs[i], events.Recorder)
	}
	d.say("/recorder", nil, events.RecorderStopped{Reason: events.StoppedBySignal})
	d.wall = d.clock().Add(d.between(time.Second, 30*time.Second))
	d.begins(events.RecorderStarted{Version: "synthetic", Previous: events.PreviousStopped, PreviousBoot: d.boot})
}

// crashes is a recorder that dies, sometimes between a permit and its end.
func (d *days) crashes(p *program) {
	if d.rng.IntN(2) == 0 {
		d.closes(p, events.Client)
		d.after(d.between(time.Second, 20*time.Second))
		d.dials(p)
	}
	d.dies()
}

// dies ends a run without a word, and all connections with it.
func (d *days) dies() {
	for i := range d.programs {
		d.programs[i].attempt, d.programs[i].conn = "", ""
	}
	d.wall = d.clock().Add(d.between(time.Second, 30*time.Second))
	d.comesUp()
}
