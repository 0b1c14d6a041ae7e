package recorder_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"
)

const robo = "/runner/robo-1"

// lease asks for one as robo does.
func (r *run) lease(attempt string) recorder.Lease {
	r.t.Helper()
	l, err := r.g.Lease(r.t.Context(), robo, attempt, events.AttemptRequested{})
	if err != nil {
		r.t.Fatal(err)
	}
	if l.Permit != "" && !r.has(l.Permit) {
		r.t.Errorf("permit %s was given out and is not in the log", l.Permit)
	}
	return l
}

// tells is a report of robo.
func (r *run) tells(id, attempt string, data events.Payload) {
	r.t.Helper()
	if _, err := r.g.Submit(r.t.Context(), events.Draft{ID: id, Source: robo, Attempt: attempt, Data: data}); err != nil {
		r.t.Fatal(err)
	}
}

func TestALease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		first := r.lease("l1")
		if first.Permit == "" || first.For != time.Minute {
			t.Fatalf("got %+v, want a permit for a minute", first)
		}
		time.Sleep(10 * time.Second)
		if again := r.lease("l1"); again.Permit != first.Permit || again.For != 50*time.Second {
			t.Errorf("asked again: %+v, want the permit %s for what is left", again, first.Permit)
		}
		if _, err := r.g.Lease(t.Context(), "/runner/robo-2", "l1", events.AttemptRequested{}); !errors.Is(err, recorder.ErrTaken) {
			t.Errorf("the attempt of another runner: %v, want %v", err, recorder.ErrTaken)
		}
		waiting := r.request("a1")
		if held := r.lease("l2"); held.Permit != "" || held.Reason != events.HoldInFlight || held.Wait != 0 {
			t.Errorf("beside another: %+v, want it held, and no time that ends it", held)
		}
		r.tells("n1", "l1", events.AttemptSucceeded{})
		if got := <-waiting; got != "permit" {
			t.Errorf("the slot is free, and who waited is told %s", got)
		}
		r.ready("a1")
		synctest.Wait()
		if _, err := r.g.Lease(t.Context(), robo, "l1", events.AttemptRequested{}); !errors.Is(err, recorder.ErrTaken) {
			t.Errorf("an attempt that has ended: %v, want %v", err, recorder.ErrTaken)
		}
		r.tells("n2", "l2", events.OperatorNoted{By: "robo", Text: "waits"})
		if l := r.lease("l2"); l.Permit == "" {
			t.Errorf("one that was held, once nothing holds it: %+v", l)
		}
		r.holds()
		r.stop()
	})
}

func TestALeaseThatIsNotUsedExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		r.lease("l1")
		waiting := r.request("a1")
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if len(waiting) != 0 {
			t.Fatalf("before its end: %s", <-waiting)
		}
		time.Sleep(2 * time.Second)
		if got := <-waiting; got != "permit" {
			t.Errorf("after its end: %s", got)
		}
		if got := kinds(t, r.mem, 3); !strings.Contains(got, "attempt.unknown(lease_expired)\nattempt.permitted") {
			t.Errorf("the log has\n%s", got)
		}
		r.ready("a1")
		synctest.Wait()
		r.lease("l2")
		r.holds()
		r.stop()

	})
}

// Who dials by itself goes on when the recorder ends.
func TestALeaseOutlivesARestartOfTheRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		first := r.lease("l1")
		time.Sleep(20 * time.Second)
		r.stop()

		r = start(t, r.mem, nil, events.Enforce)
		waiting := r.request("a1")
		time.Sleep(time.Second)
		if again := r.lease("l1"); again.Permit != first.Permit || again.For != 59*time.Second {
			t.Errorf("asked again: %+v, want the permit %s, whose time began again", again, first.Permit)
		}
		if len(waiting) != 0 {
			t.Fatalf("beside the lease: %s", <-waiting)
		}
		r.tells("n1", "l1", events.AttemptSucceeded{})
		if got := <-waiting; got != "permit" {
			t.Errorf("once its runner has told its end: %s", got)
		}
		r.ready("a1")
		synctest.Wait()
		r.lease("l2")
		r.holds()
		r.stop()

		r = start(t, r.mem, nil, events.Enforce)
		waiting = r.request("a2")
		time.Sleep(61 * time.Second)
		if got := <-waiting; got != "permit" {
			t.Errorf("once its time is over: %s", got)
		}
		r.ready("a2")
		synctest.Wait()
		r.holds()
		r.stop()
	})
}

