package report

import (
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// row is one event with what the events before it say about it.
type row struct {
	event    events.Event
	number   int    // of its attempt, 0 if it belongs to none
	opens    bool   // it is the first of its attempt
	gate     string // if this event changed it
	same     string // steady part of what it says
	varying  string // the rest
	anchored bool   // it is the first of a stream that starts later than 1
	alike    string // rows of the same are repetitions; "" is like nothing
}

func (r *row) by() string { return strings.TrimPrefix(r.event.Source, "/") }

func (r *row) detail() string {
	if r.same != "" && r.varying != "" {
		return r.same + " · " + r.varying
	}
	return r.same + r.varying
}

// narrator turns events into rows.
type narrator struct {
	in      Range
	fold    *fsm.Folder
	state   fsm.State
	numbers map[string]int // of attempts; a timeline is for people, and grows with their attempts
	stops   stops
	told    int
}

func newNarrator(r Range) *narrator {
	return &narrator{in: r, fold: fsm.NewFolder(), state: fsm.Initial(), numbers: map[string]int{}}
}

// next takes in the next event and reports whether it is in the range.
func (n *narrator) next(e events.Event) (row, bool) {
	before := n.state
	n.state = n.fold.Apply(n.state, e)
	r := row{event: e, anchored: before.Seq == 0 && e.Seq > 1}
	if n.state.Gate != before.Gate {
		r.gate = string(n.state.Gate)
	}
	if e.Attempt != "" {
		if r.number = n.numbers[e.Attempt]; r.number == 0 {
			r.number, r.opens = len(n.numbers)+1, true
			n.numbers[strings.Clone(e.Attempt)] = r.number // a key must not keep the block that its line was read in
		}
	}
	wanted := n.in.has(e.Seq)
	n.stops.see(&e, wanted)
	if !wanted {
		return r, false
	}
	n.told++
	r.same, r.varying, _ = phrase(e.Data)
	if !landmark(e.Kind()) {
		first := " "
		if r.opens {
			first = " first "
		}
		r.alike = string(e.Kind()) + first + e.Source + " " + r.gate + " " + r.same
	}
	return r, true
}

// landmark reports whether an event is told each time, however often it comes.
func landmark(k events.Kind) bool {
	switch k.Group() {
	case "restart", "rule", "operator":
		return true
	}
	return k == "gateway.down" || k == "gateway.contradicted" || k == "recorder.gap"
}
