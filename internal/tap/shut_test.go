package tap_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
)

// interrupted is a desk where something happens right behind the answer to a
// request, before the tap can have seen it.
type interrupted struct {
	*desk
	then func()
}

func (d *interrupted) Request(draft events.Draft) <-chan tap.Answer {
	answers := d.desk.Request(draft)
	d.then()
	return answers
}

// A permit is worth nothing once the gate has stopped, or an operator hung up, also
// if the attempt has not noticed the permit yet.
func TestAPermitThatIsCalledOff(t *testing.T) {
	explained := []string{"version 225", "error -1 70503", "fin"}
	for _, row := range []struct {
		name string
		then func(*testing.T, *tap.Tap)
		saw  []string
	}{
		{"by a stop", func(_ *testing.T, tp *tap.Tap) { tp.Shut() }, explained},
		{"by a stop that is over already", func(t *testing.T, tp *tap.Tap) {
			tp.Shut()
			if err := tp.Reopen(); err != nil {
				t.Error(err)
			}
		}, explained},
		{"by a forced disconnect", func(t *testing.T, tp *tap.Tap) {
			if n := tp.Disconnect(nil, true); n != 1 {
				t.Errorf("%d were hung up, want 1", n)
			}
		}, []string{"fin"}},
		{"but not by a disconnect that leaves handshakes alone", func(t *testing.T, tp *tap.Tap) {
			if n := tp.Disconnect(nil, false); n != 0 {
				t.Errorf("%d were hung up, want 0", n)
			}
		}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			tapped := make(chan *tap.Tap, 1)
			var d *interrupted
			w := start(t, setting{config: func(c *tap.Config) {
				d = &interrupted{desk: c.Desk.(*desk), then: func() { row.then(t, <-tapped) }}
				c.Desk = d
			}})
			tapped <- w.tap
			p := w.connect(t, 7)
			if row.saw == nil {
				p.sees(t, "next id")
				p.leave(events.FIN)
				w.desk.count(t, "client.closed", 1)
				w.connects(t, 1)
				return
			}
			if diff := cmp.Diff(row.saw, untold(p.all(t))); diff != "" {
				t.Errorf("the client saw, want -, got +\n%s", diff)
			}
			w.desk.count(t, "client.closed", 1)
			w.desk.tells(t, "c1", after(opening, "attempt.abandoned none", "client.closed recorder fin")...)
			w.desk.legal(t)
			w.connects(t, 0)
		})
	}
}

// A handshake begins with its permit, not when the permit is read: a disconnect may
// come in between.
func TestAnAttemptIsUnderWayFromItsPermit(t *testing.T) {
	answers := make(chan tap.Answer, 1)
	if tap.UnderWay(answers) {
		t.Error("a program that waits for its permit counts as a handshake")
	}
	answers <- tap.Answer{Permit: "b1-live-1"}
	if !tap.UnderWay(answers) {
		t.Error("a program whose permit is on its way to it does not count as a handshake")
	}
}

// Once Shut has returned no dial begins, none goes on, and no hello follows one
// that came up at that moment.
func TestShutWhileDialling(t *testing.T) {
	for _, row := range []struct {
		name string
		late bool // the network answers all the same
	}{
		{"the dial is given up", false},
		{"it came up at that moment", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var underWay atomic.Int64
			dialling := make(chan struct{})
			gateway, far := net.Pipe()
			w := start(t, setting{config: func(c *tap.Config) {
				c.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
					underWay.Add(1)
					defer underWay.Add(-1)
					close(dialling)
					<-ctx.Done()
					if row.late {
						return gateway, nil
					}
					return nil, ctx.Err()
				}
			}})
			p := w.connect(t, 7)
			<-dialling
			w.tap.Shut()
			if n := underWay.Load(); n != 0 {
				t.Errorf("%d dials go on", n)
			}
			if row.late {
				if n, err := far.Read(make([]byte, 64)); err == nil {
					t.Errorf("the Gateway got %d bytes", n)
				}
			}
			if diff := cmp.Diff([]string{"version 225", "error -1 70503", "fin"}, untold(p.all(t))); diff != "" {
				t.Errorf("the client saw, want -, got +\n%s", diff)
			}
			w.desk.count(t, "client.closed", 1)
			w.desk.tells(t, "c1", after(opening, "dial.started", "attempt.abandoned dial", "client.closed recorder fin")...)
			w.desk.legal(t)
			_, _ = gateway.Close(), far.Close()
		})
	}
}

// Programs that come one behind the other while the gate stops and opens again: as
// long as it is shut no dial begins, and none is under way.
func TestNothingIsDialledWhileTheTapIsShut(t *testing.T) {
	var begun, underWay atomic.Int64
	w := start(t, setting{config: func(c *tap.Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			begun.Add(1)
			underWay.Add(1)
			defer underWay.Add(-1)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	}})
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if nc, err := net.Dial("tcp", w.tap.Addr().String()); err == nil { // else it is shut
				p := connect(nc, 7, false)
				<-p.saw
				p.leave(events.FIN)
			}
		}
	}()
	for n := range 50 {
		kind := []events.Kind{"client.opened", "client.hello", "attempt.requested", "dial.started", "dial.connected"}[n%5]
		seen := 0
		w.desk.wait(t, "one more "+string(kind), func(log []events.Record) bool {
			last := 0
			for _, r := range log {
				if r.Kind() == kind {
					last++
				}
			}
			if seen == 0 {
				seen = last + 1
			}
			return last >= seen
		})
		w.tap.Shut()
		before := begun.Load()
		if n := underWay.Load(); n != 0 {
			t.Errorf("%d dials are under way", n)
		}
		until(t, "no connection is left", func() bool { return w.tap.Open() == 0 })
		if more := begun.Load() - before; more != 0 {
			t.Errorf("%d dials began", more)
		}
		if err := w.tap.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-ended
	w.desk.legal(t)
}

// A port that is closed alone takes nothing from those who are connected.
func TestUnlisten(t *testing.T) {
	w := start(t, setting{})
	address := w.tap.Addr().String()
	here, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p := connect(here, 7, false)
	w.desk.wait(t, "it is ready", func(log []events.Record) bool {
		return slices.ContainsFunc(log, func(r events.Record) bool { return r.Kind() == "attempt.succeeded" })
	})
	for range 2 {
		w.tap.Unlisten()
	}
	if nc, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port: %v, %v", nc, err)
	}
	if got := w.tap.Open(); got != 1 {
		t.Errorf("%d are connected, want the one that was", got)
	}
	if err := w.tap.Reopen(); err != nil {
		t.Fatal(err)
	}
	again, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
	p.leave(events.FIN)
}
