package rule

import (
	"fmt"

	"ibrecorder/events"
)

// kind is a payload type as a small number, so that every monitor switches on an
// integer and the type is looked at once an event.
type kind uint8

const (
	otherKind kind = iota
	recorderStarted
	recorderStopped
	recorderGap
	policyLoaded
	clientOpened
	clientClosed
	attemptRequested
	attemptPermitted
	attemptDenied
	attemptSucceeded
	attemptFailed
	attemptAbandoned
	attemptUnknown
	dialStarted
	dialConnected
	dialFailed
	handshakeVersion
	handshakeAPIStarted
	handshakeReady
	handshakeTimedOut
	sessionEstablished
	sessionLost
	sessionClosed
	gatewayNotice
	gatewayObserved
	gatewayDown
	gatewayContradicted
	restartRequired
	restartClaimed
	restartObserved
	restartAcknowledged
	restartRejected
	retryScheduled
	alertRaised
	alertReminded
	alertAcknowledged
	alertResolved
	alertDelivered
	alertFailed
)

func kindOf(p events.Payload) kind {
	switch p.(type) {
	case events.RecorderStarted:
		return recorderStarted
	case events.RecorderStopped:
		return recorderStopped
	case events.RecorderGap:
		return recorderGap
	case events.PolicyLoaded:
		return policyLoaded
	case events.ClientOpened:
		return clientOpened
	case events.ClientClosed:
		return clientClosed
	case events.AttemptRequested:
		return attemptRequested
	case events.AttemptPermitted:
		return attemptPermitted
	case events.AttemptDenied:
		return attemptDenied
	case events.AttemptSucceeded:
		return attemptSucceeded
	case events.AttemptFailed:
		return attemptFailed
	case events.AttemptAbandoned:
		return attemptAbandoned
	case events.AttemptUnknown:
		return attemptUnknown
	case events.DialStarted:
		return dialStarted
	case events.DialConnected:
		return dialConnected
	case events.DialFailed:
		return dialFailed
	case events.HandshakeVersion:
		return handshakeVersion
	case events.HandshakeAPIStarted:
		return handshakeAPIStarted
	case events.HandshakeReady:
		return handshakeReady
	case events.HandshakeTimedOut:
		return handshakeTimedOut
	case events.SessionEstablished:
		return sessionEstablished
	case events.SessionLost:
		return sessionLost
	case events.SessionClosed:
		return sessionClosed
	case events.GatewayNotice:
		return gatewayNotice
	case events.GatewayObserved:
		return gatewayObserved
	case events.GatewayDown:
		return gatewayDown
	case events.GatewayContradicted:
		return gatewayContradicted
	case events.RestartRequired:
		return restartRequired
	case events.RestartClaimed:
		return restartClaimed
	case events.RestartObserved:
		return restartObserved
	case events.RestartAcknowledged:
		return restartAcknowledged
	case events.RestartRejected:
		return restartRejected
	case events.RetryScheduled:
		return retryScheduled
	case events.AlertRaised:
		return alertRaised
	case events.AlertReminded:
		return alertReminded
	case events.AlertAcknowledged:
		return alertAcknowledged
	case events.AlertResolved:
		return alertResolved
	case events.AlertDelivered:
		return alertDelivered
	case events.AlertFailed:
		return alertFailed
	}
	return otherKind
}

// ends reports whether k is one of the four ends of an attempt.
func (k kind) ends() bool {
	return k == attemptSucceeded || k == attemptFailed || k == attemptAbandoned || k == attemptUnknown
}

// moment is a point on the monotonic clock of one run of the recorder.
type moment struct {
	Run  int
	Mono int64
}

// since returns the nanoseconds from a to b and whether they can be known.
// Durations do not exist across runs, nor where mono is unknown.
func (b moment) since(a moment) (ns int64, known bool) {
	if a.Run != b.Run || a.Mono == events.NoMono || b.Mono == events.NoMono {
		return 0, false
	}
	return b.Mono - a.Mono, true
}

// facts is one event with what the history before it says about it: computed
// once, read by every monitor.
type facts struct {
	rec      events.Record
	kind     kind
	by       writer
	outside  bool // a runner's report, or a history that no recorder saw
	imported bool
	contact  bool // somebody outside tells of a connection, and not how its attempt ended
	at       moment
	past     *history
	flight   *flight  // the attempt it belongs to, if that was permitted
	request  *request // the attempt it belongs to, if that is waiting for a permit
	index    int      // of the event in the stream, from 0
	found    []Finding
}

// read takes in a record; the monitors have not seen it yet.
func (f *facts) read(rec events.Record, past *history) {
	f.rec, f.kind, f.past, f.found = rec, kindOf(rec.Data), past, nil
	f.imported = rec.Boot == events.BootImport
	f.by = writerOf(rec.Source)
	f.outside = f.imported || f.by&byReporter != 0
	f.contact = f.outside && f.kind.contacts()
	f.flight, f.request = nil, nil
}

