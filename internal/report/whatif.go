package report

import (
	"fmt"
	"io"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/whatif"
)

// notModelled says of every answer what it is not.
const notModelled = "MODEL is not offered: how it would have ended is in no log"

// WriteMask writes which recorded attempts each policy would have held: a sentence, a
// table, what the answer rests on, and the next command.
func WriteMask(w io.Writer, source string, first events.Event, asked []*whatif.Mask, s Style) error {
	p := &page{w: w, s: s}
	recorded := asked[0].Result
	for _, m := range asked {
		word, c := label(m.Result)
		if anchored(first) != "" {
			word, c = "NOT SOUND", yellow
		}
		p.line("%s: %s", s.paint(c, word), maskSentence(m))
	}
	p.line("")
	p.line("  gateway %s · #%d to #%d · %s", first.Gateway, first.Seq, recorded.Last, s.place(first.Time))
	if why := anchored(first); why != "" {
		p.line("  %s", why)
	}
	p.line("")
	p.maskTable(asked)
	p.line("")
	p.line("  AVOIDED is SOUND: nobody dials while a stop stands. LATER and LET IN (*) take what was recorded after that for what would have been. %s.", notModelled)
	if n := recorded.Around; n > 0 {
		p.line("  %s of the attempts %s reported by programs that asked nobody: no policy holds them.", group(n), wasWere(n))
	}
	p.line("")
	p.next(maskCommands(source, asked))
	return p.err
}

// maskTable has a row for each policy, or, where a terminal is too narrow for that, a column.
func (p *page) maskTable(asked []*whatif.Mask) {
	recorded := asked[0].Result
	rows := [][]string{
		{"POLICY", "ATTEMPTS", "AVOIDED", "OF THEM READY", "LATER *", "LET IN *", "STOPS", "FIRST STOP", "AFTER", "TIME TO STOP", "NEEDLESS", "SOUND UP TO"},
		{"as recorded", group(recorded.Attempts), "-", "-", "-", "-", group(recorded.RecordedStops), "-", "-", "-", "-", "-"},
	}
	for _, m := range asked {
		rows = append(rows, maskRow(m))
	}
	if p.s.Width > 0 && tableWidth(rows) > p.s.Width {
		rows = turned(rows)
	}
	p.table(rows)
}

// turned makes the columns of a table its rows.
func turned(rows [][]string) [][]string {
	out := make([][]string, len(rows[0]))
	for i := range out {
		for _, r := range rows {
			out[i] = append(out[i], r[i])
		}
	}
	return out
}

// tableWidth is how many columns of a terminal table takes.
func tableWidth(rows [][]string) int {
	widest := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			widest[i] = max(widest[i], columns(cell))
		}
	}
	n := 0
	for _, w := range widest {
		n += 2 + w
	}
	return n
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// anchored says why nothing is sound of a stream that has lost its beginning, "" if it
// has not.
func anchored(first events.Event) string {
	if first.Seq <= 1 {
		return ""
	}
	return fmt.Sprintf("the stream starts at #%d: a stop, a wait or a row of failures from before it is not known", first.Seq)
}

// label says how far an answer goes.
func label(r whatif.Result) (string, colour) {
	if r.First.Seq == 0 || r.First.Change == whatif.Stops {
		return "SOUND", green
	}
	return fmt.Sprintf("SOUND before #%d only", r.First.Seq), yellow
}

func maskSentence(m *whatif.Mask) string {
	r, name := m.Result, m.Policy.Name
	if r.First.Seq == 0 {
		if r.RecordedStops == 0 && r.Total == 0 {
			return fmt.Sprintf("%s would have stopped nobody either: all %s as recorded", name, count(r.Attempts, "attempt"))
		}
		return fmt.Sprintf("%s would have done what was done: %s, and no attempt less", name, count(r.Total, "stop"))
	}
	text := fmt.Sprintf("%s %s", name, change(r))
	if r.First.Change == whatif.Stops {
		text += fmt.Sprintf("; of %s it would have held %s", count(r.Attempts, "recorded attempt"), noneOr(r.Avoided))
		if r.AvoidedReady > 0 {
			text += fmt.Sprintf(" (%s became ready)", noneOr(r.AvoidedReady))
		}
	}
	if r.Until != 0 && r.First.Change == whatif.Stops {
		text += fmt.Sprintf("; from #%d on everything is as recorded", r.Until)
	}
	return text
}

func noneOr(n int) string {
	if n == 0 {
		return "none"
	}
	return group(n)
}

// change says in words how a policy first decides otherwise.
func change(r whatif.Result) string {
	d := r.First
	switch d.Change {
	case whatif.Stops:
		switch {
		case d.About != "":
			return fmt.Sprintf("keeps its stop at #%d, where attempt %s was let dial", d.Seq, d.About)
		case r.Imported:
			return fmt.Sprintf("stops at #%d, where nobody did", d.Seq)
		}
		return fmt.Sprintf("stops at #%d, where the recorded policy went on", d.Seq)
	case whatif.GoesOn:
		return fmt.Sprintf("goes on at #%d, where the recorded policy stopped", d.Seq)
	case whatif.Waits:
		return fmt.Sprintf("keeps an attempt waiting at #%d that was permitted (%s)", d.Seq, d.About)
	case whatif.Earlier:
		return fmt.Sprintf("lets attempt %s dial earlier than #%d", d.About, d.Seq)
	case whatif.LetsIn:
		return fmt.Sprintf("lets somebody dial who was turned away at #%d", d.Seq)
	case whatif.Budget:
		return fmt.Sprintf("has another %s than the attempt met that ended at #%d", d.About, d.Seq)
	}
	return fmt.Sprintf("has no ground for the release of #%d", d.Seq)
}

