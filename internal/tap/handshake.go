package tap

import (
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// handshakePrefix is how much of a Gateway's frame is kept: room for the account
// list of an adviser with thousands of accounts.
const handshakePrefix = 64 << 10

// End says how an attempt was decided.
type End string

const (
	// Ready: nextValidId and managedAccounts have both come.
	Ready End = "ready"
	// Failed: the wire says why not.
	Failed End = "failed"
	// Denied: there was no permit, or the gate stopped before the hello was sent.
	Denied End = "denied"
	// Abandoned: the client left, and the Gateway is not to blame.
	Abandoned End = "abandoned"
)

// at is a moment of a connection: the time and the bytes until then.
type at struct {
	now  time.Time
	sent int64 // bytes that the Gateway was sent
	got  int64 // bytes that came from it
}

// handshake judges one attempt from its dial to its end. It owns no socket and
// reads no clock: it is told what happened and when, and says what to report, what
// to pass on, and until when to wait. The goroutine of its connection owns it.
type handshake struct {
	params events.Params
	key    func(account string) string
	hello  wire.Hello

	stage     events.Stage
	permitted time.Time
	dialled   time.Time // the dial began
	begun     time.Time // the stage began
	limit     int64     // budget of the stage, ms
	deadline  time.Time // when to call expired; zero while dialling

	version  int
	clientID *int64
	gateway  *wire.Scanner
	client   *wire.Scanner
	asks     *ask   // the client's startAPI, once it is whole
	passed   int64  // bytes of the client behind its hello that were passed on
	held     []byte // of the Gateway, until they are a version reply
	nextID   bool
	accounts bool
	names    []string
	notices  []notice
	said     int64  // the last code about IB's servers, 0 if none
	behind   []int  // slots of the codes behind ready
	code     int64  // of the error that explains a failure
	refused  bool   // that error ends the attempt
	left     *leave // the client is gone

	out  []events.Payload // to be reported, in order
	end  End              // "" while undecided
	fail events.AttemptFailed
}

type leave struct {
	stage events.Stage
	how   events.Close
}

func newHandshake(params events.Params, key func(string) string, hello wire.Hello, permitted time.Time) *handshake {
	return &handshake{params: params, key: key, hello: hello, stage: events.StageNone, permitted: permitted,
		gateway: wire.NewScanner(handshakePrefix), client: wire.NewScanner(0)}
}

// dial begins the dial.
func (h *handshake) dial(now time.Time, address string) {
	h.stage, h.dialled, h.begun, h.limit = events.StageDial, now, now, h.params.DialTimeoutMS
	h.emit(events.DialStarted{Address: address})
}

// dialFailed ends the attempt. text is the system's error.
func (h *handshake) dialFailed(a at, reason events.FailReason, text string) {
	h.emit(events.DialFailed{Reason: reason, ElapsedUS: micros(h.dialled, a.now), Text: text})
	h.failed(a, reason, "", "")
}

// connected says that TCP came up at up and that the hello was sent after it.
func (h *handshake) connected(up time.Time, localPort int64) {
	h.emit(events.DialConnected{LocalPort: localPort, ElapsedUS: micros(h.dialled, up)})
	h.enter(events.StageConnected, up, h.params.VersionBudgetMS)
}

func (h *handshake) enter(stage events.Stage, now time.Time, limitMS int64) {
	h.stage, h.begun, h.limit = stage, now, limitMS
	h.deadline = now.Add(time.Duration(limitMS) * time.Millisecond)
}

// fromGateway takes in what the Gateway sent and returns what the client is to
// get of it. The version reply is held back until it is whole: a client library
// was seen to crash on a malformed one (scmhub/ibapi 0.10.47, index out of range),
// and a redirect would lead the client around the gate.
func (h *handshake) fromGateway(a at, segment []byte) (forward []byte) {
	forward = segment
	if h.stage == events.StageConnected {
		h.held = append(h.held, segment...)
		forward = nil
	}
	for f := range h.gateway.Frames(segment) {
		if h.end == Ready { // what follows in the segment is the session's
			h.later(f)
			continue
		}
		if h.stage == events.StageConnected {
			if !h.versionReply(a, f) {
				return nil
			}
			forward, h.held = h.held, nil
		} else {
			h.message(a, f)
		}
		if h.end != "" && h.end != Ready {
			return forward // nobody is there any more to whom the rest would matter
		}
	}
	if h.end == "" && h.gateway.Err() != nil {
		h.garbled(a)
	}
	return forward
}

func (h *handshake) versionReply(a at, f wire.Frame) bool {
	reply, err := wire.ParseVersionReply(f)
	if err != nil || !h.hello.Accepts(reply.Version) { // a redirect is version -1
		h.failed(a, events.BadVersion, events.Recorder, events.FIN)
		return false
	}
	h.version = reply.Version
	h.emit(events.HandshakeVersion{ServerVersion: int64(reply.Version), ElapsedUS: micros(h.begun, a.now)})
	h.enter(events.StageVersioned, a.now, h.params.StartAPIBudgetMS)
	if h.left != nil { // without its client there will be no startAPI to wait for
		h.abandoned(a, true)
	}
	return true
}

func (h *handshake) message(a at, f wire.Frame) {
	m, err := wire.ParseMessage(h.version, f)
	if err != nil {
		return // no message of the handshake; the budget will tell
	}
	switch m.ID {
	case wire.IDNextValidID:
		if _, err := m.NextValidID(); err == nil {
			h.nextID = true
			h.checkReady(a)
		}
	case wire.IDManagedAccounts:
		// A list too long to keep is a list all the same: its accounts are not counted.
		if names, err := m.ManagedAccounts(); err == nil || !f.Complete() {
			h.accounts, h.names = true, names
			h.checkReady(a)
		}
	case wire.IDError:
		if e, err := m.ErrorMessage(); err == nil && e.ID == -1 {
			h.notice(a, int64(e.Code))
		}
	}
}

func (h *handshake) checkReady(a at) {
	if h.stage != events.StageStarted || !h.nextID || !h.accounts || h.refused {
		return
	}
	ready := events.HandshakeReady{Accounts: int64(len(h.names)), ElapsedUS: micros(h.begun, a.now)}
	if h.key != nil {
		for _, name := range h.names[:min(len(h.names), maxAccountKeys)] {
			ready.AccountKeys = append(ready.AccountKeys, h.key(name))
		}
	}
	h.repeated()
	h.emit(ready)
	if h.left != nil {
		h.abandoned(a, true)
		return
	}
	h.stage, h.end = events.StageReady, Ready
	h.emit(events.AttemptSucceeded{ClientID: h.clientID, ServerVersion: int64(h.version), ElapsedUS: micros(h.permitted, a.now)})
	h.emit(events.SessionEstablished{ClientID: h.clientID, ServerVersion: int64(h.version)})
}

// maxAccountKeys is how many identifiers a list of an event may have.
const maxAccountKeys = 64

func (h *handshake) emit(p events.Payload) { h.out = append(h.out, p) }

// drain returns what is to be reported since the last call.
func (h *handshake) drain() []events.Payload {
	out := h.out
	h.out = nil
	return out
}

// again gives the stage its whole budget once more, unless its end is known.
func (h *handshake) again(now time.Time) {
	if h.refused {
		h.deadline = now
		return
	}
	h.deadline = now.Add(time.Duration(h.limit) * time.Millisecond)
}

// waited is how long the stage has lasted, in milliseconds, rounded up: a budget
// that was waited out must never look shorter than it is.
func (h *handshake) waited(a at) int64 {
	return int64((a.now.Sub(h.begun) + time.Millisecond - 1) / time.Millisecond)
}

func micros(from, to time.Time) int64 { return to.Sub(from).Microseconds() }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
