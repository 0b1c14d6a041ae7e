package rule

import (
	"fmt"
	"slices"

	"ibrecorder/events"
)

// answerWithin is how long a request may wait that nothing holds any more, in nanoseconds.
// The loop wakes by itself; a minute is far above any stall of a disk.
const answerWithin = 60e9

// rs10: whom nothing holds is answered.
type rs10 struct {
	tally
	Waits []asking // of this run, oldest first; the slice is never changed in place

	// Until when anything may hold a request, as the longest reading of the log has it.
	Until    moment
	Held     uint64 // the event that says so
	Fails    int64  // failures of the Gateway, each less than the policy's window behind the one before
	LastFail moment
	Failed   bool // there was one

	Free    moment // since nothing holds the oldest request, as far as events tell
	Since   bool   // Free is set
	Late    moment // of the first event at which that was too long
	Overdue bool   // there was one
	Told    bool
	Blind   bool // requests were dropped for want of room
	Fresh   bool // the run is the first of its log: nothing can be pending
}

// asking is a request that waits for its answer.
type asking struct {
	Attempt, Conn string
	Seq           uint64
}

// maxWaits is how many requests are remembered. IB allows 32 clients for one gateway.
const maxWaits = 64

// forget drops who waits: a missing event may have answered them.
func (m *rs10) forget() {
	m.Waits, m.Since, m.Overdue = nil, false, false
	m.Blind = true
}

func (m *rs10) step(f *facts) {
	p := &f.past.Policy
	switch f.kind {
	case recorderStarted:
		m.Waits, m.Since, m.Overdue, m.Told, m.Blind = nil, false, false, false, false
		m.Fresh = f.rec.Data.(events.RecorderStarted).Previous == events.PreviousNone
	case policyLoaded:
		if d := f.rec.Data.(events.PolicyLoaded); !m.Fresh { // what was pending begins again, whatever it was
			m.hold(f, max(d.SettleMS, d.ProbationSpacingMS, d.WindowMS, 2*min(d.BackoffCapMS, maxHoldMS))) // with all the jitter there may be
		}
		m.Fresh = false
	case restartAcknowledged:
		m.hold(f, p.SettleMS)
		m.Failed, m.Fails = false, 0
	case retryScheduled:
		if d := f.rec.Data.(events.RetryScheduled); d.ClientID == nil {
			m.hold(f, d.DelayMS)
		}
	case attemptRequested:
		if !f.outside {
			m.ask(f)
		}
	case attemptPermitted, attemptDenied, attemptSucceeded, attemptAbandoned, attemptUnknown:
		m.answered(f)
		m.hold(f, m.spacing(f))
	case attemptFailed:
		m.answered(f)
		m.hold(f, m.spacing(f))
		m.fail(f)
	case clientClosed:
		if f.rec.Conn != "" {
			m.drop(func(a asking) bool { return a.Conn == f.rec.Conn })
		}
	}
}

// spacing is the wait behind the end of an attempt that may be one of a probation.
func (m *rs10) spacing(f *facts) int64 {
	if !f.kind.ends() || f.past.ReleasedAt == 0 && !f.past.Evidence.Unsure {
		return 0
	}
	return f.past.Policy.ProbationSpacingMS
}

// fail counts towards the cap on failures in a window, as much as any reading does.
func (m *rs10) fail(f *facts) {
	p := &f.past.Policy
	apart, known := f.at.since(m.LastFail)
	if !m.Failed || known && apart >= p.WindowMS*1e6 {
		m.Fails = 0
	}
	m.Fails++
	m.LastFail, m.Failed = f.at, true
	if p.WindowFailures > 0 && m.Fails >= p.WindowFailures {
		m.hold(f, p.WindowMS)
	}
}

// hold says that nobody need be permitted for so long from now.
func (m *rs10) hold(f *facts, ms int64) {
	if ms <= 0 || f.at.Mono == events.NoMono {
		return
	}
	until := moment{f.at.Run, f.at.Mono + min(ms, maxHoldMS)*1e6}
	if until.Mono < f.at.Mono {
		return // a clock that no run can have
	}
	if left, known := m.Until.since(until); m.Held == 0 || !known || left < 0 {
		m.Until, m.Held = until, f.rec.Seq
	}
}

// maxHoldMS is more than any policy may say, and can be counted in nanoseconds.
const maxHoldMS = 1000 * 60 * 60 * 24 * 365

func (m *rs10) ask(f *facts) {
	if slices.ContainsFunc(m.Waits, func(a asking) bool { return a.Attempt == f.rec.Attempt }) {
		return
	}
	if len(m.Waits) == maxWaits {
		m.Waits, m.Blind = nil, true
	}
	m.Checked++
	m.Waits = append(slices.Clip(m.Waits), asking{f.rec.Attempt, f.rec.Conn, f.rec.Seq})
}

// answered takes an attempt off the queue: it was decided, or given up.
func (m *rs10) answered(f *facts) {
	if f.rec.Attempt == "" {
		return
	}
	m.drop(func(a asking) bool { return a.Attempt == f.rec.Attempt })
	if f.kind == attemptPermitted || f.kind == attemptDenied {
		m.Since, m.Overdue, m.Told = false, false, false // the others wait for that
	}
}

func (m *rs10) drop(is func(asking) bool) {
	if i := slices.IndexFunc(m.Waits, is); i >= 0 {
		m.Waits = slices.Delete(slices.Clone(m.Waits), i, i+1)
		m.Since, m.Overdue = false, false
	}
}

// wait sees whether the oldest request should have been answered by now. It comes after
// the event is part of the past. A log that took nothing for a while has a second minute
// from the first event that is late.
func (m *rs10) wait(f *facts) {
	if len(m.Waits) == 0 || m.Blind || m.Told || f.past.PolicyAt == 0 || f.at.Mono == events.NoMono || m.held(f) {
		m.Since, m.Overdue = false, false
		return
	}
	if !m.Since {
		m.Free, m.Since = f.at, true
		return
	}
	waited, known := f.at.since(m.Free)
	if !known || waited <= answerWithin {
		return
	}
	if !m.Overdue {
		m.Overdue, m.Late = true, f.at
		return
	}
	if more, known := f.at.since(m.Late); !known || more <= answerWithin {
		return
	}
	m.Told = true
	oldest := m.Waits[0]
	m.add(f, Finding{
		Rule: "RS10", Because: []uint64{oldest.Seq}, Observed: f.past.observing(),
		Text: fmt.Sprintf("attempt %s asked at #%d and is not answered, and nothing has held it for %d s", oldest.Attempt, oldest.Seq, waited/1e9),
	})
}

// held reports whether anything may hold whoever waits.
func (m *rs10) held(f *facts) bool {
	if f.past.OldFlights || f.past.Crowded || slices.ContainsFunc(f.past.Flights, func(l flight) bool { return l.open() }) {
		return true
	}
	if m.Held == 0 {
		return false
	}
	left, known := m.Until.since(f.at)
	return known && left > 0
}
