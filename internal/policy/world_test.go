package policy

import (
	"fmt"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/fsm/fsmtest"
)

// world is the smallest recorder there is: it folds facts, and after each it
// appends and folds decisions until nothing is due.
type world struct {
	w       *fsmtest.Writer
	f       *fsm.Folder
	s       fsm.State
	wake    int64
	made    []string          // the decisions after the last fact
	stopped bool              // as a reader of the decisions would have it, who knows no fold
	about   map[string]string // the attempt of each event, by its ID
	log     []events.Event
	crash   int // how many decisions it still makes before it dies, -1 for a run that lives
}

func begin(p events.Params, mode events.Mode) *world {
	w := &world{w: fsmtest.New(p), f: fsm.NewFolder(), s: fsm.Initial(), about: map[string]string{}, crash: -1}
	w.must("boot b1")
	w.must("policy " + string(mode))
	return w
}

// must plays a script that is known to be well formed, in the middle of a property.
func (w *world) must(script string) {
	if err := w.play(script); err != nil {
		panic(err)
	}
}

func (w *world) play(script string) error {
	for _, line := range fsmtest.Lines(script) {
		all, err := w.w.Write(line)
		if err != nil {
			return err
		}
		for _, e := range all {
			w.take(e)
		}
		if err := w.rest(); err != nil {
			return fmt.Errorf("after %q: %w", line, err)
		}
	}
	return nil
}

func (w *world) take(e events.Event) {
	w.about[e.ID] = e.Attempt
	w.log = append(w.log, e)
	w.s = w.f.Apply(w.s, e)
}

// rest makes every decision that is due. It fails when that does not come to an
// end, and when one of them breaks the rule.
func (w *world) rest() error {
	w.made = nil
	most := 10 + 2*len(w.s.Waiting) + len(w.s.Sessions)
	for {
		d := Decide(w.s, w.w.Now)
		if d.Data == nil || len(w.made) == w.crash {
			w.wake = d.Wake
			return nil
		}
		w.made = append(w.made, w.decided(d))
		if len(w.made) > most {
			return fmt.Errorf("%d decisions and no end: %s", len(w.made), strings.Join(w.made, "; "))
		}
		if p, ok := d.Data.(events.AttemptPermitted); ok && p.Enforced && (w.stopped || w.s.Busy()) {
			return fmt.Errorf("%s, stopped %t, others under way %t", w.decided(d), w.stopped, w.s.Busy())
		}
		switch d := d.Data.(type) {
		case events.RestartRequired:
			w.stopped = true
		case events.RestartAcknowledged:
			w.stopped = false
		case events.GatewayContradicted:
			w.stopped = w.stopped && !d.Ends
		}
		w.take(w.w.Stamp(events.Draft{Source: "/recorder", Attempt: d.Attempt, Conn: d.Conn, Cause: d.Cause, Data: d.Data}))
	}
}

// decided says what d is in a few words.
func (w *world) decided(d Decision) string {
	switch p := d.Data.(type) {
	case events.AttemptPermitted:
		out := "permit " + d.Attempt
		if p.Probation > 0 {
			out += fmt.Sprintf(" as probation %d", p.Probation)
		}
		if p.Against != "" {
			out += " against " + string(p.Against)
		}
		return out
	case events.AttemptDenied:
		return "deny " + d.Attempt + " " + string(p.Reason)
	case events.ClientHeld:
		return "hold " + d.Attempt + " " + string(p.Reason)
	case events.AttemptUnknown:
		return "unknown " + d.Attempt
	case events.GatewayDown:
		var by []string
		for _, id := range p.Evidence {
			by = append(by, w.about[id])
		}
		return fmt.Sprintf("down %s %d/%d by %s", p.Reason, p.Count, p.Limit, strings.Join(by, ","))
	case events.RestartRequired:
		out := "stop " + string(p.Reason)
		if p.Carried {
			out += " carried"
		}
		if !p.Enforced {
			out += " not enforced"
		}
		return out
	case events.RestartObserved:
		return fmt.Sprintf("restarted %d to %d", p.OldPID, p.PID)
	case events.RestartAcknowledged:
		return "release " + string(p.Basis) + " by " + p.By
	case events.RestartRejected:
		return "reject " + string(p.Why)
	case events.GatewayContradicted:
		return fmt.Sprintf("contradicted, ends %t", p.Ends)
	case events.RetryScheduled:
		if p.ClientID != nil {
			return fmt.Sprintf("client %d waits %s and up to %s", *p.ClientID, time.Duration(p.DelayMS)*time.Millisecond, time.Duration(d.JitterMS)*time.Millisecond)
		}
		return fmt.Sprintf("delay %s and up to %s", time.Duration(p.DelayMS)*time.Millisecond, time.Duration(d.JitterMS)*time.Millisecond)
	case events.DisconnectPermitted:
		return fmt.Sprintf("disconnect %d", p.Sessions)
	case events.DisconnectBlocked:
		return "block " + d.Attempt + " " + string(p.Stage)
	case events.DisconnectForced:
		return "force " + d.Attempt + " " + string(p.Stage)
	}
	return fmt.Sprintf("something else, %T", d.Data)
}
