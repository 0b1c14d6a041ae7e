package report

import (
	"fmt"

	"ibrecorder/events"
)

// Line is one event on one line, for whoever follows a log: when, where in the
// log, what, and what it says. It has no newline.
func Line(e events.Event, s Style) string {
	same, more, _ := phrase(e.Data)
	detail := row{same: same, varying: more}
	line := fmt.Sprintf("%s  #%-5d %-22s %s", s.clock(e.Time), e.Seq, e.Kind(), detail.detail())
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
