package recorder_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
)

func absent() events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
}

// refused is what a tap reports of a Gateway that does not run.
func (r *run) refused(attempt string) {
	<-r.request(attempt)
	r.tap(attempt, events.DialStarted{Address: "127.0.0.1:4002"}, events.DialFailed{Reason: events.Refused}, events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial})
	synctest.Wait()
}

// reads is a periodic reading of the listener.
func (r *run) reads(seen events.GatewayObserved) {
	r.t.Helper()
	after, _ := r.g.Last()
	if _, err := r.g.Observed(r.t.Context(), seen, after); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// Where the Gateway does not listen a program is refused at the recorder's port as it
// would be at the Gateway's, but for the one that finds out.
func TestThePortIsClosedWhileTheGatewayDoesNotListen(t *testing.T) {
	unknown := events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}
	for _, c := range []struct {
		name string
		mode events.Mode
		seen events.GatewayObserved // when the dial is refused
		play func(r *run)
		want string // of the relay
		log  string // since the refused dial
	}{
		{"until the wait after the refused dial is over", events.Enforce, absent(), func(*run) { time.Sleep(2 * time.Second) },
			"unlisten; reopen", "gateway.observed retry.scheduled tap.closed tap.reopened"},
		{"or a listener is seen", events.Enforce, absent(), func(r *run) { r.reads(process(200)) },
			"unlisten; reopen", "gateway.observed retry.scheduled tap.closed gateway.observed tap.reopened"},
		{"and again after the next refused dial", events.Enforce, absent(), func(r *run) {
			time.Sleep(2 * time.Second)
			r.refused("a2")
		}, "unlisten; reopen; unlisten", "gateway.observed retry.scheduled tap.closed tap.reopened attempt.requested attempt.permitted " +
			"dial.started dial.failed attempt.failed(refused) retry.scheduled tap.closed"},
		{"while nobody can tell it stays open", events.Enforce, unknown, func(*run) {}, "", "retry.scheduled"},
		{"and where the dial was refused by somebody else", events.Enforce, process(100), func(*run) {}, "", "retry.scheduled"},
		{"until nothing is seen to listen", events.Enforce, process(100), func(r *run) { r.reads(absent()) },
			"unlisten", "retry.scheduled gateway.observed tap.closed"},
		{"and who observes is never in the way", events.Observe, absent(), func(*run) {}, "", "retry.scheduled"},
		{"a port that somebody took meanwhile is told of and tried", events.Enforce, absent(), func(r *run) {
			r.relay.busy.Store(2)
			time.Sleep(5 * time.Second)
		}, "unlisten; reopen; reopen; reopen", "gateway.observed retry.scheduled tap.closed tap.blocked tap.reopened"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, store.NewMemory("main"), nil, c.mode)
				r.sensor.set(c.seen)
				r.refused("a1")
				c.play(r)
				synctest.Wait()
				if got := calls(r.relay); got != c.want {
					t.Errorf("the relay was told %q, want %q", got, c.want)
				}
				if got := strings.ReplaceAll(kinds(t, r.mem, 8), "\n", " "); got != c.log {
					t.Errorf("the log says\n%s, want\n%s", got, c.log)
				}
				r.holds()
				r.stop()
			})
		})
	}
}

// calls are what a relay was asked, without where the log was then.
func calls(r *relay) string {
	all := strings.Split(r.asked(), "; ")
	for i, c := range all {
		all[i], _, _ = strings.Cut(c, " at ")
	}
	return strings.Join(all, "; ")
}

// A recorder that ends has closed its relays for good, and that is no port that is lost.
func TestThePortOfARecorderThatEndsIsNotOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDraining(t, store.NewMemory("main"), nil, events.Enforce)
		r.sensor.set(absent())
		r.refused("a1")
		r.relay.busy.Store(100)
		r.cancel()
		time.Sleep(5 * time.Second)
		close(r.drained)
		if err := <-r.ended; err != nil {
			t.Error(err)
		}
		if got := calls(r.relay); got != "unlisten" {
			t.Errorf("the relay was told %q", got)
		}
		if got := strings.ReplaceAll(kinds(t, r.mem, 8), "\n", " "); got != "gateway.observed retry.scheduled tap.closed recorder.stopped" {
			t.Errorf("the log says %s", got)
		}
		r.holds()
	})
}
