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
