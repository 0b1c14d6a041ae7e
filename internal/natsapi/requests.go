package natsapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"

	"github.com/nats-io/nats.go"
)

const (
	// maxBatch bounds the reports of one request.
	maxBatch = 64
	// pageBytes is when a page is full; one event more than fits may be on it.
	pageBytes = 256 << 10
)

// stored is the answer to reports.
type stored struct {
	Stored []place `json:"stored"`
}

// place is where an event is.
type place struct {
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
}

// intake stores the reports of a request in their order. Nothing is stored if one of
// them cannot be understood.
func (s *server) intake(ctx context.Context, g Gateway, runner string, body []byte) (nats.Header, []byte, error) {
	drafts, err := draftsOf(g.Name(), runner, body)
	if err != nil {
		return nil, nil, err
	}
	if err := s.spend(runner, len(drafts)); err != nil {
		return nil, nil, err
	}
	var out stored
	for _, d := range drafts {
		rec, err := g.Submit(ctx, d)
		if err != nil {
			p := *httpapi.ProblemOf(err)
			p.Detail = fmt.Sprintf("report %s, after %d that are stored: %s", d.ID, len(out.Stored), p.Detail)
			return nil, nil, &p
		}
		out.Stored = append(out.Stored, place{rec.Seq, rec.ID})
	}
	return answered(out)
}

func draftsOf(gateway, runner string, body []byte) ([]events.Draft, error) {
	reports := []json.RawMessage{body}
	if first := bytes.TrimLeft(body, " \t\r\n"); len(first) > 0 && first[0] == '[' {
		if err := json.Unmarshal(body, &reports); err != nil {
			return nil, httpapi.Malformed(err.Error(), "want a report, or an array of them")
		}
	}
	if n := len(reports); n == 0 || n > maxBatch {
		return nil, httpapi.Malformed(fmt.Sprintf("%d reports in one request", n), fmt.Sprintf("want 1 to %d", maxBatch))
	}
	drafts := make([]events.Draft, 0, len(reports))
	for i, raw := range reports {
		name, d, err := events.DecodeDraft(raw)
		switch {
		case err != nil:
			return nil, httpapi.Malformed(fmt.Sprintf("report %d: %v", i+1, err), "want a CloudEvent 1.0 in JSON, as docs/events.md has it")
		case name != gateway:
			return nil, httpapi.Malformed(fmt.Sprintf("report %d: subject is %q, and it was sent to %q", i+1, name, gateway), "send it to "+intakeRoot+name+"."+runner)
		case d.Source != sourceOf(runner):
			return nil, httpapi.Malformed(fmt.Sprintf("report %d: source is %q, and its sender is %s", i+1, d.Source, sourceOf(runner)), "a runner speaks for itself alone")
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

// request is the body of one for a permit.
type request struct {
	Attempt   string `json:"attempt"`
	ClientID  *int64 `json:"client_id"`
	TimeoutMS int64  `json:"timeout_ms"`
}

// headHeader tells with a page where the log ends, in decimal.
const headHeader = "Ibrecorder-Head"

// answered is v as an answer.
func answered(v any) (nats.Header, []byte, error) {
	body, err := json.Marshal(v)
	return nats.Header{}, body, err
}

func (s *server) permit(ctx context.Context, g Gateway, runner string, body []byte) (nats.Header, []byte, error) {
	var q request
	if err := strict(body, &q); err != nil {
		return nil, nil, httpapi.Malformed(err.Error(), `want {"attempt":"NAME"}, and client_id and timeout_ms if they are known`)
	}
	if q.Attempt == "" {
		return nil, nil, httpapi.Malformed("it names no attempt", "name each attempt anew, and the same one to ask again")
	}
	if err := s.spend(runner, 1); err != nil {
		return nil, nil, err
	}
	a, err := g.Permit(ctx, sourceOf(runner), q.Attempt, events.AttemptRequested{ClientID: q.ClientID, TimeoutMS: q.TimeoutMS})
	if err != nil {
		return nil, nil, err
	}
	return answered(a)
}

// HangUp is the answer to a request to disconnect. The recorder closes nothing for it.
type HangUp struct {
	// Blocked is how far the handshake has come that forbids it; empty if none does.
	// Otherwise the runner may close its own session.
	Blocked events.Stage `json:"blocked,omitempty"`
	Seq     uint64       `json:"seq"` // of the disconnect.completed or disconnect.blocked
}

func (s *server) hangUp(ctx context.Context, g Gateway, runner string, body []byte) (nats.Header, []byte, error) {
	var q struct {
		ClientID *int64 `json:"client_id"`
		Reason   string `json:"reason"`
		Force    bool   `json:"force"`
		ForceEnv string `json:"force_env"`
	}
	const want = `want {"client_id":N,"reason":TEXT}, and force or force_env if the guard is to be overridden`
	if err := strict(body, &q); err != nil {
		return nil, nil, httpapi.Malformed(err.Error(), want)
	}
	if q.ClientID == nil || q.Reason == "" { // everybody's sessions are an operator's to end
		return nil, nil, httpapi.Malformed("client_id or reason is missing", want)
	}
	if err := s.spend(runner, 1); err != nil {
		return nil, nil, err
	}
	rec, err := g.HangUp(ctx, sourceOf(runner), events.DisconnectRequested{By: runner, ClientID: q.ClientID, Reason: q.Reason, Force: q.Force, ForceEnv: q.ForceEnv, Asked: true})
	if err != nil {
		return nil, nil, err
	}
	switch d := rec.Data.(type) {
	case events.DisconnectCompleted:
		return answered(HangUp{Seq: rec.Seq})
	case events.DisconnectBlocked:
		return answered(HangUp{Blocked: d.Stage, Seq: rec.Seq})
	}
	return nil, nil, fmt.Errorf("disconnect: the recorder answers with %s", rec.Kind())
}

func (s *server) read(ctx context.Context, g Gateway, _ string, body []byte) (nats.Header, []byte, error) {
	var q struct {
		From uint64 `json:"from"`
	}
	if err := strict(body, &q); err != nil {
		return nil, nil, httpapi.Malformed(err.Error(), `want {"from":SEQUENCE}`)
	}
	var page []byte
	for rec, err := range g.Read(ctx, q.From, q.From+pageEvents) {
		if err != nil {
			return nil, nil, err
		}
		page = append(append(page, rec.Raw...), '\n')
		if len(page) >= pageBytes {
			break
		}
	}
	head, err := g.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	return nats.Header{headHeader: {strconv.FormatUint(head, 10)}}, page, nil
}

// pageEvents bounds the events of a page: more would not fit.
const pageEvents = pageBytes / 256

// strict reads one JSON object without unknown fields.
func strict(body []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
