package report

import (
	"errors"
	"testing"
	"time"

	"ibrecorder/events"
)

func TestWithin(t *testing.T) {
	at := func(ms int) time.Time { return time.Date(2026, 3, 2, 6, 0, 0, ms*1_000_000+300_000, time.UTC) }
	broken := errors.New("cut off")
	stream := func(end error, times ...time.Time) func(func(events.Record, error) bool) {
		return func(yield func(events.Record, error) bool) {
			for i, at := range times {
				if !yield(events.Record{Event: events.Event{Seq: uint64(i + 1), Time: at}}, nil) {
					return
				}
			}
			if end != nil {
				yield(events.Record{}, end)
			}
		}
	}
	five := []time.Time{at(0), at(10), {}, at(20), at(30)}
	for _, c := range []struct {
		name         string
		times        []time.Time
		since, until time.Time
		end          error
		want         Range
	}{
		{"no bound is all", five, time.Time{}, time.Time{}, nil, Range{1, 5}},
		{"from the first at that time", five, at(10), time.Time{}, nil, Range{2, 5}},
		{"to the last that is printed as that time", five, time.Time{}, at(20).Truncate(time.Millisecond), nil, Range{1, 4}},
		{"one moment", five, at(20).Truncate(time.Millisecond), at(20).Truncate(time.Millisecond), nil, Range{4, 4}},
		{"later than all", five, at(31), time.Time{}, nil, Range{0, 5}},
		{"before all", five, time.Time{}, at(-5), nil, Range{1, 0}},
		{"between two", five, at(11), at(15), nil, Range{4, 2}},
		{"a clock that went back brings others in between", []time.Time{at(0), at(20), at(5), at(30)}, at(10), at(20), nil, Range{2, 3}},
		{"without a time there is none", []time.Time{{}, {}}, at(0), time.Time{}, nil, Range{}},
		{"what was found before a break", five, at(10), time.Time{}, broken, Range{2, 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := Within(stream(c.end, c.times...), c.since, c.until); got != c.want || !errors.Is(err, c.end) {
				t.Errorf("%+v, %v; want %+v, %v", got, err, c.want, c.end)
			}
		})
	}
}
