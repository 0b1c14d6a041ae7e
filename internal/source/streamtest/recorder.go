package streamtest

import (
	"context"
	"iter"
	"log/slog"
	"net"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
)

// Serve answers at l about the streams as a running recorder does, with its own
// server, until ctx ends.
func Serve(ctx context.Context, l net.Listener, streams ...*Stream) error {
	var gateways []httpapi.Gateway
	for _, s := range streams {
		gateways = append(gateways, &gateway{name: s.gateway, recs: s.recs})
	}
	return httpapi.Serve(ctx, l, gateways, slog.New(slog.DiscardHandler))
}

// gateway is a recorder of which nothing but its log is asked.
type gateway struct {
	httpapi.Gateway // nil: whatever else is asked of it ends the test
	name            string
	recs            []events.Record
}

func (g *gateway) Name() string { return g.name }

func (g *gateway) Read(_ context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for _, rec := range g.recs {
			if rec.Seq >= from && (to == 0 || rec.Seq <= to) && !yield(rec, nil) {
				return
			}
		}
	}
}
