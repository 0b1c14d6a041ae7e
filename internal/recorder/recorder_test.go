package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
)

func TestNothingHappensBeforeItsDecisionIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		if got := <-r.request("a1"); got != "permit" { // request looks for the permit in the log
			t.Fatal(got)
		}
		second := r.request("a2")
		r.silent("a1")
		if got := <-second; got != "denied: stopped" {
			t.Errorf("the client that waited when the gate stopped: %s", got)
		}
		synctest.Wait()
		want := strings.Join([]string{
			"recorder.started(none )", "policy.loaded", "attempt.requested", "attempt.permitted", "attempt.requested", "client.held",
			"dial.started", "dial.connected", "handshake.timed_out", "attempt.failed(accepted_no_bytes)",
			"gateway.down", "restart.required", "gateway.observed", "attempt.denied(stopped)",
		}, "\n")
		if diff := cmp.Diff(want, kinds(t, r.mem, 1)); diff != "" {
			t.Errorf("the log (-want +got):\n%s", diff)
		}
		if got := r.relay.asked(); got != "shut at 12" {
			t.Errorf("the relay: %s, want it shut once restart.required, event 12, is in the log", got)
		}
		if m := r.mem.Marked(); !m.Stopped {
			t.Errorf("the mark does not know of the stop: %+v", m)
		}
		r.holds()
		r.stop()
	})
}

func TestANewRunGoesOnWhereTheLogEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		first func(*run)
		crash bool
		want  string // what the next run writes at once
		gate  fsm.Gate
		shut  bool
	}{
		{"an orderly end leaves nothing open", func(r *run) {}, false,
			"recorder.started(stopped )\npolicy.loaded", fsm.Open, false},
		{"a stop stands", func(r *run) { <-r.request("a1"); r.silent("a1") }, false,
			"recorder.started(stopped )\npolicy.loaded", fsm.Stopped, true},
		{"a stop stands after a crash", func(r *run) { <-r.request("a1"); r.silent("a1") }, true,
			"recorder.started(crashed )\npolicy.loaded", fsm.Stopped, true},
		{"an attempt that a crash left open ends unknown", func(r *run) { <-r.request("a1") }, true,
			"recorder.started(crashed a1)\npolicy.loaded\nattempt.unknown(recorder_died)", fsm.Open, false},
		{"one that an orderly end left open was not left by a crash", func(r *run) { <-r.request("a1") }, false,
			"recorder.started(stopped a1)\npolicy.loaded\nattempt.unknown(recorder_stopped)", fsm.Open, false},
		{"a session that a crash ended needs no end", func(r *run) { <-r.request("a1"); r.ready("a1") }, true,
			"recorder.started(crashed )\npolicy.loaded", fsm.Open, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := store.NewMemory("main")
				r := start(t, mem, nil, events.Enforce)
				c.first(r)
				synctest.Wait()
				next := mem
				if c.crash { // what is in the log now is all that a killed process leaves
					next = copied(t, mem)
				}
				r.stop()
				head, _ := next.Head(t.Context())
				r = start(t, next, nil, events.Enforce)
				synctest.Wait()
				if diff := cmp.Diff(c.want, kinds(t, next, head.Seq+1)); diff != "" {
					t.Errorf("the new run (-want +got):\n%s", diff)
				}
				if got := r.g.View().State.Gate; got != c.gate {
					t.Errorf("gate %s, want %s", got, c.gate)
				}
				if got := r.relay.asked() != ""; got != c.shut {
					t.Errorf("the relay was asked %q, shut wanted: %t", r.relay.asked(), c.shut)
				}
				r.holds()
				r.stop()
			})
		})
	}
}

