package streams

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

func load(t *testing.T, name string) Folder {
	t.Helper()
	f, err := Load(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A stream that holds would be worth little if it held whatever stood in it.
func TestTheRuleBrokenInAStreamThatHolds(t *testing.T) {
	const stopped = "SYN-03-stopped-and-released"
	for _, c := range []struct {
		name, base string
		do         func(*damage)
		want       []string // the rules that are broken
	}{
		{"a permit instead of the refusal", stopped, func(x *damage) {
			x.replace(20, "ibrecorder.attempt.denied.v1", "ibrecorder.attempt.permitted.v1")
			x.replace(20, `"reason":"stopped","count":1`, `"enforced":true`)
		}, []string{"RS1", "RS4"}}, // and that permit has no end
		{"no release", stopped, func(x *damage) { x.dropKind("restart.acknowledged") }, []string{"RS1", "RS7"}},
		{"no stop", stopped, func(x *damage) { x.dropKind("restart.required") }, []string{"RS2"}},
		{"no evidence", stopped, func(x *damage) { x.dropKind("attempt.failed"); x.dropKind("gateway.down") }, []string{"RS4", "RS9"}},
		{"the unfinished attempt is not closed", small, func(x *damage) { x.dropKind("attempt.unknown") }, []string{"RS4"}},
		{"no permit before the dial", small, func(x *damage) { x.drop(16) }, []string{"RS4", "RS5"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Damaged{Name: c.name, Base: c.base, do: func(x *damage) { c.do(x); x.chain() }}
			raw, err := d.Bytes(NDJSON(load(t, c.base).Records))
			if err != nil {
				t.Fatal(err)
			}
			v, err := rule.Check(events.ReadNDJSON(bytes.NewReader(raw)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range v.Rules {
				if r.Total > 0 {
					got = append(got, r.ID)
				}
			}
			if diff := cmp.Diff(c.want, got); v.Outcome != rule.Violated || diff != "" {
				t.Errorf("%s, broken rules (-want +got)\n%s%s", v.Outcome, diff, d.text(v, nil))
			}
		})
	}
}

// dropKind takes every event of a kind out.
func (x *damage) dropKind(kind string) {
	before := len(x.lines)
	x.lines = slices.DeleteFunc(x.lines, func(line string) bool { return strings.Contains(line, `"ibrecorder.`+kind+`.v1"`) })
	if len(x.lines) == before {
		x.fail("there is no %s", kind)
	}
}

// What a README says would follow from another reading of its facts.
func TestOtherReadings(t *testing.T) {
	defaults, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	without := func(f *Facts, what string) {
		for i := range f.Facts {
			f.Facts[i].What = slices.DeleteFunc(f.Facts[i].What, func(s string) bool { return strings.HasPrefix(s, what) })
		}
	}
	rewrite := func(f *Facts, old, with string) {
		n := 0
		for i := range f.Facts {
			for k, what := range f.Facts[i].What {
				if fields := strings.Fields(what); fields[0] == old {
					f.Facts[i].What[k] = strings.ReplaceAll(with, "{attempt}", fields[1])
					n++
				}
			}
		}
		if n == 0 {
			t.Fatalf("there is no %s", old)
		}
	}
	accepted := func(f *Facts) {
		rewrite(f, "attempt.failed", "attempt.failed {attempt} reason=reported_timeout stage=connected limit_ms=15000")
	}
	answered := func(f *Facts) { rewrite(f, "attempt.failed", "attempt.succeeded {attempt}") }
	empty := func(f *Facts) {
		rewrite(f, "attempt.abandoned", "attempt.failed {attempt} reason=no_accounts stage=ready")
	}
	for _, c := range []struct {
		name, base string
		change     func(*Folder)
		want       rule.Outcome
		pending    int
	}{
		{"INC-03 by the default budget", "INC-03-tws-outage", func(f *Folder) { f.Policy = defaults }, rule.Inconclusive, 0},
		{"INC-03 in another order", "INC-03-tws-outage", func(f *Folder) { slices.Reverse(f.Facts.Facts[4:7]) }, rule.Violated, 0},
		{"INC-27, none of the restarts connected", "INC-27-three-hundred-restarts", func(f *Folder) { without(&f.Facts, "attempt.unknown") }, rule.Holds, 1},
		{"INC-27 without the runner's last words", "INC-27-three-hundred-restarts", func(f *Folder) { without(&f.Facts, "gateway.down") }, rule.Holds, 0},
		{"INC-16 without the operator's finding", "INC-16-catch-22", func(f *Folder) { without(&f.Facts, "gateway.down") }, rule.Holds, 0},
		{"INC-04 without the gap", "INC-04-the-move-to-the-gateway", func(f *Folder) { without(&f.Facts, "recorder.gap") }, rule.Violated, 0},
		{"INC-05 in another order", "INC-05-fifteen-client-ids", func(f *Folder) { slices.Reverse(f.Facts.Facts[2:17]) }, rule.Violated, 0},
		{"INC-10 if the runner had said that TCP was up", "INC-10-a-starved-client", func(f *Folder) { accepted(&f.Facts) }, rule.Violated, 0},
		{"INC-10 as the wire had it", "INC-10-a-starved-client", func(f *Folder) { answered(&f.Facts) }, rule.Holds, 0},
		{"INC-11 in another order", "INC-11-two-documents-of-one-evening", func(f *Folder) { slices.Reverse(f.Facts.Facts[3:9]) }, rule.Violated, 0},
		{"INC-15 as the empty list that it was first taken for", "INC-15-an-answer-that-was-not-waited-for", func(f *Folder) { empty(&f.Facts) }, rule.Holds, 0},
		{"INC-28 without the runner's report", "INC-28-eight-restarts-on-a-friday", func(f *Folder) { without(&f.Facts, "gateway.down") }, rule.Holds, 0},
		{"INC-12 without the gap", "INC-12-disconnect-turns-red", func(f *Folder) { without(&f.Facts, "recorder.gap") }, rule.Holds, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := load(t, c.base)
			c.change(&f)
			recs, err := Write(f.Facts, f.Policy)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Read(recs)
			if err != nil {
				t.Fatal(err)
			}
			pending := 0
			for _, result := range r.Verdict.Rules {
				pending += len(result.Pending)
			}
			if r.Verdict.Outcome != c.want || pending != c.pending {
				t.Errorf("%s with %d pending, want %s with %d\n%s", r.Verdict.Outcome, pending, c.want, c.pending, r.Text())
			}
		})
	}
}
