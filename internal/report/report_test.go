package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source/streamtest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "renew the golden files")

func newYork(tb testing.TB) *time.Location {
	tb.Helper()
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		tb.Fatal(err)
	}
	return zone
}

// golden compares with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; make it with: go test ./internal/report -update", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got), renew it with -update:\n%s", path, diff)
	}
}

// The scenarios whose reports are kept.
var scenarios = []struct {
	name  string // a file name, and a sentence with it
	says  string
	lines func() []byte
}{
	{"night", "the incident that the rule is for: found, told, released, over", func() []byte { return streamtest.Night("live").NDJSON() }},
	{"forgotten", "a recorder forgets its stop at a restart", func() []byte { return streamtest.Forgotten("live").NDJSON() }},
	{"bypassed", "a program goes around the recorder while the gate is stopped", bypassed},
	{"observed", "observe mode: it would have been held", observing},
	{"tampered", "one event was changed afterwards", tampered},
	{"damaged", "one line cannot be read", func() []byte {
		return bytes.Replace(streamtest.Forgotten("live").NDJSON(), []byte(`"reason":"accepted_no_bytes"`), []byte(`"reason":"accepted_one_byte"`), 1)
	}},
	{"part", "the stream starts in the middle of a stop", func() []byte {
		return bytes.Join(bytes.SplitAfter(streamtest.Night("live").NDJSON(), []byte("\n"))[38:], nil)
	}},
	{"gap", "the recorder could not write for a while", func() []byte {
		return streamtest.New("live").Start().After(time.Second).Ready("a1", 7).
			Add("/recorder", "", events.RecorderGap{Reason: events.GapStore, Lost: 3, Text: "disk full"}).NDJSON()
	}},
	{"account", "a history that was written down later has no clock", account},
	{"empty", "there is nothing", func() []byte { return nil }},
	{"text", "it is no stream at all", func() []byte { return []byte("Dear diary,\n") }},
}

func bypassed() []byte {
	return streamtest.New("live").Start().After(time.Second).Silent("a1", 30*time.Second).Stop(1).After(5*time.Minute).
		Add("/runner/robo-1", "own-1", events.AttemptSucceeded{ElapsedUS: 80_000}).NDJSON()
}

func observing() []byte {
	p := events.Params{SilentLimit: 1, DialTimeoutLimit: 3, VersionBudgetMS: 30_000, ReadyBudgetMS: 30_000, MinReportedBudgetMS: 10_000, ProbationAttempts: 2}
	hash := streamtest.Hash(p)
	s := streamtest.New("live").Start().
		Add("/recorder", "", events.PolicyLoaded{Preset: "handoff", Hash: hash, Mode: events.Observe, Params: p}).
		After(time.Second).Ask("a1").
		Add("/recorder", "a1", events.AttemptPermitted{Policy: hash}).
		Add("/tap", "a1", events.DialStarted{Address: "127.0.0.1:4001"}).
		After(30*time.Second).
		Add("/tap", "a1", events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: 30_000, LimitMS: 30_000})
	failed := s.Records()[s.Len()-1].ID
	s.Add("/recorder", "", events.GatewayDown{Reason: events.DownSilent, Count: 1, Limit: 1, Evidence: []string{failed}}).
		Add("/recorder", "", events.RestartRequired{Policy: hash, Reason: events.DownSilent})
	return s.After(time.Minute).Ask("a2").
		Add("/recorder", "a2", events.AttemptPermitted{Policy: hash, Against: events.HoldStopped}).
		Add("/tap", "a2", events.DialStarted{Address: "127.0.0.1:4001"}).NDJSON()
}

// tampered has another wait in event 9 than was written.
func tampered() []byte {
	lines := bytes.SplitAfter(streamtest.Forgotten("live").NDJSON(), []byte("\n"))
	lines[8] = bytes.Replace(lines[8], []byte(`"waited_ms":30000`), []byte(`"waited_ms":29999`), 1)
	return bytes.Join(lines, nil)
}

