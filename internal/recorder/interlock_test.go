package recorder_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/store"
)

// permit is a permit for the oldest request, whatever holds it.
func permit(s fsm.State) policy.Decision {
	r := s.Waiting[0]
	return policy.Decision{Attempt: r.Attempt, Conn: r.Conn, Cause: r.ID, Data: events.AttemptPermitted{Policy: s.Policy.Hash, Enforced: true}}
}

// instead is the policy, but that it permits where the policy holds for that reason.
func instead(of events.HoldReason) func(fsm.State, int64) policy.Decision {
	return func(s fsm.State, now int64) policy.Decision {
		d := policy.Decide(s, now)
		why := events.HoldReason("")
		switch data := d.Data.(type) {
		case events.AttemptDenied:
			why = data.Reason
		case events.ClientHeld:
			why = data.Reason
		}
		if why == of {
			return permit(s)
		}
		return d
	}
}

// A policy with a mistake in it, in a real loop: the judge stands between it and the dial.
func TestTheInterlockRefusesWhatAFaultyPolicyPermits(t *testing.T) {
	stopped := func(r *run) { <-r.request("a1"); r.silent("a1"); synctest.Wait() }
	released := func(r *run) {
		stopped(r)
		if _, err := r.g.Resume(r.t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted", Override: true}); err != nil {
			r.t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name   string
		faulty func(s fsm.State, now int64) policy.Decision
		first  func(*run) // before the mistake shows
		rule   string
	}{
		{"it permits while stopped", instead(events.HoldStopped), stopped, "RS1"},
		{"it permits two at once", instead(events.HoldInFlight), func(r *run) { <-r.request("a1") }, "RS4"},
		{"it does not wait for the Gateway to settle after a release", instead(events.HoldSettling), released, "RS3"},
		{"it does not wait after a failure", instead(events.HoldBackoff), func(r *run) { r.refused("a1") }, "RS3"},
		{"it waits a second too little after a failure", func(s fsm.State, now int64) policy.Decision {
			return policy.Decide(s, now+int64(time.Second))
		}, func(r *run) { r.refused("a1"); time.Sleep(500 * time.Millisecond) }, "RS3"},
		{"it takes no silence for one", func(s fsm.State, now int64) policy.Decision {
			s.Policy.SilentLimit = 9
			return policy.Decide(s, now)
		}, func(r *run) { <-r.request("a1"); r.silent("a1"); time.Sleep(5 * time.Second) }, "RS2"},
		{"it names something else as the cause of a permit", func(s fsm.State, now int64) policy.Decision {
			d := policy.Decide(s, now)
			if _, permits := d.Data.(events.AttemptPermitted); permits {
				d.Cause = s.Policy.Hash
			}
			return d
		}, func(*run) {}, "RS5"},
		{"it observes where the rule is enforced", func(s fsm.State, now int64) policy.Decision {
			s.Policy.Mode = events.Observe
			return policy.Decide(s, now)
		}, func(*run) {}, "RS7"},
		{"it has forgotten the stop, and why", func(s fsm.State, now int64) policy.Decision {
			if s.Gate == fsm.Stopped {
				s.Gate, s.Row = fsm.Open, fsm.Run{}
			}
			return policy.Decide(s, now)
		}, func(r *run) { stopped(r) }, "RS1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var faulty atomic.Bool
				r := start(t, store.NewMemory("main"), nil, events.Enforce, func(cfg *recorder.Config) {
					cfg.Decide = func(s fsm.State, now int64) policy.Decision {
						if faulty.Load() {
							return c.faulty(s, now)
						}
						return policy.Decide(s, now)
					}
				})
				if c.rule == "RS2" {
					faulty.Store(true)
				}
				c.first(r)
				synctest.Wait()
				faulty.Store(true)
				before, _ := r.mem.Head(context.Background())
				if got := <-r.request("victim"); got != "denied: rule" {
					t.Errorf("the program was told %q, want that the rule is in the way", got)
				}
				synctest.Wait()
				if got := kinds(t, r.mem, before.Seq+1); got != "attempt.requested\nattempt.denied(rule)" {
					t.Errorf("the log goes on with\n%s\nwant the request and its refusal", got)
				}
				last := lastOf[events.AttemptDenied](t, r.mem)
				if last.Rule != c.rule || last.Text == "" {
					t.Errorf("refused for %s: %s; want %s and how", last.Rule, last.Text, c.rule)
				}
				v, s := judged(t, r.mem)
				for _, f := range findings(v) {
					t.Errorf("the judge found %s: %s", f.Rule, f.Text)
				}
				if s.Refused.Rule != c.rule || s.Refused.Seq != before.Seq+2 || s.Totals.Dialled > 1 {
					t.Errorf("refused %+v, %d dials; want the last refusal, and no dial but the first", s.Refused, s.Totals.Dialled)
				}
				if got := r.g.View().State; got.Hash() != s.Hash() {
					t.Error("the state of the loop is not the fold of the log")
				}
				faulty.Store(false)
				if c.rule == "RS3" { // time ends what stood in the way
					time.Sleep(time.Minute)
					if got := <-r.request("later"); got != "permit" || r.g.View().State.Refused.Seq != 0 {
						t.Errorf("a policy without the mistake: %s, refused %+v", got, r.g.View().State.Refused)
					}
				}
				r.stop()
			})
		})
	}
}

