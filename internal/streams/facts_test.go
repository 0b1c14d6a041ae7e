package streams

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

const imported = "title: T\ngateway: g\nstream: imported\n"
const recorded = "title: T\ngateway: g\nstream: recorded\n" +
	"synthetic | 2026-01-01T00:00:00Z | /recorder | recorder.started boot=b1 version=test previous=none ; policy.loaded | -\n"

func TestFactsAreRefused(t *testing.T) {
	pol := loaded(t)
	for _, c := range []struct{ name, text, want string }{
		{"nothing is said", "title: T\ngateway: g\nstream: imported\n", "at least one fact"},
		{"a header that nobody knows", "author: A\n", `line 1: invalid facts: header "author"`},
		{"a stream of another sort", "stream: live\n", "want imported or recorded"},
		{"a column is missing", imported + "documented | ? | /runner/a | attempt.requested a1\n", "line 4: invalid facts: 4 columns"},
		{"a fact without a mark", imported + "sure | ? | /runner/a | attempt.requested a1 | x\n", `mark "sure"`},
		{"documented, and nowhere", imported + "documented | ? | /runner/a | attempt.requested a1 | -\n", "no source cited"},
		{"made up, among what happened", imported + "synthetic | ? | /runner/a | attempt.requested a1 | -\n", "none of an imported one"},
		{"a time with another zone", imported + "documented | 2025-01-01T00:00:00+01:00 | /runner/a | attempt.requested a1 | x\n", "not UTC"},
		{"time since a boot that was not there", imported + "documented | +3s | /runner/a | attempt.requested a1 | x\n", `when "+3s"`},
		{"a kind that does not exist", imported + "documented | ? | /runner/a | attempt.requestd a1 | x\n", "nearest are attempt.requested"},
		{"a field that the kind does not have", imported + "documented | ? | /runner/a | attempt.requested a1 timeout=3 | x\n", `unknown field "timeout"`},
		{"a value that is not allowed", imported + "documented | ? | /runner/a | attempt.failed a1 reason=tired stage=dial | x\n", "value not allowed"},
		{"a text that does not end", imported + "documented | ? | /runner/a | operator.noted by=a text=\"so | x\n", "without its closing quote"},
		{"a decision in an import", imported + "documented | ? | /import | restart.required reason=silent enforced=true | x\n", "no loop was there to make one"},
		{"a recorder's source in an import", imported + "documented | ? | /tap | attempt.requested a1 | x\n", "it was not there"},
		{"a connection in an import", imported + "documented | ? | /runner/a | attempt.requested a1 conn=c1 | x\n", "none was there"},
		{"a decision written by hand", recorded + "synthetic | +1s | /recorder | attempt.permitted a1 enforced=true | -\n", "which follows from the facts"},
		{"a dial before its permit", recorded + "synthetic | +1s | /tap | dial.started a1 address=127.0.0.1:1 | -\n", "no permit to dial with"},
		{"a cause that is not there", recorded + "synthetic | +1s | /watch | gateway.observed cause=restart.claimed listening=yes owner=other | -\n", "its cause's kind"},
		{"time that goes back", recorded + "synthetic | +2s | /watch | gateway.observed listening=yes owner=other | -\nsynthetic | +1s | /watch | gateway.observed listening=yes owner=other | -\n", "+1s is before +2s"},
		{"a storm without an end", imported + "documented | ? | /runner/a | 1001x attempt.requested a{n} | x\n", "want 1 to 1000"},
		{"an account that is not redacted stays out", imported + "documented | ? | /runner/a | operator.noted by=a text=\"of DU0000000\" | x\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := ParseFacts(c.text)
			var recs []events.Record
			if err == nil {
				recs, err = Write(f, pol)
			}
			if c.want == "" {
				if err != nil || strings.Contains(string(NDJSON(recs)), "DU0000000") {
					t.Errorf("%v, and the events are %s", err, NDJSON(recs))
				}
				return
			}
			if !errors.Is(err, ErrFacts) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func loaded(t testing.TB) events.PolicyLoaded {
	t.Helper()
	pol, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	return pol
}

func TestWhatAFactBecomes(t *testing.T) {
	f, err := ParseFacts(imported +
		"inferred | 2025-01-01T10:00:00Z (11:00 CET) | /runner/a | 2x attempt.requested a{n} ; operator.noted by=a text=\"try {n}; it = 1\" | page 3\n")
	if err != nil {
		t.Fatal(err)
	}
	recs, err := Write(f, loaded(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(recs) != 4 || recs[2].Attempt != "a2" || recs[3].Data.(events.OperatorNoted).Text != "try 2; it = 1" {
		t.Fatalf("2 rounds of 2 events became\n%s", NDJSON(recs))
	}
	for i, rec := range recs {
		if rec.Source != "/runner/a/inferred" || rec.SourceTime != "11:00 CET" || rec.Time.Hour() != 10 || rec.Mono != events.NoMono ||
			rec.Boot != events.BootImport || rec.Seq != uint64(i+1) {
			t.Errorf("event %d is %s", i+1, rec.Raw)
		}
	}
}

func TestPolicyIsReadStrictly(t *testing.T) {
	const head = "preset: handoff\nmode: enforce\nunknown: [nothing]\n"
	pol, err := ParsePolicy([]byte(head + "override:\n  silent_limit: 3\n"))
	if want := policy.Handoff(); err != nil || pol.SilentLimit != 3 || pol.SettleMS != want.SettleMS || pol.Hash != policy.Hash(pol.Params) {
		t.Errorf("an override gives %+v, %v", pol, err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", head + "silent_limit: 3\n", "silent_limit"},
		{"an unknown value", head + "override: {silence: 3}\n", "silence"},
		{"a value twice", head + "mode: enforce\n", "mode"},
		{"a value that is forbidden", head + "override: {silent_limit: 0}\n", "silent_limit is 0"},
		{"no word about what is unknown", "preset: handoff\nmode: enforce\n", "under unknown"},
		{"another preset", "preset: strict\nmode: enforce\nunknown: [x]\n", "no preset"},
	} {
		if _, err := ParsePolicy([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", c.name, err, c.want)
		}
	}
}

// Whatever is written, it is refused as facts or becomes a stream that can be read.
func FuzzFacts(f *testing.F) {
	f.Add(recorded + "synthetic | +1s | /tap | attempt.requested a1 conn=c1 | -\n")
	f.Add(imported + "inferred | ? (noon) | /runner/a | 2x operator.noted by=a text=\"{n}\" ; attempt.unknown a{n} reason=reported | x\n")
	pol := loaded(f)
	f.Fuzz(func(t *testing.T, text string) {
		facts, err := ParseFacts(text)
		var recs []events.Record
		if err == nil && len(facts.Facts) < 20 {
			recs, err = Write(facts, pol)
		}
		if err != nil {
			if !errors.Is(err, ErrFacts) {
				t.Errorf("error %v, want one that wraps ErrFacts", err)
			}
			return
		}
		n := 0
		for _, err := range events.ReadNDJSON(bytes.NewReader(NDJSON(recs))) {
			if n++; err != nil {
				t.Fatal(err)
			}
		}
		if n != len(recs) {
			t.Errorf("%d events were written, and %d read", len(recs), n)
		}
	})
}
