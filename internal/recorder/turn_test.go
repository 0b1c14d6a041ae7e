package recorder_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
)

// Whether the loop turns is what a watchdog asks. A log that takes nothing is no reason
// to end the process; one that does not come back from an append is.
func TestWhetherTheLoopTurns(t *testing.T) {
	for _, c := range []struct {
		name   string
		takes  func(released <-chan struct{}) func(events.Record) error
		turns  bool
		queued int
	}{
		{"nothing happens", nil, true, 0},
		{"the log is full", func(<-chan struct{}) func(events.Record) error {
			return func(events.Record) error { return store.ErrFull }
		}, true, 1},
		{"an append does not come back", func(released <-chan struct{}) func(events.Record) error {
			return func(events.Record) error { <-released; return nil }
		}, false, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &unreliable{Memory: store.NewMemory("main")}
				r := start(t, log.Memory, log, events.Enforce)
				synctest.Wait()
				released := make(chan struct{})
				if c.takes != nil {
					log.set(c.takes(released))
					r.request("a1")
					r.request("a2")
				}
				time.Sleep(10*time.Minute + time.Second/2)
				synctest.Wait()
				v := r.g.View()
				if turns := v.Age <= time.Second; turns != c.turns || v.Queued != c.queued {
					t.Errorf("it last went round %s ago, with %d facts behind it; want that it turns: %t, %d facts", v.Age, v.Queued, c.turns, c.queued)
				}
				log.set(nil)
				close(released)
				r.stop()
			})
		})
	}
}
