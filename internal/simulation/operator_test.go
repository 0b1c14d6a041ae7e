package simulation

import (
	"context"
	"math/rand/v2"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// operator is whoever is on call. They look every few minutes, take hours to come, and
// do not always tell the truth.
type operator struct {
	w      *world
	chance *rand.Rand
	cures  int // with a restart
}

func (o *operator) run(ctx context.Context) {
	for ctx.Err() == nil {
		pause(ctx, 5*time.Minute)
		switch {
		case o.w.gate() == fsm.Stopped:
			o.cure(ctx)
		case o.w.unused() > time.Hour && !o.w.gateway.answers(): // no silence by the rule, and no use either
			o.restart(ctx)
		}
	}
}

// restart is a new process, which takes its time.
func (o *operator) restart(ctx context.Context) {
	o.w.gateway.end()
	pause(ctx, 30*time.Second+time.Duration(o.chance.Int64N(int64(10*time.Minute))))
	o.w.gateway.start()
}

// cure is what they do about a stop, until the gate is released, whoever released it.
func (o *operator) cure(ctx context.Context) {
	pause(ctx, 10*time.Minute+time.Duration(o.chance.Int64N(int64(4*time.Hour))))
	if o.chance.IntN(3) == 0 { // "have you tried to resume it?"
		o.w.resume(ctx, events.RestartClaimed{By: "lee", Reason: "it works again"})
		pause(ctx, 10*time.Minute)
	}
	if o.w.gate() != fsm.Stopped {
		return
	}
	override := o.w.gateway.answers() && o.chance.IntN(2) == 0 // it was only slow once, or somebody's report was wrong
	if !override {
		if o.cures++; o.cures%3 == 1 { // and starts something else, on the tap's port
			o.w.port.take(true)
			defer o.w.port.take(false)
		}
		o.restart(ctx)
	}
	for range 60 { // the recorder may be dead at any moment
		o.w.resume(ctx, events.RestartClaimed{By: "kim", Reason: "restarted it", Override: override})
		pause(ctx, time.Minute)
		if gate := o.w.gate(); ctx.Err() != nil || gate != fsm.Stopped && gate != "" {
			return
		}
		o.w.port.take(false) // it will not start either
	}
	o.w.fail("an operator has resumed for an hour, and the gate is still %s", o.w.gate())
}
