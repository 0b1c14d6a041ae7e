package report

import (
	"fmt"
	"strings"

	"ibrecorder/events"
)

// phrase says what an event says beside its kind, for a line of a table. same
// is what makes two events the same to somebody who scans the list; more differs
// each time: durations, counts of bytes, addresses.
func phrase(p events.Payload) (same, more string, known bool) {
	var w words
	switch d := p.(type) {
	case events.RecorderStarted:
		w.same("version %s, the run before: %s", d.Version, d.Previous)
		w.sameIf(len(d.Unfinished) > 0, "unfinished %s", strings.Join(d.Unfinished, " "))
		w.sameIf(d.OldSeq > 0, "takes the place of a log of %d events (%s)", d.OldSeq, d.Reason)
		w.sameIf(d.OldStopped, "which was stopped")
	case events.RecorderStopped:
		w.same("by %s", d.Reason)
		w.text(d.Text)
	case events.RecorderGap:
		w.same("facts are missing: %s", d.Reason)
		w.sameIf(d.Lost > 0, "%d of them", d.Lost)
		w.text(d.Text)
	case events.RecorderRoom:
		w.same("%s", levels[d.Level])
		w.more("%d of %d bytes", d.UsedBytes, d.LimitBytes)
	case events.PolicyLoaded:
		w.same("%s, %s, stops after %d silent", d.Preset, d.Mode, d.SilentLimit)

	case events.ClientOpened:
		w.more("from %s", d.Peer)
	case events.ClientHello:
		w.same("versions %d to %d", d.MinVersion, d.MaxVersion)
		w.text(d.Options)
	case events.ClientClosed:
		w.same("by the %s, %s", d.By, d.How)
		w.more("%d bytes up, %d down", d.ClientBytes, d.GatewayBytes)
	case events.ClientHeld:
		w.client(d.ClientID)
		w.same("waits: %s", d.Reason)
		w.moreIf(d.WaitMS > 0, "for %s", span(d.WaitMS*1e6))
	case events.ClientRejected:
		w.same("%s", d.Reason)
		w.sameIf(d.Count != 1, "%d connections", d.Count)
		w.more("from %s", d.Peer)
		w.sameIf(d.FirstBytes != "", "first bytes %s", d.FirstBytes)

	case events.AttemptRequested:
		w.client(d.ClientID)
		w.sameIf(d.TimeoutMS > 0, "own timeout %s", span(d.TimeoutMS*1e6))
		w.sameIf(d.LeaseMS > 0, "dials itself, with a lease of %s", span(d.LeaseMS*1e6))
	case events.AttemptPermitted:
		w.sameIf(d.Probation > 0, "probation %d", d.Probation)
		w.sameIf(!d.Enforced, "observe mode")
		w.sameIf(d.Against != "", "enforced it would wait: %s", d.Against)
	case events.AttemptDenied:
		w.same("%s", d.Reason)
		w.sameIf(d.Count != 1, "%d attempts", d.Count)
		w.sameIf(d.Rule != "", "it would break %s", d.Rule)
		w.text(d.Text)
	case events.AttemptSucceeded:
		w.client(d.ClientID)
		w.sameIf(d.ServerVersion > 0, "server version %d", d.ServerVersion)
		w.elapsed(d.ElapsedUS)
	case events.AttemptFailed:
		w.same("%s", d.Reason)
		w.sameIf(d.Code != 0, "code %d", d.Code)
		w.sameIf(d.Stage != "" && d.Stage != events.StageNone, "stage %s", d.Stage)
		w.sameIf(d.By != "", "closed by the %s, %s", d.By, d.How)
		w.sameIf(d.WaitedMS > 0 && d.LimitMS > 0, "waited %s of %s", span(d.WaitedMS*1e6), span(d.LimitMS*1e6))
		w.sameIf(d.WaitedMS > 0 && d.LimitMS == 0, "waited %s", span(d.WaitedMS*1e6))
		w.sameIf(d.WaitedMS == 0 && d.LimitMS > 0, "limit %s", span(d.LimitMS*1e6))
		if d.WaitedMS == 0 { // else it says the same again
			w.elapsed(d.ElapsedUS)
		}
		w.text(d.Text)
	case events.AttemptAbandoned:
		w.same("the client left at stage %s", d.Stage)
		w.sameIf(d.Answered, "the Gateway answered afterwards")
		w.elapsed(d.ElapsedUS)
	case events.AttemptUnknown:
		w.same("%s", d.Reason)

	case events.DialStarted:
		w.same("to %s", d.Address)
	case events.DialConnected:
		w.elapsed(d.ElapsedUS)
	case events.DialFailed:
		w.same("%s", d.Reason)
		w.elapsed(d.ElapsedUS)
		w.text(d.Text)
	case events.HandshakeVersion:
		w.same("server version %d", d.ServerVersion)
		w.elapsed(d.ElapsedUS)
	case events.HandshakeAPIStarted:
		w.client(d.ClientID)
	case events.HandshakeReady:
		w.same("%s", count(int(d.Accounts), "account"))
		w.elapsed(d.ElapsedUS)
	case events.HandshakeTimedOut:
		w.same("stage %s, waited %s of %s", d.Stage, span(d.WaitedMS*1e6), span(d.LimitMS*1e6))
	default:
		return rest(p)
	}
	return w.join(), w.rest(), true
}

