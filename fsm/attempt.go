package fsm

import "ibrecorder/events"

// countAttempt is the part about a dial, its handshake, how that ended, and the session
// that came of it.
func (s *State) countAttempt(e *events.Event, i int, reported bool) {
	switch d := e.Data.(type) {
	case events.DialStarted:
		s.Totals.Dialled++
		s.reached(i, events.StageDial)
	case events.DialConnected:
		s.reached(i, events.StageConnected)
	case events.HandshakeVersion:
		if s.reached(i, events.StageVersioned) {
			s.Sessions[i].Server = d.ServerVersion
		}
	case events.HandshakeAPIStarted:
		if s.reached(i, events.StageStarted) {
			s.Sessions[i].ClientID = d.ClientID
		}
	case events.HandshakeReady:
		s.reached(i, events.StageReady)

	case events.AttemptSucceeded:
		s.Totals.Succeeded++
		s.succeeded(e, i, reported)
		s.forgive(i, reported)
		s.end(e, i, false)
		s.remember(e.Attempt)
	case events.AttemptFailed:
		s.Totals.Failed++
		silent := silence(s.Policy.Params, d, reported)
		if !s.stale(i) {
			s.failed(e, d, reported)
		}
		if d.Reason == events.ClientIDInUse {
			s.blame(e, i, reported)
		}
		s.end(e, i, silent)
		s.remember(e.Attempt)
	case events.AttemptAbandoned:
		s.Totals.Abandoned++
		if d.Answered {
			s.Row = Run{Failed: s.Row.Failed}
			s.blame(e, i, reported)
		}
		s.end(e, i, false)
		s.remember(e.Attempt)
	case events.AttemptUnknown: // not remembered: a report may know the end
		s.Totals.Unknown++
		s.end(e, i, true)

	case events.SessionLost, events.SessionClosed:
		s.forgive(i, reported)
	case events.SessionUnwatched:
		if i >= 0 {
			s.Sessions[i].Unwatched = true
		}
	}
}

func (s *State) reached(i int, stage events.Stage) bool {
	if i < 0 {
		return false
	}
	s.Sessions[i].Stage = stage
	return true
}

// end closes the attempt of session i. bad says that it uses up a probation
// attempt: it was silent, or nobody knows.
func (s *State) end(e *events.Event, i int, bad bool) {
	s.answer(e.Attempt)
	if i < 0 {
		return
	}
	x := s.Sessions[i]
	trial := x.Trial && s.Trial.On
	x.Ended, x.Slot, x.Trial = true, false, false
	if !trial {
		return
	}
	s.Trial.Tried, s.Trial.LastEnd, s.Trial.LastBad = true, s.Mono, bad
	if bad {
		s.Trial.Evidence = push(s.Trial.Evidence, e.ID, maxEvidence)
	} else {
		s.Trial.Used-- // it proved nothing against the release
	}
}

// remember keeps the attempt's name, by which a late report of it is known.
func (s *State) remember(attempt string) {
	if attempt != "" {
		s.Over = push(s.Over, attempt, maxOver)
	}
}

// succeeded takes in a proof of life. The window keeps its failures: it is a cap
// on attempts in a span, whatever happens in between.
func (s *State) succeeded(e *events.Event, i int, reported bool) {
	s.Row, s.Delay, s.Pending.Failure = Run{}, Wait{}, ""
	switch {
	case s.Gate == Stopped:
		s.Pending.Success, s.Pending.SuccessOwn = e.ID, !reported
	case i >= 0 && s.Sessions[i].Slot: // only what the gate let through ends the probation
		s.Trial = Trial{}
	}
}

func (s *State) failed(e *events.Event, d events.AttemptFailed, reported bool) {
	r := d.Reason
	if life(r) {
		s.Row = Run{Failed: s.Row.Failed}
	}
	switch {
	case silence(s.Policy.Params, d, reported):
		s.Row.Silent.add(e.ID)
	case undialled(s.Policy.Params, d, reported):
		s.Row.DialTimeouts.add(e.ID)
	case r == events.FINBeforeVersion || r == events.RSTBeforeVersion:
		s.Row.Closed.add(e.ID)
	}
	if !backsOff(r) {
		return
	}
	s.Row.Failed++
	s.Pending.Failure = e.ID
	if limit := min(s.Policy.WindowFailures, maxFailures); limit > 0 {
		s.Failures = push(s.Failures, s.Mono, int(limit))
	}
}

func (t *Tally) add(id string) {
	t.N++
	t.Evidence = push(t.Evidence, id, maxEvidence)
}

// backsOff says whether a failure delays everybody at this gateway. The others
// (326, a client id that waits already, a bad version, a client that never starts the
// API) are that client's own.
func backsOff(r events.FailReason) bool {
	switch r {
	case events.ClientIDInUse, events.ClientWaits, events.BadVersion, events.NoStartAPI:
		return false
	}
	return true
}
