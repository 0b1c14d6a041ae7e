package report

import (
	"encoding/json"
	"io"
	"time"

	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// Schema is the version of every JSON document of this package. Fields are added
// and never renamed, removed or given another meaning within one version.
const Schema = 1

// VerifyJSON is what `replay verify -o json` prints.
type VerifyJSON struct {
	Schema  int    `json:"schema_version"`
	Source  string `json:"source"`  // as it was typed
	Gateway string `json:"gateway"` // its name, empty if no event could be read
	// Outcome is HOLDS, VIOLATED or INCONCLUSIVE; Sentence says why.
	Outcome  rule.Outcome `json:"outcome"`
	Sentence string       `json:"sentence"`
	// Events is how many were judged; First and Last are their sequences, 0 for none.
	Events int    `json:"events"`
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	// Begin and End are RFC 3339 in UTC.
	Begin *time.Time `json:"begin,omitempty"`
	End   *time.Time `json:"end,omitempty"`
	// Head is the SHA-256 of the last event, 64 hexadecimal digits.
	Head    string `json:"head"`
	Anchor  string `json:"anchor,omitempty"` // that it starts later than 1, and what that means
	Scope   string `json:"scope"`            // what the verdict is about
	RuleSet int    `json:"rule_set"`         // version of the judge
	// Broken is where the stream could not be read on.
	Broken *BrokenJSON `json:"broken,omitempty"`
	// Doubts are what is wrong with the place that the stream came from.
	Doubts []string `json:"doubts,omitempty"`
	// Evidence is what the bundle proves that the stream came in.
	Evidence    *EvidenceJSON `json:"evidence,omitempty"`
	Rules       []ResultJSON  `json:"rules"`       // RS1 to RS10
	Assumptions []ResultJSON  `json:"assumptions"` // A1 to A6
	// Integrity says in a few words what became of the assumptions.
	Integrity string `json:"integrity,omitempty"`
	Next      string `json:"next"` // the command that shows more
	// Commands are what to type next; Next is the first of them.
	Commands []string `json:"commands"`
}

// BrokenJSON says where a stream ends early. Line counts from 1, byte from 0
// within the line; both are 0 if the stream ended otherwise.
type BrokenJSON struct {
	Error string `json:"error"`           // what is wrong
	Line  int    `json:"line,omitempty"`  // from 1
	Byte  int    `json:"byte,omitempty"`  // in the line, from 0
	Field string `json:"field,omitempty"` // of the event
}

// ResultJSON is one rule or assumption.
type ResultJSON struct {
	ID      string `json:"id"`      // RS1 to RS10 or A1 to A6
	Title   string `json:"title"`   // one sentence
	Checked int    `json:"checked"` // how often there was an occasion
	Unit    string `json:"unit"`    // of what was checked
	// Total is how many findings there are, of which the first 100 follow.
	Total    int           `json:"total"`
	Findings []FindingJSON `json:"findings,omitempty"` // the first 100
	Pending  []FindingJSON `json:"pending,omitempty"`  // what was due when the stream ended, and proves nothing
	// Skipped is how many decisions RS6 could not compare, and Why the first reason.
	Skipped int    `json:"skipped,omitempty"`
	Why     string `json:"why_skipped,omitempty"`
}

// FindingJSON is one breach, or one way in which an assumption fails.
type FindingJSON struct {
	Seq      uint64     `json:"seq"`               // sequence of the event
	Time     *time.Time `json:"time,omitempty"`    // of the findings that the text shows
	Because  []uint64   `json:"because,omitempty"` // sequences of the events that it rests on
	Bypassed bool       `json:"bypassed"`          // somebody else did it, past the recorder
	Observed bool       `json:"observed"`          // in observe mode, where nobody is held
	Disputed bool       `json:"disputed"`          // an assumption that it rests on does not hold
	Text     string     `json:"text"`              // what happened
	Why      string     `json:"why"`               // why it matters
	Hint     string     `json:"hint"`              // the command that shows more
	// Who did it, what was wrong first, and the story are of the findings that the text shows.
	Who   string      `json:"who,omitempty"`
	Wrong *WrongJSON  `json:"first_wrong,omitempty"` // the first event after which things stood wrong
	Story []SceneJSON `json:"story,omitempty"`       // the events that led to it
	// Class is missing, extra or different, of RS6 alone. Recorded is the decision as the
	// log has it, absent if it is missing; Recomputed as the policy has it, absent if it
	// has none.
	Class      audit.Class     `json:"class,omitempty"`
	Recorded   *audit.Decision `json:"recorded,omitempty"`
	Recomputed *audit.Decision `json:"recomputed,omitempty"`
}

// WriteVerifyJSON writes a verification for programs, as one VerifyJSON.
func WriteVerifyJSON(w io.Writer, v Verification) error {
	d := v.Verdict
	out := VerifyJSON{
		Schema: Schema, Source: v.Source, Gateway: v.Gateway, Outcome: v.Outcome(), Sentence: v.sentence(),
		Events: d.Events, First: d.First, Last: d.Last, Begin: utc(v.Begin), End: utc(v.End),
		Head: d.Head.String(), Anchor: d.Anchor, Scope: d.Scope, RuleSet: d.RuleSet,
		Rules: v.results(d.Rules), Assumptions: v.results(d.Assumptions), Next: v.next(), Commands: v.commands(),
	}
	if d.Events > 0 {
		out.Integrity = sound(d.Assumptions)
	}
	if v.Evidence != nil {
		out.Evidence = v.Evidence.json()
	}
	if v.Broken != nil {
		line, at, field := place(v.Broken)
		out.Broken = &BrokenJSON{Error: v.Broken.Error(), Line: line, Byte: at, Field: field}
	}
	for _, e := range v.Doubts {
		out.Doubts = append(out.Doubts, e.Error())
	}
	return WriteJSON(w, out)
}

// WriteJSON writes one indented document.
func WriteJSON(w io.Writer, document any) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(document)
}