func copied(t tester, from *store.Memory) *store.Memory {
	to := store.NewMemory("main")
	for rec, err := range from.Read(t.Context(), 1, 0) {
		if err == nil {
			err = to.Append(t.Context(), rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func TestResume(t *testing.T) {
	for _, c := range []struct {
		name   string
		before events.GatewayObserved
		after  events.GatewayObserved
		claim  events.RestartClaimed
		want   string
	}{
		{"another process listens", process(100), process(200), events.RestartClaimed{}, "restart.acknowledged(observed)"},
		{"the same process listens", process(100), process(100), events.RestartClaimed{}, "restart.rejected(process_unchanged)"},
		{"the same process, and the cure was another", process(100), process(100), events.RestartClaimed{Override: true}, "restart.acknowledged(override)"},
		{"nothing listens", process(100), events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown},
			events.RestartClaimed{}, "restart.rejected(not_listening)"},
		{"nobody can tell whose the listener is", events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther},
			events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther}, events.RestartClaimed{}, "restart.acknowledged(word)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, store.NewMemory("main"), nil, events.Enforce)
				r.sensor.set(c.before)
				<-r.request("a1")
				r.silent("a1")
				synctest.Wait()
				r.sensor.set(c.after)
				c.claim.By, c.claim.Reason = "kim", "restarted it"
				rec, err := r.g.Resume(t.Context(), "/operator/cli", c.claim)
				if err != nil {
					t.Fatal(err)
				}
				if got := kinds(t, r.mem, rec.Seq); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				opened := strings.Contains(r.relay.asked(), "reopen")
				if want := strings.Contains(c.want, "acknowledged"); opened != want {
					t.Errorf("the relay: %s", r.relay.asked())
				}
				r.holds()
				r.stop()
			})
		})
	}
	t.Run("there is nothing to resume", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, store.NewMemory("main"), nil, events.Enforce)
			rec, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "to be sure"})
			if err != nil || kinds(t, r.mem, rec.Seq) != "restart.rejected(not_stopped)" {
				t.Errorf("%v, %v", rec, err)
			}
			r.stop()
		})
	})
}

func TestProbationAfterARelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		r.sensor.set(process(200))
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"}); err != nil {
			t.Fatal(err)
		}
		released := time.Now()
		if got := <-r.request("a2"); got != "permit" {
			t.Fatal(got)
		}
		if got := time.Since(released); got != 30*time.Second {
			t.Errorf("the first attempt after a release was let through after %s, want the settle time of 30s", got)
		}
		third := r.request("a3")
		r.silent("a2")
		if got := <-third; got != "permit" {
			t.Fatal(got)
		}
		r.ready("a3")
		synctest.Wait()
		if got := r.g.View().State.Gate; got != fsm.Open {
			t.Errorf("gate %s after ready, want open", got)
		}
		r.holds()
		r.stop()
	})
}

// A wait is as long as it is, whatever somebody does to the clock meanwhile.
func TestAClockThatIsSet(t *testing.T) {
	for _, by := range []time.Duration{-48 * time.Hour, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			r := start(t, store.NewMemory("main"), nil, events.Enforce)
			<-r.request("a1")
			r.silent("a1")
			synctest.Wait()
			r.off.Store(int64(by))
			r.sensor.set(process(200))
			released, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"})
			if err != nil {
				t.Fatal(err)
			}
			if want := time.Now().Add(by); !released.Time.Equal(want) {
				t.Errorf("the event is of %s, and the clock says %s", released.Time, want)
			}
			began := time.Now()
			if got := <-r.request("a2"); got != "permit" {
				t.Fatal(got)
			}
			if got := time.Since(began); got != 30*time.Second {
				t.Errorf("with the clock set by %s the settle time of 30s was %s", by, got)
			}
			r.holds()
			r.stop()
		})
	}
}

func TestATapThatCannotReopenIsTriedUntilItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		r.sensor.set(process(200))
		r.relay.busy.Store(3)
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"}); err != nil {
			t.Fatal(err)
		}
		blocked, _ := r.mem.Head(t.Context())
		if got := kinds(t, r.mem, blocked.Seq-1); got != "restart.acknowledged(observed)\ntap.blocked" {
			t.Errorf("at the release: %s", got)
		}
		if got := r.g.View().State.ShutOut; got != "the port is taken" {
			t.Errorf("the state says that the port is lost because of %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := strings.Count(r.relay.asked(), "reopen"); got != 4 {
			t.Errorf("it was asked to reopen %d times, want 4: three that fail and one that does not", got)
		}
		if got := kinds(t, r.mem, blocked.Seq+1); got != "tap.reopened" { // each is told once
			t.Errorf("afterwards: %s", got)
		}
		if got := r.g.View().State.ShutOut; got != "" {
			t.Errorf("the state says still: %q", got)
		}
		r.holds()
		r.stop()
	})
}

