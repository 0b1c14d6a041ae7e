package events

// RestartRequired: the gate is STOPPED. Nobody dials until a release.
type RestartRequired struct {
	// Policy is the hash of the policy that decided.
	Policy string `json:"policy"`
	// Reason is what proved that the Gateway is down.
	Reason DownReason `json:"reason"`
	// Enforced is false in observe mode.
	Enforced bool `json:"enforced"`
	// Carried says that the stop is taken over from a log that was set aside.
	Carried bool `json:"carried,omitempty"`
}

// RestartClaimed: an operator says that the Gateway was restarted. A claim opens nothing.
type RestartClaimed struct {
	// By is the operator.
	By string `json:"by"`
	// Reason is theirs.
	Reason string `json:"reason"`
	// Override asks for a release without a restart, for cures such as an approval dialog.
	Override bool `json:"override"`
}

// RestartObserved: the Gateway's own process has another start time, and it listens.
type RestartObserved struct {
	// OldPID is the process before, 0 if unknown.
	OldPID int64 `json:"old_pid,omitempty"`
	// OldStartedMS is its start time, milliseconds since 1970 UTC.
	OldStartedMS int64 `json:"old_started_ms,omitempty"`
	// PID is the process now, 0 if unknown.
	PID int64 `json:"pid,omitempty"`
	// StartedMS is its start time, milliseconds since 1970 UTC.
	StartedMS int64 `json:"started_ms,omitempty"`
}

// Basis says on what a release rests.
type Basis string

const (
	// BasisObserved: a restart was observed.
	BasisObserved Basis = "observed"
	// BasisWord: no evidence could be had; the operator's word is the release.
	BasisWord Basis = "word"
	// BasisOverride: the operator released without a restart.
	BasisOverride Basis = "override"
)

// RestartAcknowledged: the stop is released. A new epoch begins in PROBATION.
type RestartAcknowledged struct {
	// Basis is what the release rests on.
	Basis Basis `json:"basis"`
	// By is the operator, or "recorder" for an observed restart.
	By string `json:"by"`
	// Reason is theirs.
	Reason string `json:"reason,omitempty"`
}

// Rejection says why a claim was refused.
type Rejection string

const (
	// RejectedUnchanged: the process that listened when the gate stopped still listens.
	RejectedUnchanged Rejection = "process_unchanged"
	// RejectedNotListening: nothing listens yet.
	RejectedNotListening Rejection = "not_listening"
	// RejectedNotStopped: there is no stop to release.
	RejectedNotStopped Rejection = "not_stopped"
)

// RestartRejected: the claim was refused; the gate stays as it is.
type RestartRejected struct {
	// Why it was refused.
	Why Rejection `json:"why"`
	// By is whose claim it was.
	By string `json:"by"`
}

// RetryScheduled: nobody dials before the delay is over; or, if it names a client id,
// no startAPI of that id is forwarded before it is. The jitter was drawn once, here.
type RetryScheduled struct {
	// ClientID is whose wait it is; absent if it is everybody's.
	ClientID *int64 `json:"client_id,omitempty"`
	// DelayMS is the whole wait, jitter included.
	DelayMS int64 `json:"delay_ms"`
	// JitterMS is the part of it that was drawn.
	JitterMS int64 `json:"jitter_ms"`
	// Failures is how many attempts in a row have failed, of that client id by its own doing if one is named.
	Failures int64 `json:"failures"`
}
