package daemon_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/wire"
	"ibrecorder/store"
)

// story is a Gateway that works, dies, and works again after its restart.
const story = `
connection 1:
    play healthy
connection 2..:
    silence
on restart:
connection 1..:
    play healthy
`

// patience bounds what a test waits for.
const patience = 30 * time.Second

// stage is a simulated Gateway in this process, and a recorder in a child that is
// started again whenever it was killed.
type stage struct {
	t      testing.TB
	sim    *gwsim.Gateway
	api    *httpapi.Client
	orders orders
	child  *exec.Cmd
	exited chan error
	kills  int
}

func newStage(t testing.TB, killAt, trace string) *stage {
	t.Helper()
	plan, err := gwsim.Parse(strings.NewReader(story))
	if err != nil {
		t.Fatal(err)
	}
	host := loopback()
	ln, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ibr") // short: a socket's path has 103 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, sim: gwsim.New(gwsim.Options{Script: plan, Version: 203, Listen: patiently}), api: httpapi.Dial(dir),
		orders: orders{Data: dir, Address: ln.Addr().String(), Tap: freePort(t, host), KillAt: killAt, Trace: trace}}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.sim.Serve(ctx, ln) }()
	t.Cleanup(func() {
		s.end(syscall.SIGKILL)
		cancel()
		<-served
		s.sim.Close()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return s
}

var hosts atomic.Int32

// patiently listens again on a port that was closed a moment ago. A recorder that
// is started at that moment has it too, from its fork to its exec.
func patiently(network, address string) (net.Listener, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		ln, err := net.Listen(network, address)
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return ln, err
		}
	}
}

// loopback is an address of this machine that no other test uses: a port that is
// closed for a moment would be taken by somebody's connection otherwise.
func loopback() string {
	if runtime.GOOS != "linux" { // which has all of 127.0.0.0/8
		return "127.0.0.1"
	}
	n := hosts.Add(1)
	return fmt.Sprintf("127.77.%d.%d", n/250, n%250+1)
}

// freePort is an address that nobody listens on at this moment.
func freePort(t testing.TB, host string) string {
	t.Helper()
	if host != "127.0.0.1" {
		return host + ":4102" // it is ours alone
	}
	ln, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// begin starts the child, and returns when it is ready or dead.
func (s *stage) begin() {
	s.t.Helper()
	text, err := json.Marshal(s.orders)
	if err != nil {
		s.t.Fatal(err)
	}
	s.child = exec.Command(os.Args[0])
	s.child.Env = append(os.Environ(), childEnv+"="+string(text))
	var said strings.Builder
	s.child.Stderr = &said
	out, err := s.child.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.child.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	s.exited = make(chan error, 1)
	child := s.child
	go func() {
		_, _ = io.Copy(io.Discard, out)
		s.exited <- child.Wait()
	}()
	if line != "ready\n" {
		err := <-s.exited
		s.exited <- err
		if !killed(err) {
			s.t.Fatalf("the recorder did not start: %v\n%s", err, said.String())
		}
	}
}

// killed says whether a process died of its crash point.
func killed(err error) bool {
	e, ok := errors.AsType[*exec.ExitError](err)
	return ok && e.Sys().(syscall.WaitStatus).Signaled() && e.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// alive starts the child again if it was killed. Its crash point is used up then.
func (s *stage) alive() {
	s.t.Helper()
	for s.child == nil || s.dead() {
		s.begin()
	}
}

func (s *stage) dead() bool {
	select {
	case err := <-s.exited:
		if !killed(err) {
			s.t.Fatalf("the recorder ended: %v", err)
		}
		s.kills++
		s.orders.KillAt = ""
		return true
	default:
		return false
	}
}

// end stops the child.
func (s *stage) end(sig syscall.Signal) error {
	if s.child == nil {
		return nil
	}
	_ = s.child.Process.Signal(sig)
	err := <-s.exited
	s.child = nil
	return err
}

// until plays act, with a recorder that runs, until the gate is as wanted.
func (s *stage) until(what string, wanted func(httpapi.Status) bool, act func()) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		s.alive()
		st, err := s.api.Status(ctx, "main")
		if err == nil && wanted(st) {
			return
		}
		if ctx.Err() != nil {
			s.t.Fatalf("waiting until %s: %+v, %v", what, st, err)
		}
		act()
		time.Sleep(10 * time.Millisecond) // not to spin
	}
}

// attempt is a program that connects through the tap, and leaves once it is ready
// or gets no further.
func (s *stage) attempt() {
	nc, err := net.DialTimeout("tcp", s.orders.Tap, time.Second)
	if err != nil {
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		return
	}
	scan, buf, ready := wire.NewScanner(0), make([]byte, 4096), 0
	for ready < 3 {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		for range scan.Frames(buf[:n]) {
			if ready++; ready == 1 { // the version; then managedAccounts and nextValidId
				if _, err := nc.Write(wire.AppendStartAPI(nil, 203, wire.StartAPI{ClientID: 7, HasClientID: true})); err != nil {
					return
				}
			}
		}
	}
}

