package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ibrecorder/events"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ackWait is how long a handler may take before the event is given out again to
	// the same run. One that told of a stop behind it has taken two tries of 30 s.
	ackWait = 2 * time.Minute
	// firstRedelivery and lastRedelivery bound the wait after a handler's error.
	firstRedelivery = 250 * time.Millisecond
	lastRedelivery  = time.Minute
)

// Patient is an error of a handler that knows when to come again.
type Patient interface {
	error
	// RetryAfter is the least wait; 0 leaves it to the log.
	RetryAfter() time.Duration
}

// wait is how long to wait after the nth delivery's error.
func wait(n uint64, err error) time.Duration {
	if p, ok := errors.AsType[Patient](err); ok {
		return max(redelivery(n), p.RetryAfter())
	}
	return redelivery(n)
}

// redelivery is the wait before the nth delivery's event comes again, n from 1.
func redelivery(n uint64) time.Duration {
	if n > 9 {
		return lastRedelivery
	}
	return min(firstRedelivery<<(n-1), lastRedelivery)
}

// Consume implements Log with one durable pull consumer for each part. That of a rolled
// part stays where it is, so a part that was handled once is not read again.
func (l *JetLog) Consume(ctx context.Context, durable string, kinds []events.Kind, handle Handler) error {
	for n := 0; ; { // parts that are done
		parts := *l.parts.Load()
		i := slices.IndexFunc(parts, func(p *part) bool { return p.n > n })
		if i < 0 { // sealed, and a roll has not come to the next one
			if err := l.nextPart(ctx, n); err != nil {
				return fmt.Errorf("consume %s as %s: %w", l.gateway, durable, err)
			}
			continue
		}
		if err := l.consume(ctx, parts[i], durable, kinds, handle); err != nil {
			return err
		}
		n = parts[i].n
	}
}

// consume hands out the events of one part. It returns nil when the part is sealed and
// all of them were handled.
func (l *JetLog) consume(ctx context.Context, p *part, durable string, kinds []events.Kind, handle Handler) error {
	fail := func(err error) error {
		return fmt.Errorf("consume %s as %s: %w", l.gateway, durable, l.readError(ctx, err))
	}
	cfg := jetstream.ConsumerConfig{
		Durable:       durable,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       ackWait,
		MaxDeliver:    -1,
		MaxAckPending: 1, // so that a failed event is not overtaken
	}
	for _, k := range kinds {
		cfg.FilterSubjects = append(cfg.FilterSubjects, l.prefix+string(k))
	}
	cons, err := p.stream.CreateOrUpdateConsumer(ctx, cfg)
	if err == nil && cons.CachedInfo().NumAckPending > 0 {
		// The last run had an event in its hands when it ended. Nobody has it now, and
		// without this it would come again only when ackWait is over.
		_, err = l.store.js.ResetConsumer(ctx, p.name, durable)
	}
	if err != nil {
		return fail(err)
	}
	// MaxAckPending is what hands out one event at a time. To ask for one at a time as
	// well makes nats.go 1.55.0 forget to ask: it does not while it is still sending the
	// request before, whose event may be there already, and looks again only when a
	// heartbeat has been missed for 30 s.
	msgs, err := cons.Messages()
	if err != nil {
		return fail(err)
	}
	defer msgs.Stop()
	waiting, release := p.whileOpen(ctx)
	defer release()
	for {
		if p.sealed() {
			info, err := cons.Info(ctx)
			if err != nil {
				return fail(err)
			}
			if info.NumPending == 0 && info.NumAckPending == 0 {
				return nil
			}
			waiting = ctx
		}
		msg, err := msgs.Next(jetstream.NextContext(waiting))
		if errors.Is(err, jetstream.ErrNoHeartbeat) {
			continue // a new request is on its way
		}
		if err != nil && ctx.Err() == nil && waiting.Err() != nil {
			continue // it was sealed meanwhile
		}
		if err != nil {
			return fail(err)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return fail(err)
		}
		rec, err := l.record(meta.Sequence.Stream, msg.Subject(), msg.Data())
		if err != nil {
			return err
		}
		if err := handle(ctx, rec); err != nil {
			wait := wait(meta.NumDelivered, err)
			l.store.cfg.Logger.Warn("event comes again", "gateway", l.gateway, "durable", durable, "seq", rec.Seq, "in", wait, "error", err)
			err = msg.NakWithDelay(wait)
			if err != nil {
				return fail(err)
			}
			continue
		}
		if err := l.acked(ctx, p, msg); err != nil {
			return fail(err)
		}
	}
}

// acked tells the server that an event was handled. Of a rolled part it waits for the
// answer, because what is left there is asked next.
func (l *JetLog) acked(ctx context.Context, p *part, msg jetstream.Msg) error {
	if p.sealed() {
		return msg.DoubleAck(ctx)
	}
	return msg.Ack()
}

// ConsumedBy forgets the position of everybody whose durable name is not among names: who
// never comes again would keep what they have not had from being archived for ever.
func (l *JetLog) ConsumedBy(ctx context.Context, names []string) error {
	for _, p := range *l.parts.Load() {
		var gone []string
		list := p.stream.ListConsumers(ctx)
		for info := range list.Info() {
			if d := info.Config.Durable; d != "" && !slices.Contains(names, d) {
				gone = append(gone, d)
			}
		}
		err := list.Err()
		for _, d := range gone {
			if err == nil {
				err = p.stream.DeleteConsumer(ctx, d)
			}
			if errors.Is(err, jetstream.ErrConsumerNotFound) {
				err = nil
			}
		}
		if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) { // archived meanwhile
			return fmt.Errorf("forget who consumed %s: %w", l.gateway, l.readError(ctx, err))
		}
	}
	return nil
}
