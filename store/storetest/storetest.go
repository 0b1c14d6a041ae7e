package storetest

import (
	"fmt"
	"iter"
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
