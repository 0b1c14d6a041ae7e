package tap_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/tap"
)

// pipes is a listener in memory, so that a tap can live in a bubble.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case nc := <-p.conns:
		return nc, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4102} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// realBudgets are those of the default policy.
var realBudgets = events.Params{SilentLimit: 1, DialTimeoutLimit: 3, DialTimeoutMS: 5_000, VersionBudgetMS: 30_000, StartAPIBudgetMS: 2_000,
	ReadyBudgetMS: 30_000, ProbationAttempts: 2, WindowFailures: 1000}

// bubble runs f with a tap, a desk and a simulated Gateway in memory, where time
// passes only while everybody waits.
func bubble(t *testing.T, script string, answers func(int) answer, f func(t *testing.T, d *desk, p *pipes)) {
	t.Helper()
	dialled(t, nil, script, answers, f)
}

// dialled is bubble with another way to dial, nil for the simulator's.
func dialled(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), script string, answers func(int) answer,
	f func(t *testing.T, d *desk, p *pipes)) {
	t.Helper()
	inside(t, script, answers, func(c *tap.Config) {
		if dial != nil {
			c.Dial = dial
		}
	}, func(t *testing.T, b *bubbled) { f(t, b.desk, b.pipes) })
}

// bubbled is what there is in a bubble.
type bubbled struct {
	desk    *desk
	pipes   *pipes
	tap     *tap.Tap
	gateway *gwsim.Gateway
}

// inside is bubble with a tap of the test's own.
func inside(t *testing.T, script string, answers func(int) answer, config func(*tap.Config), f func(t *testing.T, b *bubbled)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := gwsim.Parse(strings.NewReader(script))
		if err != nil {
			t.Fatal(err)
		}
		b := &bubbled{pipes: newPipes(), gateway: gwsim.New(gwsim.Options{Script: s})}
		defer b.gateway.Close()
		cfg := tap.Config{Address: "127.0.0.1:4002", Params: realBudgets, Dial: b.gateway.DialContext}
		config(&cfg)
		mode := events.Enforce
		if cfg.Observe {
			mode = events.Observe
		}
		b.desk = newDesk(mode, cfg.Params, answers)
		cfg.Desk = b.desk
		b.tap = tap.ServeOn(cfg, b.pipes)
		f(t, b)
		if err := b.tap.Close(); err != nil {
			t.Error(err)
		}
		b.desk.legal(t)
	})
}

// Each budget is waited out in full, from the moment it began, and no longer than it
// takes to see what came within it.
func TestBudgets(t *testing.T) {
	for _, row := range []struct {
		name, script string
		mute         bool
		wait         time.Duration // from the connect to the end
		stage        events.Stage
		reason       events.FailReason
		limit        int64
	}{
		{"a Gateway that answers nothing has 30 s", "silence", false, 30 * time.Second, events.StageConnected, events.AcceptedNoBytes, 30_000},
		{"so has one that sends half an answer", "play half-frame", false, 30 * time.Second, events.StageConnected, events.BadVersion, 30_000},
		{"from startAPI on it has 30 s more", "silence 20s\nhello\nsilence", false, 50 * time.Second, events.StageStarted, events.VersionNoReady, 30_000},
		{"half of ready is not ready", "hello\nwait start-api\nnext-id\nsilence", false, 30 * time.Second, events.StageStarted, events.VersionNoReady, 30_000},
		{"farm notices explain nothing", "hello\nwait start-api\nerror -1 2103\nerror -1 1100\nerror 5 502\nsilence", false, 30 * time.Second,
			events.StageStarted, events.VersionNoReady, 30_000},
		{"another error does", "hello\nwait start-api\nerror -1 502\nsilence", false, 30 * time.Second, events.StageStarted, events.ErrorBeforeReady, 30_000},
		{"a client has 2 s for its startAPI", "hello\nsilence", true, 2 * time.Second, events.StageVersioned, events.NoStartAPI, 2_000},
		{"326 ends it, and the close is waited for a second", "hello\nwait start-api\nerror -1 326\nsilence", false, time.Second,
			events.StageStarted, events.ClientIDInUse, 30_000},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.script, always(grant), func(t *testing.T, d *desk, p *pipes) {
				began := time.Now()
				c := connect(p.dial(), 7, row.mute)
				c.all(t)
				synctest.Wait()
				fails := payloads[events.AttemptFailed](d)
				if len(fails) != 1 {
					t.Fatalf("want one attempt.failed, the story is\n%s", strings.Join(d.story(""), "\n"))
				}
				f := fails[0]
				if f.Stage != row.stage || f.Reason != row.reason || f.LimitMS != row.limit {
					t.Errorf("it failed by %s at %s with a limit of %d ms, want %s at %s, %d ms", f.Reason, f.Stage, f.LimitMS, row.reason, row.stage, row.limit)
				}
				// In memory a Gateway ends with its client, so nothing is waited for after the end.
				if took := time.Since(began); took != row.wait+tap.LastCall {
					t.Errorf("it took %s, want %s", took, row.wait+tap.LastCall)
				}
				if row.reason != events.ClientIDInUse && f.WaitedMS != row.limit+tap.LastCall.Milliseconds() {
					t.Errorf("waited %d ms, want %d and %s", f.WaitedMS, row.limit, tap.LastCall)
				}
			})
		})
	}
}

