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
		parts := *l.parts.Load()
		info, err := parts[len(parts)-1].stream.Info(ctx) // not Head: what comes before a bad last event can be read
		if err != nil {
			yield(events.Record{}, fmt.Errorf("read %s: %w", l.gateway, l.readError(ctx, err)))
			return
		}
		from, to := bounds(from, to, info.State.LastSeq)
		if from == 1 {
			from = parts[0].first // what was archived is not missing
		}
		if from <= to && from < parts[0].first {
			yield(events.Record{}, &ArchivedError{Gateway: l.gateway, Want: from, First: parts[0].first})
			return
		}
		for i, p := range parts {
			last := to
			if i+1 < len(parts) {
				last = min(to, parts[i+1].first-1)
			}
			if from > last {
				continue
			}
			if !l.readPart(ctx, p, from, last, yield) {
				return
			}
			from = last + 1
		}
	}
}

// readPart yields from..to, which the part has, and says whether somebody wants more.
func (l *JetLog) readPart(ctx context.Context, p *part, from, to uint64, yield func(events.Record, error) bool) (more bool) {
	if to-from < shortRead {
		for seq := from; seq <= to; seq++ {
			rec, err := l.get(ctx, seq)
			if !yield(rec, err) || err != nil {
				return false
			}
		}
		return true
	}
	next, more := l.scan(ctx, p, from, to, yield)
	if !more || next > to {
		return next > to
	}
	return l.deliver(ctx, p, next, to, yield)
}

// bounds makes a request for events concrete: from the first, to the head.
func bounds(from, to, head uint64) (uint64, uint64) {
	if to == 0 || to > head {
		to = head
	}
	return max(from, 1), to
}

// Tail implements Log.
func (l *JetLog) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		if from <= 1 {
			from = l.First()
		}
		p, err := l.holding(from)
		for err == nil && l.deliver(ctx, p, from, 0, yield) {
			from = max(from, p.last+1)
			if err = l.nextPart(ctx, p.n); err == nil {
				p, err = l.holding(from)
			}
		}
		if err != nil {
			yield(events.Record{}, fmt.Errorf("read %s from event %d: %w", l.gateway, from, l.readError(ctx, err)))
		}
	}
}

// whileOpen is a context that ends with ctx, or when the part is sealed.
func (p *part) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	waiting, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(p.open, cancel)
	return waiting, func() { unhook(); cancel() }
}

// deliver yields from..to of one part, or without an end if to is 0, through one ordered
// consumer, which it removes again. Every sequence is checked: a consumer steps
// over what a server has lost without a word. It reports whether everything was
// yielded; without an end that is when the part was sealed.
func (l *JetLog) deliver(ctx context.Context, p *part, from, to uint64, yield func(events.Record, error) bool) (all bool) {
	want := from
	fail := func(err error) bool {
		yield(events.Record{}, fmt.Errorf("read %s from event %d: %w", l.gateway, from, l.readError(ctx, err)))
		return false
	}
	cons, err := p.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:   from,
	})
	if err != nil {
		return fail(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = p.stream.DeleteConsumer(ctx, cons.CachedInfo().Name) // it would be gone in five minutes anyway
	}()
	if to != 0 && cons.CachedInfo().NumPending == 0 {
		return fail(&GapError{Gateway: l.gateway, Want: from, What: "stream sequence"})
	}
	msgs, err := cons.Messages(jetstream.PullMaxMessagesWithBytesLimit(pullMessages, pullBytes))
	if err != nil {
		return fail(err)
	}
	defer msgs.Stop()
	waiting, release := p.whileOpen(ctx)
	defer release()
	next := jetstream.NextContext(waiting)
	for ; to == 0 || want <= to; want++ {
		if to == 0 && p.sealed() {
			if to = p.last; want > to {
				return true
			}
			next = jetstream.NextContext(ctx)
		}
		msg, err := msgs.Next(next)
		if err != nil && to == 0 && ctx.Err() == nil && p.sealed() {
			want-- // the same one again, and no further than the part goes
			continue
		}
		if err != nil {
			return fail(err)
		}
		meta, err := msg.Metadata()
		if err == nil && meta.Sequence.Stream != want {
			err = &GapError{Gateway: l.gateway, Want: want, Got: meta.Sequence.Stream, What: "stream sequence"}
		}
		if err != nil {
			return fail(err)
		}
		rec, err := l.record(want, msg.Subject(), msg.Data())
		if !yield(rec, err) || err != nil {
			return false
		}
		if want < to && meta.NumPending == 0 { // the log had more, and it is gone
			return fail(&GapError{Gateway: l.gateway, Want: want + 1, What: "stream sequence"})
		}
	}
	return true
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
