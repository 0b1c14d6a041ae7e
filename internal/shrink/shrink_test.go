//go:build !race

// It has one goroutine and much to compute: ten times as long under the race detector.

package shrink

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source/streamtest"
	"ibrecorder/internal/streams"
)

// days is a long recorded stream with a rule broken in its middle.
func days(n int, seed uint64, id string) (recs []events.Record, err error) {
	err = streams.Days{Events: n, Seed: seed, Break: id}.Write(func(rec events.Record) error {
		recs = append(recs, rec)
		return nil
	})
	return recs, err
}

// stream is one in which a rule is broken, and which.
type stream struct {
	name string
	rule string // "" is the first
	recs []events.Record
}

// broken are the streams of these tests: a rule broken in ordinary days, a recorder that
// forgets, a stop that comes too late, and every incident that is VIOLATED.
func broken(t *testing.T) []stream {
	t.Helper()
	made.Do(func() { all = makeBroken(t) })
	return all
}

var (
	made sync.Once
	all  []stream
)

func makeBroken(t *testing.T) []stream {
	all := []stream{
		{"forgotten", "RS1", streamtest.Forgotten("live").Records()},
		{"forgotten, by its other rule", "RS7", streamtest.Forgotten("live").Records()},
		{"a stop too late", "RS2", late().Records()},
	}
	for _, id := range streams.Breakable() {
		recs, err := days(3000, 3, id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stream{"days with " + id, id, recs})
		if id == "RS1" || id == "RS2" { // which are decisions that the policy does not make
			all = append(all, stream{"days with " + id + ", by RS6", "RS6", recs})
		}
	}
	found, err := filepath.Glob("../../testdata/streams/*/events.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var recs []events.Record
		for rec, err := range events.ReadNDJSON(bytes.NewReader(raw)) {
			if err != nil {
				t.Fatal(err)
			}
			recs = append(recs, rec)
		}
		if v, err := rule.Check(streams.Each(recs)); err == nil && v.Outcome == rule.Violated {
			all = append(all, stream{filepath.Base(filepath.Dir(path)), "", recs})
		}
	}
	if len(all) < 14 {
		t.Fatalf("only %d streams", len(all))
	}
	return all
}

// late is a silent attempt whose stop comes five minutes after it.
func late() *streamtest.Stream {
	return streamtest.New("live").Start().Ready("a1", 7).After(time.Second).Gone("a1").After(10*time.Second).
		Silent("a2", 30*time.Second).After(5*time.Minute).
		Add("/watch", "", events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}).Stop(1)
}

func shrunk(t *testing.T, s stream, o Options) (Target, Result) {
	t.Helper()
	target, err := Find(streams.Each(s.recs), s.rule)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Shrink(s.recs, target, o)
	if err != nil {
		t.Fatal(err)
	}
	return target, r
}

// reading is what matters of a verdict, with events by their IDs: a second account of
// what must stay the same, which shares nothing with trial.
type reading struct {
	breach  string // at the last event, with its reasons
	others  []string
	failing []string
}

func read(t *testing.T, recs []events.Record, id string) (r reading) {
	t.Helper()
	v, err := rule.Check(streams.Each(recs))
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range v.Rules {
		for _, f := range result.Findings {
			switch {
			case f.Observed || f.Disputed:
			case f.Rule == id && f.Index == len(recs)-1:
				r.breach = recs[f.Index].ID
				for _, seq := range f.Because {
					r.breach += " " + recs[seq-recs[0].Seq].ID
				}
			case !slices.Contains(r.others, f.Rule):
				r.others = append(r.others, f.Rule)
			}
		}
	}
	a := audit.New()
	for _, rec := range recs {
		a.Step(rec.Event)
	}
	for _, f := range a.Result().Findings {
		switch {
		case f.Observed:
		case id == "RS6" && f.Index == len(recs)-1:
			r.breach = string(f.Class) + " " + recs[f.Index].ID
		case f.Index < len(recs)-1 && !slices.Contains(r.others, "RS6"):
			r.others = append(r.others, "RS6")
		}
	}
	for _, a := range v.Assumptions {
		if a.Total > 0 {
			r.failing = append(r.failing, a.ID)
		}
	}
	return r
}

