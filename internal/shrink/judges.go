package shrink

import (
	"slices"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// rs6 is the rule that the audit judges.
var rs6 = audit.Rule.ID

// judges are the judge and the audit of the decisions, as one: what is left of a stream
// shall have no decision that nothing in it led to.
type judges struct {
	rules *rule.Judge
	audit *audit.Audit
	found []rule.Finding // of the last event, but for what the audit says
	index int            // of the last event
}

func newJudges() *judges { return &judges{rules: rule.New(), audit: audit.New(), index: -1} }

func (j *judges) step(rec events.Record) {
	j.found = j.rules.Step(rec)
	j.audit.Step(rec.Event)
	j.index++
}

// verdict is that on what was seen, and what the last event of it breaks.
func (j *judges) verdict() (v rule.Verdict, last []rule.Finding) {
	v = j.rules.Verdict()
	last = slices.Clone(j.found)
	j.audit.Result().Join(&v)
	for _, r := range v.Rules {
		for _, f := range r.Findings {
			if r.ID == rs6 && f.Index == j.index {
				last = append(last, f)
			}
		}
	}
	return v, last
}

// check judges a whole stream.
func check(stream func(func(events.Record, error) bool)) (rule.Verdict, error) {
	j := newJudges()
	var broken error
	for rec, err := range stream {
		if err != nil {
			broken = err
			break
		}
		j.step(rec)
	}
	v, _ := j.verdict()
	return v, broken
}
