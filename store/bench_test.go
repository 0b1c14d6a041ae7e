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
// file and syncing it, and with a bare publish to a stream of the same server, in
// turns, on the same disk. What the server takes by itself is the least that an
// append can take.
func BenchmarkAppend(b *testing.B) {
	dir := b.TempDir()
	s := openStore(b, filepath.Join(dir, "store"))
	l, err := s.Log(b.Context(), gw)
	must(b, err)
	_, err = s.Log(b.Context(), "live") // has no reader that would mind what is in it
	must(b, err)
	f, err := os.Create(filepath.Join(dir, "file"))
	must(b, err)
	defer f.Close()
	var head store.Head
	var file, server, ours time.Duration
	for b.Loop() {
		rec := storetest.Next(b, gw, head, "note")
		start := time.Now()
		_, err := f.Write(rec.Raw)
		must(b, err)
		must(b, f.Sync())
		file += time.Since(start)

		start = time.Now()
		_, err = s.JetStream().Publish(b.Context(), "ibrecorder.ev.live.operator.noted", rec.Raw)
		must(b, err)
		server += time.Since(start)

		start = time.Now()
		must(b, l.Append(b.Context(), rec))
		ours += time.Since(start)
		head = storetest.HeadOf(rec)
	}
	b.ReportMetric(float64(ours)/float64(file), "ratio") // at most 1.4
	b.ReportMetric(float64(server)/float64(file), "ratio-bare")
	b.ReportMetric(float64(ours.Microseconds())/float64(b.N), "us/append")
	b.ReportMetric(float64(file.Microseconds())/float64(b.N), "us/file")
}

// BenchmarkLiveRead compares Read, which decodes and checks every event, with an
// ordered consumer that only receives, then with the chain verified as well, and what
// Read would be if it asked the server.
func BenchmarkLiveRead(b *testing.B) {
	const n = 60_000
	s, err := store.Open(b.Context(), store.Config{Dir: logOf(b, n, 8<<20), MaxBytes: 4 << 30})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(b.Context(), storetest.Gateway)
	if err != nil {
		b.Fatal(err)
	}
	var bare, read, verify, server time.Duration
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

		start = time.Now()
		for _, err := range l.ReadByServer(b.Context(), 1, n) {
			must(b, err)
		}
		server += time.Since(start)
	}
	rate := func(d time.Duration) float64 { return n * float64(b.N) / d.Seconds() }
	b.ReportMetric(rate(read)/rate(bare), "ratio") // at least 0.7
	b.ReportMetric(rate(verify)/rate(bare), "ratio-chained")
	b.ReportMetric(rate(server)/rate(bare), "ratio-server")
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
