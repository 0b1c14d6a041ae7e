package alert

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/notice"
)

// Siren tells people what the log cannot: that it takes nothing. It is the one way past
// the log, so it is used once in a Run for each of two conditions: a stop that is not in
// the log, and anything else that is not.
type Siren struct {
	Gateway string
	Boot    string
	// Blocked is what the log does not take and why, or a nil error while it takes
	// everything.
	Blocked func() (events.Record, error)
	// Log is read for what an alert is about.
	Log      reader
	Words    notice.Words
	Channels []Channel
	Logger   *slog.Logger
}

const (
	// sirenLooks is how often it is looked whether the log takes anything.
	sirenLooks = time.Second
	// sirenAfter is how long it may take nothing before people are told: an append that
	// waits for a busy disk takes less.
	sirenAfter = 10 * time.Second
	// sirenTries is how often a channel is tried.
	sirenTries = 30
)

// Run looks until ctx ends, and waits for what it is telling.
func (s Siren) Run(ctx context.Context) {
	var telling sync.WaitGroup
	defer telling.Wait()
	var queues []chan notice.Notice
	for _, ch := range s.Channels {
		queue := make(chan notice.Notice, 3) // a stop, the log, its end
		queues = append(queues, queue)
		defer close(queue)
		telling.Go(func() { s.tell(ctx, ch, queue) })
	}
	say := func(n notice.Notice) {
		for _, queue := range queues {
			queue <- n
		}
	}
	told := map[notice.Kind]bool{}
	var since time.Time  // from when on it took nothing; zero while it does
	var jammed time.Time // from when on it took nothing, if that was told and its end was not
	look := time.NewTicker(sirenLooks)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		rec, err := s.Blocked()
		switch {
		case err == nil:
			if !jammed.IsZero() {
				say(s.Words.Unblocked(s.Gateway, s.Boot, jammed, time.Now()))
			}
			since, jammed = time.Time{}, time.Time{}
			continue
		case since.IsZero():
			since = time.Now()
		}
		if time.Since(since) < sirenAfter {
			continue
		}
		n := s.notice(ctx, rec, err, since)
		if told[n.Kind] {
			continue
		}
		told[n.Kind] = true
		s.Logger.Error("the log takes nothing, so people are told without it", "of", n.Kind, "kind", rec.Kind(), "error", err)
		if n.Kind == notice.Room {
			jammed = since
		}
		say(n)
	}
}

// tell tells one channel what comes, in that order: an end only if it was told of the
// beginning.
func (s Siren) tell(ctx context.Context, ch Channel, queue <-chan notice.Notice) {
	began := false
	for n := range queue {
		if !takes(ch, n.Kind) || n.Ends && !began {
			continue
		}
		if err := persist(ctx, ch, n, sirenTries, s.Logger); err == nil && n.Kind == notice.Room { // else it was logged
			began = true
		}
	}
}

// notice is about the stop that the log does not take, or about the log.
func (s Siren) notice(ctx context.Context, rec events.Record, why error, since time.Time) notice.Notice {
	switch d := rec.Data.(type) {
	case events.RestartRequired:
		return s.Words.Unrecorded(rec)
	case events.AlertRaised:
		if d.About != events.AboutStop {
			break
		}
		if n, err := Compose(ctx, s.Log, s.Words, rec); err == nil {
			return n
		}
	}
	return s.Words.Blocked(s.Gateway, s.Boot, why.Error(), since, time.Now())
}

// persist tries until a channel takes what the log cannot tell of, at most so many times,
// about a minute apart at the end. The error is the last, and was logged.
func persist(ctx context.Context, ch Channel, n notice.Notice, tries int, log *slog.Logger) error {
	for try := 1; ; try++ {
		err := ch.Tell(ctx, n)
		if err == nil {
			return nil
		}
		log.Error("nobody was told without the log", "channel", ch.Name(), "of", n.Kind, "try", try, "error", err)
		if try == tries {
			return err
		}
		select {
		case <-time.After(min(time.Second<<min(try, 6), time.Minute)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
