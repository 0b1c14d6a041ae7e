//go:build !race

package compat_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
)

// runSession is a recorder with the built-in session, until its first attempt has ended;
// a session that came of it is kept for a while.
func runSession(o orders) (b belief, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cfg := o.config(false)
	cfg.Gateways[0].Connect, cfg.Gateways[0].ClientID = true, clientID
	d, err := daemon.Open(ctx, cfg)
	if err != nil {
		return b, err
	}
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	err = firstAttempt(ctx, httpapi.Dial(o.Data))
	cancel()
	b.Ended = "left"
	return b, errors.Join(err, <-ran)
}

func firstAttempt(ctx context.Context, api *httpapi.Client) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	attempt := ""
	for rec, err := range api.Tail(ctx, "main", 1) {
		if attempt != "" && errors.Is(ctx.Err(), context.Canceled) {
			return nil // the session was kept long enough
		}
		if err != nil {
			return fmt.Errorf("the log of the session: %w", err)
		}
		if _, ok := rec.Data.(events.AttemptPermitted); ok && attempt == "" {
			attempt = rec.Attempt
		}
		if attempt == "" || rec.Attempt != attempt && rec.Kind() != "client.closed" {
			continue
		}
		switch rec.Data.(type) {
		case events.AttemptSucceeded:
			timer := time.AfterFunc(linger, cancel)
			defer timer.Stop()
		case events.ClientClosed:
			return nil
		}
	}
	return nil
}
