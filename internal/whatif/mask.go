package whatif

import (
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/policy"
)

// Mask says which recorded attempts would not have been made if another policy had
// been in force. One goroutine uses it at a time.
type Mask struct {
	Policy Policy
	Result Result

	world    *world
	part     part
	pending  pending
	evidence []string        // of the gateway.down that this world decided last
	underway map[string]*try // recorded attempts that have begun and not ended
	ended    []try           // the last of those that have, for how long a stop took
	avoided  map[string]bool // attempts and connections that would not have been
	dropped  map[string]bool // ids of their events, for what these caused
	shorter  string          // the budget of this policy that was over before the end of the last event's attempt
	watch    watch
}

// part says how far what is recorded is what would have been.
type part uint8

const (
	exact part = iota // nothing has been decided differently
	held              // this world is stopped and the recorded one is not: whoever begins is held, for certain
	after             // what came is as recorded under the other policy
)

// try is a recorded attempt.
type try struct {
	began events.Event // its run and its time
	end   string       // id of its end
	away  bool         // it would not have been
	sound bool         // and that is certain
}

// begin notes a recorded attempt. What is kept of an event is cloned: a string of it
// would keep the whole block that it was read in.
func (m *Mask) begin(e events.Event) *try {
	t := &try{began: events.Event{Boot: strings.Clone(e.Boot), Mono: e.Mono}}
	m.underway[strings.Clone(e.Attempt)] = t
	return t
}

// NewMask asks about p.
func NewMask(p Policy) *Mask {
	m := &Mask{Policy: p, underway: map[string]*try{}, avoided: map[string]bool{}, dropped: map[string]bool{}}
	m.world = newWorld(p.Loaded, m.decided)
	return m
}

// Step takes in the next recorded event.
func (m *Mask) Step(e events.Event) {
	m.Result.Imported = e.Boot == events.BootImport
	m.Result.Last = e.Seq
	m.watch.see(e)
	if _, stops := e.Data.(events.RestartRequired); stops {
		m.Result.RecordedStops++
	}
	if m.gone(e) {
		m.forget(e)
		return
	}
	m.world.pass(e)
	if audit.Decides(&e) {
		m.recorded(e)
	} else {
		m.fact(e)
	}
	m.finish(e)
	if _, starts := e.Data.(events.RecorderStarted); !starts { // a run loads its policy before it decides
		m.world.decide(e, m.world.state.Mono)
	}
	if m.shorter != "" && !m.world.stopped() {
		m.differ(e.Seq, Budget, m.shorter)
	}
	m.shorter = ""
}

// End says that there are no more events.
func (m *Mask) End() {
	if m.Result.Imported && m.pending.seq != 0 {
		m.commit(events.Event{Seq: m.Result.Last + 1}) // nobody was there to stop
	}
}

// gone reports whether an event belongs to an attempt that would not have been, or
// follows from one that does.
func (m *Mask) gone(e events.Event) bool {
	return e.Attempt != "" && m.avoided[e.Attempt] || e.Conn != "" && m.avoided[e.Conn] || e.Cause != "" && m.dropped[e.Cause]
}

func (m *Mask) forget(e events.Event) {
	m.dropped[strings.Clone(e.ID)] = true
	t := m.underway[e.Attempt]
	if t == nil || e.Attempt == "" {
		return
	}
	if _, ready := e.Data.(events.AttemptSucceeded); ready {
		if t.sound {
			m.Result.AvoidedReady++
		}
	}
	if ends(e) {
		delete(m.underway, e.Attempt)
	}
}

// recorded takes in a decision of the recorded policy. The world makes its own; this one
// says what the environment has seen.
func (m *Mask) recorded(e events.Event) {
	switch e.Data.(type) {
	case events.AttemptPermitted:
		m.permitted(e)
	case events.AttemptDenied:
		m.denied(e)
	case events.RestartRequired:
		if !m.world.stopped() {
			m.differ(e.Seq, GoesOn, "")
			return
		}
		m.shared()
		m.world.alias = [2]string{e.ID, m.world.state.Stop.ID}
	case events.RestartAcknowledged:
		m.bound(e.Seq)
		if m.world.stopped() { // somebody released it, and here it is not seen on what ground
			m.differ(e.Seq, Released, "")
			m.world.take(e)
		}
	case events.RetryScheduled:
		m.world.wait(e)
	}
}

// permitted takes in that the recorder let an attempt dial.
func (m *Mask) permitted(e events.Event) {
	m.Result.Attempts++
	t := m.begin(e)
	if x := m.world.session(e.Attempt); x != nil {
		if x.Phase == fsm.Dialing && x.Boot == e.Boot && e.Mono-x.Since > sooner {
			m.differ(e.Seq, Earlier, e.Attempt)
		}
		return
	}
	m.commit(e)
	why, _ := policy.Hold(m.world.state, m.world.now(e))
	switch {
	case why == events.HoldStopped && m.world.policy.Mode == events.Enforce:
		m.avoid(e, t)
		return
	case why != "" && m.world.policy.Mode == events.Enforce:
		m.differ(e.Seq, Waits, string(why))
	}
	m.world.permit(e)
}

