package rule

import (
	"slices"
	"strconv"
	"strings"

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
	timeless bool // mono of this boot cannot be relied on (A4)

	stop       stop
	releasedAt uint64 // sequence of the last release, 0 if none
	carries    bool   // a start took over a stopped gate, and the stop is not carried on yet
	evidence   evidence
	due        due
	lastEnd    lastEnd

	flights  []flight     // permitted attempts that are not over, or whose connection is not
	requests []request    // attempts that wait for a permit
	ended    ring[string] // attempts whose end the recorder saw
	told     ring[string] // attempts whose end somebody else told
	ports    ring[int64]  // local ports of the tap's clients

	// What began before the stream, a gap or a break may still turn up. A start
	// ends requests and dials; attempts end at the next permit at the latest.
	oldFlights  bool
	oldRequests bool
	oldDials    bool
	crowded     bool // flights were dropped in this run for want of room
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

// flight is a permitted attempt.
type flight struct {
	attempt  string
	permit   string // id of the event
	conn     string
	seq      uint64
	run      int
	dial     uint64 // sequence of its dial, 0 if none yet
	end      uint64 // sequence of its end, 0 if none yet
	enforced bool
	against  bool // only observe mode let it through
	told     bool // already found to overlap, or its end may be in a gap
	seen     bool // found to overlap in observe mode
	listed   bool // named as unfinished by a later start
}

func (l *flight) open() bool { return l.end == 0 }

// request is an attempt.requested without a permit.
type request struct {
	attempt string
	id      string
	conn    string
	seq     uint64
	run     int
	port    int64
	settled bool // nothing more is to be expected of it
}

// lastEnd is the failure that a retry.scheduled would name.
type lastEnd struct {
	id      string
	gateway bool // it backs off the gateway and not only its client
	byTap   uint64
	byTapAt moment
}

// Bounds. IB allows 32 clients for one gateway, so all of these are generous.
const (
	maxFlights  = 64
	maxRequests = 256
)

// ring keeps the last 32 values.
type ring[T comparable] struct {
	v [32]T
	n uint8
}

func (r *ring[T]) add(v T) { r.v[r.n%32], r.n = v, (r.n+1)%32 }

func (r *ring[T]) has(v T) bool { return slices.Contains(r.v[:], v) }

func (h *history) flightOf(attempt string) *flight {
	for i := len(h.flights) - 1; i >= 0; i-- {
		if h.flights[i].attempt == attempt {
			return &h.flights[i]
		}
	}
	return nil
}

func (h *history) requestOf(attempt string) *request {
	for i := len(h.requests) - 1; i >= 0; i-- {
		if h.requests[i].attempt == attempt {
			return &h.requests[i]
		}
	}
	return nil
}

// seenByTap reports whether a report is about an attempt that the tap saw.
func (h *history) seenByTap(f *facts) bool {
	if h.ended.has(f.rec.Attempt) && f.rec.Attempt != "" {
		return true
	}
	return f.request != nil && f.request.port != 0 && h.ports.has(f.request.port)
}

// oldPermit reports whether a dial may have a permit that is not in this stream.
func (h *history) oldPermit() bool { return h.oldFlights && h.oldDials }

// observing reports whether the recorder only watches, or may do no more for all
// that is known: the mode is the policy's, and every decision shows it.
func (h *history) observing() bool { return h.mode != events.Enforce }

func (h *history) decided(enforced bool) {
	h.mode = events.Observe
	if enforced {
		h.mode = events.Enforce
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
		h.ports.add(portOf(f.rec.Data.(events.ClientOpened).Peer))
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
	case attemptSucceeded, attemptFailed, attemptAbandoned, attemptUnknown:
		if f.outside && (f.flight != nil && f.flight.dial != 0 || f.relayed()) {
			return // the tap relays it, and the tap says how it ended
		}
		h.weigh(f)
		h.over(f)
	case handshakeReady:
		h.evidence.heard()
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
		h.stop.enforced = h.stop.enforced || enforced
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
	h.runAt, h.policyAt = f.rec.Seq, 0
	h.stop.reloaded = true
	h.oldRequests, h.oldDials, h.crowded = false, false, false
	h.flights = slices.DeleteFunc(h.flights, func(l flight) bool { return !l.open() })
	d := f.rec.Data.(events.RecorderStarted)
	h.carries = h.carries || d.OldStopped
	for i := range h.flights {
		l := &h.flights[i]
		l.listed = l.listed || slices.Contains(d.Unfinished, l.attempt)
	}
}

func (h *history) requested(f *facts) {
	d := f.rec.Data.(events.AttemptRequested)
	if len(h.requests) == maxRequests {
		drop := slices.IndexFunc(h.requests, func(q request) bool { return q.settled })
		if drop < 0 {
			drop, h.oldRequests = 0, true
		}
		h.requests = slices.Delete(h.requests, drop, drop+1)
	}
	h.requests = append(h.requests, request{attempt: f.rec.Attempt, id: f.rec.ID, conn: f.rec.Conn, seq: f.rec.Seq, run: h.run, port: d.LocalPort})
}

func (h *history) permitted(f *facts) {
	d := f.rec.Data.(events.AttemptPermitted)
	enforced := d.Enforced
	h.decided(enforced)
	conn := f.rec.Conn
	if f.request != nil {
		if conn == "" {
			conn = f.request.conn
		}
		h.dropRequest(f.rec.Attempt)
	}
	if len(h.flights) == maxFlights {
		drop := max(0, slices.IndexFunc(h.flights, func(l flight) bool { return !l.open() }))
		h.flights = slices.Delete(h.flights, drop, drop+1)
		h.oldFlights, h.oldDials, h.crowded = true, true, true
	} else if enforced && !h.crowded {
		h.oldFlights = false // one at a time: no older permit can be open now
	}
	h.stop.known = h.stop.known || enforced
	h.flights = append(h.flights, flight{attempt: f.rec.Attempt, permit: f.rec.ID, conn: conn, seq: f.rec.Seq, run: h.run, enforced: enforced, against: d.Against != ""})
}

func (h *history) dropRequest(attempt string) {
	for i := len(h.requests) - 1; i >= 0; i-- {
		if h.requests[i].attempt == attempt {
			h.requests = slices.Delete(h.requests, i, i+1)
			return
		}
	}
}

// over ends an attempt. The tap's stays known until its connection is closed,
// because a client that lost its turn may go on with its handshake.
func (h *history) over(f *facts) {
	if f.request != nil {
		h.dropRequest(f.rec.Attempt)
	}
	if l := f.flight; l != nil && l.open() {
		l.end = f.rec.Seq
		if l.conn == "" || l.dial == 0 {
			h.flights = slices.DeleteFunc(h.flights, func(o flight) bool { return o.end == f.rec.Seq })
		}
	}
	if f.outside {
		h.told.add(f.rec.Attempt)
	} else {
		h.ended.add(f.rec.Attempt)
		h.lastEnd.byTap, h.lastEnd.byTapAt = f.rec.Seq, f.at
	}
}

func (h *history) closed(conn string) {
	if conn == "" {
		return
	}
	for i := range h.requests {
		h.requests[i].settled = h.requests[i].settled || h.requests[i].conn == conn
	}
	for i := range h.flights {
		if l := &h.flights[i]; l.conn == conn {
			if l.open() {
				l.conn = "" // goes with its end
				continue
			}
			h.flights = slices.Delete(h.flights, i, i+1)
			return
		}
	}
}

func portOf(peer string) int64 {
	n, err := strconv.ParseInt(peer[strings.LastIndexByte(peer, ':')+1:], 10, 32)
	if err != nil {
		return -1
	}
	return n
}
