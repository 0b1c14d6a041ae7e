package tap

import (
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/wire"
)

const (
	// explainVersion is the newest server version whose messages are known.
	explainVersion = 225
	// explainWait is how long the client's startAPI is waited for: client libraries
	// send it by themselves as soon as the version is there, and only then listen.
	explainWait = time.Second
)

// explanation is what the operator of a trading program reads in its log.
func explanation(r events.HoldReason) string {
	switch r {
	case events.HoldStopped:
		return "ibrecorder holds every connect: the API of the Gateway is dead and needs a manual restart. Restart it, then run: recorder resume"
	case events.HoldRule:
		return "ibrecorder refuses this connect: it would break the retry-stop rule, although the policy permits it. To see how, run: recorder status"
	case events.HoldLogFull:
		return "ibrecorder refuses every new connect: its log is nearly full. Make room: recorder log archive"
	}
	return "ibrecorder holds this connect (" + string(r) + "). To see why, run: recorder status"
}

// explain answers a client that may not be connected as a Gateway would: a version,
// and after its startAPI an error with the reason. The built-in session has its answer
// from the desk: a version would lead its library on to where a close ends our process,
// and its tap is closed as soon as it knows.
func (c *conn) explain(r events.HoldReason) {
	if c.tap.once != nil {
		return
	}
	version, ok := c.hello.Hello().Negotiate(explainVersion)
	if !ok {
		return
	}
	c.answer(wire.AppendVersionReply(nil, wire.VersionReply{
		Version: version, ConnectionTime: time.Now().UTC().Format("20060102 15:04:05 MST"),
	}))
	frames := wire.NewScanner(0)
	started := func(b []byte) (found bool) {
		for f := range frames.Frames(b) {
			m, err := wire.ParseMessage(version, f)
			found = found || err == nil && m.ID == wire.IDStartAPI
		}
		return found
	}
	found := started(c.pending)
	c.pending = nil
	if !found && !c.listen(explainWait, started) {
		return
	}
	c.answer(wire.AppendError(nil, version, wire.ErrorMessage{ID: -1, Code: events.CodeHeld, Text: explanation(r), TimeMS: time.Now().UnixMilli()}))
	never := func([]byte) bool { return false }
	// A close right behind the error is the one that scmhub/ibapi may not survive: of
	// fewer than 9000 connects 3 ended the process, which is ours with the built-in
	// session. With the hold none of 9000 did, and every error arrived.
	if !c.listen(deliveryHold, never) {
		return
	}
	c.closedBy(events.Recorder, events.FIN)
	c.fromClient.half.Store(true)
	closeWrite(c.client)
	c.listen(deliveryHold, never)
}

// listen reads what the client sends, for so long or until done; false if it left
// or the tap closes.
func (c *conn) listen(limit time.Duration, done func([]byte) bool) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case s := <-c.in:
			if s.how != "" {
				c.clientEnded(s.how)
				return false
			}
			found := done(s.b)
			c.fromClient.next <- order{taken: true}
			if found {
				return true
			}
		case <-timer.C:
			return true
		case <-c.tap.closing:
			c.closedBy(events.Recorder, events.FIN)
			return false
		}
	}
}

// answer writes to the client; that it fails is for its pump to tell.
func (c *conn) answer(b []byte) {
	_ = c.client.SetWriteDeadline(time.Now().Add(writeLimit))
	_, _ = c.client.Write(b)
}
