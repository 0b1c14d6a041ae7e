package events

// Origin says which number space a code belongs to: the same number means
// different things on the wire, in a client library, in IBC and as an exit code.
type Origin string

const (
	// OriginWire: it arrived from the Gateway.
	OriginWire Origin = "wire"
	// OriginClient: a client library made it up locally.
	OriginClient Origin = "client"
	// OriginIBC: an exit code of IBC.
	OriginIBC Origin = "ibc"
	// OriginOS: an errno or an exit status.
	OriginOS Origin = "os"
)

// GatewayNotice: a code with its origin.
type GatewayNotice struct {
	// Code is the number.
	Code int64 `json:"code"`
	// Origin is its number space.
	Origin Origin `json:"origin"`
	// Count is how many this stands for. From 1.
	Count int64 `json:"count"`
}

// Listening says whether something listens on the Gateway's port.
type Listening string

const (
	// ListeningYes: a listener was seen, without a connect.
	ListeningYes Listening = "yes"
	// ListeningNo: positively none.
	ListeningNo Listening = "no"
	// ListeningUnknown: nobody could tell. It changes nothing.
	ListeningUnknown Listening = "unknown"
)

// Owner says whose the listener is.
type Owner string

const (
	// OwnerGateway: the Gateway's own process.
	OwnerGateway Owner = "gateway"
	// OwnerOther: a forwarder such as docker-proxy, socat or ssh. Its restart says nothing about the Gateway.
	OwnerOther Owner = "other"
	// OwnerUnknown: not readable from here.
	OwnerUnknown Owner = "unknown"
)

// GatewayObserved: the Gateway's port and process as read without connecting.
type GatewayObserved struct {
	// Listening says whether something listens.
	Listening Listening `json:"listening"`
	// Owner says whose the listener is.
	Owner Owner `json:"owner"`
	// Process is the name of the owning program.
	Process string `json:"process,omitempty"`
	// PID is its process id.
	PID int64 `json:"pid,omitempty"`
	// StartedMS is its start time, milliseconds since 1970 UTC, as the system tells. With PID it identifies the process.
	StartedMS int64 `json:"started_ms,omitempty"`
	// Socket identifies the listening socket: an inode number on Linux.
	Socket string `json:"socket,omitempty"`
	// QueueSockets is how many connections wait in the listener's queue for its owner to accept them. Absent, like the four below, if it could not be read.
	QueueSockets *int64 `json:"queue_sockets,omitempty"`
	// EstablishedSockets is how many sockets of the Gateway's side are ESTABLISHED, accepted or not.
	EstablishedSockets *int64 `json:"established_sockets,omitempty"`
	// CloseWaitSockets is how many are in CLOSE_WAIT: the client has left, and the Gateway has not closed.
	CloseWaitSockets *int64 `json:"close_wait_sockets,omitempty"`
	// UnacceptedSockets is how many of both belong to no process and have unread bytes: nobody accepted them.
	UnacceptedSockets *int64 `json:"unaccepted_sockets,omitempty"`
	// UnacceptedBytes is what is unread in those, with one byte for the end of a client that gave up.
	UnacceptedBytes *int64 `json:"unaccepted_bytes,omitempty"`
	// WedgedPort is the client's port of a connection that nobody accepted and that waited, with its hello unread, in every sample of a series. Absent, like the four below, unless the series is as long as the policy's version budget.
	WedgedPort int64 `json:"wedged_port,omitempty"`
	// WedgedSamples is how many samples found it so.
	WedgedSamples int64 `json:"wedged_samples,omitempty"`
	// WedgedMS is the time from the first of them to the last, by the monotonic clock, milliseconds.
	WedgedMS int64 `json:"wedged_ms,omitempty"`
	// WedgedBytes is what is unread in it.
	WedgedBytes int64 `json:"wedged_bytes,omitempty"`
	// WedgedState says whether its client still waits.
	WedgedState SocketState `json:"wedged_state,omitempty"`
	// Text says why something is unknown.
	Text string `json:"text,omitempty"`
}

// SocketState is the state of a TCP connection.
type SocketState string

const (
	// SocketEstablished: both ends are open.
	SocketEstablished SocketState = "established"
	// SocketCloseWait: the client has left.
	SocketCloseWait SocketState = "close_wait"
)

// DownReason says what proved that the API layer is dead.
type DownReason string

const (
	// DownSilent: silent_limit silent attempts in a row.
	DownSilent DownReason = "silent"
	// DownDialTimeouts: dial_timeout_limit dials in a row timed out.
	DownDialTimeouts DownReason = "dial_timeouts"
	// DownClosed: closed_limit closes before the version in a row.
	DownClosed DownReason = "closed"
	// DownProbation: the attempts after a release were used up and none became ready.
	DownProbation DownReason = "probation"
	// DownWedged: the same connection waited unaccepted, with its hello unread, in every sample of a whole version budget.
	DownWedged DownReason = "wedged"
	// DownReported: a runner reported it.
	DownReported DownReason = "reported"
)

// GatewayDown: TCP may accept, but the API layer is dead.
type GatewayDown struct {
	// Reason is what proved it.
	Reason DownReason `json:"reason"`
	// Count is how many attempts in a row did, or samples if it is wedged; 0 for a report.
	Count int64 `json:"count,omitempty"`
	// Limit is the policy's limit at that moment, or the least number of samples; 0 for a report.
	Limit int64 `json:"limit,omitempty"`
	// Evidence lists the IDs of the events that prove it.
	Evidence []string `json:"evidence,omitempty"`
	// Text is a reporter's.
	Text string `json:"text,omitempty"`
}

// GatewayContradicted: an attempt succeeded although the Gateway counts as down.
// In enforce mode, and for a report, the stop stands and asks for a release.
type GatewayContradicted struct {
	// Ends says that the stop ends here: only in observe mode.
	Ends bool `json:"ends"`
}
