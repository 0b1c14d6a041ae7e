package httpapi

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
)

// Answer says whether a runner may dial: one of the three is set.
type Answer struct {
	Granted         *Granted         `json:"granted,omitempty"`
	Held            *Held            `json:"held,omitempty"`
	RestartRequired *RestartRequired `json:"restart_required,omitempty"`
}

// Granted is a permit for one dial, by LeaseMS milliseconds after the answer at the
// latest; by then its end must be reported too.
type Granted struct {
	Permit  string `json:"permit"` // ID of the attempt.permitted
	LeaseMS int64  `json:"lease_ms"`
	Epoch   uint64 `json:"epoch"`
}

// Held says why there is none. RetryAfterMS is set if time alone ends that.
type Held struct {
	Reason       events.HoldReason `json:"reason"`
	RetryAfterMS int64             `json:"retry_after_ms,omitempty"`
}

// RestartRequired says that the gate is stopped.
type RestartRequired struct {
	Since  time.Time         `json:"since"`
	Seq    uint64            `json:"seq"` // of the restart.required
	Reason events.DownReason `json:"reason,omitempty"`
	Next   string            `json:"next"` // what an operator does and types
}

// heldProblem is the body of a 423: a Problem, and what a program needs of it.
type heldProblem struct {
	Problem
	// Reason is why nobody may dial now; stopped is that a restart is required.
	Reason events.HoldReason `json:"reason"`
	// RetryAfterMS is after how long time alone ends it, in milliseconds; absent if it is
	// not time that does.
	RetryAfterMS int64 `json:"retry_after_ms,omitempty"`
	// Evidence is what proved that the Gateway is down; like what follows it is there only
	// if a restart is required.
	Evidence events.DownReason `json:"evidence,omitempty"`
	// Since is when the gate stopped, Seq the sequence of the restart.required.
	Since time.Time `json:"since,omitzero"`
	Seq   uint64    `json:"seq,omitempty"`
	// Next is what an operator does and types.
	Next string `json:"next,omitempty"`
}

// askAgain is when to ask again if nobody knows what ends the wait.
const askAgain = time.Second

// held answers 423 Locked.
func (h *handler) held(w http.ResponseWriter, gateway string, a Answer) {
	p := heldProblem{Problem: *locked.with("", "")}
	retry := askAgain
	if r := a.RestartRequired; r != nil {
		p.Reason, p.Evidence, p.Since, p.Seq, p.Next = events.HoldStopped, r.Reason, r.Since, r.Seq, r.Next
		p.Detail = fmt.Sprintf("%s needs a manual restart since %s, and nobody dials", gateway, r.Since.Format(time.RFC3339))
		p.Hint = r.Next
		retry = 15 * time.Second // a person is needed
	} else {
		p.Reason, p.RetryAfterMS = a.Held.Reason, a.Held.RetryAfterMS
		p.Detail = fmt.Sprintf("%s: nobody may dial now (%s)", gateway, a.Held.Reason)
		if p.RetryAfterMS > 0 {
			retry = time.Duration(p.RetryAfterMS) * time.Millisecond
		}
		p.Hint = "ask again in " + retry.String()
	}
	w.Header().Set("Retry-After", seconds(retry))
	w.Header().Set("Content-Type", "application/problem+json")
	h.answer(w, p.Status, p)
}

// seconds is d as Retry-After has it: never too early.
func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// mayDial answers whether somebody may dial now: 204, or 423 and why not. It reserves
// nothing.
func (h *handler) mayDial(w http.ResponseWriter, r *http.Request, g Gateway) error {
	a, err := g.Standing(r.Context())
	switch {
	case err != nil:
		return err
	case a.Granted == nil:
		h.held(w, g.Name(), a)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
	return nil
}

// wish is the body of a POST to permit.
type wish struct {
	// Attempt names it: new for each attempt, and the same to ask for it again.
	Attempt string `json:"attempt"`
	// ClientID is the API client id, if it is known.
	ClientID *int64 `json:"client_id"`
	// TimeoutMS is how long the runner will wait for the API.
	TimeoutMS int64 `json:"timeout_ms"`
	// Source is who asks: /runner/NAME of the token, or any on the socket.
	Source string `json:"source"`
}

// granted is the answer to a wish that was granted.
type granted struct {
	Attempt string `json:"attempt"`
	Granted
}

// permit reserves the right to dial: 200 and the permit, or 423 and why not.
func (h *handler) permit(w http.ResponseWriter, r *http.Request, g Gateway) error {
	var q wish
	if err := readStrict(w, r, &q); err != nil {
		return err
	}
	if q.Attempt == "" {
		return malformed.with("it names no attempt", "name each attempt anew, and the same one to ask again")
	}
	source, err := speaksAs(r, q.Source)
	if err != nil {
		return err
	}
	if err := h.spend(w, source, 1); err != nil {
		return err
	}
	a, err := g.Permit(r.Context(), source, q.Attempt, events.AttemptRequested{ClientID: q.ClientID, TimeoutMS: q.TimeoutMS})
	switch {
	case err != nil:
		return err
	case a.Granted == nil:
		h.held(w, g.Name(), a)
	default:
		h.answer(w, http.StatusOK, granted{Attempt: q.Attempt, Granted: *a.Granted})
	}
	return nil
}

// giveBack ends an attempt that was permitted and is not made.
func (h *handler) giveBack(w http.ResponseWriter, r *http.Request, g Gateway) error {
	source, err := speaksAs(r, "")
	if err == nil {
		err = h.spend(w, source, 1)
	}
	if err != nil {
		return err
	}
	rec, err := g.GiveBack(r.Context(), source, r.PathValue("attempt"))
	if err != nil {
		return err
	}
	h.answer(w, http.StatusOK, storedOf(rec))
	return nil
}

// onSocket is who speaks on the socket and does not say who it is.
const onSocket = "/runner/cli"

// speaksAs is the source of what a caller says, who claims to be claimed. The name of a
// token is who it is; another one is refused and not replaced, because somebody
// believes it.
func speaksAs(r *http.Request, claimed string) (string, error) {
	c := access.Of(r.Context())
	own := "/runner/" + c.Name
	switch {
	case c.Owner && claimed == "":
		return onSocket, nil
	case c.Owner:
		return claimed, outsider(claimed)
	case claimed != "" && claimed != own:
		return "", malformed.with(fmt.Sprintf("source is %q, and the token is that of %s", claimed, own), "a runner speaks for itself alone")
	}
	return own, nil
}
