package rule

import (
	"fmt"
	"slices"

	"ibrecorder/events"
)

// alone is a client id whose attempts failed by its own doing: it was in use, or its
// program left after its startAPI. Nobody else waits for it.
type alone struct {
	ID     int64
	Failed int64  // such ends in a row, since it was last ready or had a session that ended; fewer if some are not known
	Seq    uint64 // of the last of them
	Owed   bool   // no wait was scheduled since
	Wait   wait
}

// alones are the client ids that failed last, in that order. What is dropped is judged
// no more.
type alones struct {
	V [32]alone
	N int
}

func (c *alones) find(id int64) *alone {
	for i := range c.V[:c.N] {
		if c.V[i].ID == id {
			return &c.V[i]
		}
	}
	return nil
}

func (c *alones) drop(id int64) (was alone) {
	for i := range c.V[:c.N] {
		if c.V[i].ID == id {
			was = c.V[i]
			copy(c.V[i:c.N], c.V[i+1:c.N])
			c.N--
			return was
		}
	}
	return alone{ID: id}
}

// last makes an id the one that failed last, and the only one to be added.
func (c *alones) last(id int64) *alone {
	was := c.drop(id)
	if c.N == len(c.V) {
		c.drop(c.V[0].ID)
	}
	c.V[c.N] = was
	c.N++
	return &c.V[c.N-1]
}

// clientStep is the part of step about single clients.
func (m *rs3) clientStep(f *facts) {
	if f.outside {
		return // a runner's own client is not held by anybody
	}
	switch f.kind {
	case recorderStarted:
		if f.past.Crowded {
			m.Clients.N = 0
		}
		for i := range f.past.Flights { // a session ends with its run, whoever was told that its id is in use
			if l := &f.past.Flights[i]; l.Ready && l.Named {
				m.Clients.drop(l.Client)
			}
		}
		for i := range m.Clients.V[:m.Clients.N] {
			if w := &m.Clients.V[i].Wait; w.pending(m.Last) {
				w.From, w.Again = f.at, f.rec.Seq
			} else {
				*w = wait{}
			}
		}
	case restartAcknowledged:
		m.Clients.N = 0 // the ids of a Gateway that was restarted are free
	case attemptFailed, attemptAbandoned:
		if l := f.flight; l != nil && l.Started != 0 && l.Named && l.Seq > f.past.ReleasedAt && ownDoing(f) {
			a := m.Clients.last(l.Client)
			a.Failed++
			a.Seq, a.Owed = f.rec.Seq, true
		}
	case attemptSucceeded:
		if l := f.flight; l != nil && l.Named {
			m.Clients.drop(l.Client)
		}
	case sessionLost, sessionClosed:
		switch l := f.flight; { // the id is free, whoever was told that it is in use
		case l == nil:
			m.Clients.N = 0 // nobody knows whose session it was
		case l.Named:
			m.Clients.drop(l.Client)
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
	a := m.Clients.find(*d.ClientID)
	if a == nil {
		a = m.Clients.last(*d.ClientID)
	}
	a.Owed, a.Wait = false, wait{Seq: f.rec.Seq, From: f.at, MS: d.DelayMS}
	if f.past.PolicyAt == 0 || a.Failed == 0 {
		return
	}
	m.Checked++
	if least := leastWait(&f.past.Policy.Params, a.Failed); d.DelayMS < least {
		m.add(f, Finding{
			Rule: "RS3", Because: []uint64{a.Seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("client %d is to wait %d ms after %d failures in a row of its own; the policy says at least %d ms", a.ID, d.DelayMS, a.Failed, least),
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
	a := m.Clients.find(id)
	if a == nil {
		return
	}
	found := Finding{Rule: "RS3", Observed: f.past.observing()}
	passed, known := f.at.since(a.Wait.From)
	switch w := &a.Wait; {
	case a.Owed:
		if f.past.PolicyAt == 0 || leastWait(&f.past.Policy.Params, a.Failed) == 0 {
			return
		}
		found.Because = []uint64{a.Seq}
		found.Text = fmt.Sprintf("client %d was let through after a failure of its own, #%d, and no wait was scheduled for it", id, a.Seq)
	case w.Seq == 0 || !known:
		return
	case passed < w.MS*1e6:
		found.Because = []uint64{w.Seq}
		if w.Again != 0 {
			found.Because = append(found.Because, w.Again)
		}
		found.Text = fmt.Sprintf("client %d was let through %d ms after #%d; it was to wait %d ms", id, passed/1e6, slices.Max(found.Because), w.MS)
	}
	m.Checked++
	a.Wait = wait{}
	if found.Because != nil {
		m.add(f, found)
	}
}
