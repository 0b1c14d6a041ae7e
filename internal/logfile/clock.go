package logfile

import (
	"strings"
	"time"
)

// when is the time of a line.
type when struct {
	printed string    // as it stands there, "" if the line has none
	wall    time.Time // what the clock on the wall showed, as if it were UTC, for differences alone; zero if not known
	utc     time.Time // zero if the zone is not known
}

// readTime takes the printed time off the start of a line: a date with a time, with a
// zone or without; the form of syslog, which has no year; or a time of day alone. Without
// a zone in it, it is one of zone; zone nil means that nobody knows. A time that the
// clocks of the zone skipped or showed twice is not known either.
func readTime(s string, zone *time.Location) (w when, rest string) {
	switch {
	case like(s, "dddd-dd-dd dd:dd:dd"):
	case like(s, "Aaa dd dd:dd:dd"):
		return when{printed: s[:15]}, s[15:]
	case like(s, "dd:dd:dd"):
		end := 8 + fraction(s[8:])
		return when{printed: s[:end]}, s[end:]
	default:
		return when{}, s
	}
	end := 19 + fraction(s[19:])
	var ns int
	for i := 20; i < 29; i++ {
		ns *= 10
		if i < end {
			ns += int(s[i] - '0')
		}
	}
	offset, zoned, known := readOffset(s[end:])
	w.printed, rest = s[:end+zoned], s[end+zoned:]
	year, month, day := digits(s[:4]), digits(s[5:7]), digits(s[8:10])
	hour, minute, second := digits(s[11:13]), digits(s[14:16]), digits(s[17:19])
	wall := time.Date(year, time.Month(month), day, hour, minute, second, ns, time.UTC)
	if year < 1970 || int(wall.Month()) != month || wall.Day() != day || wall.Hour() != hour || wall.Minute() != minute || wall.Second() != second {
		return w, rest // such as the 30th of February
	}
	w.wall = wall
	switch {
	case known:
		w.utc = wall.Add(-offset)
	case zone != nil && zoned == 0:
		w.utc = inZone(wall, zone)
	}
	return w, rest
}

// like reports whether s begins like form: d is a digit, A and a are letters, a space is
// one or a T, a dash is one or a slash; the first digit of a day may be a space.
func like(s, form string) bool {
	if len(s) < len(form) {
		return false
	}
	for i := range len(form) {
		c := s[i]
		ok := c == form[i]
		switch form[i] {
		case 'd':
			ok = c >= '0' && c <= '9' || c == ' ' && i == 4 && form[0] == 'A'
		case 'A':
			ok = c >= 'A' && c <= 'Z'
		case 'a':
			ok = c >= 'a' && c <= 'z'
		case ' ':
			ok = ok || c == 'T' && i == 10
		case '-':
			ok = ok || c == '/' && i > 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// fraction is how long the part of a second is that s begins with, its sign included. IBC
// and Python separate it by a colon and by a comma.
func fraction(s string) int {
	if len(s) < 2 || !strings.ContainsRune(".,:", rune(s[0])) {
		return 0
	}
	n := 1
	for n < len(s) && n <= 9 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 1 {
		return 0
	}
	return n
}

// digits reads a short number of which it is known that it is one.
func digits(s string) (n int) {
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n
}

// readOffset reads Z, UTC, GMT, +02:00 or -0500, with a space before it or without, and
// says how long that was. A name such as EST is not read: the same machine has printed
// one and meant another.
func readOffset(s string) (offset time.Duration, length int, known bool) {
	at := strings.TrimPrefix(s, " ")
	length = len(s) - len(at)
	for _, name := range []string{"Z", "UTC", "GMT"} {
		if rest, ok := strings.CutPrefix(at, name); ok && (rest == "" || !letter(rest[0])) {
			return 0, length + len(name), true
		}
	}
	var hours, minutes int
	switch {
	case like(at, "+dd:dd"), like(at, "-dd:dd"):
		hours, minutes, length = digits(at[1:3]), digits(at[4:6]), length+6
	case like(at, "+dddd"), like(at, "-dddd"):
		hours, minutes, length = digits(at[1:3]), digits(at[3:5]), length+5
	default:
		return 0, 0, false
	}
	if hours > 14 || minutes > 59 {
		return 0, length, false
	}
	offset = time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if at[0] == '-' {
		offset = -offset
	}
	return offset, length, true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

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
