package figure

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryStateHasALook(t *testing.T) {
	classes := []string{OK, None, Try, Wait, Gone, Bad}
	for _, state := range []string{
		"OPEN", "ATTEMPTING", "BACKOFF", "STOPPED", "PROBATION",
		"UNKNOWN", "ABSENT", "STARTING", "LISTENING", "READY", "DEGRADED", "SUSPECT", "DOWN",
		"waiting", "attempt", "session", "degraded", "mute", "running", "off",
	} {
		rank, class := Look(state)
		if rank < 0 || !slices.Contains(classes, class) {
			t.Errorf("%s has rank %d and class %q", state, rank, class)
		}
		if (class == Bad) != (rank >= Worst) {
			t.Errorf("%s is of class %q and of rank %d; the worst begin at %d", state, class, rank, Worst)
		}
	}
	if rank, class := Look("made up"); rank != -1 || class != None {
		t.Errorf("a state that nobody knows looks like rank %d, class %q", rank, class)
	}
}

func TestNothingBadIsTooShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 20
		at := rapid.Float64Range(0, n-0.01).Draw(t, "at")
		spans := []Span{{"OPEN", 0, at}, {"STOPPED", at, at + 1e-6}, {"OPEN", at + 1e-6, n}}
		seen := 0
		for _, r := range Columns(n, spans) {
			if r.N < 1 || r.From < 0 || r.From+r.N > n {
				t.Fatalf("a run lies outside: %+v", r)
			}
			if spans[r.Of].State == "STOPPED" {
				seen++
			}
		}
		if seen != 1 {
			t.Fatalf("a stop at %g is seen %d times", at, seen)
		}
	})
}

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		says  string
		n     int
		spans []Span
		want  []Run
	}{
		{"nothing is in no run", 4, nil, nil},
		{"what lasts longest in a column is seen", 2, []Span{{"OPEN", 0, 0.4}, {"BACKOFF", 0.4, 2}}, []Run{{1, 0, 2}}},
		{"columns without a span are left out", 4, []Span{{"OPEN", 0, 1}, {"OPEN", 3, 4}}, []Run{{0, 0, 1}, {1, 3, 1}}},
		{"the same state side by side is one run", 3, []Span{{"OPEN", 0, 1.5}, {"OPEN", 1.5, 3}}, []Run{{0, 0, 3}}},
		{"what ends beyond the last column is cut", 2, []Span{{"OPEN", 1, 9}}, []Run{{0, 1, 1}}},
	} {
		if got := Columns(c.n, c.spans); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.says, got, c.want)
		}
	}
}
