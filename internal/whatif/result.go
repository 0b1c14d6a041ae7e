package whatif

import (
	"slices"
	"strings"

	"ibrecorder/events"
)

// Result is what would have become of a recorded history under another policy.
type Result struct {
	// Attempts is how many reached, or may have reached, the Gateway as recorded: those
	// that were permitted, and those that programs report. Around is how many of them no
	// policy would have held, because their programs did not ask.
	Attempts, Around int
	// Avoided is how many of those this policy would have held, SOUND; AvoidedReady how
	// many of these became ready.
	Avoided, AvoidedReady int
	// Later is how many more it would have held after what is SOUND, if everybody had
	// done then as recorded.
	Later int
	// LetIn is how many attempts were turned away, at least, that this policy would have
	// let dial. How they would have ended is in no log.
	LetIn int
	// Stops are the first of all stops that this policy makes, Total of them; Needless
	// is how many of all.
	Stops           []Stop
	Total, Needless int
	// RecordedStops is how many the recorded policy made.
	RecordedStops int
	// First is the first place where it decides otherwise; its Seq is 0 if it never does.
	First Divergence
	// Until is the event from which on the environment is as recorded under the other
	// policy, 0 if it never is: what is SOUND ends before it.
	Until uint64
	// Last is the last event.
	Last uint64
	// Imported says that nobody recorded, and nobody decided: the history was written
	// down later.
	Imported bool
}

// Stop is one that the policy makes.
type Stop struct {
	Seq    uint64 // of the recorded event after which it does
	Reason events.DownReason
	// Attempts is how many had begun before it, since the beginning of the stream.
	Attempts int
	// TookNS is the time from the beginning of the first attempt that it rests on, -1 if
	// no clock tells.
	TookNS int64
	// Shared says that the recorded policy stopped there as well.
	Shared bool
	// Needless says that the next attempt of the recorded history became ready without a
	// restart in between.
	Needless bool
	// Sound says that nothing was decided differently before it.
	Sound bool
}

// mostStops bounds what a Result keeps.
const mostStops = 100

// Change is how a policy first decides otherwise.
type Change string

const (
	// Stops: it stops, and the recorded one goes on.
	Stops Change = "stops"
	// GoesOn: the recorded policy stops, and this one does not.
	GoesOn Change = "goes_on"
	// Waits: it keeps an attempt waiting that was permitted.
	Waits Change = "waits"
	// Earlier: it lets an attempt dial earlier than it did, by more than a second.
	Earlier Change = "earlier"
	// LetsIn: it lets an attempt dial that was turned away.
	LetsIn Change = "lets_in"
	// Budget: an attempt would have been given up earlier, or waited for longer.
	Budget Change = "budget"
	// Released: a release came for which this policy has no ground.
	Released Change = "released"
)

// Divergence is the first place where a policy decides otherwise than was recorded.
type Divergence struct {
	Seq    uint64
	Change Change
	// About is the attempt, the budget or the reason to wait; "" if there is none.
	About string
}

// differ notes that from seq on the two worlds are not the same.
func (m *Mask) differ(seq uint64, c Change, about string) {
	if m.Result.First.Seq == 0 {
		m.Result.First = Divergence{seq, c, about}
	}
	if c == Stops && m.part == exact {
		m.part = held
	} else if c != Stops {
		m.bound(seq)
	}
}

// bound ends what is SOUND if the worlds differ: from there on everything that may
// release a stop, or hide a release, may have come at another time, or not at all.
func (m *Mask) bound(seq uint64) {
	if m.part == held || m.part == exact && m.Result.First.Seq != 0 {
		m.part, m.Result.Until = after, seq
	}
}

// decided takes in what this world decides.
func (m *Mask) decided(at, d events.Event) {
	switch x := d.Data.(type) {
	case events.GatewayDown:
		m.evidence = x.Evidence
	case events.RestartRequired:
		m.stop(at, x.Reason)
	case events.RestartAcknowledged:
		m.bound(at.Seq)
	}
}

func (m *Mask) stop(at events.Event, why events.DownReason) {
	s := Stop{Seq: at.Seq, Reason: why, Attempts: m.Result.Attempts, TookNS: m.took(at), Sound: m.part == exact}
	number := m.Result.Total
	m.pending = pending{seq: at.Seq, number: number}
	m.Result.Total++
	if number < mostStops {
		m.Result.Stops = append(m.Result.Stops, s)
	}
	m.watch.begin(at, func() {
		m.Result.Needless++
		if number < mostStops {
			m.Result.Stops[number].Needless = true
		}
	})
}

// took is the time from the beginning of the first attempt of the evidence to now, -1
// if no clock tells.
func (m *Mask) took(now events.Event) int64 {
	evidence := m.evidence
	m.evidence = nil
	for _, t := range m.ended {
		if !slices.Contains(evidence, t.end) {
			continue
		}
		if ns, known := events.Elapsed(t.began, now); known {
			return ns
		}
		break
	}
	return -1
}

// shared says that the stop that is pending is the recorded one too.
func (m *Mask) shared() {
	if m.pending.seq != 0 && m.pending.number < mostStops {
		m.Result.Stops[m.pending.number].Shared = true
	}
	m.pending = pending{}
}

// commit says that a stop of this world was none of the recorded one, which goes on
// with e.
func (m *Mask) commit(e events.Event) {
	if seq := m.pending.seq; seq != 0 && e.Seq > seq {
		m.pending = pending{}
		m.differ(seq, Stops, "")
	}
}

// pending is a stop of this world, while it may still be the recorded one too.
type pending struct {
	seq    uint64 // 0: none
	number int
}

// watch looks at what came after a stop, to say whether it was needed: whether the next
// attempt became ready without a restart in between.
type watch struct {
	needless func() // nil: nothing is watched
	from     uint64
	began    map[string]bool // attempts since
	process  process
}

type process struct {
	pid, started int64
	socket       string
}

func (w *watch) begin(at events.Event, needless func()) {
	w.needless, w.from, w.began = needless, at.Seq, map[string]bool{}
}

// see takes in a recorded event, whatever becomes of it under the policy.
func (w *watch) see(e events.Event) {
	switch d := e.Data.(type) {
	case events.GatewayObserved:
		if d.Owner != events.OwnerGateway || d.PID == 0 {
			return
		}
		was := w.process
		w.process = process{d.PID, d.StartedMS, d.Socket}
		if was.pid != 0 && (was.pid != d.PID || was.started != d.StartedMS) {
			w.needless = nil
		}
	case events.RecorderGap, events.RestartClaimed, events.RestartObserved, events.RestartAcknowledged:
		w.needless = nil
	case events.AttemptPermitted, events.AttemptRequested:
		if w.needless != nil && e.Seq > w.from {
			w.began[strings.Clone(e.Attempt)] = true
		}
	case events.AttemptDenied, events.AttemptAbandoned:
		delete(w.began, e.Attempt) // passed over; a stop may turn away any number of them
	case events.AttemptSucceeded, events.AttemptFailed:
		if w.needless == nil || !w.began[e.Attempt] {
			return
		}
		if _, ready := d.(events.AttemptSucceeded); ready {
			w.needless()
		}
		w.needless = nil
	}
}
