package recorder_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/rule"
	"ibrecorder/store"
)

// filling is a log whose room is what a test says, in percent.
func filling(percent *atomic.Int64) func(*recorder.Config) {
	return func(c *recorder.Config) {
		c.Room = func() store.Room {
			return store.Room{Used: percent.Load(), Limit: 100, Percent: int(percent.Load())}
		}
	}
}

// since is the log behind the start of the run, in one line.
func (r *run) since(seq uint64) string {
	return strings.ReplaceAll(kinds(r.t, r.mem, seq), "\n", " ")
}

func TestALogThatIsNearlyFullKeepsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var percent atomic.Int64
		r := start(t, store.NewMemory("main"), nil, events.Enforce, filling(&percent))
		if got := <-r.request("a1"); got != "permit" {
			t.Fatal(got)
		}
		r.ready("a1")
		synctest.Wait()
		begun := r.g.View().State.Seq + 1

		percent.Store(81)
		synctest.Wait()
		time.Sleep(2 * time.Second) // nothing happens, and yet it is seen
		synctest.Wait()
		if got := r.since(begun); got != "recorder.room" || r.g.View().State.Room.Level != events.LevelWarning {
			t.Errorf("at 81 %%: %s, %v", got, r.g.View().State.Room)
		}
		if got := <-r.request("a2"); got != "permit" {
			t.Errorf("a warning holds nobody: %s", got)
		}
		r.ready("a2")
		synctest.Wait()

		percent.Store(95)
		full := r.g.View().State.Seq + 1
		if got := <-r.request("a3"); got != "denied: log_full" {
			t.Errorf("in the reserve: %s", got)
		}
		synctest.Wait()
		if got := r.since(full); got != "recorder.room tap.closed attempt.requested attempt.denied(log_full)" || !strings.Contains(r.relay.asked(), "unlisten") {
			t.Errorf("in the reserve: %s; the relay was told: %s", got, r.relay.asked())
		}

		// A session that is connected goes on, and so does what the reserve is for.
		r.tap("a2", events.SessionDegraded{Code: 1100})
		synctest.Wait()
		for _, c := range []struct {
			name  string
			draft events.Draft
			is    error
		}{
			{"a report is refused", events.Draft{ID: "x1", Source: "/runner/robo-1", Data: events.OperatorNoted{By: "robo-1", Text: "hello"}}, recorder.ErrRoom},
			{"an operator is heard", events.Draft{ID: "x2", Source: "/operator/cli", Data: events.OperatorNoted{By: "kim", Text: "I am at it"}}, nil},
			{"a stop is a stop", events.Draft{ID: "x3", Source: "/runner/robo-1", Data: events.GatewayDown{Reason: events.DownReported}}, nil},
		} {
			if _, err := r.g.Submit(t.Context(), c.draft); !errors.Is(err, c.is) || c.is == nil && err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if gate := r.g.View().State.Gate; gate != fsm.Stopped {
			t.Errorf("the gate is %s after a stop in the reserve", gate)
		}
		if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted", Override: true}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := <-r.request("a4"); got != "denied: log_full" {
			t.Errorf("after a release: %s", got)
		}

		percent.Store(91) // not yet: it would be back at once
		time.Sleep(2 * time.Second)
		if got := <-r.request("a5"); got != "denied: log_full" {
			t.Errorf("at 91 %%: %s", got)
		}
		percent.Store(10)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !strings.HasSuffix(r.relay.asked(), fmt.Sprint("reopen at ", r.g.View().State.Seq-1)) || r.g.View().State.Room.Level != events.LevelAmple {
			t.Errorf("with room: %v, and the relay was told: %s", r.g.View().State.Room, r.relay.asked())
		}
		if got := <-r.request("a6"); got != "permit" {
			t.Errorf("with room: %s", got)
		}
		r.holds()
		r.stop()
	})
}

func TestInObserveModeAFullLogHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var percent atomic.Int64
		percent.Store(99)
		r := start(t, store.NewMemory("main"), nil, events.Observe, filling(&percent))
		if got := <-r.request("a1"); got != "permit" {
			t.Error(got)
		}
		synctest.Wait()
		if got := r.relay.asked(); strings.Contains(got, "unlisten") {
			t.Errorf("the relay was told: %s", got)
		}
		r.tap("a1", events.AttemptAbandoned{})
		synctest.Wait()
		r.stop()
	})
}

// A log at the edge of a level must not fill itself with the news.
func TestALevelIsLeftLowerThanItWasEntered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var percent atomic.Int64
		r := start(t, store.NewMemory("main"), nil, events.Enforce, filling(&percent))
		begun := r.g.View().State.Seq + 1
		for _, p := range []int64{79, 80, 76, 79, 75, 94, 95, 90, 94, 89, 75, 74, 79} {
			percent.Store(p)
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		var levels []string
		for rec, err := range r.mem.Read(t.Context(), begun, 0) {
			if d, ok := rec.Data.(events.RecorderRoom); ok && err == nil {
				levels = append(levels, string(d.Level))
			}
		}
		if got := strings.Join(levels, " "); got != "warning reserve warning ample" {
			t.Errorf("the log says %s", got)
		}
		if v, _ := judged(t, r.mem); v.Outcome != rule.Holds {
			t.Errorf("verdict %+v", v)
		}
		r.stop()
	})
}
