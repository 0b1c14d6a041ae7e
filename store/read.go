package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// pullMessages is how many events a reader asks for at once. 5000 reads about
	// a third faster than the client's default of 500.
	pullMessages = 5000
	// pullBytes bounds them: what is on its way to all readers together must stay below
	// maxPending, because the server cuts off who does not keep up.
	pullBytes = 2 << 20
	// shortRead is how many events are cheaper to get one by one than through a
	// consumer, which takes about a millisecond to make and remove.
	shortRead = 32
)

// Read implements Log.
func (l *JetLog) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		info, err := l.stream.Info(ctx) // not Head: what comes before a bad last event can be read
		if err != nil {
			yield(events.Record{}, fmt.Errorf("read %s: %w", l.gateway, l.readError(ctx, err)))
			return
		}
		from, to := bounds(from, to, info.State.LastSeq)
		switch {
		case from > to:
		case to-from < shortRead:
			l.readShort(ctx, from, to, yield)
		default:
			if next, more := l.scan(ctx, from, to, yield); more {
				l.deliver(ctx, next, to, yield)
			}
		}
	}
}

// bounds makes a request for events concrete: from the first, to the head.
func bounds(from, to, head uint64) (uint64, uint64) {
	if to == 0 || to > head {
		to = head
	}
	return max(from, 1), to
}

func (l *JetLog) readShort(ctx context.Context, from, to uint64, yield func(events.Record, error) bool) {
	for seq := from; seq <= to; seq++ {
		rec, err := l.get(ctx, seq)
		if !yield(rec, err) || err != nil {
			return
		}
	}
}

// Tail implements Log.
func (l *JetLog) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		l.deliver(ctx, max(from, 1), 0, yield)
	}
}

// deliver yields from..to, or without an end if to is 0, through one ordered
// consumer, which it removes again. Every sequence is checked: a consumer steps
// over what a server has lost without a word.
func (l *JetLog) deliver(ctx context.Context, from, to uint64, yield func(events.Record, error) bool) {
	fail := func(err error) {
		yield(events.Record{}, fmt.Errorf("read %s from event %d: %w", l.gateway, from, l.readError(ctx, err)))
	}
	cons, err := l.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   from,
	})
	if err != nil {
		fail(err)
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = l.stream.DeleteConsumer(ctx, cons.CachedInfo().Name) // it would be gone in five minutes anyway
	}()
	if to != 0 && cons.CachedInfo().NumPending == 0 {
		fail(&GapError{Gateway: l.gateway, Want: from, What: "stream sequence"})
		return
	}
	msgs, err := cons.Messages(jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes))
	if err != nil {
		fail(err)
		return
	}
	defer msgs.Stop()
	next := jetstream.NextContext(ctx)
	for want := from; to == 0 || want <= to; want++ {
		msg, err := msgs.Next(next)
		if err != nil {
			fail(err)
			return
		}
		meta, err := msg.Metadata()
		if err == nil && meta.Sequence.Stream != want {
			err = &GapError{Gateway: l.gateway, Want: want, Got: meta.Sequence.Stream, What: "stream sequence"}
		}
		if err != nil {
			fail(err)
			return
		}
		rec, err := l.record(want, msg.Subject(), msg.Data())
		if !yield(rec, err) || err != nil {
			return
		}
		if want < to && meta.NumPending == 0 { // the log had more, and it is gone
			fail(&GapError{Gateway: l.gateway, Want: want + 1, What: "stream sequence"})
			return
		}
	}
}

// readError sorts what a reader can end with.
func (l *JetLog) readError(ctx context.Context, err error) error {
	var gap *GapError
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &gap):
		return err
	}
	return l.store.unavailable(err)
}
