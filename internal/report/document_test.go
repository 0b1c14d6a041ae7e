package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/figure"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source/streamtest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// incident reads a folder of testdata/streams.
func incident(tb testing.TB, name string) []byte {
	tb.Helper()
	lines, err := os.ReadFile(filepath.Join("..", "..", "testdata", "streams", name, "events.ndjson"))
	if err != nil {
		tb.Fatal(err)
	}
	return lines
}

// composed is the document of a part of a stream; the error of the stream is in it.
func composed(lines []byte, r Range) *Document {
	d, _ := Compose(upTo(ndjson(lines), r.To), Subject{Source: "incident.ndjson", Range: r, Version: "(test)"})
	return d
}

// upTo is a stream as a source gives it when its end is asked for.
func upTo(in iter.Seq2[events.Record, error], last uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if err == nil && last != 0 && rec.Seq > last || !yield(rec, err) {
				return
			}
		}
	}
}

func rendered(tb testing.TB, d *Document, s Style) (html, markdown, document []byte) {
	tb.Helper()
	var h, m, j bytes.Buffer
	for _, err := range []error{WriteHTML(&h, d, s), WriteMarkdown(&m, d, s), WriteJSON(&j, d)} {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return h.Bytes(), m.Bytes(), j.Bytes()
}

func TestReportGoldens(t *testing.T) {
	style := Style{Zone: newYork(t)}
	for _, c := range []struct {
		name, says string
		lines      []byte
		span       Range
	}{
		{"syn-03", "a stop, a claim that is rejected, a restart that is seen", incident(t, "SYN-03-stopped-and-released"), Range{From: 5, To: 51}},
		{"inc-06", "an account that nobody's recorder wrote has no times", incident(t, "INC-06-five-retries"), Range{}},
		{"forgotten", "a broken rule", streamtest.Forgotten("live").NDJSON(), Range{}},
		{"damaged", "a line that cannot be read", incident(t, "bad/08-wrong-type"), Range{}},
		{"empty", "there is nothing", nil, Range{}},
	} {
		t.Run(c.name+": "+c.says, func(t *testing.T) {
			html, markdown, document := rendered(t, composed(c.lines, c.span), style)
			golden(t, c.name+".report.html", html)
			golden(t, c.name+".report.md", markdown)
			golden(t, c.name+".report.json", document)

			again, _, _ := rendered(t, composed(c.lines, c.span), style)
			if !bytes.Equal(html, again) {
				t.Error("made again, the page is another")
			}
			var back Document
			in := json.NewDecoder(bytes.NewReader(document))
			in.DisallowUnknownFields()
			if err := in.Decode(&back); err != nil || back.Schema != Schema {
				t.Errorf("read back: %v, schema %d", err, back.Schema)
			}
		})
	}
}

func TestIncidents(t *testing.T) {
	night := streamtest.Night("live")
	twice := streamtest.Night("live")
	twice.After(time.Hour).Gone("a5").After(time.Hour).Silent("b1", 15*time.Second).After(time.Minute).Silent("b2", 15*time.Second).
		After(time.Minute).Silent("b3", 15*time.Second).Stop(3).After(time.Minute).Resume("kim")
	syn03 := incident(t, "SYN-03-stopped-and-released")
	for _, c := range []struct {
		name  string
		lines []byte
		want  []Incident
	}{
		{"from the first attempt that failed to the session after the release", night.NDJSON(),
			[]Incident{{Stops: []uint64{39}, Range: Range{From: 15, To: 290}, Over: true}}},
		{"one that was observed, whose first attempt after it fails", syn03,
			[]Incident{{Stops: []uint64{14}, Range: Range{From: 5, To: 51}, Over: true}}},
		{"the second one, released, and nobody connected yet", twice.NDJSON(), []Incident{
			{Stops: []uint64{39}, Range: Range{From: 15, To: 290}, Over: true},
			{Stops: []uint64{315}, Range: Range{From: 293, To: 319}},
		}},
		{"a stop that a restart forgot is not over", streamtest.Forgotten("live").NDJSON(),
			[]Incident{{Stops: []uint64{11}, Range: Range{From: 3, To: 25}}}},
		{"a probation that fails is of the same incident", twoReleases(), []Incident{{Stops: []uint64{11, 24}, Range: Range{From: 3, To: 39}, Over: true}}},
		{"no stop", streamtest.Busy("live", 100).NDJSON(), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Incidents(ndjson(c.lines))
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// twoReleases is a stop whose release does not help, and another that does.
func twoReleases() []byte {
	return streamtest.New("live").Start().After(time.Second).Silent("a1", 30*time.Second).Stop(1).
		After(time.Minute).Resume("kim").After(time.Minute).Silent("a2", 30*time.Second).Stop(1).
		After(time.Minute).Resume("kim").After(time.Minute).Probe("a3", 7, 1).NDJSON()
}

func TestAnIncidentIsChosen(t *testing.T) {
	all := []Incident{{Stops: []uint64{39, 60}, Range: Range{From: 15, To: 90}}, {Stops: []uint64{315}, Range: Range{From: 293, To: 319}}}
	for _, c := range []struct {
		name string
		all  []Incident
		seq  uint64
		want uint64 // its first stop
		says string
	}{
		{"the last one", all, 0, 315, ""},
		{"by its stop", all, 39, 39, ""},
		{"by a later stop of it", all, 60, 39, ""},
		{"by any event of it", all, 90, 39, ""},
		{"between two", all, 100, 0, "#100 lies in none; the stops are #39, #315"},
		{"where there is none", nil, 0, 0, "the gate was never stopped"},
	} {
		got, err := ChooseIncident(c.all, c.seq)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", c.name, err, c.says)
			}
			continue
		}
		if err != nil || got.Stops[0] != c.want {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

// Every event of the span is in a row or in a count, and no row stands for one
// that is not.
func TestAReportLosesNoEvent(t *testing.T) {
	for name, lines := range map[string][]byte{
		"night": streamtest.Night("live").NDJSON(), "busy": streamtest.Busy("live", 3_000).NDJSON(), "longer than a page": streamtest.Busy("live", maxRows+3_000).NDJSON(),
	} {
		d := composed(lines, Range{From: 7})
		next, all := uint64(7), bytes.Count(lines, []byte("\n"))-6
		for _, r := range d.Rows {
			if r.Seq != next {
				t.Fatalf("%s: after #%d comes #%d", name, next-1, r.Seq)
			}
			next = max(r.Seq, r.To) + 1
		}
		if told := int(next - 7); told+d.RowsMore != all || d.Events != all {
			t.Errorf("%s: %d told, %d more, %d events; want %d", name, told, d.RowsMore, d.Events, all)
		}
		var attempts int64
		for _, p := range d.Programs {
			attempts += p.Attempts
		}
		if d.AttemptsMore == 0 {
			for _, r := range d.Attempts {
				attempts -= r.Times
			}
			if attempts != 0 {
				t.Errorf("%s: the programs have %d attempts more than the table", name, attempts)
			}
		}
	}
}

func TestAReportIsBounded(t *testing.T) {
	d := composed(streamtest.Busy("live", maxRows+3_000).NDJSON(), Range{})
	html, markdown, _ := rendered(t, d, Style{})
	if len(d.Story) > maxStory+maxBroken+1 || len(d.Attempts) > maxAttempts || len(d.Rows) > maxRows || d.lines != nil {
		t.Errorf("%d sentences, %d attempts, %d rows, %d bytes", len(d.Story), len(d.Attempts), len(d.Rows), len(d.lines))
	}
	if n := bytes.Count(markdown, []byte("\n")); n > 800 {
		t.Errorf("the Markdown has %d lines", n)
	}
	svg := html[bytes.Index(html, []byte("<svg class=\"lanes\"")):]
	svg = svg[:bytes.Index(svg, []byte("</svg>"))]
	if n := bytes.Count(svg, []byte("<use ")); n == 0 || n > 400 {
		t.Errorf("the picture has %d signs", n)
	}
}

func TestAPageOfTenThousandEventsStaysSmall(t *testing.T) {
	d := composed(streamtest.Busy("live", 10_000).NDJSON(), Range{})
	html, _, _ := rendered(t, d, Style{})
	if d.RowsMore != 0 || len(html) > 2<<20 {
		t.Errorf("%d events have no row, and the page has %d bytes", d.RowsMore, len(html))
	}
	ordinary, _, _ := rendered(t, composed(streamtest.Night("live").NDJSON(), Range{}), Style{})
	if len(ordinary) > 300<<10 {
		t.Errorf("the page of an ordinary incident has %d bytes", len(ordinary))
	}
}

// What the story leaves out it counts, also where it is too much to be kept.
func TestTheStoryCountsWhatItLeavesOut(t *testing.T) {
	stream := streamtest.Busy("live", 12_000)
	d := composed(stream.NDJSON(), Range{})
	want := map[string]int64{}
	for _, r := range stream.Records() {
		switch r.Kind() {
		case "attempt.succeeded", "attempt.failed", "session.degraded", "session.restored", "recorder.started":
			want[string(r.Kind())]++
		}
	}
	got := map[string]int64{}
	for _, x := range append(slices.Clone(d.Story), d.Untold...) {
		got[string(x.sort)] += max(1, x.Times)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the sentences stand for (-want +got):\n%s", diff)
	}
}

// No browser is needed to see that a page has nothing to fetch or to run.
func TestAPageAsksForNothing(t *testing.T) {
	attribute := regexp.MustCompile(`(?i)\s(src|srcset|action|formaction|poster|background|ping|on[a-z]+|style|href|xlink:href)\s*=\s*["']?([^"'\s>]*)`)
	for _, s := range scenarios {
		html, _, _ := rendered(t, composed(s.lines(), Range{}), Style{})
		page := string(html)
		if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
			t.Errorf("%s: the policy is missing", s.name)
		}
		for _, word := range []string{"<script", "<iframe", "<link", "<img", "<object", "<embed", "<base", "@import", "http:", "https:"} {
			if strings.Contains(strings.ToLower(page), word) {
				t.Errorf("%s: the page has %s", s.name, word)
			}
		}
		for _, m := range regexp.MustCompile(`url\(([^)]*)\)`).FindAllStringSubmatch(page, -1) {
			if !strings.HasPrefix(m[1], "#") {
				t.Errorf("%s: %s", s.name, m[0])
			}
		}
		links := 0
		for _, m := range attribute.FindAllStringSubmatch(page, -1) {
			switch {
			case m[1] == "href" && strings.HasPrefix(m[2], "#"):
				links++
				if id := strings.TrimPrefix(m[2], "#"); !strings.Contains(page, ` id="`+id+`"`) && !strings.Contains(page, " id="+id+">") {
					t.Errorf("%s: a link to %s, which is not there", s.name, m[2])
				}
			case m[1] == "href" && strings.HasPrefix(m[2], "data:application/x-ndjson;base64,"):
			default:
				t.Errorf("%s: %s", s.name, m[0])
			}
		}
		if links < len(sections) {
			t.Errorf("%s: only %d links were seen", s.name, links)
		}
	}
}

// hostile are texts that would do something, if anything let them.
var hostile = []string{
	`<script>alert(1)</script>`, `</style><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, `javascript:alert(1)`,
	`</title><svg onload=alert(1)>`, `<!--`, `]]>`, `{{.Source}}`, "&lt;b&gt;", "\u202Egnp.exe\u202C", "\u2066\u2069\u200f", "a\u0300\u0301\u0302\u0303\u0304", "zero\u200Bwidth\uFEFF",
	"\x1b[31mred\x1b[0m", "line\nbreak\r\ttab", "| a | b |\n|---|---|", "# heading", "1. list", "- item", "`code` *bold* _it_ [a](javascript:x) ![i](http://x/i)", "www.example.com http://example.com @everyone",
	strings.Repeat("W", 1024), "\U000e0041\U000e0042", "\u2028\u2029",
}

// saying is a stream in which everybody says one text wherever they can.
func saying(text string) []byte {
	s := streamtest.New("live").Start().After(time.Second).
		Add("/recorder", "", events.RecorderStarted{Version: text, Previous: events.PreviousStopped}).
		Add("/operator/cli", "", events.OperatorNoted{By: text, Text: text}).
		Add("/runner/robo-1", "", events.GatewayDown{Reason: events.DownReported, Text: text}).
		Add("/recorder", "", events.RestartRequired{Reason: events.DownReported, Enforced: true, Policy: strings.Repeat("0", 64)}).
		Add("/recorder", "", events.AlertFailed{Channel: text, Try: 1, Text: text}).
		Add("/recorder", "", events.AlertDelivered{Channel: text, Tries: 1}).
		Add("/watch", "", events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, Process: text, PID: 7, Text: text}).
		Add("/operator/cli", "", events.RestartClaimed{By: text, Reason: text}).
		Add("/recorder", "", events.RestartAcknowledged{Basis: events.BasisWord, By: text, Reason: text}).
		Add("/runner/robo-1", "r1", events.AttemptRequested{}).
		Add("/runner/robo-1", "r1", events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, Text: text}).
		Add("/recorder", "", events.RuleViolated{Rule: "RS1", Text: text}).
		Add("/recorder", "", events.RecorderGap{Reason: events.GapStore, Text: text}).
		Add("/tap", "", events.TapBlocked{Text: text})
	return s.NDJSON()
}

var tags = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)

// skeleton is a page without its texts: its tags without what they are told.
func skeleton(page []byte) string {
	var b strings.Builder
	for _, tag := range tags.FindAll(page, -1) {
		name, _, _ := strings.Cut(strings.Trim(string(tag), "<>"), " ")
		fmt.Fprintln(&b, name)
	}
	return b.String()
}

// aboutA renders what saying says.
func aboutA(tb testing.TB, text string) (html, markdown []byte) {
	tb.Helper()
	d, _ := Compose(ndjson(saying(text)), Subject{Source: text, Version: "(test)"})
	html, markdown, _ = rendered(tb, d, Style{})
	return html, markdown
}

// harmlessly is the report of a word.
var harmlessly struct {
	once           sync.Once
	html, markdown []byte
}

// checkHarmless compares the report of a text with that of a word.
func checkHarmless(tb testing.TB, text string) {
	tb.Helper()
	html, markdown := aboutA(tb, text)
	harmlessly.once.Do(func() { harmlessly.html, harmlessly.markdown = aboutA(tb, "word") })
	word, plainly := harmlessly.html, harmlessly.markdown
	if diff := cmp.Diff(skeleton(word), skeleton(html)); diff != "" {
		tb.Errorf("%q changes the markup (-word +text):\n%s", shown(text), diff)
	}
	for _, out := range [][]byte{html, markdown} {
		for _, r := range string(out) {
			if r != '\n' && !visible(r) {
				tb.Fatalf("%q leaves %U in a report", shown(text), r)
			}
		}
	}
	if len(html) > len(word)+400_000 {
		tb.Errorf("%q makes a page of %d bytes", shown(text), len(html))
	}
	if a, b := lineKinds(plainly), lineKinds(markdown); a != b {
		tb.Errorf("%q changes the Markdown (-word +text):\n%s", shown(text), cmp.Diff(a, b))
	}
	markdown = code.ReplaceAll(markdown, nil)
	if regexp.MustCompile(`(^|[^\\])[<]`).Match(markdown) || regexp.MustCompile(`[^\\]\]\(`).Match(markdown) {
		tb.Errorf("%q leaves markup in the Markdown", shown(text))
	}
}

// code is a line that Markdown shows as it is.
var code = regexp.MustCompile(`(?m)^    .*$`)

// lineKinds is what Markdown takes each line for: how it begins and how many cells it has.
func lineKinds(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		line = code.ReplaceAllString(line, "    ")
		begin := regexp.MustCompile(`^(#+ |\* |\| |\|-|    |$)`).FindString(line)
		fmt.Fprintf(&b, "%q %d\n", begin, strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"))
	}
	return b.String()
}

func shown(text string) string { return text[:min(len(text), 60)] }

func TestNoTextOfAnEventIsMarkup(t *testing.T) {
	for _, text := range hostile {
		checkHarmless(t, text)
	}
}

func FuzzNoTextOfAnEventIsMarkup(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) == 0 || len(text) > 1024 || strings.ToValidUTF8(text, "") != text {
			t.Skip("no such text is in an event")
		}
		checkHarmless(t, text)
	})
}