func TestDisconnect(t *testing.T) {
	seven := int64(7)
	for _, c := range []struct {
		name  string
		ready bool
		q     events.DisconnectRequested
		want  string
		relay string
	}{
		{"no handshake is under way", true, events.DisconnectRequested{}, "disconnect.completed", "disconnect all handshakes=false"},
		{"one client", true, events.DisconnectRequested{ClientID: &seven}, "disconnect.completed", "disconnect 7 handshakes=false"},
		{"a handshake is under way", false, events.DisconnectRequested{}, "disconnect.blocked", ""},
		{"a handshake is under way, and it is forced", false, events.DisconnectRequested{Force: true}, "disconnect.completed", "disconnect all handshakes=true"},
		{"a runner asks for itself, and nothing of others is closed", true, events.DisconnectRequested{ClientID: &seven, Asked: true}, "disconnect.completed", ""},
		{"nor if it forces that", false, events.DisconnectRequested{Force: true, Asked: true}, "disconnect.completed", ""},
		{"forced by the caller's environment", false, events.DisconnectRequested{ForceEnv: "yes"}, "disconnect.completed", "disconnect all handshakes=true"},
		{"the environment says something else", false, events.DisconnectRequested{ForceEnv: "no"}, "disconnect.blocked", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, store.NewMemory("main"), nil, events.Enforce)
				r.relay.closed = 1
				<-r.request("a1")
				if c.ready {
					r.ready("a1")
				} else {
					r.tap("a1", events.DialStarted{Address: "127.0.0.1:4002"})
				}
				c.q.By, c.q.Reason = "kim", "maintenance"
				rec, err := r.g.Disconnect(t.Context(), "/operator/cli", c.q)
				if err != nil {
					t.Fatal(err)
				}
				if got := string(rec.Kind()); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
				got, _, _ := strings.Cut(r.relay.asked(), " at ")
				if got != c.relay {
					t.Errorf("the relay: %q, want %q", got, c.relay)
				}
				r.stop()
			})
		})
	}
}

func TestReports(t *testing.T) {
	report := func(id, source string) events.Draft {
		return events.Draft{ID: id, Source: source, Data: events.OperatorNoted{By: "robo", Text: "account DU1234567 was logged out"}}
	}
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		first, err := r.g.Submit(t.Context(), report("n1", "/runner/robo-1"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(first.Raw), "DU1234567") {
			t.Errorf("an account id is in the log: %s", first.Raw)
		}
		again, err := r.g.Submit(t.Context(), report("n1", "/runner/robo-1"))
		if err != nil || again.Seq != first.Seq {
			t.Errorf("the same report once more: event %d, %v; want event %d", again.Seq, err, first.Seq)
		}
		if _, err := r.g.Submit(t.Context(), report("n1", "/runner/robo-2")); !errors.Is(err, recorder.ErrTaken) {
			t.Errorf("the id of another reporter: %v", err)
		}
		if _, err := r.g.Submit(t.Context(), report(first.Boot+"-main-9", "/runner/robo-1")); !errors.Is(err, recorder.ErrTaken) {
			t.Errorf("an id that the recorder will want: %v", err)
		}
		if _, err := r.g.Submit(t.Context(), events.Draft{ID: "n2", Source: "no path", Data: events.OperatorNoted{By: "x", Text: "y"}}); !errors.Is(err, recorder.ErrNoEvent) {
			t.Errorf("a draft that is no event: %v", err)
		}
		if got := kinds(t, r.mem, 3); got != "operator.noted" {
			t.Errorf("the log has %s", got)
		}
		r.stop()

		r = start(t, r.mem, nil, events.Enforce)
		again, err = r.g.Submit(t.Context(), report("n1", "/runner/robo-1"))
		if err != nil || again.Seq != first.Seq {
			t.Errorf("the same report in the next run: event %d, %v", again.Seq, err)
		}
		r.stop()
		if _, err := r.g.Submit(t.Context(), report("n3", "/runner/robo-1")); !errors.Is(err, recorder.ErrEnding) {
			t.Errorf("a report after the end: %v", err)
		}
	})
}

func TestAReportTakesNobodysAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		second := r.request("a2")
		if _, err := r.g.Submit(t.Context(), events.Draft{ID: "n1", Source: "/runner/robo-1", Attempt: "a2", Data: events.AttemptAbandoned{Stage: events.StageNone}}); err != nil {
			t.Fatal(err)
		}
		r.ready("a1")
		if got := <-second; got != "permit" {
			t.Error(got)
		}
		r.holds()
		r.stop()
	})
}

func TestAReportIsKnownAgainAsItIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		note := events.Draft{ID: "DU1234567-1", Source: "/runner/DU1234567", Data: events.OperatorNoted{By: "robo", Text: "hello"}}
		first, err := r.g.Submit(t.Context(), note)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			again, err := r.g.Submit(t.Context(), note)
			if err != nil || again.Seq != first.Seq {
				t.Errorf("repeated: event %d, %v; want event %d", again.Seq, err, first.Seq)
			}
			r.stop()
			r = start(t, r.mem, nil, events.Enforce)
		}
		r.stop()
	})
}

func TestABypassIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		head, _ := r.mem.Head(t.Context())
		for i, d := range []events.Draft{
			{ID: "r1", Source: "/runner/robo-1", Attempt: "x1", Data: events.AttemptRequested{}},
			{ID: "r2", Source: "/runner/robo-1", Attempt: "x1", Data: events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 15_000}},
		} {
			if _, err := r.g.Submit(t.Context(), d); err != nil {
				t.Fatal(i, err)
			}
		}
		got := kinds(t, r.mem, head.Seq+1)
		if !strings.HasSuffix(got, "attempt.failed(reported_timeout)\nrule.violated(RS1 bypassed=true)") {
			t.Errorf("the log:\n%s", got)
		}
		if gate := r.g.View().State.Gate; gate != fsm.Stopped {
			t.Errorf("gate %s", gate)
		}
		r.stop()
	})
}

func TestTheEndOfARunIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		waiting := r.request("a2")
		r.tap("a1", events.DialStarted{Address: "127.0.0.1:4002"})
		r.stop()
		if got := <-waiting; got != "error: "+recorder.ErrEnding.Error() {
			t.Errorf("the client that waited: %s", got)
		}
		if got := kinds(t, r.mem, 7); got != "dial.started\nrecorder.stopped" {
			t.Errorf("the log ends with\n%s", got)
		}
	})
}

func TestWhatRelaysReportLastIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startDraining(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		r.ready("a1")
		r.cancel()
		time.Sleep(1900 * time.Millisecond) // as long as a tap may take to close
		r.tap("a1", events.SessionClosed{By: events.Recorder, How: events.FIN})
		close(r.drained)
		if err := <-r.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		if got := kinds(t, r.mem, 1); !strings.HasSuffix(got, "session.closed\nrecorder.stopped") {
			t.Errorf("the log:\n%s", got)
		}
	})
}

// slow is a log whose last event takes a while.
type slow struct {
	*store.Memory
	last time.Duration
}

func (s slow) Append(ctx context.Context, rec events.Record) error {
	if rec.Kind() == "recorder.stopped" {
		select {
		case <-time.After(s.last):
		case <-ctx.Done():
			return &store.AppendError{Gateway: "main", Seq: rec.Seq, ID: rec.ID, Err: fmt.Errorf("%w: %w", store.ErrUnavailable, ctx.Err())}
		}
	}
	return s.Memory.Append(ctx, rec)
}

