package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
)

func consume(t *testing.T, log store.Log) {
	recs := mixed(t, log, 12)
	for _, c := range []struct {
		name  string
		kinds []events.Kind
		step  int
	}{
		{"all", nil, 1},
		{"one", []events.Kind{events.RecorderGap{}.Kind()}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []events.Record
			for i := c.step - 1; i < len(recs); i += c.step {
				want = append(want, recs[i])
			}
			equal(t, take(t, log, c.name, c.kinds, len(want)), want)
		})
	}
}

func consumeResumes(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 6)
	first := take(t, log, "pager", nil, 3)
	equal(t, first, recs[:3])
	// The position is kept loosely: what was handled may come again, nothing may
	// be left out.
	rest := take(t, log, "pager", nil, 3)
	if rest[0].Seq > 4 {
		t.Errorf("went on at %d, want at most 4", rest[0].Seq)
	}
}

func consumeRepeats(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 2)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []uint64
	err := log.Consume(ctx, "pager", nil, func(_ context.Context, rec events.Record) error {
		got = append(got, rec.Seq)
		if len(got) == 1 {
			return errors.New("the pager is busy")
		}
		if rec.Seq == recs[1].Seq {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[1 1 2]" {
		t.Errorf("handled %v, want [1 1 2]: again after the error, and not overtaken", got)
	}
}

// mixed appends two kinds in turn.
func mixed(t *testing.T, log store.Log, n int) []events.Record {
	var head store.Head
	var recs []events.Record
	for i := range n {
		rec := Next(t, Gateway, head, "note")
		if i%2 == 1 {
			rec.Data = events.RecorderGap{Reason: events.GapOverflow, Lost: int64(i)}
			rec.Source = "/recorder"
			var err error
			if rec, err = events.NewRecord(rec.Event); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		recs, head = append(recs, rec), HeadOf(rec)
	}
	return recs
}

// take consumes n events and stops.
func take(t *testing.T, log store.Log, durable string, kinds []events.Kind, n int) []events.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var mu sync.Mutex
	var got []events.Record
	err := log.Consume(ctx, durable, kinds, func(_ context.Context, rec events.Record) error {
		mu.Lock()
		defer mu.Unlock()
		if got = append(got, rec); len(got) == n {
			cancel()
		}
		return nil
	})
	if len(got) < n {
		t.Fatalf("consumed %d of %d: %v", len(got), n, err)
	}
	return got
}
