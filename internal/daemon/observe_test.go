package daemon_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/rule"
	"ibrecorder/store"
)

func TestObserveModeHoldsNobody(t *testing.T) {
	plan, err := gwsim.Parse(strings.NewReader("connection 1..2:\n  silence\nconnection 3..:\n  play healthy\n"))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	sim := gwsim.New(gwsim.Options{Script: plan, Version: 203})
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, ln) }()
	defer func() { cancel(); <-served; sim.Close() }()

	dir := folder(t)
	cfg := config(t, dir)
	cfg.Policy = shortBudgets(events.Observe)
	cfg.Gateways[0].Address = ln.Addr().String()
	r := start(t, cfg)
	until := func(kind events.Kind) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for rec, err := range r.api.Tail(ctx, "main", 1) {
			if err != nil {
				t.Fatalf("waiting for %s: %v", kind, err)
			}
			if rec.Kind() == kind {
				return
			}
		}
	}
	program := &stage{t: t, orders: orders{Tap: r.tap}}
	program.attempt()
	until("restart.required")
	program.attempt() // silent again, and nobody holds it
	program.attempt()
	until("gateway.contradicted")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if n := sim.Summary().Connects; n != 3 {
		t.Errorf("the Gateway saw %d connects of 3 programs", n)
	}

	s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	j, against := rule.New(), 0
	var history strings.Builder
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		j.Step(rec)
		history.Write(append(rec.Raw, '\n'))
		switch d := rec.Data.(type) {
		case events.AttemptPermitted:
			if d.Enforced {
				t.Errorf("event %d says that it was enforced", rec.Seq)
			}
			if d.Against == events.HoldStopped {
				against++
			}
		case events.RuleViolated:
			t.Errorf("event %d says that a rule was broken, and nobody is held to it: %s", rec.Seq, d.Text)
		case events.GatewayContradicted:
			if !d.Ends {
				t.Errorf("event %d: the success does not end the stop", rec.Seq)
			}
		}
	}
	if against != 2 {
		t.Errorf("%d permits say that enforce mode would have held them, want 2", against)
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		t.Errorf("verdict %s: %+v\n%s", v.Outcome, v, history.String())
	}
}
