package events

// SessionEstablished: a client has a working API session.
type SessionEstablished struct {
	// ClientID is the API client id, if known.
	ClientID *int64 `json:"client_id,omitempty"`
	// ServerVersion is what both sides speak, 0 if unknown.
	ServerVersion int64 `json:"server_version,omitempty"`
}

// SessionDegraded: the Gateway lost IB, the local session stays up.
type SessionDegraded struct {
	// Code is the error code, for example 1100 or 2110.
	Code int64 `json:"code"`
}

// SessionRestored: the Gateway has IB again, or answers again.
type SessionRestored struct {
	// Code is 1101 (data lost, subscribe again) or 1102 (data kept); 0 if a mute session answers again.
	Code int64 `json:"code"`
}

// SessionMute: requests are no longer answered although the socket is open.
type SessionMute struct {
	// WaitedMS is how long the last request has been waiting.
	WaitedMS int64 `json:"waited_ms"`
}

// SessionUnwatched: what the Gateway sends is not IB's framing any more. The session
// goes on, and none of its codes is known from here on. At most once in a session.
type SessionUnwatched struct {
	// GatewayBytes is how many bytes had come from the Gateway by then.
	GatewayBytes int64 `json:"gateway_bytes"`
}

// LostReason says how a session was lost.
type LostReason string

const (
	// LostFIN: the Gateway closed.
	LostFIN LostReason = "fin"
	// LostRST: the Gateway reset.
	LostRST LostReason = "rst"
	// LostMute: it stopped answering and was given up.
	LostMute LostReason = "mute"
	// LostPortReset: error 1300, the Gateway's port changed.
	LostPortReset LostReason = "port_reset"
)

// SessionLost: a session ended and its client did not ask for it.
type SessionLost struct {
	// Reason is how.
	Reason LostReason `json:"reason"`
	// ElapsedUS is microseconds since ready, 0 if unknown.
	ElapsedUS int64 `json:"elapsed_us,omitempty"`
}

// SessionClosed: a session ended because its client or the recorder closed it.
type SessionClosed struct {
	// By is who closed.
	By Side `json:"by"`
	// How it was closed.
	How Close `json:"how"`
	// ElapsedUS is microseconds since ready, 0 if unknown.
	ElapsedUS int64 `json:"elapsed_us,omitempty"`
}