func account() []byte {
	var out []byte
	var prev events.Hash
	for i, data := range []events.Payload{
		events.OperatorNoted{By: "kim", Text: "from the chat of that night"},
		events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 15_000},
		events.GatewayDown{Reason: events.DownReported},
	} {
		rec, err := events.NewRecord(events.Event{
			ID: fmt.Sprintf("i%d", i+1), Source: "/runner/robo-1", Gateway: "live", Seq: uint64(i + 1), Boot: events.BootImport,
			Mono: events.NoMono, Prev: prev, Data: data,
		})
		if err != nil {
			panic(err)
		}
		prev = rec.Hash()
		out = append(append(out, rec.Raw...), '\n')
	}
	return out
}

func ndjson(lines []byte) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) { // may be read again, as a source may
		events.ReadNDJSON(bytes.NewReader(lines))(yield)
	}
}

func verified(name string, lines []byte) Verification {
	v := Verify(ndjson(lines))
	v.Source = name + ".ndjson"
	v.Cite(ndjson(lines))
	return v
}

func TestGoldens(t *testing.T) {
	style := Style{Zone: newYork(t)}
	for _, s := range scenarios {
		t.Run(s.name+": "+s.says, func(t *testing.T) {
			v := verified(s.name, s.lines())
			var b bytes.Buffer
			if err := WriteVerify(&b, v, style); err != nil {
				t.Fatal(err)
			}
			golden(t, s.name+".verify.txt", b.Bytes())

			b.Reset()
			_, broken, err := WriteTimeline(&b, ndjson(s.lines()), Range{}, false, style)
			if err != nil || (broken == nil) != (v.Broken == nil) {
				t.Fatalf("%v; the timeline ends with %v, verify with %v", err, broken, v.Broken)
			}
			golden(t, s.name+".timeline.txt", b.Bytes())
		})
	}
}

func TestGoldenJSON(t *testing.T) {
	lines := streamtest.Forgotten("live").NDJSON()
	var b bytes.Buffer
	if err := WriteVerifyJSON(&b, verified("forgotten", lines)); err != nil {
		t.Fatal(err)
	}
	golden(t, "forgotten.verify.json", b.Bytes())

	b.Reset()
	if _, _, err := WriteTimelineJSON(&b, "forgotten.ndjson", ndjson(lines), Range{From: 9, To: 15}); err != nil {
		t.Fatal(err)
	}
	golden(t, "forgotten.timeline.json", b.Bytes())
	var doc TimelineJSON
	in := json.NewDecoder(&b)
	in.DisallowUnknownFields()
	if err := in.Decode(&doc); err != nil || len(doc.Rows) != 7 || len(doc.Stops) != 1 || doc.Schema != Schema {
		t.Errorf("read back: %v, %d rows, %d stops", err, len(doc.Rows), len(doc.Stops))
	}
}

func TestOutcomes(t *testing.T) {
	want := map[string]rule.Outcome{
		"night":     rule.Holds,
		"forgotten": rule.Violated, "bypassed": rule.Violated,
		"observed": rule.Holds,
		"part":     rule.Inconclusive, "tampered": rule.Inconclusive, "damaged": rule.Inconclusive, "gap": rule.Inconclusive, "account": rule.Inconclusive,
		"empty": rule.Inconclusive, "text": rule.Inconclusive,
	}
	for _, s := range scenarios {
		v := Verify(ndjson(s.lines()))
		if got := v.Outcome(); got != want[s.name] {
			t.Errorf("%s is %s, want %s: %s", s.name, got, want[s.name], v.sentence())
		}
	}
}

