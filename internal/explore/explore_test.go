package explore

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

// What the recorder has by name is safe, and everything was looked at. How many states
// there are is in the goldens: where it changes, the rule, the fold or the judge has.
func TestThePresetsAreSafe(t *testing.T) {
	for _, name := range []string{"handoff", "lenient"} {
		if (slow || testing.Short()) && name != "handoff" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			params, err := policy.Preset(name)
			if err != nil {
				t.Fatal(err)
			}
			r := Check(t.Context(), Real(), loaded(t, name, params), Options{})
			if r.Outcome != Safe {
				t.Errorf("%s", r.Sentence())
			}
			var text bytes.Buffer
			if err := Write(&text, r); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+".txt"), text.String())
		})
	}
}

var grid = flag.Bool("grid", false, "explore a larger grid of policies, for minutes")

// A file may set each value to anything that Validate allows. The values here are those
// on either side of what the policy tells apart: none, one, more; shorter and longer than
// the waits beside them.
func TestAGridOfPolicies(t *testing.T) {
	casts := []string{"clients", "window"}
	limits, spans, windows := []int64{1, 2}, []int64{0, 90_000}, []int64{1}
	if *grid {
		casts = nil
		limits, spans, windows = []int64{1, 2, 3}, []int64{0, 5_000, 90_000}, []int64{1, 3, 20}
	}
	explored := 0
	for _, limit := range limits {
		for _, span := range spans {
			for _, window := range windows {
				p := policy.Handoff()
				p.SilentLimit, p.DialTimeoutLimit, p.ClosedLimit, p.ProbationAttempts = limit, 3-min(limit, 2), limit-1, limit
				p.SettleMS, p.ProbationSpacingMS, p.BackoffBaseMS, p.BackoffCapMS = span, 90_000-span, span, max(span, 60_000)
				p.WindowFailures, p.MinReportedBudgetMS = window, span/10
				name := fmt.Sprintf("limits of %d, spans of %d ms, a window of %d", limit, span, window)
				if err := policy.Validate(p); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				r := Check(t.Context(), Real(), loaded(t, "handoff", p), Options{Casts: cast(casts...)})
				if r.Found != nil {
					var text bytes.Buffer
					t.Errorf("%s: %v\n%s", name, Write(&text, r), text.String())
				}
				for _, c := range r.Casts {
					if !c.Whole {
						t.Errorf("%s: %s was not explored to the end, %d states", name, c.Name, c.States)
					}
					explored += c.States
				}
			}
		}
	}
	t.Logf("%d states", explored)
}

func TestTheResultDependsOnNothingElse(t *testing.T) {
	p := loaded(t, "handoff", policy.Handoff())
	faulty := decides(func(s *fsm.State) { s.Delay = fsm.Wait{} })
	for _, machine := range []Machine{Real(), faulty} {
		var results []Result
		for _, processors := range []int{1, 2, 4} {
			was := runtime.GOMAXPROCS(processors)
			results = append(results, Check(t.Context(), machine, p, Options{Casts: cast("clients", "window")}))
			runtime.GOMAXPROCS(was)
		}
		for _, r := range results[1:] {
			if diff := cmp.Diff(results[0], r); diff != "" {
				t.Errorf("on more processors: %s", diff)
			}
		}
	}
}

func TestAnExplorationThatIsGivenUpSaysSo(t *testing.T) {
	r := Check(t.Context(), Real(), loaded(t, "handoff", policy.Handoff()), Options{Most: 100, Casts: cast("window")})
	if r.Outcome != Bounded || !strings.Contains(r.Sentence(), "window has more than 100 states") {
		t.Errorf("%s: %s", r.Outcome, r.Sentence())
	}
	whole := Check(t.Context(), Real(), loaded(t, "handoff", policy.Handoff()), Options{Casts: cast("window")})
	if whole.Outcome != Bounded || !strings.Contains(whole.Sentence(), "rows of the tables were left out without a reason") {
		t.Errorf("one cast alone: %s: %s", whole.Outcome, whole.Sentence())
	}
}

func TestThePlanNamesEveryField(t *testing.T) {
	tellers() // which is a panic if a field of the fold or of the judge has no line
	type State struct{ Gateway, Unheard string }
	func() {
		defer func() {
			if got := fmt.Sprint(recover()); !strings.Contains(got, "State.Unheard tells two states apart") {
				t.Errorf("a field that the plan does not name: %s", got)
			}
		}()
		compile(reflect.TypeFor[State]())
	}()
	there := map[string]bool{}
	fieldsOf(reflect.TypeFor[fsm.State](), there)
	fieldsOf(reflect.TypeFor[rule.Judge](), there)
	for _, name := range slices.Sorted(maps.Keys(plan)) {
		if !there[name] {
			t.Errorf("the plan has a line for %s, and there is no such field", name)
		}
	}
}

// fieldsOf adds the fields of a type and of all that is in it.
func fieldsOf(t reflect.Type, there map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		fieldsOf(t.Elem(), there)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if name := t.Name() + "." + f.Name; !there[name] {
				there[name] = true
				fieldsOf(f.Type, there)
			}
		}
	}
}

// In observe mode the rows are exercised that only it has.
func TestObserveModeExercisesItsRows(t *testing.T) {
	p, err := policy.Load("handoff", policy.Handoff(), events.Observe)
	if err != nil {
		t.Fatal(err)
	}
	r := Check(t.Context(), Real(), p, Options{Casts: cast("reports")})
	if r.Found != nil || !r.Casts[0].Whole {
		t.Fatal(r.Sentence())
	}
	for _, table := range r.Tables {
		for _, u := range table.Unreached {
			if u.On == string(fsm.EndStop) || u.On == string(fsm.Contradicted) && u.In == string(fsm.Down) {
				t.Errorf("not exercised: %s %s on %s", table.Name, u.In, u.On)
			}
		}
	}
}

// What a row is excused for must be a row, and one that is not exercised.
func TestExcusesAreOfRows(t *testing.T) {
	rows := map[string]bool{}
	for _, table := range newCover().tables(events.PolicyLoaded{Mode: events.Observe}) {
		for _, u := range table.Unreached {
			rows[strings.Join([]string{table.Name, u.In, u.On}, " ")] = true
		}
	}
	for row := range excused {
		if !rows[row] {
			t.Errorf("%s is no row of the tables", row)
		}
	}
}

// Whoever waits for a policy with many states can give up.
func TestAnExplorationEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := Check(ctx, Real(), loaded(t, "lenient", policy.Lenient()), Options{}); r.Outcome != Bounded {
		t.Errorf("it was explored for nobody, and is %s", r.Outcome)
	}
}
