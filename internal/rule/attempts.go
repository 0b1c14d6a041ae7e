package rule

import (
	"slices"

	"ibrecorder/events"
)

// flight is a permitted attempt.
type flight struct {
	attempt  string
	permit   string // id of the event
	conn     string
	seq      uint64
	run      int
	dial     uint64 // sequence of its dial, 0 if none yet
	up       uint64 // sequence of its dial.connected, 0 if none yet
	started  uint64 // sequence of its handshake.api_started, 0 if none yet
	client   int64  // the client id that it named, if named
	named    bool
	ready    bool   // it became a session
	end      uint64 // sequence of its end, 0 if none yet
	enforced bool
	against  bool         // only observe mode let it through
	mute     events.Stage // in which the Gateway let its whole budget pass; "" if it did not
	excused  bool         // an error code may explain that
	told     bool         // already found to overlap, or its end may be in a gap
	seen     bool         // found to overlap in observe mode
	listed   bool         // named as unfinished by a later start
	lease    lease
}

func (l *flight) open() bool { return l.end == 0 }

// start takes in that its startAPI was passed on.
func (l *flight) start(rec events.Record) {
	l.started = rec.Seq
	if id := rec.Data.(events.HandshakeAPIStarted).ClientID; id != nil {
		l.client, l.named = *id, true
	}
}

// request is an attempt.requested without a permit.
type request struct {
	attempt string
	id      string
	conn    string
	seq     uint64
	run     int
	port    int64
	settled bool // nothing more is to be expected of it
	outside bool // somebody else wrote it
	lease   lease
}

// lease is a permit that its runner dials with by itself; the zero one is none.
type lease struct {
	by   string // source of the runner
	ms   int64  // how long it is good for
	from moment
}

// Bounds. IB allows 32 clients for one gateway, so all of these are generous.
const (
	maxFlights  = 64
	maxRequests = 256
)

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

func (h *history) requested(f *facts) {
	d := f.rec.Data.(events.AttemptRequested)
	if len(h.requests) == maxRequests {
		drop := slices.IndexFunc(h.requests, func(q request) bool { return q.settled || q.run != h.run })
		if drop < 0 {
			drop, h.oldRequests, h.queued = 0, true, true
		}
		h.requests = slices.Delete(h.requests, drop, drop+1)
	}
	conn := f.rec.Conn
	if f.outside {
		conn = "" // whatever it is called, it is none of the tap's
	}
	q := request{attempt: f.rec.Attempt, id: f.rec.ID, conn: conn, seq: f.rec.Seq, run: h.run, port: d.LocalPort, outside: f.outside}
	if f.outside && !f.imported && d.LeaseMS > 0 {
		q.lease = lease{by: f.rec.Source, ms: d.LeaseMS}
	}
	h.requests = append(h.requests, q)
}

func (h *history) permitted(f *facts) {
	d := f.rec.Data.(events.AttemptPermitted)
	enforced := d.Enforced
	h.decided(enforced)
	conn := f.rec.Conn
	var leased lease
	if f.request != nil {
		if leased = f.request.lease; leased.by != "" {
			leased.from = f.at
		}
		if conn == "" {
			conn = f.request.conn
		}
		h.dropRequest(f.rec.Attempt)
	}
	if len(h.flights) == maxFlights {
		drop := max(0, slices.IndexFunc(h.flights, func(l flight) bool { return !l.open() }))
		if h.flights[drop].open() {
			h.miss(f)
		}
		h.flights = slices.Delete(h.flights, drop, drop+1)
		h.oldFlights, h.oldDials, h.crowded = true, true, true
	} else if enforced && !h.crowded {
		h.oldFlights = false // one at a time: no older permit can be open now
	}
	h.stop.known = h.stop.known || enforced
	h.flights = append(h.flights, flight{attempt: f.rec.Attempt, permit: f.rec.ID, conn: conn, seq: f.rec.Seq, run: h.run, enforced: !h.observed(enforced), against: d.Against != "", lease: leased})
}

// orphaned reports whether the recorder wrote f of an attempt that nothing is known
// of, and that may be one of those that were dropped in this run.
func (h *history) orphaned(f *facts) bool {
	switch {
	case f.outside || f.flight != nil:
		return false
	case f.kind == attemptPermitted:
		return h.queued && f.request == nil
	case f.kind.ends():
		return (h.queued || h.crowded) && f.request == nil
	case f.kind.contacts(), f.kind == dialFailed, f.kind == handshakeTimedOut:
		return h.crowded
	}
	return false
}

// miss notes that what was dropped is missing for f.
func (h *history) miss(f *facts) {
	if h.missed.seq == 0 {
		h.missed = missed{f.rec.Seq, f.index}
	}
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
	if f.outside {
		if _, _, by := h.aboutTheTaps(f); by != nil && by.by == "" {
			by.by = f.rec.Attempt
		}
		h.told.add(f.rec.Attempt)
		if f.flight != nil && f.flight.lease.by != "" {
			h.lose(f) // that was its one end, and more of it is no other attempt
		}
	} else {
		h.lose(f)
		h.lastEnd.byTap, h.lastEnd.byTapAt = f.rec.Seq, f.at
	}
	if f.request != nil {
		h.dropRequest(f.rec.Attempt)
	}
	if l := f.flight; l != nil && l.open() {
		l.end = f.rec.Seq
		if l.conn == "" || l.dial == 0 {
			h.flights = slices.DeleteFunc(h.flights, func(o flight) bool { return o.end == f.rec.Seq })
		}
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
