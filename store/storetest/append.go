package storetest

import (
	"context"
	"errors"
	"iter"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
)

func empty(t *testing.T, log store.Log) {
	head, err := log.Head(t.Context())
	if err != nil || head != (store.Head{}) {
		t.Errorf("head %v, %v", head, err)
	}
	if got := collect(t, log.Read(t.Context(), 0, 0)); len(got) != 0 {
		t.Errorf("read %d events", len(got))
	}
}

func roundTrip(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 100)
	equal(t, collect(t, log.Read(t.Context(), 1, 0)), recs)
	head, err := log.Head(t.Context())
	if err != nil || head != HeadOf(recs[99]) {
		t.Errorf("head %v, %v; want %v", head, err, HeadOf(recs[99]))
	}
}

func notNext(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 3)
	head := HeadOf(recs[2])
	far := Next(t, Gateway, store.Head{Seq: head.Seq + 1, Hash: head.Hash}, "one too far")
	refused(t, log, far, store.ErrNotNext)
	loose := Next(t, Gateway, store.Head{Seq: head.Seq, Hash: recs[1].Hash()}, "another chain")
	refused(t, log, loose, store.ErrNotNext)
	equal(t, collect(t, log.Read(t.Context(), 0, 0)), recs)
}

func conflict(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 2)
	other := Next(t, Gateway, HeadOf(recs[0]), "another")
	other.ID = "b2-paper-2"
	other, err := events.NewRecord(other.Event)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, log, other, store.ErrConflict)
	equal(t, collect(t, log.Read(t.Context(), 0, 0)), recs)
}

func behind(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 3)
	refused(t, log, recs[0], store.ErrConflict)
}

func forked(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 2)
	refused(t, log, Next(t, Gateway, HeadOf(recs[0]), "other words"), store.ErrForked)
	equal(t, collect(t, log.Read(t.Context(), 0, 0)), recs)
}

func repeated(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 2)
	if err := log.Append(t.Context(), recs[1]); err != nil {
		t.Error(err)
	}
	equal(t, collect(t, log.Read(t.Context(), 0, 0)), recs)
}

func foreign(t *testing.T, log store.Log) {
	refused(t, log, Next(t, "live", store.Head{}, "not mine"), events.ErrGateway)
}

func cancelled(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 100)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := log.Append(ctx, Next(t, Gateway, HeadOf(recs[99]), "late")); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if _, err := log.Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("head: %v", err)
	}
	for name, seq := range map[string]iter.Seq2[events.Record, error]{"read": log.Read(ctx, 0, 0), "tail": log.Tail(ctx, 0)} {
		var last error
		for _, err := range seq {
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%s: %v", name, last)
		}
	}
	if err := log.Consume(ctx, "nobody", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("consume: %v", err)
	}
}

func refused(t *testing.T, log store.Log, rec events.Record, want error) {
	t.Helper()
	err := log.Append(t.Context(), rec)
	var ae *store.AppendError
	if !errors.Is(err, want) || !errors.As(err, &ae) {
		t.Errorf("append event %d: %v, want an *AppendError that is %q", rec.Seq, err, want)
	}
}