func maskRow(m *whatif.Mask) []string {
	r := m.Result
	at, after, took, until := "-", "-", "-", "the end"
	if len(r.Stops) > 0 {
		st := r.Stops[0]
		at = fmt.Sprintf("#%d %s", st.Seq, st.Reason)
		after = count(st.Attempts, "attempt")
		if st.TookNS >= 0 {
			took = span(st.TookNS)
		}
		if !st.Sound {
			at += " *"
		}
	}
	if r.Until != 0 {
		until = fmt.Sprintf("#%d", r.Until)
	}
	return []string{m.Policy.Name, group(r.Attempts - r.Avoided), group(r.Avoided), group(r.AvoidedReady), group(r.Later), group(r.LetIn),
		group(r.Total), at, after, took, group(r.Needless), until}
}

func maskCommands(source string, asked []*whatif.Mask) []string {
	var out []string
	for _, m := range asked {
		if d := m.Result.First; d.Seq != 0 {
			from := max(d.Seq, 6) - 5
			out = append(out, Command("replay", "timeline", source, "--from", fmt.Sprint(from), "--to", fmt.Sprint(min(d.Seq+5, m.Result.Last))))
			break
		}
	}
	words := []string{"replay", "whatif", source}
	for _, m := range asked {
		words = append(words, m.Policy.Flag, m.Policy.Name)
	}
	return append(out, Command(append(words, "--mode", "decisions")...))
}

// mostShownDifferences is how many differences a text tells of one policy.
const mostShownDifferences = 10

// WriteComparison writes where each policy would have decided otherwise.
func WriteComparison(w io.Writer, source string, first events.Event, asked []*whatif.Comparison, s Style) error {
	p := &page{w: w, s: s}
	for i, c := range asked {
		if i > 0 {
			p.line("")
		}
		p.comparison(c, first)
	}
	p.line("")
	if why := anchored(first); why != "" {
		p.line("%s.", why)
	}
	p.line("%s.", notModelled)
	p.line("")
	p.next(compareCommands(source, asked))
	return p.err
}

func compareCommands(source string, asked []*whatif.Comparison) (out []string) {
	for _, c := range asked {
		if len(c.First) > 0 {
			out = append(out, Command("replay", "state", source, "--at", fmt.Sprint(max(c.First[0].Seq, 2)-1)))
			break
		}
	}
	words := []string{"replay", "whatif", source}
	for _, c := range asked {
		words = append(words, c.Policy.Flag, c.Policy.Name)
	}
	return append(out, Command(append(words, "--mode", "mask")...))
}

func (p *page) comparison(c *whatif.Comparison, first events.Event) {
	word, paint := "SOUND", green
	if anchored(first) != "" {
		word, paint = "NOT SOUND", yellow
	} else if c.Unlike > 0 {
		word, paint = fmt.Sprintf("SOUND before #%d only", c.UnlikeAt), yellow
	}
	p.line("%s: %s", p.s.paint(paint, word), compareSentence(c))
	if c.Unlike > 0 {
		p.line("  %d of %s are not what the recorded policy decides there, the first is #%d: the rule was broken, or another version decided; see replay verify",
			c.Unlike, count(c.Compared, "recorded decision"), c.UnlikeAt)
	}
	if len(c.First) == 0 {
		return
	}
	p.line("")
	rows := [][]string{{"BEFORE", "RECORDED", strings.ToUpper(c.Policy.Name), "ATTEMPT", ""}}
	for i, d := range c.First[:min(len(c.First), mostShownDifferences)] {
		mark := p.s.paint(bold, "◀ first")
		if i > 0 {
			mark = "as recorded"
		}
		rows = append(rows, []string{fmt.Sprintf("#%d", d.Seq), recordedDecision(c, d), decision(d.B, d.UntilB), d.Attempt, mark})
	}
	p.table(rows)
	if n := c.Total - min(len(c.First), mostShownDifferences); n > 0 {
		p.line("  %s more, all of them at states as recorded; -o json has the first 100.", count(n, "difference"))
	}
}

func compareSentence(c *whatif.Comparison) string {
	if c.Total == 0 {
		return fmt.Sprintf("%s decides the same at every recorded state (%s)", c.Policy.Name, count(c.Compared, "decision"))
	}
	d := c.First[0]
	text := fmt.Sprintf("%s first decides otherwise before #%d: %s; recorded: %s", c.Policy.Name, d.Seq, decision(d.B, d.UntilB), recordedDecision(c, d))
	if c.Total > 1 {
		text += fmt.Sprintf(". %s more, at states that what was recorded has led to", count(c.Total-1, "difference"))
	}
	return text
}

// recordedDecision is what the recorded policy decides there.
func recordedDecision(c *whatif.Comparison, d whatif.Difference) string {
	if c.Imported {
		return "nobody decided"
	}
	return decision(d.A, d.UntilA)
}

// decision is what a policy decides, in a few words.
func decision(p events.Payload, until int64) string {
	switch {
	case p != nil:
		return strings.TrimSuffix(string(p.Kind())+" "+shortened(detail(p)), " ")
	case until != 0:
		return fmt.Sprintf("nothing until %s of the run", span(until))
	}
	return "nothing"
}
