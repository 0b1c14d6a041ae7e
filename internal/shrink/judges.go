package shrink

import (
	"slices"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// rs6 is the rule that the audit judges.
const rs6 = "RS6"

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
	a := j.audit.Result()
	disputed := j.index + 1
	for _, r := range v.Assumptions {
		for _, f := range r.Findings {
			if r.ID == "A1" || r.ID == "A2" {
				disputed = min(disputed, f.Index-1)
			}
		}
	}
	r := rule.Result{ID: rs6, Checked: a.Checked, Total: a.Total}
	for _, f := range a.Findings {
		one := rule.Finding{Rule: rs6, Seq: f.Seq, Observed: f.Observed, Disputed: f.Index >= disputed, Index: f.Index, Text: string(f.Class) + ": " + f.Text}
		if f.Because != 0 {
			one.Because = []uint64{f.Because}
		}
		r.Findings = append(r.Findings, one)
		if f.Index == j.index {
			last = append(last, one)
		}
		if !one.Observed && !one.Disputed {
			v.Outcome = rule.Violated
		}
	}
	v.Rules = append(v.Rules, r)
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
