package tap_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

// delayed is a connection from which nothing can be read while it is held up: what
// was sent lies in it, as in the socket of a process that stands still.
type delayed struct {
	net.Conn
	from, until time.Time
}

func (d *delayed) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if now := time.Now(); now.After(d.from) && now.Before(d.until) {
		time.Sleep(d.until.Sub(now)) // in a bubble
	}
	return n, err
}

// An answer that came in time and is read a moment late is an answer; a moment
// later it is none.
func TestAnAnswerThatIsReadLate(t *testing.T) {
	for _, row := range []struct {
		name string
		late time.Duration // read after the end of the budget
		want events.FailReason
	}{
		{"just in time", -time.Millisecond, ""},
		{"while it is waited for", tap.LastCall - time.Millisecond, ""},
		{"too late", tap.LastCall + time.Millisecond, events.AcceptedNoBytes},
	} {
		t.Run(row.name, func(t *testing.T) {
			dial := func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				now := time.Now()
				go func() {
					defer func() { _ = far.Close() }()
					buf := make([]byte, 64)
					_, _ = far.Read(buf)
					time.Sleep(29 * time.Second)
					_, _ = far.Write(wire.AppendVersionReply(nil, wire.VersionReply{Version: 176, ConnectionTime: "x"}))
					if n, _ := far.Read(buf); n > 0 {
						_, _ = far.Write(wire.AppendNextValidID(wire.AppendManagedAccounts(nil, 176, []string{"DU1"}), 176, 1))
						_, _ = far.Read(buf) // its end
					}
				}()
				return &delayed{near, now.Add(time.Second), now.Add(30*time.Second + row.late)}, nil
			}
			dialled(t, dial, "silence", always(grant), func(t *testing.T, d *desk, p *pipes) {
				c := connect(p.dial(), 7, false)
				if row.want == "" {
					c.sees(t, "next id")
					c.leave(events.FIN)
				} else {
					c.all(t)
				}
				synctest.Wait()
				f := payloads[events.AttemptFailed](d)
				if row.want == "" && len(f) != 0 || row.want != "" && (len(f) != 1 || f[0].Reason != row.want) {
					t.Errorf("want %q, the story is\n%s", row.want, strings.Join(d.story(""), "\n"))
				}
			})
		})
	}
}

// frozen is a desk at which the process stands still, once the hello was sent.
type frozen struct {
	*desk
	span time.Duration
}

func (f *frozen) Report(d events.Draft) {
	f.desk.Report(d)
	if d.Data.Kind() == "dial.connected" {
		time.Sleep(f.span) // in a bubble
	}
}

// A timer that is later than any load makes it was not watched: the Gateway gets its
// whole budget again.
func TestAStandstillProvesNothing(t *testing.T) {
	const budget = 10 * time.Second
	params := realBudgets
	params.VersionBudgetMS = budget.Milliseconds()
	for _, row := range []struct {
		name       string
		span, want time.Duration
	}{
		{"a loaded machine", budget + tap.Standstill, budget + tap.Standstill + tap.LastCall},
		{"a process that stood still", budget + tap.Standstill + 1, budget + tap.Standstill + 1 + budget + tap.LastCall},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				script, err := gwsim.Named("silent")
				if err != nil {
					t.Fatal(err)
				}
				g := gwsim.New(gwsim.Options{Script: script})
				defer g.Close()
				d, p := newDesk(events.Enforce, params, always(grant)), newPipes()
				tp := tap.ServeOn(tap.Config{Desk: &frozen{d, row.span}, Address: "127.0.0.1:4002", Params: params, Dial: g.DialContext}, p)
				began := time.Now()
				connect(p.dial(), 7, false).all(t)
				if took := time.Since(began); took != row.want {
					t.Errorf("it took %s, want %s", took, row.want)
				}
				if err := tp.Close(); err != nil {
					t.Error(err)
				}
				d.tells(t, "c1", after(up, "handshake.timed_out connected", "attempt.failed accepted_no_bytes connected recorder fin", "client.closed recorder fin")...)
				d.legal(t)
			})
		})
	}
}

