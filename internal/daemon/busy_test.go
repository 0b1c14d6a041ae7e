package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"ibrecorder/fsm"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"
)

// Whoever is told that a recorder stops waits for the next one; with a full disk there is
// none to wait for.
func TestARecorderWhoseLogTakesNothingDoesNotSayThatItStops(t *testing.T) {
	err := problem(fmt.Errorf("%w: %w", recorder.ErrBusy, store.ErrFull))
	p, ok := errors.AsType[*httpapi.Problem](err)
	if !ok || errors.Is(err, httpapi.ErrStopping) || p.Status != http.StatusServiceUnavailable || p.Type != "urn:ibrecorder:problem:busy" {
		t.Errorf("%+v, want busy, 503", err)
	}
	if err := problem(recorder.ErrEnding); !errors.Is(err, httpapi.ErrStopping) {
		t.Errorf("%v, want that it stops", err)
	}
}

func TestAGateThatWaitsForItsWindowSaysForHowLong(t *testing.T) {
	s := fsm.State{Gateway: "main", Gate: fsm.Open}
	s.Policy.Params = policy.Handoff()
	for i := range 20 {
		s.Failures = append(s.Failures, int64(i)*int64(time.Second))
	}
	for _, c := range []struct {
		name string
		at   time.Duration
		want string
	}{
		{"the twentieth has just failed", time.Minute, "20 attempts have failed within 10m0s, the most that the policy allows; the next one may go in 9m0s."},
		{"the first is old enough", 10 * time.Minute, ""},
	} {
		if got := worn(s, int64(c.at)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A gate stays in BACKOFF until the next permit, and whoever reads of it after the wait is
// not told that there is one.
func TestAGateWhoseWaitIsOverDoesNotSayThatItWaits(t *testing.T) {
	for _, c := range []struct {
		name     string
		failed   int64
		at       time.Duration
		closed   string
		want     string
		mayBegin bool
	}{
		{"one failed and the wait goes on", 1, 9 * time.Second, "", "1 attempt has failed; the next waits.", false},
		{"three failed and the wait goes on", 3, 9 * time.Second, "", "3 attempts in a row have failed; the next waits.", false},
		{"one failed and the wait is over", 1, 10 * time.Second, "", "1 attempt has failed; the next one may be made.", true},
		{"three failed and the wait is over", 3, 10 * time.Second, "", "3 attempts in a row have failed; the next one may be made.", true},
		{"a runner was ready since", 0, 10 * time.Second, "", "No attempt has failed since one was ready; the next one may be made.", true},
		{"nothing listens, and the port is shut", 1, 9 * time.Second, "boot-main-9", "Nothing listens at the Gateway, so programs are refused; the next one is let through when something does, or after the wait.", false},
	} {
		s := fsm.State{Gateway: "main", Gate: fsm.Backoff, Delay: fsm.Wait{MS: 10_000}, Closed: c.closed}
		s.Policy.Params, s.Row.Failed = policy.Handoff(), c.failed
		if got := Describe(s, time.Time{}, int64(c.at)); got.Why != c.want || got.Rested != c.mayBegin {
			t.Errorf("%s: %q, rested %t, want %q, %t", c.name, got.Why, got.Rested, c.want, c.mayBegin)
		}
	}
}
