package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"ibrecorder/events"
)

type rawJSON = json.RawMessage

// Problem is an error answer (RFC 9457, application/problem+json).
type Problem struct {
	// Type is urn:ibrecorder:problem: and a word that never changes.
	Type string `json:"type"`
	// Title is the class in words.
	Title string `json:"title"`
	// Status is the HTTP status.
	Status int `json:"status"`
	// Detail is what is wrong with this call.
	Detail string `json:"detail"`
	// Hint is what to do or to type; absent if there is nothing.
	Hint string `json:"hint,omitempty"`
	// Event is the decision as it is stored, for what the policy refused.
	Event rawJSON `json:"event,omitempty"`
}

const problemType = "urn:ibrecorder:problem:"

// The classes. Each has one word, one title, one status.
var (
	malformed      = Problem{Type: problemType + "malformed", Title: "the request cannot be understood", Status: http.StatusBadRequest}
	unknownGateway = Problem{Type: problemType + "unknown-gateway", Title: "no such gateway", Status: http.StatusNotFound}
	unknownRoute   = Problem{Type: problemType + "unknown-route", Title: "no such route", Status: http.StatusNotFound}
	wrongMethod    = Problem{Type: problemType + "wrong-method", Title: "the route has no such method", Status: http.StatusMethodNotAllowed}
	noPermit       = Problem{Type: problemType + "no-permit", Title: "no such permit", Status: http.StatusNotFound}
	locked         = Problem{Type: problemType + "locked", Title: "nobody may dial now", Status: http.StatusLocked}
	tooMany        = Problem{Type: problemType + "too-many", Title: "too much at once", Status: http.StatusTooManyRequests}
	refused        = Problem{Type: problemType + "refused", Title: "the policy decided against it", Status: http.StatusConflict}
	noAlert        = Problem{Type: problemType + "no-alert", Title: "no alert is in force", Status: http.StatusConflict}
	noToken        = Problem{Type: problemType + "no-token", Title: "a token is needed", Status: http.StatusUnauthorized}
	wrongScope     = Problem{Type: problemType + "wrong-scope", Title: "the token is not for this", Status: http.StatusForbidden}
	foreign        = Problem{Type: problemType + "foreign", Title: "the request is not from here", Status: http.StatusForbidden}
	wrongMedia     = Problem{Type: problemType + "wrong-media", Title: "the body is of another kind", Status: http.StatusUnsupportedMediaType}
	tooLarge       = Problem{Type: problemType + "too-large", Title: "the body is too large", Status: http.StatusRequestEntityTooLarge}
	internal       = Problem{Type: problemType + "internal", Title: "the recorder could not do it", Status: http.StatusInternalServerError}
	crowded        = Problem{Type: problemType + "crowded", Title: "too many do that already", Status: http.StatusServiceUnavailable}
	stopping       = Problem{Type: problemType + "stopping", Title: "the recorder is stopping", Status: http.StatusServiceUnavailable}
)

// with is a problem of the class p.
func (p Problem) with(detail, hint string) *Problem {
	p.Detail, p.Hint = detail, hint
	return &p
}

// Malformed is the answer to what cannot be understood, for those who answer elsewhere
// than over HTTP.
func Malformed(detail, hint string) *Problem { return malformed.with(detail, hint) }

// NoAlert is the answer to an acknowledgement of nothing.
func NoAlert(gateway string) *Problem {
	return noAlert.with(fmt.Sprintf("ack %s: no alert is in force, there is nothing to acknowledge", gateway), "to see what it does: recorder status")
}

// ProblemOf is err as an answer.
func ProblemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return tooLarge.with(fmt.Sprintf("more than %d bytes", large.Limit), "")
	case errors.Is(err, ErrNoPermit):
		return noPermit.with(err.Error(), "its end was reported, its lease is over, or it is another runner's")
	case errors.Is(err, ErrStopping), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return stopping.with(err.Error(), "ask again once it runs")
	}
	return internal.with(err.Error(), "the recorder's own log says more")
}

func (p *Problem) Error() string {
	s := p.Detail
	if s == "" {
		s = p.Title
	}
	if p.Hint != "" {
		s += "; " + p.Hint
	}
	return s
}

// Is makes a problem match the sentinel of its class.
func (p *Problem) Is(target error) bool {
	switch target {
	case ErrStopping:
		return p.Type == stopping.Type
	case ErrUnknownGateway:
		return p.Type == unknownGateway.Type
	case ErrRefused:
		return p.Type == refused.Type
	}
	return false
}

// Record is the decision that the problem carries, if it does.
func (p *Problem) Record() (events.Record, bool) {
	rec, err := events.ParseRecord(p.Event)
	return rec, err == nil
}

// choices lists words for a hint.
func choices(words []string) string {
	if len(words) == 0 {
		return "there are none"
	}
	return "there are " + strings.Join(words, ", ")
}
