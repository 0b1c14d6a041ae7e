package events

// FailReason says why an attempt failed, read from the wire and never from a
// client's text.
type FailReason string

const (
	// Refused: nothing listens. The Gateway is not running, or in its nightly restart.
	Refused FailReason = "refused"
	// DialTimeout: TCP was never accepted.
	DialTimeout FailReason = "dial_timeout"
	// Unreachable: the network said no, for another reason than the two above.
	Unreachable FailReason = "unreachable"
	// AcceptedNoBytes: TCP accepted, complete hello sent, no byte for the whole version budget.
	AcceptedNoBytes FailReason = "accepted_no_bytes"
	// FINBeforeVersion: closed before the version reply.
	FINBeforeVersion FailReason = "fin_before_version"
	// RSTBeforeVersion: reset before the version reply.
	RSTBeforeVersion FailReason = "rst_before_version"
	// BadVersion: the reply is malformed or outside the offered range.
	BadVersion FailReason = "bad_version"
	// VersionNoReady: startAPI was forwarded, and no ready and no explaining error came in the ready budget.
	VersionNoReady FailReason = "version_no_ready"
	// NoStartAPI: the client never sent startAPI. It proves nothing about the Gateway.
	NoStartAPI FailReason = "no_start_api"
	// ClientIDInUse: error 326.
	ClientIDInUse FailReason = "client_id_in_use"
	// DisclaimerPending: error 10141, the paper trading disclaimer was not accepted.
	DisclaimerPending FailReason = "disclaimer_pending"
	// ErrorBeforeReady: another error with id -1 explains why ready did not come.
	ErrorBeforeReady FailReason = "error_before_ready"
	// ClosedBeforeReady: closed after the version and before ready.
	ClosedBeforeReady FailReason = "closed_before_ready"
	// ReportedTimeout: a runner reported a timeout and did not say in which stage.
	ReportedTimeout FailReason = "reported_timeout"
	// NoAccounts: ready came with an empty account list, as a runner reported.
	NoAccounts FailReason = "no_accounts"
	// ClientWaits: the client id has a wait of its own (retry.scheduled names it) that was not over,
	// so its startAPI was not forwarded. The Gateway answered, and never learned of the id.
	ClientWaits FailReason = "client_waits"
)

// Stage is how far a handshake came.
type Stage string

const (
	// StageNone: nothing was dialled.
	StageNone Stage = "none"
	// StageDial: the dial was begun.
	StageDial Stage = "dial"
	// StageConnected: TCP is up, the hello was sent.
	StageConnected Stage = "connected"
	// StageVersioned: the version reply came.
	StageVersioned Stage = "versioned"
	// StageStarted: startAPI was forwarded.
	StageStarted Stage = "started"
	// StageReady: nextValidId and managedAccounts both came.
	StageReady Stage = "ready"
)

// AttemptRequested: somebody wants to connect.
type AttemptRequested struct {
	// ClientID is the API client id, if already known.
	ClientID *int64 `json:"client_id,omitempty"`
	// TimeoutMS is the reporter's own timeout.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// LocalPort is the reporter's local TCP port: it joins a report with what the tap saw.
	LocalPort int64 `json:"local_port,omitempty"`
	// LeaseMS says that the reporter asks for a permit and will dial by itself: how long
	// the permit would be good for. Only the recorder sets it; 0 asks for nothing.
	LeaseMS int64 `json:"lease_ms,omitempty"`
}

// AttemptPermitted: this attempt may dial, once. The decision of which every
// dial must be the effect.
type AttemptPermitted struct {
	// Policy is the hash of the policy that decided.
	Policy string `json:"policy"`
	// Enforced is false in observe mode.
	Enforced bool `json:"enforced"`
	// Probation says that it is one of the attempts after a release, and which: from 1; 0 otherwise.
	Probation int64 `json:"probation,omitempty"`
	// Against is why enforce mode would have held it, in observe mode.
	Against HoldReason `json:"against,omitempty"`
}

