package daemon

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/alert"
)

// Live is what a run can change. Everything else is about what it has open.
type Live struct {
	// Policy is put in force for every gateway, and so is in every log. It has the mode of
	// the run.
	Policy   events.PolicyLoaded
	Channels []alert.Channel
	// Alerts are as those of Config.
	Alerts *alert.Settings
	// Advice is of each gateway by its name; one that is missing keeps that of the start.
	Advice map[string]Advice
	// Tokens are who may do more than read over HTTP.
	Tokens access.Tokens
}

// adoptWithin bounds how long a reload waits for a log that takes nothing.
const adoptWithin = 5 * time.Second

// ErrKept: a gateway goes on by the policy that it had, and everything else is in force.
var ErrKept = errors.New("it goes on by the policy that it had; everything else is in force")

// Reload puts n in force, and reads the TLS certificate again. If tokens or certificate
// cannot be used nothing is changed. A gateway whose log does not take the policy goes on
// by the one before, and the error, which is ErrKept, says which; everything else is in
// force then.
func (d *Daemon) Reload(ctx context.Context, n Live) error {
	if p := d.port; p != nil {
		if !p.loopback && len(n.Tokens) == 0 {
			return fmt.Errorf("reload: %w: %s is open to others, and there would be no tokens; keep one in http.tokens", ErrHTTP, p.Addr())
		}
		if p.cert != nil {
			if err := p.cert.Reload(); err != nil {
				return fmt.Errorf("reload: %w", err)
			}
		}
		p.tokens.Store(&n.Tokens)
	}
	for _, p := range d.posts {
		advice, known := n.Advice[p.cfg.Name]
		if !known {
			advice = p.cfg.Advice
		}
		close(p.alerts.Swap(p.telling(n.Channels, n.Alerts, advice)).over)
	}
	ctx, cancel := context.WithTimeout(ctx, adoptWithin)
	defer cancel()
	errs := make([]error, len(d.posts))
	var adopting sync.WaitGroup
	for i, p := range d.posts { // each has a log of its own to wait for
		adopting.Go(func() {
			if errs[i] = p.loop.Adopt(ctx, n.Policy); errs[i] != nil {
				errs[i] = fmt.Errorf("reload: %w: %w", errs[i], ErrKept)
			}
		})
	}
	adopting.Wait()
	return errors.Join(errs...)
}
