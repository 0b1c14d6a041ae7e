package recorder_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/store"
)

var logEvents = flag.Int("log-events", 100_000, "how long the log is that BenchmarkStart starts on")

// BenchmarkStart is from an empty process to a gate that can decide, on a log of
// -log-events events: the store's check of every record, the server, and the fold and the
// judge, from the first event or from the newest snapshot. ratio is against the first.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	fill(b, dir)
	index := filepath.Join(dir, "jetstream", "IBRECORDER", "streams", "IBR_LIVE_0001", "msgs", "index.db")
	var whole float64
	for _, c := range []struct {
		name     string
		snapshot bool
		killed   bool
	}{
		{"from the first event", false, false},
		{"from a snapshot", true, false},
		{"from a snapshot, killed", true, true}, // the server writes its index when it ends in order
	} {
		b.Run(c.name, func(b *testing.B) {
			var took time.Duration
			for range b.N {
				if c.killed {
					if err := os.Remove(index); err != nil && !errors.Is(err, os.ErrNotExist) {
						b.Fatal(err)
					}
				}
				began := time.Now()
				end := open(b, dir, c.snapshot)
				took += time.Since(began)
				end()
			}
			each := took.Seconds() / float64(b.N)
			if !c.snapshot {
				whole = each
			}
			b.ReportMetric(each, "s/start")
			b.ReportMetric(each/whole, "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func fill(b *testing.B, dir string) {
	s, err := store.Open(b.Context(), store.Config{Dir: dir, MaxBytes: 8 << 30})
	if err != nil {
		b.Fatal(err)
	}
	log, err := s.Log(b.Context(), "live")
	if err != nil {
		b.Fatal(err)
	}
	for _, rec := range streamtest.Busy("live", *logEvents).Records() {
		if err := log.Append(b.Context(), rec); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	open(b, dir, true)() // keeps the first snapshot
}

// open starts a recorder and returns what ends it.
func open(b *testing.B, dir string, snapshot bool) (end func()) {
	s, err := store.Open(b.Context(), store.Config{Dir: dir, MaxBytes: 8 << 30})
	if err != nil {
		b.Fatal(err)
	}
	log, err := s.Log(b.Context(), "live")
	if err != nil {
		b.Fatal(err)
	}
	loaded, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	if err != nil {
		b.Fatal(err)
	}
	boots++
	cfg := recorder.Config{
		Gateway: "live", Log: log, Sensor: &sensor{seen: process(100)}, Redactor: events.NewRedactor(make([]byte, 16)), Policy: loaded,
		Boot: bootName(), Version: "test", Build: "test", Start: time.Now(), Jitter: func(most int64) int64 { return most / 2 },
	}
	if snapshot {
		cfg.Snapshots = store.SnapshotsOf(dir, "live")
	}
	g, err := recorder.Open(b.Context(), cfg)
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		drained := make(chan struct{})
		close(drained)
		if err := errors.Join(g.Run(ctx, drained), s.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
