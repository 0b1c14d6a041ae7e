package report

import (
	"fmt"
	"strings"
	"time"
)

// Style says how a text looks. It changes no fact in it.
type Style struct {
	// Zone is where the reader is; nil is UTC.
	Zone *time.Location
	// Colour allows ANSI colours. A word says the same as any colour.
	Colour bool
	// Width is how many columns a terminal has; 0 leaves lines as long as they are.
	Width int

	days bool // a time of day needs its date: what is told of has several days
}

func (s Style) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

type colour string

const (
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	faint  colour = "2"
	bold   colour = "1"
)

func (s Style) paint(c colour, text string) string {
	if !s.Colour || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// place names the zone and how far it is from UTC at that moment.
func (s Style) place(at time.Time) string {
	name := s.zone().String()
	switch {
	case name == "UTC":
		return "UTC"
	case name == "Local":
		name = "local time"
	}
	if at.IsZero() {
		return name
	}
	abbreviation, offset := at.In(s.zone()).Zone()
	sign, minutes := '+', offset/60
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	utc := fmt.Sprintf("UTC%c%d", sign, minutes/60)
	if minutes%60 != 0 {
		utc += fmt.Sprintf(":%02d", minutes%60)
	}
	if strings.TrimLeft(abbreviation, "+-0123456789") == "" { // the zone has no name of its own
		return name + " (" + utc + ")"
	}
	return fmt.Sprintf("%s, %s (%s)", name, abbreviation, utc)
}

// clock is a time of day, day the date before it.
func (s Style) clock(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.In(s.zone()).Format("15:04:05.000")
}

// hour is clock, with the day of the month before it where that is needed.
func (s Style) hour(at time.Time) string {
	if s.days && !at.IsZero() {
		return s.day(at)[len("2006-"):] + " " + s.clock(at)
	}
	return s.clock(at)
}

func (s Style) day(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(s.zone()).Format("2006-01-02")
}

func (s Style) moment(at time.Time) string {
	if at.IsZero() {
		return "no time"
	}
	return s.day(at) + " " + s.clock(at)
}

// span writes nanoseconds as people say them: three digits are enough.
func span(ns int64) string {
	if ns < 0 {
		return "-" + span(-ns)
	}
	d := time.Duration(ns)
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1fs", float64(d.Milliseconds()/100)/10)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return group(n) + " " + what
}

// group writes 48171 as 48 171.
func group(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// Command writes a command line that can be pasted into a shell.
func Command(words ...string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if out[i] = w; w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+,@%") != "" {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
