package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// tester is what *testing.T and *rapid.T have in common here.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
	Context() context.Context
}

// run is one run of a recorder over a log in memory, inside a bubble of fake time.
type run struct {
	t       tester
	g       *recorder.Gateway
	log     recorder.Log
	mem     *store.Memory
	relay   *relay
	sensor  *sensor
	draws   atomic.Int64 // of jitter
	off     atomic.Int64 // by how much the wall clock was set, nanoseconds
	ctx     context.Context
	cancel  context.CancelFunc
	drained chan struct{}
	ended   chan error
	faulty  bool // its policy is not policy.Decide
}

// relay records what the loop asks of it, and what the log ended with then.
type relay struct {
	mem    *store.Memory
	mu     sync.Mutex
	calls  []string
	closed int          // what Disconnect returns
	busy   atomic.Int64 // how many times Reopen fails

	reopened func() // called in Reopen, nil for nothing
}

func (r *relay) note(call string) {
	head, _ := r.mem.Head(context.Background())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, fmt.Sprintf("%s at %d", call, head.Seq))
}

func (r *relay) Shut()     { r.note("shut") }
func (r *relay) Unlisten() { r.note("unlisten") }
func (r *relay) Adopt(p events.Params) {
	r.note(fmt.Sprintf("adopt silent_limit=%d", p.SilentLimit))
}
func (r *relay) Reopen() error {
	r.note("reopen")
	if r.reopened != nil {
		r.reopened()
	}
	if r.busy.Add(-1) >= 0 {
		return errors.New("the port is taken")
	}
	return nil
}
func (r *relay) Disconnect(id *int64, handshakes bool) int {
	which := "all"
	if id != nil {
		which = fmt.Sprint(*id)
	}
	r.note(fmt.Sprintf("disconnect %s handshakes=%t", which, handshakes))
	return r.closed
}

func (r *relay) Hold(clients map[int64]time.Time) {
	var all []string
	for id, until := range clients {
		all = append(all, fmt.Sprintf("%d for %s", id, time.Until(until)))
	}
	slices.Sort(all)
	r.note("hold [" + strings.Join(all, ", ") + "]")
}

func (r *relay) asked() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.calls, "; ")
}

// sensor is a listener that a test may replace.
type sensor struct {
	mu   sync.Mutex
	seen events.GatewayObserved
}

func (s *sensor) Observe(context.Context) events.GatewayObserved {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func (s *sensor) set(seen events.GatewayObserved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = seen
}

func process(pid int64) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: pid, StartedMS: 1000 * pid}
}

var boots int

// bootName is another one for each run.
func bootName() string { return "b" + strings.Repeat("o", boots%100+1) + "t" }

// start begins a run on mem; log, if not nil, stands before it.
func start(t tester, mem *store.Memory, log recorder.Log, mode events.Mode, with ...func(*recorder.Config)) *run {
	t.Helper()
	r := startDraining(t, mem, log, mode, with...)
	context.AfterFunc(r.ctx, func() { close(r.drained) })
	return r
}

