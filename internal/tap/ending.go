package tap

import (
	"ibrecorder/events"
)

// clientLeft defers the end: the Gateway's side stays until it is decided, so that
// a client's impatience is not mistaken for the Gateway's death, and the Gateway
// sees no client die in mid-handshake (ib_insync issue 386).
func (h *handshake) clientLeft(a at, how events.Close) {
	if h.left != nil {
		return
	}
	switch {
	case h.refused || h.code != 0: // the Gateway has said why, and the client took it as the end
		h.failed(a, h.explained(), events.Client, how)
	case h.stage == events.StageVersioned: // the Gateway has answered, and nothing else will come
		h.left = &leave{h.stage, how}
		h.abandoned(a, true)
	default:
		h.left = &leave{h.stage, how}
		h.emit(events.DisconnectDeferred{Stage: h.stage, How: how})
	}
}

// gatewayClosed takes in that the Gateway's side is over. Bytes that were no whole
// version reply make it a bad version, not a close without an answer.
func (h *handshake) gatewayClosed(a at, how events.Close) {
	switch {
	case h.code != 0 && h.left != nil:
		h.abandoned(a, true)
	case h.code != 0:
		h.failed(a, h.explained(), events.Upstream, how)
	case h.stage != events.StageConnected:
		h.failed(a, events.ClosedBeforeReady, events.Upstream, how)
	case a.got > 0:
		h.failed(a, events.BadVersion, events.Upstream, how)
	case how == events.RST:
		h.failed(a, events.RSTBeforeVersion, events.Upstream, how)
	default:
		h.failed(a, events.FINBeforeVersion, events.Upstream, how)
	}
}

// expired takes in that the deadline has passed.
func (h *handshake) expired(a at) {
	if h.refused {
		h.failed(a, h.explained(), events.Recorder, events.FIN)
		return
	}
	h.emit(events.HandshakeTimedOut{Stage: h.stage, WaitedMS: h.waited(a), LimitMS: h.limit})
	switch {
	case h.code != 0 && h.left != nil:
		h.abandoned(a, true)
	case h.code != 0:
		h.failed(a, h.explained(), events.Recorder, events.FIN)
	case h.stage == events.StageVersioned:
		h.failed(a, events.NoStartAPI, events.Recorder, events.FIN)
	case h.stage == events.StageStarted:
		h.failed(a, events.VersionNoReady, events.Recorder, events.FIN)
	case a.got > 0:
		// Part of a reply is no silence: something reads and answers there.
		h.failed(a, events.BadVersion, events.Recorder, events.FIN)
	default:
		h.failed(a, events.AcceptedNoBytes, events.Recorder, events.FIN)
	}
}

// garbled takes in that what the Gateway sends is no IB protocol, or not any more.
// It is no silence, whatever the version before it was worth: something answers, and
// what it answers cannot be read, as with a version that nobody knows.
func (h *handshake) garbled(a at) {
	switch {
	case h.code != 0 && h.left != nil:
		h.abandoned(a, true)
	case h.code != 0:
		h.failed(a, h.explained(), events.Recorder, events.FIN)
	default:
		h.failed(a, events.BadVersion, events.Recorder, events.FIN)
	}
}

// unread takes in that the Gateway did not take what it was sent within its budget.
// After its version that is an end that it brought about, and before it proves
// nothing: no complete hello, no silence.
func (h *handshake) unread(a at) {
	if h.stage == events.StageConnected {
		h.abandoned(a, false)
		return
	}
	h.failed(a, events.ClosedBeforeReady, events.Recorder, events.FIN)
}

// hungUp takes in that an operator forced a disconnect. It says nothing about the
// Gateway, whatever it had answered before.
func (h *handshake) hungUp(a at) { h.abandoned(a, false) }

func (h *handshake) explained() events.FailReason {
	switch {
	case h.code == 326 && h.refused:
		return events.ClientIDInUse
	case h.code == 10141 && h.refused:
		return events.DisclaimerPending
	}
	return events.ErrorBeforeReady
}

func (h *handshake) failed(a at, reason events.FailReason, by events.Side, how events.Close) {
	h.repeated()
	h.end = Failed
	h.fail = events.AttemptFailed{Reason: reason, Stage: h.stage, ClientID: h.clientID, By: by, How: how, Code: h.code,
		WaitedMS: h.waited(a), LimitMS: h.limit, ClientBytes: a.sent, GatewayBytes: a.got, ElapsedUS: micros(h.dialled, a.now)}
	h.emit(h.fail)
}

func (h *handshake) abandoned(a at, answered bool) {
	h.repeated()
	h.end = Abandoned
	stage := h.stage
	if h.left != nil {
		stage = h.left.stage
	}
	h.emit(events.AttemptAbandoned{Stage: stage, Answered: answered, ElapsedUS: micros(h.dialled, a.now)})
}