// crowd is three programs at once. When the second meets a Gateway that died after
// the first, the third is waiting.
func (s *stage) crowd() {
	var all sync.WaitGroup
	for range 3 {
		all.Go(s.attempt)
	}
	all.Wait()
}

// play is the whole story. It returns how many connects the Gateway saw while the
// gate was stopped.
func (s *stage) play() (whileStopped int) {
	s.t.Helper()
	stopped := func(st httpapi.Status) bool { return st.Gate == "STOPPED" }
	s.until("the gate stops", stopped, s.crowd)
	before := s.sim.Summary().Connects
	for range 20 {
		s.attempt()
		s.alive()
	}
	if err := s.sim.Restart(); err != nil {
		s.t.Fatal(err)
	}
	for range 5 { // a healthy Gateway, and still nobody may dial
		s.attempt()
		s.alive()
	}
	whileStopped = s.sim.Summary().Connects - before
	s.until("it is released", func(st httpapi.Status) bool { return !stopped(st) }, func() {
		_, _ = s.api.Resume(context.Background(), "main", httpapi.Claim{By: "kim", Reason: "restarted it"}) // the status tells
	})
	s.until("the gate opens", func(st httpapi.Status) bool { return st.Gate == "OPEN" && st.Totals.Succeeded > 0 && st.Epoch > 0 }, s.attempt)
	if err := s.end(syscall.SIGINT); err != nil {
		if !killed(err) {
			s.t.Errorf("the recorder ended: %v", err)
		}
		s.kills++
		s.orders.KillAt = ""
		s.begin()
		if err := s.end(syscall.SIGINT); err != nil {
			s.t.Errorf("the recorder ended: %v", err)
		}
	}
	return whileStopped
}

// log is what is on disk when the recorder has ended.
func (s *stage) log() []events.Record {
	s.t.Helper()
	st, err := store.OpenCopy(s.t.Context(), s.orders.Data, s.t.TempDir())
	if err != nil {
		s.t.Fatal(err)
	}
	defer st.Close()
	l, err := st.Log(s.t.Context(), "main")
	if err != nil {
		s.t.Fatal(err)
	}
	var all []events.Record
	for rec, err := range l.Read(s.t.Context(), 1, 0) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, rec)
	}
	return all
}

func TestKilledAtEveryStep(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	s := newStage(t, "", trace)
	if n := s.play(); n != 0 {
		t.Errorf("%d connects while stopped", n)
	}
	judged(t, s)
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var points []string
	for at := range strings.Lines(string(text)) {
		if at = strings.TrimSpace(at); !slices.Contains(points, at) {
			points = append(points, at)
		}
	}
	if len(points) < 40 {
		t.Fatalf("only %d steps to be killed at: %v", len(points), points)
	}
	// A story waits more than it works, so more of them run at once than there are
	// processors.
	var stories sync.WaitGroup
	turn := make(chan struct{}, 6)
	defer stories.Wait()
	for _, at := range points {
		turn <- struct{}{}
		stories.Go(func() {
			defer func() { <-turn }()
			t.Run("killed before "+at, func(t *testing.T) {
				kills := 0
				for stories := 0; kills == 0 && stories < 5; stories++ { // a client that leaves early does not do so in each
					s := newStage(t, at, "")
					if n := s.play(); n != 0 {
						t.Errorf("%d connects while stopped", n)
					}
					kills = s.kills
					judged(t, s)
				}
				if kills != 1 {
					t.Errorf("killed %d times, want once", kills)
				}
			})
		})
	}
}

// judged holds the log against the judge and against what the Gateway saw.
func judged(t *testing.T, s *stage) {
	t.Helper()
	j, decided := rule.New(), audit.New()
	var history strings.Builder
	permits, missing := 0, 0
	for _, rec := range s.log() {
		j.Step(rec)
		decided.Step(rec.Event)
		fmt.Fprintf(&history, "%s\n", rec.Raw)
		switch d := rec.Data.(type) {
		case events.AttemptPermitted:
			permits++
		case events.AttemptUnknown, events.AttemptAbandoned:
			missing++
		case events.AttemptFailed:
			if d.Reason == events.Refused || d.Reason == events.DialTimeout {
				missing++
			}
		}
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		t.Errorf("verdict %s: %+v\n%s", v.Outcome, v, history.String())
	}
	if r := decided.Result(); r.Total > 0 || r.Checked == 0 || r.Skipped > 0 {
		t.Errorf("of %d decisions %d were not the policy's, and %d not compared (%s): %+v\n%s", r.Checked, r.Total, r.Skipped, r.Why, r.Findings, history.String())
	}
	connects := s.sim.Summary().Connects
	if connects > permits || connects < permits-missing {
		t.Errorf("the Gateway saw %d connects; the log has %d permits, of which %d may have led to none\n%s", connects, permits, missing, history.String())
	}
}
