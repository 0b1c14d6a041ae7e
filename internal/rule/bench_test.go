package rule

import (
	"fmt"
	"strings"
	"testing"

	"ibrecorder/events"
)

// day is a stream as a busy gateway writes it: clients come and go, some are
// refused, and most events are notices and states of sessions.
func day(tb testing.TB) []events.Record {
	var s strings.Builder
	s.WriteString("start\n")
	for i := range 200 {
		fmt.Fprintf(&s, "+10s ready a%d\n", i)
		for range 4 {
			s.WriteString("gateway.notice\nsession.degraded conn=c-a0 code=1100\nsession.restored conn=c-a0 code=1102\n")
		}
		fmt.Fprintf(&s, "session.closed a%d conn=c-a%d\nclient.closed conn=c-a%d\n", i, i, i)
		fmt.Fprintf(&s, "dial f%d\nattempt.failed f%d reason=refused stage=dial\nclient.closed conn=c-f%d\nretry.scheduled f%d\n", i, i, i, i)
	}
	return stream(tb, s.String()).recs
}

// BenchmarkStep prints what one event costs: all rules, with the hash chain, and
// the hash alone beside it.
func BenchmarkStep(b *testing.B) {
	recs := day(b)
	bare := make([]events.Record, len(recs))
	for i, r := range recs {
		bare[i] = events.Record{Event: r.Event}
	}
	run := func(recs []events.Record) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				j := New()
				for i := range recs {
					j.Step(recs[i])
				}
				n += len(recs)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
		}
	}
	b.Run("rules", run(bare))
	b.Run("rules and chain", run(recs))
	b.Run("hash alone", func(b *testing.B) {
		n := 0
		for b.Loop() {
			for i := range recs {
				events.HashOf(recs[i].Raw)
			}
			n += len(recs)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/event")
	})
}

func BenchmarkFork(b *testing.B) {
	j := New()
	for _, r := range day(b) {
		j.Step(r)
	}
	b.ReportAllocs()
	for b.Loop() {
		j.Fork()
	}
}

// TestAnOrdinaryEventAllocatesNothing: the judge runs over millions of them.
func TestAnOrdinaryEventAllocatesNothing(t *testing.T) {
	b := stream(t, `start; ready a1; gateway.notice; dial a2`)
	j := New()
	for _, r := range b.recs {
		j.Step(r)
	}
	notice := b.recs[13]
	if notice.Kind() != "gateway.notice" {
		t.Fatalf("event 13 is %s", notice.Kind())
	}
	seq := b.recs[len(b.recs)-1].Seq
	notice.Prev = b.recs[len(b.recs)-1].Hash()
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		notice.Seq = seq
		j.Step(notice)
		notice.Prev = notice.Hash()
	}); n != 0 {
		t.Errorf("%v allocations an event, want 0", n)
	}
	if v := j.Verdict(); v.Outcome != Holds {
		t.Errorf("outcome %s: the measured events were not ordinary", v.Outcome)
	}
}
