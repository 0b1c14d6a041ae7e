package tap_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/tap"
)

var (
	toVersion = after(up, "handshake.version 176")
	toStart   = after(toVersion, "handshake.api_started 7")
	session   = after(toStart, "handshake.ready 1", "attempt.succeeded", "session.established 7 176")
)

// at is when the n-th event of a kind was told.
func (d *desk) at(t *testing.T, kind events.Kind, n int) time.Time {
	t.Helper()
	d.count(t, kind, n)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range d.log {
		if r.Kind() == kind {
			if n--; n == 0 {
				return d.boot.Add(time.Duration(r.Mono))
			}
		}
	}
	panic("it was counted")
}

// The startAPI of a client id whose last connection ended a moment ago is kept for the
// rest of the cooling, longer than a client's own budget for it if need be.
func TestCooling(t *testing.T) {
	const cooling = 5 * time.Second // more than realBudgets give a client for its startAPI
	for _, row := range []struct {
		name    string
		script  string
		cooling time.Duration
		observe bool
		first   int           // client id of the one before
		leaves  events.Kind   // at which it does
		passes  time.Duration // from its end to the next connect
		kept    time.Duration // the startAPI of client 7 then
		held    string
	}{
		{"at once after a session", "play healthy", cooling, false, 7, "session.established", 0, cooling, "client.held cooling 7 5000ms"},
		{"a while after it", "play healthy", cooling, false, 7, "session.established", 3 * time.Second, 2 * time.Second, "client.held cooling 7 2000ms"},
		{"a whole cooling after it", "play healthy", cooling, false, 7, "session.established", cooling, 0, ""},
		{"another client's was it", "play healthy", cooling, false, 8, "session.established", 0, 0, ""},
		{"after an attempt whose startAPI the Gateway has", "hello\nwait start-api\nsilence 1s\nready\nserve", cooling, false, 7, "handshake.api_started", time.Second,
			cooling, "client.held cooling 7 5000ms"},
		{"it is off", "play healthy", 0, false, 7, "session.established", 0, 0, ""},
		{"in observe mode nobody is held", "play healthy", cooling, true, 7, "session.established", 0, 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			inside(t, row.script, always(grant), func(c *tap.Config) {
				c.Params.CoolingMS, c.Observe = row.cooling.Milliseconds(), row.observe
			}, func(t *testing.T, b *bubbled) {
				first := connect(b.pipes.dial(), row.first, false)
				b.desk.count(t, row.leaves, 1)
				first.leave(events.FIN)
				synctest.Wait()
				time.Sleep(row.passes)
				second := connect(b.pipes.dial(), 7, false)
				second.sees(t, "next id")
				kept := b.desk.at(t, "handshake.api_started", 2).Sub(b.desk.at(t, "handshake.version", 2))
				if kept != row.kept {
					t.Errorf("the startAPI was kept for %s, want %s", kept, row.kept)
				}
				held := ""
				if i := slices.IndexFunc(b.desk.story("c2"), func(s string) bool { return strings.HasPrefix(s, "client.held") }); i >= 0 {
					held = b.desk.story("c2")[i]
				}
				if held != row.held {
					t.Errorf("it says %q, want %q", held, row.held)
				}
				second.leave(events.FIN)
				b.desk.count(t, "client.closed", 2)
				if n := len(payloads[events.AttemptFailed](b.desk)); n > 0 {
					t.Errorf("%d attempts failed", n)
				}
			})
		})
	}
}

// Whoever leaves while its startAPI is kept leaves before it: the Gateway never has it.
func TestAClientThatLeavesWhileItsIDCools(t *testing.T) {
	inside(t, "play healthy", always(grant), func(c *tap.Config) { c.Params.CoolingMS = 1000 }, func(t *testing.T, b *bubbled) {
		first := connect(b.pipes.dial(), 7, false)
		b.desk.count(t, "session.established", 1)
		first.leave(events.FIN)
		synctest.Wait()
		second := connect(b.pipes.dial(), 7, false)
		b.desk.count(t, "client.held", 1)
		second.leave(events.FIN)
		b.desk.count(t, "client.closed", 2)
		time.Sleep(time.Minute)
		b.desk.tells(t, "c2", after(toVersion, "client.held cooling 7 1000ms", "attempt.abandoned versioned answered", "client.closed client fin")...)
		for _, c := range b.gateway.Summary().Connections[1:] {
			if c.ClientID != nil {
				t.Errorf("the Gateway was told of client %d", *c.ClientID)
			}
		}
		third := connect(b.pipes.dial(), 7, false) // and what was kept is nobody's memory
		third.sees(t, "next id")
		b.desk.count(t, "session.established", 2)
		b.desk.tells(t, "c3", session...)
		third.leave(events.FIN)
	})
}

