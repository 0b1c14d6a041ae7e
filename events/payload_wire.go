package events

// DialStarted: the recorder dials the Gateway. Its cause is the permit.
type DialStarted struct {
	// Address is the Gateway's, host:port.
	Address string `json:"address"`
}

// DialConnected: TCP is up. That proves nothing about the API behind it.
type DialConnected struct {
	// LocalPort is our TCP port.
	LocalPort int64 `json:"local_port"`
	// ElapsedUS is microseconds since the dial began.
	ElapsedUS int64 `json:"elapsed_us"`
}

// DialFailed: TCP did not come up.
type DialFailed struct {
	// Reason is refused, dial_timeout or unreachable.
	Reason FailReason `json:"reason"`
	// ElapsedUS is microseconds since the dial began.
	ElapsedUS int64 `json:"elapsed_us"`
	// Text is the system's error.
	Text string `json:"text,omitempty"`
}

// HandshakeVersion: the Gateway answered the hello.
type HandshakeVersion struct {
	// ServerVersion is the version both sides speak from here.
	ServerVersion int64 `json:"server_version"`
	// ElapsedUS is microseconds since the hello was sent.
	ElapsedUS int64 `json:"elapsed_us"`
}

// HandshakeAPIStarted: the client's startAPI was forwarded.
type HandshakeAPIStarted struct {
	// ClientID is the API client id; absent is not the same as 0.
	ClientID *int64 `json:"client_id,omitempty"`
}

// HandshakeReady: nextValidId and managedAccounts have both come.
type HandshakeReady struct {
	// Accounts is how many accounts were named. The ids are never stored.
	Accounts int64 `json:"accounts"`
	// AccountKeys are keyed hashes of the ids, comparable within one data folder.
	AccountKeys []string `json:"account_keys,omitempty"`
	// ElapsedUS is microseconds since startAPI was forwarded.
	ElapsedUS int64 `json:"elapsed_us"`
}

// HandshakeTimedOut: a budget ran out.
type HandshakeTimedOut struct {
	// Stage is what the handshake had reached: connected, versioned or started.
	Stage Stage `json:"stage"`
	// WaitedMS is how long was waited.
	WaitedMS int64 `json:"waited_ms"`
	// LimitMS is the budget.
	LimitMS int64 `json:"limit_ms"`
}