func TestNothingHoldsOfWhatIsNotWhole(t *testing.T) {
	whole := streamtest.Night("live").NDJSON()
	v := Verify(ndjson(whole[:len(whole)-1]))
	if v.Verdict.Outcome != rule.Holds || v.Outcome() != rule.Inconclusive {
		t.Errorf("a stream that was cut: the judge says %s, the verification %s", v.Verdict.Outcome, v.Outcome())
	}
	if line, _, _ := place(v.Broken); line != 290 {
		t.Errorf("it breaks off in line %d, want 290", line)
	}
	v = Verify(ndjson(whole))
	v.Doubts = []error{errors.New("block 1 is not whole")}
	if v.Outcome() != rule.Inconclusive || !strings.Contains(v.sentence(), "block 1 is not whole") {
		t.Errorf("a doubtful place: %s: %s", v.Outcome(), v.sentence())
	}
	broken := streamtest.Forgotten("live").NDJSON()
	if v := Verify(ndjson(broken[:len(broken)-1])); v.Outcome() != rule.Violated {
		t.Errorf("a breach before the cut: %s, want it to stand", v.Outcome())
	}
}

// HOLDS is said of what was judged, and of nothing more.
// TestFindingsStandInTheOrderOfTheStream, whatever its sequences say.
func TestFindingsStandInTheOrderOfTheStream(t *testing.T) {
	lines := bytes.SplitAfter(streamtest.Forgotten("live").NDJSON(), []byte("\n"))
	mixed := slices.Concat(lines[:2], lines[9:10], lines[2:3])
	v := Verify(events.ReadNDJSON(bytes.NewReader(bytes.Join(mixed, nil))))
	var got []uint64
	for _, f := range findings(v.Verdict.Assumptions) {
		if f.Rule == "A1" {
			got = append(got, f.Seq)
		}
	}
	if want := []uint64{10, 3}; !slices.Equal(got, want) {
		t.Errorf("holes are named at %v, want %v", got, want)
	}
}

func TestWhatHoldsIsNamed(t *testing.T) {
	two := streamtest.New("live").Start().After(time.Second).Ready("a1", 7).Start()
	second := bytes.Join(bytes.SplitAfter(two.NDJSON(), []byte("\n"))[two.Len()-2:], nil)
	for _, c := range []struct {
		name  string
		lines []byte
		want  string
	}{
		{"the whole log", two.NDJSON(), "every rule was kept in all 15 events of gateway live"},
		{"from an anchor", second, "every rule was kept in all 2 events of gateway live from #14 on"},
		{"in observe mode", observing(), "nothing that was enforced was broken in all 16 events of gateway live; observe mode: 1 finding of what would have been"},
	} {
		if v := Verify(ndjson(c.lines)); v.Outcome() != rule.Holds || v.sentence() != c.want {
			t.Errorf("%s is %s: %s, want HOLDS: %s", c.name, v.Outcome(), v.sentence(), c.want)
		}
	}
}

// A long stream of which nothing is wrong: streamtest is held
// to what it says of itself.
func TestAQuietDayHolds(t *testing.T) {
	v := Verify(ndjson(streamtest.Busy("live", 5_000).NDJSON()))
	if v.Outcome() != rule.Holds || len(findings(v.Verdict.Assumptions)) > 0 {
		t.Errorf("%s: %s", v.Outcome(), v.sentence())
	}
}

func TestEveryKindHasWords(t *testing.T) {
	for _, info := range events.Kinds() {
		p, err := events.New(info.Kind)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, known := phrase(p); !known {
			t.Errorf("nothing tells what %s says", info.Kind)
		}
	}
}

var collapsed = regexp.MustCompile(`^ …  .*#(\d+) to #(\d+) \(--all\)$`)

