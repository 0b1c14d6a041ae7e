package explore

import (
	"slices"
	"strconv"
	"time"

	"ibrecorder/events"
)

const (
	runner = "/runner/robo-1"
	other  = "/runner/robo-2"
	// firstPID is below those of the Gateway's processes, the first of which is 1 more.
	firstPID = 4000
	// reportMS is the timeout of the runners here: as long as any budget that counts.
	reportMS = 30_000
)

// do writes what a move means, and what follows from it.
func (p *product) do(m move) {
	params := &p.m.params
	switch m.what {
	case arrives:
		a := p.name()
		p.fact(events.Draft{Source: "/tap", Attempt: a, Conn: "c" + a, Data: events.AttemptRequested{}})
	case leavesQueue:
		r := p.s.Waiting[m.at]
		p.fact(events.Draft{Source: "/tap", Attempt: r.Attempt, Conn: r.Conn, Data: events.AttemptAbandoned{Stage: events.StageNone}})
		p.fact(p.closed(r.Attempt, events.Client))
	case leases:
		p.fact(events.Draft{Source: runner, ID: p.report(), Attempt: p.name(), Data: events.AttemptRequested{LeaseMS: params.LeaseMS}})
	case tellsReady, tellsTimeout, tellsShortTimeout, tellsRefused, tellsUnknown:
		p.tell(runner, p.s.Sessions[m.at].Attempt, m.what)
	case tellsLate:
		attempt := p.late
		p.late = ""
		p.tell(runner, attempt, tellsTimeout)
	case bypassReady:
		p.tell(other, p.name(), tellsReady)
	case bypassTimeout:
		p.tell(other, p.name(), tellsTimeout)
	case bypassRefused:
		p.tell(other, p.name(), tellsRefused)
	case bypassLost:
		p.fact(events.Draft{Source: other, ID: p.report(), Attempt: p.name(), Data: events.SessionLost{Reason: events.LostFIN}})
	case bypassDown:
		p.fact(events.Draft{Source: other, ID: p.report(), Data: events.GatewayDown{Reason: events.DownReported}})
	case claims, overrides:
		id := p.write(events.Draft{Source: "/operator/cli", Data: events.RestartClaimed{By: "operator", Reason: "model", Override: m.what == overrides}})
		p.fact(p.reading(id)) // the recorder reads the listener before it decides
	case reads:
		p.fact(p.reading(""))
	case readsWedged:
		d := p.reading("")
		o := d.Data.(events.GatewayObserved)
		o.WedgedPort, o.WedgedSamples, o.WedgedMS, o.WedgedBytes, o.WedgedState = 50123, 7, params.VersionBudgetMS, 17, events.SocketEstablished
		d.Data = o
		p.fact(d)
	case exits:
		p.gw = listener{kind: nothing, pid: p.gw.pid}
	case comesBack:
		p.gw = listener{p.m.cast.Gateway.kind, p.gw.pid}
		if p.gw.kind == itself {
			p.gw.pid++
		}
	case disconnects:
		p.disconnect(events.Draft{Source: "/operator/cli", Data: events.DisconnectRequested{By: "operator", Reason: "model"}})
	case disconnectsOne:
		p.disconnect(events.Draft{Source: "/operator/cli", Data: events.DisconnectRequested{By: "operator", Reason: "model", ClientID: new(int64(1))}})
	case forces:
		p.disconnect(events.Draft{Source: "/operator/cli", Data: events.DisconnectRequested{By: "operator", Reason: "model", Force: true}})
	case runnerDisconnects:
		p.disconnect(events.Draft{Source: runner, ID: p.report(), Data: events.DisconnectRequested{By: "robo-1", Reason: "model", Asked: true}})
	case waits:
		p.pass(p.next())
	case restarts:
		p.boot()
	case stops:
		p.stop()
	default:
		p.wire(m)
	}
}

// stop ends a run in order: what we relay is closed, and the last event says so.
func (p *product) stop() {
	for _, r := range slices.Clone(p.s.Waiting) {
		if r.By == "" {
			p.fact(p.closed(r.Attempt, events.Recorder))
		}
	}
	for _, x := range slices.Clone(p.s.Sessions) {
		if x.Conn == "" {
			continue
		}
		if x.Ended {
			p.fact(events.Draft{Source: "/tap", Attempt: x.Attempt, Conn: x.Conn, Data: events.SessionClosed{By: events.Recorder, How: events.FIN}})
		}
		p.fact(p.closed(x.Attempt, events.Recorder))
	}
	p.write(events.Draft{Source: "/recorder", Data: events.RecorderStopped{Reason: events.StoppedBySignal}})
	p.inOrder = true
	p.boot()
}

// name is that of a new attempt.
func (p *product) name() string {
	p.names++
	return "a" + strconv.Itoa(p.names)
}

// report is the id of a report, which its runner gives.
func (p *product) report() string { return "r" + strconv.FormatUint(p.s.Seq+1, 10) }

func (p *product) disconnect(d events.Draft) { p.fact(d) }

// tell is how a runner tells how an attempt of its own went.
func (p *product) tell(source, attempt string, how verb) {
	d := events.Draft{Source: source, ID: p.report(), Attempt: attempt}
	switch how {
	case tellsReady:
		d.Data = events.AttemptSucceeded{}
	case tellsTimeout:
		p.pass(p.now + reportMS*int64(time.Millisecond))
		d.Data = events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, WaitedMS: reportMS, LimitMS: max(reportMS, p.m.params.MinReportedBudgetMS)}
	case tellsShortTimeout:
		d.Data = events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: p.m.params.MinReportedBudgetMS / 2}
	case tellsRefused:
		d.Data = events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial}
	case tellsUnknown:
		d.Data = events.AttemptUnknown{Reason: events.UnknownReported}
	}
	p.fact(d)
}

// closed is the end of a program's connection.
func (p *product) closed(attempt string, by events.Side) events.Draft {
	return events.Draft{Source: "/tap", Attempt: attempt, Conn: "c" + attempt, Data: events.ClientClosed{By: by, How: events.FIN}}
}

// reading is one of the listener, as it is.
func (p *product) reading(cause string) events.Draft {
	o := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}
	switch p.gw.kind {
	case nothing:
		o.Listening = events.ListeningNo
	case itself:
		o.Owner, o.PID, o.StartedMS = events.OwnerGateway, firstPID+p.gw.pid, 1_700_000_000_000+p.gw.pid*60_000
	case forwarder:
		o.Owner = events.OwnerOther
	case unreadable:
		o.Listening = events.ListeningUnknown
	}
	return events.Draft{Source: "/watch", Cause: cause, Data: o}
}
