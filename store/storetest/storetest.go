// Package storetest says in sentences what a store.Log does, and holds any
// implementation to them: run it from the test of the implementation.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
)

// Gateway is whose log Run wants.
const Gateway = "paper"

// Next returns a record that follows head, with text in it.
func Next(t testing.TB, gateway string, head store.Head, text string) events.Record {
	t.Helper()
	rec, err := events.NewRecord(events.Event{
		ID:      fmt.Sprintf("b1-%s-%d", gateway, head.Seq+1),
		Source:  "/operator/cli",
		Gateway: gateway,
		Time:    time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(head.Seq) * time.Second),
		Seq:     head.Seq + 1,
		Boot:    "b1",
		Mono:    int64(head.Seq) * 1e9,
		Prev:    head.Hash,
		Data:    events.OperatorNoted{By: "night", Text: text},
	})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// HeadOf is the head that rec makes.
func HeadOf(rec events.Record) store.Head {
	return store.Head{Seq: rec.Seq, ID: rec.ID, Hash: rec.Hash()}
}

// Fill appends n records and returns them.
func Fill(t testing.TB, log store.Log, gateway string, n int) []events.Record {
	t.Helper()
	head, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	recs := make([]events.Record, 0, n)
	for range n {
		rec := Next(t, gateway, head, "note")
		if err := log.Append(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		recs, head = append(recs, rec), HeadOf(rec)
	}
	return recs
}

// Run holds the logs that open returns to what store.Log promises. Each must be
// empty and of Gateway.
func Run(t *testing.T, open func(t *testing.T) store.Log) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, store.Log)
	}{
		{"an empty log has the zero head and nothing to read", empty},
		{"what was appended is read back, byte for byte and chained", roundTrip},
		{"a record that does not follow the head is refused", notNext},
		{"another event at the head's sequence is a conflict", conflict},
		{"an event behind the head is a conflict", behind},
		{"the head's id with other bytes is a fork", forked},
		{"appending the head again is a success and changes nothing", repeated},
		{"a record of another gateway is refused", foreign},
		{"bounds are inclusive and clipped to the log", boundaries},
		{"a read without an end stops at the head it began with", capturedHead},
		{"a reader may stop early", stopEarly},
		{"tail gives the history and then what comes", tail},
		{"a cancelled context ends every call with its error", cancelled},
		{"consume hands on the kinds asked for, in order", consume},
		{"consume goes on where it was", consumeResumes},
		{"consume repeats an event until the handler takes it", consumeRepeats},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

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

func boundaries(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 100)
	for _, c := range []struct {
		name           string
		from, to       uint64
		wantFrom, want int
	}{
		{"from 0 is from 1", 0, 2, 0, 2},
		{"one event", 7, 7, 6, 1},
		{"a few", 5, 9, 4, 5},
		{"many", 3, 97, 2, 95},
		{"to 0 is to the head", 99, 0, 98, 2},
		{"to beyond the head is to the head", 98, 500, 97, 3},
		{"from beyond the head is nothing", 101, 0, 0, 0},
		{"to before from is nothing", 9, 8, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			equal(t, collect(t, log.Read(t.Context(), c.from, c.to)), recs[c.wantFrom:c.wantFrom+c.want])
		})
	}
}

func capturedHead(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 50)
	head := HeadOf(recs[49])
	var got []events.Record
	for rec, err := range log.Read(t.Context(), 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec)
		next := Next(t, Gateway, head, "meanwhile")
		if err := log.Append(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		head = HeadOf(next)
	}
	equal(t, got, recs)
}

func stopEarly(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 60)
	for _, n := range []int{1, 40} {
		var got []events.Record
		for rec, err := range log.Read(t.Context(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, rec); len(got) == n {
				break
			}
		}
		equal(t, got, recs[:n])
	}
}

func tail(t *testing.T, log store.Log) {
	recs := Fill(t, log, Gateway, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	head := HeadOf(recs[9])
	var got []events.Record
	for rec, err := range log.Tail(ctx, 4) {
		if errors.Is(err, context.Canceled) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec)
		if rec.Seq != head.Seq {
			continue
		}
		if head.Seq == 20 {
			cancel()
			continue
		}
		next := Next(t, Gateway, head, "live")
		if err := log.Append(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		recs, head = append(recs, next), HeadOf(next)
	}
	equal(t, got, recs[3:])
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

func refused(t *testing.T, log store.Log, rec events.Record, want error) {
	t.Helper()
	err := log.Append(t.Context(), rec)
	var ae *store.AppendError
	if !errors.Is(err, want) || !errors.As(err, &ae) {
		t.Errorf("append event %d: %v, want an *AppendError that is %q", rec.Seq, err, want)
	}
}

func collect(t *testing.T, seq iter.Seq2[events.Record, error]) []events.Record {
	t.Helper()
	var recs []events.Record
	for rec, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		recs = append(recs, rec)
	}
	return recs
}

func equal(t *testing.T, got, want []events.Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range got {
		if string(got[i].Raw) != string(want[i].Raw) {
			t.Fatalf("event %d:\n got %s\nwant %s", i, got[i].Raw, want[i].Raw)
		}
	}
}
