package tap_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

// A rejection that the Gateway sends right before its reset.
func TestTheLastWordArrives(t *testing.T) {
	const worlds, rounds = 4, 50
	for world := range worlds {
		busy := world%2 == 1 // the client keeps sending, so that its bytes meet the reset
		t.Run("", func(t *testing.T) {
			t.Parallel()
			w := start(t, setting{script: "hello\nwait start-api\nerror -1 326 \"in use\"\nrst"})
			for n := 1; n <= rounds; n++ {
				p := w.connect(t, 7)
				var sending sync.WaitGroup
				if busy {
					p.sees(t, "version")
					sending.Go(func() {
						for err := error(nil); err == nil; {
							_, err = p.nc.Write(wire.AppendReqCurrentTime(nil, 176))
						}
					})
				}
				saw := untold(p.all(t))
				sending.Wait()
				if !slices.Contains(saw, "error -1 326") {
					t.Fatalf("round %d: the client saw %q, want the error 326", n, saw)
				}
				w.desk.count(t, "client.closed", n)
			}
			for _, f := range payloads[events.AttemptFailed](w.desk) {
				if f.Reason != events.ClientIDInUse || f.By != events.Upstream || f.How != events.RST {
					t.Fatalf("%+v, want client_id_in_use and the Gateway's reset", f)
				}
			}
			var clients, gateway int64
			for _, c := range payloads[events.ClientClosed](w.desk) {
				clients, gateway = clients+c.ClientBytes, gateway+c.GatewayBytes
			}
			if c, g := w.tap.Bytes(); c != clients || g != gateway || g == 0 {
				t.Errorf("the tap counts %d and %d bytes, its connections %d and %d", c, g, clients, gateway)
			}
			w.desk.legal(t)
			w.connects(t, rounds)
		})
	}
}

// A close comes a moment behind the error that explains it, whoever closes.
func TestTheLastWordIsHeld(t *testing.T) {
	for _, row := range []struct {
		name, script string
		answer       answer
	}{
		{"326 and the Gateway's FIN", "play client-id-in-use", grant},
		{"326 and its reset", "hello\nwait start-api\nerror -1 326\nrst", grant},
		{"our own explanation", "silence", deny},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.script, always(row.answer), func(t *testing.T, _ *desk, p *pipes) {
				c := connect(p.dial(), 7, false)
				c.sees(t, "error")
				told := time.Now()
				c.all(t)
				if took := time.Since(told); took != tap.DeliveryHold {
					t.Errorf("it was closed after %s, want %s", took, tap.DeliveryHold)
				}
			})
		})
	}
}

// How a session ends passes through as it was.
func TestTheEndOfASession(t *testing.T) {
	for _, how := range []events.Close{events.FIN, events.RST} {
		t.Run("the client's "+string(how), func(t *testing.T) {
			w := start(t, setting{})
			p := w.connect(t, 7)
			w.desk.count(t, "session.established", 1)
			p.sees(t, "next id")
			p.leave(how)
			w.desk.count(t, "client.closed", 1)
			end := fmt.Sprint(" client ", how)
			w.desk.tells(t, "c1", after(up, "handshake.version 176", "handshake.api_started 7", "handshake.ready 1", "attempt.succeeded",
				"session.established 7 176", "session.closed"+end, "client.closed"+end)...)
			w.desk.legal(t)
			w.ended(t, gwsim.EndedHow(how))
		})
	}
}

// A client that is killed in its handshake: the Gateway sees no reset, but a FIN
// once it is decided.
func TestAClientThatIsKilledInItsHandshake(t *testing.T) {
	w := start(t, setting{script: "hello\nwait start-api\nsilence 200ms\nready\nserve"})
	p := w.connect(t, 7)
	w.desk.count(t, "handshake.api_started", 1)
	p.leave(events.RST)
	w.desk.count(t, "client.closed", 1)
	w.desk.tells(t, "c1", after(up, "handshake.version 176", "handshake.api_started 7", "disconnect.deferred started rst", "handshake.ready 1",
		"attempt.abandoned started answered", "client.closed client rst")...)
	w.desk.legal(t)
	w.ended(t, gwsim.ByFIN)
}

// ended fails the test unless the Gateway sees its first client end like this.
func (w *world) ended(t *testing.T, how gwsim.EndedHow) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := w.gateway.Wait(ctx, func(s gwsim.Summary) bool {
		return s.Connections[0].EndedBy != "" && s.Connections[0].EndedBy != gwsim.BySimulator
	})
	if c := w.gateway.Summary().Connections[0]; err != nil || c.EndedBy != gwsim.ByClient || c.EndedHow != how {
		t.Errorf("%v; the Gateway saw %s by %s, want %s by its client", err, c.EndedHow, c.EndedBy, how)
	}
}

