package recorder

import (
	"slices"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

// The interlock stands between the policy and a dial: it steps a fork of the judge on
// the permit, and on the dial that would follow, before either is written. The judge
// knows neither the policy nor the fold, so a mistake of theirs is in the way of the
// one dial that it would have allowed.

// checked returns d, or the refusal that takes its place: a permit that the judge would
// find to break the rule is not written. One that nobody waits for is left out: its denial
// would answer nobody, and the same permit would be due again at once. In observe mode
// nobody is held by anything.
func (g *Gateway) checked(d policy.Decision) policy.Decision {
	if _, permit := d.Data.(events.AttemptPermitted); !permit || !g.enforced() {
		return d
	}
	broken := g.breaks(d)
	if broken == nil {
		return d
	}
	g.log.Error("A DIAL WAS REFUSED that the policy would permit and that would break the rule; the recorder is not in order",
		"rule", broken.Rule, "attempt", d.Attempt, "because", broken.Because, "text", broken.Text)
	if _, waits := g.state.Request(d.Attempt); !waits {
		return policy.Decision{}
	}
	d.Data = events.AttemptDenied{Policy: g.state.Policy.Hash, Reason: events.HoldRule, Count: 1, Rule: broken.Rule, Text: broken.Text}
	return d
}

// breaks returns what a permit would break, or its dial, nil if nothing. What somebody
// else breaks by it is not the recorder's.
func (g *Gateway) breaks(d policy.Decision) *rule.Finding {
	permit := g.cfg.Redactor.Event(draftOf(d), g.stamp(d.Data))
	dial := permit
	dial.ID, dial.Source, dial.Seq, dial.Cause = permit.ID+"-dial", "/tap", permit.Seq+1, permit.ID
	dial.Data = events.DialStarted{}
	fork := g.judge.Fork()
	would := fork.Step(events.Record{Event: permit})
	if r, _ := g.state.Request(d.Attempt); r.LeaseMS == 0 { // else its runner dials, and not we
		would = append(would, fork.Step(events.Record{Event: dial})...)
	}
	i := slices.IndexFunc(would, func(f rule.Finding) bool { return !f.Bypassed && !f.Observed })
	if i < 0 {
		return nil
	}
	return &would[i]
}
