package tap

import (
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// maxBoxed is how many programs may sit and be silent because their client id waits:
// as many as the tap serves beside them. Others are told the same and closed at once.
const maxBoxed = maxClients

// box parts with the Gateway, tells the client for how long its id waits, and keeps it
// until then: a program that tries again as soon as it is closed would come in a loop.
func (c *conn) box(h *handshake) {
	c.fromGateway.half.Store(true)
	closeWrite(c.upstream)
	room := c.tap.box(c)
	left, _ := c.tap.cfg.Clients.Left(*h.clientID)
	c.answer(wire.AppendError(nil, h.version, wire.ErrorMessage{ID: -1, Code: events.CodeHeld, Text: alone(*h.clientID, left), TimeMS: time.Now().UnixMilli()}))
	if c.sit(h, false) && (!room || c.sit(h, true)) { // first for as long as the word needs
		c.closedBy(events.Recorder, events.FIN)
		c.fromClient.half.Store(true)
		closeWrite(c.client)
		c.sit(h, false)
	}
	if c.gatewayHow == "" {
		c.drain()
	}
}

// alone is what the operator of a trading program reads in its log.
func alone(id int64, left time.Duration) string {
	return fmt.Sprintf("ibrecorder holds client id %d for %s more: its last attempts failed by its own doing (the id is in use, error 326, or the program left before it was ready). "+
		"Stay connected until this connection is closed, or use another client id. To see who waits, run: recorder status", id, max(left, time.Second).Round(time.Second))
}

// sit reads and forgets what comes, until the client's id waits no more, or without room
// for only as long as the last word needs to arrive; false if it left or the tap closes.
func (c *conn) sit(h *handshake, room bool) bool {
	gateway := time.NewTimer(drainLimit)
	defer gateway.Stop()
	limit := time.NewTimer(deliveryHold)
	defer limit.Stop()
	for {
		var changed <-chan struct{}
		if room {
			var left time.Duration
			if left, changed = c.tap.cfg.Clients.Left(*h.clientID); left == 0 {
				return true
			}
			limit.Reset(left)
		}
		select {
		case s := <-c.in:
			switch {
			case s.met:
			case s.how != "" && s.side == events.Client:
				c.clientEnded(s.how)
				return false
			case s.how != "":
				c.gatewayHow = s.how
				_ = c.upstream.Close() // it would stay half closed for as long as the client sits
			default:
				c.pumpOf(s.side).next <- order{discard: true}
			}
		case <-changed:
		case <-limit.C:
			if !room {
				return true
			}
		case <-gateway.C:
			_ = c.upstream.Close()
		case <-c.tap.closing:
			c.closedBy(events.Recorder, events.FIN)
			return false
		}
	}
}

// box takes a program out of those that the tap serves; false if it may not stay.
func (t *Tap) box(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	room := t.count(func(p phase) bool { return p == boxed }) < maxBoxed
	t.conns[c] = place{phase: boxed}
	return room
}