// A side that has sent FIN still gets what the other one sends.
func TestHalfClose(t *testing.T) {
	for _, first := range []events.Side{events.Client, events.Upstream} {
		t.Run(string(first)+" first", func(t *testing.T) {
			r := newRaw(t)
			a, b := r.client, r.upstream
			if first == events.Upstream {
				a, b = b, a
			}
			if err := a.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			expectEOF(t, b)
			if _, err := io.WriteString(b, "last words"); err != nil {
				t.Fatal(err)
			}
			if err := b.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(a)
			if err != nil || string(got) != "last words" {
				t.Errorf("got %q, %v", got, err)
			}
			r.desk.count(t, "client.closed", 1)
			r.desk.legal(t)
		})
	}
}

func expectEOF(t *testing.T, nc net.Conn) {
	t.Helper()
	if n, err := nc.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("read %d bytes and %v, want EOF", n, err)
	}
}

// raw is a session of which the test holds both ends.
type raw struct {
	desk             *desk
	tap              *tap.Tap
	client, upstream *net.TCPConn
}

func newRaw(t testing.TB) *raw {
	t.Helper()
	return newRaws(t, 1)[0]
}

// newRaws are sessions of one tap.
func newRaws(t testing.TB, n int) (all []*raw) {
	t.Helper()
	params := budgets(20 * time.Second)
	desk := newDesk(events.Enforce, params, always(grant))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	tap, err := tap.Listen(tap.Config{Desk: desk, Address: ln.Addr().String(), Listen: "127.0.0.1:0", Params: params})
	if err != nil {
		t.Fatal(err)
	}
	send := func(nc net.Conn, b []byte) {
		if _, err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(nc net.Conn, want []byte) {
		got := make([]byte, len(want))
		if _, err := io.ReadFull(nc, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	pass := func(from, to net.Conn, b []byte) { send(from, b); receive(to, b) }
	hello := wire.AppendHello(nil, everyVersion)
	for id := range n {
		r := &raw{desk: desk, tap: tap}
		nc, err := net.Dial("tcp", tap.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		r.client = nc.(*net.TCPConn)
		send(r.client, hello)
		if nc, err = ln.Accept(); err != nil {
			t.Fatal(err)
		}
		r.upstream = nc.(*net.TCPConn)
		receive(r.upstream, hello)
		pass(r.upstream, r.client, wire.AppendVersionReply(nil, wire.VersionReply{Version: 176, ConnectionTime: "20260901 09:30:00 EST"}))
		pass(r.client, r.upstream, wire.AppendStartAPI(nil, 176, wire.StartAPI{ClientID: 7 + id, HasClientID: true}))
		pass(r.upstream, r.client, wire.AppendNextValidID(wire.AppendManagedAccounts(nil, 176, []string{"DU1234567"}), 176, 1))
		all = append(all, r)
	}
	t.Cleanup(func() {
		for _, r := range all {
			_ = r.client.Close()
			_ = r.upstream.Close()
		}
		if err := tap.Close(); err != nil {
			t.Error(err)
		}
	})
	return all
}

// Every byte arrives, in both directions at once, and is counted.
func TestBytesArriveAsTheyWere(t *testing.T) {
	r := newRaw(t)
	const size = 20 << 20
	data := bytes.Repeat([]byte("a line that is not a power of two long\n"), size/39)
	var transfers sync.WaitGroup
	transfer := func(from, to *net.TCPConn) {
		transfers.Go(func() {
			if _, err := from.Write(data); err != nil {
				t.Error(err)
			}
			if err := from.CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		transfers.Go(func() {
			h := sha256.New()
			if _, err := io.Copy(h, to); err != nil {
				t.Error(err)
			}
			if want := sha256.Sum256(data); !bytes.Equal(h.Sum(nil), want[:]) {
				t.Error("other bytes arrived than were sent")
			}
		})
	}
	transfer(r.client, r.upstream)
	transfer(r.upstream, r.client)
	transfers.Wait()
	r.desk.count(t, "client.closed", 1)
	c := payloads[events.ClientClosed](r.desk)[0]
	if c.ClientBytes < int64(len(data)) || c.GatewayBytes < int64(len(data)) {
		t.Errorf("counted %d and %d bytes, want %d and some for the handshake", c.ClientBytes, c.GatewayBytes, len(data))
	}
	r.desk.legal(t)
}

// A reset while the Gateway streams meets a write of ours, after which a read would
// see an ordinary end. It is a reset all the same.
func TestAResetThatMeetsAWrite(t *testing.T) {
	for range 20 {
		r := newRaw(t)
		stop := make(chan struct{})
		var stream sync.WaitGroup
		stream.Go(func() {
			for data := make([]byte, 32<<10); ; {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := r.upstream.Write(data); err != nil {
					return // the reset came through
				}
			}
		})
		if _, err := io.ReadFull(r.client, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		_ = r.client.SetLinger(0)
		_ = r.client.Close()
		r.desk.count(t, "client.closed", 1)
		close(stop)
		stream.Wait()
		if c := payloads[events.SessionClosed](r.desk); len(c) != 1 || c[0].By != events.Client || c[0].How != events.RST {
			t.Fatalf("%+v, want the client's reset", c)
		}
		r.desk.legal(t)
	}
}
