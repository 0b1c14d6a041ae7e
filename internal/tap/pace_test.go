package tap_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
	"ibrecorder/internal/wire"
)

// greet sends a hello and nothing else.
func (p *pipes) greet(t *testing.T) interface{ Close() error } {
	t.Helper()
	nc := p.dial()
	if _, err := nc.Write(wire.AppendHello(nil, everyVersion)); err != nil {
		t.Fatal(err)
	}
	return nc
}

// From the burst on one program a second asks, in the order in which they came; what was
// saved up by being idle is a burst and no more.
func TestAskingIsPaced(t *testing.T) {
	const burst = 3
	for _, row := range []struct {
		name string
		idle time.Duration // before them
		ask  int
		want []time.Duration // when each asked, from the first
	}{
		{"a burst", 0, 3, []time.Duration{0, 0, 0}},
		{"and more", 0, 6, []time.Duration{0, 0, 0, 1, 2, 3}},
		{"after an hour of nothing", time.Hour, 5, []time.Duration{0, 0, 0, 1, 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			inside(t, "silence", always(never), func(c *tap.Config) { c.Pace = burst }, func(t *testing.T, b *bubbled) {
				time.Sleep(row.idle)
				began := time.Now()
				for range row.ask {
					nc := b.pipes.greet(t)
					synctest.Wait()
					defer func() { _ = nc.Close() }()
				}
				b.desk.count(t, "attempt.requested", row.ask)
				var got []time.Duration
				var order []string
				for n := range row.ask {
					got = append(got, b.desk.at(t, "attempt.requested", n+1).Sub(began)/time.Second)
					order = append(order, fmt.Sprint("c", n+1))
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("seconds, want -, got +\n%s", diff)
				}
				var asked []string
				for _, r := range b.desk.log {
					if r.Kind() == "attempt.requested" {
						asked = append(asked, r.Conn)
					}
				}
				if diff := cmp.Diff(order, asked); diff != "" {
					t.Errorf("the order, want -, got +\n%s", diff)
				}
			})
		})
	}
}

// Who leaves the line leaves its place to the next, and is only counted.
func TestWhoLeavesTheLineIsCounted(t *testing.T) {
	inside(t, "silence", always(never), func(c *tap.Config) { c.Pace = 1 }, func(t *testing.T, b *bubbled) {
		first := b.pipes.greet(t)
		defer func() { _ = first.Close() }()
		synctest.Wait()
		began := time.Now()
		for range 100 {
			nc := b.pipes.greet(t)
			synctest.Wait()
			_ = nc.Close()
			synctest.Wait()
		}
		next := b.pipes.greet(t)
		defer func() { _ = next.Close() }()
		b.desk.count(t, "attempt.requested", 2)
		if took := b.desk.at(t, "attempt.requested", 2).Sub(began); took != tap.PaceEvery {
			t.Errorf("the next one asked after %s, want %s", took, tap.PaceEvery)
		}
		time.Sleep(2 * tap.TurnedSpan)
		var counts []int64
		for _, r := range payloads[events.ClientRejected](b.desk) {
			if r.Reason == events.TooOften {
				counts = append(counts, r.Count)
			}
		}
		if diff := cmp.Diff([]int64{1, 99}, counts); diff != "" {
			t.Errorf("the counts, want -, got +\n%s", diff)
		}
		if n := len(payloads[events.ClientOpened](b.desk)); n != 2 {
			t.Errorf("%d connections were opened in the log, want 2", n)
		}
	})
}

// A program that greets, takes the version and leaves, in a loop for an hour: what that
// costs the log is a matter of the clock alone, and another program waits for a moment.
func TestAnHourOfGreetings(t *testing.T) {
	inside(t, "hello\nwait start-api\nready\nserve", always(grant), func(*tap.Config) {}, func(t *testing.T, b *bubbled) {
		began, greeted := time.Now(), 0
		var longest time.Duration
		for n := 0; time.Since(began) < time.Hour; n++ {
			p := connect(b.pipes.dial(), 7, true)
			p.sees(t, "version")
			p.leave(events.FIN)
			synctest.Wait()
			time.Sleep(10 * time.Millisecond)
			if greeted++; n%600 == 0 {
				came := time.Now()
				other := connect(b.pipes.dial(), 100+n, false)
				other.sees(t, "next id")
				longest = max(longest, time.Since(came))
				other.leave(events.FIN)
				synctest.Wait()
			}
		}
		b.desk.mu.Lock()
		n, requests := len(b.desk.log), b.desk.requests
		b.desk.mu.Unlock()
		if most := tap.PaceBurst + int(time.Hour/tap.PaceEvery) + 1; requests > most || n > 12*most {
			t.Errorf("%d attempts with %d events in an hour, want at most %d and %d", requests, n, most, 12*most)
		}
		if longest > 2*tap.PaceEvery {
			t.Errorf("another program was ready after %s, want at most %s", longest, 2*tap.PaceEvery)
		}
		t.Logf("%d greetings, %d attempts, %d events; another program waited for at most %s", greeted, requests, n, longest)
	})
}

// Nobody waits in a line while the tap is shut, or closes.
func TestTheEndOfTheLine(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(b *bubbled) error
		saw  []string
		told int // of being held
	}{
		{"the tap is shut", func(b *bubbled) error { b.tap.Shut(); return nil }, []string{"version 225", "error -1 70503", "fin"}, 1},
		{"it closes", func(b *bubbled) error { return b.tap.Close() }, []string{"fin"}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			inside(t, "silence", always(never), func(c *tap.Config) { c.Pace = 1 }, func(t *testing.T, b *bubbled) {
				first := b.pipes.greet(t)
				defer func() { _ = first.Close() }()
				synctest.Wait()
				began := time.Now()
				p := connect(b.pipes.dial(), 7, false)
				synctest.Wait()
				if err := row.end(b); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(row.saw, untold(p.all(t))); diff != "" {
					t.Errorf("it saw, want -, got +\n%s", diff)
				}
				if took := time.Since(began); took >= tap.PaceEvery {
					t.Errorf("it took %s", took)
				}
				if b.desk.denied != row.told || b.desk.requests != 1 {
					t.Errorf("%d were held and %d asked, want %d and 1", b.desk.denied, b.desk.requests, row.told)
				}
			})
		})
	}
}

// In observe mode nobody waits for anything.
func TestObserveModePacesNobody(t *testing.T) {
	inside(t, "play healthy", always(grant), func(c *tap.Config) { c.Pace, c.Observe = 1, true }, func(t *testing.T, b *bubbled) {
		began := time.Now()
		for id := range 10 {
			p := connect(b.pipes.dial(), id, false)
			p.sees(t, "next id")
			p.leave(events.FIN)
			synctest.Wait()
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %s", took)
		}
	})
}
