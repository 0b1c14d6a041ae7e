package fsm

import "ibrecorder/events"

// countGateway is the part about stops, claims, releases and our own port.
func (s *State) countGateway(e *events.Event, reported bool) {
	switch d := e.Data.(type) {
	case events.GatewayObserved:
		p := Process{ID: e.ID, Listening: d.Listening, Owner: d.Owner, PID: d.PID, StartedMS: d.StartedMS, Socket: d.Socket}
		s.Observed = p
		if s.Gate != Stopped && !reported && wedged(s.Policy.Params, d) {
			s.Pending.Wedged, s.Pending.WedgedSamples = e.ID, d.WedgedSamples
		}
		switch {
		case e.Cause == "":
		case e.Cause == s.Stop.ID && !s.Stop.Carried:
			s.Stop.Observed = p
		case e.Cause == s.Claim.ID:
			s.Claim.Seen, s.Claim.Observed = true, p
		}
	case events.TapBlocked:
		s.ShutOut = d.Text
	case events.TapClosed:
		s.Closed = e.ID
	case events.TapReopened:
		s.ShutOut, s.Closed = "", ""
	case events.GatewayDown:
		if s.Gate != Stopped {
			s.Pending.Down, s.Pending.DownReason = e.ID, d.Reason
			if reported { // whatever it calls it, there is nothing but its word
				s.Pending.DownReason = events.DownReported
			}
		}
	case events.GatewayContradicted:
		s.Pending.Success, s.Pending.SuccessOwn = "", false
		if d.Ends {
			s.Stop, s.Row = Standing{}, Run{}
		}
	case events.RestartRequired:
		s.Totals.Stops++
		// A carried stop has no process to compare with: the one that runs now may
		// have been restarted since. A claim of before the stop opens nothing.
		s.Stop, s.Claim = Standing{ID: e.ID, Seq: e.Seq, Carried: d.Carried}, Claim{}
		if !d.Carried {
			s.Stop.Before = s.Observed
		}
		s.Pending = Pending{Disconnect: s.Pending.Disconnect}
		s.Delay, s.Trial = Wait{}, Trial{}
		s.ShutOut, s.Closed = "", ""   // the port is closed by the stop from here on
		for i, x := range s.Sessions { // what is under way ends without moving the gate
			if x.Slot {
				s.own(i)
				s.Sessions[i].Slot, s.Sessions[i].Trial = false, false
			}
		}
	case events.RestartClaimed:
		s.Claim = Claim{ID: e.ID, By: d.By, Reason: d.Reason, Override: d.Override}
	case events.RestartObserved:
		if s.Gate == Stopped {
			s.Stop.Restart = e.ID
		}
	case events.RestartRejected:
		s.Claim = Claim{}
	case events.RestartAcknowledged:
		s.Totals.Releases++
		s.Claim, s.Stop, s.Row, s.Delay, s.Failures = Claim{}, Standing{}, Run{}, Wait{}, nil
		s.Clients = nil // the client ids of a Gateway that was restarted are free
		s.Pending = Pending{Disconnect: s.Pending.Disconnect}
		s.Trial = Trial{On: true, Released: s.Mono}
	}
}
