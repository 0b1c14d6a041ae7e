package simulation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/recorder"
)

// runner dials the Gateway by itself, when it has a lease, and reports how that went.
type runner struct {
	w       *world
	program program
	asked   int
	told    int
}

func (r *runner) run(ctx context.Context) {
	r.program.dial = func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return r.w.gateway.dial(ctx, "tcp", "127.0.0.1:4002")
	}
	for ctx.Err() == nil {
		pause(ctx, time.Hour+time.Duration(r.program.chance.Int64N(int64(2*time.Hour))))
		r.once(ctx)
	}
}

// once asks for a lease, uses it at once, and tells of the end of its attempt.
func (r *runner) once(ctx context.Context) {
	r.asked++
	attempt := fmt.Sprint("lease-", r.asked)
	var lease recorder.Lease
	r.w.ask(ctx, func(ctx context.Context, run *run) (err error) {
		lease, err = run.loop.Lease(ctx, "/runner/robo-2", attempt, events.AttemptRequested{})
		return err
	})
	if lease.Permit == "" {
		return
	}
	p := r.program
	p.ready = func(ctx context.Context) {
		r.program.ready(ctx)
		r.tell(ctx, attempt, events.AttemptSucceeded{})
	}
	stage, err := p.once(ctx)
	if stage == events.StageReady {
		return
	}
	failed := events.AttemptFailed{Stage: stage, Text: err.Error()}
	var late net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		failed.Reason = events.Refused
	case errors.As(err, &late) && late.Timeout() && stage == events.StageDial:
		failed.Reason, failed.LimitMS = events.DialTimeout, 5_000
	case errors.As(err, &late) && late.Timeout():
		failed.Reason, failed.LimitMS = events.ReportedTimeout, p.patience.Milliseconds()
	case stage == events.StageConnected:
		failed.Reason = events.FINBeforeVersion
	default:
		failed.Reason = events.ClosedBeforeReady
	}
	r.tell(ctx, attempt, failed)
}

// tell says it again until a recorder has taken it, as long as the lease is good.
func (r *runner) tell(ctx context.Context, attempt string, what events.Payload) {
	r.told++
	d := events.Draft{ID: fmt.Sprint("robo-2-", r.told), Source: "/runner/robo-2", Attempt: attempt, Data: what}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for taken := false; !taken && ctx.Err() == nil; pause(ctx, time.Second) {
		r.w.ask(ctx, func(ctx context.Context, run *run) error {
			_, err := run.loop.Submit(ctx, d)
			taken = err == nil
			return err
		})
	}
}