// What a client sends is passed on as it was, whatever it was kept for.
func TestWhatIsKeptArrivesAsItWas(t *testing.T) {
	inside(t, "hello\nwait start-api\nready\nserve", always(grant), func(c *tap.Config) { c.Params.CoolingMS = 1000 }, func(t *testing.T, b *bubbled) {
		first := connect(b.pipes.dial(), 7, false)
		first.sees(t, "next id")
		first.leave(events.FIN)
		synctest.Wait()
		nc := b.pipes.dial()
		p := &program{nc: nc, saw: make(chan string, 64)}
		go p.read(7, true)
		// startAPI, cut in three, and a question in the same segment as its end.
		sent := "\x00\x00\x00\x0871\x002\x007\x00\x00" + "\x00\x00\x00\x0549\x001\x00"
		parts := []string{"API\x00\x00\x00\x00\x09v100..225", sent[:3], sent[3:9], sent[9:]}
		for _, part := range parts {
			if _, err := nc.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			time.Sleep(time.Millisecond)
		}
		p.sees(t, "next id")
		p.sees(t, "time")
		p.leave(events.FIN)
		b.desk.count(t, "client.closed", 2)
		if got, want := payloads[events.ClientClosed](b.desk)[1].ClientBytes, int64(len(strings.Join(parts, ""))); got != want {
			t.Errorf("%d bytes came from the client, want %d", got, want)
		}
	})
}

// A client id that waits by the recorder's decision.
func TestAClientThatWaits(t *testing.T) {
	boxed := after(toVersion, "attempt.failed client_waits versioned recorder fin")
	for _, row := range []struct {
		name  string
		waits time.Duration                // of client 7
		then  func(b *bubbled, p *program) // once it is told, nil for nothing
		saw   []string                     // by the client
		for_  time.Duration                // until it is over
		story []string
	}{
		{"for long: it is told at once, and kept until then", 30 * time.Second, nil,
			[]string{"version 176", "error -1 70503", "fin"}, 30 * time.Second, after(boxed, "client.closed recorder fin")},
		{"it leaves before", 30 * time.Second, func(_ *bubbled, p *program) { time.Sleep(time.Second); _ = p.nc.Close() },
			[]string{"version 176", "error -1 70503"}, time.Second, after(boxed, "client.closed client fin")},
		{"the wait is called off", 30 * time.Second, func(b *bubbled, _ *program) { time.Sleep(2 * time.Second); b.tap.Hold(nil) },
			[]string{"version 176", "error -1 70503", "fin"}, 2 * time.Second, after(boxed, "client.closed recorder fin")},
		{"no longer than a cooling: it is kept as in one", time.Second, nil,
			[]string{"version 176", "accounts", "next id"}, time.Second, after(after(toVersion, "client.held backoff 7 1000ms"), append(session[len(toVersion):len(session):len(session)],
				"session.closed client fin", "client.closed client fin")...)},
		{"no more", -time.Second, nil,
			[]string{"version 176", "accounts", "next id"}, 0, after(session, "session.closed client fin", "client.closed client fin")},
	} {
		t.Run(row.name, func(t *testing.T) {
			inside(t, "play healthy", always(grant), func(c *tap.Config) { c.Params.CoolingMS = 1000 }, func(t *testing.T, b *bubbled) {
				b.tap.Hold(map[int64]time.Time{7: time.Now().Add(row.waits)})
				began := time.Now()
				p := connect(b.pipes.dial(), 7, false)
				var saw []string
				for range 2 {
					saw = append(saw, p.next(t))
				}
				if row.saw[1] == "error -1 70503" {
					if took := time.Since(began); took != 0 {
						t.Errorf("it was told after %s", took)
					}
					if !strings.Contains(saw[1], "client id 7 for 30s") || !strings.Contains(saw[1], "recorder status") {
						t.Errorf("it was told %q", saw[1])
					}
					synctest.Wait()
					if c := b.gateway.Summary().Connections[0]; c.EndedBy != "client" || c.ClientID != nil {
						t.Errorf("the Gateway's side: %+v, want it closed by us, and no client id", c)
					}
					other := connect(b.pipes.dial(), 8, false) // nobody waits for client 7
					other.sees(t, "next id")
					if took := time.Since(began); took != 0 {
						t.Errorf("another client was ready after %s", took)
					}
					defer other.leave(events.FIN)
				}
				if row.then != nil {
					row.then(b, p)
				}
				for s := p.next(t); s != "closed"; s = p.next(t) {
					if saw = append(saw, s); s == "next id" {
						p.leave(events.FIN)
					}
				}
				_ = p.nc.Close()
				if diff := cmp.Diff(row.saw, untold(saw)); diff != "" {
					t.Errorf("the client saw, want -, got +\n%s", diff)
				}
				took := b.desk.at(t, "client.closed", 1).Sub(began)
				if over := took - row.for_; over < 0 || over > tap.DeliveryHold {
					t.Errorf("it took %s, want %s", took, row.for_)
				}
				b.desk.tells(t, "c1", row.story...)
			})
		})
	}
}

