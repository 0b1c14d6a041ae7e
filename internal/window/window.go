package window

import (
	"fmt"
	"strings"
	"time"
)

// Window is a time of every day, or of one day of every week, in which a Gateway is
// expected to be away. The zero Window is never open.
type Window struct {
	text     string
	weekly   bool
	day      time.Weekday
	from, to int // minutes of the day; to is of the next day if it is not after from
	zone     *time.Location
}

// Parse reads "23:40-00:20 America/New_York", or with a day of the week before it,
// "sat 22:00-04:00 America/New_York": the day on which it begins. An error says what to
// write.
func Parse(text string) (Window, error) {
	wrong := func(what string) (Window, error) {
		return Window{}, fmt.Errorf("%q: %s; write it like %q, or %q for one day of the week", text, what, "23:40-00:20 America/New_York", "sat 22:00-04:00 America/New_York")
	}
	w := Window{text: text}
	fields := strings.Fields(text)
	if len(fields) == 3 {
		for w.day = time.Sunday; w.day <= time.Saturday; w.day++ {
			if w.weekly = strings.EqualFold(fields[0], w.day.String()[:3]) || strings.EqualFold(fields[0], w.day.String()); w.weekly {
				break
			}
		}
		if !w.weekly {
			return wrong(fmt.Sprintf("%q is no day of the week", fields[0]))
		}
		fields = fields[1:]
	}
	if len(fields) != 2 {
		return wrong("want two times and a zone")
	}
	from, to, both := strings.Cut(fields[0], "-")
	var ok [2]bool
	w.from, ok[0] = minuteOfDay(from)
	w.to, ok[1] = minuteOfDay(to)
	if !both || !ok[0] || !ok[1] {
		return wrong(fmt.Sprintf("%q are not two times from 00:00 to 23:59", fields[0]))
	}
	if w.from == w.to {
		return wrong("it begins when it ends")
	}
	zone, err := time.LoadLocation(fields[1])
	if err != nil || fields[1] == "Local" {
		return wrong(fmt.Sprintf("%q is no time zone", fields[1]))
	}
	w.zone = zone
	return w, nil
}

// minuteOfDay reads hh:mm.
func minuteOfDay(text string) (int, bool) {
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// String is the text that it was read from.
func (w Window) String() string { return w.text }

// Open reports whether the window is open at t, and when it closes.
func (w Window) Open(t time.Time) (until time.Time, open bool) {
	if w.zone == nil {
		return time.Time{}, false
	}
	local := t.In(w.zone)
	for _, ago := range []int{0, 1} { // it may have begun yesterday
		day := local.AddDate(0, 0, -ago)
		if w.weekly && day.Weekday() != w.day {
			continue
		}
		at := func(minute, more int) time.Time { // by the clock on the wall, also where it is changed that night
			return time.Date(day.Year(), day.Month(), day.Day()+more, minute/60, minute%60, 0, 0, w.zone)
		}
		from, to := at(w.from, 0), at(w.to, 0)
		if w.to <= w.from {
			to = at(w.to, 1)
		}
		if !t.Before(from) && t.Before(to) {
			return to, true
		}
	}
	return time.Time{}, false
}

// ParseAll reads windows with semicolons between them; none of an empty text.
func ParseAll(text string) ([]Window, error) {
	var all []Window
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for one := range strings.SplitSeq(text, ";") {
		w, err := Parse(strings.TrimSpace(one))
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return all, nil
}
