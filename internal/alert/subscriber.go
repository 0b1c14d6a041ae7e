package alert

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
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
	// Tell returns when the notice was taken, or a *channel.TellError. It takes less than 30 s,
	// after which the log gives the event out again.
	Tell(ctx context.Context, n notice.Notice) error
}

// Subscriber tells one channel of the stops of one gateway.
type Subscriber struct {
	Log     Log
	Desk    Desk
	Channel Channel
	Logger  *slog.Logger
}

// kinds are what is told of.
var kinds = []events.Kind{events.RestartRequired{}.Kind(), events.RestartAcknowledged{}.Kind(), events.GatewayContradicted{}.Kind()}

// maxTries is how often one event is tried, over about four minutes by the waits
// of store.Log.Consume: longer than a network is away when a router restarts, and
// a command that fails for longer is broken.
const maxTries = 12

// Run tells until ctx ends. Its error is ctx's, or the log's.
func (s Subscriber) Run(ctx context.Context) error {
	c, err := s.recall(ctx)
	if err != nil {
		return err
	}
	return s.Log.Consume(ctx, "alert-"+s.Channel.Name(), kinds, func(ctx context.Context, rec events.Record) error {
		return s.tell(ctx, c, rec)
	})
}

// cursor is what the log says of who was told of what. Run's handler owns it.
type cursor struct {
	done  map[string]bool           // told, or given up; by the ID of what was to be told
	tries map[string]int64          // that failed
	over  map[string]bool           // was over before anybody could be told
	taken map[string]events.Payload // the channel took it, and the log does not say so yet
}

// recall reads the cursor.
func (s Subscriber) recall(ctx context.Context) (*cursor, error) {
	c := &cursor{done: map[string]bool{}, tries: map[string]int64{}, over: map[string]bool{}, taken: map[string]events.Payload{}}
	var standing string           // the stop in force
	stopOf := map[string]string{} // by the ID of its end
	for rec, err := range s.Log.Read(ctx, 1, 0) {
		if err != nil {
			return nil, fmt.Errorf("read who was alerted: %w", err)
		}
		switch d := rec.Data.(type) {
		case events.RestartRequired:
			c.over[rec.ID] = true
			standing = rec.ID
		case events.RestartAcknowledged:
			stopOf[rec.ID], standing = standing, ""
		case events.GatewayContradicted:
			if d.Ends {
				stopOf[rec.ID], standing = standing, ""
			}
		case events.AlertDelivered:
			if d.Channel == s.Channel.Name() {
				c.done[rec.Cause] = true
			}
		case events.AlertFailed:
			if d.Channel == s.Channel.Name() {
				c.tries[rec.Cause] = d.Try
				c.done[rec.Cause] = d.Final
			}
		}
	}
	delete(c.over, standing)
	for end, stop := range stopOf {
		c.over[end] = !c.done[stop]
	}
	return c, nil
}

// tell handles one event. An error brings it again.
func (s Subscriber) tell(ctx context.Context, c *cursor, rec events.Record) error {
	if d, ok := rec.Data.(events.GatewayContradicted); ok && !d.Ends || c.done[rec.ID] || c.over[rec.ID] {
		return nil
	}
	if outcome := c.taken[rec.ID]; outcome != nil {
		return s.record(ctx, c, rec, outcome)
	}
	switch end, err := s.overSince(ctx, rec); {
	case err != nil:
		return err
	case end != "":
		c.over[end], c.over[rec.ID] = true, true
		return nil
	}
	try := c.tries[rec.ID] + 1
	began := time.Now()
	told := s.Channel.Tell(ctx, notice.Notice{Kind: kindOf(rec), Gateway: rec.Gateway, Key: rec.ID, Time: rec.Time, Record: rec})
	if told == nil {
		c.taken[rec.ID] = events.AlertDelivered{Channel: s.Channel.Name(), ElapsedMS: time.Since(began).Milliseconds(), Tries: try}
		return s.record(ctx, c, rec, c.taken[rec.ID])
	}
	if ctx.Err() != nil {
		return context.Cause(ctx) // the end of the run cut it short: it proves nothing about the channel
	}
	c.tries[rec.ID] = try
	failed := failure(s.Channel.Name(), try, try >= maxTries, told)
	s.Logger.Error("nobody was told", "channel", s.Channel.Name(), "of", rec.Kind(), "seq", rec.Seq, "try", try, "final", failed.Final, "error", told)
	if err := s.record(ctx, c, rec, failed); err != nil || failed.Final {
		return err
	}
	return told
}

// failure is what is recorded of a try that failed.
func failure(name string, try int64, final bool, err error) events.AlertFailed {
	f := events.AlertFailed{Channel: name, Try: try, Final: final, ExitCode: -1, Text: err.Error()}
	if e, ok := errors.AsType[*channel.TellError](err); ok {
		f.ExitCode = e.ExitCode
	}
	return f
}

// kindOf is what people are told with an event.
func kindOf(rec events.Record) notice.Kind {
	if _, stop := rec.Data.(events.RestartRequired); stop {
		return notice.Stop
	}
	return notice.Over
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

// overSince returns the end of a stop that ended while nobody could be told of it,
// "" if it stands, and for anything but a stop.
func (s Subscriber) overSince(ctx context.Context, stop events.Record) (end string, err error) {
	if _, ok := stop.Data.(events.RestartRequired); !ok {
		return "", nil
	}
	for rec, err := range s.Log.Read(ctx, stop.Seq+1, 0) {
		if err != nil {
			return "", fmt.Errorf("read whether a stop is over: %w", err)
		}
		switch d := rec.Data.(type) {
		case events.RestartAcknowledged:
			return rec.ID, nil
		case events.GatewayContradicted:
			if d.Ends {
				return rec.ID, nil
			}
		}
	}
	return "", nil
}
