package explain

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
)

// Page explains one code.
type Page struct {
	// Group is where the code stands: a kind of event whose reason it is, hold, stage,
	// mode, one of the three machines, code for a number, rule or assumption.
	Group string `json:"group"`
	// Code is how it is written there.
	Code string `json:"code"`
	// Title is one sentence.
	Title string `json:"title"`
	// Means, Matters, How and Next say what it is, why anybody should care, how it is
	// recognised or judged, and what to do.
	Means   string `json:"means,omitempty"`
	Matters string `json:"matters"`
	How     string `json:"how"`
	Next    string `json:"next"`
	// Example is a command that shows it in a test stream of this project, "" if no
	// stream has it.
	Example string `json:"example,omitempty"`
	// Try is a command that makes a simulated Gateway do it, if there is one.
	Try string `json:"try,omitempty"`
}

// groups are the pages in the order of the document.
var groups = []struct {
	name, about string
	pages       []Page
}{
	{"rule", "What is judged. A breach is VIOLATED.", ruled(rule.Rule)},
	{"assumption", "What a verdict takes for granted. If one fails the verdict is INCONCLUSIVE.", ruled(rule.Assumption)},
	{"attempt.failed", "Why an attempt failed, as the wire has it.", failures},
	{"attempt.unknown", "Why the end of an attempt is not known.", unknowns},
	{"gateway.down", "What proves that the Gateway needs a restart.", downs},
	{"hold", "Why somebody may not dial at this moment.", holds},
	{"gate", "May anyone dial?", gates},
	{"gateway", "Is the Gateway's API layer alive, as far as anybody has seen?", gateways},
	{"session", "One connection that was permitted.", sessions},
	{"session.lost", "How a session was lost.", losts},
	{"stage", "How far a handshake came.", stages},
	{"restart.rejected", "Why an operator's claim was refused.", rejections},
	{"restart.acknowledged", "What a release rests on.", bases},
	{"client.rejected", "Connections to the recorder's port that were no attempt.", knocks},
	{"recorder.gap", "Why facts are missing.", gaps},
	{"mode", "Are clients held?", modes},
	{"code", "Numbers of IB's messages on the wire, and the recorder's own.", codes},
}

// ruled are the pages of what verify judges.
func ruled(kind rule.EntryKind) (all []Page) {
	for _, e := range report.Catalogue() {
		if e.Kind != kind {
			continue
		}
		next := "See what led to it: replay verify SOURCE, then replay timeline SOURCE --from N --to N around the event."
		if _, judged := rule.Lookup(e.ID); judged {
			next += " The shortest stream that breaks it: replay shrink SOURCE --rule " + e.ID
		}
		if kind == rule.Assumption {
			next = "See where it fails: replay verify SOURCE. What was found before that stands; for the rest take another copy of the log, or judge the parts by themselves with --from and --to."
		}
		all = append(all, Page{Code: e.ID, Title: e.Title, Matters: e.Why, How: e.How, Next: next})
	}
	return all
}

// examples are written by a test from the streams themselves: "group code<TAB>command".
//
//go:embed examples.txt
var examples string

// Pages returns every page, in the order of the document.
func Pages() []Page {
	commands := map[string]string{}
	for line := range strings.Lines(examples) {
		if key, command, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			commands[key] = command
		}
	}
	var all []Page
	for _, g := range groups {
		for _, p := range g.pages {
			p.Group = g.name
			p.Example = commands[p.key()]
			all = append(all, p)
		}
	}
	return all
}

func (p Page) key() string { return p.Group + " " + p.Code }

// Find returns the pages of a code, in one group if that is not "". As it is written
// wins over other letters: STOPPED is the gate's, stopped a reason to hold. A code that
// is the name of a group gives all of that.
func Find(group, code string) []Page {
	all := slices.DeleteFunc(Pages(), func(p Page) bool { return group != "" && p.Group != group })
	for _, is := range []func(Page) bool{
		func(p Page) bool { return p.Code == code },
		func(p Page) bool { return strings.EqualFold(p.Code, code) },
		func(p Page) bool { return group == "" && p.Group == code },
	} {
		if found := slices.DeleteFunc(slices.Clone(all), func(p Page) bool { return !is(p) }); len(found) > 0 {
			return found
		}
	}
	return nil
}

// Text is a page for a terminal.
func (p Page) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s · %s\n%s\n\n", p.Code, p.Group, p.Title)
	p.each(func(name, text string) { wrap(&b, name, text) })
	return b.String()
}

// each goes over the parts of a page that it has.
func (p Page) each(do func(name, text string)) {
	how := "how it is known"
	if p.Group == "rule" || p.Group == "assumption" {
		how = "how it is judged"
	}
	for _, part := range [...]struct{ name, text string }{
		{"what it means", p.Means}, {"why it matters", p.Matters}, {how, p.How}, {"what to do", p.Next}, {"see one", p.Example}, {"make one", p.Try},
	} {
		if part.text != "" {
			do(part.name, part.text)
		}
	}
}

// wrap writes a part with its name before it, in lines that fit a terminal. A command
// is a line of its own, however long.
func wrap(b *strings.Builder, name, text string) {
	const width, indent = 96, 20
	fmt.Fprintf(b, "  %-*s", indent-2, name)
	at := 0
	for i, word := range strings.Fields(text) {
		switch command := name == "see one" || name == "make one"; {
		case i == 0:
		case at+1+len(word) > width-indent && !command:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += len(word)
	}
	b.WriteByte('\n')
}

// Index lists every code with its sentence, by group.
func Index(pages []Page) string {
	var b strings.Builder
	group := ""
	for _, p := range pages {
		if p.Group != group {
			if group = p.Group; b.Len() > 0 {
				b.WriteByte('\n')
			}
			fmt.Fprintf(&b, "%s\n", group)
		}
		fmt.Fprintf(&b, "  %-20s %s\n", p.Code, p.Title)
	}
	return b.String()
}

// Document is docs/explain.md.
func Document() string {
	var b strings.Builder
	b.WriteString(`# What the words mean

<!-- Written by: go test ./internal/explain -update. Do not edit. -->

Every word and number that the recorder says, and what to do about it. At a terminal: ` + "`replay explain CODE`" + `.
`)
	pages := Pages()
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", g.name, g.about)
		for _, p := range pages {
			if p.Group != g.name {
				continue
			}
			fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", p.Code, p.Title)
			p.each(func(name, text string) {
				if name == "see one" || name == "make one" {
					text = "`" + text + "`"
				}
				fmt.Fprintf(&b, "- %s: %s\n", name, text)
			})
		}
	}
	return b.String()
}
