package main

import (
	"errors"
	"iter"

	"ibrecorder/events"
	"ibrecorder/internal/source"
)

// witness looks at a stream that a verb tells and does not judge: a hole, a line
// of another log or a place that is damaged makes what is told of it doubtful, and
// only verify says so by itself.
type witness struct {
	doubts []error // about the place
	chain  events.Chain
	off    error // the first break of the chain
}

func newWitness(src *source.Source) *witness { return &witness{doubts: src.Doubts} }

// watch passes a stream on.
func (w *witness) watch(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if err == nil && w.off == nil {
				w.off = w.chain.Add(rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// tell passes a stream on and ends it with what is wrong with it.
func (w *witness) tell(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range w.watch(in) {
			if !yield(rec, err) || err != nil {
				return
			}
		}
		if err := w.err(); err != nil {
			yield(events.Record{}, err)
		}
	}
}

// err is what is wrong with what was seen so far, nil if nothing is.
func (w *witness) err() error {
	if w.off != nil {
		return errors.Join(append(w.doubts[:len(w.doubts):len(w.doubts)], w.off)...)
	}
	return errors.Join(w.doubts...)
}
