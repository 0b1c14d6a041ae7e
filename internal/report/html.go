package report

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sort"
	"strings"
	"time"

	"ibrecorder/internal/rule"
)

var (
	//go:embed page/report.tmpl
	pageTemplate string
	//go:embed page/report.css
	pageCSS string
)

// WriteHTML writes a document as one page: no script, no other file, nothing that
// a browser would fetch, and a policy in its head that forbids it all the same.
func WriteHTML(w io.Writer, d *Document, s Style) error {
	p := newPaper(d, s)
	t, err := template.New("page").Funcs(p.words()).Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	var page strings.Builder
	err = t.Execute(&page, d)
	if err == nil {
		_, err = io.WriteString(w, veiled(page.String()))
	}
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// paper is what every rendering of a document needs: the reader's zone, and which
// events have a row that can be pointed at.
type paper struct {
	d   *Document
	s   Style
	max uint64 // highest sequence that has an anchor so far
}

func newPaper(d *Document, s Style) *paper { return &paper{d: d, s: s} }

type section struct{ ID, Name string }

var sections = []section{
	{"what", "What happened"}, {"picture", "The picture"}, {"attempts", "Attempts"}, {"latency", "Latency"}, {"rules", "Rule check"},
	{"people", "Who did what"}, {"recovery", "Recovery"}, {"events", "All events"}, {"notes", "For your notes"}, {"provenance", "Where it comes from"},
}

var markNames = []struct{ Sign, Name string }{
	{signReady, "ready"}, {signFailed, "failed or lost"}, {signDenied, "held back"}, {signUnknown, "end not known"}, {signAlert, "alert"},
	{signOperator, "operator"}, {signRestart, "restart or release"}, {signGap, "gap in the log"}, {signViolated, "rule violated"},
}

// words are what the template may call.
func (p *paper) words() template.FuncMap {
	return template.FuncMap{
		"css":      func() template.CSS { return template.CSS(pageCSS) },
		"lower":    func(o rule.Outcome) string { return strings.ToLower(string(o)) },
		"sections": func() []section { return sections }, "marks": func() any { return markNames },
		"head": p.head, "ref": p.ref, "clock": p.clock, "zone": p.zone, "when": p.when, "sign": sign, "elsewhere": elsewhere, "often": often,
		"add": func(a, b int) int { return a + b }, "count": count, "group": group, "big": func(n int64) string { return group(int(n)) },
		"drawing": func(d *Document) *drawing { return draw(d, p.s) }, "foldheight": func(d *drawing) int { return (d.Foot - 22) / 8 * 8 },
		"zigzag": zigzag, "foldmiddle": func(f drawnFold) int { return f.X + f.W/2 }, "axis": axis, "words": p.inWords,
		"number": number, "stage": stage, "outcome": outcome, "mood": mood, "resultmood": resultMood, "span": spanOf, "us": func(us int64) string { return span(us * 1e3) },
		"longest": slowest, "bar": durationBar, "measured": measured, "compared": comparedWith, "histogram": histogram, "judged": judged,
		"download": p.download, "rowcount": rowCount, "rowsmore": rowsMore, "groups": p.groups, "rowhead": p.rowHead, "delta": delta,
		"by": func(s string) string { return strings.TrimPrefix(s, "/") }, "fields": func() any { return noteFields }, "extent": p.extent,
	}
}

var noteFields = []struct {
	ID, Name string
	Tall     bool
}{
	{"note-cause", "Root cause", true}, {"note-helped", "What helped, and what was in the way", true}, {"note-actions", "What will be done", true},
	{"note-owner", "Owner", false}, {"note-date", "Date", false},
}

func (p *paper) head(id string) template.HTML {
	for i, s := range sections {
		if s.ID == id {
			return template.HTML(fmt.Sprintf(`<h2 id="%s"><span class="n">%d</span>%s</h2>`, s.ID, i+1, s.Name))
		}
	}
	panic("report: no section " + id)
}

// ref names an event, and links to its row if it has one.
func (p *paper) ref(seq uint64) template.HTML {
	if at := p.row(seq); at != 0 {
		return template.HTML(fmt.Sprintf(`<a class="seq" href="#seq-%d">#%d</a>`, at, seq))
	}
	return template.HTML(fmt.Sprintf(`<span class="seq">#%d</span>`, seq))
}

// row is the sequence of the row that an event is told in, 0 if it is in none.
func (p *paper) row(seq uint64) uint64 {
	rows := p.d.Rows
	i := sort.Search(len(rows), func(i int) bool { return rows[i].Seq > seq }) - 1
	if i >= 0 && (rows[i].Seq == seq || seq <= rows[i].To) {
		return rows[i].Seq
	}
	return 0
}

// rowHead begins a row; a sequence that comes twice has one anchor.
func (p *paper) rowHead(r EventRow) template.HTML {
	id := ""
	if r.Seq > p.max {
		p.max, id = r.Seq, fmt.Sprintf(" id=seq-%d", r.Seq)
	}
	text := fmt.Sprintf("#%d", r.Seq)
	if r.To > r.Seq {
		text += fmt.Sprintf(" to #%d", r.To)
	}
	return template.HTML(fmt.Sprintf(`<tr%s><th scope=row class=seq>%s`, id, text))
}

func (p *paper) clock(t *time.Time) string {
	if t == nil {
		return ""
	}
	return p.s.clock(*t)
}

func (p *paper) zone(d *Document) string {
	if d.Begin == nil {
		return p.s.place(time.Time{})
	}
	return p.s.place(*d.Begin)
}

// when says which span it is: from when to when, how long, where the reader is.
func (p *paper) when(d *Document) string {
	if d.Events == 0 {
		return "no event"
	}
	parts := []string{fmt.Sprintf("#%d to #%d", d.First, d.Last)}
	if d.Begin != nil && d.End != nil {
		to := p.s.moment(*d.End)
		if p.s.day(*d.Begin) == p.s.day(*d.End) {
			to = p.s.clock(*d.End)
		}
		parts = append([]string{p.s.moment(*d.Begin) + " to " + to}, parts...)
	} else {
		parts = append(parts, "not every event has a time")
	}
	if d.LengthNS != nil && *d.LengthNS > 0 {
		parts = append(parts, span(*d.LengthNS))
	}
	return strings.Join(append(parts, p.zone(d)), " · ")
}

func (p *paper) extent(d *Document) string {
	if d.Events == 0 {
		return "no event"
	}
	what := ""
	if d.Incident != 0 {
		what = fmt.Sprintf(", the incident of the stop at #%d", d.Incident)
	}
	return fmt.Sprintf("%s, #%d to #%d%s", count(d.Events, "event"), d.First, d.Last, what)
}

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

func zigzag(f drawnFold, foot int) string {
	var b strings.Builder
	for i, x := range [2]int{f.X, f.X + f.W} {
		if i == 0 && f.Joined {
			continue
		}
		fmt.Fprintf(&b, "M%d 22", x)
		b.WriteString(strings.Repeat("l3 4l-3 4", (foot-22)/8))
	}
	return b.String()
}

// inWords is the picture for whoever cannot see it. A lane with hundreds of bands
// is told from its beginning; the table of events has the rest.
func (p *paper) inWords(d *Document) []struct {
	Name  string
	Lines []string
} {
	const most = 40
	var out []struct {
		Name  string
		Lines []string
	}
	for _, l := range d.Picture.Lanes {
		var lines []string
		for i := range l.Bands {
			b := &l.Bands[i]
			line := b.words(p.s)
			if d.Picture.Clocked {
				line += " for " + span(b.To-b.From)
			}
			lines = append(lines, line)
		}
		for i := range l.Marks {
			lines = append(lines, l.Marks[i].words(p.s))
		}
		if n := len(lines) - most; n > 0 {
			lines = append(lines[:most], fmt.Sprintf("and %s more", group(n)))
		}
		out = append(out, struct {
			Name  string
			Lines []string
		}{l.Name, lines})
	}
	return out
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

func slowest(d *Document) int64 {
	most := int64(1)
	for _, r := range d.Attempts {
		if r.DurationNS != nil {
			most = max(most, *r.DurationNS)
		}
	}
	return most
}

// durationBar is a duration as a length.
func durationBar(ns *int64, most int64) template.HTML {
	if ns == nil || *ns <= 0 {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="%d" height="10"/></svg>`, max(1, int(float64(*ns)/float64(most)*100))))
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

// histogram draws both distributions over the same buckets, as shares.
func histogram(r LatencyRow) template.HTML {
	const width, height, each = 324, 96, 18
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s: the table below has the same">`, width, height+18, r.Step)
	top := 0.0
	share := func(l Latency, i int) float64 {
		if l.N == 0 {
			return 0
		}
		return float64(l.Counts[i]) / float64(l.N)
	}
	for i := range r.Here.Counts {
		top = max(top, share(r.Here, i), share(r.Before, i))
	}
	for i := range r.Here.Counts {
		if h := int(share(r.Here, i) / top * height); h > 0 {
			fmt.Fprintf(&b, `<rect class="here" x="%d" y="%d" width="%d" height="%d"/>`, i*each+3, height-h, each-6, h)
		}
		if h := int(share(r.Before, i) / top * height); h > 0 {
			fmt.Fprintf(&b, `<rect class="was" x="%d.5" y="%d.5" width="%d" height="%d"/>`, i*each, height-h, each-1, h)
		}
	}
	fmt.Fprintf(&b, `<line class="base" x1="0" x2="%d" y1="%d" y2="%d"/>`, width, height, height)
	for i, us := range LatencyEdgesUS {
		if i == 0 || i == 3 || i == 6 || i == 9 || i == 12 || i == 15 {
			fmt.Fprintf(&b, `<text class="soft" x="%d" y="%d" text-anchor="middle">%s</text>`, (i+1)*each, height+14, edge(us))
		}
	}
	return template.HTML(b.String() + "</svg>")
}

func edge(us int64) string {
	switch {
	case us < 1e3:
		return fmt.Sprintf("%dµs", us)
	case us < 1e6:
		return fmt.Sprintf("%dms", us/1e3)
	}
	return fmt.Sprintf("%ds", us/1e6)
}

func judged(d *Document) string {
	out := fmt.Sprintf("%s. It is judged from the first event of the source", d.Outcome)
	if d.Last != 0 {
		out += fmt.Sprintf(" to #%d", d.Last)
	}
	return out + ", because a rule rests on what came before."
}

// download offers the stored bytes.
func (p *paper) download(d *Document) template.HTML {
	if len(d.lines) == 0 {
		return template.HTML(template.HTMLEscapeString("The stored events are too many to be carried in this page. Copy them with: " + d.Provenance.Export))
	}
	return template.HTML(fmt.Sprintf(`<a download="%s-%d-%d.ndjson" href="data:application/x-ndjson;base64,%s">The stored events, byte for byte</a> (NDJSON, %s bytes). Check a copy that begins at #1 with replay verify.`,
		template.HTMLEscapeString(d.Gateway), d.First, d.Last, base64.StdEncoding.EncodeToString(d.lines), group(len(d.lines))))
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

// rowGroup is what opens and closes together.
type rowGroup struct {
	Title string // "" if it is the only one
	Label string
	Rows  []EventRow
}

const groupRows = 200

// groups cuts the rows where a run or an epoch begins, and after 200.
func (p *paper) groups(d *Document) []rowGroup {
	var out []rowGroup
	begin := 0
	for i := 1; i <= len(d.Rows); i++ {
		if i < len(d.Rows) && i-begin < groupRows && d.Rows[i].Epoch == d.Rows[begin].Epoch && d.Rows[i].Boot == d.Rows[begin].Boot {
			continue
		}
		rows := d.Rows[begin:i]
		first, last := rows[0], rows[len(rows)-1]
		label := fmt.Sprintf("#%d to #%d", first.Seq, max(last.Seq, last.To))
		if first.Time != nil {
			label += " · from " + p.s.moment(*first.Time)
		}
		label += fmt.Sprintf(" · run %s, epoch %d", plain(first.Boot), first.Epoch)
		for _, r := range rows {
			if r.Gate == "STOPPED" {
				label += fmt.Sprintf(" · the gate stops at #%d", r.Seq)
				break
			}
		}
		out = append(out, rowGroup{Title: label, Label: label, Rows: rows})
		begin = i
	}
	if len(out) == 1 {
		out[0].Title = ""
	}
	return out
}
