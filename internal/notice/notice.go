package notice

import (
	"time"

	"ibrecorder/events"
)

// Kind is why somebody is told.
type Kind string

const (
	// Stop: a gateway needs a manual restart.
	Stop Kind = "stop"
	// Reminder: it still does, and nobody has acknowledged.
	Reminder Kind = "reminder"
	// Over: it does no more.
	Over Kind = "over"
	// Breach: somebody broke the rule.
	Breach Kind = "breach"
	// Outage: a gateway has not been there for longer than its outage_after.
	Outage Kind = "outage"
	// OutageOver: it is there again.
	OutageOver Kind = "outage.over"
	// Silent: another channel tells nobody.
	Silent Kind = "channel.silent"
	// SilentOver: it takes messages again.
	SilentOver Kind = "channel.silent.over"
	// Room: the log is nearly full, or takes nothing.
	Room Kind = "log.room"
	// RoomOver: it has room again.
	RoomOver Kind = "log.room.over"
	// Down: the recorder could not start.
	Down Kind = "recorder.down"
	// DownOver: it runs again.
	DownOver Kind = "recorder.down.over"
	// Test: somebody asked for it.
	Test Kind = "test"
)

// Severity is how much it matters.
type Severity string

const (
	Critical Severity = "critical"
	Warning  Severity = "warning"
	Info     Severity = "info"
)

// Notice is one message to people. Its texts are plain: what a channel must escape, it
// escapes. They have no account id, for they come from the log.
type Notice struct {
	Kind     Kind
	Severity Severity
	// Gateway is its name; empty if the notice is about none.
	Gateway string
	// Channel is that which a notice is about, if it is about one.
	Channel string
	// Key is the notice's own, and the same whenever it is sent again: what a receiver
	// deduplicates by.
	Key string
	// Incident is one for a stop, its reminders and its end, for example main-48131.
	Incident string
	// Ends says that the incident is over.
	Ends bool
	// Title is one line, enough for a lock screen.
	Title string
	// Body are the lines below it.
	Body []string
	// Steps are what to do, in order; empty if nothing need be done.
	Steps []string
	// Time is that of the event, Since when the incident began. UTC.
	Time, Since time.Time
	// Record is the event that is told of. Its stored bytes are what a program gets.
	Record events.Record
}
