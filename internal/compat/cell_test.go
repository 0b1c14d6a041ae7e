//go:build !race

package compat_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/wire"
	"ibrecorder/store"
)

// cell is one client in one scene, before a Gateway of one server version.
type cell struct {
	client  client
	scene   scene
	version int
}

// result is what came of it.
type result struct {
	believes string
	says     string
	problems []string // a rule that does not hold, a connect without a permit
}

// budget is short enough to wait for, and long enough for a loaded machine.
const budget = 4 * time.Second

func params() events.PolicyLoaded {
	p := policy.Demo()
	ms := budget.Milliseconds()
	p.DialTimeoutMS, p.VersionBudgetMS, p.StartAPIBudgetMS, p.ReadyBudgetMS = ms, ms, ms, ms
	loaded, err := policy.Load("demo", p, events.Enforce)
	if err != nil {
		panic(err)
	}
	return loaded
}

type sensor struct{}

// Observe reads nothing: what the socket tables say is not what this is about.
func (sensor) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}
}

func (o orders) config(explain bool) daemon.Config {
	return daemon.Config{
		Data: o.Data, Policy: params(), Version: "test", Explain: explain,
		Sensor:   func(string) recorder.Sensor { return sensor{} },
		Gateways: []daemon.Gateway{{Name: "main", Address: o.Address, Tap: o.Host + ":0"}},
	}
}

// play runs one cell.
func (c cell) play(t *testing.T) (r result) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ibr") // short: a socket's path has 103 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	sim, address, end := c.gateway(t)
	defer end()
	o := orders{Data: dir, Address: address, Host: loopback()}
	if c.client.name == session {
		b, err := c.client.run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		r.believes = "as the recorder says; its process ends in order"
		if b.Ended != "left" {
			r.believes = b.String()
		}
	} else {
		r.believes = c.seen(c.through(t, o).String())
	}
	permits := 0
	r.says, permits, r.problems = read(t, dir, c.scene.before == explains)
	connects := 0
	if sim != nil {
		connects = sim.Summary().Connects
	}
	if c.scene.before == other {
		connects-- // the other one
	}
	if connects > permits {
		r.problems = append(r.problems, fmt.Sprintf("%d connects and %d permits", connects, permits))
	}
	return r
}

// races are beliefs that differ from run to run, all that were seen.
var races = []struct {
	scene, client string
	seen          []string
}{
	// The second ones were seen seldom, and on a busy machine only. Why stoqey is told of
	// the end and now and then not of the reset is not known.
	{"drop-after-ready", "@stoqey/ib 1.6.10", []string{"ready; error 502; told of the end", "ready; told of the end"}},
	{"drop-after-ready", "@stoqey/ib 1.2.39", []string{"ready; error 502; told of the end", "ready; told of the end"}},
	{"rst-after-version", "@stoqey/ib 1.6.10", []string{"connected; error 502; told of the end", "connected; told of the end"}},
	{"rst-after-version", direct, []string{"connected; Connect returns nil; told of the end", dies}},
	{"close-after-version", direct, []string{"connected; Connect returns nil; told of the end", dies}},
}

const dies = "its process dies (fatal error: sync: unlock of unlocked mutex)"

// seen is a belief, with the others that this client was seen to have here if it is one
// of them. One that was not seen before stands alone, and so shows in the document.
func (c cell) seen(b string) string {
	for _, r := range races {
		if r.scene == c.scene.name && r.client == c.client.name && slices.Contains(r.seen, b) {
			return strings.Join(r.seen, ", or: ")
		}
	}
	return b
}

// through lets the client connect through a recorder in this process.
func (c cell) through(t *testing.T, o orders) belief {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d, err := daemon.Open(ctx, o.config(c.scene.before == explains))
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("the recorder: %v", err)
		}
	}()
	address, err := net.ResolveTCPAddr("tcp", d.Gateways()[0].Tap)
	if err != nil {
		t.Fatal(err)
	}
	api := httpapi.Dial(o.Data)
	held := c.scene.before == stopped || c.scene.before == explains
	if held {
		stop(t, api)
	}
	b, err := c.client.run(ctx, orders{Host: o.Host, Port: address.Port})
	if err != nil {
		t.Fatal(err)
	}
	if !held { // an attempt has an end, and a connection too
		until(t, api, func(k events.Kind) bool { return k == "client.closed" || k == "client.rejected" })
	}
	return b
}

// stop lets a report stop the gate, and waits until nobody is let in.
func stop(t *testing.T, api *httpapi.Client) {
	t.Helper()
	const down = `{"specversion":"1.0","id":"d1","source":"/runner/robo-1","type":"ibrecorder.gateway.down.v1","subject":"main","datacontenttype":"application/json","data":{"reason":"reported"}}`
	if _, err := api.Submit(t.Context(), "main", []byte(down)); err != nil {
		t.Fatal(err)
	}
	// The listener for the stop is read after the taps were shut.
	until(t, api, func(k events.Kind) bool { return k == "gateway.observed" })
}

// until waits for an event.
func until(t *testing.T, api *httpapi.Client, is func(events.Kind) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for rec, err := range api.Tail(ctx, "main", 1) {
		if err != nil {
			t.Fatalf("waiting for an event: %v", err)
		}
		if is(rec.Kind()) {
			return
		}
	}
}

