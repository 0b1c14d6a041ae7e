package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/notice"
	"ibrecorder/store"
)

// Compose reads what an alert is about and makes the notice of it. rec is an
// alert.raised, alert.reminded or alert.resolved of log. What was archived since is told
// without its particulars. The error is the log's.
func Compose(ctx context.Context, log reader, words notice.Words, rec events.Record) (notice.Notice, error) {
	f := notice.Facts{Alert: rec, Raised: rec}
	var about events.AlertRaised
	var lasted int64
	var err error
	switch d := rec.Data.(type) {
	case events.AlertRaised:
		about = d
	case events.AlertReminded:
		about, lasted = events.AlertRaised{About: events.AboutStop, Incident: d.Incident}, d.ElapsedMS
		f.Raised, err = one(ctx, log, d.Raised)
	case events.AlertResolved:
		about, lasted = events.AlertRaised{About: d.About, Incident: d.Incident}, d.ElapsedMS
		f.Raised, err = one(ctx, log, d.Raised)
		if err == nil {
			f.Ended, err = one(ctx, log, d.Of)
		}
	default:
		return notice.Notice{}, fmt.Errorf("tell of event %d: %s is no alert", rec.Seq, rec.Kind())
	}
	if err != nil {
		return notice.Notice{}, err
	}
	if raised, ok := f.Raised.Data.(events.AlertRaised); ok {
		about = raised
	} else {
		f.Raised.Data = about
	}
	if about.Of != 0 {
		if f.Began, err = one(ctx, log, about.Of); err != nil {
			return notice.Notice{}, err
		}
	}
	if f.Began.Data == nil {
		f.Began.ID, f.Began.Seq, f.Began.Time = f.Raised.Cause, about.Of, rec.Time.Add(-time.Duration(lasted)*time.Millisecond)
	}
	return words.Of(f), nil
}

// one reads an event; the zero record if it was archived.
func one(ctx context.Context, log reader, seq uint64) (events.Record, error) {
	for rec, err := range log.Read(ctx, seq, seq) {
		switch {
		case errors.Is(err, store.ErrArchived):
			return events.Record{}, nil
		case err != nil:
			return rec, fmt.Errorf("read what an alert is about: %w", err)
		}
		return rec, nil
	}
	return events.Record{}, nil // event 1 of a log that begins later
}
