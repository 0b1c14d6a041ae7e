package streams

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
)

// recorded writes round n of what a sensor saw, and the decisions that are due
// before it and after each event. A line that begins a run ends the one before it
// without a word, as a kill does.
func (w *writer) recorded(fact Fact, n int, pol events.PolicyLoaded) error {
	if fact.When.After {
		if w.boot == "" {
			return fmt.Errorf("%w: no recorder.started yet", ErrFacts)
		}
		if err := w.pass(int64(fact.When.Offset), w.keep); err != nil {
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
		if _, err := w.decide(w.keep); err != nil {
			return err
		}
	}
	return nil
}
