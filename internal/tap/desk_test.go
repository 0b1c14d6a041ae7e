package tap_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/tap"
)

// desk is the loop of the recorder as far as a tap can see it: it stamps and
// folds what it is handed, in order, and answers by its script. One permit at a
// time; the next one waits for the end of the attempt before.
type desk struct {
	mode     events.Mode
	script   func(n int) answer
	redactor *events.Redactor
	folder   *fsm.Folder

	mu       sync.Mutex // guards everything below
	changed  chan struct{}
	boot     time.Time
	state    fsm.State
	judge    *rule.Judge
	findings []rule.Finding
	log      []events.Record
	prev     events.Hash
	waiting  []request
	requests int
	denied   int
}

type request struct {
	draft   events.Draft
	id      string
	answers chan tap.Answer
}

// answer is what a desk does with a request.
type answer string

const (
	grant answer = "grant"
	deny  answer = "deny" // the gate is stopped
	never answer = "never"
	fail  answer = "fail" // no decision
)

// budgets are short enough to wait for and long enough for a loaded machine.
func budgets(span time.Duration) events.Params {
	ms := span.Milliseconds()
	return events.Params{SilentLimit: 1, DialTimeoutLimit: 3, DialTimeoutMS: ms, VersionBudgetMS: ms, StartAPIBudgetMS: ms,
		ReadyBudgetMS: ms, ProbationAttempts: 2, WindowFailures: 1000}
}

func newDesk(mode events.Mode, params events.Params, script func(n int) answer) *desk {
	d := &desk{mode: mode, script: script, redactor: events.NewRedactor(make([]byte, 16)), folder: fsm.NewFolder(),
		changed: make(chan struct{}), boot: time.Now(), state: fsm.Initial(), judge: rule.New()}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stamp(events.Draft{Source: "/recorder", Data: events.RecorderStarted{Version: "1", Previous: events.PreviousNone}})
	d.stamp(events.Draft{Source: "/recorder", Data: events.PolicyLoaded{Preset: "handoff", Hash: strings.Repeat("0", 64), Mode: mode, Params: params}})
	return d
}

func always(a answer) func(int) answer { return func(int) answer { return a } }

func (d *desk) stamp(draft events.Draft) string {
	if _, ok := draft.Data.(events.DialStarted); ok {
		for _, x := range d.state.Sessions {
			if x.Attempt == draft.Attempt {
				draft.Cause = x.Permit
			}
		}
	}
	e := d.redactor.Event(draft, events.Stamp{Gateway: "live", Seq: uint64(len(d.log) + 1), Boot: "b1",
		Mono: time.Since(d.boot).Nanoseconds(), Prev: d.prev})
	r, err := events.NewRecord(e)
	if err != nil {
		panic(fmt.Sprintf("the tap reported what no log can hold: %v", err))
	}
	d.prev = r.Hash()
	d.log = append(d.log, r)
	d.state = d.folder.Apply(d.state, e)
	d.findings = append(d.findings, d.judge.Step(r)...)
	close(d.changed)
	d.changed = make(chan struct{})
	return e.ID
}

func (d *desk) Report(draft events.Draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stamp(draft)
	d.serve()
}

func (d *desk) Request(draft events.Draft) <-chan tap.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests++
	r := request{draft: draft, id: d.stamp(draft), answers: make(chan tap.Answer, 1)}
	decision := func(p events.Payload) events.Draft {
		return events.Draft{Source: "/recorder", Conn: draft.Conn, Attempt: draft.Attempt, Cause: r.id, Data: p}
	}
	switch d.script(d.requests) {
	case grant:
		d.waiting = append(d.waiting, r)
		d.serve()
	case deny:
		d.stamp(decision(events.AttemptDenied{Policy: "p", Reason: events.HoldStopped, Count: 1}))
		r.answers <- tap.Answer{Reason: events.HoldStopped}
	case fail:
		r.answers <- tap.Answer{Err: fmt.Errorf("the log is full")}
	}
	return r.answers
}

func (d *desk) Denied() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.denied++
	close(d.changed)
	d.changed = make(chan struct{})
}

// serve permits the next request if nothing is in flight. In observe mode nobody waits.
func (d *desk) serve() {
	for len(d.waiting) > 0 && (d.mode == events.Observe || !d.state.Busy()) {
		r := d.waiting[0]
		d.waiting = d.waiting[1:]
		if slices.ContainsFunc(d.state.Waiting, func(w fsm.Request) bool { return w.ID == r.id }) {
			p := events.AttemptPermitted{Policy: "p", Enforced: d.mode == events.Enforce}
			if d.state.Busy() {
				p.Against = events.HoldInFlight
			}
			id := d.stamp(events.Draft{Source: "/recorder", Conn: r.draft.Conn, Attempt: r.draft.Attempt, Cause: r.id, Data: p})
			r.answers <- tap.Answer{Permit: id}
		}
	}
}