// join looks up what the history knows about the attempt. It comes after the
// history forgot what a break makes doubtful.
func (f *facts) join() {
	f.at = moment{f.past.Run, f.rec.Mono}
	if f.kind == recorderStarted {
		f.at.Run++ // it is the first of its run
	}
	if f.past.Timeless || f.imported {
		f.at.Mono = events.NoMono
	}
	if f.rec.Attempt != "" {
		f.flight = f.past.flightOf(f.rec.Attempt)
		if f.flight != nil && f.outside && f.flight.Lease.By != "" && f.flight.Lease.By != f.rec.Source {
			f.flight = nil // a lease is its runner's
		}
		if f.kind == attemptPermitted || f.kind.ends() || f.kind == attemptRequested && f.outside || f.contact {
			f.request = f.past.requestOf(f.rec.Attempt)
		}
	}
}

// bypass reports whether this event tells of an attempt that went around the
// recorder: by its end, by a session, or by the connection itself. A request alone is
// none: that is how a runner asks for a permit. Nor is what the tap saw itself, and a
// report of it joins in: by the attempt's id, or by the local port of the connection.
func (f *facts) bypass() bool {
	switch {
	case !f.outside || f.flight != nil || f.relayed():
		return false
	case f.kind == sessionEstablished: // once its attempt has ended, that was judged
		return f.rec.Attempt == "" || !f.past.Told.has(f.rec.Attempt) && !f.past.seenByTap(f)
	case f.contact:
		return true
	case !f.kind.ends() || f.past.seenByTap(f):
		return false
	}
	return f.imported || !f.reachesNobody()
}

// reachesNobody reports a refused dial. A live runner that was refused may well
// have met the recorder's own port, which is closed while the gate is stopped; one
// that was told that it is held has met it.
func (f *facts) reachesNobody() bool {
	failed, ok := f.rec.Data.(events.AttemptFailed)
	return ok && (failed.Reason == events.Refused || failed.Reason == events.Unreachable || f.toldHeld())
}

// toldHeld reports an attempt that was answered by the recorder's own port: while
// the gate is stopped it tells so, and those are counted without their names.
func (f *facts) toldHeld() bool {
	failed, ok := f.rec.Data.(events.AttemptFailed)
	return ok && f.outside && f.flight == nil && (failed.Code == events.CodeHeld || failed.Reason == events.ClientWaits)
}

// beganAfter reports whether the reported attempt began after the event seq at
// the moment at. A report that says nothing about its beginning counts as of now.
func (f *facts) beganAfter(seq uint64, at moment) bool {
	if f.request != nil {
		return f.request.Seq > seq
	}
	ago, known := f.at.since(at)
	return !known || f.reportedNS() <= ago
}

// reportedNS is how long the reported attempt took at least, 0 if unknown.
func (f *facts) reportedNS() int64 {
	switch d := f.rec.Data.(type) {
	case events.AttemptSucceeded:
		return d.ElapsedUS * 1e3
	case events.AttemptAbandoned:
		return d.ElapsedUS * 1e3
	case events.AttemptFailed:
		ns := max(d.ElapsedUS*1e3, d.WaitedMS*1e6)
		switch d.Reason {
		case events.ReportedTimeout, events.AcceptedNoBytes, events.VersionNoReady, events.DialTimeout:
			ns = max(ns, d.LimitMS*1e6) // a timeout took its limit
		}
		return ns
	}
	return 0
}

// tally is what one rule has judged and found.
type tally struct {
	Checked  int
	Total    int
	Breach   int       // one more than the index of the first that violates, 0 if none
	Findings []Finding // the first maxFindings of total
}

// maxFindings is how many findings of one rule are kept. A log of a storm must
// not make the judge grow without a bound.
const maxFindings = 100

// add records a breach by the event of f, which Step returns.
func (t *tally) add(f *facts, found Finding) {
	f.found = append(f.found, t.note(f, found))
}

// note records a finding about the event of f.
func (t *tally) note(f *facts, found Finding) Finding {
	found.Seq, found.Index = f.rec.Seq, f.index
	if found.Hint == "" {
		found.Hint = fmt.Sprintf("replay state --at %d", found.Seq)
	}
	t.Total++
	if t.Breach == 0 && !found.Observed {
		t.Breach = f.index + 1
	}
	if len(t.Findings) < maxFindings {
		t.Findings = append(t.Findings, found)
	}
	return found
}

// relayed reports whether the attempt that the event names has a connection of the
// tap: what somebody else says of it is a claim about what the tap sees itself.
func (f *facts) relayed() bool {
	return f.flight != nil && f.flight.Conn != "" || f.request != nil && f.request.Conn != ""
}
