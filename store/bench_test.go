package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/nats-io/nats.go/jetstream"
)

// BenchmarkAppend compares one durable append with appending the same bytes to a
// file and syncing it, in turns, on the same disk.
func BenchmarkAppend(b *testing.B) {
	dir := b.TempDir()
	l := openLog(b, filepath.Join(dir, "store"))
	f, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var head store.Head
	var bare, ours time.Duration
	for b.Loop() {
		rec := storetest.Next(b, storetest.Gateway, head, "note")
		start := time.Now()
		if _, err := f.Write(rec.Raw); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		if err := l.Append(b.Context(), rec); err != nil {
			b.Fatal(err)
		}
		bare, ours, head = bare+middle.Sub(start), ours+time.Since(middle), storetest.HeadOf(rec)
	}
	b.ReportMetric(float64(ours)/float64(bare), "x-file")
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "us/append")
	b.ReportMetric(float64(bare.Microseconds())/float64(b.N), "us/file")
}

// BenchmarkRead compares Read, which decodes and checks every event, with an
// ordered consumer that only receives.
func BenchmarkRead(b *testing.B) {
	const n = 300_000
	s, err := store.Open(b.Context(), store.Config{Dir: logOf(b, n, 8<<20), MaxBytes: 4 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(b.Context(), storetest.Gateway)
	if err != nil {
		b.Fatal(err)
	}
	var bare, read, verify time.Duration
	for b.Loop() {
		start := time.Now()
		bareRead(b, l.Stream(), n)
		bare += time.Since(start)

		start = time.Now()
		count(b, l, n, func(events.Record) error { return nil })
		read += time.Since(start)

		var chain events.Chain
		start = time.Now()
		count(b, l, n, chain.Add)
		verify += time.Since(start)
	}
	rate := func(d time.Duration) float64 { return n * float64(b.N) / d.Seconds() }
	b.ReportMetric(rate(read)/rate(bare), "x-consumer")
	b.ReportMetric(rate(verify)/rate(bare), "x-consumer-chained")
	b.ReportMetric(rate(read), "events/s")
	b.ReportMetric(rate(bare), "bare/s")
}

func bareRead(b *testing.B, st jetstream.Stream, n int) {
	b.Helper()
	cons, err := st.OrderedConsumer(b.Context(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		b.Fatal(err)
	}
	msgs, err := cons.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		b.Fatal(err)
	}
	defer msgs.Stop()
	for range n {
		if _, err := msgs.Next(jetstream.NextContext(b.Context())); err != nil {
			b.Fatal(err)
		}
	}
}

func count(b *testing.B, l *store.JetLog, n int, each func(events.Record) error) {
	b.Helper()
	got := 0
	for rec, err := range l.Read(b.Context(), 1, 0) {
		if err == nil {
			err = each(rec)
		}
		if err != nil {
			b.Fatal(err)
		}
		got++
	}
	if got != n {
		b.Fatalf("%d events, want %d", got, n)
	}
}

// BenchmarkOpen measures the start on a log of a million events until its head
// is known, after a clean stop and without the server's index, as after a kill.
func BenchmarkOpen(b *testing.B) {
	dir := logOf(b, 1_000_000, 8<<20)
	index := filepath.Join(store.StreamsDir(dir), store.StreamName(storetest.Gateway), "msgs", "index.db")
	for _, c := range []struct {
		name string
		kill bool
	}{{"stopped", false}, {"killed", true}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if c.kill {
					if err := os.Remove(index); err != nil {
						b.Fatal(err)
					}
				}
				s, err := store.Open(b.Context(), store.Config{Dir: dir, MaxBytes: 4 << 30})
				if err != nil {
					b.Fatal(err)
				}
				l, err := s.Log(b.Context(), storetest.Gateway)
				if err != nil {
					b.Fatal(err)
				}
				if h, err := l.Head(b.Context()); err != nil || h.Seq != 1_000_000 {
					b.Fatal(h, err)
				}
				b.StopTimer()
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}