// A log that was idle takes a while for its next event. An end takes two seconds at most,
// and more only if the relays take more than one.
func TestTheLastEventHasTheTimeThatTheRelaysLeave(t *testing.T) {
	for _, c := range []struct {
		name         string
		relays, last time.Duration
		recorded     bool
		took         time.Duration
	}{
		{"relays that end at once leave all of it", 0, 1700 * time.Millisecond, true, 1700 * time.Millisecond},
		{"relays that take a second leave a second", time.Second, 900 * time.Millisecond, true, 1900 * time.Millisecond},
		{"relays that take most of it leave a second", 1900 * time.Millisecond, 900 * time.Millisecond, true, 2800 * time.Millisecond},
		{"a log that takes longer is not waited for", 0, time.Hour, false, 1750 * time.Millisecond},
		{"nor is it after relays that took a second", time.Second, time.Hour, false, 2 * time.Second},
		{"nor after slow ones", 1900 * time.Millisecond, time.Hour, false, 2900 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := store.NewMemory("main")
				r := startDraining(t, mem, slow{mem, c.last}, events.Enforce)
				synctest.Wait()
				began := time.Now()
				r.cancel()
				time.Sleep(c.relays)
				close(r.drained)
				err := <-r.ended
				if took := time.Since(began); took != c.took {
					t.Errorf("the end took %s, want %s", took, c.took)
				}
				if c.recorded != (err == nil) || err != nil && !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("Run: %v", err)
				}
				if got := strings.HasSuffix(kinds(t, mem, 1), "recorder.stopped"); got != c.recorded {
					t.Errorf("the last event is there: %t, want %t", got, c.recorded)
				}
			})
		})
	}
}

// fullFor is a log that is full when an event of a kind comes.
func fullFor(kind events.Kind) func(events.Record) error {
	return func(rec events.Record) error {
		if rec.Kind() == kind {
			return store.ErrFull
		}
		return nil
	}
}

func TestALogThatDoesNotAnswerDelaysTheEndBySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		log.set(fullFor("gateway.observed"))
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		began := time.Now()
		r.cancel()
		if err := <-r.ended; !errors.Is(err, store.ErrFull) {
			t.Errorf("Run: %v", err)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		if m := log.Memory.Marked(); !m.Stopped {
			t.Errorf("the mark forgets the stop: %+v", m)
		}
	})
}

// Whoever types resume while the log takes nothing and gives up has resumed nothing:
// when the log goes on, their word would be about whatever stop there is by then.
func TestAWordLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		<-r.request("a1")
		log.set(func(events.Record) error { return store.ErrFull })
		r.silent("a1") // the stop is on its way into the log
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("Ctrl-C"))
		defer cancel()
		said := make(chan error, 3)
		go func() {
			_, err := r.g.Resume(ctx, "/operator/cli", events.RestartClaimed{By: "kim", Reason: "to be sure", Override: true})
			said <- err
		}()
		go func() {
			_, err := r.g.Disconnect(ctx, "/operator/cli", events.DisconnectRequested{By: "kim", Reason: "to be sure", Force: true})
			said <- err
		}()
		go func() {
			_, err := r.g.Submit(ctx, events.Draft{ID: "n1", Source: "/runner/robo-1", Data: events.OperatorNoted{By: "robo", Text: "hello"}})
			said <- err
		}()
		for range 3 {
			if err := <-said; err == nil || err.Error() != "Ctrl-C" {
				t.Errorf("they were told %v", err)
			}
		}
		log.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		if got := kinds(t, r.mem, 5); !strings.HasSuffix(got, "restart.required\ngateway.observed\noperator.noted") {
			t.Errorf("the log:\n%s\nwant the stop, the report, and nothing that the operator gave up", got)
		}
		r.holds()
		r.stop()
	})
}

func TestALogThatTakesNothingAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		log.set(func(events.Record) error { return store.ErrFull })
		began := time.Now()
		_, err := recorder.Open(t.Context(), recorder.Config{Gateway: "main", Log: log, Redactor: events.NewRedactor(make([]byte, 16)), Boot: "boot", Start: began})
		if !errors.Is(err, store.ErrFull) {
			t.Errorf("%v, want that the log is full", err)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("it said so after %s", took)
		}
	})
}