// wait waits until cond holds for what was stamped so far.
func (d *desk) wait(t *testing.T, what string, cond func([]events.Record) bool) {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	for {
		d.mu.Lock()
		log, changed := d.log, d.changed
		d.mu.Unlock()
		if cond(log) {
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			t.Fatalf("waited a minute until %s; the log is\n%s", what, strings.Join(d.story(""), "\n"))
		}
	}
}

// until waits for what no event tells.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for began := time.Now(); !cond(); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("waited a minute until ", what)
		}
	}
}

// count waits for the n-th event of a kind.
func (d *desk) count(t *testing.T, kind events.Kind, n int) {
	t.Helper()
	d.wait(t, fmt.Sprintf("%s came %d times", kind, n), func(log []events.Record) bool {
		seen := 0
		for _, r := range log {
			if r.Kind() == kind {
				seen++
			}
		}
		return seen >= n
	})
}

// story is the log in words: what a tap reported about one connection, "" for all.
func (d *desk) story(conn string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, r := range d.log {
		if r.Source != "/recorder" && (conn == "" || r.Conn == conn) {
			out = append(out, words(r.Event))
		}
	}
	return out
}

// tells fails the test unless the tap reported exactly this about a connection.
func (d *desk) tells(t *testing.T, conn string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.story(conn)); diff != "" {
		t.Errorf("the story of %s, want -, got +\n%s", conn, diff)
	}
}

// legal fails the test if the fold or the judge finds the order of events impossible.
func (d *desk) legal(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state.Odd.Count != 0 {
		t.Errorf("the fold has %d anomalies, the last at #%d: %s", d.state.Odd.Count, d.state.Odd.Seq, d.state.Odd.Text)
	}
	for _, f := range d.findings {
		if (f.Rule == "RS4" || f.Rule == "RS5") && !f.Observed {
			t.Errorf("%s broken at #%d: %s", f.Rule, f.Seq, f.Text)
		}
	}
}

// payloads are those of one type, in order.
func payloads[P events.Payload](d *desk) []P {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []P
	for _, r := range d.log {
		if p, ok := r.Data.(P); ok {
			out = append(out, p)
		}
	}
	return out
}

// words are an event without what differs from run to run.
func words(e events.Event) string {
	out := []any{e.Kind()}
	id := func(n *int64) any {
		if n == nil {
			return "no-id"
		}
		return *n
	}
	switch d := e.Data.(type) {
	case events.ClientHello:
		out = append(out, fmt.Sprintf("v%d..%d", d.MinVersion, d.MaxVersion))
		if d.Options != "" {
			out = append(out, d.Options)
		}
	case events.ClientRejected:
		out = append(out, d.Reason)
		if d.FirstBytes != "" {
			out = append(out, d.FirstBytes)
		}
		if d.Count != 1 {
			out = append(out, "x", d.Count)
		}
	case events.ClientHeld:
		out = append(out, d.Reason, id(d.ClientID), fmt.Sprint(d.WaitMS, "ms"))
	case events.ClientClosed:
		out = append(out, d.By, d.How)
	case events.DialFailed:
		out = append(out, d.Reason)
	case events.HandshakeVersion:
		out = append(out, d.ServerVersion)
	case events.HandshakeAPIStarted:
		out = append(out, id(d.ClientID))
	case events.HandshakeReady:
		out = append(out, d.Accounts)
	case events.HandshakeTimedOut:
		out = append(out, d.Stage)
	case events.AttemptFailed:
		out = append(out, d.Reason, d.Stage)
		if d.By != "" {
			out = append(out, d.By, d.How)
		}
		if d.Code != 0 {
			out = append(out, d.Code)
		}
	case events.AttemptAbandoned:
		out = append(out, d.Stage)
		if d.Answered {
			out = append(out, "answered")
		}
	case events.DisconnectDeferred:
		out = append(out, d.Stage, d.How)
	case events.GatewayNotice:
		out = append(out, d.Code)
		if d.Count != 1 {
			out = append(out, "x", d.Count)
		}
	case events.SessionEstablished:
		out = append(out, id(d.ClientID), d.ServerVersion)
	case events.SessionDegraded:
		out = append(out, d.Code)
	case events.SessionRestored:
		out = append(out, d.Code)
	case events.SessionLost:
		out = append(out, d.Reason)
	case events.SessionClosed:
		out = append(out, d.By, d.How)
	}
	return strings.TrimSpace(fmt.Sprintln(out...))
}