// Timeouts that are real are never shorter than their budgets, to the millisecond.
func TestASilenceIsNeverShorterThanItsBudget(t *testing.T) {
	w := start(t, setting{script: "silence", params: budgets(30 * time.Millisecond)})
	for n := 1; n <= 20; n++ {
		w.connect(t, 7).all(t)
		w.desk.count(t, "client.closed", n)
	}
	for _, f := range payloads[events.AttemptFailed](w.desk) {
		if f.WaitedMS < f.LimitMS || f.ElapsedUS < f.LimitMS*1000 || f.ClientBytes != 17 {
			t.Errorf("%+v: want the budget waited out, and 17 bytes sent", f)
		}
	}
	w.desk.legal(t)
}

func TestAClientHas10SecondsForItsHello(t *testing.T) {
	bubble(t, "play healthy", always(grant), func(t *testing.T, d *desk, p *pipes) {
		began := time.Now()
		nc := p.dial()
		if _, err := nc.Write([]byte("API\x00\x00")); err != nil {
			t.Fatal(err)
		}
		if n, err := nc.Read(make([]byte, 1)); err == nil {
			t.Errorf("read %d bytes, want a close", n)
		}
		if took := time.Since(began); took != tap.HelloLimit {
			t.Errorf("it took %s, want %s", took, tap.HelloLimit)
		}
		synctest.Wait()
		d.tells(t, "c1", "client.rejected hello_timeout 4150490000")
	})
}

// A dial that nobody answers is given up at its limit; one that fails says why.
func TestADialThatFails(t *testing.T) {
	never := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
	dialled(t, never, "play healthy", always(grant), func(t *testing.T, d *desk, p *pipes) {
		began := time.Now()
		connect(p.dial(), 7, false).all(t)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %s, want 5 s", took)
		}
		synctest.Wait()
		d.tells(t, "c1", after(opening, "dial.started", "dial.failed dial_timeout", "attempt.failed dial_timeout dial", "client.closed recorder fin")...)
		if f := payloads[events.AttemptFailed](d)[0]; f.WaitedMS != 5_000 || f.LimitMS != 5_000 {
			t.Errorf("waited %d of %d ms", f.WaitedMS, f.LimitMS)
		}
	})
	noRoute := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.AddrError{Err: "no route"}}
	}
	dialled(t, noRoute, "play healthy", always(grant), func(t *testing.T, d *desk, p *pipes) {
		connect(p.dial(), 7, false).all(t)
		synctest.Wait()
		d.tells(t, "c1", after(opening, "dial.started", "dial.failed unreachable", "attempt.failed unreachable dial", "client.closed recorder fin")...)
	})
	w := start(t, setting{})
	if err := w.gateway.Refuse(); err != nil {
		t.Fatal(err)
	}
	w.connect(t, 7).all(t)
	w.desk.count(t, "client.closed", 1)
	w.desk.tells(t, "c1", after(opening, "dial.started", "dial.failed refused", "attempt.failed refused dial", "client.closed recorder fin")...)
	w.desk.legal(t)
}

