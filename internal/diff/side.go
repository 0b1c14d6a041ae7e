package diff

import (
	"errors"
	"fmt"
	"iter"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Words gives a number to each meaning, the same for the streams that share it. One
// goroutine uses it at a time.
type Words struct {
	numbers map[string]rune
	names   []string
}

// mostWords is where the surrogates begin, which are no runes: a log has some hundred.
const mostWords = 0xD800

// ErrWords: a stream has more different meanings than can be compared.
var ErrWords = errors.New("too many different events")

func (w *Words) number(meaning string) (rune, error) {
	if n, known := w.numbers[meaning]; known {
		return n, nil
	}
	if w.numbers == nil {
		w.numbers = map[string]rune{}
	}
	n := rune(len(w.names))
	if n >= mostWords {
		return 0, fmt.Errorf("%w: more than %d meanings", ErrWords, mostWords)
	}
	w.numbers[meaning], w.names = n, append(w.names, meaning)
	return n, nil
}

// Side is one of the two streams.
type Side struct {
	Gateway string
	Kinds   map[events.Kind]int
	// Gate and API are nanoseconds in each state, as far as they are known: from an event
	// to the next one of the same run.
	Gate map[fsm.Gate]int64
	API  map[fsm.API]int64

	words *Words
	text  []rune
	seqs  []uint64
}

// Events is how many there are.
func (s *Side) Events() int { return len(s.seqs) }

// Seq is the sequence of event i, from 0.
func (s *Side) Seq(i int) uint64 { return s.seqs[i] }

// Meaning is what event i means.
func (s *Side) Meaning(i int) string { return s.words.names[s.text[i]] }

// Read takes a stream in. What comes before an error of the stream is there beside it.
func Read(stream iter.Seq2[events.Record, error], words *Words) (*Side, error) {
	s := &Side{Kinds: map[events.Kind]int{}, Gate: map[fsm.Gate]int64{}, API: map[fsm.API]int64{}, words: words}
	folder, state := fsm.NewFolder(), fsm.Initial()
	var last events.Event
	for rec, err := range stream {
		if err != nil {
			return s, err
		}
		n, err := words.number(meaning(rec.Event))
		if err != nil {
			return s, fmt.Errorf("event #%d: %w", rec.Seq, err)
		}
		if s.Gateway == "" {
			s.Gateway = rec.Gateway
		}
		if ns, known := events.Elapsed(last, rec.Event); known && last.Data != nil && ns > 0 {
			s.Gate[state.Gate] += ns
			s.API[state.API] += ns
		}
		state, last = folder.Apply(state, rec.Event), rec.Event
		s.Kinds[rec.Kind()]++
		s.text, s.seqs = append(s.text, n), append(s.seqs, rec.Seq)
	}
	return s, nil
}
