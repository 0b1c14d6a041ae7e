package tap_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
)

// However often something knocks that is no program, it is told of at once, then once
// a minute with a count, and once more at the end; nothing is lost.
func TestProbesAreToldOfAtABoundedRate(t *testing.T) {
	second := func(n int) time.Duration { return time.Duration(n) * time.Second }
	for _, row := range []struct {
		name  string
		knock int           // probes, one a second
		other int           // of them, every so many speaks another protocol; 0 none
		idle  time.Duration // after them
		want  []string
	}{
		{"one", 1, 0, second(200), []string{"0s hello_closed x 1"}},
		{"two, and nothing more for long", 2, 0, second(200), []string{"0s hello_closed x 1", "1m0s hello_closed x 1"}},
		{"a loop of three minutes", 180, 0, second(500), []string{
			"0s hello_closed x 1", "1m0s hello_closed x 59", "2m0s hello_closed x 60", "3m0s hello_closed x 60"}},
		{"a loop that goes on when the tap closes", 90, 0, 0, []string{
			"0s hello_closed x 1", "1m0s hello_closed x 59", "1m30.5s hello_closed x 30"}},
		{"two of them, each by itself", 61, 10, 0, []string{
			"0s hello_closed x 1", "9.5s not_a_hello x 1", "1m0s hello_closed x 53", "1m1.5s hello_closed x 1", "1m1.5s not_a_hello x 5"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var began time.Time
			var d *desk
			closed := func(t *testing.T, all *desk, p *pipes) {
				began, d = time.Now(), all
				for n := 1; n <= row.knock; n++ {
					nc := p.dial()
					if row.other > 0 && n%row.other == 0 {
						_, _ = io.WriteString(nc, "GET / HTTP/1.1\r\n")
					}
					_ = nc.Close()
					synctest.Wait()
					if n == 1 { // never at the moment at which a minute is over
						time.Sleep(time.Second / 2)
					}
					time.Sleep(time.Second)
				}
				time.Sleep(row.idle)
			}
			bubble(t, "play healthy", always(grant), closed)
			var got []string
			for _, r := range d.log {
				if c, ok := r.Data.(events.ClientRejected); ok {
					got = append(got, fmt.Sprint(time.Duration(r.Mono)-began.Sub(d.boot), " ", c.Reason, " x ", c.Count))
				} else if r.Source == "/tap" {
					t.Errorf("a probe left %s", r.Kind())
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

// Whoever comes while the tap is shut is told why, is counted, and leaves nothing else;
// the Gateway meets none of them, and everybody is dialled for again when it is over.
func TestAShutTapThatExplains(t *testing.T) {
	const programs = 2000
	w := start(t, setting{config: func(c *tap.Config) { c.Explain = true }})
	w.tap.Shut()
	w.tap.Shut() // is the same
	var storm sync.WaitGroup
	work := make(chan int)
	for range 40 { // more than the Gateway has clients, and far fewer than the tap greets
		storm.Go(func() {
			for n := range work {
				nc, err := net.Dial("tcp", w.tap.Addr().String())
				if err != nil {
					t.Error(err)
					continue
				}
				p := connect(nc, n, false)
				var saw []string
				for s := range p.saw {
					saw = append(saw, s)
				}
				if diff := cmp.Diff([]string{"version 225", "error -1 70503", "fin"}, untold(saw)); diff != "" {
					t.Errorf("program %d saw, want -, got +\n%s", n, diff)
				}
				_ = nc.Close()
			}
		})
	}
	for n := range programs {
		work <- n
	}
	close(work)
	storm.Wait()
	until(t, "no connection is left", func() bool { return w.tap.Open() == 0 })
	w.connects(t, 0)
	w.desk.mu.Lock()
	denied := w.desk.denied
	w.desk.mu.Unlock()
	if denied != programs {
		t.Errorf("%d of %d programs were counted", denied, programs)
	}
	if story := w.desk.story(""); len(story) > 0 {
		t.Errorf("they left %d events: %s", len(story), strings.Join(story[:min(len(story), 9)], ", "))
	}
	if err := w.tap.Reopen(); err != nil {
		t.Fatal(err)
	}
	p := w.connect(t, 7)
	p.sees(t, "next id")
	p.leave(events.FIN)
	w.desk.count(t, "client.closed", 1)
	w.desk.legal(t)
	w.connects(t, 1)
}

// A session that was up stays up; and what was greeting when the tap shut, without
// Explain, is told and counted as well.
func TestWhoGreetsAShutTap(t *testing.T) {
	for _, explain := range []bool{true, false} {
		t.Run(fmt.Sprint("explain ", explain), func(t *testing.T) {
			w := start(t, setting{config: func(c *tap.Config) { c.Explain = explain }})
			session := w.connect(t, 1)
			session.sees(t, "next id")
			w.desk.count(t, "session.established", 1)
			early := w.dial(t)
			until(t, "it is there", func() bool { return w.tap.Open() == 2 })
			w.tap.Shut()
			if diff := cmp.Diff([]string{"version 225", "error -1 70503", "fin"}, untold(connect(early, 2, false).all(t))); diff != "" {
				t.Errorf("the client saw, want -, got +\n%s", diff)
			}
			if nc, err := net.Dial("tcp", w.tap.Addr().String()); (err == nil) != explain {
				t.Errorf("a connect: %v", err)
			} else if err == nil {
				_ = nc.Close()
			}
			until(t, "the session alone is left", func() bool { return w.tap.Open() == 1 })
			if w.desk.denied != 1 {
				t.Errorf("%d were counted, want 1", w.desk.denied)
			}
			session.leave(events.FIN)
			w.desk.count(t, "client.closed", 1)
			w.connects(t, 1)
		})
	}
}
