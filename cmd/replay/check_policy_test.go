package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/fsm"
	"ibrecorder/internal/explore"
	"ibrecorder/internal/policy"
)

// A policy file that Validate lets through is safe, so what is wrong here is the
// decision itself: it forgets the stop of an earlier run. What check-policy writes then
// is a log, and verify says of it what check-policy did.
func TestACounterexampleIsALog(t *testing.T) {
	machine := explore.Real()
	machine.Decide = func(s fsm.State, now int64) policy.Decision {
		if s.Gate == fsm.Stopped && !strings.HasPrefix(s.Stop.ID, s.Boot+"-") {
			s.Gate, s.Stop, s.Row = fsm.Open, fsm.Standing{}, fsm.Run{}
		}
		return policy.Decide(s, now)
	}
	file := filepath.Join(t.TempDir(), "found.ndjson")
	var out, errs bytes.Buffer
	term := &terminal{out: &out, err: &errs, output: "table"}
	err := term.checkPolicy(t.Context(), machine, nil, checkOptions{preset: "handoff", write: file, most: explore.DefaultMost})
	if said := (answer{}); !errors.As(err, &said) || said.code != exitNo {
		t.Fatalf("%v, want exit %d\n%s", err, exitNo, out.String())
	}
	if want := "UNSAFE: RS1 does not hold after "; !strings.HasPrefix(out.String(), want) {
		t.Errorf("%q, want %q first", out.String(), want)
	}
	if want := "next: replay verify " + file; !strings.Contains(errs.String(), want) {
		t.Errorf("%q, want %q", errs.String(), want)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"verify", file, "--tz", "UTC"}, exitNo, "VIOLATED: RS1 at #"},
		{[]string{"timeline", file, "--tz", "UTC"}, exitFine, "restart.required"},
	} {
		out.Reset()
		if code := run(c.args, strings.NewReader(""), &out, &errs); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("replay %s exits with %d, want %d and %q\n%s%s", c.args[0], code, c.code, c.want, out.String(), errs.String())
		}
	}
	err = term.checkPolicy(t.Context(), machine, nil, checkOptions{preset: "handoff", write: file, most: explore.DefaultMost})
	if err == nil || !strings.Contains(err.Error(), "add --force") {
		t.Errorf("the file is there already: %v", err)
	}
}