func utc(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (v *Verification) results(in []rule.Result) []ResultJSON {
	out := make([]ResultJSON, 0, len(in))
	for _, r := range in {
		said := ResultJSON{
			ID: r.ID, Title: r.Title, Checked: r.Checked, Unit: r.Unit, Total: r.Total,
			Findings: v.json(r.Findings), Pending: v.json(r.Pending),
		}
		if r.ID == audit.Rule.ID {
			said.Skipped, said.Why = v.Audit.Skipped, v.Audit.Why
			for i, f := range v.Audit.Findings { // they are the same, in the same order
				said.Findings[i].Class, said.Findings[i].Recorded, said.Findings[i].Recomputed = f.Class, f.Recorded, f.Recomputed
			}
		}
		out = append(out, said)
	}
	return out
}

func (v *Verification) json(in []rule.Finding) []FindingJSON {
	var out []FindingJSON
	for _, f := range in {
		e, _ := Lookup(f.Rule)
		j := FindingJSON{
			Seq: f.Seq, Time: utc(v.Cited[f.Seq].Time), Because: f.Because, Bypassed: f.Bypassed, Observed: f.Observed,
			Disputed: f.Disputed, Text: f.Text, Why: e.Why, Hint: v.hint(f),
		}
		if st := v.trailOf(f); st != nil {
			if e.Kind == rule.Rule {
				j.Who = who(f, v.Cited[f.Seq])
			}
			j.Story, j.Wrong = st.json(f)
		}
		out = append(out, j)
	}
	return out
}

// trailOf returns the story of a finding that the text tells, nil for any other.
func (v *Verification) trailOf(f rule.Finding) *Trail {
	for i, shown := range v.shown() {
		if i < len(v.Trails) && shown.Rule == f.Rule && shown.Index == f.Index && shown.Text == f.Text {
			return &v.Trails[i]
		}
	}
	return nil
}
