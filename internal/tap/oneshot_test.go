package tap_test

import (
	"errors"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

func TestOneShot(t *testing.T) {
	const short = 300 * time.Millisecond
	for _, row := range []struct {
		name, script string
		answers      func(int) answer
		want         tap.Outcome
	}{
		{"ready", "play healthy", always(grant), tap.Outcome{End: tap.Ready, ServerVersion: 176}},
		{"silent", "play silent", always(grant), tap.Outcome{End: tap.Failed, Fail: events.AcceptedNoBytes}},
		{"326", "play client-id-in-use", always(grant), tap.Outcome{End: tap.Failed, Fail: events.ClientIDInUse, Code: 326}},
		{"stopped", "play healthy", always(deny), tap.Outcome{End: tap.Denied, Hold: events.HoldStopped}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := start(t, setting{script: row.script, answers: row.answers, oneShot: true, params: budgets(short),
				config: func(c *tap.Config) { c.Source, c.Prefix = "/session", "b1-" }})
			p := w.connect(t, 7)
			if got := <-w.tap.Outcome(); got != row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
			if row.want.End == tap.Ready {
				p.sees(t, "next id")
				select {
				case <-w.tap.Done():
					t.Error("done while the session runs")
				default:
				}
				p.leave(events.FIN)
			} else if heard := p.all(t); row.want.End == tap.Denied && !slices.Equal(heard, []string{"fin"}) {
				t.Errorf("the library was told %v: with a version it goes on, to where a close may end the process", heard)
			}
			<-w.tap.Done()
			w.desk.count(t, "client.closed", 1)
			w.desk.legal(t)
			for _, r := range w.desk.log {
				if r.Source != "/recorder" && (r.Source != "/session" || r.Conn != "b1-c1" || r.Attempt != "" && r.Attempt != "b1-a1") {
					t.Errorf("%s comes from %s, conn %s, attempt %s", r.Kind(), r.Source, r.Conn, r.Attempt)
				}
			}
		})
	}
	t.Run("no decision", func(t *testing.T) {
		w := start(t, setting{oneShot: true, answers: always(fail)})
		w.connect(t, 7).all(t)
		if got := <-w.tap.Outcome(); got.End != tap.Denied || got.Err == nil {
			t.Errorf("%+v, want denied with an error", got)
		}
		<-w.tap.Done()
	})
	t.Run("closed without a client", func(t *testing.T) {
		w := start(t, setting{oneShot: true})
		if err := w.tap.Close(); err != nil {
			t.Error(err)
		}
		if got := <-w.tap.Outcome(); got.End != tap.Abandoned {
			t.Errorf("%+v, want abandoned", got)
		}
		<-w.tap.Done()
	})
	t.Run("it listens on loopback", func(t *testing.T) {
		w := start(t, setting{oneShot: true})
		if a := w.tap.Addr().(*net.TCPAddr); !a.IP.IsLoopback() {
			t.Errorf("it listens on %s", a)
		}
	})
}

// A client library that reconnects by itself is reset, also while the gate is
// stopped, and the Gateway sees nothing.
func TestAHiddenRedialIsReset(t *testing.T) {
	w := start(t, setting{script: "play drop-after-ready", oneShot: true})
	p := w.connect(t, 7)
	p.all(t)
	w.desk.count(t, "client.closed", 1)
	for n := range 3 {
		if n == 2 {
			w.tap.Shut()
		}
		nc, err := net.Dial("tcp", w.tap.Addr().String())
		if errors.Is(err, syscall.ECONNRESET) {
			continue // so fast that the connect meets it
		}
		if err != nil {
			t.Fatal(err)
		}
		// Nothing is written: bytes that nobody reads would make a reset of any close,
		// and a write that meets the reset would take it from the read.
		if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the redial got %v, want a reset", err)
		}
		_ = nc.Close()
	}
	w.desk.count(t, "client.rejected", 1)
	if err := w.tap.Close(); err != nil {
		t.Fatal(err)
	}
	w.desk.tells(t, "c2", "client.rejected hidden_redial")
	w.desk.tells(t, "c4", "client.rejected hidden_redial x 2")
	w.desk.legal(t)
	w.connects(t, 1)
}

// A library that dies of an end in the middle of its connect is told of none, however
// the Gateway or we end it, once it has a version.
func TestALibraryIsNotToldOfAnEndWhileItConnects(t *testing.T) {
	for _, row := range []struct {
		name, script string
		end          func(*tap.Tap)
	}{
		{"the Gateway closes behind its version", "version 176\nfin", func(*tap.Tap) {}},
		{"the Gateway resets behind its version", "version 176\nrst", func(*tap.Tap) {}},
		{"the tap closes", "play healthy", func(w *tap.Tap) { _ = w.Close() }},
		{"an operator hangs up", "play healthy", func(w *tap.Tap) { w.Disconnect(nil, true) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			connected := make(chan struct{})
			w := start(t, setting{script: row.script, oneShot: true, config: func(c *tap.Config) { c.Connected = connected }})
			nc, err := net.Dial("tcp", w.tap.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
				t.Fatal(err)
			}
			version := make([]byte, 256)
			if _, err := nc.Read(version); err != nil {
				t.Fatal(err)
			}
			row.end(w.tap)
			w.desk.count(t, "client.closed", 1) // as far as the tap is concerned it is over
			_ = nc.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := nc.Read(version); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("while it connects it is told %v, want nothing", err)
			}
			close(connected)
			_ = nc.SetReadDeadline(time.Now().Add(10 * time.Second))
			if n, err := nc.Read(version); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("afterwards: %d bytes, %v, want the end", n, err)
			}
		})
	}
}
