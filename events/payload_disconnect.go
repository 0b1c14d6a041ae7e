package events

// DisconnectRequested: somebody asked to end a session.
type DisconnectRequested struct {
	// By is who asked.
	By string `json:"by"`
	// ClientID selects one session; absent means all of the gateway.
	ClientID *int64 `json:"client_id,omitempty"`
	// Reason is theirs.
	Reason string `json:"reason"`
	// Force asks to override the guard.
	Force bool `json:"force"`
	// ForceEnv is IBKR_FORCE_DISCONNECT as the caller had it.
	ForceEnv string `json:"force_env,omitempty"`
	// Asked says that a runner asks the recorder, which answers by disconnect.permitted,
	// disconnect.blocked or disconnect.forced. Only the recorder sets it; of a runner that
	// does not ask it tells what it did.
	Asked bool `json:"asked,omitempty"`
}

// DisconnectPermitted: no handshake is under way; the sessions may be closed.
type DisconnectPermitted struct {
	// Sessions is how many the request selects.
	Sessions int64 `json:"sessions"`
}

// DisconnectBlocked: the request was refused, because a handshake is under way.
type DisconnectBlocked struct {
	// Stage is how far that handshake had come.
	Stage Stage `json:"stage"`
}

// DisconnectForced: the request was carried out in spite of a handshake.
type DisconnectForced struct {
	// Stage is how far that handshake had come.
	Stage Stage `json:"stage"`
}

// DisconnectDeferred: a client left in mid-handshake; its Gateway side stays until the handshake is decided.
type DisconnectDeferred struct {
	// Stage is how far that handshake had come.
	Stage Stage `json:"stage"`
	// How the client left.
	How Close `json:"how"`
}

// DisconnectCompleted: the Gateway's side is closed.
type DisconnectCompleted struct {
	// Sessions is how many were closed.
	Sessions int64 `json:"sessions"`
}