func TestASilenceThatIsReportedOfALeaseStopsTheGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		r.lease("l1")
		time.Sleep(30 * time.Second)
		r.tells("n1", "l1", events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 30_000})
		var l recorder.Lease
		for range 1000 {
			l = r.lease("l2")
		}
		s := r.g.View().State
		if l.Permit != "" || l.Reason != events.HoldStopped || l.Stop != s.Stop.Seq || l.Stop == 0 || l.Since.IsZero() {
			t.Errorf("while stopped: %+v, want the stop of %+v", l, s.Stop)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s = r.g.View().State; s.Totals.Denied != 1000 || s.Totals.Permitted != 1 {
			t.Errorf("denied %d, permitted %d; want all of the thousand denied and counted", s.Totals.Denied, s.Totals.Permitted)
		}
		if n := strings.Count(kinds(t, r.mem, s.Stop.Seq), "attempt.denied"); n < 1 || n > 3 {
			t.Errorf("%d events of them, want one a minute", n)
		}
		r.sensor.set(process(200))
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted"}); err != nil {
			t.Fatal(err)
		}
		if l = r.lease("l2"); l.Reason != events.HoldSettling || l.Wait <= 0 || l.Wait > 30*time.Second {
			t.Errorf("after the release: %+v, want it held until it has settled", l)
		}
		time.Sleep(l.Wait)
		if l = r.lease("l2"); l.Permit == "" || l.Epoch != 1 {
			t.Errorf("then: %+v, want a permit of the new epoch", l)
		}
		r.tells("n2", "l2", events.AttemptSucceeded{})
		r.holds()
		r.stop()
	})
}

func TestWhoAsksForALeaseAgainAndAgainFillsNoLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		before := r.g.View().State.Seq
		for range 3 * 60 * 10 {
			if l := r.lease("l1"); l.Reason != events.HoldInFlight {
				t.Fatalf("got %+v", l)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := r.g.View().State.Seq - before; n != 6 {
			t.Errorf("%d events in three minutes, want a request and a denial a minute", n)
		}
		r.ready("a1")
		synctest.Wait()
		r.holds()
		r.stop()
	})
}

func TestAnAnswerThatNobodyWaitsForIsNoLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		synctest.Wait()
		log.set(func(events.Record) error { return store.ErrUnavailable })
		r.g.Report(events.Draft{Source: "/tap", Data: events.GatewayNotice{Code: 1100, Origin: events.OriginWire, Count: 1}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if l, err := r.g.Lease(ctx, robo, "l1", events.AttemptRequested{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a log that takes nothing: %+v, %v", l, err)
		}
		log.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if s := r.g.View().State; s.Totals.Requested != 0 || s.Busy() {
			t.Errorf("a lease that nobody has is out: %s", s.Canonical())
		}
		r.stop()
	})
}

// What holds a runner may end while its denial is written down.
func TestADenialNamesTheReasonItHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		r.refused("a1")
		log.set(func(rec events.Record) error {
			if _, denied := rec.Data.(events.AttemptDenied); denied {
				time.Sleep(time.Minute)
			}
			return nil
		})
		if l := r.lease("l1"); l.Permit != "" || l.Reason != events.HoldBackoff {
			t.Errorf("got %+v, want it held by the backoff", l)
		}
		r.stop()
	})
}

// The tap's attempts are named after the run; a runner that takes such a name would
// answer for a program that has yet to come.
func TestALeaseCannotHaveTheNameOfAnAttemptOfTheTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		name := r.g.View().State.Boot + "-a1"
		if l, err := r.g.Lease(t.Context(), robo, name, events.AttemptRequested{}); !errors.Is(err, recorder.ErrTaken) {
			t.Errorf("got %+v, %v, want %v", l, err, recorder.ErrTaken)
		}
		waiting := r.request(name)
		synctest.Wait()
		if len(waiting) == 0 {
			t.Fatal("the program that has the name is never answered")
		}
		if got := <-waiting; got != "permit" {
			t.Errorf("the program that has the name is told %s", got)
		}
		r.ready(name)
		synctest.Wait()
		r.holds()
		r.stop()
	})
}

// Whoever asks again has not dialled yet, and by then nobody may.
func TestAStopIsStrongerThanALeaseThatIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		r.lease("l1")
		r.tells("n1", "", events.GatewayDown{Reason: events.DownReported})
		if l := r.lease("l1"); l.Permit != "" || l.Reason != events.HoldStopped || l.Stop == 0 {
			t.Errorf("asked again while stopped: %+v, want the stop", l)
		}
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "approved", Override: true}); err != nil {
			t.Fatal(err)
		}
		if l := r.lease("l1"); l.Permit != "" || l.Reason != events.HoldInFlight {
			t.Errorf("asked again after the release: %+v, want it held: it was for the Gateway of before", l)
		}
		r.tells("n2", "l1", events.AttemptAbandoned{Stage: events.StageNone})
		if l := r.lease("l2"); l.Permit != "" || l.Reason != events.HoldSettling {
			t.Errorf("another: %+v, want it held until it has settled", l)
		}
		r.holds()
		r.stop()
	})
}
