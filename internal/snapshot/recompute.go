package snapshot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
)

// ErrDiffers: the events do not give what the snapshot says.
var ErrDiffers = errors.New("the snapshot is not what the events give")

// Recomputation makes a snapshot anew, event by event, beside whatever else reads
// the stream.
type Recomputation struct {
	given  Snapshot
	folder *fsm.Folder
	state  fsm.State
	judge  *rule.Judge
	at     events.Record // the event of the snapshot, once it came
}

// Recompute begins with the first event of the log.
func Recompute(given Snapshot) *Recomputation {
	return &Recomputation{given: given, folder: fsm.NewFolder(), state: fsm.Initial(), judge: rule.New()}
}

// Watch passes a stream on.
func (r *Recomputation) Watch(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if err == nil && rec.Seq <= r.given.Seq {
				r.state = r.folder.Apply(r.state, rec.Event)
				r.judge.Step(rec)
				r.at = rec
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

// Seq is that of the snapshot.
func (r *Recomputation) Seq() uint64 { return r.given.Seq }

// Err compares: nil if the events give the snapshot, otherwise ErrDiffers with what is
// other, the snapshot's part named first; ErrUnfit if it is of another log, which no start
// goes on from.
func (r *Recomputation) Err() error {
	g := r.given
	differs := func(format string, args ...any) error {
		return fmt.Errorf("%w at #%d: "+format, append([]any{ErrDiffers, g.Seq}, args...)...)
	}
	switch {
	case r.at.Seq != g.Seq:
		return fmt.Errorf("%w: it is of #%d, and the log ends at #%d", ErrUnfit, g.Seq, r.at.Seq)
	case r.at.Hash() != g.Hash:
		return fmt.Errorf("%w: it is of another #%d, %s, and the log has %s", ErrUnfit, g.Seq, g.Hash, r.at.Hash())
	}
	given, err := json.Marshal(g.Judge)
	if err != nil {
		return fmt.Errorf("compare the snapshot of #%d: %w", g.Seq, err)
	}
	made, err := json.Marshal(r.judge)
	if err != nil {
		return fmt.Errorf("compare the snapshot of #%d: %w", g.Seq, err)
	}
	switch {
	case r.state.Hash() != g.State.Hash():
		return differs("SNAPSHOT state %s, RECOMPUTED %s", g.State.Hash(), r.state.Hash())
	case !bytes.Equal(given, made):
		return differs("SNAPSHOT judge %s, RECOMPUTED %s", events.HashOf(given), events.HashOf(made))
	}
	return nil
}
