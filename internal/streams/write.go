package streams

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Write makes the events of an account, with pol as the policy that it names.
func Write(f Facts, pol events.PolicyLoaded) ([]events.Record, error) {
	w := writer{loop: newLoop(f.Gateway), last: map[string]string{}}
	write := w.imported
	if f.Recorded {
		write = w.recorded
	}
	for _, fact := range f.Facts {
		for n := range fact.Times {
			if err := write(fact, n+1, pol); err != nil {
				return nil, fmt.Errorf("line %d: %w", fact.Line, err)
			}
		}
	}
	return w.recs, nil
}

// NDJSON is the stream as a file: the stored bytes, a line each.
func NDJSON(recs []events.Record) []byte {
	var b bytes.Buffer
	for _, r := range recs {
		b.Write(r.Raw)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// writer keeps what the loop stamps.
type writer struct {
	loop
	last map[string]string // id of the last event by "kind" and by "kind attempt"
	recs []events.Record
}

func (w *writer) append(d events.Draft, at time.Time, mono int64) error {
	rec, err := w.loop.append(d, at, mono)
	if err == nil {
		w.keep(rec)
	}
	return err
}

func (w *writer) keep(rec events.Record) {
	w.last[string(rec.Kind())], w.last[string(rec.Kind())+" "+rec.Attempt] = rec.ID, rec.ID
	w.recs = append(w.recs, rec)
}

// imported writes round n of a fact that no recorder saw.
func (w *writer) imported(fact Fact, n int, pol events.PolicyLoaded) error {
	w.boot = events.BootImport
	for _, what := range fact.What {
		d, boot, err := draft(strings.ReplaceAll(what, "{n}", strconv.Itoa(n)))
		if err != nil {
			return err
		}
		info, _ := events.Lookup(d.Data.Kind())
		d.Source, d.SourceTime = fact.Who, fact.When.Printed
		if fact.Mark != Documented {
			d.Source += "/" + string(fact.Mark)
		}
		if _, ok := d.Data.(events.PolicyLoaded); ok {
			d.Data = pol
		}
		switch {
		case boot != "" || d.Conn != "" || d.Cause != "":
			return fmt.Errorf("%w: boot, conn and cause are a recorder's to say, and none was there", ErrFacts)
		case info.Class == events.Decision:
			return fmt.Errorf("%w: %s is a decision, and no loop was there to make one", ErrFacts, info.Kind)
		case !fsm.Reported(events.Event{Source: d.Source}):
			return fmt.Errorf("%w: source %s is the recorder's own, and it was not there", ErrFacts, d.Source)
		}
		if err := w.append(d, fact.When.Time, events.NoMono); err != nil {
			return err
		}
	}
	return nil
}
