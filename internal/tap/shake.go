package tap

import (
	"errors"
	"net"
	"os"
	"time"

	"ibrecorder/events"
)

const (
	// writeLimit is how long a client may keep us from reading the Gateway, by not
	// taking what it is sent, in all of its handshake. It counts as gone then.
	writeLimit = 5 * time.Second
	// lastCall is what the pumps get, once a budget is over, to hand over what came
	// within it. A process that stood still (SIGSTOP, a paused machine) finds its
	// timers expired and the answer unread, and reading takes less than a millisecond,
	// also on a loaded machine seldom more than ten.
	lastCall = 50 * time.Millisecond
	// standstill is how late a timer is if this process did not run. It proves nothing
	// about the Gateway then, and the budget begins again.
	standstill = 500 * time.Millisecond
)

// connect dials and sees the attempt, and the session that it may become, to the end.
func (c *conn) connect() {
	cfg := &c.tap.cfg
	if !c.tap.pass(c, dialling) {
		c.report(events.AttemptAbandoned{Stage: events.StageNone})
		c.calledOff()
		return
	}
	h := newHandshake(*c.tap.params.Load(), cfg.Key, c.hello.Hello(), time.Now())
	if c.dial(h) {
		c.shake(h)
	}
	if h.end != Ready {
		c.cool() // before it is told: the next attempt follows from that
	}
	c.report(h.drain()...)
	switch h.end {
	case Ready:
		c.decide(Outcome{End: Ready, ServerVersion: h.version})
		if c.lookout == nil { // startAPI came after what makes ready
			c.lookout = newLookout(h)
		}
		c.watch(h.said)
		c.relay()
	case Failed:
		c.decide(Outcome{End: Failed, Fail: h.fail.Reason, Code: h.code})
		if h.fail.Reason == events.ClientWaits {
			c.box(h)
		} else {
			c.part()
		}
	default:
		c.decide(Outcome{End: Abandoned})
		c.part()
	}
}

// greetGateway sends the hello, as it came.
func (c *conn) greetGateway(h *handshake, nc net.Conn) {
	up := time.Now()
	c.fromGateway = c.pump(events.Upstream, nc)
	c.adopt(nc)
	port := int64(0)
	if a, ok := nc.LocalAddr().(*net.TCPAddr); ok {
		port = int64(a.Port)
	}
	h.connected(up, port)
	c.toGateway(h, c.hello.Bytes())
	c.report(h.drain()...)
	c.start(c.fromGateway)
}

// toGateway passes bytes on within the budget of the stage, and returns how many.
// Nothing follows a hole: once a write fell short there are no more. If the Gateway
// has ended, its pump tells, after its last words; if it does not read, the attempt
// is over, because its silence to what it was not sent would prove nothing.
func (c *conn) toGateway(h *handshake, b []byte) int {
	if c.torn {
		return 0
	}
	_ = c.upstream.SetWriteDeadline(h.deadline)
	n, err := c.upstream.Write(b)
	_ = c.upstream.SetWriteDeadline(time.Time{})
	c.fromClient.sent.Add(int64(n))
	if n < len(b) {
		c.torn = true
		if errors.Is(err, os.ErrDeadlineExceeded) {
			h.unread(c.now())
		}
	}
	return n
}

// toClient passes bytes on. What it takes is the client's doing, and the Gateway
// gets that time back. A client that takes too much of it counts as gone.
func (c *conn) toClient(h *handshake, b []byte) {
	if len(b) == 0 || c.clientHow != "" {
		return
	}
	began := time.Now()
	_ = c.client.SetWriteDeadline(began.Add(writeLimit - c.slow))
	_, err := c.client.Write(b)
	_ = c.client.SetWriteDeadline(time.Time{})
	took := time.Since(began)
	c.slow += took
	h.deadline = h.deadline.Add(took)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.clientEnded(events.RST)
		reset(c.client)
	}
}