// asWas reports whether r is still what was, and nothing worse.
func (r reading) asWas(was reading) bool {
	more := func(has, had []string) bool {
		return slices.ContainsFunc(has, func(id string) bool { return !slices.Contains(had, id) })
	}
	return r.breach != "" && r.breach == was.breach && !more(r.others, was.others) && !more(r.failing, was.failing)
}

func TestWhatIsLeftIsTheSameBreach(t *testing.T) {
	for _, s := range broken(t) {
		t.Run(s.name, func(t *testing.T) {
			target, r := shrunk(t, s, Options{})
			id := target.Finding.Rule
			was, is := read(t, s.recs[:target.Finding.Index+1], id), read(t, r.Records, id)
			if !is.asWas(was) {
				t.Errorf("(-was +is)\n%s", cmp.Diff(was, is, cmp.AllowUnexported(reading{})))
			}
			if !r.Minimal || r.Finding.Rule != id || r.Finding.Index != len(r.Records)-1 {
				t.Errorf("minimal %t, and %s is broken at #%d of %d", r.Minimal, r.Finding.Rule, r.Finding.Seq, len(r.Records))
			}
			for i, rec := range r.Records {
				origin := s.recs[r.Origins[i]-s.recs[0].Seq]
				if origin.ID != rec.ID || origin.Kind() != rec.Kind() || origin.Attempt != rec.Attempt || origin.Boot != rec.Boot || i > 0 && r.Origins[i-1] >= r.Origins[i] {
					t.Errorf("#%d is %s, and is said to be #%d, which is %s", rec.Seq, rec.Raw, r.Origins[i], origin.Raw)
				}
			}
			t.Logf("%d events to %d, %d evaluations", len(s.recs), len(r.Records), r.Evaluations)
		})
	}
}

// spared returns an event of a result that could be taken out, 0 if there is none.
func spared(t *testing.T, r Result, id string) uint64 {
	t.Helper()
	was := read(t, r.Records, id)
	tr := newTrial(r.Records, Options{})
	for i := range len(r.Records) - 1 {
		recs, err := tr.write(without(tr.everything(), i, i+1))
		if err != nil {
			t.Fatal(err)
		}
		if read(t, recs, id).asWas(was) {
			return r.Records[i].Seq
		}
	}
	return 0
}

func TestNoEventCanBeSpared(t *testing.T) {
	for _, s := range broken(t) {
		t.Run(s.name, func(t *testing.T) {
			target, r := shrunk(t, s, Options{})
			if seq := spared(t, r, target.Finding.Rule); seq != 0 {
				t.Errorf("#%d of %d can be taken out\n%s", seq, len(r.Records), streams.NDJSON(r.Records))
			}
		})
	}
	done := 0
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.SampledFrom(streams.Breakable()).Draw(rt, "rule")
		recs, err := days(rapid.IntRange(600, 1500).Draw(rt, "events"), rapid.Uint64().Draw(rt, "seed"), id)
		if errors.Is(err, streams.ErrDays) {
			rt.Skip("no occasion in these days")
		}
		if err != nil {
			rt.Fatal(err)
		}
		if _, err := Find(streams.Each(recs), id); errors.Is(err, ErrNoBreach) {
			rt.Skip("a stop that is late is one a minute later, and these days end before")
		}
		target, r := shrunk(t, stream{rule: id, recs: recs}, Options{})
		if seq := spared(t, r, target.Finding.Rule); seq != 0 {
			rt.Errorf("#%d of %d can be taken out", seq, len(r.Records))
		}
		done++
	})
	if done < 10 {
		t.Errorf("only %d days were shrunk", done)
	}
}

func TestTheSameStreamGivesTheSameBytes(t *testing.T) {
	for _, s := range broken(t) {
		_, one := shrunk(t, s, Options{})
		_, two := shrunk(t, s, Options{})
		if diff := cmp.Diff(string(streams.NDJSON(one.Records)), string(streams.NDJSON(two.Records))); diff != "" || one.Evaluations != two.Evaluations {
			t.Errorf("%s: %d and %d evaluations (-one +two)\n%s", s.name, one.Evaluations, two.Evaluations, diff)
		}
	}
}

