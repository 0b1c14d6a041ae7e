package events

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"runtime/debug"
	"testing"
	"time"
)

// A collection of the test binary's small heap costs as much as 5000 events, and
// the default comes after about as many. Whoever reads long streams raises the
// percentage; so do the benchmarks, or they would measure the collector.
func raiseGC(b *testing.B) {
	before := debug.SetGCPercent(800)
	b.Cleanup(func() { debug.SetGCPercent(before) })
}

// against runs bench between two measurements of base and returns how many times
// as long it took: on the same machine, at the same load.
func against(b *testing.B, base func(), bench func()) float64 {
	before := measure(base)
	b.ResetTimer()
	for b.Loop() {
		bench()
	}
	ns := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	return ns / ((before + measure(base)) / 2)
}

// measure returns the nanoseconds that f takes.
func measure(f func()) float64 {
	rounds := 0
	start := time.Now()
	for time.Since(start) < 100*time.Millisecond {
		for range 8 {
			f()
		}
		rounds += 8
	}
	return float64(time.Since(start).Nanoseconds()) / float64(rounds)
}

var sink [sha256.Size]byte

func BenchmarkSHA256(b *testing.B) {
	raw := mustEncode(b, sample())
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		sink = sha256.Sum256(raw)
	}
}

func BenchmarkDecode(b *testing.B) {
	raiseGC(b)
	raw := mustEncode(b, sample())
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	ratio := against(b, func() { sink = sha256.Sum256(raw) }, func() {
		if _, err := Decode(raw); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(ratio, "x/sha256")
}

func BenchmarkEncode(b *testing.B) {
	raiseGC(b)
	e := sample()
	raw := mustEncode(b, e)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	ratio := against(b, func() { sink = sha256.Sum256(raw) }, func() {
		if _, err := Encode(e); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(ratio, "x/sha256")
}

// BenchmarkVerify reads a stream and checks its chain, against a loop that only
// splits and hashes the same lines.
func BenchmarkVerify(b *testing.B) {
	raiseGC(b)
	const events = 1000
	var stream bytes.Buffer
	e := sample()
	e.Prev = Hash{}
	for i := range events {
		e.Seq = uint64(i + 1)
		raw := mustEncode(b, e)
		e.Prev = HashOf(raw)
		stream.Write(append(raw, '\n'))
	}
	bare := func() {
		lines := bufio.NewReaderSize(bytes.NewReader(stream.Bytes()), MaxBytes+2)
		for {
			line, err := lines.ReadSlice('\n')
			if err != nil {
				return
			}
			sink = sha256.Sum256(line[:len(line)-1])
		}
	}
	b.SetBytes(int64(stream.Len()))
	b.ReportAllocs()
	ratio := against(b, bare, func() {
		var chain Chain
		for r, err := range ReadNDJSON(bytes.NewReader(stream.Bytes())) {
			if err == nil {
				err = chain.Add(r)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.ReportMetric(float64(events)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(1/ratio, "of-bare-hashing")
}