// shake relays the handshake until it is decided, or the tap closes.
func (c *conn) shake(h *handshake) {
	timer := time.NewTimer(time.Until(h.deadline))
	defer timer.Stop()
	for h.end == "" {
		timer.Reset(time.Until(c.due(h)))
		select {
		case <-c.tap.closing: // first: the ends that come now are our own doing
			c.closedBy(events.Recorder, events.FIN)
			return
		default:
		}
		select {
		case s := <-c.in:
			c.shook(h, s)
		case <-timer.C:
			if c.until.IsZero() {
				c.late(h)
			} else {
				c.cooled(h)
			}
		case <-c.hang:
			c.closedBy(events.Recorder, events.FIN)
			h.hungUp(c.now())
		case <-c.tap.closing:
			c.closedBy(events.Recorder, events.FIN)
			return
		}
		if h.end == Ready { // before it is told: whoever reads of a session can have it disconnected
			c.tap.move(c, place{phase: running, clientID: h.clientID})
		}
		c.report(h.drain()...)
	}
}

// late takes in that the deadline has passed: by a verdict, unless what came in time
// was only not looked at yet.
func (c *conn) late(h *handshake) {
	now := time.Now()
	if now.Sub(h.deadline) > standstill {
		h.again(now)
		return
	}
	stage, until := h.stage, now.Add(lastCall)
	timer := time.NewTimer(lastCall)
	defer timer.Stop()
	for h.end == "" && h.stage == stage && c.until.IsZero() {
		select {
		case s := <-c.in:
			c.shook(h, s)
		case <-timer.C:
			switch a := c.now(); {
			case a.now.Sub(until) > standstill:
				h.again(a.now)
			case !a.now.Before(h.deadline): // a slow client may have moved it
				h.expired(a)
			}
			return
		}
	}
}

// shook takes in one segment: judged, passed on, then reported.
func (c *conn) shook(h *handshake, s segment) {
	switch {
	case s.met: // its own pump tells
	case s.side == events.Client && s.how != "":
		c.clientEnded(s.how)
		h.clientLeft(c.now(), c.clientHow)
	case s.side == events.Client:
		c.clientSent(h, s.b)
	case s.how != "":
		c.gatewayHow = s.how
		c.closedBy(events.Upstream, s.how)
		h.gatewayClosed(c.now(), s.how)
	default:
		before := h.stage
		gone := c.clientHow != ""
		c.toClient(h, h.fromGateway(c.now(), s.b))
		if !gone && c.clientHow != "" && h.end == "" {
			h.clientLeft(c.now(), c.clientHow)
		}
		if before == events.StageConnected && h.stage == events.StageVersioned && h.end == "" {
			c.release(h)
		}
		if h.end == Ready {
			c.lookout = newLookout(h)
			c.fromGateway.sent.Add(int64(len(s.b)))
			c.fromGateway.next <- order{to: c.client, taken: true, lookout: c.lookout}
		} else {
			c.fromGateway.next <- order{taken: true}
		}
	}
	if s.how == "" {
		c.tap.move(c, place{phase: shaking, clientID: h.clientID})
	}
}

// clientSent takes in the client's bytes. Before the version they wait, because
// only the version says what they mean; after startAPI nobody looks at them, and
// the pump writes for itself, so that a Gateway that does not read holds up the
// client and nothing else.
func (c *conn) clientSent(h *handshake, b []byte) {
	switch h.stage {
	case events.StageDial, events.StageConnected:
		if !c.keep(b) {
			h.clientLeft(c.now(), c.clientHow)
		}
	case events.StageVersioned:
		c.behindVersion(h, b)
	default:
		c.fromClient.next <- c.onward(h, false)
	}
}

func (c *conn) onward(h *handshake, taken bool) order {
	switch {
	case c.torn:
		return order{discard: true, taken: taken}
	case h.stage == events.StageVersioned:
		return order{taken: taken}
	}
	return order{to: c.upstream, taken: taken}
}
