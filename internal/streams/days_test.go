package streams

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/rule"
)

// spend writes days out and reads them with the fold, a judge and an audit of our own.
func spend(days Days) (recs []events.Record, state fsm.State, verdict rule.Verdict, decisions audit.Result, err error) {
	folder, judge, audited := fsm.NewFolder(), rule.New(), audit.New()
	state = fsm.Initial()
	err = days.Write(func(rec events.Record) error {
		recs = append(recs, rec)
		state = folder.Apply(state, rec.Event)
		judge.Step(rec)
		audited.Step(rec.Event)
		return nil
	})
	return recs, state, judge.Verdict(), audited.Result(), err
}

func TestOrdinaryDaysHold(t *testing.T) {
	seen := map[events.Kind]bool{}
	rapid.Check(t, func(t *rapid.T) {
		days := Days{Events: rapid.SampledFrom([]int{1, 40, 900, 4500}).Draw(t, "events"), Seed: rapid.Uint64().Draw(t, "seed")}
		recs, state, verdict, decisions, err := spend(days)
		if err != nil {
			t.Fatal(err)
		}
		if len(recs) != days.Events || verdict.Outcome != rule.Holds {
			t.Errorf("%d events, want %d; %s, want HOLDS", len(recs), days.Events, verdict.Outcome)
		}
		for _, f := range decisions.Findings {
			t.Errorf("a decision is not the policy's: %s", f.Text)
		}
		if state.Odd.Count != 0 {
			t.Errorf("the fold finds %q impossible at #%d", state.Odd.Text, state.Odd.Seq)
		}
		for _, rec := range recs {
			seen[rec.Kind()] = true
		}
	})
	for _, kind := range []events.Kind{"recorder.stopped", "attempt.unknown", "attempt.abandoned", "client.held", "tap.closed", "restart.required", "restart.rejected", "restart.acknowledged", "session.restored"} {
		if !seen[kind] {
			t.Errorf("no day has a %s", kind)
		}
	}
}

func TestTheSameSeedGivesTheSameDays(t *testing.T) {
	head := func(seed uint64) events.Hash {
		_, _, verdict, _, err := spend(Days{Events: 3000, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return verdict.Head
	}
	if one, two := head(1), head(1); one != two {
		t.Errorf("seed 1 gives the heads %s and %s", one, two)
	}
	if one, other := head(1), head(2); one == other {
		t.Errorf("seeds 1 and 2 give one head, %s", one)
	}
}

func TestARuleIsBrokenOnce(t *testing.T) {
	for _, id := range Breakable() {
		t.Run(id, func(t *testing.T) {
			const n = 3000
			recs, _, verdict, _, err := spend(Days{Events: n, Seed: 3, Break: id})
			if err != nil {
				t.Fatal(err)
			}
			var broken []string
			var at int
			for _, r := range verdict.Rules {
				if r.Total > 0 {
					broken = append(broken, r.ID)
					at = r.Findings[0].Index
				}
				if r.Total > 1 {
					t.Errorf("%s is broken %d times", r.ID, r.Total)
				}
			}
			want := []string{id}
			if forgets(id) {
				want = []string{"RS1", "RS7"}
			}
			if verdict.Outcome != rule.Violated || !slices.Equal(broken, want) {
				t.Errorf("%s, and broken are %v, want VIOLATED and %v", verdict.Outcome, broken, want)
			}
			for _, a := range verdict.Assumptions {
				if a.Total > 0 {
					t.Errorf("%s fails: %s", a.ID, a.Findings[0].Text)
				}
			}
			if at < n/2 || at >= n-1 {
				t.Fatalf("it is broken at #%d of %d, want the second half", at+1, n)
			}
			if d, ok := recs[at+1].Data.(events.RuleViolated); !ok || d.Rule != want[0] {
				t.Errorf("behind the breach stands %s, want the rule.violated of %s", recs[at+1].Raw, want[0])
			}
		})
	}
}

func TestDaysAreRefused(t *testing.T) {
	for _, days := range []Days{{Events: 0}, {Events: 100, Break: "RS99"}, {Events: 10, Break: "RS1"}} {
		if _, _, _, _, err := spend(days); !errors.Is(err, ErrDays) {
			t.Errorf("%+v: error %v, want ErrDays", days, err)
		}
	}
}