// A client that leaves in mid-handshake: the Gateway's side stays until that is
// decided, and only the Gateway's own silence counts against it.
func TestAClientThatLeaves(t *testing.T) {
	version := after(up, "handshake.version 176")
	started := after(version, "handshake.api_started 7")
	closed := "client.closed client fin"
	for _, row := range []struct {
		name, script string
		at           events.Kind // it leaves when this was reported
		story        []string
		stays        time.Duration // the Gateway's side, from then on
	}{
		{"before the version, which comes", "silence 20s\nhello\nsilence", "dial.connected",
			after(up, "disconnect.deferred connected fin", "handshake.version 176", "attempt.abandoned connected answered", closed), 20 * time.Second},
		{"before the version, which never comes", "silence", "dial.connected",
			after(up, "disconnect.deferred connected fin", "handshake.timed_out connected", "attempt.failed accepted_no_bytes connected recorder fin", closed), 30*time.Second + tap.LastCall},
		{"before the version, and the Gateway closes", "silence 5s\nfin", "dial.connected",
			after(up, "disconnect.deferred connected fin", "attempt.failed fin_before_version connected gateway fin", closed), 5 * time.Second},
		{"before its startAPI", "hello\nsilence", "handshake.version",
			after(version, "attempt.abandoned versioned answered", closed), 0},
		{"after its startAPI, and ready comes", "hello\nwait start-api\nsilence 9s\nready\nsilence", "handshake.api_started",
			after(started, "disconnect.deferred started fin", "handshake.ready 1", "attempt.abandoned started answered", closed), 9 * time.Second},
		{"after its startAPI, and ready never comes", "hello\nwait start-api\nsilence", "handshake.api_started",
			after(started, "disconnect.deferred started fin", "handshake.timed_out started", "attempt.failed version_no_ready started recorder fin", closed), 30*time.Second + tap.LastCall},
		{"after its startAPI, and 326 comes", "hello\nwait start-api\nsilence 3s\nerror -1 326\nsilence", "handshake.api_started",
			after(started, "disconnect.deferred started fin", "gateway.notice 326", "attempt.abandoned started answered", closed), 3 * time.Second},
		{"after its startAPI, and the Gateway closes", "hello\nwait start-api\nsilence 3s\nfin", "handshake.api_started",
			after(started, "disconnect.deferred started fin", "attempt.failed closed_before_ready started gateway fin", closed), 3 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.script, always(grant), func(t *testing.T, d *desk, p *pipes) {
				c := connect(p.dial(), 7, row.at == "handshake.version")
				d.count(t, row.at, 1)
				left := time.Now()
				c.leave(events.FIN)
				d.count(t, "client.closed", 1)
				if took := time.Since(left); took != row.stays {
					t.Errorf("the Gateway's side stayed for %s, want %s", took, row.stays)
				}
				d.tells(t, "c1", row.story...)
			})
		})
	}
	t.Run("while the dial is under way", func(t *testing.T) {
		late := make(chan func(context.Context, string, string) (net.Conn, error), 1)
		dialled(t, func(ctx context.Context, n, a string) (net.Conn, error) {
			time.Sleep(time.Second) // of the bubble: a slow network
			return (<-late)(ctx, n, a)
		}, "play healthy", always(grant), func(t *testing.T, d *desk, p *pipes) {
			client, server := net.Pipe()
			late <- func(context.Context, string, string) (net.Conn, error) { return client, nil }
			go func() {
				_, _ = server.Read(make([]byte, 64)) // the hello, and then silence
			}()
			defer func() { _ = server.Close() }()
			c := connect(p.dial(), 7, false)
			d.count(t, "dial.started", 1)
			c.leave(events.FIN)
			d.count(t, "client.closed", 1)
			d.tells(t, "c1", after(opening, "dial.started", "disconnect.deferred dial fin", "dial.connected", "handshake.timed_out connected",
				"attempt.failed accepted_no_bytes connected recorder fin", closed)...)
		})
	})
}

// A client that does not read holds nothing up for longer than its limit, and the
// Gateway is not blamed for it.
func TestAClientThatDoesNotRead(t *testing.T) {
	bubble(t, "hello\nwait start-api\nready\nsilence", always(grant), func(t *testing.T, d *desk, p *pipes) {
		nc := p.dial()
		hello := []byte("API\x00\x00\x00\x00\x09v100..225")
		if _, err := nc.Write(hello); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		d.count(t, "client.closed", 1)
		if took := time.Since(began); took > tap.WriteLimit {
			t.Errorf("it took %s, want at most %s", took, tap.WriteLimit)
		}
		d.tells(t, "c1", after(up, "handshake.version 176", "attempt.abandoned versioned answered", "client.closed client rst")...)
		_ = nc.Close()
	})
}

