package report

import (
	"fmt"
	"slices"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// rs6 stands beside the catalogue of the judge, which must not know the policy.
var rs6 = rule.Entry{
	ID: "RS6", Kind: rule.Rule, Unit: "decisions",
	Title: "Each recorded decision is the one that the policy computes.",
	Why:   "A decision that cannot be computed again was made by something else than the rule that the log names.",
	How: "The stream is folded, and at each step the policy of the log is asked what is due. What is RECORDED is held against what is RECOMPUTED: a decision is missing if the log goes on without it, extra if the policy does not make it, different if it says something else. " +
		"A decision may be later than time made it due, a run that was killed owes nothing, and what is drawn at random may be anything up to its bound. What the judge refused in the place of the policy, and the count of those whom a port turned away, are not the policy's. " +
		"Not judged: a history that no recorder saw, a stream without its beginning or behind a hole, and a run of another version of the fold or the policy.",
}

// Catalogue is the judge's, with what this package judges by other means.
func Catalogue() []rule.Entry {
	all := rule.Catalogue()
	return slices.Insert(all, afterRS5(all, func(e rule.Entry) string { return e.ID }), rs6)
}

// Lookup returns one entry of Catalogue by its id.
func Lookup(id string) (rule.Entry, bool) {
	if id == rs6.ID {
		return rs6, true
	}
	return rule.Lookup(id)
}

// afterRS5 is the place of RS6.
func afterRS5[T any](all []T, id func(T) string) int {
	return slices.IndexFunc(all, func(t T) bool { return id(t) == "RS5" }) + 1
}

// auditing is an audit on a goroutine of its own, which owns it: the judge does not wait
// for it, and the result does not depend on who is faster.
type auditing struct {
	batch       []events.Event
	full, empty chan []events.Event
	done        chan audit.Result
}

const (
	auditBatch   = 256
	auditBatches = 4 // one is filled, one is read, and two are on the way
)

func audited() *auditing {
	a := &auditing{full: make(chan []events.Event, auditBatches), empty: make(chan []events.Event, auditBatches), done: make(chan audit.Result, 1)}
	for range auditBatches - 1 {
		a.empty <- make([]events.Event, 0, auditBatch)
	}
	a.batch = make([]events.Event, 0, auditBatch)
	go func() {
		of := audit.New()
		for batch := range a.full {
			for i := range batch {
				of.Step(batch[i])
			}
			a.empty <- batch[:0]
		}
		a.done <- of.Result()
	}()
	return a
}

func (a *auditing) step(e events.Event) {
	if a.batch = append(a.batch, e); len(a.batch) == auditBatch {
		a.full <- a.batch
		a.batch = <-a.empty
	}
}

// end returns when all of it is audited.
func (a *auditing) end() audit.Result {
	a.full <- a.batch
	close(a.full)
	return <-a.done
}

// join puts what the audit found into the verdict, as one rule of it.
func (v *Verification) join(a audit.Result) {
	v.Audit = a
	disputed := v.disputed()
	r := rule.Result{ID: rs6.ID, Title: rs6.Title, Checked: a.Checked, Unit: rs6.Unit, Total: a.Total}
	broken := false
	for _, f := range a.Findings {
		found := rule.Finding{Rule: rs6.ID, Seq: f.Seq, Observed: f.Observed, Disputed: f.Index >= disputed, Index: f.Index,
			Text: string(f.Class) + ": " + f.Text, Hint: fmt.Sprintf("replay state --at %d", f.Seq)}
		if f.Because != 0 {
			found.Because = []uint64{f.Because}
		}
		r.Findings = append(r.Findings, found)
		broken = broken || !found.Observed && !found.Disputed
	}
	d := &v.Verdict
	d.Rules = slices.Insert(d.Rules, afterRS5(d.Rules, func(r rule.Result) string { return r.ID }), r)
	if broken {
		d.Outcome = rule.Violated
	}
}

// disputed is the place from which nothing proves a breach, because the chain is broken
// there: the event before a broken link is the one whose bytes are in doubt.
func (v *Verification) disputed() int {
	at := int(^uint(0) >> 1)
	for _, r := range v.Verdict.Assumptions {
		if r.ID != "A1" && r.ID != "A2" {
			continue
		}
		for _, f := range r.Findings {
			at = min(at, f.Index-1)
		}
	}
	return at
}
