package rule

import (
	"fmt"
	"strings"

	"ibrecorder/events"
)

// writer is who wrote an event, as a set of one.
type writer uint8

const (
	byRecorder writer = 1 << iota // the loop
	byTap                         // whoever relays bytes
	byWatch                       // whoever reads the listener
	byOperator
	byOther // a runner, or a source that nobody knows

	byAnybody  = byRecorder | byTap | byWatch | byOperator | byOther
	byReporter = byOperator | byOther
)

func writerOf(source string) writer {
	switch source {
	case "/recorder":
		return byRecorder
	case "/tap", "/session":
		return byTap
	case "/watch":
		return byWatch
	}
	if strings.HasPrefix(source, "/operator/") {
		return byOperator
	}
	return byOther
}

// writers says who may write what.
var writers = [...]writer{
	otherKind:           byAnybody,
	recorderStarted:     byRecorder,
	recorderStopped:     byRecorder,
	recorderGap:         byRecorder,
	policyLoaded:        byRecorder,
	clientOpened:        byTap,
	clientClosed:        byTap,
	attemptRequested:    byAnybody,
	attemptPermitted:    byRecorder,
	attemptDenied:       byRecorder,
	attemptSucceeded:    byTap | byReporter,
	attemptFailed:       byTap | byReporter,
	attemptAbandoned:    byTap | byReporter,
	attemptUnknown:      byRecorder | byReporter,
	dialStarted:         byTap,
	dialConnected:       byTap,
	dialFailed:          byTap,
	handshakeVersion:    byTap,
	handshakeAPIStarted: byTap,
	handshakeReady:      byTap,
	handshakeTimedOut:   byTap,
	sessionEstablished:  byTap | byReporter,
	sessionLost:         byAnybody,
	sessionClosed:       byAnybody,
	gatewayNotice:       byAnybody,
	gatewayObserved:     byWatch,
	gatewayDown:         byRecorder | byReporter,
	gatewayContradicted: byRecorder,
	restartRequired:     byRecorder,
	restartClaimed:      byOperator,
	restartObserved:     byRecorder,
	restartAcknowledged: byRecorder,
	restartRejected:     byRecorder,
	retryScheduled:      byRecorder,
	alertRaised:         byRecorder,
	alertReminded:       byRecorder,
	alertAcknowledged:   byOperator,
	alertResolved:       byRecorder,
	alertDelivered:      byRecorder,
	alertFailed:         byRecorder,
}

// a3: whoever wrote an event may write its kind.
type a3 struct{ tally }

// step takes the kind from an event whose writer may not write it: it stands in the
// log, and nothing follows from it but that somebody connected, if it says so.
func (m *a3) step(f *facts) {
	if f.imported {
		return
	}
	m.Checked++
	if writers[f.kind]&f.by != 0 {
		return
	}
	m.note(f, Finding{
		Rule: "A3", Text: fmt.Sprintf("%s at #%d is from %s, which may not write it; it is not believed", f.rec.Kind(), f.rec.Seq, f.rec.Source),
		Hint: "find out who wrote it: the recorder takes no such event from outside",
	})
	f.kind = otherKind
}

// contacts reports whether k tells of a connection to the Gateway, and not how its
// attempt ended.
func (k kind) contacts() bool {
	switch k {
	case dialStarted, dialConnected, handshakeVersion, handshakeAPIStarted, handshakeReady, sessionEstablished:
		return true
	}
	return false
}

// explains reports whether an error code can be why ready does not come. IB's own
// connectivity and its farms cannot: the API answers in spite of them.
func explains(n events.GatewayNotice) bool {
	c := n.Code
	return c != 0 && (c < 1100 || c > 1102) && (c < 2100 || c > 2199)
}
