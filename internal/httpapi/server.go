package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"ibrecorder/internal/access"
)

// The two parts of an end that takes under a second: for answers under way to be
// written, and for handlers to notice that their connection is gone.
const (
	graceAnswers  = 600 * time.Millisecond
	graceHandlers = 200 * time.Millisecond
)

// lastEvents is how long a stream that is followed goes on while the recorder stops,
// for what relays report last and for recorder.stopped. It is within graceAnswers.
const lastEvents = 500 * time.Millisecond

// Port is what is served over TCP.
type Port struct {
	Gateways []Gateway
	// Mounts are what others serve there.
	Mounts []Mount
	// Tokens are who may do more than read, asked at each request; nil is nobody.
	Tokens func() access.Tokens
	// Open lets everybody read who can connect. It is for a listener on loopback.
	Open bool
	// Quota bounds what each runner may send; nil is no bound.
	Quota *access.Quota
}

// Serve answers the owner on l, a socket, which it closes, until ctx ends, and then for
// less than a second: streams that are followed end, answers under way are written, and
// what is not done by then is cut off. It returns nil when everything has ended, an
// error when a handler has not or when l fails.
func Serve(ctx context.Context, l net.Listener, gateways []Gateway, log *slog.Logger, mounts ...Mount) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx)) // of every request
	defer end()
	h := newHandler(ctx, gateways, log)
	for _, m := range mounts {
		h.mount(m)
	}
	return h.serve(ctx, life, end, l)
}

// ServePort does what Serve does on a listener that anybody may reach: each request is
// looked at by a guard first.
func ServePort(ctx context.Context, l net.Listener, p Port, log *slog.Logger) error {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	h := newHandler(ctx, p.Gateways, log)
	if p.Tokens == nil {
		p.Tokens = func() access.Tokens { return nil }
	}
	h.guard, h.quota = newGuard(p.Tokens, p.Open), p.Quota
	for _, m := range p.Mounts {
		h.mount(m)
	}
	return h.serve(ctx, life, end, l)
}

// serve serves h on l. life is the context of every request, which end ends.
func (h *handler) serve(ctx, life context.Context, end context.CancelFunc, l net.Listener) error {
	srv := &http.Server{
		Handler:           h,
		BaseContext:       func(net.Listener) context.Context { return life },
		ReadHeaderTimeout: patience,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()

	var failed error
	select {
	case err := <-ended:
		failed = fmt.Errorf("serve %s: %w", l.Addr(), err)
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(life, graceAnswers)
		defer cancel()
		if srv.Shutdown(grace) == nil {
			<-ended
			return nil
		}
		defer func() { <-ended }()
	}
	end()
	err := srv.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil // l, by Shutdown or by whoever made Serve fail
	}
	return errors.Join(failed, err, h.wait(graceHandlers))
}