func TestABoundIsToldOf(t *testing.T) {
	recs := streamtest.Forgotten("live").Records()
	s := stream{name: "forgotten", rule: "RS1", recs: recs}
	_, free := shrunk(t, s, Options{})
	for bound := 1; bound < free.Evaluations+2; bound += 7 {
		most := 0
		target, r := shrunk(t, s, Options{Evaluations: bound, Watch: func(n, _ int) { most = n }})
		is := read(t, r.Records, "RS1")
		if want := bound >= free.Evaluations; r.Minimal != want || r.Evaluations > bound || most != r.Evaluations && bound > 1 {
			t.Errorf("of %d evaluations it takes %d, told of %d, and says minimal %t, want %t", bound, r.Evaluations, most, r.Minimal, want)
		}
		if bound == 1 && spared(t, r, "RS1") == 0 { // or else the test above could not fail
			t.Error("no event can be spared although nothing was tried")
		}
		if !is.asWas(read(t, recs[:target.Finding.Index+1], "RS1")) {
			t.Errorf("after %d evaluations it is another breach: %+v", bound, is)
		}
	}
}

// The run of the breach is often enough, and gives what the whole stream does.
func TestFromTheRunOfTheBreach(t *testing.T) {
	enough := 0
	for _, s := range broken(t) {
		target, whole := shrunk(t, s, Options{})
		tail := slices.DeleteFunc(slices.Clone(s.recs), func(r events.Record) bool { return r.Seq < target.From })
		r, err := Shrink(tail, target, Options{})
		if errors.Is(err, ErrMore) && len(tail) < len(s.recs) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		if diff := cmp.Diff(string(streams.NDJSON(whole.Records)), string(streams.NDJSON(r.Records))); diff != "" {
			t.Errorf("%s: from #%d on it is another result (-whole +from)\n%s", s.name, target.From, diff)
		}
		if len(tail) < len(s.recs) {
			enough++
		}
	}
	if enough < 5 {
		t.Errorf("only %d streams were read from a later run", enough)
	}
}

func TestABreachMayNeedWhatCameBefore(t *testing.T) {
	recs := streamtest.Forgotten("live").Records()
	target, err := Find(streams.Each(recs), "RS1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Shrink(recs[12:], target, Options{}); !errors.Is(err, ErrMore) { // from the second run, without the stop
		t.Errorf("error %v, want ErrMore", err)
	}
}

func TestWaitsAreAsShortAsTheyCanBe(t *testing.T) {
	_, r := shrunk(t, stream{rule: "RS2", recs: late().Records()}, Options{})
	var failed, last events.Record
	for _, rec := range r.Records {
		if rec.Kind() == "attempt.failed" {
			failed = rec
		}
		last = rec
	}
	// The rule allows a minute; five had passed. The silence itself was thirty seconds.
	if ns, known := events.Elapsed(failed.Event, last.Event); !known || ns <= int64(time.Minute) || ns > int64(time.Minute+time.Millisecond) {
		t.Errorf("the stop is %s late, want just more than a minute", time.Duration(ns))
	}
	if got, want := last.Time.Sub(r.Records[0].Time), time.Duration(last.Mono-r.Records[0].Mono); got != want {
		t.Errorf("by the wall clock it took %s, by the monotonic one %s", got, want)
	}
	if failed.Mono < int64(30*time.Second) {
		t.Errorf("an attempt that waited for 30 s ended %s after the start", time.Duration(failed.Mono))
	}
}

func TestThereMustBeABreach(t *testing.T) {
	held := streamtest.Night("live").Records()
	forgotten := streamtest.Forgotten("live").Records()
	for _, c := range []struct {
		name, rule string
		recs       []events.Record
		want       string
	}{
		{"the rule held", "", held, "no rule is broken in 290 events, the verdict is HOLDS"},
		{"another rule was broken", "RS3", forgotten, "RS3 is not broken in 25 events, and broken is RS1, RS6, RS7"},
		{"nothing", "", nil, "the verdict is INCONCLUSIVE"},
	} {
		if _, err := Find(streams.Each(c.recs), c.rule); !errors.Is(err, ErrNoBreach) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
	target, err := Find(streams.Each(forgotten), "RS1")
	if err != nil {
		t.Fatal(err)
	}
	for name, recs := range map[string][]events.Record{"another stream": held, "one that is too short": forgotten[:3]} {
		if _, err := Shrink(recs, target, Options{}); !errors.Is(err, ErrOther) {
			t.Errorf("%s: error %v, want ErrOther", name, err)
		}
	}
}
