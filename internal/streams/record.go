package streams

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
)

// recorded writes round n of what a sensor saw, and the decisions that are due
// before it and after each event. A line that begins a run ends the one before it
// without a word, as a kill does.
func (w *writer) recorded(fact Fact, n int, pol events.PolicyLoaded) error {
	if fact.When.After {
		if w.boot == "" {
			return fmt.Errorf("%w: no recorder.started yet", ErrFacts)
		}
		at := int64(fact.When.Offset)
		if err := w.pass(at); err != nil {
			return err
		}
	}
	for _, what := range fact.What {
		d, boot, err := draft(strings.ReplaceAll(what, "{n}", strconv.Itoa(n)))
		if err != nil {
			return err
		}
		d.Source = fact.Who
		if d.Cause != "" {
			if d.Cause = w.last[d.Cause]; d.Cause == "" {
				return fmt.Errorf("%w: %s: nothing of its cause's kind came before", ErrFacts, what)
			}
		}
		switch d.Data.(type) {
		case events.RecorderStarted:
			if fact.When.Time.IsZero() || boot == "" {
				return fmt.Errorf("%w: a run needs a boot and a time at which it starts", ErrFacts)
			}
			w.boot, w.started, w.now = boot, fact.When.Time, 0
		case events.PolicyLoaded:
			d.Data = pol
		case events.DialStarted:
			if d.Cause = w.last["attempt.permitted "+d.Attempt]; d.Cause == "" {
				return fmt.Errorf("%w: attempt %s has no permit to dial with at %s", ErrFacts, d.Attempt, time.Duration(w.now))
			}
		}
		if info, _ := events.Lookup(d.Data.Kind()); info.Class == events.Decision {
			return fmt.Errorf("%w: %s is a decision, which follows from the facts", ErrFacts, info.Kind)
		}
		if err := w.append(d, w.clock(), w.now); err != nil {
			return err
		}
		if _, first := d.Data.(events.RecorderStarted); first {
			continue // a run loads its policy before it decides
		}
		if _, err := w.decide(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) clock() time.Time { return w.started.Add(time.Duration(w.now)) }

// pass lets the time come to at, and decides on the way whatever is due by then.
func (w *writer) pass(at int64) error {
	if at < w.now {
		return fmt.Errorf("%w: +%s is before +%s", ErrFacts, time.Duration(at), time.Duration(w.now))
	}
	for {
		wake, err := w.decide()
		if err != nil {
			return err
		}
		if wake == 0 || wake > at {
			w.now = at
			return nil
		}
		w.now = wake
	}
}

// decide writes every decision that is due now, and returns when time alone makes
// another due, 0 if never.
func (w *writer) decide() (wake int64, err error) {
	for {
		due := policy.Decide(w.state, w.now)
		if due.Data == nil {
			return due.Wake, nil
		}
		if retry, ok := due.Data.(events.RetryScheduled); ok {
			retry.JitterMS = due.JitterMS / 2 // drawn here for good: half of what may be
			retry.DelayMS += retry.JitterMS
			due.Data = retry
		}
		d := events.Draft{Source: "/recorder", Attempt: due.Attempt, Conn: due.Conn, Cause: due.Cause, Data: due.Data}
		if err := w.append(d, w.clock(), w.now); err != nil {
			return 0, err
		}
	}
}
