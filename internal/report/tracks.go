package report

import (
	"fmt"
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// unnamed is the program of an attempt that ended before anybody said a client id.
const unnamed = "client not known"

// tracks follow every attempt with its session, and the states around them, from
// the first event of the stream on: what began before the span is seen in it.
type tracks struct {
	live map[string]*track // by attempt
	all  []*track          // that the span has something of
	held *track            // the last of all, if it stands for refusals without an attempt
	last *track            // that the last event belongs to, nil if it belongs to none

	gate, api, recorder lane
	alerts, people      lane
	before              spot // of the event before
	ran                 bool // an event of a run was seen
}

// track is one attempt and its session.
type track struct {
	AttemptRow
	lane
	kept      bool // it is in all
	conn      bool // we relay it, so it ends with our run
	client    *int64
	runner    string
	requested *events.Event
	permitted *events.Event
	ended     bool
}

func newTracks() *tracks { return &tracks{live: map[string]*track{}} }

func (t *tracks) see(e *events.Event, number int, wanted bool, at spot, state *fsm.State) {
	t.gate.set(string(state.Gate), e, at, wanted)
	t.api.set(string(state.API), e, at, wanted)
	t.around(e, wanted, at)
	t.attempt(e, number, wanted, at)
	t.before = at
}

// around is what belongs to no attempt.
func (t *tracks) around(e *events.Event, wanted bool, at spot) {
	started, isStart := e.Data.(events.RecorderStarted)
	switch {
	case e.Boot == events.BootImport:
	case isStart && t.ran && started.Previous != events.PreviousStopped:
		t.recorder.set("off", e, t.before, wanted) // it left no word, so the last event is the last sign of life
		t.recorder.set("running", e, at, wanted)
	default:
		t.recorder.set("running", e, at, wanted)
	}
	t.ran = t.ran || e.Boot != events.BootImport
	switch e.Data.(type) {
	case events.RecorderStarted:
		for id, x := range t.live { // sessions that we relayed ended with us
			if x.conn {
				x.end(t.before, wanted)
			}
			if x.conn && x.ended {
				delete(t.live, id)
			}
		}
	case events.RecorderStopped:
		t.recorder.set("off", e, at, wanted)
	}
	if !wanted {
		return
	}
	text := string(e.Kind()) + ": " + detail(e.Data)
	switch e.Data.(type) {
	case events.RecorderGap:
		t.recorder.mark(signGap, e, at, 1, text)
	case events.RuleViolated:
		t.gate.mark(signViolated, e, at, 1, text)
	case events.AlertDelivered:
		t.alerts.mark(signAlert, e, at, 1, text)
	case events.AlertFailed:
		t.alerts.mark(signFailed, e, at, 1, text)
	case events.RestartClaimed, events.OperatorNoted, events.DisconnectRequested, events.AlertAcknowledged:
		t.people.mark(signOperator, e, at, 1, text)
	case events.RestartRejected:
		t.people.mark(signFailed, e, at, 1, text)
	case events.RestartObserved, events.RestartAcknowledged:
		t.people.mark(signRestart, e, at, 1, text)
	}
}

func (t *tracks) attempt(e *events.Event, number int, wanted bool, at spot) {
	t.last = nil
	if d, ok := e.Data.(events.AttemptDenied); ok && e.Attempt == "" {
		t.refused(e, d, wanted, at)
		return
	}
	if e.Attempt == "" {
		return
	}
	x := t.live[e.Attempt]
	if x == nil {
		switch e.Kind().Group() {
		case "attempt", "dial", "handshake", "session":
		default:
			if e.Kind() != "client.opened" {
				return // what trails behind an end
			}
		}
		id := strings.Clone(e.Attempt)
		x = &track{AttemptRow: AttemptRow{Number: number, Name: plain(id), Seq: e.Seq, Time: utc(e.Time), Outcome: "open", Times: 1}}
		t.live[id] = x
	}
	t.last = x
	x.conn = x.conn || e.Conn != ""
	if wanted && !x.kept {
		x.kept, t.all, t.held = true, append(t.all, x), nil
	}
	if x.handshake(e); x.see(e, wanted, at) {
		delete(t.live, e.Attempt)
	}
}

// refused are attempts of which nothing else is known.
func (t *tracks) refused(e *events.Event, d events.AttemptDenied, wanted bool, at spot) {
	if !wanted {
		return
	}
	if t.held == nil || t.held.Reason != string(d.Reason) {
		t.held = &track{AttemptRow: AttemptRow{Seq: e.Seq, Time: utc(e.Time), Outcome: "denied", Reason: string(d.Reason)}, ended: true}
		t.all = append(t.all, t.held)
	}
	t.held.Times, t.held.End = t.held.Times+d.Count, e.Seq
	t.held.mark(signDenied, e, at, d.Count, "denied: "+string(d.Reason))
}

// handshake is how far the attempt came.
func (x *track) handshake(e *events.Event) {
	stage := events.Stage("")
	switch d := e.Data.(type) {
	case events.DialStarted:
		stage = events.StageDial
	case events.DialConnected:
		stage = events.StageConnected
	case events.HandshakeVersion:
		stage = events.StageVersioned
	case events.HandshakeAPIStarted:
		stage = events.StageStarted
		x.is(d.ClientID)
	case events.HandshakeReady:
		stage = events.StageReady
	}
	if stage != "" && !x.ended {
		x.Stage = string(stage)
	}
}

func (x *track) is(client *int64) {
	if client != nil {
		id := *client
		x.client = &id
	}
}

// see takes in an event of the attempt, and reports whether it was the last.
func (x *track) see(e *events.Event, wanted bool, at spot) bool {
	if name, ok := strings.CutPrefix(e.Source, "/runner/"); ok && x.runner == "" {
		x.runner = "runner/" + strings.Clone(name)
	}
	switch d := e.Data.(type) {
	case events.AttemptRequested:
		x.is(d.ClientID)
		copied := *e
		x.requested = &copied
		if x.runner != "" && d.LeaseMS == 0 {
			x.set("attempt", e, at, wanted) // it waits for nobody
		} else {
			x.set("waiting", e, at, wanted)
		}
	case events.AttemptPermitted:
		copied := *e
		x.permitted = &copied
		x.set("attempt", e, at, wanted)
	case events.AttemptSucceeded:
		x.is(d.ClientID)
		x.over(e, signReady, "succeeded", "", wanted, at)
	case events.AttemptFailed:
		x.is(d.ClientID)
		if d.Stage != "" {
			x.Stage = string(d.Stage)
		}
		x.over(e, signFailed, "failed", string(d.Reason), wanted, at)
		return true
	case events.AttemptDenied:
		x.over(e, signDenied, "denied", string(d.Reason), wanted, at)
		return true
	case events.AttemptAbandoned:
		x.Stage = string(d.Stage)
		x.over(e, signUnknown, "abandoned", "", wanted, at)
		return true
	case events.AttemptUnknown:
		x.over(e, signUnknown, "unknown", string(d.Reason), wanted, at)
		return true
	case events.SessionEstablished:
		x.is(d.ClientID)
		x.set("session", e, at, wanted)
	case events.SessionDegraded:
		x.set("degraded", e, at, wanted)
	case events.SessionMute:
		x.set("mute", e, at, wanted)
	case events.SessionRestored:
		x.set("session", e, at, wanted)
	case events.SessionLost:
		x.end(at, wanted)
		if wanted {
			x.mark(signFailed, e, at, 1, "session lost: "+string(d.Reason))
		}
		return true
	case events.SessionClosed, events.ClientClosed:
		x.end(at, wanted)
		return true
	}
	return false
}

// over ends the attempt; a session may follow.
func (x *track) over(e *events.Event, sign, outcome, reason string, wanted bool, at spot) {
	if x.ended {
		return
	}
	x.ended, x.Outcome, x.Reason, x.End = true, outcome, reason, e.Seq
	from := x.permitted
	if from == nil {
		from = x.requested
	}
	if outcome != "denied" {
		x.DurationNS = elapsedOf(from, e)
	}
	x.end(at, wanted)
	if wanted {
		x.mark(sign, e, at, 1, strings.TrimSuffix(outcome+": "+reason, ": "))
	}
	x.requested, x.permitted = nil, nil
}

// program is whose attempt it was.
func (x *track) program() string {
	switch {
	case x.client != nil:
		return fmt.Sprintf("client %d", *x.client)
	case x.runner != "":
		return plain(x.runner)
	}
	return unnamed
}

// who begins a sentence about the attempt of the last event.
func (t *tracks) who() string {
	switch {
	case t.last == nil:
	case t.last.client != nil:
		return fmt.Sprintf("Client %d", *t.last.client)
	case t.last.runner != "":
		return "The " + strings.Replace(plain(t.last.runner), "/", " ", 1)
	}
	return "A program"
}

// programs counts what each program did, in the order in which they came.
func (t *tracks) programs() []Program {
	out := []Program{}
	at := map[string]int{}
	for _, x := range t.all {
		name := x.program()
		i, known := at[name]
		if !known {
			i, at[name] = len(out), len(out)
			out = append(out, Program{Name: name})
		}
		p := &out[i]
		p.Attempts += x.Times
		switch x.Outcome {
		case "succeeded":
			p.Ready += x.Times
		case "failed":
			p.Failed += x.Times
		case "denied":
			p.Denied += x.Times
		default:
			p.Other += x.Times
		}
	}
	return out
}

// table is a row for each attempt; of more than three in a row that went alike,
// one and the others together.
func (t *tracks) table() (rows []AttemptRow, more int) {
	rows = []AttemptRow{}
	for i := 0; i < len(t.all); {
		run := []AttemptRow{t.all[i].row()}
		for i++; i < len(t.all) && alike(run[0], t.all[i].row()); i++ {
			run = append(run, t.all[i].row())
		}
		if len(run) > 3 {
			rest := run[1]
			for _, r := range run[2:] {
				rest.Times += r.Times
				rest.Last, rest.End = r.Number, r.End
			}
			rest.DurationNS = nil
			run = []AttemptRow{run[0], rest}
		}
		rows = append(rows, run...)
	}
	if len(rows) > maxAttempts {
		rows, more = rows[:maxAttempts], len(rows)-maxAttempts
	}
	return rows, more
}

func (x *track) row() AttemptRow {
	r := x.AttemptRow
	r.By = x.program()
	return r
}

func alike(a, b AttemptRow) bool {
	return a.By == b.By && a.Stage == b.Stage && a.Outcome == b.Outcome && a.Reason == b.Reason && a.Outcome != "open"
}
