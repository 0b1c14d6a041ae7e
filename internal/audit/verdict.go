package audit

import (
	"fmt"
	"math"
	"slices"

	"ibrecorder/internal/rule"
)

// Rule stands beside the catalogue of the judge, which must not know the policy.
var Rule = rule.Entry{
	ID: "RS6", Kind: rule.Rule, Unit: "decisions",
	Title: "Each recorded decision is the one that the policy computes.",
	Why:   "A decision that cannot be computed again was made by something else than the rule that the log names.",
	How: "The stream is folded, and at each step the policy of the log is asked what is due. What is RECORDED is held against what is RECOMPUTED: a decision is missing if the log goes on without it, extra if the policy does not make it, different if it says something else. " +
		"A decision may be later than time made it due, a run that was killed owes nothing, and what is drawn at random may be anything up to its bound. What the judge refused in the place of the policy, and the count of those whom a port turned away, are not the policy's. " +
		"Not judged: a history that no recorder saw, a stream without its beginning or behind a hole, a run of another version of the fold or the policy, and what follows in a run whose clock went back.",
}

// After is the place of Rule among others, or of what became of it: behind RS5.
func After[T any](all []T, id func(T) string) int {
	return slices.IndexFunc(all, func(t T) bool { return id(t) == "RS5" }) + 1
}

// Join puts what the audit of a stream found into the verdict on it, as one rule of it.
func (r Result) Join(v *rule.Verdict) {
	from := disputed(v)
	of := rule.Result{ID: Rule.ID, Title: Rule.Title, Checked: r.Checked, Unit: Rule.Unit, Total: r.Total}
	broken := false
	for _, f := range r.Findings {
		found := rule.Finding{Rule: Rule.ID, Seq: f.Seq, Observed: f.Observed, Disputed: f.Index >= from, Index: f.Index,
			Text: string(f.Class) + ": " + f.Text, Hint: fmt.Sprintf("replay state --at %d", f.Seq)}
		if f.Because != 0 {
			found.Because = []uint64{f.Because}
		}
		of.Findings = append(of.Findings, found)
		broken = broken || !found.Observed && !found.Disputed
	}
	v.Rules = slices.Insert(v.Rules, After(v.Rules, func(r rule.Result) string { return r.ID }), of)
	if broken {
		v.Outcome = rule.Violated
	}
}

// disputed is the place from which nothing proves a breach, because the chain is broken
// there: the event before a broken link is the one whose bytes are in doubt.
func disputed(v *rule.Verdict) int {
	at := math.MaxInt
	for _, r := range v.Assumptions {
		if r.ID != "A1" && r.ID != "A2" {
			continue
		}
		for _, f := range r.Findings {
			at = min(at, f.Index-1)
		}
	}
	return at
}
