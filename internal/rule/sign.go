package rule

import "ibrecorder/events"

// sign is what the end of an attempt says about the Gateway.
type sign uint8

const (
	nothing   sign = iota // as if it had not happened
	noSilence             // not silent, and no proof of life: it breaks a row by some readings
	life                  // the API layer answered
	silence
	maybeSilence // a reported timeout whose stage nobody knows
	dialTimeout
	closedEarly
)

// timedOut takes in that the Gateway let the whole budget of a stage pass: the
// attempt has been silent, and its end says so, or why it has not.
func (h *history) timedOut(f *facts) {
	d := f.rec.Data.(events.HandshakeTimedOut)
	var why events.FailReason
	switch d.Stage {
	case events.StageConnected:
		why = events.AcceptedNoBytes
	case events.StageStarted:
		why = events.VersionNoReady
	default:
		return // it waits for the client there
	}
	if l := f.flight; l != nil && d.WaitedMS > 0 && d.WaitedMS >= h.budget(l, why, d.LimitMS) {
		l.Mute = d.Stage
	}
}

// silenced reports whether the budget was seen to pass in silence, and the end of
// the attempt does not name a reason for which that was none. Where the recorder died
// in between, nobody knows the end.
func (h *history) silenced(f *facts) bool {
	l := f.flight
	if l == nil || l.Mute == "" || f.outside || l.Run != h.Run {
		return false
	}
	explained := l.Mute == events.StageStarted && l.Excused
	switch d := f.rec.Data.(type) {
	case events.AttemptAbandoned:
		return !d.Answered || !explained
	case events.AttemptFailed:
		switch d.Reason {
		case events.BadVersion:
			return l.Mute != events.StageConnected || d.GatewayBytes == 0
		case events.ClientIDInUse, events.DisclaimerPending, events.ErrorBeforeReady:
			return d.Code == 0 || !explained
		}
	}
	return true
}

// read classifies an end.
func (h *history) read(f *facts) sign {
	if h.silenced(f) {
		return silence
	}
	switch d := f.rec.Data.(type) {
	case events.AttemptSucceeded:
		return life
	case events.AttemptAbandoned:
		if d.Answered {
			return noSilence
		}
	case events.AttemptFailed:
		switch d.Reason {
		case events.AcceptedNoBytes, events.VersionNoReady:
			return h.waited(f, d, silence)
		case events.DialTimeout:
			return h.waited(f, d, dialTimeout)
		case events.ReportedTimeout:
			switch d.Stage {
			case events.StageConnected, events.StageVersioned, events.StageStarted:
				return h.waited(f, d, silence)
			}
			return h.waited(f, d, maybeSilence)
		case events.FINBeforeVersion, events.RSTBeforeVersion:
			return closedEarly
		case events.ClientIDInUse, events.DisclaimerPending, events.ErrorBeforeReady, events.NoAccounts:
			return life
		case events.ClientWaits: // its version came; whoever reports it met our own port
			if !f.outside {
				return life
			}
		case events.Refused, events.Unreachable, events.BadVersion, events.ClosedBeforeReady:
			return noSilence
		}
	}
	return nothing // unknown, left early, never sent startAPI
}

// waited is s if the budget was waited out, whatever the end calls it. A reporter's
// own timeout is its budget, and too short a one proves nothing.
func (h *history) waited(f *facts, d events.AttemptFailed, s sign) sign {
	switch {
	case f.outside && d.LimitMS < h.Policy.MinReportedBudgetMS:
		return nothing
	case !f.outside && d.WaitedMS != 0 && d.WaitedMS < h.budget(f.flight, d.Reason, d.LimitMS):
		return nothing
	}
	return s
}

// budget is what the policy gives an attempt that would end so. For one that was
// permitted under another policy it is what the tap says.
func (h *history) budget(l *flight, why events.FailReason, said int64) int64 {
	if h.PolicyAt == 0 || l != nil && l.Seq < h.PolicyAt {
		return said
	}
	ms := h.Policy.VersionBudgetMS
	switch why {
	case events.VersionNoReady:
		ms = h.Policy.ReadyBudgetMS
	case events.DialTimeout:
		ms = h.Policy.DialTimeoutMS
	}
	if ms == 0 {
		return said
	}
	return ms
}

// backsOffGateway reports whether a failure makes everybody wait. The others make
// only their own client wait.
func backsOffGateway(why events.FailReason) bool {
	switch why {
	case events.AcceptedNoBytes, events.VersionNoReady, events.Refused, events.DialTimeout,
		events.FINBeforeVersion, events.RSTBeforeVersion:
		return true
	}
	return false
}
