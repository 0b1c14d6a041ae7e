package events

// About says what an alert is about.
type About string

const (
	// AboutStop: a gateway needs a manual restart. In force until the stop ends.
	AboutStop About = "stop"
	// AboutOutage: a gateway has not been there for longer than its outage_after, without a stop. In force until it is.
	AboutOutage About = "outage"
	// AboutBreach: somebody broke the rule. It is told, and never in force.
	AboutBreach About = "breach"
	// AboutChannel: a channel takes nothing. In force until it does.
	AboutChannel About = "channel"
	// AboutRoom: the log is nearly full. In force until there is room.
	AboutRoom About = "room"
)

// AlertRaised: people are to be told, once on each channel. Its cause is what they are told of.
type AlertRaised struct {
	// About is what it is about.
	About About `json:"about"`
	// Incident is its name: the gateway and the sequence of what it began with. An outage that becomes a stop stays one incident.
	Incident string `json:"incident"`
	// Of is the sequence of what they are told of.
	Of uint64 `json:"of"`
	// Channel is the one that takes nothing; absent if it is about something else.
	Channel string `json:"channel,omitempty"`
	// ReadyMS is how long before this the Gateway was last ready for a program; absent if nobody knows.
	ReadyMS int64 `json:"ready_ms,omitempty"`
	// Programs counts those that had a session or were under way; absent if there were none.
	Programs int64 `json:"programs,omitempty"`
	// Again counts what happened since the last alert like it and was not told; absent if nothing did.
	Again int64 `json:"again,omitempty"`
	// UsedPercent is how full the log is; absent if it is about something else.
	UsedPercent int64 `json:"used_percent,omitempty"`
}

// AlertReminded: an alert stands, nobody has acknowledged it, and people are told again. Its cause is the alert.raised.
type AlertReminded struct {
	// Incident is that of the alert.
	Incident string `json:"incident"`
	// Raised is the sequence of its alert.raised.
	Raised uint64 `json:"raised"`
	// Number is which reminder it is. From 1.
	Number int64 `json:"number"`
	// Most is how many there are at most.
	Most int64 `json:"most"`
	// Blocked counts the attempts that were denied since the stop.
	Blocked int64 `json:"blocked"`
	// ElapsedMS is how long it has stood.
	ElapsedMS int64 `json:"elapsed_ms"`
}

// AlertAcknowledged: an operator has seen an alert. No reminder follows; it opens nothing. Its cause is the alert.raised.
type AlertAcknowledged struct {
	// Incident is that of the alert.
	Incident string `json:"incident"`
	// Raised is the sequence of its alert.raised.
	Raised uint64 `json:"raised"`
	// By is the operator.
	By string `json:"by"`
	// Text is their remark.
	Text string `json:"text,omitempty"`
}

// AlertResolved: what an alert was about is over. Its cause is what ended it.
type AlertResolved struct {
	// About is that of the alert.
	About About `json:"about"`
	// Incident is that of the alert.
	Incident string `json:"incident"`
	// Raised is the sequence of its alert.raised.
	Raised uint64 `json:"raised"`
	// Of is the sequence of what ended it.
	Of uint64 `json:"of"`
	// Blocked counts the attempts that were denied meanwhile.
	Blocked int64 `json:"blocked,omitempty"`
	// ElapsedMS is how long it stood.
	ElapsedMS int64 `json:"elapsed_ms"`
}

// AlertDelivered: a channel took a message, and confirmed. Its cause is the alert.raised, alert.reminded or alert.resolved that it tells of.
type AlertDelivered struct {
	// Channel is who was told, for example "command".
	Channel string `json:"channel"`
	// ElapsedMS is how long that took.
	ElapsedMS int64 `json:"elapsed_ms"`
	// Tries is how many it took. From 1.
	Tries int64 `json:"tries"`
}

// AlertFailed: a channel did not take a message. Its cause is that of the alert.delivered that it keeps from being.
type AlertFailed struct {
	// Channel is who was to be told.
	Channel string `json:"channel"`
	// Try is which try failed. From 1.
	Try int64 `json:"try"`
	// Final says that no other try follows.
	Final bool `json:"final"`
	// ExitCode is the command's, -1 if it could not be run or was killed.
	ExitCode int64 `json:"exit_code"`
	// Text is the error.
	Text string `json:"text,omitempty"`
}

// RuleViolated: an event happened that the rule forbids. It is stored as it is;
// history is never dropped.
type RuleViolated struct {
	// Rule is its id, for example "RS1".
	Rule string `json:"rule"`
	// Bypassed is true when somebody went around the recorder, false when the recorder itself broke the rule.
	Bypassed bool `json:"bypassed"`
	// Text is one sentence.
	Text string `json:"text"`
}

// OperatorNoted: an operator's remark.
type OperatorNoted struct {
	// By is the operator.
	By string `json:"by"`
	// Text is the remark, redacted and cut at 1 KiB.
	Text string `json:"text"`
}
