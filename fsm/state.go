package fsm

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"ibrecorder/events"
)

// FoldVersion is raised, from the first release on, when the fold gives another state
// for the same events. Hashes are comparable within one version only.
const FoldVersion = 1

// State is everything the recorder knows of one gateway. It is a value: Apply
// returns a new one and shares nothing that changes.
//
// Times are nanoseconds since the boot, as in events; durations do not exist
// across restarts of the recorder, so a delay that was pending starts again in
// full when it boots.
type State struct {
	Gateway string `json:"gateway"`
	Seq     uint64 `json:"seq"`
	Boot    string `json:"boot"`
	Mono    int64  `json:"mono"` // of the last event that had one
	Epoch   uint64 `json:"epoch"`
	InOrder bool   `json:"in_order,omitempty"` // the run before this one was stopped, and did not die

	Gate   Gate                `json:"gate"`
	API    API                 `json:"api"`
	Policy events.PolicyLoaded `json:"policy"` // in force; no hash means none yet

	Sessions []*Session `json:"sessions,omitempty"` // in order of their permits; states share what did not change, so nobody writes to one
	Waiting  []Request  `json:"waiting,omitempty"`  // undecided, oldest first

	Row      Run       `json:"in_a_row"`
	Delay    Wait      `json:"delay"`
	Clients  []Client  `json:"clients,omitempty"`  // that failed by their own doing, in order of the last time, at most 64
	Failures []int64   `json:"failures,omitempty"` // when attempts failed, oldest first, at most the policy's window_failures
	Over     []string  `json:"over,omitempty"`     // attempts whose end or denial we saw lately, oldest first
	Ports    []int64   `json:"ports,omitempty"`    // from which clients connected to us lately, oldest first
	Ours     []string  `json:"ours,omitempty"`     // attempts that runners reported and we relay ourselves, by their names for them, oldest first
	Trial    Trial     `json:"probation"`
	Stop     Standing  `json:"stop"`
	Claim    Claim     `json:"claim"` // the last one; it takes the place of any before it
	Pending  Pending   `json:"pending"`
	Observed Process   `json:"observed"`           // as last read
	ShutOut  string    `json:"shut_out,omitempty"` // why the tap's port could not be had again after a release; empty while it can
	Closed   string    `json:"closed,omitempty"`   // ID of the tap.closed while it stands
	Room     Room      `json:"room,omitzero"`      // of the log; none said yet is ample
	Refused  Refusal   `json:"refused,omitzero"`   // the last permit that the judge forbade, until there is one that it does not
	Totals   Totals    `json:"totals"`
	Odd      Anomalies `json:"anomalies"`
}

// Room is the last word about the room in the log.
type Room struct {
	Level events.Level `json:"level"`
	ID    string       `json:"id"` // of the recorder.room
}

// Request is an attempt that waits for its decision.
type Request struct {
	Attempt string `json:"attempt"`
	Conn    string `json:"conn,omitempty"`
	ID      string `json:"id"`   // of the attempt.requested
	Held    bool   `json:"held"` // a client.held was written
	// LeaseMS says that its runner, By, asks for a lease: it is answered at once.
	LeaseMS int64  `json:"lease_ms,omitempty"`
	By      string `json:"by,omitempty"`
}

// Session is one permitted attempt and what became of it.
type Session struct {
	Attempt  string       `json:"attempt"`
	Conn     string       `json:"conn,omitempty"` // empty if we do not relay it
	Permit   string       `json:"permit"`         // ID of the attempt.permitted
	Boot     string       `json:"boot"`           // of the permit
	Epoch    uint64       `json:"epoch"`          // of the permit
	Phase    Phase        `json:"phase"`
	Stage    events.Stage `json:"stage"`               // how far its handshake came
	ClientID *int64       `json:"client_id,omitempty"` // once known
	Server   int64        `json:"server_version,omitempty"`
	Slot     bool         `json:"slot"`            // it keeps the gate ATTEMPTING
	Trial    bool         `json:"trial,omitempty"` // it is one of the probation's attempts
	Ended    bool         `json:"ended"`           // the attempt has its end in the log
	Since    int64        `json:"since"`           // of its phase
	// Unwatched says that its framing was lost: whether its Gateway has lost IB is not known.
	Unwatched bool   `json:"unwatched,omitempty"`
	Lease     Wait   `json:"lease,omitzero"` // in which its runner, By, must say how it went; none for one that we relay
	By        string `json:"by,omitempty"`   // source of the lease's holder: nobody else ends it
}

