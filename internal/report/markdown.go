package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// maxMarkdownRows is how many events a Markdown report has: it is made to be
// pasted into a document of somebody's own, where more are in the way.
const maxMarkdownRows = 120

// WriteMarkdown writes a document as Markdown with tables, for a postmortem of
// somebody's own.
func WriteMarkdown(w io.Writer, d *Document, s Style) error {
	p := newPaper(d, s)
	m := &markdown{page: page{w: w, s: s}}
	m.line("# %s", md(d.Title))
	m.line("")
	m.line("%s", item(p.when(d)))
	m.line("")
	note := ""
	if d.Elsewhere > 0 {
		note = " " + elsewhere(d)
	}
	m.line("**%s %s**: %s%s", sign(d.Outcome), d.Outcome, md(d.Sentence), note)
	if b := d.Provenance.Broken; b != nil {
		m.line("")
		m.line("The stream is not whole: %s", md(b.Error))
	}
	for _, doubt := range d.Provenance.Doubts {
		m.line("")
		m.line("The place it was read from is doubtful: %s", md(doubt))
	}
	m.line("")
	var names, values []string
	for _, f := range d.Figures {
		value := f.Value
		if f.Note != "" {
			value += " (" + f.Note + ")"
		}
		names, values = append(names, f.Name), append(values, value)
	}
	m.table(names, [][]string{values})
	m.what(p)
	m.attempts(p)
	m.latency(p)
	m.rules(p)
	m.people(p)
	m.recovery(p)
	m.events(p)
	m.end(p)
	return m.err
}

type markdown struct{ page }

func (m *markdown) head(id string) {
	for i, s := range sections {
		if s.ID == id {
			m.line("")
			m.line("## %d. %s", i+1, s.Name)
			m.line("")
		}
	}
}

func (m *markdown) table(head []string, rows [][]string) {
	m.cells(head)
	m.line("|%s", strings.Repeat("---|", len(head)))
	for _, r := range rows {
		m.cells(r)
	}
}

func (m *markdown) cells(cells []string) {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = md(c)
	}
	m.line("| %s |", strings.Join(out, " | "))
}

// mdEscapes are for each character that Markdown or HTML could read, and for what
// some renderers make links and names of.
var mdEscapes = func() *strings.Replacer {
	pairs := []string{"&", "&amp;", "<", "&lt;", ">", "&gt;", "://", ":&#47;&#47;", "@", "&#64;", "www.", "www&#46;"}
	for _, c := range "\\`*_{}[]|~$" {
		pairs = append(pairs, string(c), "\\"+string(c))
	}
	return strings.NewReplacer(pairs...)
}()

// md keeps a text from being anything but text, in a cell or behind other words.
func md(s string) string { return mdEscapes.Replace(s) }

// mdBegins is what makes a heading or a list at the begin of a line.
var mdBegins = regexp.MustCompile(`^(?:(\d+)([.)])|([#+=-]))`)

// item is md for a text that begins a line or an item of a list.
func item(s string) string { return mdBegins.ReplaceAllString(md(s), `$1\$2$3`) }

func (m *markdown) what(p *paper) {
	m.head("what")
	told := func(all []Sentence) {
		for _, x := range all {
			text := md(p.clock(x.Time)) + " " + md(x.Text)
			if x.Time == nil {
				text = item(x.Text)
			}
			m.line("* %s%s (#%d)", text, often(x), x.Seq)
		}
	}
	told(p.d.Story)
	if len(p.d.Story) == 0 {
		m.line("There is no event to tell of.")
	}
	if len(p.d.Untold) > 0 {
		m.line("")
		m.line("What is left out above, counted:")
		m.line("")
		told(p.d.Untold)
	}
	m.head("picture")
	if len(p.d.Picture.Lanes) == 0 {
		m.line("There is nothing to draw.")
	}
	for _, l := range p.inWords(p.d) {
		m.line("* %s: %s", md(l.Name), md(strings.Join(l.Lines, "; ")))
	}
}

func (m *markdown) attempts(p *paper) {
	m.head("attempts")
	var rows [][]string
	for _, r := range p.d.Attempts {
		rows = append(rows, []string{number(r), p.clock(r.Time), r.By, stage(r.Stage), outcome(r), spanOf(r.DurationNS), fmt.Sprintf("#%d", r.Seq)})
	}
	m.orNone(rows, "Nobody tried to connect.", "No.", "begun", "program", "reached", "outcome", "took", "event")
	if n := p.d.AttemptsMore; n > 0 {
		m.line("")
		m.line("%s more.", count(n, "row"))
	}
}

func (m *markdown) orNone(rows [][]string, none string, head ...string) {
	if len(rows) == 0 {
		m.line("%s", none)
		return
	}
	m.table(head, rows)
}

func (m *markdown) latency(p *paper) {
	m.head("latency")
	if !measured(p.d) {
		m.line("No step of a handshake was measured here.")
		return
	}
	var rows [][]string
	for _, r := range p.d.Latency {
		for i, l := range []Latency{r.Here, r.Before} {
			if l.N > 0 {
				us := func(v int64) string { return span(v * 1e3) }
				rows = append(rows, []string{r.Step, [...]string{"here", "28 days before"}[i], group(l.N), us(l.MedianUS), us(l.P95US), us(l.MaxUS)})
			}
		}
	}
	m.table([]string{"step", "when", "times", "median", "95 %", "longest"}, rows)
}

