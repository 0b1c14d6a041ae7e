package report

import (
	"bufio"
	"crypto/sha256"
	"io"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/store"
)

var sum [sha256.Size]byte

// BenchmarkVerify judges a file of 100 000 events, chain and rules on, against a
// loop that only reads and hashes the same lines: on one core, and as the command
// does, which reads ahead on another. Verifying and hashing take turns, so that
// both see the same machine at the same load. The stream itself is not kept in
// memory: the collector would rarely run, and every block would be cold memory.
func BenchmarkVerify(b *testing.B) {
	before := debug.SetGCPercent(400) // as the command does
	b.Cleanup(func() { debug.SetGCPercent(before) })
	path := filepath.Join(b.TempDir(), "events.ndjson")
	n, size := write(b, path, 100_000)
	runtime.GC()
	for _, how := range []struct {
		name  string
		cores int
		read  func(iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error]
	}{
		{"one core", 1, func(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] { return in }},
		{"reading ahead", runtime.GOMAXPROCS(0), store.Ahead},
	} {
		b.Run(how.name, func(b *testing.B) {
			cores := runtime.GOMAXPROCS(how.cores)
			b.Cleanup(func() { runtime.GOMAXPROCS(cores) })
			b.SetBytes(size)
			b.ReportAllocs()
			var hashing time.Duration
			for b.Loop() {
				f := open(b, path)
				v := Verify(how.read(events.ReadNDJSON(f)))
				if v.Outcome() != rule.Holds || v.Verdict.Events != n {
					b.Fatalf("%s after %d events", v.Outcome(), v.Verdict.Events)
				}
				f.Close()
				b.StopTimer()
				begun := time.Now()
				hash(b, path)
				hashing += time.Since(begun)
				b.StartTimer()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(hashing.Seconds()/b.Elapsed().Seconds(), "verify/hash")
		})
	}
}

// hash reads a file and hashes its lines.
func hash(b *testing.B, path string) {
	f := open(b, path)
	defer f.Close()
	in := bufio.NewReaderSize(f, events.MaxBytes+2)
	for {
		line, err := in.ReadSlice('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		sum = sha256.Sum256(line[:len(line)-1])
	}
}

func write(b *testing.B, path string, events int) (n int, size int64) {
	b.Helper()
	s := streamtest.Busy("live", events)
	lines := s.NDJSON()
	if err := os.WriteFile(path, lines, 0o600); err != nil {
		b.Fatal(err)
	}
	return s.Len(), int64(len(lines))
}

func open(b *testing.B, path string) *os.File {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	return f
}
