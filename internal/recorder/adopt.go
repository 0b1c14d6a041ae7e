package recorder

import (
	"context"
	"errors"
	"fmt"

	"ibrecorder/events"
)

// ErrMode: a run has one mode from its start to its end.
var ErrMode = errors.New("the mode of a run cannot be changed")

// Adopt puts another policy in force, and returns when that is durable and the relays
// know. Everything from here on is decided by it: what it makes due, such as a stop after
// fewer silent attempts, is decided at once; what the one before decided stands. One that
// is in force already is not recorded again. ErrMode if the policy has another mode;
// otherwise the errors of Submit, and if it was not recorded when ctx ends it never is.
func (g *Gateway) Adopt(ctx context.Context, p events.PolicyLoaded) error {
	now := g.View().State.Policy
	switch {
	case p.Mode != now.Mode: // what the relays are, and not how they measure, follows from it
		return fmt.Errorf("adopt the policy for %s: %w, from %s to %s: restart the recorder", g.cfg.Gateway, ErrMode, now.Mode, p.Mode)
	case p == now:
		return nil
	}
	if _, err := g.ask(ctx, item{draft: events.Draft{Source: "/recorder", Data: p}, verb: adoption}); err != nil {
		return fmt.Errorf("adopt the policy for %s: %w", g.cfg.Gateway, err)
	}
	return nil
}

// adopted tells the relays of a policy that is in the log: nothing was decided by it yet,
// so every attempt that it permits is measured by it.
func (g *Gateway) adopted(p events.PolicyLoaded) {
	for _, r := range g.relays {
		if a, ok := r.(Adopter); ok {
			a.Adopt(p.Params)
		}
	}
	g.log.Info("another policy is in force", "preset", p.Preset, "policy", p.Hash)
}
