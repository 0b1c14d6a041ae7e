package report

import (
	"fmt"
	"time"

	"ibrecorder/events"
)

// Line is one event on one line, for whoever follows a log: when, where in the
// log, what, and what it says. It has no newline.
func Line(e events.Event, s Style) string {
	line := fmt.Sprintf("%s  #%-5d %-22s %s", s.clock(e.Time), e.Seq, e.Kind(), Says(e.Data))
	switch e.Data.(type) {
	case events.RestartRequired, events.RuleViolated, events.GatewayDown, events.TapBlocked:
		return s.paint(red, line)
	case events.AttemptSucceeded, events.RestartAcknowledged:
		return s.paint(green, line)
	case events.AttemptFailed, events.AttemptDenied, events.RestartRejected, events.SessionLost:
		return s.paint(yellow, line)
	}
	return line
}

// Says is what an event says beside its kind, harmless to look at, as plain has it.
func Says(p events.Payload) string { return plain(detail(p)) }

// Plain makes a text of somebody else's harmless to look at: what has no shape, or
// moves what stands beside it, is written out. Markup is left to whoever renders it.
func Plain(s string) string { return plain(s) }

// Duration is a duration as people say it, with three digits at most.
func Duration(d time.Duration) string { return span(d.Nanoseconds()) }

// Place names the zone and how far it is from UTC at that moment.
func (s Style) Place(at time.Time) string { return s.place(at) }
