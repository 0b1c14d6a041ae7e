package audit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/fsm/fsmtest"
	"ibrecorder/internal/policy"
)

// recording is a log as a loop would write it: facts in the words of fsmtest, and behind
// each the decisions that are due.
type recording struct {
	t   testing.TB
	log []events.Event
}

func record(t testing.TB, mode events.Mode, script string) *recording {
	t.Helper()
	r, w, f, s := &recording{t: t}, fsmtest.New(policy.Handoff()), fsm.NewFolder(), fsm.Initial()
	for _, line := range fsmtest.Lines("boot b1; policy " + string(mode) + "\n" + script) {
		all, err := w.Write(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for _, e := range all {
			r.log, s = append(r.log, e), f.Apply(s, e)
		}
		for s.Policy.Hash != "" {
			d := policy.Decide(s, w.Now)
			if d.Data == nil {
				break
			}
			e := w.Stamp(events.Draft{Source: "/recorder", Attempt: d.Attempt, Conn: d.Conn, Cause: d.Cause, Data: d.Data})
			r.log, s = append(r.log, e), f.Apply(s, e)
		}
	}
	return r
}

// at finds the nth event of a kind, from 0.
func (r *recording) at(kind events.Kind, n int) int {
	r.t.Helper()
	for i, e := range r.log {
		if e.Kind() == kind {
			if n == 0 {
				return i
			}
			n--
		}
	}
	r.t.Fatalf("no %s", kind)
	return 0
}

func (r *recording) without(kind events.Kind, n int) *recording {
	i := r.at(kind, n)
	r.log = append(r.log[:i:i], r.log[i+1:]...)
	return r
}

// put inserts an event like the one before it, but for who says what.
func (r *recording) put(behind events.Kind, e events.Event) *recording {
	i := r.at(behind, 0)
	like := r.log[i]
	e.Gateway, e.Boot, e.Mono, e.Epoch, e.ID = like.Gateway, like.Boot, like.Mono, like.Epoch, "forged"
	r.log = append(r.log[:i+1:i+1], append([]events.Event{e}, r.log[i+1:]...)...)
	return r
}

func (r *recording) change(kind events.Kind, to func(*events.Event)) *recording {
	to(&r.log[r.at(kind, 0)])
	return r
}

func (r *recording) audit() Result {
	a := New()
	for i := range r.log {
		r.log[i].Seq = uint64(i + 1)
		a.Step(r.log[i])
	}
	return a.Result()
}

const stopped = "a1 request; a1 dial; a1 up; +30s; a1 fail accepted_no_bytes"

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(*testing.T) *recording
		want []string
	}{
		{"nothing is changed", func(t *testing.T) *recording { return record(t, events.Enforce, stopped+"; a2 request") }, nil},
		{"the stop is left out", func(t *testing.T) *recording {
			return record(t, events.Enforce, stopped+"; observed unknown").without("restart.required", 0)
		}, []string{"missing: RECOMPUTED restart.required (reason silent, enforced true), due after #8; RECORDED: it is missing, the log goes on with gateway.observed at #9"}},
		{"what is missing is told once, however long the log goes on", func(t *testing.T) *recording {
			return record(t, events.Enforce, stopped+"; observed unknown; observed unknown; observed unknown").without("restart.required", 0)
		}, []string{"missing: RECOMPUTED restart.required (reason silent, enforced true), due after #8; RECORDED: it is missing, the log goes on with gateway.observed at #9"}},
		{"the evidence is left out, and the stop stands alone", func(t *testing.T) *recording {
			return record(t, events.Enforce, stopped+"; observed unknown").without("gateway.down", 0)
		}, []string{"missing: RECOMPUTED gateway.down (reason silent, count 1, limit 1), due after #7; RECORDED: it is missing, the log has restart.required in its place at #8"}},
		{"a permit that nobody asked for", func(t *testing.T) *recording {
			return record(t, events.Enforce, "observed unknown").put("gateway.observed", events.Event{Source: "/recorder", Attempt: "x", Data: events.AttemptPermitted{Enforced: true}})
		}, []string{"extra: RECORDED attempt.permitted of attempt x (enforced true) at #4; RECOMPUTED: nothing"}},
		{"one too many before one that was due", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request").put("attempt.requested", events.Event{Source: "/recorder", Attempt: "a1", Data: events.ClientHeld{Reason: events.HoldBackoff}})
		}, []string{"extra: RECORDED client.held of attempt a1 (reason backoff) at #4, one too many; RECOMPUTED: only attempt.permitted of attempt a1 (enforced true)"}},
		{"another reason", func(t *testing.T) *recording {
			return record(t, events.Enforce, stopped+"; a2 request").change("attempt.denied", func(e *events.Event) {
				d := e.Data.(events.AttemptDenied)
				d.Reason = events.HoldWindow
				e.Data = d
			})
		}, []string{"different: RECORDED attempt.denied of attempt a2 with reason window at #11; RECOMPUTED with reason stopped"}},
		{"another policy", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request").change("attempt.permitted", func(e *events.Event) {
				d := e.Data.(events.AttemptPermitted)
				d.Policy = "another"
				e.Data = d
			})
		}, []string{"different: RECORDED attempt.permitted of attempt a1 with policy another at #4; RECOMPUTED with policy 0100000000000000000000000000000000000000000000000000000000000000"}},
		{"more jitter than may be drawn", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; a1 fail refused").change("retry.scheduled", func(e *events.Event) {
				d := e.Data.(events.RetryScheduled)
				d.JitterMS, d.DelayMS = 251, d.DelayMS+251
				e.Data = d
			})
		}, []string{"different: RECORDED retry.scheduled with delay_ms 1251, jitter_ms 251 at #7; RECOMPUTED with delay_ms 1000, jitter_ms 0 and up to 250 ms of jitter"}},
		{"as much jitter as may be drawn", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; a1 fail refused").change("retry.scheduled", func(e *events.Event) {
				d := e.Data.(events.RetryScheduled)
				d.JitterMS, d.DelayMS = 250, d.DelayMS+250
				e.Data = d
			})
		}, nil},
		{"a delay that is not the drawn jitter and the base", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; a1 fail refused").change("retry.scheduled", func(e *events.Event) {
				d := e.Data.(events.RetryScheduled)
				d.JitterMS = 100
				e.Data = d
			})
		}, []string{"different: RECORDED retry.scheduled with jitter_ms 100 at #7; RECOMPUTED with jitter_ms 0 and up to 250 ms of jitter"}},
		{"another cause", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request").change("attempt.permitted", func(e *events.Event) { e.Cause = "e1" })
		}, []string{"different: RECORDED attempt.permitted of attempt a1 with cause e1 at #4; RECOMPUTED with cause e3"}},
		{"a decision that comes later than time made it due", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; a1 fail refused; a2 request; +9s; a2 dial")
		}, nil},
		{"and one that comes before", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; a1 fail refused; a2 request; +9s; a2 dial").change("dial.started", func(*events.Event) {}).early()
		}, []string{"extra: RECORDED attempt.permitted of attempt a2 (enforced true) at #10; RECOMPUTED: nothing"}},
		{"a run that was killed owes nothing", func(t *testing.T) *recording {
			return record(t, events.Enforce, stopped).without("restart.required", 0).next("boot b2; policy enforce")
		}, nil},
		{"what an orderly end left open", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; boot b2 stopped; observed unknown")
		}, nil},
		{"an orderly end that is called a crash", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; boot b2 stopped; observed unknown").change("attempt.unknown", func(e *events.Event) {
				e.Data = events.AttemptUnknown{Reason: events.UnknownCrash}
			})
		}, []string{"different: RECORDED attempt.unknown of attempt a1 with reason recorder_died at #7; RECOMPUTED with reason recorder_stopped"}},
		{"a crash that is called an orderly end", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request; a1 dial; boot b2; observed unknown").change("attempt.unknown", func(e *events.Event) {
				e.Data = events.AttemptUnknown{Reason: events.UnknownStop}
			})
		}, []string{"different: RECORDED attempt.unknown of attempt a1 with reason recorder_stopped at #7; RECOMPUTED with reason recorder_died"}},
		{"what the judge refused is not the policy's", func(t *testing.T) *recording {
			return record(t, events.Enforce, "a1 request").change("attempt.permitted", func(e *events.Event) {
				e.Data = events.AttemptDenied{Reason: events.HoldRule, Count: 1, Rule: "RS1"}
			})
		}, nil},
		{"but it refuses nobody who does not wait", func(t *testing.T) *recording {
			return record(t, events.Enforce, "observed unknown").put("gateway.observed", events.Event{Source: "/recorder", Attempt: "x", Data: events.AttemptDenied{Reason: events.HoldRule, Count: 1, Rule: "RS1"}})
		}, []string{"extra: RECORDED attempt.denied of attempt x (reason rule, count 1, rule RS1) at #4; RECOMPUTED: nothing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.log(t).audit()
			var got []string
			for _, f := range r.Findings {
				got = append(got, string(f.Class)+": "+f.Text)
				if (f.Recorded == nil) != (f.Class == Missing) || f.Recomputed == nil && f.Class != Extra {
					t.Errorf("%s: recorded %v, recomputed %v", f.Class, f.Recorded, f.Recomputed)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if r.Total != len(got) || r.Checked == 0 && c.want == nil && !strings.Contains(c.name, "judge") || r.Skipped != 0 {
				t.Errorf("%d findings, %d decisions compared, %d not", r.Total, r.Checked, r.Skipped)
			}
		})
	}
}