// A refusal is written for who waits. What nobody asked for would be due again for ever.
func TestAPermitForNobodyIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce, func(cfg *recorder.Config) {
			cfg.Decide = func(s fsm.State, now int64) policy.Decision {
				d := policy.Decide(s, now)
				if d.Data == nil {
					d.Data, d.Attempt = events.AttemptPermitted{Policy: s.Policy.Hash, Enforced: true}, "ghost"
				}
				return d
			}
		})
		if got := <-r.request("a1"); got != "permit" {
			t.Errorf("who asks beside it is told %s", got)
		}
		synctest.Wait()
		if got := kinds(t, r.mem, 3); got != "attempt.requested\nattempt.permitted" {
			t.Errorf("the log:\n%s", got)
		}
		r.stop()
	})
}

// A runner that dials by itself hears the same, and no more often than of any other hold.
func TestTheInterlockRefusesALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce, func(cfg *recorder.Config) {
			cfg.Decide = func(s fsm.State, now int64) policy.Decision {
				d := policy.Decide(s, now)
				d.Cause = "nothing"
				return d
			}
		})
		synctest.Wait()
		before, _ := r.mem.Head(t.Context())
		for n := range 3 {
			if l := r.lease(fmt.Sprint("l", n)); l.Permit != "" || l.Reason != events.HoldRule || l.Wait != time.Minute-time.Duration(n)*time.Second {
				t.Errorf("the %d. time: %+v, want the rule, and what is left of a minute", n+1, l)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		if l := r.lease("l9"); l.Permit != "" || l.Reason != events.HoldRule {
			t.Errorf("a minute later: %+v, want the rule", l)
		}
		want := strings.TrimSpace(strings.Repeat("attempt.requested\nattempt.denied(rule)\n", 2))
		if got := kinds(t, r.mem, before.Seq+1); got != want {
			t.Errorf("the log:\n%s\nwant\n%s", got, want)
		}
		if v, _ := judged(t, r.mem); v.Outcome != rule.Holds {
			t.Errorf("verdict %s: %+v", v.Outcome, findings(v))
		}
		r.stop()
	})
}

// findings are those of the rules by the recorder itself.
func findings(v rule.Verdict) (all []rule.Finding) {
	for _, r := range v.Rules {
		for _, f := range r.Findings {
			if !f.Bypassed && !f.Observed {
				all = append(all, f)
			}
		}
	}
	return all
}

// lastOf is the last payload of one type in a log.
func lastOf[P events.Payload](t *testing.T, log recorder.Log) (last P) {
	t.Helper()
	for rec, err := range log.Read(context.Background(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if p, is := rec.Data.(P); is {
			last = p
		}
	}
	return last
}
