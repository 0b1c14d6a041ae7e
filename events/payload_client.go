package events

// Side names one end of a relayed connection.
type Side string

const (
	// Client is the trading program.
	Client Side = "client"
	// Upstream is IB Gateway or TWS.
	Upstream Side = "gateway"
	// Recorder is us.
	Recorder Side = "recorder"
)

// Close is how a TCP connection ended.
type Close string

const (
	// FIN is an orderly close, the only "disconnect" the IB protocol has.
	FIN Close = "fin"
	// RST is a reset; a killed client with unread data sends one.
	RST Close = "rst"
)

// ClientOpened: a program connected to the recorder's port.
type ClientOpened struct {
	// Peer is the program's address, host:port.
	Peer string `json:"peer"`
}

// ClientHello: the program sent a complete, valid hello.
type ClientHello struct {
	// MinVersion is the lowest server version it accepts.
	MinVersion int64 `json:"min_version"`
	// MaxVersion is the highest.
	MaxVersion int64 `json:"max_version"`
	// Options are the connect options behind the versions, for example "+PACEAPI".
	Options string `json:"options,omitempty"`
}

// ClientClosed: the relayed connection is over, on both sides.
type ClientClosed struct {
	// By is who closed first.
	By Side `json:"by"`
	// How it was closed.
	How Close `json:"how"`
	// ClientBytes is how many bytes came from the client.
	ClientBytes int64 `json:"client_bytes"`
	// GatewayBytes is how many bytes came from the Gateway.
	GatewayBytes int64 `json:"gateway_bytes"`
	// ElapsedUS is microseconds since the connection was accepted.
	ElapsedUS int64 `json:"elapsed_us"`
}

// ClientHeld: the program waits at the recorder's port, undialled; or, if it names a
// client id, its startAPI waits there.
type ClientHeld struct {
	// Reason is why it waits.
	Reason HoldReason `json:"reason"`
	// ClientID is whose startAPI waits; absent if the program is undialled.
	ClientID *int64 `json:"client_id,omitempty"`
	// WaitMS is for how long it will, from now. From 1; 0 if that is not known.
	WaitMS int64 `json:"wait_ms,omitempty"`
}

// HoldReason says why somebody may not dial, or begin, at this moment.
type HoldReason string

const (
	// HoldStopped: the Gateway needs a manual restart.
	HoldStopped HoldReason = "stopped"
	// HoldInFlight: another attempt is under way.
	HoldInFlight HoldReason = "in_flight"
	// HoldBackoff: the wait after a failure is not over.
	HoldBackoff HoldReason = "backoff"
	// HoldSettling: the Gateway was restarted a moment ago.
	HoldSettling HoldReason = "settling"
	// HoldWindow: too many attempts failed in the counting span.
	HoldWindow HoldReason = "window"
	// HoldCooling: the last connection of this client id has ended a moment ago, and the
	// Gateway may not have noticed yet. It holds a startAPI and no dial.
	HoldCooling HoldReason = "cooling"
	// HoldRule: the policy would let it through, and the judge finds that this would break
	// the rule. Something is wrong with the recorder; nobody waits for it to pass.
	HoldRule HoldReason = "rule"
	// HoldLogFull: the log is nearly full, and what is left is kept for more important
	// things. It ends when somebody makes room.
	HoldLogFull HoldReason = "log_full"
)

// RejectReason says why a connection to the recorder's port was no attempt.
type RejectReason string

const (
	// NotAHello: the first bytes are no IB API hello.
	NotAHello RejectReason = "not_a_hello"
	// HelloTimeout: the hello was not complete in time.
	HelloTimeout RejectReason = "hello_timeout"
	// HelloClosed: the program left before its hello was complete, as a port probe does.
	HelloClosed RejectReason = "hello_closed"
	// HiddenRedial: a library opened a second connection by itself, without a hello.
	HiddenRedial RejectReason = "hidden_redial"
	// TooMany: more clients than IB allows for one gateway (32).
	TooMany RejectReason = "too_many"
	// TooOften: programs have asked more often than once a second for long, so each waits
	// for its turn to ask, and these left before it.
	TooOften RejectReason = "too_often"
)

// ClientRejected: these connections were closed and never reached the Gateway.
// Nothing else is told of them.
type ClientRejected struct {
	// Reason is why.
	Reason RejectReason `json:"reason"`
	// Count is how many connections this stands for. From 1; the first is told at once, and then at most one event a minute for each reason.
	Count int64 `json:"count"`
	// Peer is the address of the last of them, host:port.
	Peer string `json:"peer"`
	// FirstBytes are at most the first 8 bytes of the last of them, in hexadecimal.
	FirstBytes string `json:"first_bytes,omitempty"`
}

// CodeHeld is the code of the error that tells a program why it is held. It is far
// from every number that IB uses (up to 10xxx), and from 100 and 1100, at which
// ib_async's Watchdog restarts the Gateway program and connects again. It ends like
// HTTP's 503. Whoever reports it met the recorder and not the Gateway.
const CodeHeld = 70503

// TapBlocked: the recorder's port could not be had again after a release, so every
// program is refused although nobody holds it. It is told once, and tried until it can.
type TapBlocked struct {
	// Text is the system's error, and what to do.
	Text string `json:"text"`
}

// TapReason says why the recorder's port is closed although the gate is not stopped.
type TapReason string

const (
	// ClosedForAbsence: the Gateway does not listen, which a refused dial and the socket
	// table of this host say alike.
	ClosedForAbsence TapReason = "absent"
	// ClosedForLog: the log is in its reserve, which each attempt would make smaller.
	ClosedForLog TapReason = "log_full"
)

// TapClosed: nobody could be let through, so the recorder's port is closed too: a program
// is refused at once, as a Gateway that does not listen would refuse it, instead of
// waiting for its turn.
type TapClosed struct {
	// WaitMS is for how long at most; a listener that is seen opens it before that. Zero
	// for a log that is full: until there is room.
	WaitMS int64 `json:"wait_ms"`
	// Reason is why; absent means absent, the Gateway that does not listen.
	Reason TapReason `json:"reason,omitempty"`
}

// TapReopened: the recorder listens again after a tap.blocked or a tap.closed.
type TapReopened struct{}
