package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// feed is what a running recorder tells of its logs.
type feed interface {
	// Gateways returns the names of the gateways that have a log.
	Gateways(ctx context.Context) ([]string, error)
	// Read yields the stored events from..to; to 0 is the head of the moment.
	Read(ctx context.Context, gateway string, from, to uint64) iter.Seq2[events.Record, error]
}

var _ feed = (*httpapi.Client)(nil)

// answerTimeout bounds the wait for a recorder that has the folder open and may
// hang. A log takes as long as it takes once there was an answer.
const answerTimeout = 5 * time.Second

func openFeed(ctx context.Context, dir string, from feed, o Options) (*Source, error) {
	asked, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	have, err := from.Gateways(asked)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, httpapi.ErrUnreachable): // its advice is to start one, and one has the folder open
		return nil, fmt.Errorf("%w: nobody listens on its socket", ErrUnreachable)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	gateway, err := choose(have, o.Gateway, dir)
	if err != nil {
		return nil, err
	}
	return &Source{What: "a running recorder", Gateway: gateway, Folder: dir,
		read: func(ctx context.Context, first, last uint64) iter.Seq2[events.Record, error] {
			return bounded(ctx, reached(from.Read(ctx, gateway, max(first, 1), last)), gateway, first, last)
		}}, nil
}

// reached marks the error of a recorder that is gone before it sent anything.
func reached(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if errors.Is(err, httpapi.ErrUnreachable) {
				err = fmt.Errorf("%w: %w", ErrUnreachable, err)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}
