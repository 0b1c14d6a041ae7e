package rule

import (
	"encoding/json"
	"errors"
	"fmt"

	"ibrecorder/events"
)

// a1 and a2: the stream is one unbroken history of one gateway.
type chain struct {
	a1, a2   tally
	gateway  string
	first    uint64
	last     uint64
	head     events.Hash
	unhashed bool // the last event came without its stored bytes
	told     bool // of that
	disputed int  // index of the first event that proves nothing, or never
}

const never = int(^uint(0) >> 1)

// step reports whether the event belongs to this stream, and what is lost if it
// does not continue it.
func (c *chain) step(f *facts) (belongs bool, l lost) {
	c.a1.checked++
	if c.first == 0 {
		c.gateway, c.first = f.rec.Gateway, f.rec.Seq
		c.link(f, f.rec.Seq == 1)
		if f.rec.Seq > 1 {
			l = lostTrust
		}
		return true, l
	}
	switch {
	case f.rec.Gateway != c.gateway:
		c.a1.note(f, Finding{Rule: "A1", Text: fmt.Sprintf("event #%d belongs to gateway %s; the stream is of %s; it is not judged", f.rec.Seq, f.rec.Gateway, c.gateway), Hint: "judge each gateway's stream by itself"})
		return false, lostNothing
	case f.rec.Seq != c.last+1:
		c.a1.note(f, Finding{Rule: "A1", Text: fmt.Sprintf("event #%d follows #%d, want #%d", f.rec.Seq, c.last, c.last+1), Hint: "export the missing range, or judge the parts by themselves"})
		c.disputed = min(c.disputed, f.index)
		c.link(f, false)
		return true, lostTrust
	}
	if !c.link(f, true) {
		// The bytes of the event before are what cannot be vouched for.
		c.disputed = min(c.disputed, f.index-1)
		return true, lostTrust
	}
	return true, lostNothing
}

// link checks the hash of the event before and makes f the head.
func (c *chain) link(f *facts, judge bool) bool {
	fits := true
	switch {
	case c.unhashed || f.rec.Raw == nil:
		if !c.told {
			c.a2.note(f, Finding{Rule: "A2", Text: fmt.Sprintf("event #%d came without its stored bytes, so its place in the chain cannot be checked", f.rec.Seq), Hint: "judge the stored bytes"})
		}
		c.told = true
	case judge:
		c.a2.checked++
		if fits = f.rec.Prev == c.head; !fits {
			c.a2.note(f, Finding{Rule: "A2", Text: fmt.Sprintf("event #%d says that the hash before it is %s, and it is %s", f.rec.Seq, f.rec.Prev, c.head), Hint: "compare with another copy of the log; one of these two events is not as it was written"})
		}
	}
	c.last, c.head, c.unhashed = f.rec.Seq, events.Hash{}, f.rec.Raw == nil
	if !c.unhashed {
		c.head = events.HashOf(f.rec.Raw)
	}
	return fits
}

// a4: mono does not decrease within a boot.
type a4 struct {
	tally
	boot string
	mono int64
}

func (m *a4) step(f *facts) {
	if f.rec.Boot == events.BootImport || f.rec.Mono == events.NoMono {
		return
	}
	if f.rec.Boot != m.boot || f.kind == recorderStarted {
		m.boot, m.mono = f.rec.Boot, 0
		f.past.timeless = false
	}
	m.checked++
	if f.rec.Mono < m.mono && !f.past.timeless {
		m.note(f, Finding{Rule: "A4", Text: fmt.Sprintf("the monotonic clock of boot %s went back at #%d, from %d to %d ns", f.rec.Boot, f.rec.Seq, m.mono, f.rec.Mono), Hint: "durations of that run are not judged; the order of its events is"})
		f.past.timeless = true
	}
	m.mono = f.rec.Mono
}

// a5: a policy of this run is known wherever one is needed.
type a5 struct {
	tally
	told bool
}

func (m *a5) step(f *facts) {
	switch f.kind {
	case policyLoaded:
		m.told = false
		m.checked++
		if d := f.rec.Data.(events.PolicyLoaded); d.Hash != hashOf(d.Params) {
			m.note(f, Finding{Rule: "A5", Text: fmt.Sprintf("the values of the policy at #%d are not those that its hash stands for", f.rec.Seq), Hint: "compare with the configuration of that run"})
		}
		return
	case attemptPermitted, attemptDenied, attemptFailed, gatewayContradicted,
		restartRequired, restartAcknowledged, restartRejected, retryScheduled:
	case attemptSucceeded, attemptAbandoned, dialStarted, dialConnected, dialFailed,
		handshakeVersion, handshakeAPIStarted, handshakeReady, handshakeTimedOut:
		if f.outside {
			return // a report is judged by no limit
		}
	default:
		return
	}
	m.checked++
	if f.past.policyAt == 0 && !m.told {
		m.note(f, Finding{Rule: "A5", Text: fmt.Sprintf("%s at #%d, and no policy.loaded before it in this run: limits and delays are not judged until there is one", f.rec.Kind(), f.rec.Seq), Hint: "judge from the recorder.started of that run, or from #1"})
		m.told = true
	}
}

