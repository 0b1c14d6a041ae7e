package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
)

func TestPresets(t *testing.T) {
	seen := map[string]string{}
	for _, p := range presets {
		params, err := Preset(p.name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Validate(params); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		h := Hash(params)
		if other := seen[h]; other != "" {
			t.Errorf("%s and %s are the same", p.name, other)
		}
		seen[h] = p.name
		loaded, err := Load(p.name, params, events.Enforce)
		if err != nil || loaded.Hash != h || loaded.Params != params || loaded.Preset != p.name {
			t.Errorf("Load(%s) = %+v, %v", p.name, loaded, err)
		}
	}
	if _, err := Preset("strict"); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "handoff, lenient, demo") {
		t.Errorf("an unknown preset: %v, want one that names those that exist", err)
	}
	if p := Handoff(); p.SilentLimit != 1 || p.ProbationAttempts != 2 || p.VersionBudgetMS != 30_000 || p.ReadyBudgetMS != 30_000 || p.SettleMS != 30_000 {
		t.Errorf("handoff is not the rule as it was first written: %+v", p)
	}
	if p := Lenient(); p.SilentLimit != 3 || p.VersionBudgetMS != 15_000 || p.ReadyBudgetMS != 15_000 {
		t.Errorf("lenient is not three silent attempts of 15 s: %+v", p)
	}
}

// fields calls f with a pointer to each field of p in turn.
func fields(p *events.Params, f func(name string, v *int64)) {
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		f(name, v.Field(i).Addr().Interface().(*int64))
	}
}

func TestValidateListsEveryProblemAtOnce(t *testing.T) {
	for _, far := range []int64{-1, 1 << 52} {
		var p events.Params
		fields(&p, func(_ string, v *int64) { *v = far })
		err := Validate(p)
		if !errors.Is(err, ErrInvalid) {
			t.Fatalf("everything is %d: %v", far, err)
		}
		fields(&p, func(name string, _ *int64) {
			if !strings.Contains(err.Error(), name+" is ") {
				t.Errorf("everything is %d, and nothing is said of %s", far, name)
			}
		})
	}
	p := Handoff()
	p.BackoffCapMS = p.BackoffBaseMS - 1
	if err := Validate(p); err == nil || !strings.Contains(err.Error(), "backoff_cap_ms is 999, want 1000 to 3600000") {
		t.Errorf("a cap below the base: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	bad := Handoff()
	bad.SilentLimit = 0
	_, err := Load("", bad, "watch")
	for _, want := range []string{"silent_limit is 0", `mode "watch", want enforce or observe`, `preset "" has no name`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load says %v, want it to say %q", err, want)
		}
	}
}

func TestHashChangesWithEveryField(t *testing.T) {
	base := Hash(Handoff())
	p := Handoff()
	fields(&p, func(name string, v *int64) {
		*v++
		if Hash(p) == base {
			t.Errorf("%s is not in the hash", name)
		}
		*v--
	})
	if Hash(p) != base {
		t.Error("the same values have another hash")
	}
	if len(base) != 64 {
		t.Errorf("the hash is %q, want 64 hexadecimal digits", base)
	}
}

func TestDelayIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Handoff()
		p.BackoffBaseMS = rapid.Int64Range(0, hour).Draw(t, "base")
		p.BackoffCapMS = rapid.Int64Range(p.BackoffBaseMS, hour).Draw(t, "cap")
		var before int64
		for n := range int64(40) {
			wait := Backoff(p, n)
			if wait < before || wait > p.BackoffCapMS || wait < p.BackoffBaseMS {
				t.Fatalf("after %d failures %d ms, before it %d ms, base %d, cap %d", n, wait, before, p.BackoffBaseMS, p.BackoffCapMS)
			}
			before = wait
		}
		if p.BackoffBaseMS > 0 && before != p.BackoffCapMS {
			t.Fatalf("40 failures wait %d ms and not the cap of %d ms", before, p.BackoffCapMS)
		}
	})
}
