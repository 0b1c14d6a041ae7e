package fsm

// Phase is where one client connection stands.
type Phase string

const (
	// Dialing: permitted, TCP is not up yet.
	Dialing Phase = "DIALING"
	// Connected: TCP is up, the hello was sent.
	Connected Phase = "CONNECTED"
	// Versioned: the version reply came.
	Versioned Phase = "VERSIONED"
	// SessionReady: the session works.
	SessionReady Phase = "READY"
	// SessionDegraded: it works, and the Gateway has lost IB.
	SessionDegraded Phase = "DEGRADED"
	// Mute: the socket is open and requests are not answered.
	Mute Phase = "MUTE"
	// Closing: the client left, or was asked to; the Gateway's side is still open.
	Closing Phase = "CLOSING"
	// Closed: ended in order.
	Closed Phase = "CLOSED"
	// Lost: ended, and its client did not ask for it.
	Lost Phase = "LOST"
)

// PhaseTrigger is what an event means to a session.
type PhaseTrigger string

const (
	// TCPUp: the dial succeeded.
	TCPUp PhaseTrigger = "tcp_up"
	// GotVersion: the version reply came.
	GotVersion PhaseTrigger = "got_version"
	// GotReady: nextValidId and managedAccounts both came.
	GotReady PhaseTrigger = "got_ready"
	// GotDegraded: 1100, 2110.
	GotDegraded PhaseTrigger = "got_degraded"
	// GotRestored: 1101, 1102, or an answer after muteness.
	GotRestored PhaseTrigger = "got_restored"
	// WentMute: a request is not answered.
	WentMute PhaseTrigger = "went_mute"
	// Leaving: the client left in mid-handshake, or a disconnect was permitted.
	Leaving PhaseTrigger = "leaving"
	// Failed: the attempt ended without ready.
	Failed PhaseTrigger = "failed"
	// Ended: closed by its client or by us.
	Ended PhaseTrigger = "ended"
	// Dropped: closed by the Gateway.
	Dropped PhaseTrigger = "dropped"
)

// PhaseTable is a session. It begins in DIALING, with its permit.
func PhaseTable() Table[Phase, PhaseTrigger] {
	handshake := []Phase{Dialing, Connected, Versioned}
	running := []Phase{SessionReady, SessionDegraded, Mute}
	live := append(append([]Phase{}, handshake...), running...)
	return Table[Phase, PhaseTrigger]{
		Name:    "session",
		Initial: Dialing,
		States:  append(append([]Phase{}, live...), Closing, Closed, Lost),
		Triggers: []PhaseTrigger{TCPUp, GotVersion, GotReady, GotDegraded, GotRestored, WentMute, Leaving, Failed,
			Ended, Dropped},
		Rows: []Row[Phase, PhaseTrigger]{
			{[]Phase{Dialing}, TCPUp, Connected, "TCP is accepted"},
			{[]Phase{Dialing, Connected}, GotVersion, Versioned, "the Gateway answers the hello"},
			{handshake, GotReady, SessionReady, "the handshake is complete; a runner that dials for itself reports only this"},
			{[]Phase{SessionReady}, GotDegraded, SessionDegraded, "the Gateway has lost IB; the local socket stays up"},
			{[]Phase{SessionDegraded, Mute}, GotRestored, SessionReady, "it works again"},
			{[]Phase{SessionReady, SessionDegraded}, WentMute, Mute, "open, and nobody answers"},
			{live, Leaving, Closing, "the client has left; the Gateway's side may stay until the handshake is decided"},
			{append([]Phase{Closing}, handshake...), Failed, Closed, "the attempt ended without ready"},
			{append([]Phase{Closing}, live...), Ended, Closed, "closed in order"},
			{running, Dropped, Lost, "the Gateway closed it"},
			{[]Phase{Closing}, Dropped, Closed, "it was leaving anyway"},
		},
		Ignored: []Cells[Phase, PhaseTrigger]{
			{[]Phase{Closing}, []PhaseTrigger{TCPUp, GotVersion, GotReady, GotDegraded, GotRestored, WentMute, Leaving},
				"its client has left; the answer still says that the Gateway lives"},
			{handshake, []PhaseTrigger{GotDegraded, GotRestored}, "said of IB, before this session works"},
			{[]Phase{SessionReady}, []PhaseTrigger{GotRestored}, "the loss was before this session"},
			{[]Phase{SessionDegraded, Mute}, []PhaseTrigger{GotDegraded}, "said before, or not to be trusted"},
			{[]Phase{Mute}, []PhaseTrigger{WentMute}, "said before"},
			{[]Phase{Closed, Lost}, []PhaseTrigger{Ended}, "the client's side follows"},
			{[]Phase{Closed}, []PhaseTrigger{Failed}, "the end of its attempt follows"},
		},
		Anomalies: []Cells[Phase, PhaseTrigger]{
			{append([]Phase{Connected, Versioned, Closed, Lost}, running...), []PhaseTrigger{TCPUp}, "one dial for each session"},
			{append([]Phase{Versioned, Closed, Lost}, running...), []PhaseTrigger{GotVersion}, "one version for each session"},
			{append([]Phase{Closed, Lost}, running...), []PhaseTrigger{GotReady}, "ready comes once"},
			{append([]Phase{Closed, Lost}, handshake...), []PhaseTrigger{WentMute}, "not a running session"},
			{[]Phase{Closed, Lost}, []PhaseTrigger{GotDegraded, GotRestored, Leaving}, "it is gone"},
			{append([]Phase{Lost}, running...), []PhaseTrigger{Failed}, "the attempt had ended"},
			{append([]Phase{Closed, Lost}, handshake...), []PhaseTrigger{Dropped}, "no session to lose"},
		},
	}
}
