package whatif

import (
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// run is a recorder with its environment: it writes what a loop under a policy writes,
// and clients that do as they are told.
type run struct {
	es       []events.Event
	pol      events.PolicyLoaded
	fold     *fsm.Folder
	state    fsm.State
	boots    int
	attempts int
	pid      int64
	now      int64
	lag      int64 // nanoseconds from a decision to its event
	clients  int64
}

func newRun(p events.PolicyLoaded) *run {
	r := &run{pol: p, fold: fsm.NewFolder(), state: fsm.Initial(), pid: 4100}
	r.start()
	return r
}

func (r *run) start() {
	r.boots++
	r.now = 0
	d := events.RecorderStarted{Version: "x", Previous: events.PreviousNone}
	if r.boots > 1 {
		d.Previous, d.PreviousBoot = events.PreviousCrashed, fmt.Sprintf("b%d", r.boots-1)
	}
	r.write("/recorder", "", "", d)
	r.fact("/recorder", "", r.pol)
}

// write appends one event without deciding anything.
func (r *run) write(source, attempt, cause string, d events.Payload) events.Event {
	e := events.Event{
		ID: fmt.Sprintf("e%d", len(r.es)+1), Source: source, Gateway: "live", Seq: uint64(len(r.es) + 1), Boot: fmt.Sprintf("b%d", r.boots), Mono: r.now,
		Time: time.Unix(1_770_000_000, int64(len(r.es))*1e6).UTC(), Attempt: attempt, Epoch: r.state.Epoch, Cause: cause, Data: d,
	}
	if attempt != "" && source != "/operator/cli" && !fsm.Reported(e) {
		e.Conn = "c" + attempt
	}
	if _, release := d.(events.RestartAcknowledged); release {
		e.Epoch++
	}
	r.es, r.state = append(r.es, e), r.fold.Apply(r.state, e)
	return e
}

// fact appends one event, and what is decided because of it.
func (r *run) fact(source, attempt string, d events.Payload) {
	r.write(source, attempt, "", d)
	r.decide()
}

func (r *run) decide() (wake int64) {
	for {
		d := policy.Decide(r.state, r.now)
		if d.Data == nil {
			return d.Wake
		}
		if retry, ok := d.Data.(events.RetryScheduled); ok {
			retry.JitterMS = d.JitterMS / 3
			retry.DelayMS += retry.JitterMS
			d.Data = retry
		}
		r.now += r.lag
		e := r.write("/recorder", d.Attempt, d.Cause, d.Data)
		if _, stops := d.Data.(events.RestartRequired); stops {
			r.write("/watch", "", e.ID, r.listener())
		}
	}
}

func (r *run) listener() events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, PID: r.pid, StartedMS: 1_769_000_000_000 + r.pid*60_000}
}

// pass lets time go by; timers fire some milliseconds late, as they do.
func (r *run) pass(d time.Duration) {
	until := r.now + int64(d)
	for {
		wake := r.decide()
		if wake == 0 || wake+3e6 > until {
			r.now = until
			r.decide()
			return
		}
		r.now = wake + 3e6
	}
}

// attempt is a client that asks, waits for its permit for a while, and meets a Gateway
// that does what the last word says.
func (r *run) attempt(patience time.Duration, gateway string) (permitted bool) {
	r.attempts++
	a := fmt.Sprintf("a%d", r.attempts)
	r.fact("/tap", a, events.ClientOpened{Peer: fmt.Sprintf("127.0.0.1:%d", 40_000+r.attempts)})
	r.fact("/tap", a, events.AttemptRequested{})
	for waited := time.Duration(0); waited < patience && r.waits(a); waited += time.Second {
		r.pass(time.Second)
	}
	permit := ""
	for _, x := range r.state.Sessions {
		if x.Attempt == a {
			permit = x.Permit
		}
	}
	if permit == "" {
		if r.waits(a) {
			r.fact("/tap", a, events.AttemptAbandoned{Stage: events.StageNone})
		}
		r.fact("/tap", a, events.ClientClosed{By: events.Client, How: events.FIN})
		return false
	}
	r.write("/tap", a, permit, events.DialStarted{Address: "x:1"})
	r.meet(a, gateway)
	r.fact("/tap", a, events.ClientClosed{By: events.Client, How: events.FIN})
	return true
}

func (r *run) waits(a string) bool {
	for _, q := range r.state.Waiting {
		if q.Attempt == a {
			return true
		}
	}
	return false
}

// meet is what comes of a dial.
func (r *run) meet(a, gateway string) {
	p := r.pol.Params
	fail := func(d events.AttemptFailed) { r.fact("/tap", a, d) }
	switch gateway {
	case "refused":
		r.fact("/tap", a, events.DialFailed{Reason: events.Refused})
		fail(events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial})
		return
	case "unaccepted":
		r.pass(time.Duration(p.DialTimeoutMS) * time.Millisecond)
		fail(events.AttemptFailed{Reason: events.DialTimeout, Stage: events.StageDial, WaitedMS: p.DialTimeoutMS, LimitMS: p.DialTimeoutMS})
		return
	}
	r.fact("/tap", a, events.DialConnected{ElapsedUS: 150})
	switch gateway {
	case "silent":
		r.pass(time.Duration(p.VersionBudgetMS) * time.Millisecond)
		r.fact("/tap", a, events.HandshakeTimedOut{Stage: events.StageConnected, WaitedMS: p.VersionBudgetMS, LimitMS: p.VersionBudgetMS})
		fail(events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: p.VersionBudgetMS, LimitMS: p.VersionBudgetMS})
		return
	case "fin":
		fail(events.AttemptFailed{Reason: events.FINBeforeVersion, Stage: events.StageConnected})
		return
	}
	r.pass(20 * time.Millisecond)
	r.fact("/tap", a, events.HandshakeVersion{ServerVersion: 187, ElapsedUS: 20_000})
	r.clients++
	id := r.clients
	r.fact("/tap", a, events.HandshakeAPIStarted{ClientID: &id})
	if gateway == "in use" {
		fail(events.AttemptFailed{Reason: events.ClientIDInUse, Stage: events.StageStarted, ClientID: &id, Code: 326})
		return
	}
	r.pass(30 * time.Millisecond)
	r.fact("/tap", a, events.HandshakeReady{Accounts: 1, ElapsedUS: 30_000})
	r.fact("/tap", a, events.AttemptSucceeded{ClientID: &id, ServerVersion: 187})
	r.fact("/tap", a, events.SessionEstablished{ClientID: &id, ServerVersion: 187})
	r.pass(time.Minute)
	r.fact("/tap", a, events.SessionClosed{By: events.Client, How: events.FIN})
}

// resume is an operator's word after a restart.
func (r *run) resume() {
	r.pid++
	e := r.write("/operator/cli", "", "", events.RestartClaimed{By: "kim", Reason: "restarted"})
	r.write("/watch", "", e.ID, r.listener())
	r.decide()
}

func loaded(change func(*events.Params)) events.PolicyLoaded {
	p := policy.Handoff()
	change(&p)
	l, err := policy.Load("handoff", p, events.Enforce)
	if err != nil {
		panic(err)
	}
	return l
}

func (r *run) masked(b events.PolicyLoaded) Result {
	m := NewMask(Policy{"b", "--policy", b})
	for _, e := range r.es {
		m.Step(e)
	}
	m.End()
	return m.Result
}

func (r *run) compared(b events.PolicyLoaded) *Comparison {
	c := NewComparison(Policy{"b", "--policy", b})
	for _, e := range r.es {
		c.Step(e)
	}
	c.End()
	return c
}
