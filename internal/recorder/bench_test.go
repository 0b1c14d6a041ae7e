package recorder

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/store"
)

type nobody struct{}

func (nobody) Observe(context.Context) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}
}

// BenchmarkInterlock compares the check of one permit, a fork of the judge and two steps
// of it, with one durable append, in turns. A permit is at least two appends: its request
// and itself.
func BenchmarkInterlock(b *testing.B) {
	s, err := store.Open(b.Context(), store.Config{Dir: filepath.Join(b.TempDir(), "store")})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	log, err := s.Log(b.Context(), "main")
	if err != nil {
		b.Fatal(err)
	}
	loaded, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	if err != nil {
		b.Fatal(err)
	}
	g, err := Open(b.Context(), Config{Gateway: "main", Log: log, Sensor: nobody{}, Redactor: events.NewRedactor(make([]byte, 16)), Policy: loaded,
		Boot: "bench", Version: "test", Start: time.Now(), Jitter: func(int64) int64 { return 0 }})
	if err != nil {
		b.Fatal(err)
	}
	asked, err := g.append(b.Context(), events.Draft{Source: "/tap", Conn: "c1", Attempt: "a1", Data: events.AttemptRequested{}})
	if err != nil {
		b.Fatal(err)
	}
	permit := policy.Decision{Attempt: "a1", Conn: "c1", Cause: asked.ID, Data: events.AttemptPermitted{Policy: loaded.Hash, Enforced: true}}
	var check, write time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		if broken := g.breaks(permit); broken != nil {
			b.Fatal(broken)
		}
		check += time.Since(began)
		began = time.Now()
		if _, err := g.append(b.Context(), events.Draft{Source: "/tap", Data: events.GatewayNotice{Code: 2104, Origin: events.OriginWire, Count: 1}}); err != nil {
			b.Fatal(err)
		}
		write += time.Since(began)
	}
	b.ReportMetric(float64(check)/float64(write), "ratio")
	b.ReportMetric(float64(check.Nanoseconds())/1e3/float64(b.N), "us/check")
	b.ReportMetric(float64(write.Nanoseconds())/1e3/float64(b.N), "us/append")
}
