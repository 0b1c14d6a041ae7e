package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/access"
	"ibrecorder/internal/health"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/metrics"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"
)

// vitals are what machines ask a recorder that they watch, on the socket and on the port.
func (d *Daemon) vitals() []httpapi.Mount {
	return []httpapi.Mount{
		{Pattern: "GET /metrics", Scope: access.Read, Handler: d.meter},
		{Pattern: "GET /healthz", Scope: access.Nothing, Handler: health.Handler("alive", withoutAccounts(func() error { return health.Alive(d.Pulses()) }))},
		{Pattern: "GET /readyz", Scope: access.Nothing, Handler: health.Handler("ready", withoutAccounts(d.ready))},
	}
}

// private is what is served on the socket alone.
func (d *Daemon) private() []httpapi.Mount {
	all := d.vitals()
	if d.cfg.Reload != nil {
		all = append(all, httpapi.ReloadMount(d.cfg.Reload))
	}
	return all
}

// ready says whether everything that happens would be recorded.
func (d *Daemon) ready() error { return health.Ready(d.Pulses()) }

// withoutAccounts is a check that names no account in what a log says.
func withoutAccounts(check func() error) func() error {
	redactor := events.NewRedactor([]byte(rand.Text()))
	return func() error {
		if err := check(); err != nil {
			return errors.New(redactor.Text(err.Error()))
		}
		return nil
	}
}

// Pulses are what the loops have left behind, in the order of the configuration.
func (d *Daemon) Pulses() []health.Pulse {
	var all []health.Pulse
	for _, p := range d.posts {
		v := p.loop.View()
		all = append(all, health.Pulse{Gateway: p.cfg.Name, Age: v.Age, Blocked: v.Blocked, Queued: v.Queued})
	}
	return all
}

// Sentence says how every gate is, for a line that a service manager shows: live STOPPED
// 42m, main OPEN.
func (d *Daemon) Sentence(now time.Time) string {
	var all []string
	for _, p := range d.posts {
		v := p.loop.View()
		text := p.cfg.Name + " " + string(v.State.Gate)
		switch v.State.Gate {
		case fsm.Open, fsm.Attempting: // since when is nobody's concern
		default:
			text += " " + coarse(now.Sub(v.GateAt))
		}
		if v.Blocked != nil {
			text += ", its log takes nothing"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// coarse is a duration in its largest unit, which seldom changes.
func coarse(d time.Duration) string {
	switch {
	case d < time.Minute: // or below zero, after somebody set the clock
		return "<1m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// Reading implements metrics.Source.
func (p *post) Reading() metrics.Reading {
	v := p.loop.View()
	r := metrics.Reading{State: v.State, GateAt: v.GateAt, Blocked: v.Blocked != nil, Denied: v.Denied, Queued: v.Queued}
	r.FromClients, r.FromGateway = p.tap.Bytes()
	if seen := p.sockets.Load(); seen != nil {
		r.Sockets = *seen
	}
	for _, c := range p.channels() {
		r.Channels = append(r.Channels, metrics.Channel{Name: c.Name, Delivered: c.Delivered, Failing: c.Failing != "", Waiting: c.Waiting})
	}
	return r
}

// Usage implements metrics.Source.
func (p *post) Usage(ctx context.Context) (used, limit int64, err error) { return p.log.Usage(ctx) }

// meteredLog counts what a loop appends.
type meteredLog struct {
	*store.JetLog
	counter *metrics.Counter
}

// Append implements recorder.Log.
func (l meteredLog) Append(ctx context.Context, rec events.Record) error {
	began := time.Now()
	err := l.JetLog.Append(ctx, rec)
	l.counter.Appended(rec, time.Since(began), err)
	return err
}

// rejection is why a report was not recorded.
func rejection(err error) metrics.Rejection {
	switch {
	case errors.Is(err, recorder.ErrTaken):
		return metrics.Taken
	case errors.Is(err, recorder.ErrNoEvent):
		return metrics.Malformed
	case errors.Is(err, recorder.ErrBusy):
		return metrics.Busy
	case errors.Is(err, recorder.ErrEnding):
		return metrics.Ending
	}
	return metrics.Unanswered
}
