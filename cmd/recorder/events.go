package main

import (
	"errors"
	"iter"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// asked is which events somebody wants to see.
type asked struct {
	from, to     uint64
	since, until string
	kinds        []string
	limit        uint64
	follow       bool
	noPager      bool
}

func newEvents() *cobra.Command {
	var a asker
	var q asked
	cmd := &cobra.Command{
		Use:   "events GATEWAY",
		Short: "Print the events of a gateway",
		Long: `events prints the log of a gateway, from the running recorder. With -o ndjson it prints
the stored bytes, a line each, which replay reads; csv is for a spreadsheet. When no
recorder runs, read the folder itself: replay timeline FOLDER.

--since and --until take a span back from now (24h, 7d), a date, or a time; what has no
zone of its own is read in that of --tz. --kind takes a kind (attempt.failed) or a group
(attempt), and may be given several times. --limit is for the last events of those.`,
		Example: `  recorder events main --follow
  recorder events main --since 24h --kind restart --kind gateway.down
  recorder events main --limit 20 --follow
  recorder events main --from 1200 -o ndjson > incident.ndjson`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			style, err := look(cmd)
			if err != nil {
				return err
			}
			wanted, err := q.selection(style.Zone, time.Now())
			if err != nil {
				return usage(err)
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			var pager *tty.Pager
			out := cmd.OutOrStdout()
			if !q.follow && !q.noPager {
				if pager = tty.NewPager(out); pager != nil {
					out = pager
				}
			}
			stream, bar, err := q.stream(cmd, c, args[0], wanted)
			if err == nil {
				err = q.print(cmd, newPrinter(a.output, out, style), stream, bar)
			}
			if pager != nil {
				err = errors.Join(err, pager.Close())
			}
			return err
		},
	}
	a.flags(cmd, false, "table", "json", "ndjson", "csv")
	zoneFlag(cmd)
	f := cmd.Flags()
	f.BoolVarP(&q.follow, "follow", "f", false, "go on with what comes")
	f.Uint64Var(&q.from, "from", 1, "first `EVENT`, by its number")
	f.Uint64Var(&q.to, "to", 0, "last `EVENT` (default: the newest)")
	f.StringVar(&q.since, "since", "", "only what came at this `TIME` or later: 24h, 7d, 2026-03-02, ...")
	f.StringVar(&q.until, "until", "", "only what came at this `TIME` or earlier")
	f.StringArrayVar(&q.kinds, "kind", nil, "only events of this `KIND` or group; may be given several times")
	f.Uint64Var(&q.limit, "limit", 0, "only the last `N` of them (default: all)")
	f.BoolVar(&q.noPager, "no-pager", false, "never show them in a pager")
	return cmd
}

// selection checks what was asked and says which events are meant; nil is every one.
func (q *asked) selection(zone *time.Location, now time.Time) (func(*events.Record) bool, error) {
	switch {
	case q.follow && q.to > 0:
		return nil, errors.New("--follow has no end, and --to names one; leave one of them out")
	case q.follow && q.until != "":
		return nil, errors.New("--follow has no end, and --until names one; leave one of them out")
	}
	kinds, err := kindsOf(q.kinds)
	if err != nil {
		return nil, err
	}
	var since, until time.Time
	if q.since != "" {
		if since, err = tty.When("--since", q.since, zone, now); err != nil {
			return nil, err
		}
	}
	if q.until != "" {
		if until, err = tty.When("--until", q.until, zone, now); err != nil {
			return nil, err
		}
	}
	if kinds == nil && since.IsZero() && until.IsZero() {
		return nil, nil
	}
	return func(rec *events.Record) bool {
		return (kinds == nil || kinds[rec.Kind()]) && !rec.Time.Before(since) && (until.IsZero() || !rec.Time.Truncate(time.Millisecond).After(until)) // as it is printed
	}, nil
}

// stream yields the events that are wanted. A clock may have gone back, so times end no
// reading early.
func (q *asked) stream(cmd *cobra.Command, c *httpapi.Client, gateway string, wanted func(*events.Record) bool) (iter.Seq2[events.Record, error], *tty.Bar, error) {
	ctx := cmd.Context()
	head, bar := q.to, (*tty.Bar)(nil)
	if q.limit > 0 || wanted != nil {
		s, err := c.Status(ctx, gateway)
		if err != nil {
			return nil, nil, err
		}
		if head == 0 || s.Seq < head {
			head = s.Seq
		}
		bar = tty.NewBar(cmd.ErrOrStderr(), "events", tty.Extent{Last: head})
	}
	from := max(q.from, 1)
	if q.limit == 0 || wanted == nil {
		if q.limit > 0 && head >= q.limit { // a log has no holes
			from = max(from, head-q.limit+1)
		}
		in := c.Read(ctx, gateway, from, q.to)
		if q.follow {
			in = c.Tail(ctx, gateway, from)
		}
		return only(bar.Watch(in), wanted), bar, nil
	}
	kept := last(only(bar.Watch(c.Read(ctx, gateway, from, head)), wanted), q.limit)
	if !q.follow {
		return kept, bar, nil
	}
	return func(yield func(events.Record, error) bool) {
		for rec, err := range kept {
			if !yield(rec, err) || err != nil {
				return
			}
		}
		only(c.Tail(ctx, gateway, max(from, head+1)), wanted)(yield)
	}, bar, nil
}

// print writes them. The bar goes when there is something to see.
func (q *asked) print(cmd *cobra.Command, p printer, stream iter.Seq2[events.Record, error], bar *tty.Bar) error {
	defer bar.Clear()
	for rec, err := range stream {
		switch {
		case err != nil && q.follow && (cmd.Context().Err() != nil || errors.Is(err, httpapi.ErrStopping)):
			return p.end() // who follows ends it, or the recorder did in order
		case err != nil && cmd.Context().Err() != nil:
			return &exitError{exitInterrupted, err} // a part must not pass for the whole
		case err != nil:
			return err
		}
		bar.Done()
		if err := p.event(rec); err != nil {
			return err
		}
	}
	return p.end()
}

// only yields the events that are wanted, and every error.
func only(in iter.Seq2[events.Record, error], wanted func(*events.Record) bool) iter.Seq2[events.Record, error] {
	if wanted == nil {
		return in
	}
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if (err != nil || wanted(&rec)) && !yield(rec, err) {
				return
			}
		}
	}
}

// last yields the last n events of a stream that ends.
func last(in iter.Seq2[events.Record, error], n uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		var kept []events.Record // a ring once it has n
		next := 0
		for rec, err := range in {
			switch {
			case err != nil:
				yield(rec, err)
				return
			case uint64(len(kept)) < n:
				kept = append(kept, rec)
			default:
				kept[next] = rec
				next = (next + 1) % len(kept)
			}
		}
		for i := range kept {
			if !yield(kept[(next+i)%len(kept)], nil) {
				return
			}
		}
	}
}
