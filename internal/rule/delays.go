package rule

import (
	"fmt"

	"ibrecorder/events"
)

// rs3: recorded delays and the number of attempts of a probation are respected.
type rs3 struct {
	tally
	backoff wait // after a failure that backs off the gateway
	settle  wait // after a release
	spacing wait // after an attempt of a probation that was used up
	trial   wait // the attempt of a probation that is under way; becomes spacing
	clients alones
	attempt string
	sight   moment // of a listener, the first since the stop
	sighted bool
	blind   bool // that sight may be missing
	last    moment
}

// wait is a span before the end of which nobody may be permitted.
type wait struct {
	seq   uint64 // the event that began it; 0: none
	from  moment
	ms    int64
	again uint64 // the start of the recorder from which it runs again
}

// pending reports whether the wait was not over at now, as far as anybody knows.
func (w *wait) pending(now moment) bool {
	if w.seq == 0 {
		return false
	}
	passed, known := now.since(w.from)
	return !known || passed < w.ms*1e6
}

// forget drops every wait: what is missing may have ended it.
func (m *rs3) forget() {
	m.backoff, m.settle, m.spacing, m.trial = wait{}, wait{}, wait{}, wait{}
	m.clients.n = 0
	m.blind = true
}

func (m *rs3) step(f *facts) {
	m.clientStep(f)
	switch f.kind {
	case recorderStarted:
		m.restart(f)
	case retryScheduled:
		m.schedule(f)
	case gatewayObserved:
		if !m.sighted && f.rec.Data.(events.GatewayObserved).Listening == events.ListeningYes {
			m.sight, m.sighted = f.at, true
		}
	case restartRequired:
		if !f.past.stop.stands {
			m.sighted, m.blind = false, false
		}
	case restartAcknowledged:
		m.backoff, m.spacing, m.trial = wait{}, wait{}, wait{}
		m.settle = wait{seq: f.rec.Seq, from: f.at, ms: f.past.policy.SettleMS}
		if m.sighted && m.sight.run == f.at.run {
			m.settle.from = m.sight
		}
		if f.past.policyAt == 0 || m.blind {
			m.settle = wait{}
		}
		m.sighted = false
	case attemptPermitted:
		m.permitted(f)
	case attemptFailed, attemptUnknown, attemptAbandoned:
		if m.trial.seq != 0 && f.rec.Attempt == m.attempt {
			if f.kind == attemptUnknown || f.past.read(f) == silence {
				m.spacing = m.trial
			}
			m.trial = wait{}
		}
	case attemptSucceeded:
		m.backoff, m.settle, m.spacing, m.trial = wait{}, wait{}, wait{}, wait{}
	}
	if f.at.mono != events.NoMono {
		m.last = f.at
	}
}

// restart begins every wait that was not over again in full: durations do not
// exist across runs of the recorder.
func (m *rs3) restart(f *facts) {
	for _, w := range []*wait{&m.backoff, &m.settle, &m.spacing, &m.trial} {
		if !w.pending(m.last) {
			*w = wait{}
			continue
		}
		w.from, w.again = f.at, f.rec.Seq
	}
	if m.sighted {
		m.sight = f.at
	}
}

// schedule takes in a wait of the whole gateway. One that follows the trouble of
// a single client concerns only that client.
func (m *rs3) schedule(f *facts) {
	end := &f.past.lastEnd
	if f.rec.Data.(events.RetryScheduled).ClientID != nil || end.id == "" || f.rec.Cause != end.id || !end.gateway {
		return
	}
	w := wait{seq: f.rec.Seq, from: f.at, ms: f.rec.Data.(events.RetryScheduled).DelayMS}
	if m.backoff.seq != 0 {
		passed, known := f.at.since(m.backoff.from)
		if known && m.backoff.ms*1e6-passed > w.ms*1e6 {
			return // the earlier one lasts longer
		}
	}
	m.backoff = w
}

func (m *rs3) permitted(f *facts) {
	m.settle.ms = min(m.settle.ms, f.past.policy.SettleMS)
	m.spacing.ms = min(m.spacing.ms, f.past.policy.ProbationSpacingMS)
	timed := m.judge(f, &m.backoff, "the wait before the next attempt")
	timed = m.judge(f, &m.settle, "the time to settle after a release") || timed
	timed = m.judge(f, &m.spacing, "the spacing of the attempts after a release") || timed

	e, p := &f.past.evidence, &f.past.policy
	if e.probation && f.past.policyAt != 0 {
		timed = true
		if !e.doubted && e.used.sure >= p.ProbationAttempts {
			m.add(f, Finding{
				Rule: "RS3", Because: e.because(), Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
				Text: fmt.Sprintf("attempt %s was permitted although all %d attempts after the release were used up without success", f.rec.Attempt, p.ProbationAttempts),
			})
		}
		if f.rec.Data.(events.AttemptPermitted).Against == "" {
			m.trial, m.attempt = wait{seq: f.rec.Seq, from: f.at, ms: p.ProbationSpacingMS}, f.rec.Attempt
		}
	}
	if timed {
		m.checked++
	}
	m.backoff, m.settle, m.spacing = wait{}, wait{}, wait{}
}

// judge reports whether the wait could be judged.
func (m *rs3) judge(f *facts, w *wait, what string) bool {
	if w.seq == 0 {
		return false
	}
	passed, known := f.at.since(w.from)
	if !known {
		return false
	}
	if passed < w.ms*1e6 {
		found := Finding{
			Rule: "RS3", Because: []uint64{w.seq}, Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
			Text: fmt.Sprintf("attempt %s was permitted %d ms after #%d; %s is %d ms", f.rec.Attempt, passed/1e6, max(w.seq, w.again), what, w.ms),
		}
		if w.again != 0 {
			found.Because = append(found.Because, w.again)
		}
		m.add(f, found)
	}
	return true
}
