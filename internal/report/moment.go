package report

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrMoment is wrapped by what is wrong with a moment that somebody asked for.
var ErrMoment = errors.New("no such moment")

// ErrEmpty: there is no event, and so no moment.
var ErrEmpty = errors.New("the stream is empty")

// Moment is a place in a stream: a sequence, a time, or, zero, its end.
type Moment struct {
	Seq  uint64
	Time time.Time
}

// layouts of a time without a zone of its own: it is meant in the reader's.
var layouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// ParseMoment reads a sequence (48120 or #48120), RFC 3339, or a date and a time
// of day in the zone. The error is ErrMoment.
func ParseMoment(text string, zone *time.Location) (Moment, error) {
	if seq, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 10, 64); err == nil && seq > 0 {
		return Moment{Seq: seq}, nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return Moment{Time: at}, nil
	}
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return Moment{Time: at}, nil
		}
	}
	return Moment{}, fmt.Errorf("%w as %q: want a sequence from 1, such as 48120, or a time, such as 2026-03-02T01:00:41-05:00 or \"2026-03-02 01:00:41\"", ErrMoment, text)
}

// String is how a Moment is asked for.
func (m Moment) String() string {
	switch {
	case m.Seq != 0:
		return "#" + strconv.FormatUint(m.Seq, 10)
	case !m.Time.IsZero():
		return m.Time.Format(time.RFC3339Nano)
	}
	return "the end"
}

// before reports whether m is a time and an event at that time is later. What is
// printed as the same millisecond is not.
func (m Moment) before(at time.Time) bool {
	return !m.Time.IsZero() && at.Truncate(time.Millisecond).After(m.Time)
}
