package store

import (
	"iter"

	"ibrecorder/events"
)

const (
	batchLen = 256 // records that change hands at once
	batches  = 4
)

// batch is what was read in a row; err ends the stream.
type batch struct {
	recs []events.Record
	err  error
}

// Ahead reads a stream in a goroutine of its own, up to a thousand records before
// whoever judges them: decoding is the larger half of verifying. The stream, its
// order and its end are the same. The goroutine is gone when the loop over it ends.
func Ahead(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		full, empty := make(chan batch, batches), make(chan []events.Record, batches)
		for range batches {
			empty <- make([]events.Record, 0, batchLen)
		}
		go func() {
			defer close(full)
			read(in, full, empty)
		}()
		defer func() {
			close(empty)
			for range full { // the reader sees it at its next batch
			}
		}()
		for b := range full {
			for i := range b.recs {
				if !yield(b.recs[i], nil) {
					return
				}
			}
			if b.err != nil {
				yield(events.Record{}, b.err)
				return
			}
			empty <- b.recs[:0]
		}
	}
}

// read fills batches until the stream ends or nobody gives empty ones any more.
func read(in iter.Seq2[events.Record, error], full chan<- batch, empty <-chan []events.Record) {
	recs, wanted := <-empty
	for rec, err := range in {
		if err != nil {
			full <- batch{recs, err}
			return
		}
		if recs = append(recs, rec); len(recs) < batchLen {
			continue
		}
		full <- batch{recs: recs}
		if recs, wanted = <-empty; !wanted {
			return
		}
	}
	full <- batch{recs: recs}
}