// rest is phrase for our own port, sessions, the Gateway as a whole, and people.
func rest(p events.Payload) (same, more string, known bool) {
	var w words
	switch d := p.(type) {
	case events.TapBlocked:
		w.same("programs are refused, though nobody holds them")
		w.text(d.Text)
	case events.TapClosed:
		if d.Reason == events.ClosedForLog {
			w.same("the log is nearly full, so programs are refused until there is room")
			break
		}
		w.same("nothing listens at the Gateway, so programs are refused, for %s at most", span(d.WaitMS*1e6))
	case events.TapReopened:
		w.same("programs get through again")
	case events.SessionEstablished:
		w.client(d.ClientID)
	case events.SessionDegraded:
		w.same("code %d, the Gateway lost IB", d.Code)
	case events.SessionRestored:
		w.same("code %d", d.Code)
	case events.SessionMute:
		w.same("no answer")
		w.more("for %s", span(d.WaitedMS*1e6))
	case events.SessionUnwatched:
		w.same("not the protocol any more, its codes are unknown from here on")
		w.more("after %d bytes", d.GatewayBytes)
	case events.SessionLost:
		w.same("%s", d.Reason)
		w.elapsed(d.ElapsedUS)
	case events.SessionClosed:
		w.same("by the %s, %s", d.By, d.How)
		w.elapsed(d.ElapsedUS)

	case events.DisconnectRequested:
		w.same("by %s", d.By)
		w.client(d.ClientID)
		w.sameIf(d.Force, "forced")
		w.text(d.Reason)
	case events.DisconnectPermitted:
		w.same("%s", count(int(d.Sessions), "session"))
	case events.DisconnectBlocked:
		w.same("a handshake is at stage %s", d.Stage)
	case events.DisconnectForced:
		w.same("in spite of a handshake at stage %s", d.Stage)
	case events.DisconnectDeferred:
		w.same("the client left at stage %s, %s", d.Stage, d.How)
	case events.DisconnectCompleted:
		w.same("%s", count(int(d.Sessions), "session"))

	case events.GatewayNotice:
		w.same("code %d, origin %s", d.Code, d.Origin)
		w.sameIf(d.Count != 1, "%d times", d.Count)
	case events.GatewayObserved:
		w.same("listening: %s, owner: %s", d.Listening, d.Owner)
		w.sameIf(d.PID > 0, "process %d %s", d.PID, d.Process)
		w.sockets(d.QueueSockets, "%s in the listen queue")
		w.sockets(d.UnacceptedSockets, "%s not accepted, with bytes unread")
		w.sockets(d.CloseWaitSockets, "%s in CLOSE_WAIT")
		w.sameIf(d.WedgedSamples > 0, "that from port %d for %s, in %d samples", d.WedgedPort, span(d.WedgedMS*1e6), d.WedgedSamples)
		w.text(d.Text)
	case events.GatewayDown:
		w.same("%s", d.Reason)
		if d.Reason == events.DownWedged {
			w.same("%d samples of one connection", d.Count)
		} else {
			w.sameIf(d.Limit > 0, "%d of %d", d.Count, d.Limit)
		}
		w.text(d.Text)
	case events.GatewayContradicted:
		w.same("an attempt succeeded while the Gateway counted as down")
		w.sameIf(d.Ends, "the stop ends")
	case events.RestartRequired:
		w.same("%s: nobody dials until a release", d.Reason)
		w.sameIf(d.Carried, "taken over from the log before")
		w.sameIf(!d.Enforced, "observe mode")
	case events.RestartClaimed:
		w.same("by %s", d.By)
		w.sameIf(d.Override, "override")
		w.text(d.Reason)
	case events.RestartObserved:
		w.same("process %d took the place of %d", d.PID, d.OldPID)
	case events.RestartAcknowledged:
		w.same("released by %s, basis: %s", d.By, d.Basis)
		w.text(d.Reason)
	case events.RestartRejected:
		w.same("%s, claimed by %s", d.Why, d.By)
	case events.RetryScheduled:
		w.client(d.ClientID)
		who := "nobody dials"
		if d.ClientID != nil {
			who = "it alone waits"
		}
		w.more("%s for %s", who, span(d.DelayMS*1e6))
		w.more("%s in a row", count(int(d.Failures), "failure"))
	case events.AlertRaised:
		w.same("%s", d.Incident)
		w.same("%s", abouts[d.About])
		w.sameIf(d.Channel != "", "channel %s", d.Channel)
		w.sameIf(d.Again > 0, "%d more like it before", d.Again)
		w.sameIf(d.UsedPercent > 0, "%d %% full", d.UsedPercent)
	case events.AlertReminded:
		w.same("%s", d.Incident)
		w.more("%d of %d", d.Number, d.Most)
		w.more("after %s", span(d.ElapsedMS*1e6))
		w.moreIf(d.Blocked > 0, "%s denied", count(int(d.Blocked), "attempt"))
	case events.AlertAcknowledged:
		w.same("%s", d.Incident)
		w.same("by %s", d.By)
		w.text(d.Text)
	case events.AlertResolved:
		w.same("%s", d.Incident)
		w.same("%s", abouts[d.About])
		w.more("after %s", span(d.ElapsedMS*1e6))
		w.moreIf(d.Blocked > 0, "%s denied", count(int(d.Blocked), "attempt"))
	case events.AlertDelivered:
		w.same("%s", d.Channel)
		w.sameIf(d.Tries > 1, "after %d tries", d.Tries)
		w.elapsed(d.ElapsedMS * 1e3)
	case events.AlertFailed:
		w.same("%s, try %d", d.Channel, d.Try)
		w.sameIf(d.Final, "given up")
		w.text(d.Text)
	case events.RuleViolated:
		w.same("%s", d.Rule)
		w.sameIf(d.Bypassed, "by somebody who went around the recorder")
		w.text(d.Text)
	case events.OperatorNoted:
		w.same("%s", d.By)
		w.text(d.Text)
	default:
		return "", "", false
	}
	return w.join(), w.rest(), true
}

