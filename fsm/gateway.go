package fsm

// API says what is known of the Gateway's API layer in this epoch. Only READY
// means that it works.
type API string

const (
	// Unknown: nothing was seen yet, or what was seen is out of date.
	Unknown API = "UNKNOWN"
	// Absent: nothing listens. It is not running, or in its nightly restart.
	Absent API = "ABSENT"
	// Starting: released after a restart, not seen listening yet.
	Starting API = "STARTING"
	// Listening: TCP is accepted, which proves nothing about the API behind it.
	Listening API = "LISTENING"
	// Ready: an attempt became ready, and nothing has gone wrong since.
	Ready API = "READY"
	// Degraded: the API answers, and the Gateway has lost IB.
	Degraded API = "DEGRADED"
	// Suspect: the last attempt, or a session, met silence.
	Suspect API = "SUSPECT"
	// Down: the API layer is dead.
	Down API = "DOWN"
)

// APITrigger is what an event means to the gateway.
type APITrigger string

const (
	// SeenAbsent: a dial was refused, or positively nothing listens.
	SeenAbsent APITrigger = "seen_absent"
	// SeenListening: TCP was accepted, or a listener was seen.
	SeenListening APITrigger = "seen_listening"
	// Answered: a version reply, an error that explains a failure, or the end of muteness.
	Answered APITrigger = "answered"
	// BecameReady: nextValidId and managedAccounts both came.
	BecameReady APITrigger = "became_ready"
	// MetSilence: an attempt was silent, its dial timed out, or a session went mute.
	MetSilence APITrigger = "met_silence"
	// LostUpstream: 1100, 2110.
	LostUpstream APITrigger = "lost_upstream"
	// RegainedUpstream: 1101, 1102.
	RegainedUpstream APITrigger = "regained_upstream"
	// Doubted: what was known may be so no longer: the Gateway closed a session or a
	// handshake, the network is unreachable, or the recorder was away.
	Doubted APITrigger = "doubted"
	// DeclaredDown: gateway.down.
	DeclaredDown APITrigger = "declared_down"
	// Released: a stop was released, so a new Gateway is expected.
	Released APITrigger = "released"
	// Contradicted: observe mode, a success although it counted as down.
	Contradicted APITrigger = "contradicted"
)

// APITable is the gateway. It has no anomalies: nothing that is said of a program
// outside, by one session or another, early or late, is impossible.
func APITable() Table[API, APITrigger] {
	up := []API{Unknown, Absent, Starting, Listening, Ready, Degraded, Suspect}
	all := append(append([]API{}, up...), Down)
	return Table[API, APITrigger]{
		Name:    "gateway",
		Initial: Unknown,
		States:  all,
		Triggers: []APITrigger{SeenAbsent, SeenListening, Answered, BecameReady, MetSilence, LostUpstream, RegainedUpstream,
			Doubted, DeclaredDown, Released, Contradicted},
		Rows: []Row[API, APITrigger]{
			{[]API{Unknown, Absent, Listening, Ready, Degraded, Suspect}, SeenAbsent, Absent, "nothing listens"},
			{[]API{Unknown, Absent, Starting}, SeenListening, Listening, "TCP is accepted"},
			{[]API{Unknown, Absent, Starting, Suspect}, Answered, Listening, "the API said something"},
			{up, BecameReady, Ready, "the handshake is complete"},
			{up, MetSilence, Suspect, "accepted, and then silence"},
			{[]API{Unknown, Listening, Ready}, LostUpstream, Degraded, "the Gateway has lost IB"},
			{[]API{Degraded}, RegainedUpstream, Ready, "the Gateway has IB again"},
			{[]API{Listening, Ready, Degraded}, Doubted, Unknown, "what was known is out of date"},
			{up, DeclaredDown, Down, "proved dead, or reported so"},
			{all, Released, Starting, "a new epoch"},
			{[]API{Down}, Contradicted, Ready, "observe mode: it works after all"},
		},
		Ignored: []Cells[API, APITrigger]{
			{[]API{Starting}, []APITrigger{SeenAbsent}, "it takes minutes to start, with two-factor login"},
			{[]API{Listening, Ready, Degraded, Suspect}, []APITrigger{SeenListening}, "proves nothing"},
			{[]API{Listening, Ready, Degraded}, []APITrigger{Answered}, "known already"},
			{[]API{Degraded}, []APITrigger{LostUpstream}, "1100 repeats, 833 times in one outage"},
			{[]API{Absent, Starting, Suspect}, []APITrigger{LostUpstream}, "an older session says so, and no new handshake was answered"},
			{[]API{Ready}, []APITrigger{RegainedUpstream}, "every session says so, and the first has moved it"},
			{[]API{Unknown, Absent, Starting, Listening, Suspect}, []APITrigger{RegainedUpstream}, "an older session says so, and no new handshake was answered"},
			{[]API{Unknown, Absent, Starting, Suspect}, []APITrigger{Doubted}, "nothing good was known"},
			{up, []APITrigger{Contradicted}, "a stop taken over from another log: here it never counted as down"},
			{[]API{Down}, []APITrigger{SeenAbsent, SeenListening, Answered, BecameReady, MetSilence, LostUpstream, RegainedUpstream, Doubted, DeclaredDown},
				"down stays down until a release"},
		},
	}
}
