package daemon_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/watch"
	"ibrecorder/store"
)

// gatewayEnv holds the address of a test binary that is to be a Gateway, in a process
// of its own, that accepts and never answers; behind "hangs " one that never accepts.
const gatewayEnv = "IBRECORDER_TEST_GATEWAY"

func gateway(address string) error {
	address, hangs := strings.CutPrefix(address, "hangs ")
	plan, err := gwsim.Parse(strings.NewReader("connection 1..:\n  silence\n"))
	if err != nil {
		return err
	}
	ln, err := patiently("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	if hangs {
		_, err := os.Stdin.Read(make([]byte, 1)) // until it is killed
		return err
	}
	return gwsim.New(gwsim.Options{Script: plan, Version: 203}).Serve(context.Background(), ln)
}

// gatewayProcess starts one under a program's name.
func gatewayProcess(t *testing.T, name, address string) (end func()) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), gatewayEnv+"="+address)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	t.Cleanup(end)
	if line := bufio.NewScanner(out); !line.Scan() || line.Text() != "listening" {
		t.Fatalf("the Gateway says %q", line.Text())
	}
	return end
}

// history is the log on disk, when no recorder runs, and what the judge says of it.
func history(t *testing.T, dir string) ([]events.Record, rule.Verdict) {
	t.Helper()
	s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	var all []events.Record
	j := rule.New()
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		j.Step(rec)
		all = append(all, rec)
	}
	return all, j.Verdict()
}

func TestARestartIsSeenByItself(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells here who listens")
	}
	for _, c := range []struct {
		name, process string
		released      bool
	}{
		{"the Gateway's own process releases", "java", true},
		{"a forwarder's restart says nothing", "socat", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t)
			cfg := config(t, dir)
			cfg.Watch = 10 * time.Millisecond
			address := cfg.Gateways[0].Address
			end := gatewayProcess(t, c.process, address)
			r := start(t, cfg)
			(&stage{t: t, orders: orders{Tap: r.tap}}).attempt()
			sighted(t, r.api, events.ListeningYes, true)
			end()
			sighted(t, r.api, events.ListeningNo, false)
			gatewayProcess(t, c.process, address)
			sighted(t, r.api, events.ListeningYes, false)
			if c.released {
				until(t, r.api, func(s httpapi.Status) bool { return s.Gate == "PROBATION" })
			}
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			all, verdict := history(t, dir)
			released := false
			for _, rec := range all {
				switch d := rec.Data.(type) {
				case events.RestartClaimed:
					t.Error("somebody typed something")
				case events.RestartAcknowledged:
					released = d.Basis == events.BasisObserved && d.By == "recorder"
				case events.GatewayObserved:
					if d.QueueSockets == nil || d.UnacceptedSockets == nil {
						t.Errorf("#%d has no counts", rec.Seq)
					}
				}
			}
			if released != c.released || verdict.Outcome != rule.Holds {
				t.Errorf("released %t, want %t; the judge says %s", released, c.released, verdict.Outcome)
			}
		})
	}
}

// The acceptor hangs, and a program that went around the tap is stuck before it: that
// stops the gate, and nobody of ours has to connect to find out.
func TestAnAcceptorThatHangsStopsTheGateWithoutADial(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux shows who waits unaccepted")
	}
	dir := folder(t)
	cfg := config(t, dir)
	cfg.Watch = 10 * time.Millisecond
	address := cfg.Gateways[0].Address
	end := gatewayProcess(t, "java", "hangs "+address)
	r := start(t, cfg)
	around, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer around.Close()
	if _, err := around.Write([]byte("API\x00\x00\x00\x00\x09v100..225")); err != nil {
		t.Fatal(err)
	}
	until(t, r.api, func(s httpapi.Status) bool { return s.Gate == "STOPPED" && s.Stop.Reason == events.DownWedged })
	sighted(t, r.api, events.ListeningYes, true)
	if c, err := net.Dial("tcp", r.tap); err == nil {
		c.Close()
		t.Error("the tap's port is open")
	}
	// Whoever connected is in the queue still, for nobody takes anybody out of it.
	if seen := (&watch.Listener{Address: address}).Observe(t.Context()); *seen.QueueSockets != 1 {
		t.Errorf("%d connections in the Gateway's queue, want the one that went around", *seen.QueueSockets)
	}
	end()
	sighted(t, r.api, events.ListeningNo, false)
	gatewayProcess(t, "java", address)
	until(t, r.api, func(s httpapi.Status) bool { return s.Gate == "PROBATION" })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	all, verdict := history(t, dir)
	byID := make(map[string]events.Record)
	proven := false
	for _, rec := range all {
		byID[rec.ID] = rec
		switch d := rec.Data.(type) {
		case events.DialStarted, events.AttemptPermitted:
			t.Errorf("#%d is %s", rec.Seq, rec.Kind())
		case events.GatewayDown:
			proof := byID[d.Evidence[0]]
			seen, ok := proof.Data.(events.GatewayObserved)
			_, port, _ := net.SplitHostPort(around.LocalAddr().String())
			proven = ok && proof.Source == "/watch" && fmt.Sprint(seen.WedgedPort) == port && seen.WedgedMS >= 500 && seen.WedgedSamples >= 5
			if !proven {
				t.Errorf("#%d rests on %+v", rec.Seq, seen)
			}
		}
	}
	if !proven || verdict.Outcome != rule.Holds {
		t.Errorf("proven %t; the judge says %s", proven, verdict.Outcome)
	}
}

// sighted waits until the log has a reading such as that since the stop: the one that
// the stop asked for, or one that nobody did.
func sighted(t *testing.T, api *httpapi.Client, want events.Listening, asked bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stopped := false
	for rec, err := range api.Tail(ctx, "main", 1) {
		if err != nil {
			t.Fatalf("waiting for a listener, %s: %v", want, err)
		}
		switch d := rec.Data.(type) {
		case events.RestartRequired:
			stopped = true
		case events.GatewayObserved:
			if stopped && (rec.Cause != "") == asked && d.Listening == want {
				return
			}
		}
	}
}

func TestWhatCannotBeWatchedSaysSo(t *testing.T) {
	for _, c := range []struct{ name, address, want string }{
		{"a Gateway on another host", "192.0.2.1:4001", "the Gateway is on another host"},
		{"a Gateway here", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(t, folder(t))
			if c.address != "" {
				cfg.Gateways[0].Address = c.address
			}
			r := start(t, cfg)
			s, err := r.api.Status(t.Context(), "main")
			if err != nil || s.Blind != c.want {
				t.Errorf("%q, %v; want %q", s.Blind, err, c.want)
			}
		})
	}
}
