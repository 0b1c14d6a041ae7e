package rule

import (
	"fmt"

	"ibrecorder/events"
)

// decideWithin is how long a stop that is due may go undecided while the recorder
// goes on writing, in nanoseconds. The loop decides before it takes the next fact;
// a minute is far above any stall of a disk and far below a night.
const decideWithin = 60e9

// rs2: a stop is not late.
type rs2 struct{ tally }

func (m *rs2) step(f *facts) {
	if f.kind == attemptFailed || f.kind == gatewayDown {
		m.Checked++
	}
	d := &f.past.Due
	if d.Seq == 0 || d.Told || d.Late && f.kind != attemptPermitted || f.kind == restartRequired {
		return // a permit is worse than a late stop, and told beside it
	}
	found := Finding{Rule: "RS2", Because: d.Because, Observed: f.past.observing()}
	switch f.kind {
	case attemptPermitted:
		found.Observed = f.past.observed(f.rec.Data.(events.AttemptPermitted).Enforced)
		found.Text = fmt.Sprintf("attempt %s was permitted although a stop was due since #%d", f.rec.Attempt, d.Seq)
	case dialStarted:
		if f.flight == nil && !f.outside && !f.past.oldPermit() {
			found.Text = fmt.Sprintf("the recorder dialled for attempt %s although a stop was due since #%d", f.rec.Attempt, d.Seq)
		}
	}
	switch {
	case found.Text != "":
	case f.imported:
		// No recorder was there to decide: whoever went on connecting broke the rule.
		if f.bypass() && f.beganAfter(d.Seq, d.At) {
			found.Bypassed, found.Hint = true, "let that program connect through the recorder's port"
			found.Text = fmt.Sprintf("nobody stopped: %s connected (attempt %s) although a stop was due since #%d", f.rec.Source, f.rec.Attempt, d.Seq)
		}
	case f.past.Stop.Known:
		if waited, known := f.at.since(d.At); known && waited > decideWithin {
			found.Text = fmt.Sprintf("a stop was due since #%d, and %d s later it was not decided", d.Seq, waited/1e9)
		}
	}
	if found.Text == "" || found.Observed && d.Seen {
		return
	}
	m.add(f, found)
	d.Seen = true // once as what would have been, once as a breach
	d.Late = d.Late || !found.Observed
	d.Told = d.Told || d.Late && f.kind == attemptPermitted
}

// pending is a stop that was due when the stream ended.
func (m *rs2) pending(h *history) []Finding {
	if h.Due.Seq == 0 || h.Due.Late {
		return nil
	}
	return []Finding{{
		Rule: "RS2", Seq: h.Due.Seq, Because: append([]uint64(nil), h.Due.Because...),
		Text: fmt.Sprintf("a stop is due since #%d; the stream ends before it is decided", h.Due.Seq),
		Hint: "read on: the next decision must be restart.required",
	}}
}

// rs9: no stop without evidence.
type rs9 struct{ tally }

func (m *rs9) step(f *facts) {
	if f.kind != restartRequired || f.past.Stop.Stands || !f.past.Stop.Known {
		return
	}
	d := f.rec.Data.(events.RestartRequired)
	m.Checked++
	switch {
	case d.Carried && f.past.Carries:
	case d.Carried:
		m.find(f, d, "it says that the stop is taken over from an older log, and no start said that one was stopped")
	case !f.past.supported(d.Reason):
		m.find(f, d, fmt.Sprintf("for the reason %s, and the events before it do not add up to that by the recorded policy", d.Reason))
	}
}

func (m *rs9) find(f *facts, d events.RestartRequired, why string) {
	m.add(f, Finding{
		Rule: "RS9", Because: f.past.Evidence.because(), Observed: f.past.observed(d.Enforced),
		Text: "the gate was stopped without need: " + why,
	})
}
