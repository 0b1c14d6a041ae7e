package daemon

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/recorder"
)

// Head implements natsapi.Gateway.
func (p *post) Head(ctx context.Context) (uint64, error) {
	head, err := p.log.Head(ctx)
	return head.Seq, err
}

// Permit implements httpapi.Gateway and natsapi.Gateway.
func (p *post) Permit(ctx context.Context, source, attempt string, q events.AttemptRequested) (httpapi.Answer, error) {
	l, err := p.loop.Lease(ctx, source, attempt, q)
	if err != nil {
		return httpapi.Answer{}, problem(err)
	}
	return p.answer(ctx, l)
}

// Standing implements httpapi.Gateway.
func (p *post) Standing(ctx context.Context) (httpapi.Answer, error) {
	l, err := p.loop.Standing()
	if err != nil {
		return httpapi.Answer{}, problem(err)
	}
	if l.Reason == "" {
		return httpapi.Answer{Granted: &httpapi.Granted{LeaseMS: l.For.Milliseconds(), Epoch: l.Epoch}}, nil
	}
	return p.answer(ctx, l)
}

// GiveBack implements httpapi.Gateway.
func (p *post) GiveBack(ctx context.Context, source, attempt string) (events.Record, error) {
	x := p.loop.View().State.Session(attempt)
	if x == nil || x.By != source || x.Ended { // otherwise it would be the report of an attempt that nobody permitted
		return events.Record{}, fmt.Errorf("attempt %q: %w", attempt, httpapi.ErrNoPermit)
	}
	id := sha256.Sum256([]byte(source + " " + attempt)) // the same each time
	return p.Submit(ctx, events.Draft{Source: source, ID: fmt.Sprintf("back-%x", id[:12]), Attempt: attempt, Data: events.AttemptAbandoned{Stage: events.StageNone}})
}

// answer says what a lease is to whoever asked for it.
func (p *post) answer(ctx context.Context, l recorder.Lease) (httpapi.Answer, error) {
	switch {
	case l.Permit != "":
		return httpapi.Answer{Granted: &httpapi.Granted{Permit: l.Permit, LeaseMS: l.For.Milliseconds(), Epoch: l.Epoch}}, nil
	case l.Reason != events.HoldStopped:
		return httpapi.Answer{Held: &httpapi.Held{Reason: l.Reason, RetryAfterMS: ceilMS(l.Wait)}}, nil
	}
	s := httpapi.Status{Stop: &httpapi.Stop{Seq: l.Stop}}
	if err := stopReason(ctx, p.log, &s); err != nil {
		return httpapi.Answer{}, err
	}
	return httpapi.Answer{RestartRequired: &httpapi.RestartRequired{Since: l.Since.UTC(), Seq: l.Stop, Reason: s.Stop.Reason, Next: released(p.cfg.Name)}}, nil
}

// HangUp implements natsapi.Gateway.
func (p *post) HangUp(ctx context.Context, source string, q events.DisconnectRequested) (events.Record, error) {
	rec, err := p.loop.Disconnect(ctx, source, q)
	return rec, problem(err)
}

// ceilMS is d in milliseconds, rounded up: who comes back then is not too early.
func ceilMS(d time.Duration) int64 { return (d + time.Millisecond - 1).Milliseconds() }
