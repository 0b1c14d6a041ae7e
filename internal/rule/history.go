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
	policy   events.PolicyLoaded
	policyAt uint64      // its sequence; 0: none in force in this run
	mode     events.Mode // "" where it is not known
	run      int         // counts recorder.started
	runAt    uint64
	runIndex int
	timeless bool // mono of this boot cannot be relied on (A4)

	stop       stop
	releasedAt uint64 // sequence of the last release, 0 if none
	carries    bool   // a start took over a stopped gate, and the stop is not carried on yet
	evidence   evidence
	due        due
	lastEnd    lastEnd

	flights  []flight     // permitted attempts that are not over, or whose connection is not
	requests []request    // attempts that wait for a permit
	ended    ring[ended]  // attempts whose end the recorder saw
	told     ring[string] // attempts whose end somebody else told
	clients  ring[client] // of the tap

	// What began before the stream, a gap or a break may still turn up. A start
	// ends requests and dials; attempts end at the next permit at the latest.
	oldFlights  bool
	oldRequests bool
	oldDials    bool
	crowded     bool // flights were dropped in this run for want of room
	queued      bool // requests were

	missed missed
}

// missed is the first event that cannot be judged because of what was dropped for
// want of room.
type missed struct {
	seq   uint64 // 0: none
	index int
}

// stop is the latch.
type stop struct {
	known    bool // whether it stands is certain
	stands   bool
	enforced bool
	seq      uint64
	at       moment
	reloaded bool // a start or a policy came since
}

// lastEnd is the failure that a retry.scheduled would name.
type lastEnd struct {
	id      string
	gateway bool // it backs off the gateway and not only its client
	byTap   uint64
	byTapAt moment
}

// oldPermit reports whether a dial may have a permit that is not in this stream.
func (h *history) oldPermit() bool { return h.oldFlights && h.oldDials }

// observing reports whether the recorder only watches, or may do no more for all
// that is known. The mode is the policy's; where none is known, the last decision's.
func (h *history) observing() bool { return h.mode != events.Enforce }

// observed reports whether a decision holds nobody: by the mode in force, and by
// what it says itself only where that is not known.
func (h *history) observed(enforced bool) bool {
	if h.policyAt != 0 {
		return h.observing()
	}
	return !enforced
}

func (h *history) decided(enforced bool) {
	switch {
	case h.policyAt != 0:
	case enforced:
		h.mode = events.Enforce
	default:
		h.mode = events.Observe
	}
}

func (h *history) forget(l lost) {
	h.evidence = evidence{unsure: true}
	h.oldRequests, h.oldDials = true, true
	for i := range h.flights {
		h.flights[i].told = true
	}
	if l < lostDecisions {
		return
	}
	h.stop, h.due = stop{}, due{}
	h.flights, h.requests = nil, nil
	h.oldFlights = true
	if l == lostTrust {
		h.policyAt, h.mode = 0, ""
	}
}

// apply takes the event into the past, after every monitor has seen it.
func (h *history) apply(f *facts) {
	if (h.queued || h.crowded) && h.orphaned(f) {
		h.miss(f)
	}
	switch f.kind {
	case recorderStarted:
		h.start(f)
	case policyLoaded:
		h.policy, h.policyAt = f.rec.Data.(events.PolicyLoaded), f.rec.Seq
		h.mode = h.policy.Mode
		h.stop.reloaded = true
		if h.due.at.run != h.run {
			h.due.at = f.at // its time starts again with the run
		}
	case clientOpened:
		h.clients.add(client{port: portOf(f.rec.Data.(events.ClientOpened).Peer), conn: f.rec.Conn})
	case clientClosed:
		h.closed(f.rec.Conn)
	case attemptRequested:
		if !f.outside || !f.relayed() {
			h.requested(f)
		}
	case attemptDenied:
		if q := h.requestOf(f.rec.Attempt); q != nil && q.conn == "" {
			q.settled = true
		}
	case attemptPermitted:
		h.permitted(f)
	case dialStarted:
		if f.flight != nil && f.flight.dial == 0 {
			f.flight.dial = f.rec.Seq
		}
	case dialConnected:
		if f.flight != nil {
			f.flight.up = f.rec.Seq
		}
	case handshakeAPIStarted:
		if f.flight != nil && !f.outside {
			f.flight.start(f.rec)
		}
	case attemptSucceeded, attemptFailed, attemptAbandoned, attemptUnknown:
		if f.outside && (f.flight != nil && f.flight.dial != 0 || f.relayed()) {
			return // the tap relays it, and the tap says how it ended
		}
		if f.flight != nil {
			f.flight.ready = f.flight.ready || f.kind == attemptSucceeded
		}
		h.weigh(f)
		h.over(f)
	case handshakeReady:
		h.evidence.heard()
	case handshakeTimedOut:
		h.timedOut(f)
	case gatewayNotice:
		if f.flight != nil {
			f.flight.excused = f.flight.excused || explains(f.rec.Data.(events.GatewayNotice))
		}
	case gatewayObserved:
		h.leftWaiting(f)
	case gatewayDown:
		h.down(f)
	case gatewayContradicted:
		if f.rec.Data.(events.GatewayContradicted).Ends && h.observing() {
			h.stop, h.due, h.evidence = stop{known: true}, due{}, evidence{}
		}
	case restartRequired:
		if !h.stop.stands {
			h.stop = stop{known: true, stands: true, seq: f.rec.Seq, at: f.at}
		}
		enforced := f.rec.Data.(events.RestartRequired).Enforced
		h.decided(enforced)
		h.stop.enforced = h.stop.enforced || !h.observed(enforced)
		h.due, h.carries = due{}, false
	case restartClaimed, restartObserved:
		if f.imported { // the release that nobody was there to decide
			h.due, h.evidence = due{}, evidence{probation: h.evidence.probation}
		}
	case restartAcknowledged:
		h.stop, h.due, h.evidence = stop{known: true}, due{}, evidence{probation: true}
		h.releasedAt = f.rec.Seq
	}
}

func (h *history) start(f *facts) {
	h.run++
	h.runAt, h.runIndex, h.policyAt = f.rec.Seq, f.index, 0
	h.stop.reloaded = true
	h.oldRequests, h.oldDials, h.crowded, h.queued = false, false, false, false
	h.flights = slices.DeleteFunc(h.flights, func(l flight) bool { return !l.open() })
	d := f.rec.Data.(events.RecorderStarted)
	h.carries = h.carries || d.OldStopped
	for i := range h.flights {
		l := &h.flights[i]
		l.listed = l.listed || slices.Contains(d.Unfinished, l.attempt)
		l.lease.from = f.at // its runner lives on, and durations begin again with a run
	}
}
