package daemon_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/wire"
	"ibrecorder/store"
)

// held is a program that connects while the gate is stopped. It returns the code of the
// error that it was told, 0 if it was told none.
func held(address string) int {
	nc, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return 0 // the recorder was killed a moment ago
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		return 0
	}
	scan, buf, version, code := wire.NewScanner(0), make([]byte, 4096), 0, 0
	for {
		n, err := nc.Read(buf)
		for f := range scan.Frames(buf[:n]) {
			if version == 0 {
				reply, err := wire.ParseVersionReply(f)
				if err != nil {
					return 0
				}
				version = reply.Version
				if _, err := nc.Write(wire.AppendStartAPI(nil, version, wire.StartAPI{ClientID: 7, HasClientID: true})); err != nil {
					return 0
				}
				continue
			}
			m, err := wire.ParseMessage(version, f)
			if err != nil {
				return 0
			}
			if e, err := m.ErrorMessage(); err == nil {
				code = e.Code
			}
		}
		if errors.Is(err, io.EOF) {
			return code
		}
		if err != nil {
			return 0
		}
	}
}

// A storm of programs against a stopped gate whose port stays open, with the recorder
// killed ten times in it: every one that meets a recorder is told why, none reaches the
// Gateway, the log grows by a handful of events for each run, and the counts in it are
// right for every run that ended in order.
func TestAStormWhileProgramsAreTold(t *testing.T) {
	const kills, between, workers = 10, 1000, 24
	s := newStage(t, "", "")
	s.orders.Explain = true
	s.until("a program was ready", func(st httpapi.Status) bool { return st.Totals.Succeeded > 0 }, s.attempt)
	s.until("the gate stopped", func(st httpapi.Status) bool { return st.Gate == "STOPPED" }, s.attempt)
	before := s.sim.Summary().Connects

	var told, strange atomic.Int64
	storm := func() (end func()) {
		over := make(chan struct{})
		var all sync.WaitGroup
		for range workers {
			all.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					switch held(s.orders.Tap) {
					case events.CodeHeld:
						told.Add(1)
					case 0:
						time.Sleep(time.Millisecond) // nobody is there for a moment
					default:
						strange.Add(1)
					}
				}
			})
		}
		return func() { close(over); all.Wait() }
	}
	more := func() {
		for want, until := told.Load()+between, time.Now().Add(patience); told.Load() < want; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%d programs were told, want %d", told.Load(), want)
			}
		}
	}
	end := storm()
	for range kills {
		more()
		_ = s.end(syscall.SIGKILL)
		s.begin()
	}
	more()
	end()
	_ = s.end(syscall.SIGKILL)

	// One more run, which ends in order: its count is exact.
	s.begin()
	st := until(t, s.api, func(st httpapi.Status) bool { return st.Boot != "" })
	base, already := st.Totals.Denied, told.Load()
	end = storm()
	more()
	end()
	exact := told.Load() - already
	st = until(t, s.api, func(st httpapi.Status) bool { return st.Totals.Denied >= base+exact })
	if got := st.Totals.Denied - base; got != exact {
		t.Errorf("%d programs were told, and the status counts %d", exact, got)
	}
	if err := s.end(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if n := s.sim.Summary().Connects - before; n != 0 {
		t.Errorf("%d connects reached the Gateway while the gate was stopped", n)
	}
	if n := strange.Load(); n != 0 {
		t.Errorf("%d programs were told something else", n)
	}
	s.stormLog(t, told.Load(), base+exact, kills+2)
}

// stormLog checks what a storm left in the log.
func (s *stage) stormLog(t *testing.T, told, denied int64, runs int) {
	t.Helper()
	c, err := store.OpenCopy(t.Context(), s.orders.Data, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	l, err := c.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	j, stopped, collapsed, n, total := rule.New(), false, 0, 0, int64(0)
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		j.Step(rec)
		switch d := rec.Data.(type) {
		case events.RestartRequired:
			stopped = true
		case events.AttemptDenied:
			total += d.Count
			if rec.Attempt == "" {
				collapsed++
			}
		}
		if stopped {
			n++
		}
	}
	if v := j.Verdict(); v.Outcome != rule.Holds {
		t.Errorf("verdict %s: %+v", v.Outcome, v)
	}
	if total != denied {
		t.Errorf("the log counts %d denied, the status %d", total, denied)
	}
	// A program that came between the start of a run and its first look at the gate asks
	// in the log, and has its answer there: at most 32 of them, with 5 events each.
	if most := runs * (32*5 + 5); collapsed > 2*runs || n > most {
		t.Errorf("%d programs left %d events, %d of them collapsed denials; want at most %d and %d", told, n, collapsed, most, 2*runs)
	}
	t.Logf("%d programs were told, %d events were written, %d collapsed denials among them", told, n, collapsed)
}
