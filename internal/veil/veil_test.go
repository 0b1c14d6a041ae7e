package veil_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/veil"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var secret = bytes.Repeat([]byte{7}, 32)

// streams are the recorded incidents of the project, and the bad ones.
func streams(t *testing.T) map[string][]events.Record {
	t.Helper()
	files, err := filepath.Glob("../../testdata/streams/*/events.ndjson")
	more, err2 := filepath.Glob("../../testdata/streams/bad/*/events.ndjson")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	all := map[string][]events.Record{}
	for _, path := range append(files, more...) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if recs := read(t, f); recs != nil {
			all[filepath.Base(filepath.Dir(path))] = recs
		}
		f.Close()
	}
	if len(all) < 10 {
		t.Fatalf("only %d streams were found", len(all))
	}
	return all
}

// read returns nil for a stream that is not whole: such a one cannot be packed either.
func read(t *testing.T, r io.Reader) (out []events.Record) {
	t.Helper()
	var chain events.Chain
	for rec, err := range events.ReadNDJSON(r) {
		if err == nil {
			err = chain.Add(rec)
		}
		if err != nil {
			return nil
		}
		out = append(out, rec)
	}
	return out
}

func veiled(t *testing.T, v *veil.Veil, in []events.Record) (out []events.Record) {
	t.Helper()
	for _, rec := range in {
		line, err := v.Line(rec)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	return out
}

// finding is what must not change when a stream is veiled.
type finding struct {
	Rule     string
	Seq      uint64
	Because  string
	Bypassed bool
}

func judged(recs []events.Record) (rule.Outcome, []finding) {
	v := report.Verify(func(yield func(events.Record, error) bool) {
		for _, rec := range recs {
			if !yield(rec, nil) {
				return
			}
		}
	}).Verdict
	var out []finding
	for _, r := range append(v.Rules, v.Assumptions...) {
		for _, f := range append(r.Findings, r.Pending...) {
			out = append(out, finding{f.Rule, f.Seq, fmt.Sprint(f.Because), f.Bypassed})
		}
	}
	return v.Outcome, out
}

// gates are the states of the gate after each event.
func gates(recs []events.Record) (out []string) {
	f, s := fsm.NewFolder(), fsm.Initial()
	for _, rec := range recs {
		s = f.Apply(s, rec.Event)
		out = append(out, fmt.Sprintf("%s %s %d sessions, %d waiting, %+v", s.Gate, s.API, len(s.Sessions), len(s.Waiting), s.Totals))
	}
	return out
}

func TestTheVerdictOfAVeiledStreamIsTheSame(t *testing.T) {
	for name, recs := range streams(t) {
		t.Run(name, func(t *testing.T) {
			hidden := veiled(t, veil.New(veil.NewKey(secret, "main"), events.Hash{}), recs)
			outcome, found := judged(recs)
			veiledOutcome, veiledFound := judged(hidden)
			if outcome != veiledOutcome {
				t.Errorf("the verdict is %s, of the veiled stream %s", outcome, veiledOutcome)
			}
			if diff := cmp.Diff(found, veiledFound); diff != "" {
				t.Errorf("the findings change (- stored, + veiled):\n%s", diff)
			}
			if diff := cmp.Diff(gates(recs), gates(hidden)); diff != "" {
				t.Errorf("the fold changes (- stored, + veiled):\n%s", diff)
			}
		})
	}
}

func TestTheSaltsAreEnough(t *testing.T) {
	for name, recs := range streams(t) {
		t.Run(name, func(t *testing.T) {
			kept := veil.Keep(veil.NewKey(secret, "main"))
			want := veiled(t, veil.New(kept, events.Hash{}), recs)
			given, err := veil.ParseGiven(string(kept.Text()))
			if err != nil {
				t.Fatal(err)
			}
			got := veiled(t, veil.New(given, events.Hash{}), recs)
			for i := range want {
				if !bytes.Equal(want[i].Raw, got[i].Raw) {
					t.Fatalf("event #%d:\n%s\nwith the salts alone:\n%s", want[i].Seq, want[i].Raw, got[i].Raw)
				}
			}
			if given.Left() != 0 {
				t.Errorf("%d salts belong to nothing", given.Left())
			}
		})
	}
}

func TestSaltsThatDoNotBelongToTheLines(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"half a salt", strings.Repeat("a", 32) + "\n"},
		{"letters that are no digits", strings.Repeat("x", 64) + "\n"},
		{"a last line without its newline", strings.Repeat("a", 64)},
		{"an empty line", "\n"},
	} {
		if _, err := veil.ParseGiven(c.text); !errors.Is(err, veil.ErrSalts) {
			t.Errorf("%s: got %v, want ErrSalts", c.name, err)
		}
	}
	none, err := veil.ParseGiven("")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Of("x"); !errors.Is(err, veil.ErrSalts) {
		t.Errorf("too few: got %v, want ErrSalts", err)
	}
}

