package report

import (
	"bytes"
	"fmt"
	"iter"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Snapshot is the state after an event.
type Snapshot struct {
	State fsm.State
	// Event is the last one that was folded.
	Event events.Event
	// First is the sequence that the stream starts at. After a start later than 1
	// the state is what this stream alone shows, and its hash is nobody else's.
	First uint64
}

// Rebuild folds a stream up to a moment: to a sequence, to the last event before
// the first one that is later than a time, or to the end. Times are compared in
// milliseconds, as reports print them. A moment that the stream
// does not reach is ErrMoment; if it broke off before, also what broke it. For the
// end of a stream that breaks off, the state up to there comes with the error.
func Rebuild(stream iter.Seq2[events.Record, error], m Moment) (Snapshot, error) {
	var s Snapshot
	fold := fsm.NewFolder()
	s.State = fsm.Initial()
	for rec, err := range stream {
		switch {
		case err != nil && m == Moment{}:
			return s, fmt.Errorf("the stream breaks off after #%d: %w", s.Event.Seq, err)
		case err != nil:
			return s, fmt.Errorf("%s is not reached: the stream breaks off after #%d: %w", m, s.Event.Seq, err)
		case m.before(rec.Time):
			if s.First == 0 {
				return s, fmt.Errorf("%w: nothing had happened by %s, the stream begins with #%d at %s", ErrMoment, m, rec.Seq, Moment{Time: rec.Time})
			}
			return s, nil
		}
		if s.First == 0 {
			s.First = rec.Seq
		}
		s.State, s.Event = fold.Apply(s.State, rec.Event), rec.Event
		if rec.Seq == m.Seq {
			return s, nil
		}
	}
	switch {
	case s.First == 0:
		return s, fmt.Errorf("%w: %w", ErrMoment, ErrEmpty)
	case m.Seq != 0:
		return s, fmt.Errorf("%w as %s: the stream has #%d to #%d", ErrMoment, m, s.First, s.Event.Seq)
	}
	return s, nil
}

// Change is one field of the state that differs between two moments.
type Change struct {
	// Field is its path in the canonical JSON, for example in_a_row.silent.n.
	Field string `json:"field"`
	// Before and After are its values as JSON has them, "" where it is absent.
	Before string `json:"before"`
	After  string `json:"after"`
	// Seq and Kind are of the first event after the earlier moment that changed it.
	Seq  uint64      `json:"seq"`
	Kind events.Kind `json:"kind"`
}

// Compare returns what differs between the states after from and after to, from
// below to, and the first event that changed each. seq and mono are left out:
// every event changes them. The stream is read twice: to know what differs, and
// up to the last of the events that changed it.
func Compare(stream iter.Seq2[events.Record, error], from, to uint64) ([]Change, error) {
	var a, b fields
	reached := uint64(0)
	for s, err := range states(stream) {
		if err != nil {
			return nil, fmt.Errorf("#%d is not reached: the stream breaks off after #%d: %w", to, reached, err)
		}
		seq := s.Event.Seq
		if reached == 0 && seq > from {
			return nil, fmt.Errorf("%w as #%d: the stream starts at #%d", ErrMoment, from, seq)
		}
		if reached = seq; seq == from {
			a = flatten(timeless(&s.State))
		}
		if seq == to {
			b = flatten(timeless(&s.State))
			break
		}
	}
	if reached != to {
		return nil, fmt.Errorf("%w as #%d: the stream ends with #%d", ErrMoment, to, reached)
	}
	names := a.differ(b)
	first, err := firsts(stream, from, a, names)
	if err != nil {
		return nil, err
	}
	out := make([]Change, len(names))
	for i, name := range names {
		e := first[name]
		out[i] = Change{Field: name, Before: a.value(name), After: b.value(name), Seq: e.Seq, Kind: e.Kind()}
	}
	return out, nil
}

// firsts returns the first event after from after which each field is another
// than in a. Each of them does become another.
func firsts(stream iter.Seq2[events.Record, error], from uint64, a fields, names []string) (map[string]events.Event, error) {
	first := map[string]events.Event{}
	var last []byte
	for s, err := range states(stream) {
		switch {
		case err != nil:
			return nil, fmt.Errorf("read the stream once more: %w", err)
		case len(first) == len(names):
			return first, nil
		case s.Event.Seq <= from:
			continue
		}
		now := timeless(&s.State)
		if bytes.Equal(now, last) {
			continue
		}
		last = now
		fields := flatten(now)
		for _, name := range names {
			if _, known := first[name]; !known && fields.value(name) != a.value(name) {
				first[name] = s.Event
			}
		}
	}
	if len(first) < len(names) {
		return nil, fmt.Errorf("%w: read once more, the stream does not show what changed; copy it with replay export and ask the copy", ErrMoment)
	}
	return first, nil
}

// states yields the state after each event.
func states(stream iter.Seq2[events.Record, error]) iter.Seq2[*Snapshot, error] {
	return func(yield func(*Snapshot, error) bool) {
		fold, s := fsm.NewFolder(), Snapshot{State: fsm.Initial()}
		for rec, err := range stream {
			if err == nil {
				s.State, s.Event = fold.Apply(s.State, rec.Event), rec.Event
			}
			if !yield(&s, err) {
				return
			}
		}
	}
}

// timeless is the canonical encoding without what every event changes.
func timeless(s *fsm.State) []byte {
	t := *s
	t.Seq, t.Mono = 0, 0
	return t.Canonical()
}
