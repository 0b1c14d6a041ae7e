package whatif

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/streams"
)

const root = "../../testdata/streams"

// folders loads every whole stream.
func folders(t *testing.T) []streams.Folder {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "*", "facts.txt"))
	if err != nil || len(found) < 10 {
		t.Fatalf("%d streams, %v", len(found), err)
	}
	var all []streams.Folder
	for _, path := range found {
		f, err := streams.Load(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func masked(f streams.Folder, p Policy) Result {
	m := NewMask(p)
	for _, r := range f.Records {
		m.Step(r.Event)
	}
	m.End()
	return m.Result
}

// allowed are the incidents in which the rule allows a stop and does not demand it, so
// that expect.txt has none, and the policy makes it: a report of a timeout that does not
// say how far the connect had come.
var allowed = map[string]int{"INC-10-a-starved-client": 1}

// Each incident under its own policy: the attempts avoided are those of its expect.txt,
// which the judge's stop gives and not this package's.
func TestAvoidedAgreesWithTheIncidents(t *testing.T) {
	with := 0
	for _, f := range folders(t) {
		text, err := os.ReadFile(filepath.Join(f.Path, "expect.txt"))
		if err != nil {
			t.Fatal(err)
		}
		due, avoided := uint64(0), 0
		for line := range strings.Lines(string(text)) {
			// What is not there is zero: nothing was avoided.
			_, _ = fmt.Sscanf(line, "stop due and never decided: #%d", &due)
			_, _ = fmt.Sscanf(line, "attempts that a stop would have avoided: %d", &avoided)
		}
		got := masked(f, Policy{"its own", "--policy", f.Policy})
		if due == 0 {
			avoided = allowed[f.Name]
		}
		if got.Avoided != avoided {
			t.Errorf("%s: %d attempts avoided, want the %d of expect.txt: %+v", f.Name, got.Avoided, avoided, got)
		}
		if due != 0 {
			with++
			if got.First != (Divergence{due, Stops, ""}) {
				t.Errorf("%s: %+v is the first divergence, want the stop due at #%d", f.Name, got.First, due)
			}
		}
		if f.Facts.Recorded && got.First.Seq != 0 {
			t.Errorf("%s: its own policy differs from itself: %+v", f.Name, got.First)
		}
	}
	if with < 5 {
		t.Errorf("only %d incidents have a stop that was due", with)
	}
}

func TestDecisionsDiffer(t *testing.T) {
	preset := func(params events.Params) events.PolicyLoaded {
		l, err := policy.Load("handoff", params, events.Enforce)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, c := range []struct {
		name, stream string
		b            events.PolicyLoaded
		want         string // the first difference
		total        int
	}{
		{"its own policy agrees with a recorded stream", "SYN-03-stopped-and-released", preset(policy.Handoff()), "", 0},
		{"a policy that counts to three waits where the recorded one declares the Gateway down", "SYN-03-stopped-and-released", preset(policy.Lenient()),
			"#13: gateway.down, retry.scheduled", 1},
		{"nobody was there to decide in an incident", "INC-14-healthy-looking-dead-gateway", preset(policy.Handoff()), "#5: nothing, gateway.down", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := streams.Load(filepath.Join(root, c.stream))
			if err != nil {
				t.Fatal(err)
			}
			cmp := NewComparison(Policy{"b", "--policy", c.b})
			for _, r := range f.Records {
				cmp.Step(r.Event)
			}
			cmp.End()
			got := ""
			if cmp.Total > 0 {
				d := cmp.First[0]
				got = fmt.Sprintf("#%d: %s, %s", d.Seq, kind(d.A), kind(d.B))
			}
			if got != c.want || cmp.Total != c.total || cmp.Unlike != 0 {
				t.Errorf("%q, %d differences, %d unlike; want %q, %d, 0\n%+v", got, cmp.Total, cmp.Unlike, c.want, c.total, cmp.First)
			}
		})
	}
}

func kind(p events.Payload) string {
	if p == nil {
		return "nothing"
	}
	return string(p.Kind())
}
