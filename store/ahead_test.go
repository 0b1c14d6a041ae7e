package store_test

import (
	"errors"
	"fmt"
	"iter"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
)

// numbered yields n records, then err if there is one, and says in read how many
// were taken from it.
func numbered(n int, err error, read *int) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for i := range n {
			*read = i + 1
			if !yield(events.Record{Event: events.Event{Seq: uint64(i + 1)}}, nil) {
				return
			}
		}
		if err != nil {
			yield(events.Record{}, err)
		}
	}
}

func TestAheadIsTheSameStream(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{0, 1, 255, 256, 257, 1024, 5000} {
		for _, end := range []error{nil, broken} {
			t.Run(fmt.Sprint(n, " events, end ", end), func(t *testing.T) {
				var read int
				got, last := 0, error(nil)
				for rec, err := range store.Ahead(numbered(n, end, &read)) {
					if last != nil {
						t.Fatal("something comes after the error")
					}
					if last = err; err != nil {
						continue
					}
					if got++; rec.Seq != uint64(got) {
						t.Fatalf("event %d comes as number %d", rec.Seq, got)
					}
				}
				if got != n || last != end {
					t.Errorf("%d events and %v, want %d and %v", got, last, n, end)
				}
			})
		}
	}
}

func TestWhoStopsEarlyIsNotReadFarAhead(t *testing.T) {
	for _, stop := range []int{1, 256, 257, 1000} {
		var read int
		got := 0
		for range store.Ahead(numbered(1_000_000, nil, &read)) {
			if got++; got == stop {
				break
			}
		}
		// The reader has ended: TestMain looks for it, and read is ours again.
		if got != stop || read > stop+2_000 {
			t.Errorf("stopped after %d, want %d; %d were read", got, stop, read)
		}
	}
}
