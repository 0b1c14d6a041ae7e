package report

import (
	"slices"
	"time"

	"ibrecorder/events"
)

// compared is how far back the latencies go that a span is compared with: long
// enough for a month's habits, and short enough that an older Gateway does not count.
const compared = 28 * 24 * time.Hour

// latencies collects how long the steps of handshakes took.
type latencies struct {
	steps [3]struct {
		here   []int64
		before []sample
	}
	begin time.Time // of the span
}

type sample struct {
	at time.Time
	us int64
}

func (l *latencies) see(e *events.Event, wanted bool) {
	if wanted && l.begin.IsZero() {
		l.begin = e.Time
	}
	step, us := 0, int64(0)
	switch d := e.Data.(type) {
	case events.DialConnected:
		us = d.ElapsedUS
	case events.HandshakeVersion:
		step, us = 1, d.ElapsedUS
	case events.HandshakeReady:
		step, us = 2, d.ElapsedUS
	default:
		return
	}
	if wanted {
		l.steps[step].here = append(l.steps[step].here, us)
	} else {
		l.steps[step].before = append(l.steps[step].before, sample{e.Time, us})
	}
}

func (l *latencies) rows() []LatencyRow {
	out := make([]LatencyRow, len(l.steps))
	for i := range l.steps {
		var before []int64
		for _, s := range l.steps[i].before {
			if l.begin.Sub(s.at) <= compared {
				before = append(before, s.us)
			}
		}
		out[i] = LatencyRow{
			Step: [...]string{"TCP accepted", "version answered", "ready after startAPI"}[i],
			Here: distribution(l.steps[i].here), Before: distribution(before),
		}
	}
	return out
}

// distribution sorts the values in place.
func distribution(us []int64) Latency {
	d := Latency{N: len(us), Counts: make([]int64, len(LatencyEdgesUS)+1)}
	if len(us) == 0 {
		return d
	}
	slices.Sort(us)
	for _, v := range us {
		i, _ := slices.BinarySearch(LatencyEdgesUS[:], v) // an edge belongs to the bucket that it ends
		d.Counts[i]++
	}
	d.MedianUS, d.P95US, d.MaxUS = us[(len(us)-1)/2], us[(len(us)*95+99)/100-1], us[len(us)-1]
	return d
}
