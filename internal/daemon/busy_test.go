package daemon

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"ibrecorder/internal/httpapi"
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
