package rule

import (
	"slices"

	"ibrecorder/events"
)

// flight is a permitted attempt.
type flight struct {
	Attempt  string
	Permit   string // id of the event
	Conn     string
	Seq      uint64
	Run      int
	Dial     uint64 // sequence of its dial, 0 if none yet
	Up       uint64 // sequence of its dial.connected, 0 if none yet
	Started  uint64 // sequence of its handshake.api_started, 0 if none yet
	Client   int64  // the client id that it named, if named
	Named    bool
	Ready    bool   // it became a session
	End      uint64 // sequence of its end, 0 if none yet
	Enforced bool
	Against  bool         // only observe mode let it through
	Mute     events.Stage // in which the Gateway let its whole budget pass; "" if it did not
	Excused  bool         // an error code may explain that
	Told     bool         // already found to overlap, or its end may be in a gap
	Seen     bool         // found to overlap in observe mode
	Listed   bool         // named as unfinished by a later start
	Lease    lease
}

func (l *flight) open() bool { return l.End == 0 }

// start takes in that its startAPI was passed on.
func (l *flight) start(rec events.Record) {
	l.Started = rec.Seq
	if id := rec.Data.(events.HandshakeAPIStarted).ClientID; id != nil {
		l.Client, l.Named = *id, true
	}
}

// request is an attempt.requested without a permit.
type request struct {
	Attempt string
	ID      string
	Conn    string
	Seq     uint64
	Run     int
	Port    int64
	Settled bool // nothing more is to be expected of it
	Outside bool // somebody else wrote it
	Lease   lease
}

// lease is a permit that its runner dials with by itself; the zero one is none.
type lease struct {
	By   string // source of the runner
	MS   int64  // how long it is good for
	From moment
}

// Bounds. IB allows 32 clients for one gateway, so all of these are generous.
const (
	maxFlights  = 64
	maxRequests = 256
)

func (h *history) flightOf(attempt string) *flight {
	for i := len(h.Flights) - 1; i >= 0; i-- {
		if h.Flights[i].Attempt == attempt {
			return &h.Flights[i]
		}
	}
	return nil
}

func (h *history) requestOf(attempt string) *request {
	for i := len(h.Requests) - 1; i >= 0; i-- {
		if h.Requests[i].Attempt == attempt {
			return &h.Requests[i]
		}
	}
	return nil
}

func (h *history) requested(f *facts) {
	d := f.rec.Data.(events.AttemptRequested)
	if len(h.Requests) == maxRequests {
		drop := slices.IndexFunc(h.Requests, func(q request) bool { return q.Settled || q.Run != h.Run })
		if drop < 0 {
			drop, h.OldRequests, h.Queued = 0, true, true
		}
		h.Requests = slices.Delete(h.Requests, drop, drop+1)
	}
	conn := f.rec.Conn
	if f.outside {
		conn = "" // whatever it is called, it is none of the tap's
	}
	q := request{Attempt: f.rec.Attempt, ID: f.rec.ID, Conn: conn, Seq: f.rec.Seq, Run: h.Run, Port: d.LocalPort, Outside: f.outside}
	if f.outside && !f.imported && d.LeaseMS > 0 {
		q.Lease = lease{By: f.rec.Source, MS: d.LeaseMS}
	}
	h.Requests = append(h.Requests, q)
}

func (h *history) permitted(f *facts) {
	d := f.rec.Data.(events.AttemptPermitted)
	enforced := d.Enforced
	h.decided(enforced)
	conn := f.rec.Conn
	var leased lease
	if f.request != nil {
		if leased = f.request.Lease; leased.By != "" {
			leased.From = f.at
		}
		if conn == "" {
			conn = f.request.Conn
		}
		h.dropRequest(f.rec.Attempt)
	}
	if len(h.Flights) == maxFlights {
		drop := max(0, slices.IndexFunc(h.Flights, func(l flight) bool { return !l.open() }))
		if h.Flights[drop].open() {
			h.miss(f)
		}
		h.Flights = slices.Delete(h.Flights, drop, drop+1)
		h.OldFlights, h.OldDials, h.Crowded = true, true, true
	} else if enforced && !h.Crowded {
		h.OldFlights = false // one at a time: no older permit can be open now
	}
	h.Stop.Known = h.Stop.Known || enforced
	h.Flights = append(h.Flights, flight{Attempt: f.rec.Attempt, Permit: f.rec.ID, Conn: conn, Seq: f.rec.Seq, Run: h.Run, Enforced: !h.observed(enforced), Against: d.Against != "", Lease: leased})
}

// orphaned reports whether the recorder wrote f of an attempt that nothing is known
// of, and that may be one of those that were dropped in this run.
func (h *history) orphaned(f *facts) bool {
	switch {
	case f.outside || f.flight != nil:
		return false
	case f.kind == attemptPermitted:
		return h.Queued && f.request == nil
	case f.kind.ends():
		return (h.Queued || h.Crowded) && f.request == nil
	case f.kind.contacts(), f.kind == dialFailed, f.kind == handshakeTimedOut:
		return h.Crowded
	}
	return false
}

// miss notes that what was dropped is missing for f.
func (h *history) miss(f *facts) {
	if h.Missed.Seq == 0 {
		h.Missed = missed{f.rec.Seq, f.index}
	}
}

func (h *history) dropRequest(attempt string) {
	for i := len(h.Requests) - 1; i >= 0; i-- {
		if h.Requests[i].Attempt == attempt {
			h.Requests = slices.Delete(h.Requests, i, i+1)
			return
		}
	}
}

// over ends an attempt. The tap's stays known until its connection is closed,
// because a client that lost its turn may go on with its handshake.
func (h *history) over(f *facts) {
	if f.outside {
		if _, _, by := h.aboutTheTaps(f); by != nil && by.By == "" {
			by.By = f.rec.Attempt
		}
		h.Told.add(f.rec.Attempt)
		if f.flight != nil && f.flight.Lease.By != "" {
			h.lose(f) // that was its one end, and more of it is no other attempt
		}
	} else {
		h.lose(f)
		h.LastEnd.ByTap, h.LastEnd.ByTapAt = f.rec.Seq, f.at
	}
	if f.request != nil {
		h.dropRequest(f.rec.Attempt)
	}
	if l := f.flight; l != nil && l.open() {
		l.End = f.rec.Seq
		if l.Conn == "" || l.Dial == 0 {
			h.Flights = slices.DeleteFunc(h.Flights, func(o flight) bool { return o.End == f.rec.Seq })
		}
	}
}

func (h *history) closed(conn string) {
	if conn == "" {
		return
	}
	for i := range h.Requests {
		h.Requests[i].Settled = h.Requests[i].Settled || h.Requests[i].Conn == conn
	}
	for i := range h.Flights {
		if l := &h.Flights[i]; l.Conn == conn {
			if l.open() {
				l.Conn = "" // goes with its end
				continue
			}
			h.Flights = slices.Delete(h.Flights, i, i+1)
			return
		}
	}
}
