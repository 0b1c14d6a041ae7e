package tap

import (
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

// ask is a client's startAPI, not passed on yet.
type ask struct {
	clientID *int64
	end      int64 // of its frame, in bytes behind the hello
}

// look takes in what the client sent behind its hello before any of it is passed on, and
// reports whether its startAPI is whole now: from that moment on its id is known.
func (h *handshake) look(segment []byte) bool {
	for f := range h.client.Frames(segment) {
		m, err := wire.ParseMessage(h.version, f)
		if h.asks != nil || err != nil || m.ID != wire.IDStartAPI {
			continue
		}
		start, err := m.StartAPI()
		if err != nil {
			continue
		}
		h.asks = &ask{end: f.Offset + frameHeader + int64(f.Length)}
		if start.HasClientID {
			id := int64(start.ClientID)
			h.asks.clientID = &id
		}
	}
	return h.asks != nil
}

// frameHeader is the length before each frame.
const frameHeader = 4

// passedOn takes in that so many bytes more of what the client sent behind its hello were
// passed on. Only what the Gateway got of a startAPI counts.
func (h *handshake) passedOn(a at, n int) {
	h.passed += int64(n)
	if h.stage != events.StageVersioned || h.asks == nil || h.passed < h.asks.end {
		return
	}
	h.clientID = h.asks.clientID
	h.emit(events.HandshakeAPIStarted{ClientID: h.clientID})
	h.enter(events.StageStarted, a.now, h.params.ReadyBudgetMS)
	if h.refused {
		h.deadline = earlier(h.deadline, a.now.Add(refusalGrace))
	}
	h.checkReady(a)
}

// mustWait takes in that the client's id has a wait of its own. The Gateway never learns
// of it.
func (h *handshake) mustWait(a at) {
	h.clientID = h.asks.clientID
	h.failed(a, events.ClientWaits, events.Recorder, events.FIN)
}

// waitsFor takes in that startAPI is kept for a moment.
func (h *handshake) waitsFor(why events.HoldReason, left time.Duration) {
	h.emit(events.ClientHeld{Reason: why, ClientID: h.asks.clientID, WaitMS: int64((left + time.Millisecond - 1) / time.Millisecond)})
}

// behindVersion takes in what the client sends between the version and its startAPI.
// All of that is kept until the id is known: the one place where bytes are delayed.
func (c *conn) behindVersion(h *handshake, b []byte) {
	if c.until.IsZero() && h.look(b) && c.mayStart(h) {
		c.pending = append(c.pending, b...)
		c.passOn(h)
		c.fromClient.next <- c.onward(h, true)
		return
	}
	if h.end != "" { // nothing more is taken of it
		c.fromClient.next <- order{discard: true, taken: true}
		return
	}
	if !c.keep(b) {
		h.clientLeft(c.now(), c.clientHow)
	}
}

// release looks at what the client sent before the version came.
func (c *conn) release(h *handshake) {
	if len(c.pending) > 0 && h.look(c.pending) && c.mayStart(h) {
		c.passOn(h)
	}
}

// passOn sends the Gateway what was kept, the startAPI among it.
func (c *conn) passOn(h *handshake) {
	n := c.toGateway(h, c.pending)
	c.pending = nil
	if h.end == "" {
		h.passedOn(c.now(), n)
	}
	if h.stage == events.StageStarted {
		c.clientID = h.clientID
		c.tap.move(c, place{phase: shaking, clientID: h.clientID})
	}
}

// mayStart reports whether the startAPI may be passed on now. If its id has to cool down
// it is kept until then; if the id waits for longer, the attempt is over.
func (c *conn) mayStart(h *handshake) bool {
	id := h.asks.clientID
	if id == nil || c.tap.cfg.Observe {
		return true
	}
	known, cooling := c.tap.cfg.Clients, c.tap.cooling()
	waits, _ := known.Left(*id)
	warm := known.warm(*id, cooling)
	switch left := max(waits, warm); {
	case left == 0:
		return true
	case waits > cooling:
		h.mustWait(c.now())
	default:
		why := events.HoldCooling
		if waits > warm {
			why = events.HoldBackoff
		}
		c.until = time.Now().Add(left)
		h.waitsFor(why, left)
	}
	return false
}

func (t *Tap) cooling() time.Duration {
	return time.Duration(t.params.Load().CoolingMS) * time.Millisecond
}

// due is when time alone brings the handshake on.
func (c *conn) due(h *handshake) time.Time {
	if !c.until.IsZero() {
		return c.until
	}
	return h.deadline
}

// cooled ends the wait of a startAPI that was kept. The time until then was ours, so the
// stage has its budget once more.
func (c *conn) cooled(h *handshake) {
	c.until = time.Time{}
	if c.mayStart(h) {
		h.again(time.Now())
		c.passOn(h)
	}
}

// cool notes that the Gateway's side of a connection that it knows by its id is over, as
// far as the client is concerned: a next one of that id has to cool down.
func (c *conn) cool() {
	if c.clientID != nil {
		c.tap.cfg.Clients.ended(*c.clientID, c.tap.cooling())
	}
}