func (m *markdown) rules(p *paper) {
	m.head("rules")
	m.line("%s", md(judged(p.d)))
	m.line("")
	var rows [][]string
	for _, r := range append(p.d.Rules[:len(p.d.Rules):len(p.d.Rules)], p.d.Assumptions...) {
		rows = append(rows, []string{r.ID, r.Title, group(r.Checked), r.Result})
	}
	m.table([]string{"rule", "says", "checked", "result"}, rows)
	for _, f := range p.d.Findings {
		m.line("")
		m.line("**%s at #%d**: %s", md(f.Rule), f.Seq, md(f.Text))
		m.line("")
		m.line("* why it matters: %s", md(f.Why))
		if f.Proves != "" {
			m.line("* what it proves: %s", md(f.Proves))
		}
		m.line("* what to do: %s", md(f.Hint))
		for _, e := range f.Events {
			m.line("* #%d %s %s %s", e.Seq, md(p.clock(e.Time)), md(string(e.Kind)), md(e.Detail))
		}
	}
}

func (m *markdown) people(p *paper) {
	m.head("people")
	var rows [][]string
	for _, x := range p.d.Programs {
		row := []string{x.Name}
		for _, n := range []int64{x.Attempts, x.Ready, x.Failed, x.Denied, x.Other} {
			row = append(row, group(int(n)))
		}
		rows = append(rows, row)
	}
	m.orNone(rows, "No program tried to connect.", "program", "attempts", "ready", "failed", "denied", "other")
	for _, list := range []struct {
		name string
		of   []Action
	}{{"Operators", p.d.Actions}, {"Alerts", p.d.Alerts}} {
		m.line("")
		m.line("%s:", list.name)
		m.line("")
		for _, a := range list.of {
			m.line("* %s (#%d)", item(strings.TrimSpace(p.clock(a.Time)+" "+a.By+": "+a.What)), a.Seq)
		}
		if len(list.of) == 0 {
			m.line("* none")
		}
	}
}

func (m *markdown) recovery(p *paper) {
	m.head("recovery")
	if len(p.d.Recovery) == 0 {
		m.line("There was no stop to recover from.")
	}
	for i, r := range p.d.Recovery {
		if i > 0 {
			m.line("")
		}
		m.line("After the stop at #%d:", r.Stop)
		m.line("")
		var rows [][]string
		for _, s := range r.Steps {
			confirmed, event := "– "+s.Note, ""
			if s.Seq != 0 {
				confirmed, event = strings.TrimSpace("✔ "+p.clock(s.Time)+" "+s.Note), fmt.Sprintf("#%d", s.Seq)
			}
			rows = append(rows, []string{s.What, confirmed, spanOf(s.AfterNS), event})
		}
		m.table([]string{"step", "confirmed", "after the stop", "event"}, rows)
	}
}

func (m *markdown) events(p *paper) {
	m.head("events")
	d := p.d
	var rows [][]string
	for _, r := range d.Rows[:min(len(d.Rows), maxMarkdownRows)] {
		seq := fmt.Sprintf("#%d", r.Seq)
		if r.To > r.Seq {
			seq += fmt.Sprintf(" to #%d", r.To)
		}
		rows = append(rows, []string{seq, p.clock(r.Time), delta(r.DeltaNS), strings.TrimPrefix(r.By, "/"), r.Gate, string(r.Kind), r.Says()})
	}
	m.orNone(rows, "None.", "event", "time", "after", "by", "gate", "kind", "says")
	if len(d.Rows) > maxMarkdownRows || d.RowsMore > 0 {
		m.line("")
		m.line("The rest is told by:")
		m.line("")
		m.line("    %s", d.Provenance.Timeline)
	}
}

func (m *markdown) end(p *paper) {
	d := p.d
	m.head("notes")
	for _, f := range noteFields {
		m.line("* %s:", f.Name)
	}
	m.head("provenance")
	rows := [][]string{
		{"source", d.Source}, {"span", p.extent(d)}, {"judged", count(d.Provenance.Judged, "event")}, {"last event", d.Provenance.Head + " (SHA-256)"},
		{"state after it", fmt.Sprintf("%s (fold version %d), gate %s", d.Provenance.State, d.Provenance.FoldVersion, d.Provenance.Gate)},
		{"rule set", fmt.Sprint(d.Provenance.RuleSet)}, {"reported by", "replay " + d.Provenance.Version}, {"scope", d.Provenance.Scope},
	}
	if len(d.Provenance.Recorder) > 0 {
		rows = append(rows, []string{"written by", "recorder " + strings.Join(d.Provenance.Recorder, ", ")})
	}
	if d.Provenance.Anchor != "" {
		rows = append(rows, []string{"anchor", d.Provenance.Anchor})
	}
	m.table([]string{"what", "is"}, rows)
	m.line("")
	m.line("To check the verdict, to copy the events, and to make this report again:")
	m.line("")
	for _, c := range []string{d.Provenance.Verify, d.Provenance.Export, d.Provenance.Again} {
		m.line("    %s", c)
	}
}
