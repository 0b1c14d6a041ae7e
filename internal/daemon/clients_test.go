package daemon_test

import (
	"context"
	"math/bits"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/wire"
	"ibrecorder/store"
)

// shook is a program as client id. It returns its connection when it is ready, and the
// code of the error that it was told if it was told one: at once if it leaves at that,
// and otherwise when it is closed.
func shook(address string, id int, leaves bool) (nc net.Conn, code int) {
	nc, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, 0
	}
	_ = nc.SetDeadline(time.Now().Add(2 * time.Minute))
	_, err = nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225}))
	scan, buf, version := wire.NewScanner(0), make([]byte, 4096), 0
	for err == nil && (code == 0 || !leaves) {
		var n int
		n, err = nc.Read(buf)
		for f := range scan.Frames(buf[:n]) {
			if version == 0 {
				reply, bad := wire.ParseVersionReply(f)
				if bad != nil {
					break
				}
				version = reply.Version
				_, _ = nc.Write(wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: id, HasClientID: true}))
				continue
			}
			m, bad := wire.ParseMessage(version, f)
			if bad != nil {
				break
			}
			if e, bad := m.ErrorMessage(); bad == nil {
				code = e.Code
			}
			if m.ID == wire.IDNextValidID {
				return nc, 0
			}
		}
	}
	_ = nc.Close()
	return nil, code
}

// A program whose client id is in use, and that tries again at full speed: what reaches
// the Gateway and the log is a matter of the clock, and other programs are in nobody's
// way.
func TestAProgramThatTriesAgainAtOnce(t *testing.T) {
	for _, c := range []struct {
		name   string
		leaves bool
		most   func(seconds int) int // connects of that program at the Gateway
	}{
		// Its waits are 1, 2, 4 s and so on, and each is sat out in the one connection that
		// met it: as often 326 as told.
		{"it stays until it is closed", false, func(s int) int { return 2 * (bits.Len(uint(s)) + 1) }},
		// It is told at once each time, so what bounds it is the pace of asking.
		{"it leaves when it is told", true, func(s int) int { return 64 + s + 2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			plan, err := gwsim.Named("healthy") // 326 for a client id that is connected
			if err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("tcp", loopback()+":0")
			if err != nil {
				t.Fatal(err)
			}
			sim := gwsim.New(gwsim.Options{Script: plan, Version: 203})
			ctx, cancel := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() { served <- sim.Serve(ctx, ln) }()
			defer func() { cancel(); <-served; sim.Close() }()
			cfg := config(t, folder(t))
			cfg.Gateways[0].Address = ln.Addr().String()
			if cfg.Policy, err = policy.Load("handoff", policy.Handoff(), events.Enforce); err != nil {
				t.Fatal(err)
			}
			r := start(t, cfg)

			first, code := shook(r.tap, 7, true)
			if first == nil {
				t.Fatalf("the first program is not ready, code %d", code)
			}
			defer first.Close()
			before := sim.Summary().Connects
			over := make(chan struct{})
			told := map[int]int{}
			var storm sync.WaitGroup
			storm.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					nc, code := shook(r.tap, 7, c.leaves)
					if nc != nil {
						t.Error("it was ready, though its client id is in use")
						_ = nc.Close()
					}
					told[code]++
				}
			})
			began, slowest := time.Now(), time.Duration(0)
			const others = 5
			for id := range others {
				time.Sleep(time.Second) // as often as the line lets one more ask
				came, met := time.Now(), sim.Summary().Connects
				nc, code := shook(r.tap, 100+id, true)
				if nc == nil {
					t.Fatalf("another program was told %d", code)
				}
				defer nc.Close()
				// One of it may be under way, one before the other in the line, and one come
				// after it while this asks.
				if between := sim.Summary().Connects - met - 1; between > 3 {
					t.Errorf("another program waited for %d connects of that one", between)
				}
				slowest = max(slowest, time.Since(came))
			}
			waits := until(t, r.api, func(s httpapi.Status) bool { return len(s.Clients) == 1 })
			if w := waits.Clients[0]; w.ID != 7 || w.Failures < 1 || time.Until(w.Until) > 2*time.Minute {
				t.Errorf("the status says %+v", w)
			}
			close(over)
			connects := sim.Summary().Connects - before - others
			most := c.most(int(time.Since(began).Seconds()) + 1)
			if err := r.stop(); err != nil {
				t.Error(err)
			}
			storm.Wait()
			if connects > most || told[326] < 1 {
				t.Errorf("%d connects of that program, want at most %d; it was told %v", connects, most, told)
			}
			n := verdictOf(t, cfg)
			if most := 12*(most+others+2) + 20; n > most {
				t.Errorf("%d events, want at most %d", n, most)
			}
			t.Logf("%d connects of that program, which was told %v; another one was ready after at most %s; %d events", connects, told, slowest, n)
		})
	}
}

// verdictOf checks that the log holds, and returns how many events it has.
func verdictOf(t *testing.T, cfg daemon.Config) (n int) {
	t.Helper()
	c, err := store.OpenCopy(t.Context(), cfg.Data, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	l, err := c.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	j := rule.New()
	var kinds []string
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		j.Step(rec)
		// What is kept in the slot is everybody's wait.
		if d, ok := rec.Data.(events.ClientHeld); ok && d.WaitMS > cfg.Policy.CoolingMS {
			t.Errorf("a startAPI was kept for %d ms while others wait", d.WaitMS)
		}
		kinds = append(kinds, string(rec.Kind()))
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		t.Errorf("verdict %s: %+v\n%s", v.Outcome, v, strings.Join(kinds, " "))
	}
	return len(kinds)
}