// A Gateway that has answered in time is not silent because its client takes long
// to read that; and one client cannot take longer than its limit.
func TestASlowClient(t *testing.T) {
	order := wire.AppendFrame(nil, append([]byte("5\x00"), make([]byte, 1000)...)) // an open order, before what makes ready
	for _, row := range []struct {
		name  string
		pause time.Duration // before each piece that the client reads
		end   events.Kind
		story string
	}{
		{"that takes what it gets within its limit", 60 * time.Millisecond, "session.established", "session.established 7 176"},
		{"that does not", 600 * time.Millisecond, "attempt.abandoned", "attempt.abandoned started answered"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dial := func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go func() {
					defer func() { _ = far.Close() }()
					buf := make([]byte, 64)
					_, _ = far.Read(buf)
					_, _ = far.Write(wire.AppendVersionReply(nil, wire.VersionReply{Version: 176, ConnectionTime: "x"}))
					_, _ = far.Read(buf)
					time.Sleep(29 * time.Second) // which leaves a second of the budget
					for range 50 {
						_, _ = far.Write(order)
					}
					_, _ = far.Write(wire.AppendNextValidID(wire.AppendManagedAccounts(nil, 176, []string{"DU1"}), 176, 1))
					_, _ = io.Copy(io.Discard, far)
				}()
				return near, nil
			}
			dialled(t, dial, "silence", always(grant), func(t *testing.T, d *desk, p *pipes) {
				nc := p.dial()
				_, _ = nc.Write(wire.AppendHello(nil, everyVersion))
				_, _ = nc.Read(make([]byte, 64))
				_, _ = nc.Write(wire.AppendStartAPI(nil, 176, wire.StartAPI{ClientID: 7, HasClientID: true}))
				var reading sync.WaitGroup
				reading.Go(func() {
					buf := make([]byte, 2000)
					for {
						time.Sleep(row.pause) // of the bubble
						if _, err := nc.Read(buf); err != nil {
							return
						}
					}
				})
				d.count(t, row.end, 1)
				story := strings.Join(d.story("c1"), "\n")
				if !strings.Contains(story, row.story) || strings.Contains(story, "attempt.failed") {
					t.Errorf("want %s, the story is\n%s", row.story, story)
				}
				_ = nc.Close()
				reading.Wait()
				d.count(t, "client.closed", 1)
			})
		})
	}
}

// Nor does it hold up the end of the tap, which is not taken for the client's.
func TestCloseWithAClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script, err := gwsim.Parse(strings.NewReader("hello\nwait start-api\nerror -1 2104\nsilence"))
		if err != nil {
			t.Fatal(err)
		}
		g := gwsim.New(gwsim.Options{Script: script})
		defer g.Close()
		d, p := newDesk(events.Enforce, realBudgets, always(grant)), newPipes()
		tp := tap.ServeOn(tap.Config{Desk: d, Address: "127.0.0.1:4002", Params: realBudgets, Dial: g.DialContext}, p)
		nc := p.dial()
		defer func() { _ = nc.Close() }()
		_, _ = nc.Write(wire.AppendHello(nil, everyVersion))
		_, _ = nc.Read(make([]byte, 64))
		_, _ = nc.Write(wire.AppendStartAPI(nil, 176, wire.StartAPI{ClientID: 7, HasClientID: true}))
		synctest.Wait() // the notice is being written
		began := time.Now()
		if err := tp.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != tap.CloseGrace {
			t.Errorf("it took %s, want %s", took, tap.CloseGrace)
		}
		d.tells(t, "c1", after(up, "handshake.version 176", "handshake.api_started 7", "gateway.notice 2104", "client.closed recorder fin")...)
		d.legal(t)
	})
}

