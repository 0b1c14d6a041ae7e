package alert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/notice"
	"ibrecorder/store"
)

// Log is what a subscriber reads; store.Log is one.
type Log interface {
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]
	Consume(ctx context.Context, durable string, kinds []events.Kind, handle store.Handler) error
}

// Desk records what came of it, durably.
type Desk interface {
	Submit(context.Context, events.Draft) (events.Record, error)
}

// Channel tells somebody. Those of package channel do.
type Channel interface {
	// Name stands in the log.
	Name() string
	// Tell returns when the notice was taken, or a *channel.TellError. It takes less than 30 s:
	// the log gives the event out again after two such tries.
	Tell(ctx context.Context, n notice.Notice) error
}

// Some is a channel that is told some kinds of notices alone.
type Some struct {
	Channel
	Kinds []notice.Kind
}

func takes(ch Channel, k notice.Kind) bool {
	some, ok := ch.(Some)
	return !ok || slices.Contains(some.Kinds, k)
}

// patient is an error that says when to come again.
type patient struct {
	error
	after time.Duration
}

func (e patient) Unwrap() error { return e.error }

// RetryAfter implements store.Patient.
func (e patient) RetryAfter() time.Duration { return e.after }

// Subscriber tells one channel of the alerts of one gateway.
type Subscriber struct {
	Log     Log
	Desk    Desk
	Channel Channel
	// Words make a notice of an alert.
	Words  notice.Words
	Logger *slog.Logger
	// At is the sequence of what the channel has in its hands, 0 if nothing; nil, and
	// nobody wants to know.
	At *atomic.Uint64
}

// kinds are what is told.
var kinds = []events.Kind{events.AlertRaised{}.Kind(), events.AlertReminded{}.Kind(), events.AlertResolved{}.Kind()}

// An event is given up when its channel has failed for a day, with a minute between two
// tries at the end: whoever was without a network for a night is told in the morning.
const (
	giveUpAfter = 24 * time.Hour
	leastTries  = 12 // whatever the clock says
)

// Durable is the name under which a log keeps the position of a channel.
func Durable(channel string) string { return "alert-" + channel }

// Run tells until ctx ends. Its error is ctx's, or the log's.
func (s Subscriber) Run(ctx context.Context) error {
	if s.At == nil {
		s.At = new(atomic.Uint64)
	}
	c := newCursor(s.Log, s.Channel.Name())
	return s.Log.Consume(ctx, Durable(s.Channel.Name()), kinds, func(ctx context.Context, rec events.Record) error {
		s.At.Store(rec.Seq)
		err := s.tell(ctx, c, rec)
		if err == nil {
			s.At.Store(0)
			return nil
		}
		return later(err, s.overtake(ctx, c, rec))
	})
}

// overtake tells of the stops behind an event that the channel did not take: it may be the
// event that is wrong, and nobody is to wait a day for another stop behind it. They are
// found done when their turn comes.
func (s Subscriber) overtake(ctx context.Context, c *cursor, failed events.Record) error {
	if ctx.Err() != nil {
		return nil
	}
	for seq := range c.stopsBehind(failed) {
		rec, err := one(ctx, s.Log, seq)
		if err == nil && rec.Data != nil { // else archived meanwhile
			err = s.tell(ctx, c, rec)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// later joins two errors of which the one that wants more time counts.
func later(a, b error) error {
	x, _ := errors.AsType[patient](a)
	y, _ := errors.AsType[patient](b)
	if b == nil || x.after >= y.after {
		return errors.Join(a, b)
	}
	return errors.Join(b, a)
}

// tell handles one event. An error brings it again.
func (s Subscriber) tell(ctx context.Context, c *cursor, rec events.Record) error {
	if outcome := c.taken[rec.ID]; outcome != nil {
		return s.record(ctx, c, rec, outcome)
	}
	if news, err := c.news(ctx, rec); err != nil || !news {
		return err
	}
	n, err := s.notice(ctx, rec)
	if err != nil {
		return err
	}
	if !takes(s.Channel, n.Kind) {
		return nil
	}
	try := c.tries[rec.ID] + 1
	began := time.Now()
	told := s.Channel.Tell(ctx, n)
	if told == nil {
		c.taken[rec.ID] = events.AlertDelivered{Channel: s.Channel.Name(), ElapsedMS: time.Since(began).Milliseconds(), Tries: try}
		return s.record(ctx, c, rec, c.taken[rec.ID])
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // the end of the run cut it short: it proves nothing about the channel
	}
	c.tries[rec.ID] = try
	if c.failed[rec.ID].IsZero() {
		c.failed[rec.ID] = began
	}
	e, _ := errors.AsType[*channel.TellError](told)
	final := e != nil && e.Final || try >= leastTries && time.Since(c.failed[rec.ID]) >= giveUpAfter
	s.Logger.Error("nobody was told", "channel", s.Channel.Name(), "of", rec.Kind(), "seq", rec.Seq, "try", try, "final", final, "error", told)
	if final || recorded(try) {
		if err := s.record(ctx, c, rec, failure(s.Channel.Name(), try, final, told)); err != nil || final {
			return err
		}
	}
	if e != nil {
		return patient{told, e.RetryAfter}
	}
	return told
}

// recorded says which failures are written down: each is twice as far from the first as
// the one before. A channel that is down for a day must not fill the log.
func recorded(try int64) bool { return try&(try-1) == 0 }

// failure is what is recorded of a try that failed.
func failure(to string, try int64, final bool, err error) events.AlertFailed {
	f := events.AlertFailed{Channel: to, Try: try, Final: final, ExitCode: -1, Text: err.Error()}
	if e, ok := errors.AsType[*channel.TellError](err); ok {
		f.ExitCode = e.ExitCode
	}
	return f
}

// notice makes the message that an event is told with.
func (s Subscriber) notice(ctx context.Context, rec events.Record) (notice.Notice, error) {
	return Compose(ctx, s.Log, s.Words, rec)
}

// recordWithin bounds how long the end of a run is delayed by an outcome that is not
// in the log yet. The loop takes it: it ends after its subscribers.
const recordWithin = 500 * time.Millisecond

// record writes an outcome down, also at the end of a run: otherwise the next one
// tells it again.
func (s Subscriber) record(ctx context.Context, c *cursor, rec events.Record, outcome events.Payload) error {
	writing, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(recordWithin, cancel) })()
	if _, err := s.Desk.Submit(writing, events.Draft{Source: "/recorder", Cause: rec.ID, Data: outcome}); err != nil {
		return fmt.Errorf("record the outcome of an alert: %w", err)
	}
	if failed, ok := outcome.(events.AlertFailed); !ok || failed.Final {
		c.done[rec.ID] = true
	}
	delete(c.taken, rec.ID)
	return nil
}
