package tap_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

func TestShutAndReopen(t *testing.T) {
	script := "connection 1:\n play healthy\nconnection 2:\n hello\n wait start-api\n silence 300ms\n ready\n serve\nconnection 3..:\n play healthy"
	w := start(t, setting{script: script})
	established := w.connect(t, 1)
	established.sees(t, "next id")
	underWay := w.connect(t, 2)
	w.desk.count(t, "handshake.api_started", 2)
	address := w.tap.Addr().String()

	w.tap.Shut()
	w.tap.Shut()
	if got := w.tap.Addr().String(); got != address {
		t.Errorf("shut it has the address %s, want %s", got, address)
	}
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a program that connects gets %v, want a refusal", err)
	}
	underWay.sees(t, "next id") // goes on
	if _, err := established.nc.Write(wire.AppendReqCurrentTime(nil, 176)); err != nil {
		t.Error(err)
	}
	established.sees(t, "time")

	taken, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	err = w.tap.Reopen()
	_, port, _ := net.SplitHostPort(address)
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), "port "+port) || !strings.Contains(err.Error(), "--tap") {
		t.Errorf("reopening a port that is taken says %v, want the port and what to type", err)
	}
	_ = taken.Close()
	for range 2 {
		if err := w.tap.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	again := w.connect(t, 3)
	again.sees(t, "next id")
	for _, p := range []*program{established, underWay, again} {
		p.leave(events.FIN)
	}
	w.desk.count(t, "client.closed", 3)
	w.desk.legal(t)
	w.connects(t, 3)
	if err := w.tap.Close(); err != nil {
		t.Error(err)
	}
	if err := w.tap.Reopen(); !errors.Is(err, tap.ErrClosed) {
		t.Errorf("reopening a closed tap says %v", err)
	}
}

func TestDisconnect(t *testing.T) {
	script := "connection 1..2:\n play healthy\nconnection 3:\n hello\n wait start-api\n silence\nconnection 4..:\n play healthy"
	id := func(n int64) *int64 { return &n }
	w := start(t, setting{script: script})
	one, two := w.connect(t, 1), w.connect(t, 2)
	one.sees(t, "next id")
	two.sees(t, "next id")
	w.desk.count(t, "session.established", 2)
	three := w.connect(t, 3)
	w.desk.count(t, "handshake.api_started", 3)
	queued := w.connect(t, 4)
	w.desk.count(t, "attempt.requested", 4)
	until(t, "it waits, and has no permit that nobody looked at yet", func() bool { return w.tap.Waiting() == 1 })

	if n := w.tap.Disconnect(id(9), true); n != 0 {
		t.Errorf("%d of client 9, want none", n)
	}
	if n := w.tap.Disconnect(id(1), false); n != 1 {
		t.Errorf("%d of client 1, want 1", n)
	}
	w.desk.count(t, "client.closed", 1)
	if n := w.tap.Disconnect(nil, false); n != 1 {
		t.Errorf("%d established ones, want 1", n)
	}
	w.desk.count(t, "client.closed", 2)
	if n := w.tap.Disconnect(nil, true); n != 1 {
		t.Errorf("%d in a handshake, want 1", n)
	}
	if n := w.tap.Disconnect(nil, true); n > 1 { // only the queued one, if it is under way by now
		t.Errorf("%d a second time", n)
	}
	for conn, p := range map[string]*program{"c1": one, "c2": two, "c3": three} {
		if saw := p.all(t); saw[len(saw)-1] != "fin" {
			t.Errorf("%s saw %q, want a FIN at the end", conn, saw)
		}
	}
	queued.leave(events.FIN)
	w.desk.count(t, "client.closed", 4)
	head := func(n int) []string {
		return after(up, "handshake.version 176", fmt.Sprint("handshake.api_started ", n))
	}
	for n, conn := range []string{"c1", "c2"} {
		w.desk.tells(t, conn, after(head(n+1), "handshake.ready 1", "attempt.succeeded", fmt.Sprint("session.established ", n+1, " 176"),
			"session.closed recorder fin", "client.closed recorder fin")...)
	}
	w.desk.tells(t, "c3", after(head(3), "attempt.abandoned started", "client.closed recorder fin")...)
	w.desk.legal(t)
	for _, c := range w.gateway.Summary().Connections[:3] {
		if c.EndedHow == gwsim.ByRST {
			t.Errorf("connection %d ended with a reset at the Gateway, want a FIN", c.Number)
		}
	}
}

// reader is a desk with somebody who acts on what it is told, at once.
type reader struct {
	tap.Desk
	reads func(events.Payload)
}

func (r reader) Report(d events.Draft) {
	r.Desk.Report(d)
	r.reads(d.Data)
}

func TestASessionCanBeDisconnectedOnceItIsTold(t *testing.T) {
	var w *world
	closed := make(chan int, 1)
	w = start(t, setting{config: func(c *tap.Config) {
		c.Desk = reader{c.Desk, func(p events.Payload) {
			if e, ok := p.(events.SessionEstablished); ok {
				closed <- w.tap.Disconnect(e.ClientID, false)
			}
		}}
	}})
	p := w.connect(t, 7)
	if n := <-closed; n != 1 {
		t.Errorf("%d were disconnected, want 1", n)
		p.leave(events.FIN)
	}
	p.all(t)
	w.desk.count(t, "client.closed", 1)
}

