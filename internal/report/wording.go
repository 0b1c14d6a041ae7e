package report

import (
	"fmt"
	"strings"

	"ibrecorder/internal/rule"
)

func sign(o rule.Outcome) string {
	switch o {
	case rule.Holds:
		return "✔"
	case rule.Violated:
		return "✖"
	}
	return "?"
}

func elsewhere(d *Document) string {
	return fmt.Sprintf("(%s before this span.)", isAre(d.Elsewhere, "finding lies", "findings lie"))
}

func isAre(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return group(n) + " " + many
}

// often says how many times a sentence is true.
func often(s Sentence) string {
	if s.Times <= 1 {
		return ""
	}
	return fmt.Sprintf(" (%s times, to #%d)", group(int(s.Times)), s.To)
}

func axis(d *Document) string {
	if !d.Picture.Clocked {
		return "Times are not known of every event: the picture has the events in their order, each as wide as another."
	}
	if len(newScale(&d.Picture).folds) == 0 {
		return "From left to right is time."
	}
	return "From left to right is time. A stretch between two zigzags is folded: it lasted for as long as is written below it."
}

func number(r AttemptRow) string {
	switch {
	case r.Number == 0:
		return "–"
	case r.Last > r.Number:
		return fmt.Sprintf("%d to %d", r.Number, r.Last)
	}
	return fmt.Sprint(r.Number)
}

func stage(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func outcome(r AttemptRow) string {
	out := map[string]string{"succeeded": "✔ ready", "failed": "✖ failed", "denied": "⊘ denied", "abandoned": "? abandoned", "unknown": "? unknown", "open": "… no end here"}[r.Outcome]
	if r.Reason != "" {
		out += ": " + r.Reason
	}
	if r.Times > 1 {
		out += ", " + group(int(r.Times)) + " times"
	}
	return out
}

func mood(outcome string) string {
	switch outcome {
	case "succeeded":
		return "good"
	case "failed", "denied":
		return "fail"
	}
	return "poor"
}

func resultMood(result string) string {
	switch {
	case strings.HasPrefix(result, "✔"):
		return "good"
	case strings.HasPrefix(result, "✖"):
		return "fail"
	case strings.HasPrefix(result, "-"):
		return "soft"
	}
	return "poor"
}

func spanOf(ns *int64) string {
	if ns == nil {
		return "–"
	}
	return span(*ns)
}

func delta(ns *int64) string {
	if ns == nil || *ns == 0 {
		return ""
	}
	return "+" + span(*ns)
}

func measured(d *Document) bool {
	for _, r := range d.Latency {
		if r.Here.N > 0 {
			return true
		}
	}
	return false
}

func comparedWith(d *Document) string {
	for _, r := range d.Latency {
		if r.Before.N > 0 {
			return "Filled: this report. Outlined: the 28 days before it in the same log. Each as a share of its own."
		}
	}
	return "There is nothing earlier in this log to compare with."
}

func judged(d *Document) string {
	out := fmt.Sprintf("%s. It is judged from the first event of the source", d.Outcome)
	if d.Last != 0 {
		out += fmt.Sprintf(" to #%d", d.Last)
	}
	return out + ", because a rule rests on what came before."
}

func rowCount(d *Document) string {
	told := d.Events - d.RowsMore
	if len(d.Rows) < told {
		return fmt.Sprintf("%s in %s; repetitions are told once and counted", count(told, "event"), count(len(d.Rows), "row"))
	}
	return count(told, "event")
}

func rowsMore(d *Document) string {
	return fmt.Sprintf("%s more: %s", count(d.RowsMore, "event"), d.Provenance.Timeline)
}

var sections = []section{
	{"what", "What happened"}, {"picture", "The picture"}, {"attempts", "Attempts"}, {"latency", "Latency"}, {"rules", "Rule check"},
	{"people", "Who did what"}, {"recovery", "Recovery"}, {"events", "All events"}, {"notes", "For your notes"}, {"provenance", "Where it comes from"},
}

type section struct{ ID, Name string }

var markNames = []struct{ Sign, Name string }{
	{signReady, "ready"}, {signFailed, "failed or lost"}, {signDenied, "held back"}, {signUnknown, "end not known"}, {signAlert, "alert"},
	{signOperator, "operator"}, {signRestart, "restart or release"}, {signGap, "gap in the log"}, {signViolated, "rule violated"},
}

var noteFields = []struct {
	ID, Name string
	Tall     bool
}{
	{"note-cause", "Root cause", true}, {"note-helped", "What helped, and what was in the way", true}, {"note-actions", "What will be done", true},
	{"note-owner", "Owner", false}, {"note-date", "Date", false},
}
