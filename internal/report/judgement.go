package report

import (
	"fmt"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

// judged takes over the verdict, the findings in the span first.
func (c *composer) judged(d *Document, v *Verification) {
	rows := func(in []rule.Result) []RuleRow {
		out := make([]RuleRow, len(in))
		for i, r := range v.results(in) {
			word, _ := result(in[i])
			out[i] = RuleRow{r, word}
			for j := range r.Findings {
				r.Findings[j].Text, r.Findings[j].Hint = plain(r.Findings[j].Text), plain(r.Findings[j].Hint)
			}
		}
		return out
	}
	d.Rules, d.Assumptions = rows(v.Verdict.Rules), rows(v.Verdict.Assumptions)
	for _, f := range append(findings(v.Verdict.Rules), findings(v.Verdict.Assumptions)...) {
		if !c.in.has(f.Seq) {
			d.Elsewhere++
		}
	}
	d.Findings = []Cited{}
	for _, inside := range []bool{true, false} {
		for _, f := range v.shown() {
			if c.in.has(f.Seq) == inside {
				d.Findings = append(d.Findings, cited(v, f, inside))
			}
		}
	}
}

// broken tells the breaches of the span where they happened, but those that the
// recorder told itself.
func (c *composer) broken(v *Verification) {
	for _, f := range v.breaches() {
		at, inside := c.spot(f.Seq)
		if !inside || c.story.recorded[f.Rule] {
			continue
		}
		e := events.Event{Seq: f.Seq, Time: v.Cited[f.Seq].Time}
		c.tracks.gate.mark(signViolated, &e, at, 1, f.Rule+": "+f.Text)
		c.story.insert(&e, fmt.Sprintf("%s was violated: %s.", f.Rule, strings.TrimSuffix(f.Text, ".")))
	}
}

func cited(v *Verification, f rule.Finding, inside bool) Cited {
	e, _ := rule.Lookup(f.Rule)
	out := Cited{
		Rule: f.Rule, Title: strings.TrimSuffix(e.Title, "."), Seq: f.Seq, Text: plain(f.Text), Why: e.Why, Proves: status(f), Hint: plain(v.hint(f)), Inside: inside,
	}
	var before *events.Event
	for _, seq := range append(slices.Clone(f.Because), f.Seq) {
		e, ok := v.Cited[seq]
		if !ok {
			continue
		}
		r := row{event: e}
		line := EventRow{RowJSON: r.json(before)}
		line.Detail, line.By = plain(detail(e.Data)), plain(line.By)
		out.Events, before = append(out.Events, line), &e
	}
	return out
}
