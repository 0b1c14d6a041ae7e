package httpapi

import (
	"slices"
	"time"

	"ibrecorder/events"
)

// Status is one gateway as its recorder knows it. The JSON is a contract: fields
// are added, and none is renamed or changes its meaning; readers ignore what
// they do not know. Times are UTC.
type Status struct {
	// Gateway is its name.
	Gateway string `json:"gateway"`
	// Address is where the Gateway or TWS listens, host:port.
	Address string `json:"address"`
	// Tap is where trading programs connect, host:port.
	Tap string `json:"tap"`
	// Held is what a program meets there while the gate is STOPPED: refuse, nothing
	// listens; explain, it is told the reason. Absent if no recorder runs.
	Held string `json:"held,omitempty"`
	// NATS is where runners connect, host:port; absent if they do not.
	NATS string `json:"nats,omitempty"`
	// HTTP is the URL at which the API is served beside the socket; absent if it is not.
	HTTP string `json:"http,omitempty"`
	// TapError is why nothing listens there although the gate is not STOPPED; absent
	// while it does.
	TapError string `json:"tap_error,omitempty"`
	// Closed says that nothing listens there because the Gateway does not listen either, or
	// because the log is in its reserve; absent while it does.
	Closed bool `json:"closed,omitempty"`
	// Mode is enforce or observe.
	Mode events.Mode `json:"mode"`
	// Gate is OPEN, ATTEMPTING, BACKOFF, STOPPED or PROBATION.
	Gate string `json:"gate"`
	// Rested says that the wait of a gate in BACKOFF is over, so that the next one may dial.
	// Absent if it is not, or no recorder runs.
	Rested bool `json:"rested,omitempty"`
	// Why is one sentence on the gate.
	Why string `json:"why"`
	// Since is when the gate came to be so; absent if nobody knows.
	Since time.Time `json:"since,omitzero"`
	// API is the Gateway's API layer: UNKNOWN, ABSENT, STARTING, LISTENING, READY,
	// DEGRADED, SUSPECT or DOWN.
	API string `json:"api"`
	// Epoch counts releases.
	Epoch uint64 `json:"epoch"`
	// Seq is the last event that this status knows.
	Seq uint64 `json:"seq"`
	// Sessions are the client connections that have not ended, oldest first.
	Sessions []Session `json:"sessions"`
	// Waiting is how many clients wait for their turn.
	Waiting int `json:"waiting"`
	// Clients are the client ids that wait by themselves, by number: nobody else waits
	// for them. Absent if there are none, or no recorder runs.
	Clients []Waiter `json:"clients,omitempty"`
	// Stop is the stop in force; absent if none is.
	Stop *Stop `json:"stop,omitempty"`
	// Policy is the rule in force.
	Policy Policy `json:"policy"`
	// Totals count since the beginning of the log.
	Totals Totals `json:"totals"`
	// Boot identifies this run of the recorder.
	Boot string `json:"boot"`
	// Version is the recorder's.
	Version string `json:"version"`
	// PID is the process id of the recorder; absent if none runs.
	PID int `json:"pid,omitempty"`
	// Alerts are the channels on which somebody is told, in the order of the
	// configuration; absent if nobody is.
	Alerts []Channel `json:"alerts,omitempty"`
	// DeadManError is why the last ping of alerts.dead_man was not taken; absent if it was,
	// or nobody is pinged.
	DeadManError string `json:"dead_man_error,omitempty"`
	// Alert is the one in force; absent if none is.
	Alert *Alert `json:"alert,omitempty"`
	// Refused is the last request that the policy would have permitted and the recorder's
	// judge refused, because it would have broken the rule; absent once one was permitted.
	Refused *Refused `json:"refused,omitempty"`
	// LogError is why the log takes nothing, and so nobody dials; absent while it does.
	LogError string `json:"log_error,omitempty"`
	// LogBytes is how much the log holds.
	LogBytes uint64 `json:"log_bytes"`
	// LogLimit is how much it may hold, in bytes.
	LogLimit uint64 `json:"log_limit_bytes"`
	// LogLevel is ample, warning (80 % are taken) or reserve (95 %: nobody may dial).
	// Absent: nobody said, as an older recorder.
	LogLevel events.Level `json:"log_level,omitempty"`
	// LogFullAt is when it will be full if it goes on growing as it does; absent if nobody
	// can tell yet, or not for years.
	LogFullAt time.Time `json:"log_full_at,omitzero"`
	// Blind is why nothing can be read of the Gateway's process and port without
	// connecting, so that a restart is known from an operator alone; absent if it can.
	Blind string `json:"blind,omitempty"`
	// Next is what to type next; absent if nothing need be done.
	Next string `json:"next,omitempty"`
}

