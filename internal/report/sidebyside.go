package report

import (
	"fmt"
	"io"
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/diff"
)

// SideBySide is a comparison of two streams with what a person needs to follow it.
type SideBySide struct {
	diff.Difference
	// SourceA and SourceB are the streams as the user named them.
	SourceA, SourceB string
	// AroundA and AroundB are the events around the first divergence: Before of them
	// and then a few of each.
	AroundA, AroundB []events.Event
}

const (
	// contextBefore and contextAfter are how many events are shown around the first divergence.
	contextBefore = 3
	contextAfter  = 5
	// maxHunks is how many places that differ a text tells, and manyHunks a JSON.
	maxHunks  = 12
	manyHunks = 1000
)

// Around is the range of sequences of a side that is shown of the first divergence; 0 and
// 0 if the side has no event there.
func (d *SideBySide) Around(side *diff.Side) (from, to uint64) {
	first, last := max(0, d.First-contextBefore), min(d.First+contextAfter, side.Events())-1
	if d.Same() || first > last {
		return 0, 0
	}
	return side.Seq(first), side.Seq(last)
}

// sentence says what came of it.
func (d *SideBySide) sentence() string {
	if d.Same() {
		return fmt.Sprintf("all %s mean the same in the same order", count(d.A.Events(), "event"))
	}
	has := func(side *diff.Side) string {
		if d.First == side.Events() {
			return "ends"
		}
		return fmt.Sprintf("has %s at #%d", side.Meaning(d.First), side.Seq(d.First))
	}
	after := "from the first event on"
	if d.First > 0 {
		after = fmt.Sprintf("after %s alike", count(d.First, "event"))
	}
	return fmt.Sprintf("%s A %s and B %s", after, has(d.A), has(d.B))
}

// WriteSideBySide writes a comparison for people: a sentence, the first divergence with
// what is around it, the other places that differ, what there is more of, and how long
// each lasted.
func WriteSideBySide(w io.Writer, d SideBySide, s Style) error {
	p := &page{w: w, s: s}
	word, c := "SAME", green
	if !d.Same() {
		word, c = "DIFFERENT", yellow
	}
	p.line("%s: %s", s.paint(c, word), d.sentence())
	p.line("")
	p.table([][]string{d.side("A", d.SourceA, d.A), d.side("B", d.SourceB, d.B)})
	if !d.Same() {
		p.divergence(d)
		p.hunks(d)
	}
	p.kinds(d)
	p.times(d)
	p.line("")
	p.line("next: %s", d.next())
	return p.err
}

func (d *SideBySide) side(name, source string, side *diff.Side) []string {
	if side.Events() == 0 {
		return []string{name, source, "no event"}
	}
	return []string{name, source, fmt.Sprintf("gateway %s · %s · #%d to #%d", side.Gateway, count(side.Events(), "event"), side.Seq(0), side.Seq(side.Events()-1))}
}

// divergence shows what is around the first event that differs.
func (p *page) divergence(d SideBySide) {
	p.line("")
	p.line("the first divergence")
	before := min(contextBefore, d.First)
	show := func(mark string, around []events.Event) {
		for _, e := range around {
			p.line("  %s  %s", mark, strings.TrimRight(Line(e, p.s), " "))
		}
	}
	show("=", d.AroundA[:min(before, len(d.AroundA))])
	show("A", d.AroundA[min(before, len(d.AroundA)):])
	show("B", d.AroundB[min(before, len(d.AroundB)):])
}

// hunks tells the places that differ.
func (p *page) hunks(d SideBySide) {
	p.line("")
	if !d.Aligned {
		p.line("behind it nothing is aligned: from there to the last event that differs A has %s and B has %s; --align takes more", count(d.Hunks[0].A.Len(), "event"), count(d.Hunks[0].B.Len(), "event"))
		return
	}
	p.line("%s alike, and %s where they differ", count(d.Alike, "event"), count(len(d.Hunks), "place"))
	rows := [][]string{{"", "A", "", "B", ""}}
	for i, h := range d.Hunks[:min(len(d.Hunks), maxHunks)] {
		rows = append(rows, []string{fmt.Sprint(i + 1), extent(d.A, h.A), gist(d.A, h.A), extent(d.B, h.B), gist(d.B, h.B)})
	}
	p.table(rows)
	if more := len(d.Hunks) - maxHunks; more > 0 {
		p.line("  %s more; -o json has the first %s", count(more, "place"), group(manyHunks))
	}
}

// extent says which events a part has.
func extent(side *diff.Side, part diff.Part) string {
	switch part.Len() {
	case 0:
		return "-"
	case 1:
		return fmt.Sprintf("#%d", side.Seq(part.From))
	}
	return fmt.Sprintf("#%d to #%d", side.Seq(part.From), side.Seq(part.To-1))
}

// gist says what the first events of a part mean.
func gist(side *diff.Side, part diff.Part) string {
	var words []string
	for i := part.From; i < part.To && len(words) < 2; i++ {
		words = append(words, side.Meaning(i))
	}
	if more := part.Len() - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}

// kinds tells of which kinds there are more in one of them.
func (p *page) kinds(d SideBySide) {
	rows := [][]string{{"KIND", "A", "B", "B-A"}}
	for _, k := range events.Kinds() {
		if a, b := d.A.Kinds[k.Kind], d.B.Kinds[k.Kind]; a != b {
			rows = append(rows, []string{string(k.Kind), group(a), group(b), fmt.Sprintf("%+d", b-a)})
		}
	}
	p.line("")
	if len(rows) == 1 {
		p.line("there are as many events of each kind in both")
		return
	}
	p.table(rows)
}

// times tells how long each state lasted.
func (p *page) times(d SideBySide) {
	rows := [][]string{{"TIME IN", "A", "B", "B-A"}}
	row := func(name string, a, b int64) {
		if a != 0 || b != 0 {
			rows = append(rows, []string{name, lasted(a), lasted(b), signed(b - a)})
		}
	}
	for _, g := range fsm.GateTable().States {
		row("gate "+string(g), d.A.Gate[g], d.B.Gate[g])
	}
	for _, g := range fsm.APITable().States {
		row("gateway "+string(g), d.A.API[g], d.B.API[g])
	}
	if len(rows) > 1 {
		p.line("")
		p.table(rows)
	}
}

// lasted is span, for what may not have been at all.
func lasted(ns int64) string {
	if ns == 0 {
		return "0"
	}
	return span(ns)
}

func signed(ns int64) string {
	if ns > 0 {
		return "+" + span(ns)
	}
	return lasted(ns)
}

func (d *SideBySide) next() string {
	if from, to := d.Around(d.B); from != 0 {
		return Command("replay", "timeline", d.SourceB, "--from", fmt.Sprint(from), "--to", fmt.Sprint(to))
	}
	return Command("replay", "verify", d.SourceA)
}
