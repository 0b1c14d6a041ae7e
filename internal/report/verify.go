package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"ibrecorder/internal/rule"
)

// WriteVerify writes a verification for people: a sentence, the table, what was
// found, and the next command.
func WriteVerify(w io.Writer, v Verification, s Style) error {
	p := &page{w: w, s: s}
	outcome := v.Outcome()
	p.line("%s: %s", s.paint(outcomeColour(outcome), string(outcome)), v.sentence())
	if v.Verdict.Events > 0 {
		p.line("")
		when := "no event has a time"
		if !v.Begin.IsZero() {
			when = fmt.Sprintf("%s to %s · %s", s.moment(v.Begin), s.moment(v.End), s.place(v.Begin))
		}
		p.line("  gateway %s · #%d to #%d · %s", v.Gateway, v.Verdict.First, v.Verdict.Last, when)
		p.line("")
		p.results(v.Verdict)
	}
	p.line("")
	p.integrity(v)
	shown := v.shown()
	for i, f := range shown {
		p.line("")
		p.finding(v, f)
		if i < len(v.Trails) {
			p.trail(v.Trails[i], f)
		}
	}
	if total := v.total(); total > len(shown) {
		p.line("")
		p.line("%s more; -o json has the first 100 of each rule.", count(total-len(shown), "finding"))
	}
	p.line("")
	p.next(v.commands())
	return p.err
}

// page writes lines until the first error, which it keeps.
type page struct {
	w   io.Writer
	s   Style
	err error
}

// next writes what to type next.
func (p *page) next(commands []string) {
	for i, command := range commands {
		name := "next:"
		if i > 0 {
			name = ""
		}
		p.whole("%-5s %s", name, command)
	}
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, wrapped(veiled(fmt.Sprintf(format, args...)), p.s.Width)+"\n")
	}
}

// whole is line for what is copied and typed: it is never broken.
func (p *page) whole(format string, args ...any) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, veiled(fmt.Sprintf(format, args...))+"\n")
	}
}

// table aligns cells; the last column may hold colours, because nothing stands
// behind it.
func (p *page) table(rows [][]string) {
	if p.err != nil {
		return
	}
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintf(t, "  %s\n", strings.Join(r, "\t")) // an empty cell too, or those below it are not in its column
	}
	if p.err = t.Flush(); p.err != nil {
		return
	}
	for line := range strings.Lines(b.String()) {
		p.line("%s", strings.TrimRight(line, " \n"))
	}
}

func outcomeColour(o rule.Outcome) colour {
	switch o {
	case rule.Holds:
		return green
	case rule.Violated:
		return red
	}
	return yellow
}

// sentence says what the outcome rests on.
func (v *Verification) sentence() string {
	switch v.Outcome() {
	case rule.Holds:
		of := fmt.Sprintf("all %s of gateway %s", count(v.Verdict.Events, "event"), v.Gateway)
		if v.Verdict.First > 1 {
			of += fmt.Sprintf(" from #%d on", v.Verdict.First)
		}
		if n := v.total(); n > 0 {
			return fmt.Sprintf("nothing that was enforced was broken in %s; observe mode: %s of what would have been", of, count(n, "finding"))
		}
		return "every rule was kept in " + of
	case rule.Violated:
		all := v.breaches()
		more := ""
		if n := len(all) - 1; n > 0 {
			more = fmt.Sprintf(", and %s more", count(n, "finding"))
		}
		if len(all) == 0 { // more than 100 of what violates nothing came before it
			return "a rule was broken"
		}
		return fmt.Sprintf("%s at #%d: %s%s", all[0].Rule, all[0].Seq, all[0].Text, more)
	}
	switch failed := findings(v.Verdict.Assumptions); {
	case v.Evidence != nil && v.Evidence.doubt() != nil:
		return v.Evidence.doubt().Error()
	case v.Verdict.Events == 0 && v.Broken != nil:
		return "nothing could be read as an event: " + v.Broken.Error()
	case v.Verdict.Events == 0 && len(v.Doubts) == 0:
		return "there was no event to judge"
	case v.Broken != nil:
		return fmt.Sprintf("the stream breaks off after #%d: %v", v.Verdict.Last, v.Broken)
	case len(v.Doubts) > 0:
		return v.Doubts[0].Error()
	case len(failed) > 0:
		return fmt.Sprintf("%s: %s", failed[0].Rule, failed[0].Text)
	}
	return "an assumption does not hold"
}

func (p *page) results(v rule.Verdict) {
	// The title is the last column, because it is the one that may be broken. The verdict is
	// in front of it in the same cell: a table aligns nothing behind a colour.
	words, wide := []string{"VERDICT"}, len("VERDICT")
	all := append(slices.Clone(v.Rules), v.Assumptions...)
	for _, r := range all {
		word, _ := result(r)
		if len(r.Pending) > 0 {
			word += fmt.Sprintf(", %d pending", len(r.Pending))
		}
		words, wide = append(words, word), max(wide, utf8.RuneCountInString(word))
	}
	cell := func(i int, c colour, title string) string {
		return p.s.paint(c, words[i]) + strings.Repeat(" ", wide-utf8.RuneCountInString(words[i])) + "  " + strings.TrimSuffix(title, ".")
	}
	rows := [][]string{{"RULE", "CHECKED", cell(0, bold, "TITLE")}}
	for i, r := range all {
		_, c := result(r)
		rows = append(rows, []string{r.ID, group(r.Checked), cell(i+1, c, r.Title)})
	}
	p.table(rows)
}

