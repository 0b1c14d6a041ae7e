package whatif

import (
	"ibrecorder/events"
	"ibrecorder/fsm"
)

// otherEnd says which budget of this policy an attempt would have met otherwise than
// it did: one that was cut off earlier than this policy would, or that was answered
// later than this policy waits. Then it is not known how it would have ended. One that
// this policy would have given up earlier has the same end, at another time: that
// changes nothing if it is what stops.
func (m *Mask) otherEnd(e events.Event) string {
	if fsm.Reported(e) || m.world.session(e.Attempt) == nil {
		return ""
	}
	p := m.world.policy.Params
	late := func(budget string, us, limit int64) string {
		if us/1000 > limit {
			return budget
		}
		return ""
	}
	cut := func(budget string, d events.AttemptFailed, limit int64) string {
		switch waited := max(d.WaitedMS, d.LimitMS); {
		case waited == 0 || waited == limit:
		case waited < limit:
			return budget
		default:
			m.shorter = budget
		}
		return ""
	}
	switch d := e.Data.(type) {
	case events.DialConnected:
		return late("dial_timeout_ms", d.ElapsedUS, p.DialTimeoutMS)
	case events.HandshakeVersion:
		return late("version_budget_ms", d.ElapsedUS, p.VersionBudgetMS)
	case events.HandshakeReady:
		return late("ready_budget_ms", d.ElapsedUS, p.ReadyBudgetMS)
	case events.AttemptFailed:
		switch d.Reason {
		case events.DialTimeout:
			return cut("dial_timeout_ms", d, p.DialTimeoutMS)
		case events.AcceptedNoBytes:
			return cut("version_budget_ms", d, p.VersionBudgetMS)
		case events.VersionNoReady:
			return cut("ready_budget_ms", d, p.ReadyBudgetMS)
		case events.NoStartAPI:
			return cut("start_api_budget_ms", d, p.StartAPIBudgetMS)
		}
	}
	return ""
}
