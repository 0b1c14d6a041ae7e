package rule

import "ibrecorder/events"

// Finding is one breach of one rule.
type Finding struct {
	// Rule is the id, for example "RS1".
	Rule string
	// Seq is the event that breaks the rule.
	Seq uint64
	// Because are the earlier events without which it would not, in their order.
	Because []uint64
	// Bypassed says that somebody went around the recorder, which did not break the rule itself.
	Bypassed bool
	// Observed says that the recorder was in observe mode: what would have been. It violates nothing.
	Observed bool
	// Disputed says that the chain was broken before the event: it proves nothing.
	Disputed bool
	// Text is one sentence.
	Text string
	// Hint says what to do or type next.
	Hint string
	// Index is the place of the event in the stream, from 0. Sequences may not be in order.
	Index int
}

// Outcome is the three-valued verdict.
type Outcome string

const (
	// Holds: every rule held, and every assumption.
	Holds Outcome = "HOLDS"
	// Violated: a rule was broken, by the recorder or by somebody who went around it.
	Violated Outcome = "VIOLATED"
	// Inconclusive: nothing was found, and an assumption does not hold.
	Inconclusive Outcome = "INCONCLUSIVE"
)

// Result is what became of one rule or assumption.
type Result struct {
	ID    string
	Title string
	// Checked is how many things were judged, of the kind that Unit names.
	Checked int
	Unit    string
	// Total is how many findings there are, of which Findings holds the first 100.
	Total    int
	Findings []Finding
	// Pending are obligations that were open when the stream ended. They are no findings.
	Pending []Finding
}

// Verdict is the judgement on one stream.
type Verdict struct {
	Outcome Outcome
	// Rules and Assumptions are in the order of the catalogue. A finding of an
	// assumption says that it does not hold from there on.
	Rules       []Result
	Assumptions []Result
	// First and Last are sequences, 0 for an empty stream; Head is the hash of the last event.
	First, Last uint64
	Head        events.Hash
	// Events is how many events were judged.
	Events int
	// Anchor says what is not judged because the stream starts later than 1, or "".
	Anchor string
	// Scope says what a verdict on a log can mean.
	Scope string
	// RuleSet is the version of the rules that judged.
	RuleSet int
}

// RuleSet is raised, from the first release on, whenever a rule judges a stream
// differently than before.
const RuleSet = 1

const scope = "what this log can show: connects that reach the Gateway without the recorder and without a report leave no trace in it"

// result renders a tally. Everything from index disputed on proves nothing.
func (t *tally) result(e *Entry, disputed int) Result {
	r := Result{ID: e.ID, Title: e.Title, Checked: t.Checked, Unit: e.Unit, Total: t.Total}
	r.Findings = append(r.Findings, t.Findings...)
	for i := range r.Findings {
		r.Findings[i].Disputed = e.Kind == Rule && r.Findings[i].Index >= disputed
	}
	return r
}