// A Gateway that reads only a part of what it is sent: the attempt ends within the
// budget, nothing follows the hole, and that is not silence.
func TestAGatewayThatDoesNotRead(t *testing.T) {
	startAPI := wire.AppendStartAPI(nil, 176, wire.StartAPI{ClientID: 7, HasClientID: true})
	requests := wire.AppendFrame(nil, append([]byte("1\x0011\x00"), make([]byte, 20_000)...))
	const hello = 17
	for _, row := range []struct {
		name  string
		reads int // bytes behind the hello
		late  bool
		story []string
	}{
		{"half of startAPI", len(startAPI) / 2, false, after(up, "handshake.version 176", "attempt.failed closed_before_ready versioned recorder fin",
			"client.closed recorder fin")},
		{"startAPI and not what follows", len(startAPI) + 100, false, after(up, "handshake.version 176",
			"attempt.failed closed_before_ready versioned recorder fin", "client.closed recorder fin")},
		{"half of a startAPI that comes behind the version", len(startAPI) / 2, true, after(up, "handshake.version 176",
			"attempt.failed closed_before_ready versioned recorder fin", "client.closed recorder fin")},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got chan string
			dial := func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				got = make(chan string, 1) // of the bubble
				go func() {
					defer func() { _ = far.Close() }()
					buf := make([]byte, hello+row.reads)
					_, _ = io.ReadFull(far, buf[:hello])
					time.Sleep(time.Second)
					_, _ = far.Write(wire.AppendVersionReply(nil, wire.VersionReply{Version: 176, ConnectionTime: "x"}))
					n, _ := io.ReadFull(far, buf[hello:])
					time.Sleep(time.Minute) // busy
					rest, _ := io.ReadAll(far)
					got <- string(buf[hello:hello+n]) + string(rest)
				}()
				return near, nil
			}
			dialled(t, dial, "silence", always(grant), func(t *testing.T, d *desk, p *pipes) {
				began := time.Now()
				nc := p.dial()
				sent := append(startAPI[:len(startAPI):len(startAPI)], requests...)
				if _, err := nc.Write(wire.AppendHello(nil, everyVersion)); err != nil {
					t.Fatal(err)
				}
				var sending sync.WaitGroup
				sending.Go(func() {
					if row.late {
						_, _ = nc.Read(make([]byte, 64))
					} else {
						go func() { _, _ = io.Copy(io.Discard, nc) }()
					}
					_, _ = nc.Write(sent)
					time.Sleep(1500 * time.Millisecond) // after the version, and before the end
					_, _ = nc.Write(requests)
				})
				d.count(t, "client.closed", 1)
				_ = nc.Close()
				sending.Wait()
				if took, want := time.Since(began), 3*time.Second; took < want || took > want+time.Second {
					t.Errorf("it took %s, want %s and the end of the connection", took, want)
				}
				d.tells(t, "c1", row.story...)
				if g := <-got; len(g) != row.reads || g != string(sent[:row.reads]) {
					t.Errorf("the Gateway got %d bytes, want the first %d", len(g), row.reads)
				}
			})
		})
	}
}

// A side that is reset while nobody can read it, because the other one does not
// take what came from it, is noticed all the same, and the reset is passed on.
func TestAResetBehindABlockedWrite(t *testing.T) {
	for _, first := range []events.Side{events.Client, events.Upstream} {
		t.Run(string(first), func(t *testing.T) {
			t.Parallel()
			r := newRaw(t)
			a, b := r.client, r.upstream
			want := "session.closed client rst"
			if first == events.Upstream {
				a, b, want = b, a, "session.lost rst"
			}
			_ = a.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)) // until every buffer is full
			if _, err := a.Write(make([]byte, 64<<20)); err == nil {
				t.Fatal("64 MiB went into the buffers: the test blocks nobody")
			}
			_ = a.SetLinger(0)
			_ = a.Close()
			r.desk.count(t, "client.closed", 1)
			if story := strings.Join(r.desk.story("c1"), "\n"); !strings.Contains(story, want) {
				t.Errorf("want %s, the story is\n%s", want, story)
			}
			if _, err := io.Copy(io.Discard, b); err == nil {
				t.Error("the other side saw an ordinary end, want a reset")
			}
			r.desk.legal(t)
		})
	}
}
