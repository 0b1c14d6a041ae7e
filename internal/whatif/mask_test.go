package whatif

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn is a run of random episodes.
func drawn(t *rapid.T, p events.PolicyLoaded) *run {
	r := newRun(p)
	r.fact("/watch", "", r.listener())
	for range rapid.IntRange(3, 25).Draw(t, "episodes") {
		switch rapid.SampledFrom([]string{"attempt", "attempt", "attempt", "attempt", "wait", "crash", "reading"}).Draw(t, "episode") {
		case "attempt":
			patience := time.Duration(rapid.IntRange(1, 400).Draw(t, "patience")) * time.Second
			r.attempt(patience, rapid.SampledFrom([]string{"ready", "silent", "silent", "refused", "unaccepted", "fin", "in use"}).Draw(t, "gateway"))
		case "wait":
			r.pass(time.Duration(rapid.IntRange(1, 4000).Draw(t, "seconds")) * time.Second)
		case "crash":
			r.start()
		case "reading":
			r.fact("/watch", "", r.listener())
		}
		if r.state.Gate == "STOPPED" && rapid.Bool().Draw(t, "resume") {
			r.pass(time.Minute)
			r.resume()
		}
	}
	return r
}

func drawnPolicy(t *rapid.T) events.PolicyLoaded {
	return loaded(func(p *events.Params) {
		p.SilentLimit = rapid.Int64Range(1, 3).Draw(t, "silent_limit")
		p.DialTimeoutLimit = rapid.Int64Range(1, 3).Draw(t, "dial_timeout_limit")
		p.BackoffBaseMS = rapid.SampledFrom([]int64{0, 1000, 20_000}).Draw(t, "backoff_base_ms")
		p.WindowFailures = rapid.SampledFrom([]int64{3, 20}).Draw(t, "window_failures")
	})
}

// A policy that is asked about its own log would have done what it did.
func TestAPolicyAgreesWithItsOwnLog(t *testing.T) {
	compared := 0
	defer func() {
		if compared < 100 {
			t.Errorf("only %d decisions were compared", compared)
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		p := drawnPolicy(t)
		r := drawn(t, p)
		got := r.masked(p)
		if got.First.Seq != 0 || got.Avoided+got.Later+got.LetIn > 0 || got.Total != got.RecordedStops {
			t.Errorf("it differs from itself: %+v", got)
		}
		c := r.compared(p)
		compared += c.Compared
		if c.Total > 0 || c.Unlike > 0 {
			t.Errorf("%d recorded decisions, %d unlike (first #%d), %d differences: %+v", c.Compared, c.Unlike, c.UnlikeAt, c.Total, c.First)
		}
	})
}

// Whom a stop turns away, for as long as it lasts, is not kept.
func TestWhomAStopTurnsAwayIsNotKept(t *testing.T) {
	p := loaded(func(*events.Params) {})
	r := newRun(p)
	r.attempt(0, "silent")
	for range 100 {
		r.attempt(0, "")
	}
	m := NewMask(Policy{"b", "--policy", p})
	for _, e := range r.es {
		m.Step(e)
	}
	if n := len(m.watch.began) + len(m.underway) + len(m.avoided) + len(m.dropped); m.watch.needless == nil || n != 0 {
		t.Errorf("%d names are kept of 100 attempts that were denied; the stop is watched: %t", n, m.watch.needless != nil)
	}
}

// A decision is written later than it is made, and what held a program may be over by then.
func TestADecisionIsOlderThanItsEvent(t *testing.T) {
	p := loaded(func(*events.Params) {})
	r := newRun(p)
	r.attempt(0, "refused")
	r.now = r.state.Delay.Until() - 1e6
	r.lag = 2e6
	r.fact("/tap", "late", events.AttemptRequested{})
	var last []string
	for _, e := range r.es[len(r.es)-3:] {
		last = append(last, string(e.Kind()))
	}
	if got := strings.Join(last, " "); got != "attempt.requested client.held attempt.permitted" {
		t.Fatalf("the log ends with %s", got)
	}
	if c := r.compared(p); c.Compared != 4 || c.Unlike != 0 {
		t.Errorf("%d decisions, %d unlike, the first at #%d; want 4, and the policy's own", c.Compared, c.Unlike, c.UnlikeAt)
	}
}

// Against a stricter count of silent attempts the figures are what a person would count
// by hand: the attempts that were permitted after the silent one that fills the row, up
// to whatever may have released the stop.
func TestAvoidedIsWhatOneCountsByHand(t *testing.T) {
	seen := 0
	rapid.Check(t, func(t *rapid.T) {
		a := loaded(func(p *events.Params) { p.SilentLimit = 3 })
		b := loaded(func(p *events.Params) { p.SilentLimit = rapid.Int64Range(1, 2).Draw(t, "stricter") })
		r := drawn(t, a)
		row, stop, until, avoided := int64(0), uint64(0), uint64(0), 0
		for _, e := range r.es {
			if stop == 0 {
				switch d := e.Data.(type) {
				case events.AttemptSucceeded:
					row = 0
				case events.AttemptFailed:
					switch d.Reason {
					case events.AcceptedNoBytes:
						row++
					case events.Refused, events.ClientIDInUse:
						row = 0
					}
				case events.RestartRequired:
					return // for another reason, or a probation: not by this count
				}
				if row >= b.SilentLimit {
					stop = e.Seq
				}
				continue
			}
			switch e.Data.(type) {
			case events.RestartClaimed, events.RestartAcknowledged:
				until = e.Seq
			case events.AttemptPermitted:
				avoided++
			}
			if until != 0 {
				break
			}
		}
		got := r.masked(b)
		if stop == 0 || stop+1 >= uint64(len(r.es)) {
			return
		}
		seen++
		want := Result{First: Divergence{stop, Stops, ""}, Avoided: avoided, Until: until}
		if diff := cmp.Diff(want, Result{First: got.First, Avoided: got.Avoided, Until: got.Until}); diff != "" {
			t.Errorf("by hand and by whatif (-hand +whatif):\n%s", diff)
		}
	})
	if seen < 10 {
		t.Errorf("only %d runs had something to count", seen)
	}
}

