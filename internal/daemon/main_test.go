package daemon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/policy"

	"go.uber.org/goleak"
)

// childEnv holds the orders of a test binary that is to be a recorder.
const childEnv = "IBRECORDER_TEST_DAEMON"

// orders are what a child does.
type orders struct {
	Data    string
	Address string
	Tap     string
	Explain bool             // what programs meet while the gate is stopped
	KillAt  string           // the step at whose first time the process kills itself, "" never
	Trace   string           // a file that gets every step, "" none
	Storm   []daemon.Gateway // the gateways of a storm, instead of the one above
	Soak    []daemon.Gateway // those of a soak, under the policy that people have
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if address := os.Getenv(gatewayEnv); address != "" {
		if err := gateway(address); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// Temporary files of its own: the locks of Gateways are there, and another run of
	// these tests has the same addresses.
	dir, err := os.MkdirTemp("", "ibr")
	if err == nil {
		err = os.Setenv("TMPDIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// shortBudgets is a policy that a test can wait for.
func shortBudgets(mode events.Mode) events.PolicyLoaded {
	p := policy.Demo()
	p.DialTimeoutMS, p.VersionBudgetMS, p.StartAPIBudgetMS, p.ReadyBudgetMS = 500, 500, 500, 500
	p.SettleMS, p.ProbationSpacingMS, p.BackoffBaseMS, p.BackoffCapMS = 200, 10, 10, 20
	loaded, err := policy.Load("demo", p, mode)
	if err != nil {
		panic(err)
	}
	return loaded
}

// child is a recorder of its own, until a signal or its crash point.
func child(text string) error {
	var o orders
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	trace := func(string) {}
	if o.Trace != "" {
		f, err := os.OpenFile(o.Trace, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		trace = func(at string) { fmt.Fprintln(f, at) }
	}
	cfg := daemon.Config{
		Data: o.Data, Policy: shortBudgets(events.Enforce), Explain: o.Explain, Version: "test",
		Gateways: []daemon.Gateway{{Name: "main", Address: o.Address, Tap: o.Tap}},
		Logger:   slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Step: func(at string) {
			trace(at)
			if at == o.KillAt {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {} // the signal is on its way
			}
		},
	}
	if len(o.Storm) > 0 {
		cfg = stormConfig(cfg, o.Storm)
		tellMemory(ctx)
	}
	if len(o.Soak) > 0 {
		loaded, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
		if err != nil {
			return err
		}
		cfg.Gateways, cfg.Policy, cfg.Step = o.Soak, loaded, nil
		cfg.HTTP = &daemon.HTTP{Listen: "127.0.0.1:0"}
		tellMemory(ctx)
	}
	d, err := daemon.Open(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return d.Run(ctx)
}
