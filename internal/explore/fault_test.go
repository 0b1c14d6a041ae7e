package explore

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

var update = flag.Bool("update", false, "renew the goldens under testdata")

// decides is the real decision about a state that a fault has falsified.
func decides(falsify func(*fsm.State)) Machine {
	m := Real()
	m.Decide = func(s fsm.State, now int64) policy.Decision {
		falsify(&s)
		return policy.Decide(s, now)
	}
	return m
}

// says is the real decision, which a fault replaces.
func says(replace func(fsm.State, policy.Decision) policy.Decision) Machine {
	m := Real()
	m.Decide = func(s fsm.State, now int64) policy.Decision { return replace(s, policy.Decide(s, now)) }
	return m
}

// folds is the real fold, after which a fault falsifies the state.
func folds(falsify func(*fsm.State, events.Event)) Machine {
	m, apply := Real(), fsm.NewFolder().Apply
	m.Apply = func(s fsm.State, e events.Event) fsm.State {
		s = apply(s, e)
		falsify(&s, e)
		return s
	}
	return m
}

func TestFaultsAreFound(t *testing.T) {
	for _, c := range []struct {
		name    string // one sentence
		file    string
		preset  string
		machine Machine
		casts   []string // nil is all
		want    string
	}{
		{
			name: "the limit of silent attempts is off by one", file: "limit-off-by-one", preset: "handoff", want: "RS2",
			machine: decides(func(s *fsm.State) { s.Policy.SilentLimit++ }),
		},
		{
			name: "so is that of three", file: "limit-of-three-off-by-one", preset: "lenient", want: "RS2",
			machine: decides(func(s *fsm.State) { s.Policy.SilentLimit++ }),
		},
		{
			name: "the decision forgets the stop of an earlier run", file: "stop-forgotten-by-the-policy", preset: "handoff", want: "RS1",
			machine: decides(func(s *fsm.State) {
				if s.Gate == fsm.Stopped && !s.Stop.Carried && !strings.HasPrefix(s.Stop.ID, s.Boot+"-") {
					s.Gate, s.Stop, s.Row = fsm.Open, fsm.Standing{}, fsm.Run{}
				}
			}),
		},
		{
			name: "the fold forgets the stop when the recorder starts", file: "stop-forgotten-by-the-fold", preset: "handoff", want: "RS1",
			machine: folds(func(s *fsm.State, e events.Event) {
				if _, started := e.Data.(events.RecorderStarted); started && s.Gate == fsm.Stopped {
					s.Gate, s.Stop = fsm.Open, fsm.Standing{}
				}
			}),
		},
		{
			name: "an operator's word releases although nothing listens", file: "release-without-evidence", preset: "handoff", want: "RS7",
			machine: says(func(_ fsm.State, d policy.Decision) policy.Decision {
				if r, ok := d.Data.(events.RestartRejected); ok && r.Why == events.RejectedNotListening {
					d.Data = events.RestartAcknowledged{Basis: events.BasisWord, By: r.By}
				}
				return d
			}),
		},
		{
			name: "a probation never uses up its attempts", file: "probation-without-end", preset: "handoff", want: "RS2",
			machine: decides(func(s *fsm.State) { s.Trial.Used = 0 }),
		},
		{
			name: "a probation does not space its attempts", file: "probation-not-spaced", preset: "handoff", want: "RS3",
			machine: decides(func(s *fsm.State) { s.Trial.Tried = false }),
		},
		{
			name: "two attempts at once", file: "two-at-once", preset: "handoff", want: "RS4",
			machine: decides(func(s *fsm.State) {
				if s.Gate == fsm.Attempting {
					s.Gate, s.Sessions = fsm.Open, nil
				}
			}),
		},
		{
			name: "a wait is not waited for", file: "no-wait", preset: "handoff", want: "RS3",
			machine: decides(func(s *fsm.State) { s.Delay = fsm.Wait{} }),
		},
		{
			name: "a refused dial stops the gate", file: "needless-stop", preset: "handoff", want: "RS9",
			machine: says(func(s fsm.State, d policy.Decision) policy.Decision {
				if s.API == fsm.Absent && s.Gate != fsm.Stopped && s.Pending.Failure != "" {
					return policy.Decision{Cause: s.Pending.Failure, Data: events.RestartRequired{Policy: s.Policy.Hash, Reason: events.DownSilent, Enforced: true}}
				}
				return d
			}),
		},
		{
			name: "whoever waits is told so again and again", file: "no-rest", preset: "handoff", want: "decisions come to rest",
			machine: decides(func(s *fsm.State) {
				s.Waiting = slices.Clone(s.Waiting)
				for i := range s.Waiting {
					s.Waiting[i].Held = false
				}
			}),
		},
		{
			name: "nothing is ever permitted", file: "never-permits", preset: "handoff", want: Reachable, casts: []string{"clients", "forwarded"},
			machine: says(func(_ fsm.State, d policy.Decision) policy.Decision {
				if _, permit := d.Data.(events.AttemptPermitted); permit {
					return policy.Decision{}
				}
				return d
			}),
		},
		{
			name: "nothing opens a stop", file: "stops-for-ever", preset: "handoff", want: Reachable, casts: []string{"clients", "forwarded"},
			machine: says(func(_ fsm.State, d policy.Decision) policy.Decision {
				if r, release := d.Data.(events.RestartAcknowledged); release {
					d.Data = events.RestartRejected{Why: events.RejectedUnchanged, By: r.By}
				}
				return d
			}),
		},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			params, err := policy.Preset(c.preset)
			if err != nil {
				t.Fatal(err)
			}
			r := Check(t.Context(), c.machine, loaded(t, c.preset, params), Options{Casts: cast(c.casts...)})
			if r.Outcome != Unsafe || r.Found.What != c.want {
				t.Fatalf("%s: %s, want %s broken", c.name, r.Sentence(), c.want)
			}
			var text bytes.Buffer
			if err := Write(&text, r); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", c.file+".txt"), "# "+c.name+"\n"+text.String())
			judged(t, r.Found)
		})
	}
}

// judged reads the log of a counterexample as replay verify does: the judge finds the
// same rule broken in the stored bytes, in its last event, and nothing before it.
func judged(t *testing.T, c *Counterexample) {
	t.Helper()
	verdict, err := rule.Check(func(yield func(events.Record, error) bool) {
		for _, rec := range c.Records {
			if !yield(events.ParseRecord(rec.Raw)) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := rule.Holds // what is no rule of the judge's breaks none
	if strings.HasPrefix(c.What, "RS") {
		want = rule.Violated
	}
	if verdict.Outcome != want {
		t.Errorf("the judge says %s of the log, want %s", verdict.Outcome, want)
	}
	for _, a := range verdict.Assumptions {
		for _, f := range a.Findings {
			t.Errorf("the log of the counterexample is not whole: %s", f.Text)
		}
	}
	for _, r := range verdict.Rules {
		for _, f := range r.Findings {
			if f.Seq != c.Seq && !f.Bypassed {
				t.Errorf("%s is broken at #%d already, and the counterexample is #%d: %s", f.Rule, f.Seq, c.Seq, f.Text)
			}
		}
	}
}

func loaded(t *testing.T, preset string, params events.Params) events.PolicyLoaded {
	t.Helper()
	p, err := policy.Load(preset, params, events.Enforce)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cast are the casts of these names, all if there are none.
func cast(names ...string) (out []Cast) {
	for _, c := range Casts() {
		if len(names) == 0 || slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); renew it with: go test ./internal/explore -run %s -update\n%s", path, t.Name(), diff)
	}
}