func TestTheCheckForMarkupFindsIt(t *testing.T) {
	if skeleton([]byte("<p>a</p>")) == skeleton([]byte("<p>a<b></p>")) || lineKinds([]byte("| a |\n")) == lineKinds([]byte("| a | b |\n")) {
		t.Error("markup that a text brings is not seen")
	}
}

// A verdict on a part rests on what came before; what was found there is said to
// be there, and the command gives the same verdict.
func TestTheVerdictIsOfEverythingBefore(t *testing.T) {
	lines := streamtest.Forgotten("live").NDJSON()
	for _, c := range []struct {
		name      string
		span      Range
		outcome   rule.Outcome
		elsewhere int
		verify    string
	}{
		{"of everything", Range{}, rule.Violated, 0, "replay verify incident.ndjson"},
		{"of what came before the breach", Range{From: 3, To: 12}, rule.Holds, 0, "replay verify incident.ndjson --to 12"},
		{"of what came after it", Range{From: 24}, rule.Violated, 3, "replay verify incident.ndjson"},
	} {
		d := composed(lines, c.span)
		if d.Outcome != c.outcome || d.Elsewhere != c.elsewhere || d.Provenance.Verify != c.verify {
			t.Errorf("%s: %s, %d elsewhere, %s", c.name, d.Outcome, d.Elsewhere, d.Provenance.Verify)
		}
		for _, f := range d.Findings {
			if f.Inside != c.span.has(f.Seq) {
				t.Errorf("%s: %s at #%d inside: %t", c.name, f.Rule, f.Seq, f.Inside)
			}
		}
		if v := Verify(upTo(ndjson(lines), c.span.To)); v.Outcome() != d.Outcome || v.Verdict.Head.String() != d.Provenance.Head {
			t.Errorf("%s: verify says %s of %s, the report %s of %s", c.name, v.Outcome(), v.Verdict.Head, d.Outcome, d.Provenance.Head)
		}
	}
}

