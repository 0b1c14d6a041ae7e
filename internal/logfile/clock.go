package logfile

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stamp matches a printed time at the start of a line: a date with a time, with a
// zone or without; the form of syslog, which has no year; or a time of day alone.
// IBC and Python separate milliseconds by a colon and by a comma.
var stamp = regexp.MustCompile(`^(?:` +
	`(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,:](\d{1,9}))?( ?(?:Z|UTC|GMT)\b| ?[+-]\d\d:?\d\d)?` +
	`|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d` +
	`|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?` +
	`)`)

// when is the time of a line.
type when struct {
	printed string    // as it stands there, "" if the line has none
	wall    time.Time // what a clock on the wall showed, "" of zone: only for differences; zero if not known
	utc     time.Time // zero if the zone is not known
}

// readTime takes the printed time off the start of a line. Without a zone in it, it is
// one of zone; zone nil means that nobody knows. A time that the clocks of the zone
// skipped or showed twice is not known either.
func readTime(s string, zone *time.Location) (w when, rest string) {
	m := stamp.FindStringSubmatch(s)
	if m == nil {
		return when{}, s
	}
	w.printed, rest = strings.TrimSpace(m[0]), s[len(m[0]):]
	if m[1] == "" {
		return w, rest
	}
	n := make([]int, 7)
	for i := range 6 {
		n[i], _ = strconv.Atoi(m[i+1]) // digits, and few of them
	}
	n[6], _ = strconv.Atoi((m[7] + "000000000")[:9])
	wall := time.Date(n[0], time.Month(n[1]), n[2], n[3], n[4], n[5], n[6], time.UTC)
	if n[0] < 1970 || wall.Month() != time.Month(n[1]) || wall.Day() != n[2] || wall.Hour() != n[3] || wall.Minute() != n[4] || wall.Second() != n[5] {
		return w, rest // such as the 30th of February
	}
	w.wall = wall
	switch offset, known := readOffset(strings.TrimSpace(m[8])); {
	case known:
		w.utc = wall.Add(-offset)
	case zone != nil:
		w.utc = inZone(wall, zone)
	}
	return w, rest
}

// readOffset reads Z, UTC, GMT, +02:00 or -0500. A name such as EST is not read: the
// same machine has printed one and meant another.
func readOffset(s string) (offset time.Duration, known bool) {
	switch s {
	case "":
		return 0, false
	case "Z", "UTC", "GMT":
		return 0, true
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	hours, _ := strconv.Atoi(digits[:2])
	minutes, _ := strconv.Atoi(digits[2:])
	if hours > 14 || minutes > 59 {
		return 0, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// inZone is the moment at which the clocks of zone show wall, zero if there is none or
// more than one.
func inZone(wall time.Time, zone *time.Location) time.Time {
	var found time.Time
	for _, near := range []time.Duration{-24 * time.Hour, 24 * time.Hour} {
		_, seconds := wall.Add(near).In(zone).Zone()
		at := wall.Add(-time.Duration(seconds) * time.Second)
		_, there := at.In(zone).Zone()
		switch {
		case there != seconds || at.Equal(found):
		case found.IsZero():
			found = at
		default:
			return time.Time{}
		}
	}
	return found
}

// longest is the longest wait that two printed times are believed. A connect takes a
// minute at most; an hour is a clock that was set.
const longest = 10 * time.Minute

// since is how long b came after a, if their times can tell.
func (b when) since(a when) (time.Duration, bool) {
	from, to := a.utc, b.utc
	if from.IsZero() || to.IsZero() {
		from, to = a.wall, b.wall
	}
	if from.IsZero() || to.IsZero() {
		return 0, false
	}
	d := to.Sub(from)
	return d, d >= 0 && d <= longest
}

// order is negative if a comes before b, 0 if their times cannot tell.
func (a when) order(b when) int {
	if !a.utc.IsZero() && !b.utc.IsZero() {
		return a.utc.Compare(b.utc)
	}
	if a.wall.IsZero() || b.wall.IsZero() {
		return 0
	}
	return a.wall.Compare(b.wall)
}