// abouts are what an alert is about, in words.
var abouts = map[events.About]string{
	events.AboutStop: "a manual restart is needed", events.AboutOutage: "the Gateway is not there", events.AboutBreach: "the rule was broken",
	events.AboutChannel: "a channel takes nothing", events.AboutRoom: "the log is nearly full",
}

// words collects the parts of a phrase.
type words struct{ steady, varying []string }

func (w *words) same(format string, args ...any) {
	w.steady = append(w.steady, fmt.Sprintf(format, args...))
}

func (w *words) sameIf(is bool, format string, args ...any) {
	if is {
		w.same(format, args...)
	}
}

func (w *words) more(format string, args ...any) {
	w.varying = append(w.varying, fmt.Sprintf(format, args...))
}

func (w *words) moreIf(is bool, format string, args ...any) {
	if is {
		w.more(format, args...)
	}
}

// text is somebody's own words. A line of a report is one line.
func (w *words) text(s string) {
	if s != "" {
		w.same("%q", s)
	}
}

func (w *words) client(id *int64) {
	if id != nil {
		w.same("client %d", *id)
	}
}

// sockets tells a count that is known and not zero.
func (w *words) sockets(n *int64, format string) {
	if n != nil && *n > 0 {
		w.same(format, count(int(*n), "socket"))
	}
}

func (w *words) elapsed(us int64) {
	if us > 0 {
		w.more("%s", span(us*1e3))
	}
}

func (w *words) join() string { return strings.Join(w.steady, " · ") }
func (w *words) rest() string { return strings.Join(w.varying, " · ") }

// detail is the whole phrase.
func detail(p events.Payload) string {
	same, more, _ := phrase(p)
	if same != "" && more != "" {
		return same + " · " + more
	}
	return same + more
}

// levels are in words how much room a log has.
var levels = map[events.Level]string{
	events.LevelAmple:   "the log has room again",
	events.LevelWarning: "four fifths of the room in the log are taken",
	events.LevelReserve: "the log is nearly full: nobody dials until there is room",
}