// early moves the last permit to when its client was held.
func (r *recording) early() *recording {
	i := r.at("attempt.permitted", 1)
	r.log[i].Mono = r.log[i-1].Mono
	return r
}

// next goes on with facts alone, as a run that is killed at once.
func (r *recording) next(script string) *recording {
	w := fsmtest.New(policy.Handoff())
	for _, line := range fsmtest.Lines(script) {
		all, err := w.Write(line)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, e := range all {
			e.ID += "-2"
			r.log = append(r.log, e)
		}
	}
	return r
}

func TestWhatCannotBeJudgedIsSaid(t *testing.T) {
	whole := func() *recording { return record(t, events.Enforce, stopped+"; a2 request") }
	decisions := whole().audit().Checked
	for _, c := range []struct {
		name string
		log  func() *recording
		want Result
	}{
		{"a stream without its beginning", func() *recording {
			r := whole()
			for i := range r.log {
				r.log[i].Seq = uint64(i + 5)
			}
			return r
		}, Result{Skipped: decisions, Why: "the stream starts at #5, and the state before it is not known"}},
		{"what stands behind a hole", func() *recording {
			r := whole()
			for i := range r.log {
				if r.log[i].Seq = uint64(i + 1); i > 3 {
					r.log[i].Seq++
				}
			}
			return r
		}, Result{Checked: 1, Skipped: decisions - 1, Why: "#6 follows #4, and the state in between is not known"}},
		{"a history that no recorder saw", func() *recording {
			r := whole()
			for i := range r.log {
				r.log[i].Seq, r.log[i].Boot, r.log[i].Mono = uint64(i+1), events.BootImport, events.NoMono
			}
			return r
		}, Result{Skipped: decisions, Why: "no recorder saw it, so nothing was decided"}},
		{"a run of another policy", func() *recording {
			r := whole()
			for i := range r.log {
				r.log[i].Seq = uint64(i + 1)
			}
			return r.change("recorder.started", func(e *events.Event) {
				d := e.Data.(events.RecorderStarted)
				d.PolicyVersion = policy.Version + 1
				e.Data = d
			})
		}, Result{Skipped: decisions, Why: "the run of #1 had fold version 1 and policy version 2; this program has 1 and 1"}},
		{"a run from where its clock went back on", func() *recording {
			r := record(t, events.Enforce, "+60s; a1 request; a1 dial; a1 fail refused; a2 request; +9s; a2 dial")
			for i := range r.log {
				if r.log[i].Seq = uint64(i + 1); i >= r.at("attempt.permitted", 1) {
					r.log[i].Mono -= 10e9
				}
			}
			return r
		}, Result{Checked: 3, Skipped: 1, Why: "the clock of the run of #10 went back before it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := New()
			for _, e := range c.log().log {
				a.Step(e)
			}
			got := a.Result()
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindingsAreBounded(t *testing.T) {
	r := record(t, events.Enforce, "observed unknown")
	for range 500 {
		r.put("gateway.observed", events.Event{Source: "/recorder", Attempt: "x", Data: events.ClientHeld{Reason: events.HoldBackoff}})
	}
	if got := r.audit(); got.Total != 500 || len(got.Findings) != maxFindings {
		t.Errorf("%d findings, of which %d are kept; want 500 and %d", got.Total, len(got.Findings), maxFindings)
	}
}
