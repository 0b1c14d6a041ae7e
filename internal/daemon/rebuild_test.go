package daemon_test

import (
	"iter"
	"testing"

	"ibrecorder/events"
)

// Whoever waits for a long log to be read sees every event of it go by, and knows how many
// there are to come.
func TestWhoWaitsSeesTheLogGoBy(t *testing.T) {
	cfg := config(t, folder(t))
	type seen struct {
		gateway string
		last    uint64
		events  int
	}
	var runs []seen
	cfg.Rebuild = func(gateway string, last uint64, log iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
		runs = append(runs, seen{gateway: gateway, last: last})
		this := &runs[len(runs)-1]
		return func(yield func(events.Record, error) bool) {
			for rec, err := range log {
				this.events++
				if !yield(rec, err) {
					return
				}
			}
		}
	}
	for range 2 {
		if err := start(t, cfg).stop(); err != nil {
			t.Fatal(err)
		}
	}
	n := len(kinds(t, cfg.Data)) / 2 // each run writes the same
	if want := []seen{{"main", 0, 0}, {"main", uint64(n), n}}; len(runs) != 2 || runs[0] != want[0] || runs[1] != want[1] {
		t.Errorf("seen %+v, want %+v", runs, want)
	}
}