// gateway is the far end of a scene; sim is nil where none is.
func (c cell) gateway(t *testing.T) (sim *gwsim.Gateway, address string, end func()) {
	t.Helper()
	if c.scene.before == fullUp {
		address, end = full(t)
		return nil, address, end
	}
	ln, err := net.Listen("tcp", loopback()+":0")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := c.scene.plan()
	if err != nil {
		t.Fatal(err)
	}
	sim = gwsim.New(gwsim.Options{Script: plan, Version: c.version})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, ln) }()
	leave := func() {}
	switch c.scene.before {
	case other:
		leave = occupy(t, ln.Addr().String())
	case deaf:
		if err := sim.Wait(ctx, func(gwsim.Summary) bool { return true }); err != nil {
			t.Fatal(err)
		}
		if err := sim.Down(); err != nil {
			t.Fatal(err)
		}
	}
	return sim, ln.Addr().String(), func() { leave(); cancel(); <-served; sim.Close() }
}

// hosts counts the addresses that were given out.
var hosts atomic.Int32

// loopback is an address of this machine that no other cell uses, nor anything else that
// asks for a port: one that is closed, which is what two scenes are about, would be
// somebody's before the client comes.
func loopback() string {
	if runtime.GOOS != "linux" { // which has all of 127.0.0.0/8
		return "127.0.0.1"
	}
	n := hosts.Add(1)
	return fmt.Sprintf("127.78.%d.%d", n/250, n%250+1)
}

// occupy is another program, ready, directly at the Gateway.
func occupy(t *testing.T, address string) (leave func()) {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(time.Minute))
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		t.Fatal(err)
	}
	scan, buf, frames := wire.NewScanner(0), make([]byte, 4096), 0
	for frames < 3 { // the version, managedAccounts, nextValidId
		n, err := nc.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		for f := range scan.Frames(buf[:n]) {
			if frames++; frames > 1 {
				continue
			}
			v, err := wire.ParseVersionReply(f)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := nc.Write(wire.AppendStartAPI(nil, v.Version, wire.StartAPI{ClientID: clientID, HasClientID: true})); err != nil {
				t.Fatal(err)
			}
		}
	}
	return func() { _ = nc.Close() }
}

// full is an address whose kernel completes no more connects: its queue has one place,
// and that is taken.
func full(t *testing.T) (address string, end func()) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0))
	name, err2 := syscall.Getsockname(fd)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	address = fmt.Sprint("127.0.0.1:", name.(*syscall.SockaddrInet4).Port)
	var taken []net.Conn
	for len(taken) < 10 {
		nc, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address, func() {
				for _, nc := range taken {
					_ = nc.Close()
				}
				_ = syscall.Close(fd)
			}
		}
		taken = append(taken, nc)
	}
	t.Fatal("a listener whose queue is full still takes connects")
	return "", nil
}

// read is what the recorder says of the first attempt, from the log on disk.
func read(t *testing.T, dir string, explain bool) (says string, permits int, problems []string) {
	t.Helper()
	st, err := store.OpenCopy(t.Context(), dir, t.TempDir())
	for deadline := time.Now().Add(time.Minute); errors.Is(err, store.ErrLocked) && time.Now().Before(deadline); {
		// A client that is started at this moment has the lock too, from its fork to its exec.
		time.Sleep(10 * time.Millisecond)
		st, err = store.OpenCopy(t.Context(), dir, t.TempDir())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	l, err := st.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	var s sayings
	j := rule.New()
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		j.Step(rec)
		s.take(rec.Event)
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		problems = append(problems, fmt.Sprintf("the judge says %s", v.Outcome))
	}
	return s.String(), s.permits, problems
}

// sayings are what the recorder says, without what differs from run to run.
type sayings struct {
	attempt string // the first one
	story   []string
	codes   []string
	stopped bool
	permits int
}

func (s *sayings) take(e events.Event) {
	switch d := e.Data.(type) {
	case events.AttemptPermitted:
		s.permits++
		if s.attempt == "" {
			s.attempt = e.Attempt
		}
	case events.RestartRequired:
		s.stopped = true
	case events.ClientRejected:
		if s.attempt == "" {
			s.story = append(s.story, fmt.Sprintf("rejected: %s", d.Reason))
		}
	case events.AttemptDenied:
		if e.Attempt == "" { // one that names its attempt is of a session that tries again
			s.story = append(s.story, "counted as denied")
		}
	}
	if s.attempt == "" || e.Attempt != s.attempt {
		return
	}
	switch d := e.Data.(type) {
	case events.AttemptSucceeded:
		s.story = append(s.story, "ready")
	case events.AttemptFailed:
		what := fmt.Sprintf("failed: %s", d.Reason)
		if d.Code != 0 {
			what += fmt.Sprintf(", %d", d.Code)
		}
		s.story = append(s.story, what)
	case events.AttemptAbandoned:
		s.story = append(s.story, fmt.Sprintf("abandoned at %s", d.Stage))
	case events.AttemptUnknown:
		s.story = append(s.story, fmt.Sprintf("unknown: %s", d.Reason))
	case events.SessionDegraded:
		s.story = append(s.story, fmt.Sprintf("degraded %d", d.Code))
	case events.SessionRestored:
		s.story = append(s.story, fmt.Sprintf("restored %d", d.Code))
	case events.SessionLost:
		s.story = append(s.story, fmt.Sprintf("lost: %s", d.Reason))
	case events.SessionClosed:
		s.story = append(s.story, "ended on this side")
	case events.GatewayNotice:
		if code := fmt.Sprint(d.Code); !slices.Contains(s.codes, code) {
			s.codes = append(s.codes, code)
		}
	}
}

func (s *sayings) String() string {
	story := slices.Clone(s.story)
	if len(story) == 0 {
		story = []string{"nothing"}
	}
	if s.permits == 0 {
		story[len(story)-1] += ", and nothing was dialled"
	}
	if s.stopped {
		story = append(story, "STOPPED")
	}
	if len(s.codes) > 0 {
		story = append(story, "codes "+strings.Join(s.codes, " "))
	}
	return strings.Join(story, "; ")
}
