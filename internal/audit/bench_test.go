package audit

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
)

// BenchmarkStep prints what one event of a busy log costs, beside the SHA-256 of the 400
// bytes that it has, which verifying takes at least.
func BenchmarkStep(b *testing.B) {
	var script strings.Builder
	for i := range 50 {
		fmt.Fprintf(&script, "a%d open; a%d hello; a%d request; a%d dial; a%d up; a%d version; a%d start 1; a%d ready; a%d ok; a%d established\n", i, i, i, i, i, i, i, i, i, i)
		for range 6 {
			fmt.Fprintf(&script, "+1s; a%d degraded; a%d restored\n", i, i)
		}
		fmt.Fprintf(&script, "a%d closed; a%d gone\n", i, i)
	}
	log := record(b, events.Enforce, script.String()).log
	for i := range log {
		log[i].Seq = uint64(i + 1)
	}
	raw := make([]byte, 400)
	begin := time.Now()
	for range 20_000 {
		h := sha256.Sum256(raw)
		raw[0] = h[0]
	}
	hash := float64(time.Since(begin).Nanoseconds()) / 20_000
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		a := New()
		for i := range log {
			a.Step(log[i])
		}
		if r := a.Result(); r.Total > 0 || r.Checked == 0 {
			b.Fatalf("%+v", r)
		}
		n += len(log)
	}
	step := float64(b.Elapsed().Nanoseconds()) / float64(n)
	b.ReportMetric(step, "ns/event")
	b.ReportMetric(step/hash, "x/sha256")
}
