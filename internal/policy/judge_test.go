package policy

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

// The judge is written from the same text by somebody who has not seen this
// package. What the policy decides, in whatever the outside world and crashes make
// of a run, is no breach of any of its rules: one of the two would be wrong, and
// the recorder would accuse itself in its own log.
func TestTheJudgeFindsNothing(t *testing.T) {
	judged := map[string]int{}
	waits, turned := 0, 0 // of single clients
	rapid.Check(t, func(t *rapid.T) {
		mode := rapid.SampledFrom([]events.Mode{events.Enforce, events.Enforce, events.Observe}).Draw(t, "mode")
		w := walking(t, params(t), mode)
		w.deaths(t, mode)
		j := rule.New()
		for _, e := range w.log {
			switch d := e.Data.(type) {
			case events.RetryScheduled:
				if d.ClientID != nil {
					waits++
				}
			case events.AttemptFailed:
				if d.Reason == events.ClientWaits {
					turned++
				}
			}
			rec, err := events.NewRecord(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range j.Step(rec) {
				if !f.Bypassed && !f.Observed {
					t.Fatalf("%s at #%d because of %v: %s\n%s", f.Rule, f.Seq, f.Because, f.Text, Told(w.log[:e.Seq]))
				}
			}
		}
		for _, r := range j.Verdict().Assumptions {
			if r.ID == "A3" && r.Total > 0 {
				t.Fatalf("%s\n%s", r.Findings[0].Text, Told(w.log))
			}
		}
		for _, r := range j.Verdict().Rules {
			judged[r.ID] += r.Checked
		}
	})
	for _, e := range rule.Catalogue() {
		if e.Kind == rule.Rule && judged[e.ID] == 0 {
			t.Errorf("%s: none of its %s: the walks have seen nothing", e.ID, e.Unit)
		}
	}
	if waits == 0 {
		t.Error("no client waited alone: the walks have seen nothing of it")
	}
	t.Logf("judged: %v; %d waits of single clients, %d turned away", judged, waits, turned)
}

// What the walks seldom come to: a client that comes back too early, is turned away, and
// comes back in time, over three rounds and a restart in its last wait.
func TestTheJudgeFindsNothingInAWaitThatIsKept(t *testing.T) {
	w := begin(Handoff(), events.Enforce)
	attempt := func(name, rest string) {
		w.must(name + " request; " + name + " dial; " + name + " up; " + name + " version; " + name + " " + rest)
	}
	for n, wait := range []string{"+1s", "+2s", "+4s"} {
		attempt(fmt.Sprint("used", n), fmt.Sprintf("start 7; used%d fail client_id_in_use", n))
		attempt(fmt.Sprint("early", n), "fail client_waits")
		attempt(fmt.Sprint("other", n), fmt.Sprintf("start 8; other%d ok", n))
		if n == 2 {
			w.crash = 0
			w.must("+1s; observed unknown; boot b2")
			w.crash = -1
			w.must("policy enforce")
		}
		w.must(wait)
	}
	attempt("late", "start 7; late ok")
	j := rule.New()
	for _, e := range w.log {
		rec, err := events.NewRecord(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range j.Step(rec) {
			t.Fatalf("%s at #%d because of %v: %s\n%s", f.Rule, f.Seq, f.Because, f.Text, Told(w.log[:e.Seq]))
		}
	}
	if r := j.Verdict().Rules[2]; r.ID != "RS3" || r.Checked < 6 { // three waits, and what came after each
		t.Errorf("%s has weighed %d, want at least 6", r.ID, r.Checked)
	}
}

// Told is a log as a person reads it.
func Told(log []events.Event) string {
	var b strings.Builder
	for _, e := range log {
		fmt.Fprintf(&b, "%4d %6ds %s %s %s %+v\n", e.Seq, e.Mono/1e9, e.Source, e.Kind(), e.Attempt, e.Data)
	}
	return b.String()
}

// Nor does a success beside another attempt, which only observe mode allows, end a
// probation for the one and not for the other.
func TestTheJudgeFindsNothingInAProbationThatWasObserved(t *testing.T) {
	w := begin(Demo(), events.Enforce)
	w.must("report down; claim; observed gateway 200 2 claim; policy observe; a1 request; a2 request; a1 unknown; a2 dial; a2 up; a2 ok; policy enforce")
	w.must("+30s; a3 request; a3 dial; a3 unknown; +60s; a4 request; a4 dial; a4 unknown")
	j := rule.New()
	for _, e := range w.log {
		rec, err := events.NewRecord(e)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range j.Step(rec) {
			if !f.Observed {
				t.Fatalf("%s at #%d because of %v: %s\n%s", f.Rule, f.Seq, f.Because, f.Text, Told(w.log[:e.Seq]))
			}
		}
	}
	if !w.stopped {
		t.Errorf("the last attempt of the probation is unknown, and the gate is %s", w.s.Gate)
	}
}