// startDraining begins a run whose relays end when the test says so.
func startDraining(t tester, mem *store.Memory, log recorder.Log, mode events.Mode, with ...func(*recorder.Config)) *run {
	t.Helper()
	loaded, err := policy.Load("handoff", policy.Handoff(), mode)
	if err != nil {
		t.Fatal(err)
	}
	if log == nil {
		log = mem
	}
	boots++
	r := &run{t: t, mem: mem, log: log, relay: &relay{mem: mem}, sensor: &sensor{seen: process(100)}, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	r.ctx, r.cancel, r.drained = ctx, cancel, make(chan struct{})
	cfg := recorder.Config{
		Gateway: "main", Log: log, Sensor: r.sensor, Redactor: events.NewRedactor(make([]byte, 16)), Policy: loaded,
		Boot: bootName(), Version: "test", Start: time.Now(),
		Wall:   func() time.Time { return time.Now().Add(time.Duration(r.off.Load())) },
		Jitter: func(most int64) int64 { r.draws.Add(1); return most / 2 },
	}
	for _, change := range with {
		change(&cfg)
	}
	if r.g, err = recorder.Open(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	r.faulty = cfg.Decide != nil
	go func() { r.ended <- r.g.Run(ctx, r.drained, r.relay) }()
	return r
}

// stop ends the run in order. What it leaves is what the judge finds, and what the policy
// decides, unless a test has put another one there.
func (r *run) stop() {
	r.t.Helper()
	r.cancel()
	if err := <-r.ended; err != nil {
		r.t.Errorf("Run: %v", err)
	}
	if !r.faulty {
		agrees(r.t, r.mem)
	}
}

// tap reports facts as a tap would.
func (r *run) tap(attempt string, facts ...events.Payload) {
	for _, data := range facts {
		r.g.Report(events.Draft{Source: "/tap", Conn: "c" + attempt, Attempt: attempt, Data: data})
	}
}

// request asks for a permit and returns where its answer comes.
func (r *run) request(attempt string) <-chan string {
	answer := make(chan string, 1)
	decided := r.g.Request(events.Draft{Source: "/tap", Conn: "c" + attempt, Attempt: attempt, Data: events.AttemptRequested{}})
	go func() {
		switch a := <-decided; {
		case a.Err != nil:
			answer <- "error: " + a.Err.Error()
		case a.Permit == "":
			answer <- "denied: " + string(a.Reason)
		default:
			if !r.has(a.Permit) {
				r.t.Errorf("permit %s was given out and is not in the log", a.Permit)
			}
			answer <- "permit"
		}
	}()
	return answer
}

// has says whether the log holds an event.
func (r *run) has(id string) bool {
	for rec, err := range r.mem.Read(context.Background(), 1, 0) {
		if err == nil && rec.ID == id {
			return true
		}
	}
	return false
}

// silent is what a tap reports of a Gateway that accepts and says nothing.
func (r *run) silent(attempt string) {
	r.tap(attempt, events.DialStarted{Address: "127.0.0.1:4002"}, events.DialConnected{LocalPort: 50001})
	time.Sleep(31 * time.Second)
	r.tap(attempt, events.HandshakeTimedOut{Stage: events.StageConnected, WaitedMS: 30_000, LimitMS: 30_000},
		events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: 30_000, LimitMS: 30_000})
}

// ready is what a tap reports of a Gateway that answers.
func (r *run) ready(attempt string) {
	id := int64(7)
	r.tap(attempt, events.DialStarted{Address: "127.0.0.1:4002"}, events.DialConnected{LocalPort: 50001},
		events.HandshakeVersion{ServerVersion: 203}, events.HandshakeAPIStarted{ClientID: &id}, events.HandshakeReady{Accounts: 1},
		events.AttemptSucceeded{ClientID: &id}, events.SessionEstablished{ClientID: &id})
}

// kinds is the log from one event on, a kind a word; what says more than its kind
// is said behind it.
func kinds(t tester, log recorder.Log, from uint64) string {
	t.Helper()
	var out []string
	for rec, err := range log.Read(context.Background(), from, 0) {
		if err != nil {
			t.Fatal(err)
		}
		word := string(rec.Kind())
		switch d := rec.Data.(type) {
		case events.AttemptUnknown:
			word += "(" + string(d.Reason) + ")"
		case events.RecorderStarted:
			word += "(" + string(d.Previous) + " " + strings.Join(d.Unfinished, ",") + ")"
		case events.AttemptFailed:
			word += "(" + string(d.Reason) + ")"
		case events.AttemptDenied:
			word += "(" + string(d.Reason) + ")"
		case events.RestartRejected:
			word += "(" + string(d.Why) + ")"
		case events.RestartAcknowledged:
			word += "(" + string(d.Basis) + ")"
		case events.RuleViolated:
			word += fmt.Sprintf("(%s bypassed=%t)", d.Rule, d.Bypassed)
		case events.RecorderGap:
			word += fmt.Sprintf("(%s %d)", d.Reason, d.Lost)
		}
		out = append(out, word)
	}
	return strings.Join(out, "\n")
}

// judged is the verdict of the offline judge on the whole log, and the hash of
// the fold from its beginning.
func judged(t tester, log recorder.Log) (rule.Verdict, fsm.State) {
	t.Helper()
	j, f, s := rule.New(), fsm.NewFolder(), fsm.Initial()
	for rec, err := range log.Read(context.Background(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		j.Step(rec)
		s = f.Apply(s, rec.Event)
	}
	return j.Verdict(), s
}

// holds checks the log as replay would, and that the loop's state is its fold.
func (r *run) holds() {
	r.t.Helper()
	synctest.Wait() // an event is in the log before it is in the state
	v, s := judged(r.t, r.mem)
	if v.Outcome != rule.Holds {
		r.t.Errorf("verdict %s\n%+v\n%s", v.Outcome, v, kinds(r.t, r.mem, 1))
	}
	if s.Odd.Count > 0 {
		r.t.Errorf("anomalies: %+v\n%s", s.Odd, kinds(r.t, r.mem, 1))
	}
	if got := r.g.View().State; got.Hash() != s.Hash() {
		r.t.Errorf("the state of the loop is not the fold of the log:\n%s\n%s", got.Canonical(), s.Canonical())
	}
}
