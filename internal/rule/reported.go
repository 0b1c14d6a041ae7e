package rule

import (
	"slices"
	"strconv"
	"strings"
)

// ended is an attempt whose end the recorder saw.
type ended struct {
	Attempt string
	Lost    bool // it did not become ready; false if nobody knows
	Unknown bool // how it ended: a report may know
}

// client is a connection of the tap, by which a report of its attempt is known.
type client struct {
	Port int64
	Conn string
	By   string // the reported attempt that it was recognised as
	Lost bool   // its attempt did not become ready
}

// ring keeps the last 32 values.
type ring[T comparable] struct {
	V [32]T
	N uint8
}

func (r *ring[T]) add(v T) { r.V[r.N%32], r.N = v, (r.N+1)%32 }

func (r *ring[T]) has(v T) bool { return slices.Contains(r.V[:], v) }

// last returns the value that was added before the i newest ones.
func (r *ring[T]) last(i int) *T { return &r.V[(int(r.N)+2*len(r.V)-1-i)%len(r.V)] }

func (h *history) endOf(attempt string) *ended {
	for i := range h.Ended.V {
		if e := h.Ended.last(i); e.Attempt == attempt && attempt != "" {
			return e
		}
	}
	return nil
}

// clientAt returns the last connection of the tap from a local port.
func (h *history) clientAt(port int64) *client {
	for i := range h.Clients.V {
		if c := h.Clients.last(i); c.Port == port && port != 0 {
			return c
		}
	}
	return nil
}

// aboutTheTaps reports whether a report bears the name of an attempt that the tap
// saw: the attempt's, or the local port of its connection. by is that connection,
// and lost says that the attempt did not become ready.
func (h *history) aboutTheTaps(f *facts) (is, lost bool, by *client) {
	if e := h.endOf(f.rec.Attempt); e != nil {
		return true, e.Lost, nil
	}
	if f.request != nil {
		if by = h.clientAt(f.request.Port); by != nil {
			return true, by.Lost, by
		}
	}
	return false, false, nil
}

// seenByTap reports whether a report is about an attempt that the tap saw. What
// contradicts the tap is about another one, and so is a second attempt of one port.
func (h *history) seenByTap(f *facts) bool {
	is, lost, by := h.aboutTheTaps(f)
	if lost && (f.kind == attemptSucceeded || f.kind == sessionEstablished) {
		return false
	}
	return is && (by == nil || by.By == "" || by.By == f.rec.Attempt)
}

// lose takes in whether an attempt of the tap became ready.
func (h *history) lose(f *facts) {
	lost := f.kind == attemptFailed || f.kind == attemptAbandoned
	h.Ended.add(ended{f.rec.Attempt, lost, f.kind == attemptUnknown})
	conn := f.rec.Conn
	if f.flight != nil {
		conn = f.flight.Conn
	}
	for i := range h.Clients.V {
		if c := h.Clients.last(i); c.Conn == conn && conn != "" {
			c.Lost = lost
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
