//go:build !race

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"

	"github.com/nats-io/nkeys"
)

// child makes the test binary the program itself: the library's connect has data
// races, and its worst failure ends the process.
const child = "IBRECORDER_TEST_RUNNER"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

type blind struct{}

func (blind) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}
}

func TestTheRunner(t *testing.T) {
	for _, version := range []int{176, 203, 213} {
		t.Run(fmt.Sprint("server version ", version), func(t *testing.T) { story(t, version) })
	}
}

// story is a session that the Gateway ends, a silence, the stop, its release, and a
// session again.
func story(t *testing.T, version int) {
	plan, err := gwsim.Parse(strings.NewReader("connection 1:\n  hello\n  wait start-api\n  ready\n  silence 500ms\n  fin\nconnection 2:\n  silence\nconnection 3..:\n  play healthy\n"))
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	sim := gwsim.New(gwsim.Options{Script: plan, Version: version})
	simulated, end := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(simulated, ln) }()
	defer func() { end(); <-served; sim.Close() }()

	key, err := nkeys.CreateUser()
	must(t, err)
	seed, err := key.Seed()
	must(t, err)
	public, err := key.PublicKey()
	must(t, err)
	file := filepath.Join(t.TempDir(), "robo-1.nk")
	must(t, os.WriteFile(file, seed, 0o600))
	p := policy.Demo()
	p.SettleMS, p.BackoffBaseMS, p.BackoffCapMS = 100, 10, 10
	loaded, err := policy.Load("demo", p, events.Enforce)
	must(t, err)
	data, err := os.MkdirTemp("", "ibr") // the socket's path must be short
	must(t, err)
	defer os.RemoveAll(data)
	running, stop := context.WithCancel(context.Background())
	d, err := daemon.Open(running, daemon.Config{
		Data: data, Policy: loaded, Version: "test", Sensor: func(string) recorder.Sensor { return blind{} },
		NATS:     &daemon.NATS{Listen: "127.0.0.1:0", Runners: map[string]string{"robo-1": public}},
		Gateways: []daemon.Gateway{{Name: "main", Address: ln.Addr().String(), Tap: "127.0.0.1:0"}},
	})
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	defer func() { stop(); must(t, <-ended) }()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-recorder", d.NATS(), "-seed", file, "-address", ln.Addr().String(), "-timeout", "1500ms")
	cmd.Env = append(os.Environ(), child+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	says := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) {
			t.Fatalf("the runner says %q, want %q", lines.Text(), want)
		}
	}
	says("ready")
	says("over")
	says("failed: reported_timeout")
	says("stopped: main needs a manual restart since ")
	if !strings.HasSuffix(lines.Text(), "restart the Gateway, log in, then: recorder resume main --reason TEXT") {
		t.Errorf("the runner says %q, and not what to type", lines.Text())
	}
	api := httpapi.Dial(data)
	_, err = api.Resume(ctx, "main", httpapi.Claim{By: "kim", Reason: "restarted"})
	must(t, err)
	says("released")
	says("ready")
	must(t, cmd.Process.Signal(os.Interrupt))
	says("over")
	must(t, cmd.Wait())

	if n := sim.Summary().Connects; n != 3 {
		t.Errorf("the Gateway saw %d connects", n)
	}
	st, err := api.Status(ctx, "main")
	must(t, err)
	if st.Totals.Permitted != 3 || st.Totals.Succeeded != 2 || st.Totals.Failed != 1 || st.Totals.Stops != 1 {
		t.Errorf("counted %+v", st.Totals)
	}
	j := rule.New()
	for rec, err := range api.Read(ctx, "main", 1, 0) {
		must(t, err)
		j.Step(rec)
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		t.Errorf("the verdict is %s: %+v", v.Outcome, v)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