// result is what became of one rule or assumption, in a word.
func result(r rule.Result) (word string, c colour) {
	e, _ := Lookup(r.ID)
	var breaches, bypassed, disputed int
	for _, f := range r.Findings {
		switch {
		case f.Observed:
		case f.Disputed:
			disputed++
		case f.Bypassed:
			breaches++
			bypassed++
		default:
			breaches++
		}
	}
	switch {
	case r.Total == 0 && r.Checked == 0:
		return "- no occasion", faint
	case r.Total == 0 && e.Kind == rule.Assumption:
		return "✔ ok", green
	case r.Total == 0:
		return "✔ held", green
	case e.Kind == rule.Assumption:
		return "? fails " + times(r.Total), yellow
	case breaches > 0 && bypassed == breaches:
		return "✖ VIOLATED " + times(r.Total) + ", around the recorder", red
	case breaches > 0:
		return "✖ VIOLATED " + times(r.Total), red
	case disputed > 0:
		return "? disputed " + times(r.Total), yellow
	}
	return "▲ would be " + times(r.Total) + ", observe mode", yellow
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return group(n) + " times"
}

func (p *page) integrity(v Verification) {
	say := func(name, format string, args ...any) { p.line("  %-9s %s", name, fmt.Sprintf(format, args...)) }
	if v.Verdict.Events > 0 {
		say("integrity", "%s", sound(v.Verdict.Assumptions))
		say("head", "#%d sha256 %s", v.Verdict.Last, v.Verdict.Head)
	}
	if v.Verdict.Anchor != "" {
		say("anchor", "%s", v.Verdict.Anchor)
	}
	if v.Broken != nil {
		say("stream", "%v", v.Broken)
	}
	for _, d := range v.Doubts {
		say("place", "%v", d)
	}
	if v.Evidence != nil {
		for _, line := range v.Evidence.lines() {
			say("bundle", "%s", line)
		}
	}
	for _, r := range v.Verdict.Rules {
		for _, f := range r.Pending {
			say("pending", "%s: %s", f.Rule, f.Text)
		}
	}
	if n := v.Audit.Skipped; n > 0 {
		say("RS6", "%s not compared: %s", count(n, "decision"), v.Audit.Why)
	}
	say("scope", "%s", v.Verdict.Scope)
	say("judge", "rule set %d", v.Verdict.RuleSet)
}

func (p *page) finding(v Verification, f rule.Finding) {
	e, _ := Lookup(f.Rule)
	when := ""
	if c, ok := v.Cited[f.Seq]; ok {
		when = " · " + p.s.moment(c.Time)
	}
	mark, c := "✖", red
	if e.Kind == rule.Assumption || f.Disputed || f.Observed {
		mark, c = "?", yellow
	}
	p.line("%s %s · #%d%s", p.s.paint(c, mark+" "+f.Rule), strings.TrimSuffix(e.Title, "."), f.Seq, when)
	p.line("    what happened   %s", f.Text)
	p.line("    why it matters  %s", e.Why)
	if e.Kind == rule.Rule {
		if word := who(f, v.Cited[f.Seq]); word != "" {
			p.line("    who did it      %s", word)
		}
	}
	if word := status(f); word != "" {
		p.line("    what it proves  %s", word)
	}
	p.whole("    what to do      %s", v.hint(f))
}

// status says what is special about a finding.
func status(f rule.Finding) string {
	switch {
	case f.Disputed:
		return "nothing: the chain was broken before it"
	case f.Observed:
		return "what would have been: the recorder was in observe mode and held nobody"
	}
	return ""
}

// hint completes the judge's, which does not know where the stream is.
func (v *Verification) hint(f rule.Finding) string {
	if !strings.HasPrefix(f.Hint, "replay state --at") {
		return f.Hint
	}
	return v.state(f.Seq)
}

func (v *Verification) state(seq uint64) string {
	words := []string{"replay", "state", v.Source, "--at", fmt.Sprint(seq)}
	if seq > v.Verdict.First {
		words = append(words, "--diff", fmt.Sprint(seq-1))
	}
	return Command(words...)
}

// next is the command that shows more.
func (v *Verification) next() string { return v.commands()[0] }

// commands are what to type next, the one that shows the most first.
func (v *Verification) commands() []string {
	if v.Verdict.Events == 0 {
		return []string{"replay verify --help"} // there is nothing to look at
	}
	if v.Evidence != nil && v.Evidence.Next != "" {
		return []string{v.Evidence.Next}
	}
	from, to := v.Span()
	if from == 0 {
		return []string{Command("replay", "timeline", v.Source)}
	}
	out := []string{Command("replay", "timeline", v.Source, "--from", fmt.Sprint(from), "--to", fmt.Sprint(to))}
	f := v.shown()[0]
	at := f.Seq
	if len(v.Trails) > 0 && v.Trails[0].Wrong.Seq != 0 {
		at = v.Trails[0].Wrong.Seq
	}
	out = append(out, v.state(at), Command("replay", "explain", f.Rule))
	if e, _ := Lookup(f.Rule); e.Kind == rule.Rule {
		if !f.Observed && !f.Disputed {
			out = append(out, Command("replay", "shrink", v.Source, "--rule", f.Rule))
		}
		out = append(out, Command("replay", "whatif", v.Source, "--preset", "handoff", "--preset", "lenient"))
	}
	return out
}

// sound says in a few words what became of the assumptions.
func sound(assumptions []rule.Result) string {
	var bad []string
	for _, r := range assumptions {
		switch {
		case r.Total == 0:
		case len(r.Findings) > 0 && r.Findings[0].Seq != 0:
			bad = append(bad, fmt.Sprintf("%s fails from #%d on", r.ID, r.Findings[0].Seq))
		default:
			bad = append(bad, r.ID+" fails")
		}
	}
	if n := len(assumptions); bad == nil && n > 0 {
		return fmt.Sprintf("%s to %s ok", assumptions[0].ID, assumptions[n-1].ID)
	}
	return strings.Join(bad, ", ")
}