func TestTheTimelineLosesNothing(t *testing.T) {
	for name, lines := range map[string][]byte{"night": streamtest.Night("live").NDJSON(), "busy": streamtest.Busy("live", 3_000).NDJSON()} {
		var all, short bytes.Buffer
		n, _, err := WriteTimeline(&all, ndjson(lines), Range{}, true, Style{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := WriteTimeline(&short, ndjson(lines), Range{}, false, Style{}); err != nil {
			t.Fatal(err)
		}
		if got := sequences(t, all.String()); len(got) != n || n != bytes.Count(lines, []byte("\n")) {
			t.Errorf("%s: --all tells %d of %d events", name, len(got), n)
		}
		next := 1
		for _, seq := range sequences(t, short.String()) {
			if seq[0] != next {
				t.Fatalf("%s: after #%d comes #%d", name, next-1, seq[0])
			}
			next = seq[1] + 1
		}
		if next != n+1 {
			t.Errorf("%s: the last is #%d, want #%d", name, next-1, n)
		}
		if short.Len() > all.Len()*4/5 {
			t.Errorf("%s: %d of %d bytes are left, repetitions are not found", name, short.Len(), all.Len())
		}
	}
}

// sequences are the ranges that the lines of a timeline stand for.
func sequences(t *testing.T, text string) (out [][2]int) {
	t.Helper()
	for line := range strings.Lines(text) {
		var from, to int
		line = strings.TrimRight(line, "\n")
		columns := []rune(line)
		if m := collapsed.FindStringSubmatch(line); m != nil {
			fmt.Sscan(m[1], &from)
			fmt.Sscan(m[2], &to)
		} else if len(columns) > 30 && columns[3] == ':' {
			fmt.Sscan(string(columns[23:29]), &from)
			to = from
		}
		if from > 0 {
			out = append(out, [2]int{from, to})
		}
	}
	return out
}

func TestARangeKnowsTheStateBeforeIt(t *testing.T) {
	var b bytes.Buffer
	told, _, err := WriteTimeline(&b, ndjson(streamtest.Night("live").NDJSON()), Range{From: 279, To: 279}, false, Style{})
	if err != nil || told != 1 || !strings.Contains(b.String(), "PROBATION") {
		t.Errorf("%d told, %v; a release leaves a stop that began before the range:\n%s", told, err, b.String())
	}
}

func TestTheStateInJSONIsTheCanonicalOne(t *testing.T) {
	lines := streamtest.Night("live").NDJSON()
	snap, err := Rebuild(ndjson(lines), Moment{Seq: 39})
	if err != nil {
		t.Fatal(err)
	}
	want, err := fsm.NewFolder().Fold(fsm.Initial(), ndjson(bytes.Join(bytes.SplitAfter(lines, []byte("\n"))[:39], nil)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteStateJSON(&b, "night.ndjson", snap, nil, nil); err != nil {
		t.Fatal(err)
	}
	var doc StateJSON
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc.State, want.Canonical()) || doc.Hash != want.Hash().String() || want.Gate != fsm.Stopped {
		t.Errorf("state %s\nhash %s, want %s of\n%s", doc.State, doc.Hash, want.Hash(), want.Canonical())
	}
}

func TestStateGoldens(t *testing.T) {
	style := Style{Zone: newYork(t)}
	for _, c := range []struct {
		name string
		at   Moment
		diff uint64
	}{
		{"stopped", Moment{Seq: 39}, 36},
		{"ready", Moment{}, 0},
		{"probation", Moment{Seq: 279}, 276},
		{"backoff", Moment{Time: streamtest.Begin.Add(80 * time.Second)}, 0},
	} {
		lines := streamtest.Night("live").NDJSON()
		snap, err := Rebuild(ndjson(lines), c.at)
		if err != nil {
			t.Fatal(err)
		}
		var d *Diff
		if c.diff != 0 {
			changes, err := Compare(ndjson(lines), c.diff, snap.Event.Seq)
			if err != nil {
				t.Fatal(err)
			}
			d = &Diff{From: c.diff, To: snap.Event.Seq, Changes: changes}
		}
		var b bytes.Buffer
		if err := WriteState(&b, snap, d, style); err != nil {
			t.Fatal(err)
		}
		golden(t, c.name+".state.txt", b.Bytes())
	}
}

func TestMoments(t *testing.T) {
	zone := newYork(t)
	lines := streamtest.Forgotten("live").NDJSON()
	for _, c := range []struct {
		name, text string
		seq        uint64
		err        string
	}{
		{"a sequence", "11", 11, ""},
		{"as the timeline writes it", "#11", 11, ""},
		{"a time between two events is the one before", "2026-03-02T06:10:00Z", 12, ""},
		{"the time of an event includes it", "2026-03-02T01:00:29.103-05:00", 11, ""},
		{"a time without a zone is the reader's", "2026-03-02 01:10", 12, ""},
		{"after everything is the end", "2027-01-01", 25, ""},
		{"before everything", "2026-03-01", 0, "nothing had happened by 2026-03-01T00:00:00-05:00, the stream begins with #1"},
		{"a sequence that is not there", "26", 0, "the stream has #1 to #25"},
		{"sequences start at 1", "0", 0, "want a sequence from 1"},
		{"no moment at all", "midnight", 0, `want a sequence from 1, such as 48120, or a time`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := ParseMoment(c.text, zone)
			var snap Snapshot
			if err == nil {
				snap, err = Rebuild(ndjson(lines), m)
			}
			switch {
			case c.err != "" && (!errors.Is(err, ErrMoment) || !strings.Contains(err.Error(), c.err)):
				t.Errorf("error %v, want %q", err, c.err)
			case c.err == "" && (err != nil || snap.Event.Seq != c.seq || snap.State.Seq != c.seq):
				t.Errorf("#%d, %v, want #%d", snap.Event.Seq, err, c.seq)
			}
		})
	}
}

func TestCompareNamesTheFirstEventThatChangedAField(t *testing.T) {
	lines := streamtest.Night("live").NDJSON()
	changed, err := Compare(ndjson(lines), 15, 39)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Change{}
	for _, c := range changed {
		got[c.Field] = c
	}
	for _, want := range []Change{
		{"gate", `"OPEN"`, `"STOPPED"`, 18, "attempt.permitted"}, // by way of ATTEMPTING
		{"in_a_row.silent.n", "0", "3", 21, "attempt.failed"},
		{"stop.seq", "", "39", 39, "restart.required"},
	} {
		if diff := cmp.Diff(want, got[want.Field]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Field, diff)
		}
	}
	if _, told := got["boot"]; told {
		t.Error("boot did not change")
	}
	for _, c := range []struct {
		from, to uint64
		want     string
	}{{30, 300, "the stream ends with #290"}, {290, 291, "the stream ends with #290"}} {
		if _, err := Compare(ndjson(lines), c.from, c.to); !errors.Is(err, ErrMoment) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("#%d to #%d: %v, want %s", c.from, c.to, err, c.want)
		}
	}
	part := bytes.Join(bytes.SplitAfter(lines, []byte("\n"))[20:], nil)
	if _, err := Compare(ndjson(part), 5, 39); !errors.Is(err, ErrMoment) || !strings.Contains(err.Error(), "starts at #21") {
		t.Errorf("before the beginning: %v", err)
	}
}

