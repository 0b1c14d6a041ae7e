package rule

import (
	"encoding/json"
	"errors"
	"fmt"

	"ibrecorder/events"
)

// a1 and a2: the stream is one unbroken history of one gateway.
type chain struct {
	A1, A2   tally
	Gateway  string
	First    uint64
	Last     uint64
	Head     events.Hash
	Unhashed bool // the last event came without its stored bytes
	Told     bool // of that
	Disputed int  // index of the first event that proves nothing, or never
}

const never = int(^uint(0) >> 1)

// step reports whether the event belongs to this stream, and what is lost if it
// does not continue it.
func (c *chain) step(f *facts) (belongs bool, l lost) {
	c.A1.Checked++
	if c.First == 0 {
		c.Gateway, c.First = f.rec.Gateway, f.rec.Seq
		c.link(f, f.rec.Seq == 1)
		if f.rec.Seq > 1 {
			l = lostTrust
		}
		return true, l
	}
	switch {
	case f.rec.Gateway != c.Gateway:
		c.A1.note(f, Finding{Rule: "A1", Text: fmt.Sprintf("event #%d belongs to gateway %s; the stream is of %s; it is not judged", f.rec.Seq, f.rec.Gateway, c.Gateway), Hint: "judge each gateway's stream by itself"})
		return false, lostNothing
	case f.rec.Seq != c.Last+1:
		c.A1.note(f, Finding{Rule: "A1", Text: fmt.Sprintf("event #%d follows #%d, want #%d", f.rec.Seq, c.Last, c.Last+1), Hint: "export the missing range, or judge the parts by themselves"})
		c.Disputed = min(c.Disputed, f.index)
		c.link(f, false)
		return true, lostTrust
	}
	if !c.link(f, true) {
		// The bytes of the event before are what cannot be vouched for.
		c.Disputed = min(c.Disputed, f.index-1)
		return true, lostTrust
	}
	return true, lostNothing
}

// link checks the hash of the event before and makes f the head.
func (c *chain) link(f *facts, judge bool) bool {
	fits := true
	switch {
	case c.Unhashed || f.rec.Raw == nil:
		if !c.Told {
			c.A2.note(f, Finding{Rule: "A2", Text: fmt.Sprintf("event #%d came without its stored bytes, so its place in the chain cannot be checked", f.rec.Seq), Hint: "judge the stored bytes"})
		}
		c.Told = true
	case judge:
		c.A2.Checked++
		if fits = f.rec.Prev == c.Head; !fits {
			c.A2.note(f, Finding{Rule: "A2", Text: fmt.Sprintf("event #%d says that the hash before it is %s, and it is %s", f.rec.Seq, f.rec.Prev, c.Head), Hint: "compare with another copy of the log; one of these two events is not as it was written"})
		}
	}
	c.Last, c.Head, c.Unhashed = f.rec.Seq, events.Hash{}, f.rec.Raw == nil
	if !c.Unhashed {
		c.Head = events.HashOf(f.rec.Raw)
	}
	return fits
}

// a4: mono does not decrease within a boot.
type a4 struct {
	tally
	Boot string
	Mono int64
}

func (m *a4) step(f *facts) {
	if f.rec.Boot == events.BootImport || f.rec.Mono == events.NoMono {
		return
	}
	if f.rec.Boot != m.Boot || f.kind == recorderStarted {
		m.Boot, m.Mono = f.rec.Boot, 0
		f.past.Timeless = false
	}
	m.Checked++
	if f.rec.Mono < m.Mono && !f.past.Timeless {
		m.note(f, Finding{Rule: "A4", Text: fmt.Sprintf("the monotonic clock of boot %s went back at #%d, from %d to %d ns", f.rec.Boot, f.rec.Seq, m.Mono, f.rec.Mono), Hint: "durations of that run are not judged; the order of its events is"})
		f.past.Timeless = true
	}
	m.Mono = f.rec.Mono
}

