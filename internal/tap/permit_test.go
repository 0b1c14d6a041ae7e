package tap_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

func TestWithoutAPermit(t *testing.T) {
	t.Run("no decision: the client is closed", func(t *testing.T) {
		w := start(t, setting{answers: always(fail)})
		if diff := cmp.Diff([]string{"fin"}, w.connect(t, 7).all(t)); diff != "" {
			t.Error(diff)
		}
		w.desk.count(t, "client.closed", 1)
		w.desk.tells(t, "c1", after(opening, "client.closed recorder fin")...)
		w.connects(t, 0)
		w.desk.legal(t)
	})
	for _, how := range []events.Close{events.FIN, events.RST} {
		t.Run("undecided: the client leaves with "+string(how), func(t *testing.T) {
			w := start(t, setting{answers: always(never)})
			p := w.connect(t, 7)
			w.desk.count(t, "attempt.requested", 1)
			p.leave(how)
			w.desk.count(t, "client.closed", 1)
			w.desk.tells(t, "c1", after(opening, "attempt.abandoned none", "client.closed client "+string(how))...)
			w.connects(t, 0)
			w.desk.legal(t)
		})
	}
}

// One that left and one that is permitted at the same moment: never a dial that has
// no end, never two ends, whoever is first.
func TestALeaveThatRacesWithThePermit(t *testing.T) {
	w := start(t, setting{})
	const rounds = 200
	for n := 1; n <= rounds; n++ {
		nc := w.dial(t)
		if _, err := nc.Write(wire.AppendHello(nil, everyVersion)); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 {
			_ = nc.(*net.TCPConn).SetLinger(0)
		}
		_ = nc.Close()
		until(t, "the connection was closed or rejected", func() bool { return w.tap.Opened() == n && w.tap.Open() == 0 })
	}
	w.desk.legal(t)
	ends := len(payloads[events.AttemptAbandoned](w.desk)) + len(payloads[events.AttemptFailed](w.desk))
	if permits := len(payloads[events.AttemptPermitted](w.desk)); ends != w.desk.requests || permits > ends {
		t.Errorf("%d requests, %d permits, %d ends", w.desk.requests, permits, ends)
	}
}

// A client that waits while the gate stops gets a version and an error that says
// what to do, in the form of whatever version it offers.
func TestTheExplainAnswer(t *testing.T) {
	for _, hello := range []wire.Hello{{Min: 100, Max: 177}, {Min: 157, Max: 200}, {Min: 100, Max: 225}, {Min: 213, Max: 225}, {Min: 100, Max: 300}} {
		t.Run(hello.Text(), func(t *testing.T) {
			w := start(t, setting{answers: always(deny)})
			p := &program{nc: w.dial(t), saw: make(chan string, 16)}
			if _, err := p.nc.Write(wire.AppendHello(nil, hello)); err != nil {
				t.Fatal(err)
			}
			go p.read(7, false)
			want := []string{fmt.Sprint("version ", min(hello.Max, 225)), fmt.Sprint("error -1 ", events.CodeHeld), "fin"}
			saw := p.all(t)
			if diff := cmp.Diff(want, untold(saw)); diff != "" {
				t.Fatal(diff)
			}
			if !strings.Contains(saw[1], "manual restart") || !strings.Contains(saw[1], "recorder resume") {
				t.Errorf("it says %q", saw[1])
			}
			w.desk.count(t, "client.closed", 1)
			w.desk.tells(t, "c1", "client.opened", "client.hello "+hello.Text(), "attempt.requested", "client.closed recorder fin")
			w.connects(t, 0)
			w.desk.legal(t)
		})
	}
}

// Two programs: the second is dialled when the first has its answer.
func TestTwoClients(t *testing.T) {
	w := start(t, setting{script: "connection 1:\n hello\n wait start-api\n silence 100ms\n ready\n serve\nconnection 2..:\n play healthy"})
	one, two := w.connect(t, 1), w.connect(t, 2)
	one.sees(t, "next id")
	two.sees(t, "next id")
	w.desk.count(t, "session.established", 2)
	one.leave(events.FIN)
	two.leave(events.FIN)
	w.desk.count(t, "client.closed", 2)
	w.desk.legal(t)
	w.connects(t, 2)
}

func TestThe33rdClient(t *testing.T) {
	w := start(t, setting{answers: always(never)})
	var all []*program
	for n := range tap.MaxClients {
		all = append(all, w.connect(t, n))
		w.desk.count(t, "attempt.requested", n+1)
	}
	if saw := w.connect(t, 33).all(t); len(saw) != 1 || saw[0] != "fin" {
		t.Errorf("it saw %q, want a close", saw)
	}
	w.desk.count(t, "client.rejected", 1)
	w.desk.tells(t, "c33", "client.rejected too_many 4150490000000009")
	all[0].leave(events.FIN)
	w.desk.count(t, "client.closed", 1)
	p := w.connect(t, 33)
	w.desk.count(t, "attempt.requested", 33)
	p.leave(events.FIN)
	for _, p := range all[1:] {
		p.leave(events.FIN)
	}
	w.desk.count(t, "client.closed", 33)
	w.desk.legal(t)
	w.connects(t, 0)
}

// Connections that say nothing keep no program out, and are bounded all the same.
func TestConnectionsThatSayNothing(t *testing.T) {
	w := start(t, setting{})
	for range tap.MaxGreeting {
		w.dial(t)
	}
	until(t, "all are there", func() bool { return w.tap.Open() == tap.MaxGreeting })
	nc := w.dial(t)
	if n, err := nc.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes, want a close", n)
	}
	w.desk.count(t, "client.rejected", 1) // which is reported behind the close
	w.desk.tells(t, fmt.Sprint("c", tap.MaxGreeting+1), "client.rejected too_many")

	w = start(t, setting{})
	for range tap.MaxClients {
		w.dial(t)
	}
	until(t, "all are there", func() bool { return w.tap.Open() == tap.MaxClients })
	p := w.connect(t, 7)
	p.sees(t, "next id")
	p.leave(events.FIN)
	w.desk.count(t, "client.closed", 1)
}

// Observe mode dials at once, even if the log answers nothing at all.
func TestObserveModeHoldsNobody(t *testing.T) {
	for _, a := range []answer{grant, never, fail} {
		t.Run(string(a), func(t *testing.T) {
			w := start(t, setting{observe: true, answers: always(a)})
			one, two := w.connect(t, 1), w.connect(t, 2)
			one.sees(t, "next id")
			two.sees(t, "next id")
			one.leave(events.FIN)
			two.leave(events.FIN)
			w.desk.count(t, "client.closed", 2)
			w.connects(t, 2)
			if a == grant {
				w.desk.legal(t)
			}
		})
	}
}
