package rule

import (
	"slices"

	"ibrecorder/events"
)

// lost says how much of the past an event makes doubtful. Each level includes
// the ones before it.
type lost uint8

const (
	lostNothing   lost = iota
	lostFacts          // the recorder missed facts; its own decisions are all there
	lostDecisions      // decisions and releases may be missing too
	lostTrust          // the chain is broken, or the stream starts here
)

// history is the past as the monitors need it. It is bounded: what it drops, it
// remembers to have dropped, and then nothing is found that would rest on it.
type history struct {
	Policy   events.PolicyLoaded
	PolicyAt uint64      // its sequence; 0: none in force in this run
	Mode     events.Mode // "" where it is not known
	Run      int         // counts recorder.started
	RunAt    uint64
	RunIndex int
	Timeless bool // mono of this boot cannot be relied on (A4)

	Stop       stop
	ReleasedAt uint64 // sequence of the last release, 0 if none
	Carries    bool   // a start took over a stopped gate, and the stop is not carried on yet
	Evidence   evidence
	Due        due
	LastEnd    lastEnd

	Flights  []flight     // permitted attempts that are not over, or whose connection is not
	Requests []request    // attempts that wait for a permit
	Ended    ring[ended]  // attempts whose end the recorder saw
	Told     ring[string] // attempts whose end somebody else told
	Clients  ring[client] // of the tap

	// What began before the stream, a gap or a break may still turn up. A start
	// ends requests and dials; attempts end at the next permit at the latest.
	OldFlights  bool
	OldRequests bool
	OldDials    bool
	Crowded     bool // flights were dropped in this run for want of room
	Queued      bool // requests were

	Missed missed
}

// missed is the first event that cannot be judged because of what was dropped for
// want of room.
type missed struct {
	Seq   uint64 // 0: none
	Index int
}

// stop is the latch.
type stop struct {
	Known    bool // whether it stands is certain
	Stands   bool
	Enforced bool
	Seq      uint64
	At       moment
	Reloaded bool // a start or a policy came since
}

// lastEnd is the failure that a retry.scheduled would name.
type lastEnd struct {
	ID      string
	Gateway bool // it backs off the gateway and not only its client
	ByTap   uint64
	ByTapAt moment
}

// oldPermit reports whether a dial may have a permit that is not in this stream.
func (h *history) oldPermit() bool { return h.OldFlights && h.OldDials }

// observing reports whether the recorder only watches, or may do no more for all
// that is known. The mode is the policy's; where none is known, the last decision's.
func (h *history) observing() bool { return h.Mode != events.Enforce }

// observed reports whether a decision holds nobody: by the mode in force, and by
// what it says itself only where that is not known.
func (h *history) observed(enforced bool) bool {
	if h.PolicyAt != 0 {
		return h.observing()
	}
	return !enforced
}

func (h *history) decided(enforced bool) {
	switch {
	case h.PolicyAt != 0:
	case enforced:
		h.Mode = events.Enforce
	default:
		h.Mode = events.Observe
	}
}

func (h *history) forget(l lost) {
	h.Evidence = evidence{Unsure: true}
	h.OldRequests, h.OldDials = true, true
	for i := range h.Flights {
		h.Flights[i].Told = true
	}
	if l < lostDecisions {
		return
	}
	h.Stop, h.Due = stop{}, due{}
	h.Flights, h.Requests = nil, nil
	h.OldFlights = true
	if l == lostTrust {
		h.PolicyAt, h.Mode = 0, ""
	}
}

// apply takes the event into the past, after every monitor has seen it.
func (h *history) apply(f *facts) {
	if (h.Queued || h.Crowded) && h.orphaned(f) {
		h.miss(f)
	}
	switch f.kind {
	case recorderStarted:
		h.start(f)
	case policyLoaded:
		h.Policy, h.PolicyAt = f.rec.Data.(events.PolicyLoaded), f.rec.Seq
		h.Mode = h.Policy.Mode
		h.Stop.Reloaded = true
		if h.Due.At.Run != h.Run {
			h.Due.At = f.at // its time starts again with the run
		}
	case clientOpened:
		h.Clients.add(client{Port: portOf(f.rec.Data.(events.ClientOpened).Peer), Conn: f.rec.Conn})
	case clientClosed:
		h.closed(f.rec.Conn)
	case attemptRequested:
		if !f.outside || !f.relayed() {
			h.requested(f)
		}
	case attemptDenied:
		if q := h.requestOf(f.rec.Attempt); q != nil && q.Conn == "" {
			q.Settled = true
		}
	case attemptPermitted:
		h.permitted(f)
	case dialStarted:
		if f.flight != nil && f.flight.Dial == 0 {
			f.flight.Dial = f.rec.Seq
		}
	case dialConnected:
		if f.flight != nil {
			f.flight.Up = f.rec.Seq
		}
	case handshakeAPIStarted:
		if f.flight != nil && !f.outside {
			f.flight.start(f.rec)
		}
	case attemptSucceeded, attemptFailed, attemptAbandoned, attemptUnknown:
		if f.outside && (f.flight != nil && f.flight.Dial != 0 || f.relayed()) {
			return // the tap relays it, and the tap says how it ended
		}
		if f.flight != nil {
			f.flight.Ready = f.flight.Ready || f.kind == attemptSucceeded
		}
		h.weigh(f)
		h.over(f)
	case handshakeReady:
		h.Evidence.heard()
	case handshakeTimedOut:
		h.timedOut(f)
	case gatewayNotice:
		if f.flight != nil {
			f.flight.Excused = f.flight.Excused || explains(f.rec.Data.(events.GatewayNotice))
		}
	case gatewayObserved:
		h.leftWaiting(f)
	case gatewayDown:
		h.down(f)
	case gatewayContradicted:
		if f.rec.Data.(events.GatewayContradicted).Ends && h.observing() {
			h.Stop, h.Due, h.Evidence = stop{Known: true}, due{}, evidence{}
		}
	case restartRequired:
		if !h.Stop.Stands {
			h.Stop = stop{Known: true, Stands: true, Seq: f.rec.Seq, At: f.at}
		}
		enforced := f.rec.Data.(events.RestartRequired).Enforced
		h.decided(enforced)
		h.Stop.Enforced = h.Stop.Enforced || !h.observed(enforced)
		h.Due, h.Carries = due{}, false
	case restartClaimed, restartObserved:
		if f.imported { // the release that nobody was there to decide
			h.Due, h.Evidence = due{}, evidence{Probation: h.Evidence.Probation}
		}
	case restartAcknowledged:
		h.Stop, h.Due, h.Evidence = stop{Known: true}, due{}, evidence{Probation: true}
		h.ReleasedAt = f.rec.Seq
	}
}

func (h *history) start(f *facts) {
	h.Run++
	h.RunAt, h.RunIndex, h.PolicyAt = f.rec.Seq, f.index, 0
	h.Stop.Reloaded = true
	h.OldRequests, h.OldDials, h.Crowded, h.Queued = false, false, false, false
	h.Flights = slices.DeleteFunc(h.Flights, func(l flight) bool { return !l.open() })
	d := f.rec.Data.(events.RecorderStarted)
	h.Carries = h.Carries || d.OldStopped
	for i := range h.Flights {
		l := &h.Flights[i]
		l.Listed = l.Listed || slices.Contains(d.Unfinished, l.Attempt)
		l.Lease.From = f.at // its runner lives on, and durations begin again with a run
	}
}
