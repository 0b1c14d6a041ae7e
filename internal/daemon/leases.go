package daemon

import (
	"context"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/natsapi"
)

// Head implements natsapi.Gateway.
func (p *post) Head(ctx context.Context) (uint64, error) {
	head, err := p.log.Head(ctx)
	return head.Seq, err
}

// Permit implements natsapi.Gateway.
func (p *post) Permit(ctx context.Context, source, attempt string, q events.AttemptRequested) (natsapi.Answer, error) {
	l, err := p.loop.Lease(ctx, source, attempt, q)
	switch {
	case err != nil:
		return natsapi.Answer{}, problem(err)
	case l.Permit != "":
		return natsapi.Answer{Granted: &natsapi.Granted{Permit: l.Permit, LeaseMS: l.For.Milliseconds(), Epoch: l.Epoch}}, nil
	case l.Reason != events.HoldStopped:
		return natsapi.Answer{Held: &natsapi.Held{Reason: l.Reason, RetryAfterMS: ceilMS(l.Wait)}}, nil
	}
	s := httpapi.Status{Stop: &httpapi.Stop{Seq: l.Stop}}
	if err := stopReason(ctx, p.log, &s); err != nil {
		return natsapi.Answer{}, err
	}
	return natsapi.Answer{RestartRequired: &natsapi.RestartRequired{Since: l.Since.UTC(), Seq: l.Stop, Reason: s.Stop.Reason, Next: released(p.cfg.Name)}}, nil
}

// HangUp implements natsapi.Gateway.
func (p *post) HangUp(ctx context.Context, source string, q events.DisconnectRequested) (events.Record, error) {
	rec, err := p.loop.Disconnect(ctx, source, q)
	return rec, problem(err)
}

// ceilMS is d in milliseconds, rounded up: who comes back then is not too early.
func ceilMS(d time.Duration) int64 { return (d + time.Millisecond - 1).Milliseconds() }
