package report

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// lanesWidth is how many columns a picture has at most: with its names it fits
// into 80.
const lanesWidth = 68

// lanes are the picture above a timeline: the gate, the ends of attempts and the
// alerts from left to right. A column stands for the same number of events
// everywhere, because a stop may last for hours in which nothing happens.
type lanes struct {
	first, last events.Event
	columns     []column
	every       int // events in a column
	n           int // events in the last column
}

// column is what its events have that is most worth seeing.
type column struct {
	at      time.Time // of its first event
	gate    fsm.Gate
	attempt mark
	alert   mark
}

// mark is a sign in a lane, the ones that hide others last.
type mark uint8

const (
	noMark mark = iota
	good
	unclear
	bad
	held
)

// rank says which gate is shown where a column has several.
var rank = map[fsm.Gate]int{fsm.Open: 0, fsm.Attempting: 1, fsm.Backoff: 2, fsm.Probation: 3, fsm.Stopped: 4}

var gateFill = map[fsm.Gate]string{fsm.Open: "─", fsm.Attempting: "▞", fsm.Backoff: "▒", fsm.Probation: "▓", fsm.Stopped: "█"}

// survey reads a stream for its picture, to its end or to where it breaks off.
func survey(stream iter.Seq2[events.Record, error], r Range) *lanes {
	l := &lanes{every: 1}
	fold, s := fsm.NewFolder(), fsm.Initial()
	for rec, err := range stream {
		if err != nil {
			break
		}
		s = fold.Apply(s, rec.Event)
		if r.has(rec.Seq) {
			l.add(rec.Event, s.Gate)
		}
	}
	return l
}

func (l *lanes) add(e events.Event, gate fsm.Gate) {
	if l.columns == nil {
		l.first = e
	}
	l.last = e
	c := column{at: e.Time, gate: gate}
	switch e.Data.(type) {
	case events.AttemptSucceeded:
		c.attempt = good
	case events.AttemptUnknown, events.AttemptAbandoned:
		c.attempt = unclear
	case events.AttemptFailed:
		c.attempt = bad
	case events.AttemptDenied:
		c.attempt = held
	case events.AlertDelivered:
		c.alert = good
	case events.AlertFailed:
		c.alert = bad
	}
	if len(l.columns) > 0 && l.n < l.every {
		l.columns[len(l.columns)-1].merge(c)
		l.n++
		return
	}
	if len(l.columns) == lanesWidth { // twice as many events in each from here on
		for i := range lanesWidth / 2 {
			l.columns[i] = l.columns[2*i]
			l.columns[i].merge(l.columns[2*i+1])
		}
		l.columns, l.every = l.columns[:lanesWidth/2], 2*l.every
	}
	l.columns, l.n = append(l.columns, c), 1
}

func (c *column) merge(o column) {
	if rank[o.gate] > rank[c.gate] {
		c.gate = o.gate
	}
	c.attempt, c.alert = max(c.attempt, o.attempt), max(c.alert, o.alert)
}

// heading is what the whole is about: whose, how long, which events, which zone.
func (l *lanes) heading(s Style) string {
	parts := []string{"gateway " + l.first.Gateway}
	if ns, known := events.Elapsed(l.first, l.last); known && ns > 0 {
		parts = append(parts, span(ns))
	}
	parts = append(parts, fmt.Sprintf("#%d to #%d", l.first.Seq, l.last.Seq), s.place(l.first.Time))
	return strings.Join(parts, " · ")
}

// draw returns the lines of the picture, none if there is nothing to see.
func (l *lanes) draw(s Style) []string {
	var times, gate, attempts, alerts strings.Builder
	end := 0 // of what is written in times
	for i := 0; i < len(l.columns); {
		c := l.columns[i]
		n := 1
		for i+n < len(l.columns) && l.columns[i+n].gate == c.gate {
			n++
		}
		if at := s.clock(c.at); !c.at.IsZero() && (i == 0 || i > end) {
			times.WriteString(strings.Repeat(" ", i-end) + at[:len("15:04:05")])
			end = i + len("15:04:05")
		}
		gate.WriteString(s.paint(laneColour(c.gate), bar(c.gate, n)))
		i += n
	}
	for _, c := range l.columns {
		attempts.WriteString([...]string{noMark: " ", good: "✔", unclear: "?", bad: "✖", held: "⊘"}[c.attempt])
		alerts.WriteString([...]string{noMark: " ", good: "▲", bad: "✖"}[c.alert])
	}
	var out []string
	lane := func(name, text string) {
		if text = strings.TrimRight(text, " "); text != "" {
			out = append(out, fmt.Sprintf(" %-9s%s", name, text))
		}
	}
	lane("", times.String())
	lane("gate", gate.String())
	lane("attempts", attempts.String())
	lane("alerts", alerts.String())
	if l.every > 1 {
		out = append(out, s.paint(faint, fmt.Sprintf(" %-9sa column is %d events", "", l.every)))
	}
	return out
}

// bar is n columns of a gate, with its name where there is room for it.
func bar(g fsm.Gate, n int) string {
	room := n - len(g)
	if room < 2 {
		return strings.Repeat(gateFill[g], n)
	}
	return strings.Repeat(gateFill[g], room/2) + string(g) + strings.Repeat(gateFill[g], room-room/2)
}

func laneColour(g fsm.Gate) colour {
	if g == fsm.Attempting {
		return faint
	}
	return gateColour(g)
}