func TestLatenciesAreComparedWithTheWeeksBefore(t *testing.T) {
	s := streamtest.New("live").Start().After(time.Second).Ready("old", 1).Gone("old").
		After(40*24*time.Hour).Ready("a1", 1).Gone("a1").After(time.Hour).Ready("a2", 2).Gone("a2").After(time.Hour)
	from := uint64(s.Len() + 1)
	s.Ready("a3", 3)
	d := composed(s.NDJSON(), Range{From: from})
	for _, r := range d.Latency {
		if r.Here.N != 1 || r.Before.N != 2 {
			t.Errorf("%s: %d here and %d before, want 1 and the 2 of the last 28 days", r.Step, r.Here.N, r.Before.N)
		}
	}
	if got, want := d.Latency[1].Here.MedianUS, int64(39_000); got != want {
		t.Errorf("the version took %d µs, want %d", got, want)
	}
	in := distribution([]int64{100, 101, 40_000_000, 3_000})
	if in.Counts[0] != 1 || in.Counts[1] != 1 || in.Counts[5] != 1 || in.Counts[len(in.Counts)-1] != 1 || in.MedianUS != 101 || in.P95US != 40_000_000 {
		t.Errorf("a distribution of four: %+v", in)
	}
}

// A stop of a millisecond in a month is seen in the picture.
func TestNoStopIsTooShortForThePicture(t *testing.T) {
	d := &Document{First: 1, Last: 3, Picture: Picture{Clocked: true, Length: int64(28 * 24 * time.Hour), Lanes: []Lane{{Name: "gate", Bands: []Band{
		{State: "OPEN", From: 0, To: int64(24 * time.Hour), Seq: 1}, {State: "STOPPED", From: int64(24 * time.Hour), To: int64(24*time.Hour + time.Millisecond), Seq: 2},
		{State: "OPEN", From: int64(24*time.Hour + time.Millisecond), To: int64(28 * 24 * time.Hour), Seq: 3},
	}}}}}
	var states []string
	for _, b := range draw(d, Style{}).Lanes[0].Bands {
		states = append(states, b.State)
	}
	if want := []string{"OPEN", "STOPPED", "OPEN"}; !slices.Equal(states, want) {
		t.Errorf("the picture shows %v", states)
	}
}

