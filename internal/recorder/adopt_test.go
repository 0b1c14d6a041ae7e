package recorder_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"
)

// limited is the handoff policy with another silent limit.
func limited(t *testing.T, limit int64, mode events.Mode) events.PolicyLoaded {
	t.Helper()
	p := policy.Handoff()
	p.SilentLimit = limit
	loaded, err := policy.Load("handoff", p, mode)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func TestAnotherPolicyInTheMiddleOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce, func(c *recorder.Config) { c.Policy = limited(t, 3, events.Enforce) })
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		if gate := r.g.View().State.Gate; gate == "STOPPED" {
			t.Fatal("stopped after one of three")
		}
		before := r.g.View().State.Seq
		if err := r.g.Adopt(t.Context(), limited(t, 3, events.Enforce)); err != nil || r.g.View().State.Seq != before {
			t.Errorf("what is in force already: %v, and event %d is written", err, r.g.View().State.Seq)
		}
		if err := r.g.Adopt(t.Context(), limited(t, 3, events.Observe)); !errors.Is(err, recorder.ErrMode) || r.g.View().State.Seq != before {
			t.Errorf("another mode: %v", err)
		}
		if err := r.g.Adopt(t.Context(), limited(t, 1, events.Enforce)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got, want := kinds(t, r.mem, before+1), "policy.loaded\ngateway.down\nrestart.required\ngateway.observed"; got != want {
			t.Errorf("the log goes on with:\n%s\nwant:\n%s", got, want)
		}
		if got, want := r.relay.asked(), "adopt silent_limit=1 at 10; shut at 12"; got != want {
			t.Errorf("the relays were asked: %s, want: %s", got, want)
		}
		r.stop()
		again := start(t, r.mem, nil, events.Enforce, func(c *recorder.Config) { c.Policy = limited(t, 1, events.Enforce) })
		if gate := again.g.View().State.Gate; gate != "STOPPED" {
			t.Errorf("the next run is %s", gate)
		}
		again.stop()
	})
}

// Anybody may ask how it stands while a policy is adopted; the race detector looks on.
func TestHowItStandsIsAskedWhileAPolicyIsAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		p := limited(t, 3, events.Enforce)
		p.LeaseMS = 4321
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			for range 200 {
				if _, err := r.g.Standing(); err != nil {
					t.Error(err)
				}
			}
		}()
		if err := r.g.Adopt(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		<-asked
		if l, err := r.g.Standing(); err != nil || l.For != 4321*time.Millisecond {
			t.Errorf("a lease is good for %s, %v, want what was adopted", l.For, err)
		}
		r.stop()
	})
}

// Whoever asked was told that nothing came of it.
func TestAPolicyThatTheLogDidNotTakeLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		synctest.Wait()
		log.set(func(events.Record) error { return store.ErrFull })
		r.request("a1") // is what waits for room
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := r.g.Adopt(ctx, limited(t, 3, events.Enforce)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the log is full: %v", err)
		}
		log.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := r.g.View().State.Policy.SilentLimit; got != 1 {
			t.Errorf("silent_limit is %d: the policy came into force after all", got)
		}
		r.stop()
	})
}