// AttemptDenied: these attempts may not dial. One that names its attempt answers the
// attempt.requested of it. One that names none stands for programs that were turned
// away at the recorder's port, or asked it for a lease, while the stop that is its
// cause stood; of those there is no other event.
type AttemptDenied struct {
	// Policy is the hash of the policy that decided.
	Policy string `json:"policy"`
	// Reason is why.
	Reason HoldReason `json:"reason"`
	// Count is how many attempts this stands for. From 1; one that names no attempt comes at most once a minute, and at the end of the stop.
	Count int64 `json:"count"`
	// Rule is the id of the rule that a permit would have broken, if that is the reason.
	Rule string `json:"rule,omitempty"`
	// Text is how: what the judge would have said of the permit, or of its dial.
	Text string `json:"text,omitempty"`
}

// AttemptSucceeded: the API answers; nextValidId and managedAccounts both came.
type AttemptSucceeded struct {
	// ClientID is the API client id, if known.
	ClientID *int64 `json:"client_id,omitempty"`
	// ServerVersion is what the Gateway answered, 0 if unknown.
	ServerVersion int64 `json:"server_version,omitempty"`
	// ElapsedUS is microseconds from the permit to ready, 0 if unknown.
	ElapsedUS int64 `json:"elapsed_us,omitempty"`
}

// AttemptFailed: it ended without ready, and the wire says why.
type AttemptFailed struct {
	// Reason is why.
	Reason FailReason `json:"reason"`
	// Stage is how far it came.
	Stage Stage `json:"stage"`
	// ClientID is the API client id, if known.
	ClientID *int64 `json:"client_id,omitempty"`
	// By is who closed first, if anybody did.
	By Side `json:"by,omitempty"`
	// How it was closed.
	How Close `json:"how,omitempty"`
	// Code is the error code that explains it.
	Code int64 `json:"code,omitempty"`
	// WaitedMS is how long was waited in the last stage.
	WaitedMS int64 `json:"waited_ms,omitempty"`
	// LimitMS is the budget of that stage; for a report the reporter's own timeout.
	LimitMS int64 `json:"limit_ms,omitempty"`
	// ClientBytes is how many bytes were sent to the Gateway.
	ClientBytes int64 `json:"client_bytes,omitempty"`
	// GatewayBytes is how many bytes came from it.
	GatewayBytes int64 `json:"gateway_bytes,omitempty"`
	// ElapsedUS is microseconds from the dial to the end.
	ElapsedUS int64 `json:"elapsed_us,omitempty"`
	// Text is what a reporter wrote, redacted and cut at 1 KiB.
	Text string `json:"text,omitempty"`
}

// AttemptAbandoned: the client left, and the Gateway answered afterwards; or it
// left where nothing can be concluded.
type AttemptAbandoned struct {
	// Stage is where the client left.
	Stage Stage `json:"stage"`
	// Answered says that the Gateway did answer.
	Answered bool `json:"answered"`
	// ElapsedUS is microseconds from the dial to the end.
	ElapsedUS int64 `json:"elapsed_us,omitempty"`
}

// UnknownReason says why the end of an attempt is not known.
type UnknownReason string

const (
	// UnknownCrash: the recorder died between the permit and the end; the next run says so.
	UnknownCrash UnknownReason = "recorder_died"
	// UnknownStop: the recorder was stopped in between; the next run says so.
	UnknownStop UnknownReason = "recorder_stopped"
	// UnknownUnused: the dial was permitted and its client had left.
	UnknownUnused UnknownReason = "permit_unused"
	// UnknownReported: a reporter does not know.
	UnknownReported UnknownReason = "reported"
	// UnknownLease: its runner dialled with a lease and did not say in time how that went.
	UnknownLease UnknownReason = "lease_expired"
)

// AttemptUnknown: nobody knows how it ended. It uses up a probation attempt.
type AttemptUnknown struct {
	// Reason is why nobody knows.
	Reason UnknownReason `json:"reason"`
}
