package alert

import (
	"context"
	"fmt"

	"ibrecorder/events"
	"ibrecorder/internal/notice"
)

// Compose reads what an alert is about and makes the notice of it. rec is an
// alert.raised, alert.reminded or alert.resolved of log. The error is the log's.
func Compose(ctx context.Context, log reader, words notice.Words, rec events.Record) (notice.Notice, error) {
	f := notice.Facts{Alert: rec, Raised: rec}
	var err error
	if seq := of(rec); seq != rec.Seq {
		if f.Raised, err = one(ctx, log, seq); err != nil {
			return notice.Notice{}, err
		}
	}
	raised, ok := f.Raised.Data.(events.AlertRaised)
	if !ok {
		return notice.Notice{}, fmt.Errorf("tell of event %d: event %d is %s, and no alert", rec.Seq, f.Raised.Seq, f.Raised.Kind())
	}
	if f.Began, err = one(ctx, log, raised.Of); err != nil {
		return notice.Notice{}, err
	}
	if d, over := rec.Data.(events.AlertResolved); over {
		if f.Ended, err = one(ctx, log, d.Of); err != nil {
			return notice.Notice{}, err
		}
	}
	return words.Of(f), nil
}

func one(ctx context.Context, log reader, seq uint64) (events.Record, error) {
	for rec, err := range log.Read(ctx, seq, seq) {
		if err != nil {
			return rec, fmt.Errorf("read what an alert is about: %w", err)
		}
		return rec, nil
	}
	return events.Record{}, fmt.Errorf("read what an alert is about: event %d is not there", seq)
}
