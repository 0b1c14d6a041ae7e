package audit

import (
	"fmt"
	"slices"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
)

// Audit compares the decisions of one stream. One goroutine uses it at a time.
type Audit struct {
	folder *fsm.Folder
	state  fsm.State
	result Result

	index    int    // of the next event in the stream, from 0
	last     uint64 // sequence of the last event
	mono     int64  // and its time
	head     string // ID of the last event that is no finding of the judge
	seq      uint64 // and its sequence
	at       int64  // mono of the last event after which the loop decides
	owes     bool   // what is due then stands in the log before any other fact
	released bool   // it was a release
	blind    string // why nothing is compared any more, "" while it is
	other    string // why nothing of this run is
	told     owed   // the last decision that was found to be missing
	unsure   *unsure
}

// unsure is a decision that stands where another one was due. Whether it is one too many,
// or the other is missing, the next decision shows.
type unsure struct {
	due            policy.Decision
	extra, missing Finding
}

// owed names a decision that is due, whatever it says.
type owed struct {
	kind                 events.Kind
	attempt, conn, cause string
}

// New returns an audit of a stream that begins with its first event.
func New() *Audit {
	return &Audit{folder: fsm.NewFolder(), state: fsm.Initial()}
}

// Step compares the next event of the stream.
func (a *Audit) Step(e events.Event) {
	a.follow(&e)
	if a.blind == "" {
		if why := a.apart(&e); why != "" {
			a.skip(&e, why)
		} else {
			a.judge(&e)
		}
		a.state = a.folder.Apply(a.state, e)
		a.settle(&e)
	} else {
		a.skip(&e, a.blind)
	}
	a.index++
	a.last, a.mono = e.Seq, e.Mono
}

// follow notices where the state stops to be known.
func (a *Audit) follow(e *events.Event) {
	switch {
	case a.blind != "":
	case a.index == 0 && e.Seq > 1:
		a.blind = fmt.Sprintf("the stream starts at #%d, and the state before it is not known", e.Seq)
	case a.index > 0 && e.Gateway != a.state.Gateway:
		a.blind = fmt.Sprintf("#%d is of gateway %s", e.Seq, e.Gateway)
	case a.index > 0 && e.Seq != a.last+1:
		a.blind = fmt.Sprintf("#%d follows #%d, and the state in between is not known", e.Seq, a.last)
	}
}

// apart says why the event is of no run that can be judged.
func (a *Audit) apart(e *events.Event) string {
	if d, first := e.Data.(events.RecorderStarted); first {
		a.other = ""
		fold, rules := d.FoldVersion, d.PolicyVersion
		fold, rules = max(fold, 1), max(rules, 1)
		if fold != fsm.FoldVersion || rules != policy.Version {
			a.other = fmt.Sprintf("the run of #%d had fold version %d and policy version %d; this program has %d and %d", e.Seq, fold, rules, fsm.FoldVersion, policy.Version)
		}
	}
	switch {
	case e.Boot == events.BootImport:
		return "no recorder saw it, so nothing was decided"
	case a.other == "" && e.Boot == a.state.Boot && e.Mono < a.mono: // A4: nobody can say when anything was due
		a.other = fmt.Sprintf("the clock of the run of #%d went back before it", e.Seq)
	}
	return a.other
}

func (a *Audit) skip(e *events.Event, why string) {
	if Decides(e) {
		a.result.Skipped++
		if a.result.Why == "" {
			a.result.Why = why
		}
	}
	a.owes = false
	a.cut()
}

// judge holds one event of a run against what was due before it.
func (a *Audit) judge(e *events.Event) {
	switch {
	case e.Boot != a.state.Boot: // a run that was killed owes nothing
		a.cut()
		a.owes, a.at = false, e.Mono
	case Decides(e):
		a.compare(e)
	case a.owes:
		d := policy.Decide(a.state, a.at)
		switch {
		case d.Data == nil:
			a.told = owed{}
			a.resolve(nil)
		case !a.between(e, d):
			a.resolve(nil)
			a.add(a.missing(e, d, "the log goes on with "+string(e.Kind())))
		}
	}
}

// Decides says whether e is a decision that policy.Decide may make. A client that waits
// for its own id is held by the tap, and those whom a port turned away are counted.
func Decides(e *events.Event) bool {
	if e.Source != "/recorder" {
		return false
	}
	switch d := e.Data.(type) {
	case events.AttemptUnknown: // a permit that was not used is a fact
		return d.Reason == events.UnknownCrash || d.Reason == events.UnknownStop || d.Reason == events.UnknownLease
	case events.AttemptPermitted, events.ClientHeld, events.RetryScheduled, events.GatewayDown, events.GatewayContradicted,
		events.RestartRequired, events.RestartObserved, events.RestartAcknowledged, events.RestartRejected,
		events.DisconnectPermitted, events.DisconnectBlocked, events.DisconnectForced:
		return true
	case events.AttemptDenied:
		return e.Attempt != "" || d.Reason != events.HoldStopped
	}
	return false
}

// between says whether the loop may have written e before d, which is due: what a decision
// makes it read, do or count, and what the judge found.
func (a *Audit) between(e *events.Event, d policy.Decision) bool {
	ours := e.Source == "/recorder"
	switch data := e.Data.(type) {
	case events.GatewayObserved:
		return e.Cause != "" && e.Cause == a.head
	case events.DisconnectCompleted:
		return ours && e.Cause == a.head
	case events.RuleViolated:
		return ours
	case events.TapBlocked, events.TapReopened:
		return ours && a.released
	case events.AttemptDenied: // those whom the stop turned away are counted before and behind its end
		_, releases := d.Data.(events.RestartAcknowledged)
		return ours && (releases || a.released)
	case events.RecorderStopped:
		return data.Reason == events.StoppedByError // whatever it was about to write
	}
	return false
}

// aside says whether e is written between other things: no decision depends on it, and
// none need follow it.
func aside(e *events.Event) bool {
	if e.Source != "/recorder" {
		return false
	}
	switch e.Data.(type) {
	case events.RuleViolated, events.RecorderGap, events.TapBlocked, events.TapClosed, events.TapReopened:
		return true
	case events.AttemptDenied: // the others are decisions
		return !Decides(e)
	}
	return false
}

// settle takes in what follows from e, which is in the state.
func (a *Audit) settle(e *events.Event) {
	if _, found := e.Data.(events.RuleViolated); !found {
		a.head, a.seq = e.ID, e.Seq
	}
	if aside(e) {
		return
	}
	_, a.released = e.Data.(events.RestartAcknowledged)
	a.owes = !idle(e) && a.other == "" && e.Boot != events.BootImport
	a.at = e.Mono
}

// idle says whether e makes nothing due but what time has made so, which may come later.
// A busy log is mostly of these, and asking the policy costs more than folding does.
func idle(e *events.Event) bool {
	switch e.Data.(type) {
	case events.RecorderStarted, events.RecorderStopped: // a run decides once its policy is loaded
		return true
	case events.ClientOpened, events.ClientHello, events.ClientRejected, events.DialStarted, events.DialConnected,
		events.HandshakeVersion, events.HandshakeAPIStarted, events.HandshakeReady, events.SessionEstablished, events.SessionDegraded,
		events.SessionRestored, events.GatewayNotice, events.OperatorNoted,
		events.AlertRaised, events.AlertReminded, events.AlertAcknowledged, events.AlertResolved, events.AlertDelivered, events.AlertFailed:
		return true
	}
	return false
}

// Result is what was found so far.
func (a *Audit) Result() Result {
	end := *a
	end.result.Findings = slices.Clip(end.result.Findings)
	end.cut()
	return end.result
}