// stuck is a dial that nobody answers and that nothing but its context ends.
func stuck(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestDisconnectWhileDialling(t *testing.T) {
	w := start(t, setting{config: func(c *tap.Config) { c.Dial = stuck }})
	p := w.connect(t, 7)
	w.desk.count(t, "dial.started", 1)
	if n := w.tap.Disconnect(nil, false); n != 0 {
		t.Errorf("%d without handshakes, want none", n)
	}
	if n := w.tap.Disconnect(nil, true); n != 1 {
		t.Errorf("%d with handshakes, want 1", n)
	}
	p.all(t)
	w.desk.count(t, "client.closed", 1)
	w.desk.tells(t, "c1", after(opening, "dial.started", "attempt.abandoned dial", "client.closed recorder fin")...)
	w.desk.legal(t)
}

// Close ends whatever is under way, wherever it is, and leaves an attempt without
// an end.
func TestCloseAtEveryStage(t *testing.T) {
	for _, row := range []struct {
		name, script string
		answers      func(int) answer
		at           events.Kind
		last         []string
	}{
		{"before the hello, which leaves no trace", "play healthy", nil, "", nil},
		{"waiting for the permit", "play healthy", always(never), "attempt.requested", []string{"attempt.requested", "client.closed recorder fin"}},
		{"dialling", "", nil, "dial.started", []string{"dial.started", "client.closed recorder fin"}},
		{"waiting for the version", "play silent", nil, "dial.connected", []string{"dial.connected", "client.closed recorder fin"}},
		{"waiting for ready", "play no-ready", nil, "handshake.api_started", []string{"handshake.api_started 7", "client.closed recorder fin"}},
		{"in a session", "play healthy", nil, "session.established",
			[]string{"session.established 7 176", "session.closed recorder fin", "client.closed recorder fin"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setting{script: row.script, answers: row.answers, config: func(c *tap.Config) {
				if row.at == "dial.started" {
					c.Dial = stuck
				}
			}})
			if row.at == "" {
				w.dial(t)
				until(t, "it is there", func() bool { return w.tap.Open() == 1 })
			} else {
				w.connect(t, 7)
				w.desk.count(t, row.at, 1)
			}
			for range 2 {
				if err := w.tap.Close(); err != nil {
					t.Error(err)
				}
			}
			story := w.desk.story("c1")
			if row.at == "" && len(story) > 0 {
				t.Errorf("it left %q", story)
			}
			if diff := cmp.Diff(row.last, story[len(story)-len(row.last):], cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the story ends, want -, got +\n%s", diff)
			}
			w.desk.legal(t)
			if n := w.tap.Open(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
	t.Run("with two peers that do not read", func(t *testing.T) {
		r := newRaw(t)
		for _, nc := range []*net.TCPConn{r.client, r.upstream} {
			_ = nc.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)) // until every buffer is full
			if _, err := nc.Write(make([]byte, 64<<20)); err == nil {
				t.Fatal("64 MiB went into the buffers: the test blocks nobody")
			}
		}
		if err := r.tap.Close(); err != nil {
			t.Error(err)
		}
		r.desk.legal(t)
	})
}

func TestWhatATapRefuses(t *testing.T) {
	good := tap.Config{Desk: newDesk(events.Enforce, budgets(time.Second), always(grant)), Address: "127.0.0.1:4002", Listen: "127.0.0.1:0",
		Params: budgets(time.Second)}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, row := range []struct {
		name   string
		change func(*tap.Config)
		is     error
		says   string
	}{
		{"a port that is taken", func(c *tap.Config) { c.Listen = taken.Addr().String() }, syscall.EADDRINUSE, "port " + port},
		{"an address for the whole network", func(c *tap.Config) { c.Listen = "0.0.0.0:4102" }, tap.ErrNotLoopback, "--tap NAME=127.0.0.1:PORT"},
		{"any address", func(c *tap.Config) { c.Listen = ":4102" }, tap.ErrNotLoopback, "--tap"},
		{"no port", func(c *tap.Config) { c.Listen = "127.0.0.1" }, tap.ErrConfig, "--tap NAME=HOST:PORT"},
		{"no Gateway", func(c *tap.Config) { c.Address = "" }, tap.ErrConfig, "Gateway"},
		{"no desk", func(c *tap.Config) { c.Desk = nil }, tap.ErrConfig, "desk"},
		{"no budget", func(c *tap.Config) { c.Params.ReadyBudgetMS = 0 }, tap.ErrConfig, "budgets"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := good
			row.change(&cfg)
			tp, err := tap.Listen(cfg)
			if err == nil {
				_ = tp.Close()
			}
			if !errors.Is(err, row.is) || !strings.Contains(fmt.Sprint(err), row.says) {
				t.Errorf("it says %v, want %v and %q", err, row.is, row.says)
			}
		})
	}
}