// full is an event of a kind in which every field has a value.
func full(t *testing.T, info events.Info) events.Event {
	t.Helper()
	zero, err := events.New(info.Kind)
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.New(reflect.TypeOf(zero)).Elem()
	for _, f := range reflect.VisibleFields(v.Type()) {
		switch field := v.FieldByIndex(f.Index); {
		case f.Anonymous:
		case f.Type == reflect.TypeFor[string]():
			field.SetString("secret-" + f.Name + ":1234")
		case f.Type == reflect.TypeFor[[]string]():
			field.Set(reflect.ValueOf([]string{"secret-" + f.Name, "abceghjklm-main-7"}))
		case f.Type == reflect.TypeFor[int64]():
			field.SetInt(4711)
		case f.Type.Kind() == reflect.String:
			field.SetString(closed[f.Type])
		}
	}
	return events.Event{
		ID: "secret-id", Source: "/runner/secret-runner", Gateway: "main", Seq: 1, Boot: "abceghjklm", Mono: 1, Conn: "secret-conn",
		Attempt: "secret-attempt", Cause: "secret-cause", SourceTime: "secret time", Data: v.Interface().(events.Payload),
	}
}

// closed is one value of each closed set, and so says which types are one.
var closed = map[reflect.Type]string{
	reflect.TypeFor[events.FailReason](): "refused", reflect.TypeFor[events.Stage](): "none", reflect.TypeFor[events.UnknownReason](): "reported",
	reflect.TypeFor[events.Side](): "client", reflect.TypeFor[events.Close](): "fin", reflect.TypeFor[events.HoldReason](): "stopped",
	reflect.TypeFor[events.RejectReason](): "not_a_hello", reflect.TypeFor[events.Origin](): "wire", reflect.TypeFor[events.Listening](): "yes",
	reflect.TypeFor[events.Owner](): "gateway", reflect.TypeFor[events.DownReason](): "silent", reflect.TypeFor[events.SocketState](): "established",
	reflect.TypeFor[events.Mode](): "enforce", reflect.TypeFor[events.Previous](): "none", reflect.TypeFor[events.StopReason](): "signal",
	reflect.TypeFor[events.GapReason](): "overflow", reflect.TypeFor[events.Basis](): "word", reflect.TypeFor[events.Rejection](): "not_stopped",
	reflect.TypeFor[events.LostReason](): "fin", reflect.TypeFor[events.About](): "stop", reflect.TypeFor[events.Level](): "reserve",
}

// open are the fields of every kind that a veiled line shows although they are texts.
var open = map[string]bool{"Version": true, "PreviousBoot": true, "Preset": true, "Hash": true, "Policy": true, "Rule": true, "Incident": true}

