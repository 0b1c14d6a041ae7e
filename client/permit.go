package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"ibrecorder/events"
)

// Attempt is a connect that a runner wants to make.
type Attempt struct {
	// ID names it. It must be new for each attempt, and the same to ask for it again;
	// empty, and one is drawn.
	ID string
	// ClientID is the API client id, nil if it is not known yet.
	ClientID *int64
	// Timeout is how long the runner will wait for the API, 0 if it does not say. A lease
	// lasts for lease_ms of the recorder's policy, a minute by default: the timeout must be
	// shorter.
	Timeout time.Duration
}

// Lease is a permit for one dial. Before Until the runner must have dialled, and told
// with End how that went; afterwards the recorder lets others dial.
type Lease struct {
	Attempt string    // its ID
	Permit  string    // ID of the attempt.permitted in the log
	Until   time.Time // on this computer's clock, and rather too early than too late
	Epoch   uint64    // counts the releases

	c *Client
}

// RestartRequiredError says that the Gateway needs a manual restart, and that nobody
// may dial before an operator, or a restart that the recorder sees, releases the gate.
type RestartRequiredError struct {
	Gateway string
	Since   time.Time         // of the stop
	Seq     uint64            // of its restart.required in the log
	Reason  events.DownReason // the evidence
	Next    string            // what an operator does and types
}

func (e *RestartRequiredError) Error() string {
	return fmt.Sprintf("%s needs a manual restart since %s (%s, event %d), and nobody dials; %s",
		e.Gateway, e.Since.Format(time.RFC3339), e.Reason, e.Seq, e.Next)
}

// HeldError says that the attempt has to wait.
type HeldError struct {
	Gateway    string
	Reason     events.HoldReason
	RetryAfter time.Duration // when to ask again; 0 if it is not time that ends the wait
}

func (e *HeldError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("%s: no permit now (%s); ask again in %s", e.Gateway, e.Reason, e.RetryAfter)
	}
	return fmt.Sprintf("%s: no permit now (%s); ask again", e.Gateway, e.Reason)
}

// NewID draws an ID for an attempt or a draft.
func NewID() string { return newID() }

// Permit asks once whether a may be made, and returns a lease, a *RestartRequiredError
// or a *HeldError. Until it is answered it asks again, with the same ID, which has one
// permit; so it outlives a restart of the recorder. A lease whose answer is lost because
// ctx ends expires by itself.
func (c *Client) Permit(ctx context.Context, a Attempt) (*Lease, error) {
	l, err := c.permit(ctx, &a)
	if err != nil {
		return nil, fmt.Errorf("permit for attempt %s: %w", a.ID, err)
	}
	return l, nil
}

// waitMost is the longest wait before a held attempt is asked for again: what holds it
// may end early.
const waitMost = time.Second

// Wait is Permit for a runner that has nothing else to do: held, it asks again until
// ctx ends. A *RestartRequiredError ends it at once, because a person is needed.
func (c *Client) Wait(ctx context.Context, a Attempt) (*Lease, error) {
	for {
		l, err := c.Permit(ctx, a)
		var held *HeldError
		if !errors.As(err, &held) {
			return l, err
		}
		wait := waitMost
		if held.RetryAfter > 0 {
			wait = min(wait, held.RetryAfter)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), held)
		}
	}
}

func (c *Client) permit(ctx context.Context, a *Attempt) (*Lease, error) {
	if a.ID == "" {
		a.ID = newID()
	}
	body, err := json.Marshal(struct {
		Attempt   string `json:"attempt"`
		ClientID  *int64 `json:"client_id,omitempty"`
		TimeoutMS int64  `json:"timeout_ms,omitempty"`
	}{a.ID, a.ClientID, a.Timeout.Milliseconds()})
	if err != nil {
		return nil, err
	}
	msg, sent, err := c.ask(ctx, "ibrecorder.permit.", body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Granted *struct {
			Permit  string `json:"permit"`
			LeaseMS int64  `json:"lease_ms"`
			Epoch   uint64 `json:"epoch"`
		} `json:"granted"`
		Held *struct {
			Reason       events.HoldReason `json:"reason"`
			RetryAfterMS int64             `json:"retry_after_ms"`
		} `json:"held"`
		RestartRequired *struct {
			Since  time.Time         `json:"since"`
			Seq    uint64            `json:"seq"`
			Reason events.DownReason `json:"reason"`
			Next   string            `json:"next"`
		} `json:"restart_required"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return nil, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	switch g, h, r := answer.Granted, answer.Held, answer.RestartRequired; {
	case g != nil:
		return &Lease{Attempt: a.ID, Permit: g.Permit, Until: sent.Add(time.Duration(g.LeaseMS) * time.Millisecond), Epoch: g.Epoch, c: c}, nil
	case h != nil:
		return nil, &HeldError{Gateway: c.cfg.Gateway, Reason: h.Reason, RetryAfter: time.Duration(h.RetryAfterMS) * time.Millisecond}
	case r != nil:
		return nil, &RestartRequiredError{Gateway: c.cfg.Gateway, Since: r.Since, Seq: r.Seq, Reason: r.Reason, Next: r.Next}
	}
	return nil, errors.New("an answer that says neither yes nor no")
}

// End reports how the attempt ended: an events.AttemptSucceeded, AttemptFailed,
// AttemptAbandoned or AttemptUnknown. A timeout counts as silence only with its LimitMS.
// The errors are those of Publish.
func (l *Lease) End(ctx context.Context, end events.Payload) error {
	switch end.(type) {
	case events.AttemptSucceeded, events.AttemptFailed, events.AttemptAbandoned, events.AttemptUnknown:
	default:
		return fmt.Errorf("end of attempt %s: %s is none", l.Attempt, end.Kind())
	}
	_, err := l.c.Publish(ctx, events.Draft{Attempt: l.Attempt, Data: end})
	return err
}