func TestAFindingThatACrashKeptOutOfTheLogIsRecordedByTheNextRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		for i, data := range []events.Payload{events.AttemptRequested{}, events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 15_000}} {
			if _, err := r.g.Submit(t.Context(), events.Draft{ID: fmt.Sprint("r", i), Source: "/runner/robo-1", Attempt: "x1", Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		r.stop()
		// The process is killed before the finding, and so is the run after it.
		log := r.mem
		var cut *store.Memory
		for range 2 {
			cut = store.NewMemory("main")
			for rec, err := range log.Read(t.Context(), 1, 0) {
				if err != nil || rec.Kind() == "rule.violated" {
					break
				}
				if err := cut.Append(t.Context(), rec); err != nil {
					t.Fatal(err)
				}
			}
			head, _ := cut.Head(t.Context())
			log = cut
			r = start(t, cut, nil, events.Enforce)
			if got := kinds(t, cut, head.Seq+1); got != "recorder.started(crashed )\npolicy.loaded\nrule.violated(RS1 bypassed=true)" {
				t.Errorf("the next run began with\n%s", got)
			}
			r.stop()
		}
		head, _ := cut.Head(t.Context())
		r = start(t, cut, nil, events.Enforce)
		if got := kinds(t, cut, head.Seq+1); got != "recorder.started(stopped )\npolicy.loaded" {
			t.Errorf("and the one after it with\n%s", got)
		}
		r.stop()
	})
}

// One event that breaks a rule twice, and a crash between the two records of that.
func TestTheSecondOfTwoFindingsIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		first := r.g.View().State.Stop.ID
		for _, channel := range []string{"command", "pager"} {
			if _, err := r.g.Submit(t.Context(), events.Draft{Source: "/recorder", Cause: first, Data: events.AlertDelivered{Channel: channel, Tries: 1}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted", Override: true}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.g.Submit(t.Context(), events.Draft{Source: robo, Data: events.GatewayDown{Reason: events.DownReported}}); err != nil {
			t.Fatal(err)
		}
		for range 2 { // nobody is told of the second stop
			time.Sleep(61 * time.Second)
			if _, err := r.g.Submit(t.Context(), events.Draft{Source: robo, Data: events.OperatorNoted{By: "robo", Text: "still here"}}); err != nil {
				t.Fatal(err)
			}
		}
		const twice = "operator.noted\nrule.violated(RS8 bypassed=false)\nrule.violated(RS8 bypassed=false)"
		head, _ := r.mem.Head(t.Context())
		if got := kinds(t, r.mem, head.Seq-2); got != twice {
			t.Fatalf("the log ends with\n%s", got)
		}
		mem, _ := r.killed(&cache{}, 1)
		r.stop()
		r = start(t, mem, nil, events.Enforce)
		synctest.Wait()
		if got := kinds(t, mem, head.Seq); got != "recorder.started(crashed )\npolicy.loaded\nrule.violated(RS8 bypassed=false)" {
			t.Errorf("the next run began with\n%s", got)
		}
		r.stop()
	})
}

// What is waited is what the log says: the jitter is drawn once for a delay, and by the
// loop alone.
func TestTheJitterIsDrawnOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		for n := range 3 {
			attempt := fmt.Sprint("a", n)
			<-r.request(attempt)
			r.tap(attempt, events.DialStarted{Address: "127.0.0.1:4002"}, events.DialFailed{Reason: events.Refused},
				events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial})
			synctest.Wait()
		}
		delays := int64(0)
		for rec, err := range r.mem.Read(t.Context(), 1, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if d, ok := rec.Data.(events.RetryScheduled); ok {
				delays++
				base := policy.Backoff(policy.Handoff(), d.Failures)
				if d.JitterMS == 0 || d.DelayMS != base+d.JitterMS {
					t.Errorf("after %d failures a delay of %d ms with a jitter of %d, want %d and the jitter", d.Failures, d.DelayMS, d.JitterMS, base)
				}
			}
		}
		if got := r.draws.Load(); delays != 3 || got != delays {
			t.Errorf("%d delays and %d draws, want 3 of each", delays, got)
		}
		r.holds()
		r.stop()
	})
}

// hurried is a log that remembers which marks were not to wait.
type hurried struct {
	*store.Memory
	marks []store.Mark
}

func (h *hurried) Mark(m store.Mark, now bool) error {
	if now {
		h.marks = append(h.marks, m)
	}
	return h.Memory.Mark(m, now)
}

