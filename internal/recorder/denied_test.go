package recorder_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"

	"github.com/google/go-cmp/cmp"
)

// denials are the collapsed denials of a log: when, since the first event that from
// names, how many, and in which epoch.
func denials(t *testing.T, r *run, began time.Time) []string {
	t.Helper()
	var out []string
	stop := ""
	for rec, err := range r.mem.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		switch d := rec.Data.(type) {
		case events.RestartRequired:
			stop = rec.ID
		case events.AttemptDenied:
			out = append(out, fmt.Sprint(rec.Time.Sub(began).Round(time.Second), " x ", d.Count))
			if rec.Cause != stop || rec.Attempt != "" || d.Reason != events.HoldStopped {
				t.Errorf("%s: cause %s, want the stop, %s", rec.Raw, rec.Cause, stop)
			}
		}
	}
	return out
}

// Programs that a stop turns away at the port are told of at once, then once a minute,
// before the release, and at the end of the run, each time with how many; and the view
// knows of all at any time.
func TestWhomAStopTurnsAwayIsCounted(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(*testing.T, *run)
		want []string
	}{
		{"one", func(t *testing.T, r *run) { r.g.Denied(); time.Sleep(5 * time.Minute) }, []string{"0s x 1"}},
		{"ten a second, for two minutes and a half", func(t *testing.T, r *run) {
			r.knock(1500, 100*time.Millisecond)
			time.Sleep(time.Hour)
		}, []string{"0s x 1", "1m0s x 600", "2m0s x 600", "3m0s x 299"}},
		{"and the run ends", func(t *testing.T, r *run) { r.knock(100, time.Second/4) }, []string{"0s x 1", "25s x 99"}},
		{"and the stop is released", func(t *testing.T, r *run) {
			r.knock(100, time.Second/4)
			r.sensor.set(process(200))
			if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"}); err != nil {
				t.Fatal(err)
			}
			head, _ := r.mem.Head(t.Context())
			if got := kinds(t, r.mem, head.Seq-2); got != "restart.observed\nattempt.denied(stopped)\nrestart.acknowledged(observed)" {
				t.Errorf("at the release: %s", got)
			}
		}, []string{"0s x 1", "25s x 99"}},
		{"one more while the release is carried out", func(t *testing.T, r *run) {
			r.g.Denied()
			synctest.Wait()
			r.relay.reopened = r.g.Denied
			r.sensor.set(process(200))
			if _, err := r.g.Resume(t.Context(), "/operator/cli", events.RestartClaimed{By: "kim", Reason: "restarted it"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Minute)
		}, []string{"0s x 1", "0s x 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, store.NewMemory("main"), nil, events.Enforce)
				<-r.request("a1")
				r.silent("a1")
				synctest.Wait()
				began := time.Now()
				c.then(t, r)
				synctest.Wait()
				r.holds()
				r.stop()
				if diff := cmp.Diff(c.want, denials(t, r, began)); diff != "" {
					t.Errorf("want -, got +\n%s\n%s", diff, kinds(t, r.mem, 1))
				}
				if n := r.g.View().Denied; n != 0 {
					t.Errorf("%d are not in the log at the end", n)
				}
				r.holds()
			})
		})
	}
}

// knock has programs turned away, one by one, and looks whether the view counts them.
func (r *run) knock(n int, every time.Duration) {
	r.t.Helper()
	for i := 1; i <= n; i++ {
		r.g.Denied()
		synctest.Wait()
		v := r.g.View()
		if got := v.State.Totals.Denied + v.Denied; got != int64(i) {
			r.t.Fatalf("%d programs were turned away, and the view says %d", i, got)
		}
		if s := v.State.Totals; s.Requested != s.Permitted+s.Denied {
			r.t.Fatalf("the totals do not add up: %+v", s)
		}
		if i == 1 { // never at the moment at which a minute is over
			time.Sleep(every / 2)
			continue
		}
		time.Sleep(every)
	}
}

// A log that does not answer loses none of them.
func TestDenialsWaitForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := store.NewMemory("main")
		u := &unreliable{Memory: mem}
		r := start(t, mem, u, events.Enforce)
		<-r.request("a1")
		r.silent("a1")
		synctest.Wait()
		began := time.Now()
		u.set(func(events.Record) error { return store.ErrUnavailable })
		for range 5 {
			r.g.Denied()
		}
		time.Sleep(30 * time.Second)
		for range 5 {
			r.g.Denied()
		}
		u.set(nil)
		time.Sleep(2 * time.Minute)
		r.stop()
		if got := strings.Join(denials(t, r, began), ", "); got != "0s x 5, 1m0s x 5" {
			t.Errorf("the log has %s", got)
		}
		r.holds()
	})
}
