package fsm

// Gate says whether anyone may dial.
type Gate string

const (
	// Open: nothing is known against the next request but a wait, if one is due.
	Open Gate = "OPEN"
	// Attempting: one attempt is under way; the others wait.
	Attempting Gate = "ATTEMPTING"
	// Backoff: nobody dials until a recorded delay is over.
	Backoff Gate = "BACKOFF"
	// Stopped: the Gateway needs a manual restart. Nobody dials until a release.
	Stopped Gate = "STOPPED"
	// Probation: released; a few attempts, one at a time, must show that it works.
	Probation Gate = "PROBATION"
)

// GateTrigger is what an event means to the gate.
type GateTrigger string

const (
	// Permit: an attempt may dial and takes the slot.
	Permit GateTrigger = "permit"
	// SlotReady: the attempt that held the slot became ready.
	SlotReady GateTrigger = "slot_ready"
	// SlotEnded: it ended in any other way.
	SlotEnded GateTrigger = "slot_ended"
	// SlotEndedProbation: it ended so, and the release has not worked yet.
	SlotEndedProbation GateTrigger = "slot_ended_probation"
	// Delay: a wait was scheduled.
	Delay GateTrigger = "delay"
	// Stop: a restart is required.
	Stop GateTrigger = "stop"
	// Release: the stop was released.
	Release GateTrigger = "release"
	// EndStop: in observe mode, a success ended the stop.
	EndStop GateTrigger = "end_stop"
)

// GateTable is the gate. STOPPED has two ways out, and both are decisions.
func GateTable() Table[Gate, GateTrigger] {
	slot := []GateTrigger{SlotReady, SlotEnded, SlotEndedProbation}
	return Table[Gate, GateTrigger]{
		Name:     "gate",
		Initial:  Open,
		States:   []Gate{Open, Attempting, Backoff, Stopped, Probation},
		Triggers: append([]GateTrigger{Permit, Delay, Stop, Release, EndStop}, slot...),
		Rows: []Row[Gate, GateTrigger]{
			{[]Gate{Open, Backoff, Probation}, Permit, Attempting, "one attempt at a time takes the slot"},
			{[]Gate{Attempting}, SlotReady, Open, "the API answers"},
			{[]Gate{Attempting}, SlotEnded, Open, "the slot is free; a delay may follow"},
			{[]Gate{Attempting}, SlotEndedProbation, Probation, "the release has not been shown to work yet"},
			{[]Gate{Open, Backoff}, Delay, Backoff, "wait before the next attempt"},
			{[]Gate{Probation}, Delay, Probation, "probation keeps its own count"},
			{[]Gate{Open, Attempting, Backoff, Probation}, Stop, Stopped, "a restart is required"},
			{[]Gate{Stopped}, Release, Probation, "an operator, or an observed restart"},
			{[]Gate{Stopped}, EndStop, Open, "observe mode: it works after all"},
		},
		Ignored: []Cells[Gate, GateTrigger]{
			{[]Gate{Attempting}, []GateTrigger{Delay}, "a reported failure delays the attempt after this one"},
			{[]Gate{Stopped}, append([]GateTrigger{Delay}, slot...), "an attempt that was under way ends; the stop stands"},
		},
		Anomalies: []Cells[Gate, GateTrigger]{
			{[]Gate{Attempting}, []GateTrigger{Permit}, "two attempts at once"},
			{[]Gate{Stopped}, []GateTrigger{Permit}, "a dial while a restart is required"},
			{[]Gate{Stopped}, []GateTrigger{Stop}, "stopped already"},
			{[]Gate{Open, Attempting, Backoff, Probation}, []GateTrigger{Release, EndStop}, "nothing to release"},
			{[]Gate{Open, Backoff, Probation}, slot, "nobody held the slot"},
		},
	}
}