// What must be known of a log that is lost is marked before anything else happens.
func TestAStopIsMarkedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &hurried{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		r.sensor.set(process(200))
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"}); err != nil {
			t.Fatal(err)
		}
		r.stop()
		kind := map[uint64]events.Kind{}
		for rec, err := range log.Read(t.Context(), 1, 0) {
			if err != nil {
				t.Fatal(err)
			}
			kind[rec.Seq] = rec.Kind()
		}
		var got []string
		for _, m := range log.marks {
			got = append(got, fmt.Sprintf("%s stopped=%t epoch=%d", kind[m.Seq], m.Stopped, m.Epoch))
		}
		want := []string{"gateway.down stopped=true epoch=0", "restart.required stopped=true epoch=0",
			"restart.acknowledged stopped=false epoch=1", "recorder.stopped stopped=false epoch=1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("marks that did not wait (-want +got):\n%s", diff)
		}
	})
}

func TestAStopThatIsDueIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		log.set(fullFor("restart.required"))
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		if m := log.Memory.Marked(); !m.Stopped {
			t.Errorf("the mark at event %d does not know that a stop is due", m.Seq)
		}
		r.cancel()
		<-r.ended
	})
}

// unreliable stands before a log and fails as it is told to.
type unreliable struct {
	*store.Memory
	fail atomic.Pointer[func(events.Record) error]
}

func (u *unreliable) Append(ctx context.Context, rec events.Record) error {
	if fail := u.fail.Load(); fail != nil {
		if err := (*fail)(rec); err != nil {
			return &store.AppendError{Gateway: "main", Seq: rec.Seq, ID: rec.ID, Err: err}
		}
	}
	return u.Memory.Append(ctx, rec)
}

func (u *unreliable) set(fail func(events.Record) error) {
	if fail == nil {
		u.fail.Store(nil)
		return
	}
	u.fail.Store(&fail)
}

func TestALogThatDoesNotAnswer(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		lost bool // it was written, and the answer lost
	}{
		{"it does not answer", store.ErrUnavailable, false},
		{"it is full for a while", store.ErrFull, false},
		{"it wrote, and its answer is lost", store.ErrUnavailable, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &unreliable{Memory: store.NewMemory("main")}
				r := start(t, log.Memory, log, events.Enforce)
				synctest.Wait()
				log.set(func(rec events.Record) error {
					if c.lost {
						if err := log.Memory.Append(context.Background(), rec); err != nil {
							t.Error(err)
						}
					}
					return c.err
				})
				answer := r.request("a1")
				time.Sleep(10 * time.Second)
				synctest.Wait()
				select {
				case got := <-answer:
					t.Fatalf("%s, while nothing can be written", got)
				default:
				}
				if got := r.g.View().Blocked; !errors.Is(got, c.err) {
					t.Errorf("the view says that the log is blocked by %v, want %v", got, c.err)
				}
				log.set(nil)
				if got := <-answer; got != "permit" {
					t.Error(got)
				}
				if got := r.g.View().Blocked; got != nil {
					t.Errorf("the view says that the log is blocked by %v, and it is not", got)
				}
				if got := kinds(t, r.mem, 3); got != "attempt.requested\nattempt.permitted" {
					t.Errorf("the log:\n%s", got)
				}
				r.ready("a1")
				synctest.Wait()
				r.holds()
				r.stop()
			})
		})
	}
	t.Run("another writer appended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			log := &unreliable{Memory: store.NewMemory("main")}
			r := start(t, log.Memory, log, events.Enforce)
			synctest.Wait()
			log.set(func(events.Record) error { return store.ErrConflict })
			if got := <-r.request("a1"); !strings.HasPrefix(got, "error:") {
				t.Error(got)
			}
			if err := <-r.ended; !errors.Is(err, store.ErrConflict) {
				t.Errorf("Run: %v", err)
			}
			r.cancel()
		})
	})
}

func TestWhatIsDroppedIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &unreliable{Memory: store.NewMemory("main")}
		r := start(t, log.Memory, log, events.Enforce)
		synctest.Wait()
		log.set(func(events.Record) error { return store.ErrUnavailable })
		const most = recorder.SoftLimit + 10
		for i := range most {
			r.g.Report(events.Draft{Source: "/tap", Conn: fmt.Sprint("c", i), Data: events.ClientHello{MinVersion: 100, MaxVersion: 225}})
			if i == 0 {
				synctest.Wait() // the loop has it, and gets no further
			}
		}
		for i := range 1000 { // clients that come again at once
			attempt := fmt.Sprint("x", i)
			if got := <-r.request(attempt); got != "error: "+recorder.ErrBusy.Error() {
				t.Errorf("a request: %s", got)
			}
			r.tap(attempt, events.ClientClosed{By: events.Recorder, How: events.FIN})
		}
		synctest.Wait()
		r.tap("a0", events.ClientClosed{By: events.Client, How: events.FIN}) // moves the state: never dropped
		log.set(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		all := kinds(t, r.mem, 3)
		opened := strings.Count(all, "client.hello")
		const turned = 1000
		var lost int
		for _, line := range strings.Split(all, "\n") {
			var n int
			if _, err := fmt.Sscanf(line, "recorder.gap(overflow %d)", &n); err == nil {
				lost += n
			}
		}
		if opened+lost != most+turned || lost <= turned {
			t.Errorf("%d recorded and %d told to be lost, of %d", opened, lost, most+turned)
		}
		if n := strings.Count(all, "client.closed"); n != 1 {
			t.Errorf("%d ends of connections recorded, want the one that moves the state, and none of those whose request was refused", n)
		}
		r.stop()
	})
}

func TestARestartThatIsSeenReleases(t *testing.T) {
	none := events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}
	unknown := events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown, Text: "it took too long"}
	forwarder := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, PID: 300, StartedMS: 300_000}
	unreadable := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown, Socket: "7"}
	for _, c := range []struct {
		name string
		seen []events.GatewayObserved
		want string // the end of the log
	}{
		{"another process listens", []events.GatewayObserved{none, process(200)},
			"gateway.observed\ngateway.observed\nrestart.observed\nrestart.acknowledged(observed)"},
		{"it is seen only once it listens", []events.GatewayObserved{process(200)},
			"gateway.observed\nrestart.observed\nrestart.acknowledged(observed)"},
		{"nothing listens yet", []events.GatewayObserved{none}, "gateway.observed"},
		{"the same process listens again", []events.GatewayObserved{none, process(100)}, "gateway.observed\ngateway.observed"},
		{"a forwarder listens", []events.GatewayObserved{none, forwarder}, "gateway.observed\ngateway.observed"},
		{"nobody can tell whose the listener is", []events.GatewayObserved{unreadable}, "gateway.observed"},
		{"nothing could be read", []events.GatewayObserved{unknown}, "gateway.observed"},
		{"nothing could be read for a while", []events.GatewayObserved{unknown, process(200)},
			"gateway.observed\ngateway.observed\nrestart.observed\nrestart.acknowledged(observed)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, store.NewMemory("main"), nil, events.Enforce)
				<-r.request("a1")
				r.silent("a1")
				synctest.Wait()
				for _, seen := range c.seen {
					after, _ := r.g.Last()
					if _, err := r.g.Observed(t.Context(), seen, after); err != nil {
						t.Fatal(err)
					}
				}
				if got := kinds(t, r.mem, 1); !strings.HasSuffix(got, "restart.required\ngateway.observed\n"+c.want) {
					t.Errorf("the log is\n%s\nwant at its end\n%s", got, c.want)
				}
				opened := strings.Contains(r.relay.asked(), "reopen")
				if want := strings.Contains(c.want, "acknowledged"); opened != want {
					t.Errorf("the relay: %s", r.relay.asked())
				}
				r.holds()
				r.stop()
			})
		})
	}
}

// What was read before the stop and comes to the loop after it would be taken for a
// process that came after the stop.
func TestAReadingThatAnotherOvertookIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, store.NewMemory("main"), nil, events.Enforce)
		<-r.request("a1")
		before, _ := r.g.Last()
		r.silent("a1")
		synctest.Wait()
		if recorded, err := r.g.Observed(t.Context(), process(50), before); err != nil || recorded {
			t.Fatalf("recorded %t, %v", recorded, err)
		}
		if got := kinds(t, r.mem, 1); !strings.HasSuffix(got, "restart.required\ngateway.observed") {
			t.Errorf("the log is\n%s", got)
		}
		if got := r.g.View().State.Gate; got != fsm.Stopped {
			t.Errorf("gate %s", got)
		}
		r.stop()
	})
}