func TestNothingHiddenIsLeft(t *testing.T) {
	for _, info := range events.Kinds() {
		t.Run(string(info.Kind), func(t *testing.T) {
			e := full(t, info)
			rec, err := events.NewRecord(e)
			if err != nil {
				t.Fatal(err)
			}
			out, err := veil.New(veil.NewKey(secret, "main"), events.Hash{}).Line(rec)
			if err != nil {
				t.Fatal(err)
			}
			text := string(out.Raw)
			for name := range open {
				text = strings.ReplaceAll(text, "secret-"+name+":1234", "")
			}
			if strings.Contains(text, "secret") {
				t.Errorf("something is left: %s", text)
			}
			if strings.Contains(text, `pid":4711`) {
				t.Errorf("a process id is left: %s", text)
			}
			if _, err := veil.Veiled().Line(out); err != nil {
				t.Errorf("the veiled line is refused as veiled: %v", err)
			}
			if decoded, err := events.ParseRecord(out.Raw); err != nil || !reflect.DeepEqual(decoded.Event, out.Event) {
				t.Errorf("the veiled line is not the event: %v", err)
			}
		})
	}
}

func TestAVeiledEventIsAnEvent(t *testing.T) {
	key := veil.NewKey(secret, "main")
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringMatching(`[a-z0-9_.:/-]{1,128}`).Filter(func(s string) bool {
			_, err := events.NewRecord(events.Event{ID: s, Source: "/x", Gateway: "main", Seq: 1, Boot: "b", Data: events.TapReopened{}})
			return err == nil
		})
		e := events.Event{
			ID: token.Draw(t, "id"), Source: "/" + strings.TrimLeft(rapid.SampledFrom([]string{"", "runner/", "operator/"}).Draw(t, "group")+"x", "/"), Gateway: "main", Seq: 1, Boot: "b",
			Cause: token.Draw(t, "cause"),
			Data:  events.ClientOpened{Peer: rapid.StringMatching(`[a-z0-9.\[\]:]{0,40}`).Draw(t, "peer")},
		}
		rec, err := events.NewRecord(e)
		if err != nil {
			t.Skip("no event")
		}
		v := veil.New(key, events.Hash{})
		out, err := v.Line(rec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := events.ParseRecord(out.Raw); err != nil {
			t.Fatalf("%s: %v", out.Raw, err)
		}
		if v.Prev() != out.Hash() {
			t.Fatal("the chain of the veiled lines does not go on with this one")
		}
		if _, err := veil.Veiled().Line(out); err != nil {
			t.Fatal(err)
		}
	})
}