func TestASessionThatStaysIsComparedFieldByField(t *testing.T) {
	changes, err := Compare(ndjson(streamtest.Night("live").NDJSON()), 9, 12)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range brief(changes) {
		if strings.HasPrefix(c.Field, "sessions") {
			got = append(got, fmt.Sprintf("%s %s %s #%d", c.Field, c.Before, c.After, c.Seq))
		}
	}
	want := []string{
		`sessions[a1].client_id  7 #10`, `sessions[a1].ended false true #12`, `sessions[a1].phase "VERSIONED" "READY" #12`,
		`sessions[a1].since 60040300000 60062300000 #12`, `sessions[a1].slot true false #12`, `sessions[a1].stage "versioned" "ready" #10`,
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes of the session (-want +got):\n%s", diff)
	}
}

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestColoursAddNothing(t *testing.T) {
	for _, s := range scenarios {
		var plain, coloured bytes.Buffer
		v := verified(s.name, s.lines())
		for b, c := range map[*bytes.Buffer]bool{&plain: false, &coloured: true} {
			style := Style{Colour: c}
			err := WriteVerify(b, v, style)
			if err == nil {
				_, _, err = WriteTimeline(b, ndjson(s.lines()), Range{}, false, style)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if coloured.Len() == plain.Len() {
			t.Errorf("%s has no colour", s.name)
		}
		if diff := cmp.Diff(plain.String(), ansi.ReplaceAllString(coloured.String(), "")); diff != "" {
			t.Errorf("%s without its colours (-want +got):\n%s", s.name, diff)
		}
	}
}

// full takes n bytes and then fails.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, errors.New("disk full")
	}
	return len(p), nil
}

