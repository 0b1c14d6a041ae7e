package storetest

import (
	"context"
	"errors"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
)

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
