package events

// AlertDelivered: a subscriber was told, and confirmed. Its cause is what it was told of.
type AlertDelivered struct {
	// Channel is who was told, for example "command".
	Channel string `json:"channel"`
	// ElapsedMS is how long that took.
	ElapsedMS int64 `json:"elapsed_ms"`
	// Tries is how many it took. From 1.
	Tries int64 `json:"tries"`
}

// AlertFailed: a subscriber could not be told.
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
