package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats.go"
)

// ErrAnotherLog: the log is not the one that was read so far; it was set aside, and
// another one begun.
var ErrAnotherLog = errors.New("this is another log than before")

const (
	// lookAgain is how often the log is looked at without being told of news: what was
	// published while the connection was down is told to nobody.
	lookAgain = 2 * time.Second
	// liveWaiting is how many events may wait for a slow reader; it reads the others
	// from the log.
	liveWaiting = 256
)

// Watch yields the events from a sequence on, 0 and 1 being the first, and then what
// comes, until ctx ends. They are the stored bytes of what is durable, in order and
// without a gap, each holding the hash of the one before; it goes on when the recorder
// restarts. To resume, watch from the sequence after the last one that was seen. The
// last pair is always an error: the context's, ErrAnotherLog, a *events.ChainError, a
// *events.DecodeError or a *Problem.
func (c *Client) Watch(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		if err := c.watch(ctx, max(from, 1), func(rec events.Record) bool { return yield(rec, nil) }); err != nil {
			yield(events.Record{}, fmt.Errorf("watch %s: %w", c.cfg.Gateway, err))
		}
	}
}

// watch returns nil when give wants no more.
func (c *Client) watch(ctx context.Context, from uint64, give func(events.Record) bool) error {
	live := make(chan *nats.Msg, liveWaiting)
	sub, err := c.nc.ChanSubscribe("ibrecorder.ev."+c.cfg.Gateway+".>", live)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails on a connection that is gone
	var chain events.Chain
	next := from
	take := func(raw []byte) (more bool, err error) {
		rec, err := events.ParseRecord(raw)
		if err == nil && rec.Seq != next {
			err = fmt.Errorf("%w: event %d where %d was asked for", ErrAnotherLog, rec.Seq, next)
		}
		if err == nil {
			err = chain.Add(rec)
		}
		if err != nil {
			return false, err
		}
		next++
		return give(rec), nil
	}
	for {
		page, head, err := c.page(ctx, next)
		if err != nil {
			return err
		}
		if len(page) == 0 && next > from && head+1 < next {
			return fmt.Errorf("%w: it ends at event %d, and %d was seen", ErrAnotherLog, head, next-1)
		}
		for line := range bytes.Lines(page) {
			if more, err := take(bytes.TrimSuffix(line, []byte{'\n'})); !more {
				return err
			}
		}
		for told := len(page) == 0; told; {
			select {
			case msg := <-live:
				seq := seqOf(msg.Data)
				if told = seq <= next; seq == next {
					if more, err := take(msg.Data); !more {
						return err
					}
				}
			case <-time.After(lookAgain):
				told = false
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// seqOf reads the sequence of an event, 0 if it has none.
func seqOf(raw []byte) uint64 {
	var e struct {
		Seq string `json:"seq"`
	}
	if json.Unmarshal(raw, &e) != nil {
		return 0
	}
	n, err := strconv.ParseUint(e.Seq, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
