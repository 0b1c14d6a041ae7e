package fsm

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm/fsmtest"
)

// params are those of the default policy, as far as the fold reads them.
var params = events.Params{SilentLimit: 1, DialTimeoutLimit: 3, MinReportedBudgetMS: 10_000, WindowFailures: 20}

// stream returns the events of a script that begins with a policy.
func stream(tb testing.TB, script string) []events.Event {
	tb.Helper()
	all, err := fsmtest.New(params).Write("policy enforce\n" + script)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// play folds a script from the beginning.
func play(tb testing.TB, script string) State {
	tb.Helper()
	f, s := NewFolder(), Initial()
	for _, e := range stream(tb, script) {
		s = f.Apply(s, e)
	}
	return s
}

// summary says what a person would want to know of s, and leaves out what is zero.
func summary(s State) string {
	out := []string{fmt.Sprintf("%s %s", s.Gate, s.API)}
	add := func(is bool, format string, args ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	for _, x := range s.Sessions {
		note := ""
		if x.Slot {
			note += " slot"
		}
		if x.Ended {
			note += " ended"
		}
		add(true, "%s %s%s", x.Attempt, x.Phase, note)
	}
	for _, r := range s.Waiting {
		add(!r.Held, "%s waits", r.Attempt)
		add(r.Held, "%s held", r.Attempt)
	}
	add(s.Row.Silent.N != 0, "silent %d", s.Row.Silent.N)
	add(s.Row.DialTimeouts.N != 0, "timeouts %d", s.Row.DialTimeouts.N)
	add(s.Row.Closed.N != 0, "closed %d", s.Row.Closed.N)
	add(s.Row.Failed != 0, "failed %d", s.Row.Failed)
	add(s.Delay.MS != 0, "delay from %s to %s", time.Duration(s.Delay.From), time.Duration(s.Delay.Until()))
	add(s.Trial.On, "trial used %d", s.Trial.Used)
	add(s.Trial.LastBad, "last bad")
	add(s.Stop.ID != "", "stop %s", s.Stop.ID)
	add(s.Stop.Restart != "", "restarted")
	add(s.Claim.ID != "", "claim %s", s.Claim.ID)
	p := s.Pending
	add(p.Down != "", "pending down %s", p.DownReason)
	add(p.Carried != "", "pending carried stop")
	add(p.Failure != "", "pending delay")
	add(p.Success != "", "pending success (own %t)", p.SuccessOwn)
	add(p.Disconnect.ID != "", "pending disconnect (force %t)", p.Disconnect.Force)
	add(s.Closed != "", "closed")
	add(s.ShutOut != "", "shut out: %s", s.ShutOut)
	add(s.Odd.Count != 0, "odd %d: %s", s.Odd.Count, s.Odd.Text)
	return strings.Join(out, " | ")
}
