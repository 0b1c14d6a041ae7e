package recorder_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
)

// used is what a tap reports of a client whose id is in use.
func (r *run) used(attempt string, id int64) {
	r.tap(attempt, events.DialStarted{Address: "127.0.0.1:4002"}, events.DialConnected{LocalPort: 50001}, events.HandshakeVersion{ServerVersion: 203},
		events.HandshakeAPIStarted{ClientID: &id}, events.AttemptFailed{Reason: events.ClientIDInUse, Stage: events.StageStarted, ClientID: &id, Code: 326})
}

// seq is the last event of a kind.
func (r *run) seq(kind events.Kind) (seq uint64) {
	for rec, err := range r.mem.Read(r.t.Context(), 1, 0) {
		if err == nil && rec.Kind() == kind {
			seq = rec.Seq
		}
	}
	return seq
}

// The relays are told who waits alone once that is durable, and of its end as soon as
// what ends it is; a next run tells them again.
func TestTheRelaysAreToldWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := store.NewMemory("main")
		r := start(t, mem, nil, events.Enforce)
		told := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := r.relay.asked(); got != strings.Join(want, "; ") {
				t.Errorf("the relay was told %q, want %q", got, want)
			}
		}
		<-r.request("a1")
		r.used("a1", 7)
		synctest.Wait()
		first := fmt.Sprintf("hold [7 for 1.125s] at %d", r.seq("retry.scheduled"))
		told(first)
		if got := <-r.request("a2"); got != "permit" { // nobody else waits
			t.Errorf("another client: %s", got)
		}
		r.used("a2", 8)
		synctest.Wait()
		second := fmt.Sprintf("hold [7 for 1.125s, 8 for 1.125s] at %d", r.seq("retry.scheduled"))
		told(first, second)
		time.Sleep(1125 * time.Millisecond)
		<-r.request("a3")
		r.ready("a3") // of client 7
		synctest.Wait()
		third := fmt.Sprintf("hold [8 for 0s] at %d", r.seq("attempt.succeeded"))
		<-r.request("a4")
		r.used("a4", 8)
		synctest.Wait()
		told(first, second, third, fmt.Sprintf("hold [8 for 2.25s] at %d", r.seq("retry.scheduled")))
		time.Sleep(time.Second)
		r.holds()
		r.stop()

		r = start(t, mem, nil, events.Enforce)
		synctest.Wait()
		again := fmt.Sprintf("hold [8 for 2.25s] at %d", r.seq("policy.loaded"))
		told(again) // in full
		<-r.request("b1")
		r.silent("b1")
		synctest.Wait()
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "approved it", Override: true}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		told(again, fmt.Sprintf("shut at %d", r.seq("restart.required")), fmt.Sprintf("hold [] at %d", r.seq("restart.acknowledged")),
			fmt.Sprintf("reopen at %d", r.seq("restart.acknowledged")))
		r.holds()
		r.stop()
	})
}

// In observe mode the wait is written down, and nobody is told to hold anybody.
func TestInObserveModeNoClientIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Observe)
		<-r.request("a1")
		r.used("a1", 7)
		synctest.Wait()
		if r.seq("retry.scheduled") == 0 || r.relay.asked() != "" {
			t.Errorf("the wait is event %d, and the relay was told %q", r.seq("retry.scheduled"), r.relay.asked())
		}
		r.holds()
		r.stop()
	})
}