func TestAWriterThatFailsEndsTheReport(t *testing.T) {
	lines := streamtest.Night("live").NDJSON()
	v := verified("night", lines)
	snap, err := Rebuild(ndjson(lines), Moment{})
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(w *full) error{
		"verify":   func(w *full) error { return WriteVerify(w, v, Style{}) },
		"timeline": func(w *full) error { _, _, err := WriteTimeline(w, ndjson(lines), Range{}, false, Style{}); return err },
		"json":     func(w *full) error { _, _, err := WriteTimelineJSON(w, "x", ndjson(lines), Range{}); return err },
		"state":    func(w *full) error { return WriteState(w, snap, nil, Style{}) },
	} {
		if err := write(&full{n: 300}); err == nil || err.Error() != "disk full" {
			t.Errorf("%s: %v, want the writer's error", name, err)
		}
	}
}

func TestAZoneIsNamedWithoutATime(t *testing.T) {
	for zone, want := range map[*time.Location]string{time.UTC: "UTC", time.Local: "local time", newYork(t): "America/New_York"} {
		if got := (Style{Zone: zone}).place(time.Time{}); got != want {
			t.Errorf("%s without a time is %q, want %q", zone, got, want)
		}
	}
}

func TestCommandsCanBePasted(t *testing.T) {
	for want, words := range map[string][]string{
		"replay verify a/b-1.ndjson":        {"replay", "verify", "a/b-1.ndjson"},
		"replay verify 'my incident'":       {"replay", "verify", "my incident"},
		`replay verify 'it'\''s' ''`:        {"replay", "verify", "it's", ""},
		"replay verify '$(reboot)' '~/x;y'": {"replay", "verify", "$(reboot)", "~/x;y"},
	} {
		if got := Command(words...); got != want {
			t.Errorf("%q is written %s, want %s", words, got, want)
		}
	}
}

func TestAnAcceptorThatHangsIsTold(t *testing.T) {
	none, two, one := int64(0), int64(2), int64(1)
	seen := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "java", PID: 7,
		QueueSockets: &two, EstablishedSockets: &one, CloseWaitSockets: &one, UnacceptedSockets: &two}
	want := "listening: yes, owner: gateway · process 7 java · 2 sockets in the listen queue · 2 sockets not accepted, with bytes unread · 1 socket in CLOSE_WAIT"
	if got := detail(seen); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	seen.WedgedPort, seen.WedgedSamples, seen.WedgedMS = 50123, 7, 30_200
	if got := detail(seen); got != want+" · that from port 50123 for 30.2s, in 7 samples" {
		t.Error(got)
	}
	if got := detail(events.GatewayDown{Reason: events.DownWedged, Count: 7, Limit: 5}); got != "wedged · 7 samples of one connection" {
		t.Error(got)
	}
	seen.WedgedPort, seen.WedgedSamples, seen.WedgedMS = 0, 0, 0
	seen.QueueSockets, seen.CloseWaitSockets, seen.UnacceptedSockets = &none, &none, nil
	if got, want := detail(seen), "listening: yes, owner: gateway · process 7 java"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
