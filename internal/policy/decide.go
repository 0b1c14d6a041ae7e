package policy

import (
	"slices"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// Version is raised, from the first release on, when Decide gives another decision for the
// same state: what is recorded can be held against it within one version only.
const Version = 1

// Decision is the next thing to write down. The zero Decision says that nothing
// is due: look again after the next event, or at Wake.
type Decision struct {
	Data    events.Payload
	Attempt string
	Conn    string
	Cause   string // ID of the fact that asks for it
	// JitterMS is how much may be drawn at random and added to a RetryScheduled.
	JitterMS int64
	// Wake is the monotonic nanosecond at which time alone makes something due; 0 is never.
	Wake int64
}

// Decide says what is due in s at now, in nanoseconds since the boot. The order is
// that of urgency: what the last run left open, the stop, the release, and only
// then new attempts; so a request never overtakes the stop that forbids it.
func Decide(s fsm.State, now int64) Decision {
	if s.Policy.Hash == "" {
		return Decision{} // no rule in force: nothing may be decided by it
	}
	if d := expired(s, now); d.Data != nil {
		return d
	}
	for _, due := range [...]func(fsm.State) Decision{unfinished, stop, down, claim, restart, contradiction, disconnect, delay, alone} {
		if d := due(s); d.Data != nil {
			return d
		}
	}
	d := admit(s, now)
	if until := leaseEnd(s); d.Data == nil && until != 0 && (d.Wake == 0 || until < d.Wake) {
		d.Wake = until
	}
	return d
}

// expired gives up on a lease whose runner has not said in time how its attempt went.
func expired(s fsm.State, now int64) Decision {
	for _, x := range s.Sessions {
		if until := x.Lease.Until(); !x.Ended && until != 0 && until <= now {
			return Decision{Data: events.AttemptUnknown{Reason: events.UnknownLease}, Attempt: x.Attempt, Cause: x.Permit}
		}
	}
	return Decision{}
}

// leaseEnd is when the next lease expires, 0 if none is out.
func leaseEnd(s fsm.State) (first int64) {
	for _, x := range s.Sessions {
		if until := x.Lease.Until(); !x.Ended && until != 0 && (first == 0 || until < first) {
			first = until
		}
	}
	return first
}

// unfinished closes what the run before has left: its end is unknown for ever. Who
// dials with a lease did not end with it, and may still be in the middle of a handshake.
func unfinished(s fsm.State) Decision {
	why := events.UnknownCrash
	if s.InOrder {
		why = events.UnknownStop
	}
	for _, x := range s.Sessions {
		if !x.Ended && x.Boot != s.Boot && x.Lease.MS == 0 {
			return Decision{Data: events.AttemptUnknown{Reason: why}, Attempt: x.Attempt, Conn: x.Conn, Cause: x.Permit}
		}
	}
	return Decision{}
}

// stop answers a gateway.down, or a stop that an older log left, with the stop.
func stop(s fsm.State) Decision {
	d := events.RestartRequired{Policy: s.Policy.Hash, Reason: s.Pending.DownReason, Enforced: enforced(s)}
	switch {
	case s.Gate == fsm.Stopped:
		return Decision{}
	case s.Pending.Down != "":
		return Decision{Data: d, Cause: s.Pending.Down}
	case s.Pending.Carried != "":
		d.Reason, d.Carried = events.DownReported, true
		return Decision{Data: d, Cause: s.Pending.Carried}
	}
	return Decision{}
}

// down declares the Gateway down once the evidence is complete. In probation
// the last attempt decides and not the count, because the first connect after a
// fresh start is known to fail. An acceptor that hangs is proof by itself, in probation
// too: nobody whom it keeps can become ready.
func down(s fsm.State) Decision {
	p := s.Policy.Params
	proof := func(r events.DownReason, count, limit int64, evidence []string) Decision {
		var cause string
		if n := len(evidence); n > 0 {
			cause = evidence[n-1]
		}
		return Decision{Data: events.GatewayDown{Reason: r, Count: count, Limit: limit, Evidence: evidence}, Cause: cause}
	}
	row, trial := s.Row, s.Trial
	switch {
	case s.Gate == fsm.Stopped:
		return Decision{}
	case s.Pending.Wedged != "":
		return proof(events.DownWedged, s.Pending.WedgedSamples, fsm.WedgedSamples, []string{s.Pending.Wedged})
	case s.Gate == fsm.Probation && trial.LastBad && trial.Used >= p.ProbationAttempts:
		return proof(events.DownProbation, trial.Used, p.ProbationAttempts, trial.Evidence)
	case !trial.On && reached(row.Silent.N, p.SilentLimit):
		return proof(events.DownSilent, row.Silent.N, p.SilentLimit, row.Silent.Evidence)
	case reached(row.DialTimeouts.N, p.DialTimeoutLimit):
		return proof(events.DownDialTimeouts, row.DialTimeouts.N, p.DialTimeoutLimit, row.DialTimeouts.Evidence)
	case reached(row.Closed.N, p.ClosedLimit):
		return proof(events.DownClosed, row.Closed.N, p.ClosedLimit, row.Closed.Evidence)
	}
	return Decision{}
}

// reached says whether n has come to its limit; a limit of zero is none.
func reached(n, limit int64) bool { return limit > 0 && n >= limit }

// claim decides an operator's claim, after the listener was read for it.
func claim(s fsm.State) Decision {
	c := s.Claim
	rejected := func(why events.Rejection) Decision {
		return Decision{Data: events.RestartRejected{Why: why, By: c.By}, Cause: c.ID}
	}
	released := func(b events.Basis, cause string) Decision {
		return Decision{Data: events.RestartAcknowledged{Basis: b, By: c.By, Reason: c.Reason}, Cause: cause}
	}
	switch {
	case c.ID == "" || !c.Seen:
		return Decision{}
	case s.Gate != fsm.Stopped:
		return rejected(events.RejectedNotStopped)
	case c.Override:
		return released(events.BasisOverride, c.ID)
	}
	before, after := s.Stop.Observed, c.Observed
	known := before
	if !identified(before) { // not read when the gate stopped: what ran before that and still runs was not restarted
		known = s.Stop.Before
	}
	switch {
	case after.Listening == events.ListeningNo:
		return rejected(events.RejectedNotListening)
	case identified(known) && identified(after) && !another(known, after):
		return rejected(events.RejectedUnchanged)
	case !identified(before) || !identified(after):
		return released(events.BasisWord, c.ID)
	case s.Stop.Restart == "":
		return observed(before, after)
	}
	return released(events.BasisObserved, s.Stop.Restart)
}

// restart releases without a claim once the Gateway's own process is another one
// than the one that listened when the gate stopped.
func restart(s fsm.State) Decision {
	before, after := s.Stop.Observed, s.Observed
	switch {
	case s.Gate != fsm.Stopped || !identified(before) || !identified(after) || !another(before, after):
		return Decision{}
	case s.Stop.Restart == "":
		return observed(before, after)
	}
	return Decision{Data: events.RestartAcknowledged{Basis: events.BasisObserved, By: "recorder"}, Cause: s.Stop.Restart}
}

func observed(before, after fsm.Process) Decision {
	return Decision{Data: events.RestartObserved{OldPID: before.PID, OldStartedMS: before.StartedMS, PID: after.PID, StartedMS: after.StartedMS},
		Cause: after.ID}
}

// clockStep is the least difference between two start times of one process id, in
// milliseconds, that is another process: the system computes them from the wall
// clock, which somebody may have set in between.
const clockStep = 10_000

// another says whether two identified listeners belong to different runs of the
// Gateway. A socket that is still the same was handed over, by a fork or an exec, or
// its owner was read wrongly; and who began at the same moment is no successor. A
// process id alone may be given out again.
func another(before, after fsm.Process) bool {
	apart := after.StartedMS - before.StartedMS
	switch {
	case before.Socket != "" && before.Socket == after.Socket, apart == 0:
		return false
	case before.PID != after.PID:
		return true
	}
	return apart <= -clockStep || apart >= clockStep
}

// identified says whether p proves which process is the Gateway: a forwarder's
// listener stays when the Gateway behind it restarts.
func identified(p fsm.Process) bool {
	return p.Listening == events.ListeningYes && p.Owner == events.OwnerGateway && p.PID != 0 && p.StartedMS != 0
}

// contradiction notes a success although the Gateway counts as down. Only in
// observe mode, and only if our own tap saw it, does it end the stop.
func contradiction(s fsm.State) Decision {
	if s.Pending.Success == "" {
		return Decision{}
	}
	return Decision{Data: events.GatewayContradicted{Ends: !enforced(s) && s.Pending.SuccessOwn}, Cause: s.Pending.Success}
}

// disconnect refuses to end a session in mid-handshake unless it is forced: a
// Gateway whose clients vanish there may stop accepting (ib_insync issue 386).
// A handshake begins with its permit, because facts follow the bytes; and one
// whose client id is not known yet may be the one that is meant.
func disconnect(s fsm.State) Decision {
	q := s.Pending.Disconnect
	if q.ID == "" {
		return Decision{}
	}
	var selected int64
	for _, x := range s.Sessions {
		if x.Ended && q.Selects(x) && q.Ends(x) {
			selected++
		}
		if x.Ended || x.ClientID != nil && !q.Selects(x) {
			continue
		}
		d := Decision{Data: events.DisconnectBlocked{Stage: x.Stage}, Attempt: x.Attempt, Conn: x.Conn, Cause: q.ID}
		if q.Force {
			d.Data = events.DisconnectForced{Stage: x.Stage}
		}
		return d
	}
	return Decision{Data: events.DisconnectPermitted{Sessions: selected}, Cause: q.ID}
}

// delay schedules the wait after a failure that is everybody's. It comes after
// down: a failure that stops the gate needs no delay.
func delay(s fsm.State) Decision {
	if s.Pending.Failure == "" || s.Gate == fsm.Stopped {
		return Decision{}
	}
	base := Backoff(s.Policy.Params, s.Row.Failed)
	return Decision{
		Data:     events.RetryScheduled{DelayMS: base, Failures: s.Row.Failed},
		Cause:    s.Pending.Failure,
		JitterMS: jitter(base, s.Policy.JitterPercent),
	}
}

// alone schedules the wait of one client id after a failure that is its own. It stands
// whatever the gate does: a stop is longer, and a release ends both.
func alone(s fsm.State) Decision {
	for _, c := range s.Clients {
		if c.Pending == "" {
			continue
		}
		id, base := c.ID, Backoff(s.Policy.Params, c.Failed)
		return Decision{
			Data:     events.RetryScheduled{ClientID: &id, DelayMS: base, Failures: c.Failed},
			Cause:    c.Pending,
			JitterMS: jitter(base, s.Policy.JitterPercent),
		}
	}
	return Decision{}
}

// jitter is the given part of wait, for any numbers: a log may name a policy that
// Validate would refuse.
func jitter(wait, percent int64) int64 {
	return min(max(0, wait), 24*hour) * min(max(0, percent), 100) / 100
}

// Backoff is the wait in milliseconds after so many failures in a row, before
// jitter: the base, doubled with each more, at most the cap.
func Backoff(p events.Params, failures int64) int64 {
	wait := max(0, p.BackoffBaseMS)
	for i := int64(1); i < failures && 0 < wait && wait < p.BackoffCapMS; i++ {
		if wait > p.BackoffCapMS/2 {
			return p.BackoffCapMS
		}
		wait *= 2
	}
	return min(wait, max(0, p.BackoffCapMS))
}

// admit decides the oldest request.
func admit(s fsm.State, now int64) Decision {
	if len(s.Waiting) == 0 {
		return Decision{}
	}
	r := s.Waiting[0]
	hold, until := Hold(s, now)
	if hold != "" && enforced(s) { // who asks for a lease asks again, and does not wait here
		if i := slices.IndexFunc(s.Waiting, func(r fsm.Request) bool { return r.LeaseMS != 0 }); i >= 0 {
			r = s.Waiting[i]
			return Decision{Data: events.AttemptDenied{Policy: s.Policy.Hash, Reason: hold, Count: 1}, Attempt: r.Attempt, Cause: r.ID}
		}
	}
	d := Decision{Attempt: r.Attempt, Conn: r.Conn, Cause: r.ID}
	permit := events.AttemptPermitted{Policy: s.Policy.Hash, Enforced: enforced(s), Against: hold}
	// What observe mode lets through too early is not what the probation is made of:
	// the first connect after a fresh start is known to fail.
	if s.Gate == fsm.Probation && hold != events.HoldSettling {
		permit.Probation = s.Trial.Used + 1
	}
	switch {
	case hold == "" || !enforced(s):
		d.Data = permit
	case hold == events.HoldStopped || hold == events.HoldLogFull: // time ends neither
		d.Data = events.AttemptDenied{Policy: s.Policy.Hash, Reason: hold, Count: 1}
	default:
		for _, r := range s.Waiting {
			if !r.Held {
				return Decision{Data: events.ClientHeld{Reason: hold}, Attempt: r.Attempt, Conn: r.Conn, Cause: r.ID}
			}
		}
		return Decision{Wake: until}
	}
	return d
}

// Hold says why nobody may dial at now, "" if the next one may, and when time
// alone ends it, in nanoseconds since the boot; 0 if time does not.
func Hold(s fsm.State, now int64) (why events.HoldReason, until int64) {
	p := s.Policy.Params
	switch {
	case s.Gate == fsm.Stopped:
		return events.HoldStopped, 0
	case Full(s):
		return events.HoldLogFull, 0
	case s.Gate == fsm.Attempting || s.Busy():
		return events.HoldInFlight, 0
	}
	if s.Trial.On {
		until = fsm.After(s.Trial.Released, p.SettleMS)
		if s.Trial.Tried {
			until = max(until, fsm.After(s.Trial.LastEnd, p.ProbationSpacingMS))
		}
		if now < until {
			return events.HoldSettling, until
		}
	}
	if until = s.Delay.Until(); now < until {
		return events.HoldBackoff, until
	}
	if n := int64(len(s.Failures)); p.WindowFailures > 0 && n >= p.WindowFailures {
		if until = fsm.After(s.Failures[n-p.WindowFailures], p.WindowMS); now < until {
			return events.HoldWindow, until
		}
	}
	return "", 0
}

// Full says whether what room the log has is kept for other things than attempts.
func Full(s fsm.State) bool { return s.Room.Level == events.LevelReserve && enforced(s) }

// Absent says until when the recorder's port is to be closed because the Gateway
// does not listen, in nanoseconds since the boot; 0 if it is to be open. A dial was
// refused, the socket table says so too, and nobody may dial before the wait is over.
// Then one program shall find out: a container's published port is in no table.
func Absent(s fsm.State, now int64) int64 {
	until := s.Delay.Until()
	if !enforced(s) || s.Gate == fsm.Stopped || s.API != fsm.Absent || s.Observed.Listening != events.ListeningNo || now >= until {
		return 0
	}
	return until
}

func enforced(s fsm.State) bool { return s.Policy.Mode == events.Enforce }
