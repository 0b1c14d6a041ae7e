package tap

import (
	"time"

	"ibrecorder/events"
)

const (
	// deliveryHold keeps the client's socket open after the Gateway's close. Without
	// it scmhub/ibapi loses 8 % of the errors 326 that come right before a close,
	// and can die; from 100 us on none was lost in 3000.
	deliveryHold = 20 * time.Millisecond
	// halfClosed is how long one side may stay open after the other has sent FIN: as
	// long as Linux keeps a socket whose program is gone (tcp_fin_timeout).
	halfClosed = 60 * time.Second
	// drainLimit is how long a Gateway that we hang up on may still send. Bytes that
	// are left unread would turn our FIN into a reset.
	drainLimit = 250 * time.Millisecond
	// buriedEvery is how often a session looks for a side that was reset while its pump
	// was blocked in a write to the other side, and so could not read it: 1 s later, or
	// 2, it is told. That is a system call a second for each side.
	buriedEvery = time.Second
)

// relay sees an established session to its end. The pumps move the bytes.
func (c *conn) relay() {
	ready := time.Now()
	s, ok := c.await(0)
	c.cool()
	c.tap.move(c, place{phase: finished})
	c.unwatch()
	closed := events.SessionClosed{By: s.side, How: s.how, ElapsedUS: micros(ready, time.Now())}
	switch {
	case !ok:
		closed.By, closed.How = events.Recorder, events.FIN
		c.hangUp()
		c.sessionOver(closed)
		c.drain()
	case s.side == events.Upstream:
		reason := events.LostFIN
		switch {
		case c.bulletin.reset:
			reason = events.LostPortReset
		case s.how == events.RST:
			reason = events.LostRST
		}
		c.sessionOver(events.SessionLost{Reason: reason, ElapsedUS: closed.ElapsedUS})
		c.passEnd()
		if s.how == events.FIN {
			c.await(halfClosed)
		}
	case s.how == events.RST:
		reset(c.upstream)
		c.sessionOver(closed)
	default:
		c.fromGateway.half.Store(true)
		closeWrite(c.upstream)
		c.sessionOver(closed)
		if s, ok := c.await(halfClosed); ok && s.side == events.Client {
			reset(c.upstream) // the Gateway still sends, to a program that is gone
		}
	}
}

func (c *conn) sessionOver(how events.Payload) {
	c.report(how)
	if o := c.tap.once; o != nil {
		o.over()
	}
}

// part closes what is left of an attempt that came to nothing.
func (c *conn) part() {
	switch {
	case c.upstream == nil: // the dial failed
	case c.gatewayHow == "":
		c.hangUp()
		c.drain()
	case c.clientHow == "":
		c.passEnd()
		if c.gatewayHow == events.FIN {
			_ = c.client.Close()
		}
	}
}

// hangUp closes the client, and sends the Gateway FIN.
func (c *conn) hangUp() {
	c.closedBy(events.Recorder, events.FIN)
	_ = c.client.Close()
	c.fromGateway.half.Store(true)
	closeWrite(c.upstream)
}

// passEnd gives the client the end that the Gateway had, once what came before it
// had time to arrive.
func (c *conn) passEnd() {
	hold := time.NewTimer(deliveryHold)
	defer hold.Stop()
	<-hold.C
	if c.gatewayHow == events.RST {
		reset(c.client)
		return
	}
	c.fromClient.half.Store(true)
	closeWrite(c.client)
}

// await lets the pumps run and returns the next end of a side. It is false when the
// limit is over, if there is one, when the connection is told to hang up, or when
// the tap closes.
func (c *conn) await(limit time.Duration) (s segment, ok bool) {
	var over <-chan time.Time
	hang := c.hang
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		over, hang = timer.C, nil // whoever could be told has ended
	}
	tick := time.NewTicker(buriedEvery)
	defer tick.Stop()
	for {
		select {
		case slot := <-c.hits():
			c.heard(slot)
		case <-tick.C:
			c.overdue()
			if s, ok := c.buried(); ok {
				c.noteEnd(s)
				return s, true
			}
		case s := <-c.in:
			switch {
			case s.met && !c.hasEnded(s.side): // its own pump tells, or buried finds it
				c.pumpOf(s.side).met = true
			case s.how != "":
				c.noteEnd(s)
				return s, true
			case s.side == events.Client:
				c.fromClient.next <- order{to: c.upstream}
			default:
				c.fromGateway.next <- order{to: c.client, lookout: c.lookout}
			}
		case <-over:
			return segment{}, false
		case <-hang:
			return segment{}, false
		case <-c.tap.closing:
			return segment{}, false
		}
	}
}

// buried finds a side that is reset, and whose pump has brought nothing from it to
// the other side since the last look: what it still holds will not arrive any more.
func (c *conn) buried() (s segment, ok bool) {
	for _, p := range [...]*pump{c.fromClient, c.fromGateway} {
		if c.hasEnded(p.side) || p.half.Load() || !p.met && !tornDown(p.src) {
			continue
		}
		sent := p.sent.Load()
		if p.torn && p.tornAt == sent {
			return segment{side: p.side, how: events.RST}, true
		}
		p.torn, p.tornAt = true, sent
	}
	return segment{}, false
}

func (c *conn) pumpOf(side events.Side) *pump {
	if side == events.Client {
		return c.fromClient
	}
	return c.fromGateway
}

func (c *conn) noteEnd(s segment) {
	c.closedBy(s.side, s.how)
	if s.side == events.Client && c.clientHow == "" {
		c.clientHow = s.how
	}
	if s.side == events.Upstream && c.gatewayHow == "" {
		c.gatewayHow = s.how
	}
}

func (c *conn) hasEnded(side events.Side) bool {
	return side == events.Client && c.clientHow != "" || side == events.Upstream && c.gatewayHow != ""
}

// drain throws away what the Gateway still sends until it has closed too.
func (c *conn) drain() {
	timer := time.NewTimer(drainLimit)
	defer timer.Stop()
	for {
		select {
		case s := <-c.in:
			switch {
			case s.how != "" && !s.met && s.side == events.Upstream:
				return
			case s.how != "":
			case s.side == events.Client:
				c.fromClient.next <- order{discard: true}
			default:
				c.fromGateway.next <- order{discard: true}
			}
		case <-timer.C:
			return
		}
	}
}
