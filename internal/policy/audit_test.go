package policy_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"ibrecorder/events"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/policy"
)

func audited(log []events.Event) audit.Result {
	a := audit.New()
	for _, e := range log {
		a.Step(e)
	}
	return a.Result()
}

// The audit, which reads a log alone, finds the decisions of a loop to be the policy's,
// whatever clients, runners, operators and crashes do.
func TestWhatTheLoopDecidesIsWhatThePolicyDecides(t *testing.T) {
	checked := 0
	rapid.Check(t, func(t *rapid.T) {
		log := policy.Walked(t)
		r := audited(log)
		for _, f := range r.Findings {
			t.Fatalf("%s: %s\n%s", f.Class, f.Text, policy.Told(log[:f.Seq]))
		}
		if r.Skipped > 0 {
			t.Fatalf("%d decisions were not compared: %s", r.Skipped, r.Why)
		}
		checked += r.Checked
	})
	if checked < 1000 {
		t.Errorf("%d decisions were compared: the walks have seen nothing", checked)
	}
}

// decisions are the places of what the policy decided in a log.
func decisions(log []events.Event) (at []int) {
	for i, e := range log {
		info, _ := events.Lookup(e.Kind())
		switch d := e.Data.(type) {
		case events.AttemptDenied:
			if e.Attempt == "" { // a count
				continue
			}
		case events.AttemptUnknown:
			if d.Reason == events.UnknownUnused { // the tap's to know
				continue
			}
		case events.GatewayDown:
			if e.Source != "/recorder" {
				continue
			}
			info.Class = events.Decision
		}
		if info.Class == events.Decision {
			at = append(at, i)
		}
	}
	return at
}

// One decision of a walk that is left out, repeated or changed is found where it is, and
// named for what it is. What follows from it may be found behind it.
func TestOneChangedDecisionIsFound(t *testing.T) {
	seen := map[audit.Class]int{}
	rapid.Check(t, func(t *rapid.T) {
		log := policy.Walked(t)
		at := decisions(log)
		if len(at) == 0 {
			t.Skip("nothing was decided")
		}
		i := rapid.SampledFrom(at).Draw(t, "which")
		want := rapid.SampledFrom([]audit.Class{audit.Missing, audit.Extra, audit.Different}).Draw(t, "how")
		e := log[i]
		var forged []events.Event
		switch want {
		case audit.Missing:
			if i+1 == len(log) || log[i+1].Boot != e.Boot {
				t.Skip("a run that ends there was killed before it decided")
			}
			forged = append(append(forged, log[:i]...), log[i+1:]...)
		case audit.Extra:
			forged = append(append(append(forged, log[:i+1]...), e), log[i+1:]...)
		case audit.Different:
			changed, ok := another(e.Data)
			if !ok {
				t.Skip("nothing of it can be another")
			}
			e.Data = changed
			forged = append(append(append(forged, log[:i]...), e), log[i+1:]...)
		}
		for n := range forged {
			forged[n].Seq = uint64(n + 1)
		}
		r := audited(forged)
		if late := e.Mono > log[i-1].Mono || i+1 < len(log) && log[i+1].Mono > e.Mono; want == audit.Missing && late && (len(r.Findings) == 0 || r.Findings[0].Class != want) {
			t.Skip("time made it due, and a run may be killed before it wakes; or what time made due behind it took its place, as behind a slow disk")
		}
		if len(r.Findings) == 0 {
			t.Fatalf("%s %s at #%d is not found\n%s", want, e.Kind(), i+1, policy.Told(forged))
		}
		f := r.Findings[0]
		about := f.Recorded
		if want == audit.Missing {
			about = f.Recomputed
			if last := i+1 == len(forged) || forged[i+1].Boot != e.Boot; last && f.Class == audit.Extra {
				t.Skip("the run ends behind the next decision: either is one too many or the other is missing")
			}
		}
		if f.Class != want || about.Kind != e.Kind() || about.Attempt != e.Attempt {
			t.Fatalf("%s %s at #%d is found as %s: %s\n%s", want, e.Kind(), i+1, f.Class, f.Text, policy.Told(forged))
		}
		if place := uint64(i + 1); want != audit.Missing && f.Seq != place && f.Seq != place+1 {
			t.Fatalf("%s %s at #%d is found at #%d", want, e.Kind(), place, f.Seq)
		}
		seen[want]++
	})
	for _, c := range []audit.Class{audit.Missing, audit.Extra, audit.Different} {
		if seen[c] == 0 {
			t.Errorf("no decision was %s: the walks have seen nothing", c)
		}
	}
	t.Log(fmt.Sprint(seen))
}

// another is a payload of the same kind that says something else.
func another(p events.Payload) (events.Payload, bool) {
	switch d := p.(type) {
	case events.AttemptPermitted:
		d.Policy += "0"
		return d, true
	case events.AttemptDenied:
		d.Count++
		return d, true
	case events.ClientHeld:
		d.WaitMS++
		return d, true
	case events.RetryScheduled:
		d.DelayMS += 1_000_000
		return d, true
	case events.GatewayDown:
		d.Count++
		return d, true
	case events.RestartRequired:
		d.Policy += "0"
		return d, true
	case events.RestartRejected:
		d.By += "0"
		return d, true
	case events.RestartAcknowledged:
		d.By += "0"
		return d, true
	case events.RestartObserved:
		d.PID++
		return d, true
	case events.DisconnectPermitted:
		d.Sessions++
		return d, true
	}
	return nil, false
}