func TestALineThatShowsTooMuchIsNotVeiled(t *testing.T) {
	good := events.Event{ID: "abceghjklm-main-1", Source: "/recorder", Gateway: "main", Seq: 1, Boot: "abceghjklm", Data: events.TapReopened{}}
	for _, c := range []struct {
		name, field string
		change      func(*events.Event)
	}{
		{"the id of a runner", "id", func(e *events.Event) { e.ID = "robo-1" }},
		{"an id of another gateway", "id", func(e *events.Event) { e.ID = "abceghjklm-live-1" }},
		{"the name of a runner", "source", func(e *events.Event) { e.Source = "/runner/robo" }},
		{"a source that nobody knows", "source", func(e *events.Event) { e.Source = "/robo" }},
		{"a runner's time", "sourcetime", func(e *events.Event) { e.SourceTime = "16:13" }},
		{"a runner's attempt", "attempt", func(e *events.Event) { e.Attempt = "first" }},
		{"a connection with a made up name", "conn", func(e *events.Event) { e.Conn = "abceghjklm-x1" }},
		{"words", "data.text", func(e *events.Event) { e.Data = events.TapBlocked{Text: "port 4002 is taken"} }},
		{"words that look hidden", "data.text", func(e *events.Event) { e.Data = events.TapBlocked{Text: "redacted:xabc"} }},
		{"an operator", "data.by", func(e *events.Event) { e.Data = events.RestartClaimed{By: "anna"} }},
		{"a host", "data.address", func(e *events.Event) { e.Data = events.DialStarted{Address: "10.0.0.7:4002"} }},
		{"a process id", "data.pid", func(e *events.Event) { e.Data = events.RestartObserved{PID: 4711} }},
		{"an entry of a list", "data.evidence", func(e *events.Event) {
			e.Data = events.GatewayDown{Reason: events.DownReported, Evidence: []string{"abceghjklm-a1", "robo-1"}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := good
			c.change(&e)
			rec, err := events.NewRecord(e)
			if err != nil {
				t.Fatal(err)
			}
			_, err = veil.Veiled().Line(rec)
			if shows, ok := errors.AsType[*veil.ShowsError](err); !ok || shows.Field != c.field {
				t.Errorf("got %v, want that %s is shown", err, c.field)
			}
		})
	}
	rec, err := events.NewRecord(good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := veil.Veiled().Line(rec); err != nil {
		t.Errorf("nothing is shown, and it is refused: %v", err)
	}
}

func TestEqualValuesHaveEqualCommitments(t *testing.T) {
	v := veil.New(veil.NewKey(secret, "main"), events.Hash{})
	line := func(v *veil.Veil, e events.Event) events.Event {
		e.Source, e.Gateway, e.Boot, e.Seq, e.ID = cmp0(e.Source, "/recorder"), "main", "b", 1, "abceghjklm-main-1"
		rec, err := events.NewRecord(e)
		if err != nil {
			t.Fatal(err)
		}
		out, err := v.Line(rec)
		if err != nil {
			t.Fatal(err)
		}
		return out.Event
	}
	anna := line(v, events.Event{Source: "/operator/anna", Data: events.RestartClaimed{By: "anna", Reason: "done"}})
	again := line(v, events.Event{Data: events.RestartAcknowledged{Basis: events.BasisWord, By: "anna", Reason: "done"}})
	bob := line(v, events.Event{Data: events.RestartAcknowledged{Basis: events.BasisWord, By: "bob", Reason: "done"}})
	by := func(e events.Event) string {
		if d, ok := e.Data.(events.RestartClaimed); ok {
			return d.By
		}
		return e.Data.(events.RestartAcknowledged).By
	}
	if by(anna) != by(again) || "/operator/"+by(anna) != anna.Source {
		t.Errorf("one person is three: %s, %s, %s", anna.Source, by(anna), by(again))
	}
	if by(anna) == by(bob) {
		t.Error("two persons are one")
	}
	other := line(veil.New(veil.NewKey(secret, "live"), events.Hash{}), events.Event{Data: events.RestartClaimed{By: "anna", Reason: "done"}})
	if by(other) == by(anna) {
		t.Error("the logs of two gateways can be joined")
	}
	first := line(v, events.Event{Data: events.RestartObserved{OldPID: 1, PID: 2}}).Data.(events.RestartObserved)
	second := line(v, events.Event{Data: events.RestartObserved{OldPID: 2, PID: 1}}).Data.(events.RestartObserved)
	if first.OldPID != second.PID || first.PID != second.OldPID || first.PID == first.OldPID {
		t.Errorf("processes cannot be told apart: %+v, %+v", first, second)
	}
}

func cmp0(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func BenchmarkLine(b *testing.B) {
	for _, c := range []struct {
		name string
		data events.Payload
	}{
		{"NothingHidden", events.HandshakeVersion{ServerVersion: 203, ElapsedUS: 1200}},
		{"AHost", events.ClientOpened{Peer: "127.0.0.1:50123"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			rec, err := events.NewRecord(events.Event{ID: "abceghjklm-main-1", Source: "/tap", Gateway: "main", Seq: 1, Boot: "abceghjklm", Conn: "abceghjklm-c1", Data: c.data})
			if err != nil {
				b.Fatal(err)
			}
			v := veil.New(veil.NewKey(secret, "main"), events.Hash{})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Line(rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
