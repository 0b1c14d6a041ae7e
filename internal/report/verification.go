package report

import (
	"cmp"
	"errors"
	"iter"
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// Verification is what was found out about one stream.
type Verification struct {
	// Source is the stream as the user named it.
	Source string
	// Gateway is whose stream it is, "" if no event could be read.
	Gateway string
	// Begin and End are the first and the last time in the stream, zero if it has none.
	Begin, End time.Time
	// Verdict is the judge's on what could be read.
	Verdict rule.Verdict
	// Audit is what became of the recorded decisions; it stands in the Verdict as RS6.
	Audit audit.Result
	// Broken is what ended the stream early, nil if nothing did.
	Broken error
	// Doubts are what is wrong with the place that the stream came from.
	Doubts []error
	// Evidence is what the bundle proves that the stream came in, nil for other places.
	Evidence *Evidence
	// Cited are events that findings name, as far as Cite found them.
	Cited map[uint64]events.Event
	// Trails are what led to the findings that the text tells, in their order; none
	// before Cite.
	Trails []Trail
}

// Verify judges a stream in one pass: its chain, every rule, and its decisions. Each
// stored event is hashed once, by the judge.
func Verify(stream iter.Seq2[events.Record, error]) Verification {
	var v Verification
	j, decisions := rule.New(), audited()
	for rec, err := range stream {
		if err != nil {
			v.Broken = err
			break
		}
		if v.Gateway == "" {
			v.Gateway = rec.Gateway
		}
		if !rec.Time.IsZero() {
			if v.Begin.IsZero() {
				v.Begin = rec.Time
			}
			v.End = rec.Time
		}
		decisions.step(rec.Event)
		j.Step(rec)
	}
	v.Verdict = j.Verdict()
	v.Audit = decisions.end()
	v.Audit.Join(&v.Verdict)
	return v
}

// Outcome is the judge's, but that nothing holds of a stream that is not whole, and that
// neither holds nor is violated what a bundle does not prove.
func (v *Verification) Outcome() rule.Outcome {
	if v.Evidence != nil && v.Evidence.doubt() != nil {
		return rule.Inconclusive
	}
	if v.Verdict.Outcome == rule.Holds && (v.Broken != nil || len(v.Doubts) > 0) {
		return rule.Inconclusive
	}
	return v.Verdict.Outcome
}

// findings are those of the given results in the order of the stream.
func findings(results []rule.Result) []rule.Finding {
	var out []rule.Finding
	for _, r := range results {
		out = append(out, r.Findings...)
	}
	slices.SortStableFunc(out, func(a, b rule.Finding) int { return cmp.Compare(a.Index, b.Index) })
	return out
}

// total is how many findings there are, those that were not kept among them.
func (v *Verification) total() (n int) {
	for _, r := range slices.Concat(v.Verdict.Rules, v.Verdict.Assumptions) {
		n += r.Total
	}
	return n
}

// breaches are the findings that make a verdict VIOLATED.
func (v *Verification) breaches() []rule.Finding {
	return slices.DeleteFunc(findings(v.Verdict.Rules), func(f rule.Finding) bool { return f.Observed || f.Disputed })
}

// shown are the findings that the text tells: breaches first, then what does not
// hold of the assumptions, then what proves nothing.
func (v *Verification) shown() []rule.Finding {
	all := append(v.breaches(), findings(v.Verdict.Assumptions)...)
	all = append(all, slices.DeleteFunc(findings(v.Verdict.Rules), func(f rule.Finding) bool { return !f.Observed && !f.Disputed })...)
	return all[:min(len(all), maxShown)]
}

// maxShown is how many findings a text tells in full. A storm has thousands of
// the same; the JSON has up to 100 of each rule.
const maxShown = 10

// Span is the range of sequences that the findings name, 0 and 0 for none.
func (v *Verification) Span() (from, to uint64) {
	for seq := range v.named() {
		if from == 0 || seq < from {
			from = seq
		}
		to = max(to, seq)
	}
	return from, to
}

func (v *Verification) named() map[uint64]bool {
	named := map[uint64]bool{}
	for _, f := range v.shown() {
		named[f.Seq] = f.Seq != 0
		for _, seq := range f.Because {
			named[seq] = true
		}
	}
	delete(named, 0)
	return named
}

// place is where a stream could not be read on, as far as the error says.
func place(err error) (line, at int, field string) {
	if d, ok := errors.AsType[*events.DecodeError](err); ok {
		return d.Line, d.Offset, d.Field
	}
	return 0, 0, ""
}