func TestEveryStateHasALook(t *testing.T) {
	var states []string
	for _, g := range fsm.GateTable().States {
		states = append(states, string(g))
	}
	for _, a := range fsm.APITable().States {
		states = append(states, string(a))
	}
	for _, s := range states {
		if rank, _ := figure.Look(s); rank < 0 {
			t.Errorf("the picture does not know %s", s)
		}
	}
}

// The scale keeps the order, stays within the picture, and folds nothing but what
// is longer than all that is drawn true.
func TestTheScaleKeepsTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.SliceOfN(rapid.Int64Range(0, int64(40*24*time.Hour)), 1, 60).Draw(t, "places")
		slices.Sort(at)
		p := &Picture{Clocked: rapid.Bool().Draw(t, "clocked"), Length: at[len(at)-1], Lanes: []Lane{{}}}
		for _, a := range at {
			p.Lanes[0].Marks = append(p.Lanes[0].Marks, Mark{At: a, To: a})
		}
		s := newScale(p)
		for i := 1; i < len(at); i++ {
			a, b := s.of(at[i-1]), s.of(at[i])
			if a > b || a < 0 || b > 1.000001 || at[i-1] < at[i] && a == b {
				t.Fatalf("%d lies at %g, and %d at %g", at[i-1], a, at[i], b)
			}
		}
		if len(s.folds) > maxFolds || !p.Clocked && len(s.folds) > 0 {
			t.Fatalf("%d folds", len(s.folds))
		}
	})
}