// Run counts in a row, which means since the last proof of life: ready, or an end
// that life knows. What proves nothing (an attempt abandoned unanswered or without
// a startAPI, an unknown end, an unreachable network) neither counts nor begins
// the count anew.
type Run struct {
	Silent       Tally `json:"silent"`
	DialTimeouts Tally `json:"dial_timeouts"`
	Closed       Tally `json:"closed"`
	Failed       int64 `json:"failed"` // since the last ready, for the backoff
}

// Tally is a count and what was counted.
type Tally struct {
	N        int64    `json:"n"`
	Evidence []string `json:"evidence,omitempty"` // IDs, the newest last, at most 8
}

// Wait is a span in which nobody dials.
type Wait struct {
	From int64 `json:"from"`
	MS   int64 `json:"ms"`
}

// Until returns the monotonic nanosecond at which the wait is over, 0 if there is none.
func (w Wait) Until() int64 {
	if w.MS == 0 {
		return 0
	}
	return After(w.From, w.MS)
}

// After is ms milliseconds after from, both in and out nanoseconds; what is too
// far away to be counted is never.
func After(from, ms int64) int64 {
	const most = math.MaxInt64 / int64(time.Millisecond)
	ms = max(-most, min(ms, most))
	ns := ms * int64(time.Millisecond)
	if from > 0 && ns > math.MaxInt64-from {
		return math.MaxInt64
	}
	return from + ns
}

// Trial is the probation after a release.
type Trial struct {
	On       bool     `json:"on"`                 // from the release to ready, or to the next stop
	Used     int64    `json:"used"`               // attempts used up, one under way included
	Released int64    `json:"released"`           // when
	Tried    bool     `json:"tried"`              // an attempt of it has ended
	LastEnd  int64    `json:"last_end"`           // when the last one did
	LastBad  bool     `json:"last_bad"`           // that one was silent or its end is unknown
	Evidence []string `json:"evidence,omitempty"` // IDs of what used attempts up, the newest last, at most 8
}

// Standing is the stop in force.
type Standing struct {
	ID       string  `json:"id,omitempty"` // of the restart.required; empty if none stands
	Seq      uint64  `json:"seq,omitempty"`
	Carried  bool    `json:"carried,omitempty"` // taken over from a log that was set aside
	Observed Process `json:"observed"`          // the listener when the gate stopped; unknown for a carried stop
	Before   Process `json:"before"`            // the listener as last read before that: it can reject a claim, and release nothing
	Restart  string  `json:"restart,omitempty"` // ID of the restart.observed since
}

// Claim is an operator's claim that waits for its decision.
type Claim struct {
	ID       string  `json:"id,omitempty"` // of the restart.claimed
	By       string  `json:"by,omitempty"`
	Reason   string  `json:"reason,omitempty"`
	Override bool    `json:"override,omitempty"`
	Seen     bool    `json:"seen,omitempty"` // the listener was read after the claim
	Observed Process `json:"observed"`       // as read then
}

// Process is what was read of the Gateway's listener without connecting.
type Process struct {
	ID        string           `json:"id,omitempty"` // of the gateway.observed
	Listening events.Listening `json:"listening,omitempty"`
	Owner     events.Owner     `json:"owner,omitempty"`
	PID       int64            `json:"pid,omitempty"`
	StartedMS int64            `json:"started_ms,omitempty"`
	Socket    string           `json:"socket,omitempty"`
}

