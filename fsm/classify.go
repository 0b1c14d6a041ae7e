package fsm

import (
	"slices"

	"ibrecorder/events"
)

// Triggers is what one event means to the three machines; "" is nothing.
type Triggers struct {
	Gate    GateTrigger
	API     APITrigger
	Phase   PhaseTrigger
	Session int // index of the session Phase is for, -1 if none
}

// Reported says whether an event comes from outside the recorder: it tells what
// somebody did, and went through no gate of ours.
func Reported(e events.Event) bool {
	switch e.Source {
	case "/tap", "/session", "/watch", "/recorder":
		return false
	}
	return true
}

// silence says whether a failure counts as a silent attempt.
func silence(p events.Params, f events.AttemptFailed, reported bool) bool {
	switch f.Reason {
	case events.AcceptedNoBytes, events.VersionNoReady, events.ReportedTimeout:
		return longEnough(p, f, reported)
	}
	return false
}

// longEnough says whether a wait proves anything: for a report the reporter's own
// timeout is the budget.
func longEnough(p events.Params, f events.AttemptFailed, reported bool) bool {
	return !reported || f.LimitMS >= p.MinReportedBudgetMS
}

// undialled says whether a failure counts as a dial that timed out.
func undialled(p events.Params, f events.AttemptFailed, reported bool) bool {
	return f.Reason == events.DialTimeout && longEnough(p, f, reported)
}

// WedgedSamples is how many samples make a series that proves something.
const WedgedSamples = 5

// wedged says whether a reading proves that the Gateway's acceptor hangs: one connection
// was left unaccepted for a whole budget. A forwarder accepts by itself, whatever the
// Gateway behind it does, and so may whoever is not known; their hanging says nothing
// about the Gateway.
func wedged(p events.Params, d events.GatewayObserved) bool {
	return p.VersionBudgetMS > 0 && d.Listening == events.ListeningYes && d.Owner == events.OwnerGateway &&
		d.WedgedSamples >= WedgedSamples && d.WedgedMS >= p.VersionBudgetMS
}

// life says whether a failure proves that the API layer answers, or that the
// Gateway is not running: either way a silence before it was another story.
func life(r events.FailReason) bool {
	switch r {
	case events.Refused, events.BadVersion, events.ClientIDInUse, events.DisclaimerPending, events.ErrorBeforeReady,
		events.ClosedBeforeReady, events.NoAccounts, events.ClientWaits: // before it waits, its version came
		return true
	}
	return false
}

// Classify translates an event into triggers. Guards live here: where one fact
// means two things depending on the state, it gives two triggers.
func Classify(s State, e events.Event) Triggers {
	i, reported := s.session(&e), Reported(e)
	if s.known(&e, i, reported) {
		return Triggers{Session: -1}
	}
	return s.classify(&e, i, reported)
}

func (s *State) classify(e *events.Event, i int, reported bool) Triggers {
	t := Triggers{Session: i}
	switch d := e.Data.(type) {
	case events.AttemptPermitted:
		// What observe mode permits against the gate takes the slot if it is free, so
		// that its end tells the gate something, and leaves the gate alone otherwise.
		if d.Against == "" || s.Gate != Attempting && s.Gate != Stopped {
			t.Gate = Permit
		}
	case events.AttemptSucceeded:
		t.API, t.Phase, t.Gate = BecameReady, GotReady, s.freed(i, SlotReady)
	case events.AttemptFailed:
		t.Phase, t.Gate = Failed, s.freed(i, SlotEnded)
		if !s.stale(i) && !(reported && d.Reason == events.Refused && s.listens()) {
			t.API = failure(&s.Policy.Params, d, reported)
		}
	case events.AttemptAbandoned:
		t.Phase, t.Gate = Failed, s.freed(i, SlotEnded)
		if d.Answered {
			t.API = Answered
		}
	case events.AttemptUnknown:
		t.Phase, t.Gate = Failed, s.freed(i, SlotEnded)
	case events.DialConnected:
		t.API, t.Phase = SeenListening, TCPUp
	case events.HandshakeVersion:
		t.API, t.Phase = Answered, GotVersion
	case events.DisconnectDeferred:
		t.Phase = Leaving
	case events.SessionDegraded:
		t.API, t.Phase = LostUpstream, GotDegraded
	case events.SessionRestored:
		t.API, t.Phase = RegainedUpstream, GotRestored
		if i >= 0 && s.Sessions[i].Phase == Mute {
			t.API = Answered
		}
	case events.SessionMute:
		t.API, t.Phase = MetSilence, WentMute
	case events.SessionLost:
		t.API, t.Phase = Doubted, Dropped
	case events.SessionClosed, events.ClientClosed:
		t.Phase = Ended
	case events.GatewayObserved:
		switch d.Listening {
		case events.ListeningYes:
			t.API = SeenListening
		case events.ListeningNo:
			t.API = SeenAbsent
		}
	case events.GatewayDown:
		t.API = DeclaredDown
	case events.GatewayContradicted:
		if d.Ends {
			t.API, t.Gate = Contradicted, EndStop
		}
	case events.RestartRequired:
		t.Gate = Stop
	case events.RestartAcknowledged:
		t.API, t.Gate = Released, Release
	case events.RetryScheduled:
		if d.ClientID == nil { // that of one client is the tap's to keep
			t.Gate = Delay
		}
	}
	if i < 0 {
		t.Phase = ""
	}
	return t
}