// The cases that doc.go names.
func TestWhatIsSoundAndWhatIsNot(t *testing.T) {
	strict := loaded(func(*events.Params) {})
	three := loaded(func(p *events.Params) { p.SilentLimit = 3 })
	observe := strict
	observe.Mode = events.Observe
	for _, c := range []struct {
		name string
		a, b events.PolicyLoaded
		live func(r *run)
		want Result
	}{
		{"it stops after the first silent attempt, and two more were made", three, strict, func(r *run) {
			for range 3 {
				r.attempt(time.Minute, "silent")
			}
		}, Result{Attempts: 3, Avoided: 2, Total: 1, RecordedStops: 1, First: Divergence{10, Stops, ""},
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true}}}},
		{"what comes after a claim is as recorded: it may have come at another time", loaded(func(p *events.Params) { p.SilentLimit = 9 }), strict, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
			r.resume()
			r.pass(time.Hour)
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
		}, Result{Attempts: 5, Avoided: 1, Later: 1, Total: 2, First: Divergence{10, Stops, ""}, Until: 23,
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true},
				{Seq: 42, Reason: events.DownProbation, Attempts: 4, TookNS: 65e9}}}},
		{"it goes on where the recorded policy stops: who was turned away would have been let in", strict, three, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.pass(time.Minute)
			r.attempt(time.Second, "ready")
		}, Result{Attempts: 1, LetIn: 1, RecordedStops: 1, First: Divergence{12, GoesOn, ""}, Until: 12}},
		{"a stop before an attempt that was ready was needless", three, strict, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "ready")
			r.attempt(time.Minute, "ready")
		}, Result{Attempts: 3, Avoided: 2, AvoidedReady: 2, Total: 1, Needless: 1, First: Divergence{10, Stops, ""},
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true, Needless: true}}}},
		{"a stop before a restart of the Gateway was not, as far as anybody knows", three, strict, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.pid++
			r.fact("/watch", "", r.listener())
			r.attempt(time.Minute, "ready")
		}, Result{Attempts: 2, Avoided: 0, Total: 1, First: Divergence{10, Stops, ""}, Until: 13,
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true}}}},
		{"an attempt that was given up after 15 s may have been answered within 30", loaded(func(p *events.Params) {
			p.SilentLimit, p.VersionBudgetMS = 3, 15_000
		}), strict, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
		}, Result{Attempts: 2, Later: 1, Total: 1, First: Divergence{10, Budget, "version_budget_ms"}, Until: 10,
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 15e9}}}},
		{"one that was given up after 30 s is silent after 15 all the same, if that is what stops", three, loaded(func(p *events.Params) { p.VersionBudgetMS = 15_000 }), func(r *run) {
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
		}, Result{Attempts: 2, Avoided: 1, Total: 1, First: Divergence{10, Stops, ""},
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true}}}},
		{"a longer wait moves what comes after it", three, loaded(func(p *events.Params) { p.SilentLimit, p.BackoffBaseMS = 3, 30_000 }), func(r *run) {
			r.attempt(time.Minute, "refused")
			r.attempt(time.Minute, "ready")
		}, Result{Attempts: 2, First: Divergence{15, Waits, "backoff"}, Until: 15}},
		{"a shorter wait does too", loaded(func(p *events.Params) { p.BackoffBaseMS = 30_000 }), strict, func(r *run) {
			r.attempt(time.Minute, "refused")
			r.attempt(time.Minute, "ready")
		}, Result{Attempts: 2, First: Divergence{15, Earlier, "a2"}, Until: 15}},
		{"observe mode held nobody, and enforced it would have", observe, strict, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
		}, Result{Attempts: 2, Avoided: 1, Total: 1, RecordedStops: 1, First: Divergence{17, Stops, "a2"},
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true, Shared: true}}}},
		{"a policy in observe mode holds nobody", three, observe, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.attempt(time.Minute, "silent")
		}, Result{Attempts: 2, Total: 1, First: Divergence{10, Stops, ""}, Until: 16,
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true}}}},
		{"whoever goes around the recorder is held by no policy", three, strict, func(r *run) {
			r.attempt(time.Minute, "silent")
			r.fact("/runner/robo", "own", events.AttemptRequested{})
			r.fact("/runner/robo", "own", events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 30_000})
		}, Result{Attempts: 2, Around: 1, Total: 1, First: Divergence{10, Stops, ""},
			Stops: []Stop{{Seq: 10, Reason: events.DownSilent, Attempts: 1, TookNS: 30e9, Sound: true}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRun(c.a)
			r.fact("/watch", "", r.listener())
			c.live(r)
			got := r.masked(c.b)
			got.Last = 0
			if diff := cmp.Diff(c.want, got); diff != "" {
				var log string
				for _, e := range r.es {
					log += fmt.Sprintf("#%d %s %s %+v\n", e.Seq, e.Kind(), e.Attempt, e.Data)
				}
				t.Errorf("(-want +got):\n%s\nof\n%s", diff, log)
			}
		})
	}
}
