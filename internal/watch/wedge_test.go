package watch

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
)

// queue is a sensor that says who waits at a listener, as time goes by.
type queue struct {
	begin  time.Time
	at     func(since time.Duration) (events.GatewayObserved, []Unaccepted)
	looks  []time.Duration // when it was read
	lasted time.Duration   // how long a reading takes
}

func (q *queue) Look(context.Context) (events.GatewayObserved, []Unaccepted) {
	since := time.Since(q.begin)
	q.looks = append(q.looks, since)
	seen, waiting := q.at(since)
	n := int64(len(waiting))
	seen.QueueSockets = &n
	time.Sleep(q.lasted)
	return seen, waiting
}

func client(port uint16) Unaccepted {
	return Unaccepted{
		Local: netip.MustParseAddrPort("127.0.0.1:4002"), Peer: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port),
		Bytes: 17, State: events.SocketEstablished,
	}
}

// proofs are the readings that prove something.
func proofs(all []events.GatewayObserved) (out []events.GatewayObserved) {
	for _, seen := range all {
		if seen.WedgedSamples > 0 {
			out = append(out, seen)
		}
	}
	return out
}

func TestAnAcceptorHangsIfOneConnectionWaitsForAWholeBudget(t *testing.T) {
	const budget = 30 * time.Second
	within := func(since, from, to time.Duration) bool { return from <= since && since < to }
	for _, c := range []struct {
		name   string
		at     func(since time.Duration) (events.GatewayObserved, []Unaccepted)
		lasted time.Duration
		proven int
	}{
		{"the same one, from the beginning", func(time.Duration) (events.GatewayObserved, []Unaccepted) {
			return java(1), []Unaccepted{client(1)}
		}, 0, 1},
		{"readings that take long are part of no wait", func(time.Duration) (events.GatewayObserved, []Unaccepted) {
			return java(1), []Unaccepted{client(1)}
		}, time.Second, 1},
		{"its client gave up, and it still waits", func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			u := client(1)
			if since > 15*time.Second {
				u.Bytes, u.State = 18, events.SocketCloseWait
			}
			return java(1), []Unaccepted{u}
		}, 0, 1},
		{"nobody", func(time.Duration) (events.GatewayObserved, []Unaccepted) { return java(1), nil }, 0, 0},
		{"one that is accepted late", func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			if within(since, 0, 29*time.Second) {
				return java(1), []Unaccepted{client(1)}
			}
			return java(1), nil
		}, 0, 0},
		{"many, each of whom is accepted late", func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			n := uint16(since / (10 * time.Second)) // one more each 10 s, and each is taken after 20 s
			return java(1), []Unaccepted{client(100 + n), client(101 + n)}
		}, 0, 0},
		{"one that is gone for a sample", func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			if within(since%(25*time.Second), 0, 5*time.Second) {
				return java(1), []Unaccepted{client(2)}
			}
			return java(1), []Unaccepted{client(1)}
		}, 0, 0},
		{"a forwarder's", func(time.Duration) (events.GatewayObserved, []Unaccepted) {
			return someones, []Unaccepted{client(1)}
		}, 0, 0},
		{"nobody knows whose", func(time.Duration) (events.GatewayObserved, []Unaccepted) {
			return another, []Unaccepted{client(1)}
		}, 0, 0},
		{"a sensor that fails has not seen it", func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			if within(since, 5*time.Second, time.Hour) {
				return denied, nil
			}
			return java(1), []Unaccepted{client(1)}
		}, 0, 0},
		{"a Gateway that is restarted each time", func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			return java(int64(1 + since/(25*time.Second))), []Unaccepted{client(1)}
		}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &queue{begin: time.Now(), at: c.at, lasted: c.lasted}
				d := &desk{all: []events.GatewayObserved{java(1)}}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				Periodic{Sensor: q, Desk: d, Every: Interval, Budget: func() time.Duration { return budget }, Logger: slog.New(slog.DiscardHandler)}.Run(ctx)
				got := proofs(d.all)
				if len(got) != c.proven {
					t.Fatalf("proven %d times, want %d: %+v", len(got), c.proven, got)
				}
				for _, seen := range got {
					if seen.WedgedPort != 1 || seen.WedgedSamples < leastSamples || seen.WedgedMS < budget.Milliseconds() || seen.WedgedBytes == 0 || seen.WedgedState == "" {
						t.Errorf("recorded %+v", seen)
					}
				}
			})
		})
	}
}

func TestWhoeverWaitsIsLookedForMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{begin: time.Now(), at: func(since time.Duration) (events.GatewayObserved, []Unaccepted) {
			if since < 20*time.Second {
				return java(1), nil
			}
			return java(1), []Unaccepted{client(1)}
		}}
		d := &desk{all: []events.GatewayObserved{java(1)}}
		ctx, cancel := context.WithTimeout(t.Context(), 75*time.Second)
		defer cancel()
		Periodic{Sensor: q, Desk: d, Every: Interval, Budget: func() time.Duration { return 30 * time.Second }, Logger: slog.New(slog.DiscardHandler)}.Run(ctx)
		const want = "[0s 10s 20s 25s 30s 35s 40s 45s 50s 1m0s 1m10s]" // once it is proven there is no hurry
		if got := fmt.Sprint(q.looks); got != want {
			t.Errorf("read at %s, want %s", got, want)
		}
		if got := proofs(d.all); len(got) != 1 || got[0].WedgedSamples != 7 || got[0].WedgedMS != 30_000 {
			t.Errorf("recorded %+v, want one of 7 samples in 30 s", got)
		}
	})
}

func TestASeriesBeginsAnew(t *testing.T) {
	const budget = 30 * time.Second
	one := int64(1)
	gateway := java(1)
	gateway.QueueSockets = &one
	waiting := []Unaccepted{client(1)}
	begin := time.Now()
	s := series{budget: budget}
	sample := func(at time.Duration, last string) bool {
		_, proven := s.sample(begin.Add(at), begin.Add(at), gateway, waiting, last)
		return proven
	}
	span := func(from, to time.Duration, last string) (proven bool) {
		for at := from; at <= to; at += s.every() {
			proven = sample(at, last) || proven
		}
		return proven
	}
	if span(0, 25*time.Second, "e1") {
		t.Fatal("proven before the budget was over")
	}
	if span(40*time.Second, 65*time.Second, "e1") { // nobody looked for 15 s
		t.Error("a standstill counts as a wait")
	}
	if span(70*time.Second, 95*time.Second, "e2") {
		t.Error("what was seen before somebody else's reading counts with what was seen after")
	}
	if !sample(100*time.Second, "e2") {
		t.Fatal("not proven after a whole budget")
	}
	if !sample(105*time.Second, "e2") {
		t.Error("what the log did not take is not tried again")
	}
	s.known("e4")
	if span(110*time.Second, 10*time.Minute, "e4") {
		t.Error("told again of the same listener")
	}
	if span(10*time.Minute, 10*time.Minute+25*time.Second, "e5") || !sample(10*time.Minute+30*time.Second, "e5") {
		t.Error("after a claim it is not proven anew, by a budget of its own")
	}
}

func TestASeriesIsBounded(t *testing.T) {
	n := int64(1000)
	gateway := java(1)
	gateway.QueueSockets = &n
	var waiting []Unaccepted
	for i := range uint16(1000) {
		waiting = append(waiting, client(i+1))
	}
	begin, s := time.Now(), series{budget: 30 * time.Second}
	var proof events.GatewayObserved
	for i := range time.Duration(7) {
		at := begin.Add(i * s.every())
		proof, _ = s.sample(at, at, gateway, waiting, "")
	}
	if len(s.waits) != maxWaiting || proof.WedgedSamples != 7 || proof.WedgedPort != 1 {
		t.Errorf("%d are followed, want %d; proven by %+v", len(s.waits), maxWaiting, proof)
	}
}