// listens says that we know of the Gateway's listener ourselves: it was read last, or a
// session that we relay is there. Whoever reports that it was refused has dialled
// something else, a wrong port in its configuration say.
func (s *State) listens() bool {
	return s.Observed.Listening == events.ListeningYes || slices.ContainsFunc(s.Sessions, func(x *Session) bool {
		return x.Conn != "" && (x.Phase == SessionReady || x.Phase == SessionDegraded)
	})
}

func failure(p *events.Params, d events.AttemptFailed, reported bool) APITrigger {
	switch {
	case d.Reason == events.Refused:
		return SeenAbsent
	case undialled(*p, d, reported) || silence(*p, d, reported):
		return MetSilence
	case life(d.Reason):
		return Answered
	case d.Reason == events.FINBeforeVersion || d.Reason == events.RSTBeforeVersion || d.Reason == events.Unreachable:
		return Doubted
	}
	return ""
}

// session finds what e is about: by attempt, else by connection; -1 if nothing. A
// lease is its runner's: what another one calls by the same name is something else.
func (s *State) session(e *events.Event) int {
	_, permit := e.Data.(events.AttemptPermitted)
	ours := permit || !Reported(*e)
	for i, x := range s.Sessions {
		if e.Attempt != "" && x.Attempt == e.Attempt && (x.By == "" || x.By == e.Source || ours) || e.Attempt == "" && e.Conn != "" && x.Conn == e.Conn {
			return i
		}
	}
	return -1
}

// known says that e adds nothing to what is known: the attempt it names has ended,
// or was permitted before, or it is a report about a connection that we relay, or
// hold, and see ourselves. Such a report is stored and never counted a second
// time, least of all as the silence of a Gateway that was not dialled yet.
func (s *State) known(e *events.Event, i int, reported bool) bool {
	ends, crossed, mine := false, false, i >= 0 && s.Sessions[i].Conn != ""
	switch d := e.Data.(type) {
	case events.AttemptAbandoned:
		ends, crossed = true, d.Stage == events.StageNone // the client left while its denial was written
	case events.AttemptSucceeded, events.AttemptFailed, events.AttemptUnknown:
		ends = true
	case events.SessionLost, events.SessionClosed:
		return reported && mine
	case events.AttemptPermitted: // without a name its end could free nothing
		if e.Attempt == "" || i >= 0 {
			s.odd(e, "attempt %q was permitted before", e.Attempt)
			return true
		}
	}
	if !ends || e.Attempt == "" {
		return false
	}
	over := i >= 0 && s.Sessions[i].Ended || i < 0 && slices.Contains(s.Over, e.Attempt) && !s.waits(e.Attempt)
	if over && !reported && !crossed {
		s.odd(e, "attempt %s had ended", e.Attempt)
	}
	if f, failed := e.Data.(events.AttemptFailed); failed && reported && i < 0 && (f.Code == events.CodeHeld || f.Reason == events.ClientWaits) {
		return true // it met our own port, which told it so
	}
	// By what it dialled itself, with a lease, a runner knows more than a port that was ours once.
	return over || reported && (mine || s.waits(e.Attempt) || i < 0 && slices.Contains(s.Ours, e.Attempt))
}

// freed returns what the end of session i means to the gate.
func (s *State) freed(i int, end GateTrigger) GateTrigger {
	switch {
	case i < 0 || !s.Sessions[i].Slot:
		return ""
	case end == SlotEnded && s.Trial.On:
		return SlotEndedProbation
	}
	return end
}

// stale says that session i was permitted before the last release: that it fails
// proves nothing about the Gateway after it.
func (s *State) stale(i int) bool { return i >= 0 && s.Sessions[i].Epoch != s.Epoch }
