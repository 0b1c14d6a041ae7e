package report

import (
	"iter"
	"time"

	"ibrecorder/events"
)

// Within is the range from the first event at since or later to the last event at until or
// earlier; a zero time is no bound, and
// what is printed as the same millisecond is not later. A clock that was set back may bring others in between.
// From is 0 if there is none. It ends where the stream breaks off; what was found until then
// comes with the error.
func Within(stream iter.Seq2[events.Record, error], since, until time.Time) (r Range, err error) {
	for rec, err := range stream {
		if err != nil {
			return r, err
		}
		if rec.Time.IsZero() {
			continue
		}
		if r.From == 0 && !rec.Time.Before(since) {
			r.From = rec.Seq
		}
		if until.IsZero() || !rec.Time.Truncate(time.Millisecond).After(until) {
			r.To = rec.Seq
		}
	}
	return r, nil
}
