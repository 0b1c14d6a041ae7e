package report

import (
	"ibrecorder/events"
)

// recoveries follow what had to happen after each stop.
type recoveries struct{ all []recovering }

type recovering struct {
	stop                                                events.Event
	told, absent, claimed, seen, back, released, worked *events.Event
}

func (r *recoveries) see(e *events.Event) {
	copied := *e
	if _, ok := e.Data.(events.RestartRequired); ok {
		r.all = append(r.all, recovering{stop: copied})
		if len(r.all) > maxRecovery {
			r.all = r.all[1:]
		}
		return
	}
	if len(r.all) == 0 {
		return
	}
	x := &r.all[len(r.all)-1]
	first := func(to **events.Event) {
		if *to == nil {
			*to = &copied
		}
	}
	switch d := e.Data.(type) {
	case events.AlertDelivered:
		first(&x.told)
	case events.GatewayObserved:
		switch {
		case x.released != nil:
		case d.Listening == events.ListeningNo:
			first(&x.absent)
			x.back = nil
		case d.Listening == events.ListeningYes && x.absent != nil:
			first(&x.back)
		}
	case events.RestartClaimed:
		if x.released == nil {
			x.claimed = &copied
		}
	case events.RestartObserved:
		first(&x.seen)
	case events.RestartAcknowledged:
		first(&x.released)
	case events.GatewayContradicted:
		if d.Ends {
			first(&x.released)
		}
	case events.AttemptSucceeded:
		if x.released != nil {
			first(&x.worked)
		}
	}
}

// done is the steps of the last stops, in the order in which an operator takes them.
func (r *recoveries) done() []Recovery {
	out := []Recovery{}
	for i := range r.all {
		x := &r.all[i]
		one := Recovery{Stop: x.stop.Seq}
		step := func(what string, e *events.Event, missing string) {
			s := Step{What: what, Note: missing}
			if e != nil {
				s.Seq, s.Time, s.AfterNS, s.Note = e.Seq, utc(e.Time), elapsed(x.stop, *e), ""
			}
			one.Steps = append(one.Steps, s)
		}
		step("Somebody is told", x.told, "no alert in this report was delivered")
		step("The Gateway is down", x.absent, "nobody saw its port closed")
		if x.seen == nil && x.claimed != nil {
			step("The Gateway is restarted", x.claimed, "")
			one.Steps[len(one.Steps)-1].Note = plain("as " + x.claimed.Data.(events.RestartClaimed).By + " says")
		} else {
			step("The Gateway is restarted", x.seen, "nobody saw another process")
		}
		step("It listens again", x.back, "nobody saw the moment")
		step("The stop is released", x.released, "not yet")
		step("A program is connected", x.worked, "not yet")
		out = append(out, one)
	}
	return out
}
