package explore

import (
	"ibrecorder/events"
	"ibrecorder/fsm"
)

// cover is which rows of the three tables were exercised.
type cover struct {
	gate  map[cell[fsm.Gate, fsm.GateTrigger]]bool
	api   map[cell[fsm.API, fsm.APITrigger]]bool
	phase map[cell[fsm.Phase, fsm.PhaseTrigger]]bool
}

type cell[S, T ~string] struct {
	in S
	on T
}

func newCover() *cover {
	return &cover{map[cell[fsm.Gate, fsm.GateTrigger]]bool{}, map[cell[fsm.API, fsm.APITrigger]]bool{}, map[cell[fsm.Phase, fsm.PhaseTrigger]]bool{}}
}

// see notes what an event is about to mean to the machines.
func (c *cover) see(s *fsm.State, e *events.Event) {
	if e.Boot != s.Boot {
		if s.Boot != "" { // a new run doubts what was known
			c.api[cell[fsm.API, fsm.APITrigger]{s.API, fsm.Doubted}] = true
		}
		return
	}
	t := fsm.Classify(*s, *e)
	if t.Gate != "" {
		c.gate[cell[fsm.Gate, fsm.GateTrigger]{s.Gate, t.Gate}] = true
	}
	if t.API != "" {
		c.api[cell[fsm.API, fsm.APITrigger]{s.API, t.API}] = true
	}
	if t.Phase != "" {
		c.phase[cell[fsm.Phase, fsm.PhaseTrigger]{s.Sessions[t.Session].Phase, t.Phase}] = true
	}
}

// moved notes the sessions that a decision to disconnect has marked as leaving, which
// are not in the triggers of its event.
func (c *cover) moved(before, after *fsm.State, e *events.Event) {
	switch e.Data.(type) {
	case events.DisconnectPermitted, events.DisconnectForced:
	default:
		return
	}
	for i := range min(len(before.Sessions), len(after.Sessions)) {
		if was, is := before.Sessions[i].Phase, after.Sessions[i].Phase; is == fsm.Closing && was != is {
			c.phase[cell[fsm.Phase, fsm.PhaseTrigger]{was, fsm.Leaving}] = true
		}
	}
}
