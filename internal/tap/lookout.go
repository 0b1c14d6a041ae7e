package tap

import (
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// hitRoom is how many codes may wait for the goroutine of the connection. What comes
// beyond that is only counted: it is a flood, and a flood is told as a number anyway.
const hitRoom = 64

// lookout finds the codes in what the Gateway sends in a session. It belongs to the
// pump, which it never holds up: it hands over what it finds if there is room, and
// counts it if there is not.
type lookout struct {
	skim   *wire.Skimmer
	blind  bool     // the end of what can be read was told
	hits   chan int // slots, in the order of the wire
	missed [len(codes)]atomic.Int64
	last   atomic.Int64 // the last code about IB's servers
}

// newLookout takes over from the handshake. What stood behind ready in the same
// segment is not lost.
func newLookout(h *handshake) *lookout {
	l := &lookout{hits: make(chan int, hitRoom)}
	for _, slot := range h.behind {
		l.hit(slot)
	}
	l.skim = h.gateway.Skimmer(h.version, func(request, code int) {
		if slot := slotOf(request, code); slot >= 0 {
			l.hit(slot)
		}
	})
	l.see(nil)
	return l
}

// see looks at a segment, before the client can.
func (l *lookout) see(b []byte) {
	if l.blind {
		return
	}
	if l.skim.Skim(b); l.skim.Garbled() {
		l.blind = true
		l.hit(unreadable)
	}
}

func (l *lookout) hit(slot int) {
	if _, ok := upstream(codes[slot]); ok {
		l.last.Store(codes[slot])
	}
	select {
	case l.hits <- slot:
	default:
		l.missed[slot].Add(1)
	}
}

// heard takes in one code.
func (c *conn) heard(slot int) {
	if slot == unreadable {
		c.report(events.SessionUnwatched{GatewayBytes: c.received()})
		return
	}
	c.report(c.bulletin.heard(time.Now(), slot, 1)...)
}

// hear takes in every code that has come so far. Those that found no room have lost
// their order: the last one about IB's servers then says how things stand.
func (c *conn) hear() {
	for {
		select {
		case slot := <-c.lookout.hits:
			c.heard(slot)
			continue
		default:
		}
		break
	}
	now, disordered := time.Now(), false
	for slot := range codes {
		n := c.lookout.missed[slot].Swap(0)
		switch _, ok := upstream(codes[slot]); {
		case n == 0:
		case slot == unreadable:
			c.heard(slot)
		default:
			disordered = disordered || ok
			c.report(c.bulletin.heard(now, slot, n)...)
		}
	}
	if disordered {
		c.report(c.bulletin.stands(now, c.lookout.last.Load())...)
	}
}

// watch begins a session: what the Gateway said of IB before ready holds in it too.
func (c *conn) watch(said int64) {
	if lost, _ := upstream(said); lost {
		c.report(c.bulletin.stands(time.Now(), said)...)
	}
	c.bulletin.is, c.bulletin.told = said, said
	c.hear()
}

// overdue tells what has waited for long enough, once a second.
func (c *conn) overdue() {
	if c.lookout != nil {
		c.hear()
		c.report(c.bulletin.due(time.Now())...)
	}
}

// unwatch ends it, and tells what is pending.
func (c *conn) unwatch() {
	c.hear()
	c.report(c.bulletin.rest(time.Now())...)
	c.lookout = nil
}

// hits is where the codes of a session come from, nil outside of one.
func (c *conn) hits() <-chan int {
	if c.lookout == nil {
		return nil
	}
	return c.lookout.hits
}
