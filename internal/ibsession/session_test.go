//go:build !race

package ibsession_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/ibsession"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/tap"
	"ibrecorder/store"
)

// inChild runs the test once more in a process of its own, and returns true there.
// The library can end a process in a way that cannot be recovered from.
func inChild(t *testing.T) bool {
	t.Helper()
	const mark = "IBRECORDER_TEST_CHILD"
	if os.Getenv(mark) != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), mark+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("the child did not run the test:\n%s", out)
	}
	return false
}

// world is a simulated Gateway, a loop over a log in memory, and a session.
type world struct {
	t       *testing.T
	sim     *gwsim.Gateway
	mem     *store.Memory
	loop    *recorder.Gateway
	session *ibsession.Session
	end     func()
}

type sensor struct{}

func (sensor) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther}
}

func begin(t *testing.T, script string, version int, more func(*ibsession.Config)) *world {
	t.Helper()
	p := policy.Demo()
	p.VersionBudgetMS, p.ReadyBudgetMS, p.StartAPIBudgetMS = 1000, 1000, 1000
	p.SettleMS, p.ProbationSpacingMS, p.BackoffBaseMS, p.BackoffCapMS = 10, 10, 10, 10
	return under(t, p, script, version, more)
}

// under is begin with a policy of the test's own.
func under(t *testing.T, p events.Params, script string, version int, more func(*ibsession.Config)) *world {
	t.Helper()
	plan, err := gwsim.Parse(strings.NewReader(script))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, sim: gwsim.New(gwsim.Options{Script: plan, Version: version}), mem: store.NewMemory("main")}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.sim.Serve(ctx, ln) }()
	loaded, err := policy.Load("demo", p, events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	w.loop, err = recorder.Open(ctx, recorder.Config{
		Gateway: "main", Log: w.mem, Sensor: sensor{}, Redactor: events.NewRedactor(make([]byte, 16)), Policy: loaded,
		Boot: "boot", Version: "test", Start: time.Now(), Jitter: func(int64) int64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	cfg := ibsession.Config{
		Tap:      tap.Config{Desk: w.loop, Address: ln.Addr().String(), Prefix: "boot-s", Source: "/session", Params: p},
		ClientID: 7, OwnWait: 100 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if more != nil {
		more(&cfg)
	}
	w.session = ibsession.New(cfg)
	drained, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.loop.Run(ctx, drained, w.session) }()
	go func() { w.session.Run(ctx); close(drained) }()
	w.end = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the loop: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	}
	return w
}

// until waits for an event of the log that is.
func (w *world) until(what string, is func(events.Event) bool) events.Event {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	for rec, err := range w.mem.Tail(ctx, 1) {
		if err != nil {
			w.t.Fatalf("waiting for %s: %v\n%s", what, err, w.history())
		}
		if is(rec.Event) {
			return rec.Event
		}
	}
	panic("unreachable")
}

// nth is the nth event of one kind.
func nth[P events.Payload](n int) func(events.Event) bool {
	return func(e events.Event) bool {
		if _, ok := e.Data.(P); ok {
			n--
		}
		return n == 0
	}
}

func (w *world) history() string {
	var b strings.Builder
	for rec, err := range w.mem.Read(context.Background(), 1, 0) {
		if err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%s\n", rec.Raw)
	}
	return b.String()
}

// holds judges the log when the run is over.
func (w *world) holds() {
	w.t.Helper()
	j := rule.New()
	for rec, err := range w.mem.Read(context.Background(), 1, 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		j.Step(rec)
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		w.t.Errorf("verdict %s: %+v\n%s", v.Outcome, v, w.history())
	}
}

func TestTheLibraryConnects(t *testing.T) {
	if !inChild(t) {
		return
	}
	for _, version := range []int{176, 203, 213} {
		t.Run(fmt.Sprint("server version ", version), func(t *testing.T) {
			w := begin(t, "connection 1:\n  hello\n  wait start-api\n  ready\n  serve 1\n  fin\nconnection 2..:\n  play healthy\n", version,
				func(c *ibsession.Config) { c.AskEvery = 20 * time.Millisecond })
			w.until("ready", nth[events.AttemptSucceeded](1))
			lost := w.until("the loss", nth[events.SessionLost](1))
			if lost.Data.(events.SessionLost).Reason != events.LostFIN {
				t.Errorf("lost by %s", lost.Data.(events.SessionLost).Reason)
			}
			again := w.until("ready again", nth[events.AttemptSucceeded](2)).Data.(events.AttemptSucceeded)
			if again.ServerVersion != int64(version) || again.ClientID == nil || *again.ClientID != 7 {
				t.Errorf("connected again: %+v", again)
			}
			w.end()
			w.holds()
			if s := w.sim.Summary(); s.Connects != 2 || s.HandshakesCompleted != 2 || s.NotHellos != 0 {
				t.Errorf("the Gateway saw %+v", s)
			}
		})
	}
}

func TestAStopHoldsIt(t *testing.T) {
	if !inChild(t) {
		return
	}
	w := begin(t, "connection 1:\n  silence\nconnection 2..:\n  play healthy\n", 203, nil)
	w.until("the stop", nth[events.RestartRequired](1))
	if err := w.sim.Restart(); err != nil {
		t.Fatal(err)
	}
	// A healthy Gateway is there, and nobody dials: everything that the loop is asked
	// from here on is in the log before the release.
	rec, err := w.loop.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"})
	if err != nil {
		t.Fatal(err)
	}
	if n := w.sim.Summary().Connects; n != 1 {
		t.Errorf("%d connects before the release, want 1", n)
	}
	ready := w.until("ready", nth[events.AttemptSucceeded](1))
	if ready.Seq < rec.Seq {
		t.Errorf("ready at %d, before the release at %d", ready.Seq, rec.Seq)
	}
	w.end()
	w.holds()
}

// A runner reports the Gateway down while the session's dial is under way: the permit
// of before is no longer one.
func TestAStopCallsItsDialOff(t *testing.T) {
	if !inChild(t) {
		return
	}
	stopped := make(chan struct{})
	w := begin(t, "play healthy\n", 176, func(c *ibsession.Config) {
		c.Tap.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			select {
			case <-ctx.Done():
			case <-stopped:
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	w.until("the dial", nth[events.DialStarted](1))
	_, err := w.loop.Submit(t.Context(), events.Draft{ID: "r1", Source: "/runner/robo", Data: events.GatewayDown{Reason: events.DownReported}})
	if err != nil {
		t.Fatal(err)
	}
	w.until("the stop", nth[events.RestartRequired](1))
	close(stopped) // the network answers, too late
	w.until("the end of the attempt", nth[events.ClientClosed](1))
	w.end()
	w.holds()
	if n := w.sim.Summary().Connects; n != 0 {
		t.Errorf("%d connects while the gate is stopped", n)
	}
}

func TestItsOwnFailuresWait(t *testing.T) {
	if !inChild(t) {
		return
	}
	w := begin(t, "connection 1..2:\n  play client-id-in-use\nconnection 3..:\n  play healthy\n", 176, nil)
	first := w.until("the first 326", nth[events.AttemptFailed](1))
	if r := first.Data.(events.AttemptFailed).Reason; r != events.ClientIDInUse {
		t.Errorf("failed by %s", r)
	}
	second := w.until("the second request", nth[events.AttemptRequested](2))
	if ns, known := events.Elapsed(first, second); !known || ns < int64(100*time.Millisecond) {
		t.Errorf("the next attempt came after %s, want the wait of 100ms", time.Duration(ns))
	}
	w.until("ready", nth[events.AttemptSucceeded](1))
	w.end()
	w.holds()
}

// refusing is a recorder that refuses every permit.
type refusing struct {
	tap.Desk
	why   events.HoldReason
	asked chan time.Time
}

func (r refusing) Request(events.Draft) <-chan recorder.Answer {
	r.asked <- time.Now()
	answer := make(chan recorder.Answer, 1)
	answer <- recorder.Answer{Reason: r.why}
	return answer
}

func TestWhatTheJudgeRefusesIsNotAskedForAllTheTime(t *testing.T) {
	if !inChild(t) {
		return
	}
	const wait = 1500 * time.Millisecond
	asked := make(chan time.Time, 8)
	w := begin(t, "play healthy\n", 176, func(c *ibsession.Config) {
		c.Tap.Desk, c.OwnWait = refusing{c.Tap.Desk, events.HoldRule, asked}, wait
	})
	first := <-asked
	if again := (<-asked).Sub(first); again < wait {
		t.Errorf("it asked again after %s, want the wait of %s", again, wait)
	}
	w.end()
	if n := w.sim.Summary().Connects; n != 0 {
		t.Errorf("%d connects without a permit", n)
	}
}

// Each request is five events of what is left of a log that is nearly full.
func TestALogThatIsNearlyFullIsAskedLessAndLess(t *testing.T) {
	if !inChild(t) {
		return
	}
	const wait = 600 * time.Millisecond
	asked := make(chan time.Time, 8)
	w := begin(t, "play healthy\n", 176, func(c *ibsession.Config) {
		c.Tap.Desk, c.OwnWait = refusing{c.Tap.Desk, events.HoldLogFull, asked}, wait
	})
	first, second, third := <-asked, <-asked, <-asked
	if a, b := second.Sub(first), third.Sub(second); a < wait || b < 2*wait {
		t.Errorf("it asked again after %s and %s, want %s and twice that", a, b, wait)
	}
	w.end()
	if n := w.sim.Summary().Connects; n != 0 {
		t.Errorf("%d connects without a permit", n)
	}
}

// A wait that the recorder has scheduled for its id is waited out without an attempt,
// however short its own is.
func TestItWaitsForItsSchedule(t *testing.T) {
	if !inChild(t) {
		return
	}
	p := policy.Demo()
	p.BackoffBaseMS, p.BackoffCapMS = 700, 700
	w := under(t, p, "connection 1:\n  play client-id-in-use\nconnection 2..:\n  play healthy\n", 176, func(c *ibsession.Config) {
		c.OwnWait = time.Millisecond
	})
	first := w.until("the first 326", nth[events.AttemptFailed](1))
	w.until("ready", nth[events.AttemptSucceeded](1))
	second := w.until("the startAPI of the next", nth[events.HandshakeAPIStarted](2))
	if ns, known := events.Elapsed(first, second); !known || ns < int64(700*time.Millisecond) {
		t.Errorf("the next startAPI came after %s, want the wait of 700ms", time.Duration(ns))
	}
	w.end()
	w.holds()
	// The one more asked before the loop had told it, and learned it from the tap.
	if n := w.sim.Summary().Connects; n > 3 {
		t.Errorf("%d connects reached the Gateway, want 2 or 3: it does not wait", n)
	}
}

func TestAGatewayThatDropsEachSessionIsNotStormed(t *testing.T) {
	if !inChild(t) {
		return
	}
	w := begin(t, "hello\nwait start-api\nready\nfin\n", 176, func(c *ibsession.Config) {
		c.FirstWait, c.OwnWait = 50*time.Millisecond, 400*time.Millisecond
	})
	var lost []events.Event
	w.until("five losses", func(e events.Event) bool {
		if _, ok := e.Data.(events.SessionLost); ok {
			lost = append(lost, e)
		}
		return len(lost) == 5
	})
	// At once, and then 50, 100, 200 and 400 ms later.
	if ns, known := events.Elapsed(lost[0], lost[4]); !known || ns < int64(350*time.Millisecond) {
		t.Errorf("five sessions within %s", time.Duration(ns))
	}
	w.end()
	w.holds()
}

func TestObserveModeDoesNotStormAGatewayThatIsNotRunning(t *testing.T) {
	if !inChild(t) {
		return
	}
	w := begin(t, "play healthy\n", 176, func(c *ibsession.Config) {
		c.Tap.Observe, c.FirstWait, c.OwnWait = true, 50*time.Millisecond, 400*time.Millisecond
	})
	w.until("ready", nth[events.AttemptSucceeded](1))
	if err := w.sim.Down(); err != nil {
		t.Fatal(err)
	}
	var refused []events.Event
	w.until("five refused dials", func(e events.Event) bool {
		if d, ok := e.Data.(events.AttemptFailed); ok && d.Reason == events.Refused {
			refused = append(refused, e)
		}
		return len(refused) == 5
	})
	if ns, known := events.Elapsed(refused[0], refused[4]); !known || ns < int64(350*time.Millisecond) {
		t.Errorf("five dials within %s", time.Duration(ns))
	}
	w.end()
}

func TestALibraryThatDoesNotReachItsTapTriesAgain(t *testing.T) {
	if !inChild(t) {
		return
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	starve := func(c *ibsession.Config) { // a descriptor for the tap's listener, and none for the library
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		next := f.Fd()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		few := syscall.Rlimit{Cur: uint64(next) + 1, Max: before.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
			t.Fatal(err)
		}
	}
	w := begin(t, "play healthy\n", 176, starve)
	time.AfterFunc(300*time.Millisecond, func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) })
	w.until("ready", nth[events.AttemptSucceeded](1))
	w.end()
	w.holds()
}

func TestAMuteSession(t *testing.T) {
	if !inChild(t) {
		return
	}
	w := begin(t, "hello\nwait start-api\nready\nserve 2\nsilence 300ms\nserve\n", 203,
		func(c *ibsession.Config) { c.AskEvery = 30 * time.Millisecond })
	w.until("mute", nth[events.SessionMute](1))
	w.until("an answer", nth[events.SessionRestored](1))
	w.end()
	w.holds()
}
