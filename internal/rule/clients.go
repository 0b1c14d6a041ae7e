package rule

import (
	"fmt"
	"slices"

	"ibrecorder/events"
)

// alone is a client id whose attempts failed by its own doing: it was in use, or its
// program left after its startAPI. Nobody else waits for it.
type alone struct {
	id     int64
	failed int64  // such ends in a row, since it was last ready or had a session that ended; fewer if some are not known
	seq    uint64 // of the last of them
	owed   bool   // no wait was scheduled since
	wait   wait
}

// alones are the client ids that failed last, in that order. What is dropped is judged
// no more.
type alones struct {
	v [32]alone
	n int
}

func (c *alones) find(id int64) *alone {
	for i := range c.v[:c.n] {
		if c.v[i].id == id {
			return &c.v[i]
		}
	}
	return nil
}

func (c *alones) drop(id int64) (was alone) {
	for i := range c.v[:c.n] {
		if c.v[i].id == id {
			was = c.v[i]
			copy(c.v[i:c.n], c.v[i+1:c.n])
			c.n--
			return was
		}
	}
	return alone{id: id}
}

// last makes an id the one that failed last, and the only one to be added.
func (c *alones) last(id int64) *alone {
	was := c.drop(id)
	if c.n == len(c.v) {
		c.drop(c.v[0].id)
	}
	c.v[c.n] = was
	c.n++
	return &c.v[c.n-1]
}

// clientStep is the part of step about single clients.
func (m *rs3) clientStep(f *facts) {
	if f.outside {
		return // a runner's own client is not held by anybody
	}
	switch f.kind {
	case recorderStarted:
		if f.past.crowded {
			m.clients.n = 0
		}
		for i := range f.past.flights { // a session ends with its run, whoever was told that its id is in use
			if l := &f.past.flights[i]; l.ready && l.named {
				m.clients.drop(l.client)
			}
		}
		for i := range m.clients.v[:m.clients.n] {
			if w := &m.clients.v[i].wait; w.pending(m.last) {
				w.from, w.again = f.at, f.rec.Seq
			} else {
				*w = wait{}
			}
		}
	case restartAcknowledged:
		m.clients.n = 0 // the ids of a Gateway that was restarted are free
	case attemptFailed, attemptAbandoned:
		if l := f.flight; l != nil && l.started != 0 && l.named && l.seq > f.past.releasedAt && ownDoing(f) {
			a := m.clients.last(l.client)
			a.failed++
			a.seq, a.owed = f.rec.Seq, true
		}
	case attemptSucceeded:
		if l := f.flight; l != nil && l.named {
			m.clients.drop(l.client)
		}
	case sessionLost, sessionClosed:
		switch l := f.flight; { // the id is free, whoever was told that it is in use
		case l == nil:
			m.clients.n = 0 // nobody knows whose session it was
		case l.named:
			m.clients.drop(l.client)
		}
	case retryScheduled:
		if d := f.rec.Data.(events.RetryScheduled); d.ClientID != nil {
			m.clientWaits(f, d)
		}
	case handshakeAPIStarted:
		if id := f.rec.Data.(events.HandshakeAPIStarted).ClientID; id != nil {
			m.clientStarts(f, *id)
		}
	}
}

// ownDoing reports an end that is its client's alone. Whom an operator hung up on is
// not answered any more, and has done nothing.
func ownDoing(f *facts) bool {
	switch d := f.rec.Data.(type) {
	case events.AttemptFailed:
		return d.Reason == events.ClientIDInUse
	case events.AttemptAbandoned:
		return d.Answered
	}
	return false
}

// clientWaits takes in the wait of one client, which must be as long as the policy says
// for so many failures in a row as are known.
func (m *rs3) clientWaits(f *facts, d events.RetryScheduled) {
	a := m.clients.find(*d.ClientID)
	if a == nil {
		a = m.clients.last(*d.ClientID)
	}
	a.owed, a.wait = false, wait{seq: f.rec.Seq, from: f.at, ms: d.DelayMS}
	if f.past.policyAt == 0 || a.failed == 0 {
		return
	}
	m.checked++
	if least := leastWait(&f.past.policy.Params, a.failed); d.DelayMS < least {
		m.add(f, Finding{
			Rule: "RS3", Because: []uint64{a.seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("client %d is to wait %d ms after %d failures in a row of its own; the policy says at least %d ms", a.id, d.DelayMS, a.failed, least),
		})
	}
}

// leastWait is the policy's wait after so many failures in a row, without jitter.
func leastWait(p *events.Params, failed int64) int64 {
	ms, most := max(0, p.BackoffBaseMS), max(0, p.BackoffCapMS)
	for ; failed > 1 && 0 < ms && ms < most; failed-- {
		ms = min(ms, most-ms) + ms // doubled, and not above the most
	}
	return min(ms, most)
}

// clientStarts judges a startAPI that was passed on.
func (m *rs3) clientStarts(f *facts, id int64) {
	a := m.clients.find(id)
	if a == nil {
		return
	}
	found := Finding{Rule: "RS3", Observed: f.past.observing()}
	passed, known := f.at.since(a.wait.from)
	switch w := &a.wait; {
	case a.owed:
		if f.past.policyAt == 0 || leastWait(&f.past.policy.Params, a.failed) == 0 {
			return
		}
		found.Because = []uint64{a.seq}
		found.Text = fmt.Sprintf("client %d was let through after a failure of its own, #%d, and no wait was scheduled for it", id, a.seq)
	case w.seq == 0 || !known:
		return
	case passed < w.ms*1e6:
		found.Because = []uint64{w.seq}
		if w.again != 0 {
			found.Because = append(found.Because, w.again)
		}
		found.Text = fmt.Sprintf("client %d was let through %d ms after #%d; it was to wait %d ms", id, passed/1e6, slices.Max(found.Because), w.ms)
	}
	m.checked++
	a.wait = wait{}
	if found.Because != nil {
		m.add(f, found)
	}
}
