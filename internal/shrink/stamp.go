package shrink

import (
	"slices"

	"ibrecorder/events"
)

// stamp yields the events of a part as they would stand in a stream of their own: what
// follows from the events before is made anew, but for the link.
func (t *trial) stamp(kept []int, yield func(events.Event)) {
	in := make([]bool, len(t.all))
	for _, i := range kept {
		in[i] = true
	}
	gone := func(id string) bool {
		i, ours := t.index[id]
		return ours && !in[i]
	}
	open := map[string]bool{}
	boot, inOrder := "", false
	epoch := t.epoch
	for n, i := range kept {
		e := t.all[i]
		switch d := e.Data.(type) {
		case events.RestartAcknowledged:
			epoch++
		case events.RecorderStopped:
			inOrder = true
		case events.AttemptPermitted:
			if t.listed[e.Attempt] {
				open[e.Attempt] = true
			}
		case events.AttemptSucceeded, events.AttemptFailed, events.AttemptAbandoned, events.AttemptUnknown:
			if t.listed[e.Attempt] {
				delete(open, e.Attempt)
			}
		case events.GatewayDown:
			if slices.ContainsFunc(d.Evidence, gone) {
				d.Evidence = slices.DeleteFunc(slices.Clone(d.Evidence), gone)
				e.Data = d
			}
		case events.RecorderStarted:
			e.Data = after(d, n == 0 && t.first > 1, boot, inOrder, open)
		}
		if e.Boot != boot {
			boot, inOrder = e.Boot, false
		}
		if e.Cause != "" && gone(e.Cause) {
			e.Cause = ""
		}
		e.Seq, e.Epoch, e.Prev = t.first+uint64(n), epoch, events.Hash{}
		yield(e)
	}
}

// after makes the first event of a run tell of what is left before it.
func after(d events.RecorderStarted, anchored bool, boot string, inOrder bool, open map[string]bool) events.RecorderStarted {
	if anchored || d.Previous == events.PreviousQuarantined {
		return d
	}
	d.PreviousBoot = boot
	switch {
	case boot == "":
		d.Previous = events.PreviousNone
	case inOrder:
		d.Previous = events.PreviousStopped
	default:
		d.Previous = events.PreviousCrashed
	}
	d.Unfinished = slices.DeleteFunc(slices.Clone(d.Unfinished), func(a string) bool { return !open[a] })
	if len(d.Unfinished) == 0 {
		d.Unfinished = nil
	}
	return d
}

// write chains a part.
func (t *trial) write(kept []int) (recs []events.Record, err error) {
	prev := events.Hash{}
	if t.first > 1 {
		prev = t.anchor
	}
	t.stamp(kept, func(e events.Event) {
		if err != nil {
			return
		}
		var rec events.Record
		e.Prev = prev
		if rec, err = events.NewRecord(e); err == nil {
			recs, prev = append(recs, rec), rec.Hash()
		}
	})
	return recs, err
}
