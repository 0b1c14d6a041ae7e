package rule

import (
	"fmt"

	"ibrecorder/events"
)

// rs3: recorded delays and the number of attempts of a probation are respected.
type rs3 struct {
	tally
	Backoff wait // after a failure that backs off the gateway
	Settle  wait // after a release
	Spacing wait // after an attempt of a probation that was used up
	Trial   wait // the attempt of a probation that is under way; becomes spacing
	Clients alones
	Attempt string
	Sight   moment // of a listener, the first since the stop
	Sighted bool
	Blind   bool // that sight may be missing
	Last    moment
}

// wait is a span before the end of which nobody may be permitted.
type wait struct {
	Seq   uint64 // the event that began it; 0: none
	From  moment
	MS    int64
	Again uint64 // the start of the recorder from which it runs again
}

// pending reports whether the wait was not over at now, as far as anybody knows.
func (w *wait) pending(now moment) bool {
	if w.Seq == 0 {
		return false
	}
	passed, known := now.since(w.From)
	return !known || passed < w.MS*1e6
}

// forget drops every wait: what is missing may have ended it.
func (m *rs3) forget() {
	m.Backoff, m.Settle, m.Spacing, m.Trial = wait{}, wait{}, wait{}, wait{}
	m.Clients.N = 0
	m.Blind = true
}

func (m *rs3) step(f *facts) {
	m.clientStep(f)
	switch f.kind {
	case recorderStarted:
		m.restart(f)
	case retryScheduled:
		m.schedule(f)
	case gatewayObserved:
		if !m.Sighted && f.rec.Data.(events.GatewayObserved).Listening == events.ListeningYes {
			m.Sight, m.Sighted = f.at, true
		}
	case restartRequired:
		if !f.past.Stop.Stands {
			m.Sighted, m.Blind = false, false
		}
	case restartAcknowledged:
		m.Backoff, m.Spacing, m.Trial = wait{}, wait{}, wait{}
		m.Settle = wait{Seq: f.rec.Seq, From: f.at, MS: f.past.Policy.SettleMS}
		if m.Sighted && m.Sight.Run == f.at.Run {
			m.Settle.From = m.Sight
		}
		if f.past.PolicyAt == 0 || m.Blind {
			m.Settle = wait{}
		}
		m.Sighted = false
	case attemptPermitted:
		m.permitted(f)
	case attemptFailed, attemptUnknown, attemptAbandoned:
		if m.Trial.Seq != 0 && f.rec.Attempt == m.Attempt {
			if f.kind == attemptUnknown || f.past.read(f) == silence {
				m.Spacing = m.Trial
			}
			m.Trial = wait{}
		}
	case attemptSucceeded:
		m.Backoff, m.Settle, m.Spacing, m.Trial = wait{}, wait{}, wait{}, wait{}
	}
	if f.at.Mono != events.NoMono {
		m.Last = f.at
	}
}

// restart begins every wait that was not over again in full: durations do not
// exist across runs of the recorder.
func (m *rs3) restart(f *facts) {
	for _, w := range []*wait{&m.Backoff, &m.Settle, &m.Spacing, &m.Trial} {
		if !w.pending(m.Last) {
			*w = wait{}
			continue
		}
		w.From, w.Again = f.at, f.rec.Seq
	}
	if m.Sighted {
		m.Sight = f.at
	}
}

// schedule takes in a wait of the whole gateway. One that follows the trouble of
// a single client concerns only that client.
func (m *rs3) schedule(f *facts) {
	end := &f.past.LastEnd
	if f.rec.Data.(events.RetryScheduled).ClientID != nil || end.ID == "" || f.rec.Cause != end.ID || !end.Gateway {
		return
	}
	w := wait{Seq: f.rec.Seq, From: f.at, MS: f.rec.Data.(events.RetryScheduled).DelayMS}
	if m.Backoff.Seq != 0 {
		passed, known := f.at.since(m.Backoff.From)
		if known && m.Backoff.MS*1e6-passed > w.MS*1e6 {
			return // the earlier one lasts longer
		}
	}
	m.Backoff = w
}

func (m *rs3) permitted(f *facts) {
	m.Settle.MS = min(m.Settle.MS, f.past.Policy.SettleMS)
	m.Spacing.MS = min(m.Spacing.MS, f.past.Policy.ProbationSpacingMS)
	timed := m.judge(f, &m.Backoff, "the wait before the next attempt")
	timed = m.judge(f, &m.Settle, "the time to settle after a release") || timed
	timed = m.judge(f, &m.Spacing, "the spacing of the attempts after a release") || timed

	e, p := &f.past.Evidence, &f.past.Policy
	if e.Probation && f.past.PolicyAt != 0 {
		timed = true
		if !e.Doubted && e.Used.Sure >= p.ProbationAttempts {
			m.add(f, Finding{
				Rule: "RS3", Because: e.because(), Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
				Text: fmt.Sprintf("attempt %s was permitted although all %d attempts after the release were used up without success", f.rec.Attempt, p.ProbationAttempts),
			})
		}
		if f.rec.Data.(events.AttemptPermitted).Against == "" {
			m.Trial, m.Attempt = wait{Seq: f.rec.Seq, From: f.at, MS: p.ProbationSpacingMS}, f.rec.Attempt
		}
	}
	if timed {
		m.Checked++
	}
	m.Backoff, m.Settle, m.Spacing = wait{}, wait{}, wait{}
}

// judge reports whether the wait could be judged.
func (m *rs3) judge(f *facts, w *wait, what string) bool {
	if w.Seq == 0 {
		return false
	}
	passed, known := f.at.since(w.From)
	if !known {
		return false
	}
	if passed < w.MS*1e6 {
		found := Finding{
			Rule: "RS3", Because: []uint64{w.Seq}, Observed: f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced),
			Text: fmt.Sprintf("attempt %s was permitted %d ms after #%d; %s is %d ms", f.rec.Attempt, passed/1e6, max(w.Seq, w.Again), what, w.MS),
		}
		if w.Again != 0 {
			found.Because = append(found.Because, w.Again)
		}
		m.add(f, found)
	}
	return true
}