// What the rule can say of an end, a stop, a claim or a release has words.
func TestEveryReasonHasWords(t *testing.T) {
	for _, c := range []struct {
		kind, field string
		has         func(string) bool
	}{
		{"attempt.failed", "reason", func(v string) bool { return failed[events.FailReason(v)] != "" }},
		{"restart.required", "reason", func(v string) bool { return downs[events.DownReason(v)] != "" }},
		{"restart.rejected", "why", func(v string) bool { return rejected[events.Rejection(v)] != "" }},
		{"restart.acknowledged", "basis", func(v string) bool { return bases[events.Basis(v)] != "" }},
	} {
		for _, v := range allowed(t, c.kind, c.field) {
			if !c.has(v) {
				t.Errorf("no sentence is for %s of %s", v, c.kind)
			}
		}
	}
}

// allowed are the values of a closed set, as the schema has them.
func allowed(t *testing.T, kind, field string) []string {
	t.Helper()
	b, err := events.Schema(events.Kind(kind))
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Properties struct {
			Data struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	set := schema.Properties.Data.Properties[field].Enum
	if len(set) < 2 {
		t.Fatalf("the schema of %s has no set for %s", kind, field)
	}
	return set
}

func TestPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "text")
		out := plain(in)
		if !harmless(out) || len([]rune(out)) > maxPlain*10+40 {
			t.Fatalf("%q becomes %q", in, out)
		}
		if harmless(in) && len(in) <= maxPlain && in != out {
			t.Fatalf("%q becomes %q, and was harmless", in, out)
		}
	})
	for _, c := range []struct{ name, in, want string }{
		{"ordinary words", "restarted, 2FA ok: 100 % ✔ naïve 日本", "restarted, 2FA ok: 100 % ✔ naïve 日本"},
		{"a text that runs backwards", "\u202Egnp.exe", `\u202egnp.exe`},
		{"a line break and an escape", "a\nb\x1b[0m", `a\u000ab\u001b[0m`},
		{"beyond the first plane", "\U000e0041", `\U000e0041`},
		{"too long", strings.Repeat("x", maxPlain+7), strings.Repeat("x", maxPlain) + "… (7 characters more)"},
	} {
		if got := plain(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
