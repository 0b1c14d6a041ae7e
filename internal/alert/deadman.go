package alert

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// Pinger sends a sign of life to a service that tells somebody when none comes any more;
// channel.Pinger is one.
type Pinger interface {
	// Ping says that all is well, or with why that it is not. The error has no secret.
	Ping(ctx context.Context, why string) error
}

// DeadMan pings while the recorder is well: nobody else tells anybody if its host dies.
// That it is not well is told too, after a moment.
type DeadMan struct {
	Pinger Pinger
	Every  time.Duration
	// Ill says why the recorder is not well, nil if it is.
	Ill    func() error
	Logger *slog.Logger

	failing atomic.Pointer[string]
}

// pingLooks is how often it is looked whether the recorder is well.
const pingLooks = 5 * time.Second

// illFor is how long it is not well before that is told: a slow disk is no illness.
const illFor = 15 * time.Second

// Run pings until ctx ends. A ping that fails is not told to anybody, for the service
// tells by itself; Failing says so, and the next look tries again.
func (d *DeadMan) Run(ctx context.Context) {
	look := time.NewTicker(min(pingLooks, d.Every))
	defer look.Stop()
	var (
		last time.Time // of a ping that was taken
		ill  time.Time // from when on it is not well; zero while it is
		told string    // the illness that the service knows of
	)
	for {
		now := time.Now()
		why := ""
		if err := d.Ill(); err != nil {
			why = err.Error()
		}
		switch {
		case why == "":
			ill = time.Time{}
		case ill.IsZero():
			ill = now
		}
		due := last.IsZero() || now.Sub(last) >= d.Every
		switch {
		case why == "" && (due || told != ""):
			if d.ping(ctx, "") {
				last, told = now, ""
			}
		case why != "" && now.Sub(ill) >= illFor && (due || told == ""):
			if d.ping(ctx, why) {
				last, told = now, why
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *DeadMan) ping(ctx context.Context, why string) bool {
	err := d.Pinger.Ping(ctx, why)
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		d.failing.Store(nil)
		return true
	}
	text := err.Error()
	if old := d.failing.Swap(&text); old == nil || *old != text {
		d.Logger.Warn("the dead-man ping was not taken, and is tried again", "error", err)
	}
	return false
}

// Failing is why the last ping was not taken; "" if it was, or none was sent yet.
func (d *DeadMan) Failing() string {
	if text := d.failing.Load(); text != nil {
		return *text
	}
	return ""
}