// sooner is by how many nanoseconds a permit must come before the recorded one to be
// another: a loop decides some milliseconds after its timer.
const sooner = 1e9

// denied takes in that the recorder turned an attempt away. If this world let it dial,
// or will, nobody knows what came of that.
func (m *Mask) denied(e events.Event) {
	switch {
	case m.world.session(e.Attempt) != nil:
		m.letsIn(e, 1)
		e.Data = events.AttemptUnknown{Reason: events.UnknownUnused}
		m.world.take(e)
	case m.world.waits(e.Attempt):
		m.letsIn(e, 1)
		m.world.take(e)
	}
}

// avoid takes an attempt out of the history.
func (m *Mask) avoid(e events.Event, t *try) {
	if m.part == exact { // the recorder let somebody dial while it should have been stopped by this policy
		m.differ(e.Seq, Stops, e.Attempt)
	}
	t.away, t.sound = true, m.part == held
	if t.sound {
		m.Result.Avoided++
	} else {
		m.Result.Later++
	}
	m.avoided[strings.Clone(e.Attempt)] = true
	if e.Conn != "" {
		m.avoided[strings.Clone(e.Conn)] = true
	}
	m.dropped[strings.Clone(e.ID)] = true
}

// letsIn counts attempts that the recorded policy turned away and this one would not
// have: how they would have ended nobody knows.
func (m *Mask) letsIn(e events.Event, n int64) {
	m.differ(e.Seq, LetsIn, e.Attempt)
	m.Result.LetIn += int(n)
}

// fact takes in what somebody saw, said or did.
func (m *Mask) fact(e events.Event) {
	switch d := e.Data.(type) {
	case events.RecorderGap, events.RestartClaimed, events.RestartObserved:
		m.bound(e.Seq)
	case events.AttemptDenied: // a count of programs that met a closed port
		if !m.world.stopped() {
			m.letsIn(e, d.Count)
		}
		return
	case events.GatewayObserved, events.AlertRaised, events.AlertReminded, events.AlertAcknowledged, events.AlertResolved,
		events.AlertDelivered, events.AlertFailed, events.RuleViolated, events.PolicyLoaded, events.RecorderStarted,
		events.RecorderRoom, events.TapBlocked, events.TapClosed, events.TapReopened, events.DisconnectCompleted, events.ClientHeld:
	default:
		m.commit(e) // the world has gone on, so a stop that came before is not the recorded one
	}
	if m.began(e) {
		return
	}
	if ends(e) && !fsm.Reported(e) && m.underway[e.Attempt] == nil && m.world.session(e.Attempt) != nil {
		m.letsIn(e, 1) // its client left while the recorder kept it waiting
	}
	if why := m.otherEnd(e); why != "" {
		m.differ(e.Seq, Budget, why)
	}
	m.world.take(e)
	if m.Result.Imported {
		switch e.Data.(type) {
		case events.RecorderGap, events.RestartClaimed, events.RestartObserved:
			m.world.release()
		}
	}
}

// began takes in the beginning of an attempt that its own program reports, and reports
// whether it would not have been. In an imported history the premise is that programs
// would have connected through the recorder; in a recorded one, that they would have
// gone around it again.
func (m *Mask) began(e events.Event) bool {
	q, asks := e.Data.(events.AttemptRequested)
	switch {
	case !fsm.Reported(e) || e.Attempt == "" && !ends(e) || m.underway[e.Attempt] != nil:
		return false
	case !asks && !ends(e) || asks && q.LeaseMS != 0: // a lease is counted by its permit
		return false
	case m.world.known(e.Attempt, q.LocalPort):
		return false
	}
	m.Result.Attempts++
	if !asks { // it may have begun long ago
		return false
	}
	t := m.begin(e)
	if !m.Result.Imported {
		m.Result.Around++
		return false
	}
	if m.world.stopped() {
		m.commit(e)
		m.avoid(e, t)
	}
	return t.away
}

// finish takes in the end of an attempt that was made.
func (m *Mask) finish(e events.Event) {
	t := m.underway[e.Attempt]
	if !ends(e) || t == nil || t.away {
		return
	}
	t.end = strings.Clone(e.ID)
	delete(m.underway, e.Attempt)
	m.ended = append(m.ended, *t)
	if len(m.ended) > mostEnded {
		m.ended = m.ended[1:]
	}
}

// mostEnded is more than the evidence of a stop ever names.
const mostEnded = 128

func ends(e events.Event) bool {
	switch e.Data.(type) {
	case events.AttemptSucceeded, events.AttemptFailed, events.AttemptAbandoned, events.AttemptUnknown:
		return true
	}
	return false
}
