package tty

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a minimal image has no zones
)

// ZoneUsage is what --tz says of itself.
const ZoneUsage = "`ZONE` of all times: local, UTC, et or a name such as Europe/Berlin"

// Zones are what a shell offers for --tz, beside every name that there is.
var Zones = []string{"local", "UTC", "et", "Europe/Berlin", "Europe/London", "America/New_York", "America/Chicago", "Asia/Tokyo", "Asia/Hong_Kong", "Australia/Sydney"}

// Zone reads --tz. Empty is local.
func Zone(name string) (*time.Location, error) {
	switch strings.ToLower(name) {
	case "", "local":
		return time.Local, nil
	case "utc":
		return time.UTC, nil
	case "et": // in which IB states its resets
		return time.LoadLocation("America/New_York")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("--tz %s: %w; take local, UTC, et or a name such as Europe/Berlin", name, err)
	}
	return zone, nil
}

// Span says how far back of a moment a person means: 24h, 90m, 7d. It is false for what
// is no span.
func Span(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err == nil
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d >= 0
}

// layouts of a time without a zone of its own: it is meant in the reader's.
var layouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// When reads a time as people write it: RFC 3339, a date with or without a time of day in
// the zone, or a span before now. The flag is named in the error.
func When(flag, text string, zone *time.Location, now time.Time) (time.Time, error) {
	if span, ok := Span(text); ok {
		return now.Add(-span), nil
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, text, zone); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf(`%s %q: want a span such as 24h or 7d, a date such as 2026-03-02, or a time such as 2026-03-02T01:00:41-05:00 or "2026-03-02 01:00"`, flag, text)
}
