package daemon_test

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
)

// A program that connects while no Gateway runs learns it at once, from the second
// time on by a refused port; and gets through soon after the Gateway is there.
func TestWhereNoGatewayRunsThePortIsClosedToo(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells here who listens")
	}
	cfg := config(t, folder(t))
	cfg.Watch = 10 * time.Millisecond
	p := cfg.Policy.Params
	p.BackoffBaseMS, p.BackoffCapMS = 60_000, 60_000
	loaded, err := policy.Load("demo", p, events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Policy = loaded
	r := start(t, cfg)
	program := &stage{t: t, orders: orders{Tap: r.tap}}
	program.attempt() // finds out
	closed := until(t, r.api, func(s httpapi.Status) bool { return s.Closed })
	if nc, err := net.Dial("tcp", r.tap); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the next program is not refused: %v, %v", nc, err)
	}
	if closed.Gate != "BACKOFF" || closed.Next == "" {
		t.Errorf("%+v does not say what to do", closed)
	}
	gatewayProcess(t, "java", cfg.Gateways[0].Address)
	until(t, r.api, func(s httpapi.Status) bool { return !s.Closed })
	nc, err := net.Dial("tcp", r.tap)
	if err != nil {
		t.Fatalf("the Gateway listens, and a program is refused: %v", err)
	}
	_ = nc.Close()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}