// The first 326 of a client id is the Gateway's to say; only what follows waits.
func TestTheFirst326Arrives(t *testing.T) {
	inside(t, "play client-id-in-use", always(grant), func(c *tap.Config) { c.Params.CoolingMS = 1000 }, func(t *testing.T, b *bubbled) {
		saw := connect(b.pipes.dial(), 7, false).all(t)
		if len(saw) != 3 || !strings.HasPrefix(saw[1], "error -1 326 Unable to connect as the client id is already in use") {
			t.Errorf("the client saw %q", saw)
		}
		b.desk.count(t, "client.closed", 1)
		b.desk.tells(t, "c1", after(toStart, "gateway.notice 326", "attempt.failed client_id_in_use started gateway fin 326", "client.closed gateway fin")...)
	})
}

// Those who sit their wait out are in nobody's way, and there is a bound to them.
func TestManyClientsThatWait(t *testing.T) {
	inside(t, "play healthy", always(grant), func(c *tap.Config) { c.Params.CoolingMS, c.Pace = 1000, 1<<20 }, func(t *testing.T, b *bubbled) {
		b.tap.Hold(map[int64]time.Time{7: time.Now().Add(time.Minute)})
		began := time.Now()
		var sit []*program
		for range tap.MaxBoxed {
			p := connect(b.pipes.dial(), 7, false)
			p.sees(t, "error -1 70503")
			sit = append(sit, p)
		}
		over := connect(b.pipes.dial(), 7, false)
		over.sees(t, "error -1 70503")
		over.sees(t, "fin")
		if took := time.Since(began); took > 2*tap.DeliveryHold {
			t.Errorf("one too many was kept for %s", took)
		}
		_ = over.nc.Close()
		var busy []*program
		for id := range tap.MaxClients {
			p := connect(b.pipes.dial(), 100+id, false)
			p.sees(t, "next id")
			busy = append(busy, p)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the others were ready after %s", took)
		}
		for _, p := range sit {
			p.sees(t, "fin")
			_ = p.nc.Close()
		}
		if took := time.Since(began); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("they were closed after %s, want a minute", took)
		}
		for _, p := range busy {
			p.leave(events.FIN)
		}
	})
}

// The tap ends at once, whoever sits.
func TestCloseWithAClientThatWaits(t *testing.T) {
	inside(t, "play healthy", always(grant), func(*tap.Config) {}, func(t *testing.T, b *bubbled) {
		b.tap.Hold(map[int64]time.Time{7: time.Now().Add(time.Minute)})
		p := connect(b.pipes.dial(), 7, false)
		p.sees(t, "error -1 70503")
		began := time.Now()
		if err := b.tap.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %s", took)
		}
		b.desk.tells(t, "c1", after(toVersion, "attempt.failed client_waits versioned recorder fin", "client.closed recorder fin")...)
		p.leave(events.FIN)
	})
}