// hashOf identifies the values of a policy: the SHA-256 of their JSON.
func hashOf(p events.Params) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("rule: params have only integers: %v", err))
	}
	return events.HashOf(b).String()
}

// a6: nothing is missing inside the stream, as far as the recorder knows.
type a6 struct {
	tally
	boot     string // of the last run
	stopped  bool   // that run ended in order
	recorded bool   // a recorder wrote an event
	imported bool   // somebody wrote one down later
	told     bool   // of both in one stream
}

// apart sees to it that a recorder's history and one that no recorder saw are two
// streams: nothing that was written down later takes part in what a recorder saw.
func (m *a6) apart(f *facts) {
	m.recorded, m.imported = m.recorded || !f.imported, m.imported || f.imported
	if !m.recorded || !m.imported {
		return
	}
	if !m.told {
		m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("from #%d on what a recorder saw and what was written down later are mixed in one stream", f.rec.Seq), Hint: "judge the parts by themselves"})
		m.told = true
	}
	if f.imported {
		f.imported, f.outside = false, f.by&byReporter != 0
		f.contact = f.outside && f.kind.contacts()
	}
}

func (m *a6) step(f *facts) (l lost) {
	switch f.kind {
	case recorderGap:
		d := f.rec.Data.(events.RecorderGap)
		l = lostFacts
		if d.Reason == events.GapUnrecorded {
			l = lostDecisions
		}
		m.checked++
		m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("facts are missing at #%d (%s)", f.rec.Seq, d.Reason), Hint: "what rests on both sides of the gap is not judged"})
		return l
	case recorderStarted:
		d := f.rec.Data.(events.RecorderStarted)
		m.checked++
		said := d.Previous == events.PreviousStopped
		if m.boot != "" && (d.PreviousBoot != m.boot || said != m.stopped) {
			m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("the start at #%d says that run %q ended %s, and the log shows run %q %s", f.rec.Seq, d.PreviousBoot, d.Previous, m.boot, ending(m.stopped)), Hint: "compare with another copy of the log; its end may have been lost"})
			l = lostFacts
		}
		m.boot, m.stopped = f.rec.Boot, false
		return l
	case recorderStopped:
		m.stopped = true
	}
	if f.rec.Boot == m.boot || f.rec.Boot == events.BootImport {
		return lostNothing
	}
	if m.boot != "" || f.rec.Seq == 1 {
		m.checked++
		m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("run %q begins at #%d without recorder.started", f.rec.Boot, f.rec.Seq), Hint: "what happened before it is not known"})
		f.past.policyAt = 0
		l = lostDecisions
	}
	m.boot, m.stopped = f.rec.Boot, false
	return l
}

func ending(inOrder bool) string {
	if inOrder {
		return "ending in order"
	}
	return "ending without recorder.stopped"
}

// unaccounted are attempts of an earlier run without an end that no start named,
// and what the judge had no room for.
func (m *a6) unaccounted(h *history) []Finding {
	var out []Finding
	if at := h.missed; at.seq != 0 {
		out = append(out, Finding{
			Rule: "A6", Seq: at.seq, Index: at.index,
			Text: fmt.Sprintf("%d attempts wait, or %d are connected, before #%d: the oldest ones had to be dropped, and whether it belongs to one of them cannot be said", maxRequests, maxFlights, at.seq),
			Hint: "a Gateway takes 32 clients; find out what asks so often",
		})
	}
	for i := range h.flights {
		if l := &h.flights[i]; l.open() && l.run < h.run && !l.listed && !l.told {
			out = append(out, Finding{
				Rule: "A6", Seq: h.runAt, Index: h.runIndex, Because: []uint64{l.seq},
				Text: fmt.Sprintf("attempt %s, permitted at #%d, has no end, and the start at #%d does not name it as unfinished", l.attempt, l.seq, h.runAt),
				Hint: "read on: attempt.unknown must close it before the next permit",
			})
		}
	}
	return out
}

// ErrStream wraps what made a stream unreadable; the verdict beside it is about
// what was read.
var ErrStream = errors.New("stream ended early")