// Session is one client connection.
type Session struct {
	// Attempt is the id of the attempt it began with.
	Attempt string `json:"attempt"`
	// ClientID is the API client id; absent until startAPI came.
	ClientID *int64 `json:"client_id,omitempty"`
	// Phase is DIALING, CONNECTED, VERSIONED, READY, DEGRADED, MUTE or CLOSING.
	Phase string `json:"phase"`
	// Since is when it came to be so; absent if nobody knows.
	Since time.Time `json:"since,omitzero"`
	// ServerVersion is what both sides speak; absent until it is known.
	ServerVersion int64 `json:"server_version,omitempty"`
	// Unwatched says that its framing was lost: its bytes are relayed, and whether its
	// Gateway has lost IB is not known. Absent if it is not so.
	Unwatched bool `json:"unwatched,omitempty"`
}

// Channel is one way to tell somebody.
type Channel struct {
	// Name is as the configuration has it: command for on_restart_required.
	Name string `json:"name"`
	// Delivered is when it last took something; absent if it never did.
	Delivered time.Time `json:"delivered,omitzero"`
	// Failing is why it did not take the last thing it was given; absent if it did.
	Failing string `json:"failing,omitempty"`
	// Waiting is how many notices it has not taken yet.
	Waiting int `json:"waiting,omitempty"`
}

// Alert is an alert in force.
type Alert struct {
	// About is stop or outage.
	About events.About `json:"about"`
	// Incident is its name, for example main-48131.
	Incident string `json:"incident"`
	// Since is when it was raised.
	Since time.Time `json:"since"`
	// Reminders is how many were sent, Most how many there are at most; Most is absent if
	// nobody is reminded of it.
	Reminders int64 `json:"reminders"`
	Most      int64 `json:"most,omitempty"`
	// By is who has acknowledged it, and Acknowledged when; absent if nobody has.
	By           string    `json:"by,omitempty"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
}

// Waiter is a client id that waits after attempts that failed by its own doing: it was
// in use, or its program left before it was ready.
type Waiter struct {
	// ID is the API client id.
	ID int64 `json:"client_id"`
	// Until is when the wait is over.
	Until time.Time `json:"until"`
	// Failures is how many such attempts it has had in a row.
	Failures int64 `json:"failures"`
}

// Stop is a stop in force.
type Stop struct {
	// Seq is that of the restart.required.
	Seq uint64 `json:"seq"`
	// Reason is what proved that the Gateway is down.
	Reason events.DownReason `json:"reason"`
	// Since is when the gate stopped; absent if nobody knows.
	Since time.Time `json:"since,omitzero"`
}

// Refused is a request that the judge refused. The recorder is not in order then.
type Refused struct {
	// Seq is that of the attempt.denied.
	Seq uint64 `json:"seq"`
	// Rule is the id of the rule, for example RS1.
	Rule string `json:"rule"`
	// Text is how it would have been broken.
	Text string `json:"text,omitempty"`
}

// Policy names the rule in force.
type Policy struct {
	// Preset is what its values started from.
	Preset string `json:"preset"`
	// Hash is the SHA-256 of its values, 64 hexadecimal digits.
	Hash string `json:"hash"`
}

// Totals has the fields of fsm.Totals in the same order, so that one converts to
// the other; this package does not import the fold.
type Totals struct {
	// Requested counts the attempts that clients asked for.
	Requested int64 `json:"requested"`
	// Permitted counts those that were permitted.
	Permitted int64 `json:"permitted"`
	// Denied counts those that were denied.
	Denied int64 `json:"denied"`
	// Dialled counts the connections made to the Gateway's address.
	Dialled int64 `json:"dialled"`
	// Succeeded counts the attempts that became ready.
	Succeeded int64 `json:"succeeded"`
	// Failed counts those that failed.
	Failed int64 `json:"failed"`
	// Abandoned counts those whose client left.
	Abandoned int64 `json:"abandoned"`
	// Unknown counts those whose end nobody knows.
	Unknown int64 `json:"unknown"`
	// Stops counts stops, Releases their ends.
	Stops    int64 `json:"stops"`
	Releases int64 `json:"releases"`
	// Gaps counts places where facts are missing from the log.
	Gaps int64 `json:"gaps"`
}

// canonical is s as it is printed: times in UTC, lists never null.
func (s Status) canonical() Status {
	s.Since = s.Since.UTC()
	sessions := make([]Session, len(s.Sessions))
	for i, x := range s.Sessions {
		x.Since = x.Since.UTC()
		sessions[i] = x
	}
	s.Sessions = sessions
	s.Clients = slices.Clone(s.Clients)
	for i, x := range s.Clients {
		s.Clients[i].Until = x.Until.UTC()
	}
	s.Alerts = slices.Clone(s.Alerts)
	for i, x := range s.Alerts {
		s.Alerts[i].Delivered = x.Delivered.UTC()
	}
	if s.Alert != nil {
		a := *s.Alert
		a.Since, a.Acknowledged = a.Since.UTC(), a.Acknowledged.UTC()
		s.Alert = &a
	}
	if s.Stop != nil {
		stop := *s.Stop
		stop.Since = stop.Since.UTC()
		s.Stop = &stop
	}
	return s
}
