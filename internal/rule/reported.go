package rule

import (
	"slices"
	"strconv"
	"strings"
)

// ended is an attempt whose end the recorder saw.
type ended struct {
	attempt string
	lost    bool // it did not become ready; false if nobody knows
	unknown bool // how it ended: a report may know
}

// client is a connection of the tap, by which a report of its attempt is known.
type client struct {
	port int64
	conn string
	by   string // the reported attempt that it was recognised as
	lost bool   // its attempt did not become ready
}

// ring keeps the last 32 values.
type ring[T comparable] struct {
	v [32]T
	n uint8
}

func (r *ring[T]) add(v T) { r.v[r.n%32], r.n = v, (r.n+1)%32 }

func (r *ring[T]) has(v T) bool { return slices.Contains(r.v[:], v) }

// last returns the value that was added before the i newest ones.
func (r *ring[T]) last(i int) *T { return &r.v[(int(r.n)+2*len(r.v)-1-i)%len(r.v)] }

func (h *history) endOf(attempt string) *ended {
	for i := range h.ended.v {
		if e := h.ended.last(i); e.attempt == attempt && attempt != "" {
			return e
		}
	}
	return nil
}

// clientAt returns the last connection of the tap from a local port.
func (h *history) clientAt(port int64) *client {
	for i := range h.clients.v {
		if c := h.clients.last(i); c.port == port && port != 0 {
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
		return true, e.lost, nil
	}
	if f.request != nil {
		if by = h.clientAt(f.request.port); by != nil {
			return true, by.lost, by
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
	return is && (by == nil || by.by == "" || by.by == f.rec.Attempt)
}

// lose takes in whether an attempt of the tap became ready.
func (h *history) lose(f *facts) {
	lost := f.kind == attemptFailed || f.kind == attemptAbandoned
	h.ended.add(ended{f.rec.Attempt, lost, f.kind == attemptUnknown})
	conn := f.rec.Conn
	if f.flight != nil {
		conn = f.flight.conn
	}
	for i := range h.clients.v {
		if c := h.clients.last(i); c.conn == conn && conn != "" {
			c.lost = lost
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
