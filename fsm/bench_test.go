package fsm

import (
	"crypto/sha256"
	"testing"
	"time"

	"ibrecorder/events"
)

// What a recorder folds all day: a healthy attempt and its session, a failing
// attempt, and both beside five sessions that stay.
func BenchmarkApply(b *testing.B) {
	crowd := ""
	for _, name := range []string{"s1", "s2", "s3", "s4", "s5"} {
		crowd += name + " request; " + name + " permit; " + name + " ok\n"
	}
	healthy := ready + "a1 closed; a1 gone"
	failing := "a1 open; a1 hello; a1 request; a1 permit; a1 dial; a1 up; a1 late; a1 fail refused; a1 gone; delay 1s"
	for _, bc := range []struct{ name, before, cycle string }{
		{"healthy", "", healthy},
		{"failing", "", failing},
		{"healthy beside five sessions", crowd, healthy},
	} {
		b.Run(bc.name, func(b *testing.B) {
			f, s := NewFolder(), play(b, bc.before)
			cycle := stream(b, bc.before+"\n"+bc.cycle)
			cycle = cycle[len(stream(b, bc.before)):]
			names := make([]string, 64) // every attempt has a name of its own
			for i := range names {
				names[i] = "n" + string(rune('A'+i))
			}
			streams := make([][]events.Event, len(names))
			for i, name := range names {
				for _, e := range cycle {
					if e.Attempt != "" {
						e.Attempt, e.Conn = name, "c"+name
					}
					streams[i] = append(streams[i], e)
				}
			}
			raw := make([]byte, 540) // as long as an event is on average
			begin := time.Now()
			for i := range 20_000 {
				h := sha256.Sum256(raw)
				raw[i%len(raw)] = h[0]
			}
			hash := float64(time.Since(begin).Nanoseconds()) / 20_000
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				for _, e := range streams[n%len(streams)] {
					s = f.Apply(s, e)
				}
				n++
			}
			if s.Odd.Count != 0 {
				b.Fatalf("the stream is not ordinary: %s", summary(s))
			}
			fold := float64(b.Elapsed().Nanoseconds()) / float64(n*len(cycle))
			b.ReportMetric(fold, "ns/event")
			b.ReportMetric(fold/hash, "x/sha256") // what verifying the chain costs at least, on the same machine at the same load
		})
	}
}