// The Gateway is told nothing but the hello until it has answered it; what an
// impatient client sent behind it follows.
func TestAnImpatientClient(t *testing.T) {
	for _, size := range []int{0, 1000, 60_000} {
		bubble(t, "silence 1s\nhello\nwait start-api\nready\nserve", always(grant), func(t *testing.T, d *desk, p *pipes) {
			nc := p.dial()
			first := append([]byte("API\x00\x00\x00\x00\x09v100..225\x00\x00\x00\x0871\x002\x007\x00\x00"), junkFrame(size)...)
			c := &program{nc: nc, saw: make(chan string, 64)}
			go c.read(7, true)
			sent := make(chan error, 1)
			go func() {
				_, err := nc.Write(first)
				sent <- err
			}()
			c.sees(t, "next id")
			if err := <-sent; err != nil {
				t.Error(err)
			}
			c.leave(events.FIN)
			d.count(t, "client.closed", 1)
			d.tells(t, "c1", after(up, "handshake.version 176", "handshake.api_started 7", "handshake.ready 1", "attempt.succeeded",
				"session.established 7 176", "session.closed client fin", "client.closed client fin")...)
			if got := payloads[events.ClientClosed](d)[0].ClientBytes; got != int64(len(first)) {
				t.Errorf("%d bytes came from the client, want %d", got, len(first))
			}
		})
	}
}

// A client that fills the buffer before its turn is hung up on, wherever its attempt
// is: nobody would read it any more, and so see it leave.
func TestAClientThatSendsTooMuchBeforeItsTurn(t *testing.T) {
	for _, row := range []struct {
		name, script string
		answer       answer
		story        []string
	}{
		{"while it waits for the permit", "silence", never, after(opening, "attempt.abandoned none", "client.closed recorder rst")},
		{"before the version, which comes", "silence 1s\nhello\nsilence", grant,
			after(up, "disconnect.deferred connected rst", "handshake.version 176", "attempt.abandoned connected answered", "client.closed recorder rst")},
		{"before the version, which never comes", "silence", grant, after(up, "disconnect.deferred connected rst", "handshake.timed_out connected",
			"attempt.failed accepted_no_bytes connected recorder fin", "client.closed recorder rst")},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.script, always(row.answer), func(t *testing.T, d *desk, p *pipes) {
				nc := p.dial()
				if _, err := nc.Write([]byte("API\x00\x00\x00\x00\x09v100..225")); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if n, err := nc.Write(make([]byte, 1<<20)); err == nil {
					t.Errorf("it could write %d bytes, want a reset", n)
				}
				d.count(t, "client.closed", 1)
				d.tells(t, "c1", row.story...)
				_ = nc.Close()
			})
		})
	}
}

// A Gateway that has not answered the hello has seen nothing else.
func TestASilentGatewaySeesTheHelloOnly(t *testing.T) {
	bubble(t, "silence", always(grant), func(t *testing.T, d *desk, p *pipes) {
		nc := p.dial()
		if _, err := nc.Write([]byte("API\x00\x00\x00\x00\x09v100..225\x00\x00\x00\x0871\x002\x007\x00\x00")); err != nil {
			t.Fatal(err)
		}
		d.count(t, "client.closed", 1)
		if f := payloads[events.AttemptFailed](d); len(f) != 1 || f[0].ClientBytes != 17 {
			t.Errorf("%+v, want 17 bytes sent", f)
		}
		if c := payloads[events.ClientClosed](d)[0]; c.ClientBytes != 29 {
			t.Errorf("%d bytes came from the client, want 29", c.ClientBytes)
		}
		_ = nc.Close()
	})
}

// junkFrame is one frame of a message that nobody knows.
func junkFrame(size int) []byte {
	if size == 0 {
		return nil
	}
	b := []byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}
	return append(b, []byte("999\x00"+strings.Repeat("x", size-5)+"\x00")...)
}

// A tap that is given a way to listen opens every port of its with that.
func TestATapThatListensInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gateway := gwsim.New(gwsim.Options{})
		defer gateway.Close()
		var p *pipes
		asked := 0
		d := newDesk(events.Enforce, realBudgets, always(grant))
		tp, err := tap.Listen(tap.Config{
			Desk: d, Address: "127.0.0.1:4002", Listen: "127.0.0.1:4102", Params: realBudgets, Dial: gateway.DialContext,
			Bind: func(_, address string) (net.Listener, error) {
				if asked++; asked == 2 || address != "127.0.0.1:4102" {
					return nil, syscall.EADDRINUSE
				}
				p = newPipes()
				return p, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		tp.Shut()
		if err := tp.Reopen(); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a port that is taken: %v", err)
		}
		if err := tp.Reopen(); err != nil {
			t.Fatal(err)
		}
		c := connect(p.dial(), 7, false)
		c.sees(t, "next id")
		c.leave(events.FIN)
		if err := tp.Close(); err != nil {
			t.Error(err)
		}
		d.legal(t)
	})
}