// a5: a policy of this run is known wherever one is needed.
type a5 struct {
	tally
	Told bool
}

func (m *a5) step(f *facts) {
	switch f.kind {
	case policyLoaded:
		m.Told = false
		m.Checked++
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
	m.Checked++
	if f.past.PolicyAt == 0 && !m.Told {
		m.note(f, Finding{Rule: "A5", Text: fmt.Sprintf("%s at #%d, and no policy.loaded before it in this run: limits and delays are not judged until there is one", f.rec.Kind(), f.rec.Seq), Hint: "judge from the recorder.started of that run, or from #1"})
		m.Told = true
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
	Boot     string // of the last run
	Stopped  bool   // that run ended in order
	Recorded bool   // a recorder wrote an event
	Imported bool   // somebody wrote one down later
	Told     bool   // of both in one stream
}

// apart sees to it that a recorder's history and one that no recorder saw are two
// streams: nothing that was written down later takes part in what a recorder saw.
func (m *a6) apart(f *facts) {
	m.Recorded, m.Imported = m.Recorded || !f.imported, m.Imported || f.imported
	if !m.Recorded || !m.Imported {
		return
	}
	if !m.Told {
		m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("from #%d on what a recorder saw and what was written down later are mixed in one stream", f.rec.Seq), Hint: "judge the parts by themselves"})
		m.Told = true
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
		m.Checked++
		m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("facts are missing at #%d (%s)", f.rec.Seq, d.Reason), Hint: "what rests on both sides of the gap is not judged"})
		return l
	case recorderStarted:
		d := f.rec.Data.(events.RecorderStarted)
		m.Checked++
		said := d.Previous == events.PreviousStopped
		if m.Boot != "" && (d.PreviousBoot != m.Boot || said != m.Stopped) {
			m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("the start at #%d says that run %q ended %s, and the log shows run %q %s", f.rec.Seq, d.PreviousBoot, d.Previous, m.Boot, ending(m.Stopped)), Hint: "compare with another copy of the log; its end may have been lost"})
			l = lostFacts
		}
		m.Boot, m.Stopped = f.rec.Boot, false
		return l
	case recorderStopped:
		m.Stopped = true
	}
	if f.rec.Boot == m.Boot || f.rec.Boot == events.BootImport {
		return lostNothing
	}
	if m.Boot != "" || f.rec.Seq == 1 {
		m.Checked++
		m.note(f, Finding{Rule: "A6", Text: fmt.Sprintf("run %q begins at #%d without recorder.started", f.rec.Boot, f.rec.Seq), Hint: "what happened before it is not known"})
		f.past.PolicyAt = 0
		l = lostDecisions
	}
	m.Boot, m.Stopped = f.rec.Boot, false
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
	if at := h.Missed; at.Seq != 0 {
		out = append(out, Finding{
			Rule: "A6", Seq: at.Seq, Index: at.Index,
			Text: fmt.Sprintf("%d attempts wait, or %d are connected, before #%d: the oldest ones had to be dropped, and whether it belongs to one of them cannot be said", maxRequests, maxFlights, at.Seq),
			Hint: "a Gateway takes 32 clients; find out what asks so often",
		})
	}
	for i := range h.Flights {
		if l := &h.Flights[i]; l.open() && l.Run < h.Run && !l.Listed && !l.Told {
			out = append(out, Finding{
				Rule: "A6", Seq: h.RunAt, Index: h.RunIndex, Because: []uint64{l.Seq},
				Text: fmt.Sprintf("attempt %s, permitted at #%d, has no end, and the start at #%d does not name it as unfinished", l.Attempt, l.Seq, h.RunAt),
				Hint: "read on: attempt.unknown must close it before the next permit",
			})
		}
	}
	return out
}

// ErrStream wraps what made a stream unreadable; the verdict beside it is about
// what was read.
var ErrStream = errors.New("stream ended early")
