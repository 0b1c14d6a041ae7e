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

func newPaper(d *Document, s Style) *paper {
	s.days = d.Begin != nil && d.End != nil && s.day(*d.Begin) != s.day(*d.End)
	return &paper{d: d, s: s}
}

// words are what the template may call.
func (p *paper) words() template.FuncMap {
	return template.FuncMap{
		"css":      func() template.CSS { return template.CSS(pageCSS) },
		"lower":    func(o rule.Outcome) string { return strings.ToLower(string(o)) },
		"sections": func() []section { return sections }, "marks": func() any { return markNames },
		"head": p.head, "ref": p.ref, "clock": p.clock, "days": func() bool { return p.s.days }, "zone": p.zone, "when": p.when, "sign": sign, "elsewhere": elsewhere, "often": often,
		"add": func(a, b int) int { return a + b }, "count": count, "group": group, "big": func(n int64) string { return group(int(n)) },
		"drawing": func(d *Document) *drawing { return draw(d, p.s) }, "foldheight": func(d *drawing) int { return (d.Foot - 22) / 8 * 8 },
		"zigzag": zigzag, "foldmiddle": func(f drawnFold) int { return f.X + f.W/2 }, "axis": axis, "words": p.inWords,
		"number": number, "stage": stage, "outcome": outcome, "mood": mood, "resultmood": resultMood, "span": spanOf, "us": func(us int64) string { return span(us * 1e3) },
		"longest": slowest, "bar": durationBar, "measured": measured, "compared": comparedWith, "histogram": histogram, "judged": judged,
		"download": p.download, "rowcount": rowCount, "rowsmore": rowsMore, "groups": p.groups, "rowhead": p.rowHead, "delta": delta,
		"by": func(s string) string { return strings.TrimPrefix(s, "/") }, "fields": func() any { return noteFields }, "extent": p.extent,
	}
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
	return p.s.hour(*t)
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

// download offers the stored bytes.
func (p *paper) download(d *Document) template.HTML {
	if d.Events == 0 {
		return "There is no event to copy."
	}
	if len(d.lines) == 0 {
		return template.HTML(template.HTMLEscapeString("The stored events are too many to be carried in this page. Copy them with: " + d.Provenance.Export))
	}
	return template.HTML(fmt.Sprintf(`<a download="%s-%d-%d.ndjson" href="data:application/x-ndjson;base64,%s">The stored events, byte for byte</a> (NDJSON, %s bytes). Check a copy that begins at #1 with replay verify.`,
		template.HTMLEscapeString(d.Gateway), d.First, d.Last, base64.StdEncoding.EncodeToString(d.lines), group(len(d.lines))))
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