// Pending are facts that ask for a decision which is not in the log yet.
type Pending struct {
	Down          string            `json:"down,omitempty"` // a gateway.down asks for a stop
	DownReason    events.DownReason `json:"down_reason,omitempty"`
	Wedged        string            `json:"wedged,omitempty"`         // a reading proves that the acceptor hangs, and asks for a gateway.down
	WedgedSamples int64             `json:"wedged_samples,omitempty"` // of that reading
	Carried       string            `json:"carried,omitempty"`        // a recorder.started that takes over a stop
	Failure       string            `json:"failure,omitempty"`        // a failure asks for a delay
	Success       string            `json:"success,omitempty"`        // a success contradicts the stop
	SuccessOwn    bool              `json:"success_own,omitempty"`
	Disconnect    Disconnect        `json:"disconnect"`
}

// Disconnect is a request to disconnect that waits for its decision.
type Disconnect struct {
	ID       string `json:"id,omitempty"`
	ClientID *int64 `json:"client_id,omitempty"`
	Force    bool   `json:"force,omitempty"`
	// By is the runner that asks whether it may end its own session; empty means an
	// operator, for whom sessions are ended.
	By string `json:"by,omitempty"`
}

// Refusal is a request that the policy would have permitted and the judge refused.
type Refusal struct {
	Seq  uint64 `json:"seq"`  // of the attempt.denied
	Rule string `json:"rule"` // that the permit would have broken
	Text string `json:"text,omitempty"`
}

// Totals count since the beginning of the log.
type Totals struct {
	Requested int64 `json:"requested"`
	Permitted int64 `json:"permitted"`
	Denied    int64 `json:"denied"`
	Dialled   int64 `json:"dialled"`
	Succeeded int64 `json:"succeeded"`
	Failed    int64 `json:"failed"`
	Abandoned int64 `json:"abandoned"`
	Unknown   int64 `json:"unknown"`
	Stops     int64 `json:"stops"`
	Releases  int64 `json:"releases"`
	Gaps      int64 `json:"gaps"`
}

// Anomalies counts what was impossible where it happened.
type Anomalies struct {
	Count int64  `json:"count"`
	Seq   uint64 `json:"seq,omitempty"`  // of the last
	Text  string `json:"text,omitempty"` // of the last
}

// Initial is the state before the first event.
func Initial() State {
	return State{Gate: Open, API: Unknown}
}

// InFlight returns the attempts that were permitted and have not ended.
func (s State) InFlight() []Session {
	var out []Session
	for _, x := range s.Sessions {
		if !x.Ended {
			out = append(out, *x)
		}
	}
	return out
}

// Busy reports whether an attempt is under way.
func (s State) Busy() bool {
	return slices.ContainsFunc(s.Sessions, func(x *Session) bool { return !x.Ended })
}

// Session returns the session of an attempt, nil if there is none. Nobody writes to it.
func (s State) Session(attempt string) *Session {
	for _, x := range s.Sessions {
		if x.Attempt == attempt {
			return x
		}
	}
	return nil
}

// Request returns the request of an attempt that waits for its decision.
func (s State) Request(attempt string) (r Request, waits bool) {
	if i := s.request(attempt); i >= 0 {
		return s.Waiting[i], true
	}
	return r, false
}

// Canonical returns the one encoding of s: JSON with its fields in the order of
// the type, no maps.
func (s State) Canonical() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("fsm: a state has only strings and numbers: %v", err))
	}
	return b
}

// Hash is the SHA-256 of the fold version and the canonical encoding.
func (s State) Hash() events.Hash {
	h := sha256.New()
	fmt.Fprintf(h, "ibrecorder state v%d\n", FoldVersion)
	h.Write(s.Canonical())
	return events.Hash(h.Sum(nil))
}

// Selects reports whether the request is about x.
func (d Disconnect) Selects(x *Session) bool {
	return d.ClientID == nil || x.ClientID != nil && *x.ClientID == *d.ClientID
}

// Ends reports whether x may end by the request: a runner ends what is its own.
func (d Disconnect) Ends(x *Session) bool { return d.By == "" || d.By == x.By }
