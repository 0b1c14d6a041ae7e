//go:build !race

package streams

import (
	"testing"

	"ibrecorder/fsm"
)

// A fold that is resumed after any event has the same state after every later one.
// Of a thousand events that is half a million hashes: seconds, and a minute with
// the race detector, for which a function without a goroutine has nothing.
func TestOneStateFromEveryCut(t *testing.T) {
	for _, f := range folders(t) {
		t.Run(f.Name, func(t *testing.T) {
			recs := stored(t, f)
			states := fold(t, Each(recs))
			want := hashes(states)
			for cut := range recs {
				folder, s := fsm.NewFolder(), states[cut] // nothing but the state crosses the cut
				for i, rec := range recs[cut:] {
					s = folder.Apply(s, rec.Event)
					if at := cut + i + 1; s.Hash() != want[at] {
						t.Fatalf("resumed after event %d: another state after event %d", cut, at)
					}
				}
			}
			for i, s := range states {
				if s.Hash() != want[i] {
					t.Fatalf("what was resumed changed the state after event %d", i)
				}
			}
		})
	}
}
