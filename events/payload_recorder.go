package events

// Mode says whether the recorder holds clients back.
type Mode string

const (
	// Enforce refuses every dial that the policy does not permit.
	Enforce Mode = "enforce"
	// Observe never holds anybody; decisions say what would have been.
	Observe Mode = "observe"
)

// Previous says how the run before this one ended.
type Previous string

const (
	// PreviousNone: this is the first run on the log.
	PreviousNone Previous = "none"
	// PreviousStopped: the last run left a recorder.stopped.
	PreviousStopped Previous = "stopped"
	// PreviousCrashed: the last run left none.
	PreviousCrashed Previous = "crashed"
	// PreviousQuarantined: the old log was set aside; this one starts anew.
	PreviousQuarantined Previous = "quarantined"
)

// RecorderStarted is the first event of every run.
type RecorderStarted struct {
	// Version of the recorder.
	Version string `json:"version"`
	// Previous is how the run before this one ended.
	Previous Previous `json:"previous"`
	// FoldVersion is that of the state that the run decides from. From 1; absent means 1.
	FoldVersion int64 `json:"fold_version,omitempty"`
	// PolicyVersion is that of the policy that decides, not of its constants. From 1; absent means 1.
	PolicyVersion int64 `json:"policy_version,omitempty"`
	// PreviousBoot is the boot of that run.
	PreviousBoot string `json:"previous_boot,omitempty"`
	// Unfinished lists attempts that were permitted and have no end in the log.
	Unfinished []string `json:"unfinished,omitempty"`
	// OldSeq is the last sequence of a log that was set aside.
	OldSeq uint64 `json:"old_seq,omitempty"`
	// OldHash is the hash of that log's last event, 64 hexadecimal digits.
	OldHash string `json:"old_hash,omitempty"`
	// OldStopped says that the old log's gate was stopped, or that nobody could tell.
	OldStopped bool `json:"old_stopped,omitempty"`
	// Reason is the operator's, for setting the old log aside.
	Reason string `json:"reason,omitempty"`
}

// StopReason says why a run ended.
type StopReason string

const (
	// StoppedBySignal: an operator or the service manager asked for it.
	StoppedBySignal StopReason = "signal"
	// StoppedByError: the recorder could not go on.
	StoppedByError StopReason = "error"
)

// RecorderStopped is the last event of a run that ended in order.
type RecorderStopped struct {
	// Reason is why the run ended.
	Reason StopReason `json:"reason"`
	// Text is the error, if one ended it.
	Text string `json:"text,omitempty"`
}

// GapReason says why facts are missing from the log.
type GapReason string

const (
	// GapOverflow: facts came faster than the log took them.
	GapOverflow GapReason = "overflow"
	// GapStore: the log did not take an event, for example on a full disk.
	GapStore GapReason = "store"
	// GapUnrecorded: an imported history leaves out what nobody wrote down.
	GapUnrecorded GapReason = "unrecorded"
)

// RecorderGap says that facts are missing here. What a log with a gap shows of
// that span is inconclusive.
type RecorderGap struct {
	// Reason is why they are missing.
	Reason GapReason `json:"reason"`
	// Lost is how many, zero when nobody knows.
	Lost int64 `json:"lost"`
	// Text says more.
	Text string `json:"text,omitempty"`
}

// Level says how much room a log has.
type Level string

const (
	// LevelAmple: there is room.
	LevelAmple Level = "ample"
	// LevelWarning: four fifths of the room are taken. Nothing changes yet.
	LevelWarning Level = "warning"
	// LevelReserve: what is left is kept for stops, releases, operators and the sessions
	// that are connected; nobody may dial.
	LevelReserve Level = "reserve"
)

// RecorderRoom says that the log has come to another level of room.
type RecorderRoom struct {
	// Level is the one that it has come to.
	Level Level `json:"level"`
	// UsedBytes is what the log takes.
	UsedBytes int64 `json:"used_bytes"`
	// LimitBytes is what it may take, as far as its disk goes along.
	LimitBytes int64 `json:"limit_bytes"`
}

// PolicyLoaded carries every constant of the rule in force from here on. It is
// written at each start and at each change, so that a decision can be recomputed
// from the log alone. Durations are milliseconds.
type PolicyLoaded struct {
	// Preset is the name the values started from: handoff, lenient or demo.
	Preset string `json:"preset"`
	// Hash is the SHA-256 of the values, 64 hexadecimal digits.
	Hash string `json:"hash"`
	// Mode says whether clients are held.
	Mode Mode `json:"mode"`
	Params
}

// Params are the constants of the retry-stop rule.
type Params struct {
	// SilentLimit is how many silent attempts in a row stop the gate. From 1.
	SilentLimit int64 `json:"silent_limit"`
	// DialTimeoutLimit is how many dials in a row may time out before the gate stops. From 1.
	DialTimeoutLimit int64 `json:"dial_timeout_limit"`
	// ClosedLimit is how many closes before the version, in a row, stop the gate.
	// Zero, the default, never: a proxy before a Gateway that is not running looks so.
	ClosedLimit int64 `json:"closed_limit"`
	// DialTimeoutMS is how long a dial may take.
	DialTimeoutMS int64 `json:"dial_timeout_ms"`
	// VersionBudgetMS is how long the Gateway has to answer the hello.
	VersionBudgetMS int64 `json:"version_budget_ms"`
	// StartAPIBudgetMS is how long a client has for its startAPI after the version
	// before it loses its turn. That proves nothing about the Gateway.
	StartAPIBudgetMS int64 `json:"start_api_budget_ms"`
	// ReadyBudgetMS is how long the Gateway has from startAPI to both nextValidId and managedAccounts.
	ReadyBudgetMS int64 `json:"ready_budget_ms"`
	// MinReportedBudgetMS is the shortest timeout for which a reported silence counts.
	MinReportedBudgetMS int64 `json:"min_reported_budget_ms"`
	// SettleMS is the wait after a release before the first attempt.
	SettleMS int64 `json:"settle_ms"`
	// ProbationAttempts is how many attempts a release allows before it must have
	// worked. From 1; 2 by default, because the first connect after a fresh start
	// is known to fail (ib_insync issue 303).
	ProbationAttempts int64 `json:"probation_attempts"`
	// ProbationSpacingMS is the wait between those attempts.
	ProbationSpacingMS int64 `json:"probation_spacing_ms"`
	// BackoffBaseMS is the wait after a first failure; it doubles with each more.
	BackoffBaseMS int64 `json:"backoff_base_ms"`
	// BackoffCapMS is the longest wait between failures.
	BackoffCapMS int64 `json:"backoff_cap_ms"`
	// JitterPercent is the largest part of a wait that is added at random; what was
	// drawn is recorded. 0 to 100.
	JitterPercent int64 `json:"jitter_percent"`
	// WindowMS is the span in which failed attempts are counted.
	WindowMS int64 `json:"window_ms"`
	// WindowFailures is how many failed attempts that span may have. More delay, and never stop.
	WindowFailures int64 `json:"window_failures"`
	// CoolingMS is how long the startAPI of a client id is held after its last connection
	// has ended: the Gateway may need a moment to notice, and would say 326. Zero is off.
	CoolingMS int64 `json:"cooling_ms"`
	// LeaseMS is how long a runner that dials by itself may use its permit before it
	// must have said how that went; then the end is unknown and the slot free.
	LeaseMS int64 `json:"lease_ms"`
}
