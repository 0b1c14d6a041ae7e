package logfile

import (
	"slices"

	"ibrecorder/events"
)

// failed takes in that an attempt ended, with what was printed of its exception; ""
// says that it failed and not how.
func (j *joiner) failed(l line, by teller, printed string) {
	tests := j.told(by)
	if by == byLibrary {
		j.library = true
		j.lane(l).left = nil // it was the library's own
		tests = append([]func(*attempt) bool{func(a *attempt) bool { return a.over }}, tests...)
	}
	a := j.pick(l, tests...)
	how := readException(printed)
	switch {
	case a != nil && a.over:
		j.forget(a)
		return
	case a != nil:
	case by == byWatchdog, how == ending{}, by != byLibrary && (j.library || j.isDown):
		return // of no attempt, or of one whose end was told
	default: // a log of errors alone tells of ends and of no beginnings
		j.attempts++
		a = &attempt{id: j.name(), tellers: by, stage: events.StageDial}
	}
	j.end(l, a, by, how)
}

// end says how an attempt failed.
func (j *joiner) end(l line, a *attempt, by teller, how ending) {
	defer j.forget(a)
	if by == byLibrary && a.stage != events.StageDial && a.dropped == "" {
		j.lane(l).echoes++
	}
	switch {
	case how.abandoned:
		j.sayOf(a, false, events.AttemptAbandoned{Stage: a.stage})
		return
	case how.reason == "":
		j.sayOf(a, false, events.AttemptUnknown{Reason: events.UnknownReported})
		return
	}
	f := events.AttemptFailed{Reason: how.reason, Stage: a.stage, ClientID: a.client, LimitMS: a.limitMS}
	inferred := false
	switch how.reason {
	case events.ReportedTimeout:
		inferred = j.timedOut(l, a, &f)
	case events.RSTBeforeVersion:
		f.By, f.How = events.Upstream, events.RST
		if a.stage == events.StageStarted {
			f.Reason = events.ClosedBeforeReady
		}
	case events.NoAccounts:
		f.Stage = events.StageReady
	}
	j.sayOf(a, inferred, f)
}

// timedOut finishes what is said of a timeout, and says whether a part is inferred.
// The library waits on when the Gateway has closed or has sent an error, and then
// says TimeoutError as well: that is no silence (ib_async issue 143).
func (j *joiner) timedOut(l line, a *attempt, f *events.AttemptFailed) (inferred bool) {
	from := a.accepted
	if a.stage == events.StageDial {
		from = a.begun
	}
	waited, measured := l.when.since(from)
	if measured {
		f.WaitedMS = waited.Milliseconds()
	}
	switch {
	case a.code == codeInUse:
		f.Reason, f.Code = events.ClientIDInUse, a.code
	case a.code == codeDisclaimer:
		f.Reason, f.Code = events.DisclaimerPending, a.code
	case a.code != 0:
		f.Reason, f.Code = events.ErrorBeforeReady, a.code
	case a.dropped != "":
		f.Reason, f.By = a.dropped, events.Upstream
	case a.stage == events.StageDial && a.tellers&byLibrary != 0 && a.begins:
		f.Reason = events.DialTimeout // it would have said Connected
	}
	// A program that says nothing of its timeout has waited it out: so long it was, or
	// up to a second less where the log has whole seconds.
	if f.LimitMS == 0 && measured {
		f.LimitMS, inferred = f.WaitedMS, true
	}
	if f.LimitMS < j.options.Policy.MinReportedBudgetMS {
		j.sum.TooShort++
	}
	return inferred
}

// closedByPeer: the Gateway closed after its version. Whether the client id was in use,
// as the library guesses, only the error 326 before it can say.
func (j *joiner) closedByPeer(l line, client *int64) {
	a := j.pick(l,
		func(a *attempt) bool {
			return a.shaking() && a.client != nil && client != nil && *a.client == *client
		},
		func(a *attempt) bool { return a.shaking() && a.client == nil })
	if a == nil {
		return
	}
	f := events.AttemptFailed{Reason: events.ClosedBeforeReady, Stage: a.stage, ClientID: a.client, By: events.Upstream, Code: a.code}
	switch a.code {
	case 0:
	case codeInUse:
		f.Reason = events.ClientIDInUse
	case codeDisclaimer:
		f.Reason = events.DisclaimerPending
	default:
		f.Reason = events.ErrorBeforeReady
	}
	j.sayOf(a, false, f)
	a.over = true
}

// lost: the Gateway ended a session.
func (j *joiner) lost(l line, how events.LostReason) {
	if a := j.pick(l, func(a *attempt) bool { return a.session }); a != nil {
		j.sayOf(a, false, events.SessionLost{Reason: how})
		j.forget(a)
	}
}

// reset: the connection that the log speaks of was reset, with the system's number for it.
func (j *joiner) reset(l line, errno string) {
	j.say("", "", events.GatewayNotice{Code: atoi(errno), Origin: events.OriginOS, Count: 1})
	a := j.pick(l,
		func(a *attempt) bool { return a.shaking() && a.stage != events.StageDial },
		func(a *attempt) bool { return a.session })
	switch {
	case a == nil:
	case a.session:
		j.sayOf(a, false, events.SessionLost{Reason: events.LostRST})
		j.forget(a)
	case a.stage == events.StageConnected:
		a.dropped = events.RSTBeforeVersion
	default:
		j.sayOf(a, false, events.AttemptFailed{Reason: events.ClosedBeforeReady, Stage: a.stage, ClientID: a.client, By: events.Upstream, How: events.RST})
		a.over = true
	}
}

// leaves: the library closes a connection. It says so when a handshake fails, and adds
// that at once, and when its program ends a session.
func (j *joiner) leaves(l line) {
	j.lane(l).left = &l
}

// settle says of a close that no failure followed what it was: the end of a session.
func (j *joiner) settle(n *lane) {
	if n.left == nil {
		return
	}
	l, now := *n.left, j.now
	n.left = nil
	a := j.pick(l, func(a *attempt) bool { return a.session })
	if a == nil {
		return
	}
	j.now = l.when
	j.sayOf(a, false, events.SessionClosed{By: events.Client, How: events.FIN})
	j.now = now
	n.echoes++
	j.forget(a)
}

// dropped: a connection is gone that had no version yet, or whose end was told. Whoever
// closed by itself is told so a moment later.
func (j *joiner) dropped(l line) {
	if n := j.lane(l); n.echoes > 0 {
		n.echoes--
		return
	}
	if a := j.pick(l, func(a *attempt) bool { return a.shaking() && a.stage == events.StageConnected }); a != nil && a.dropped == "" {
		a.dropped = events.FINBeforeVersion
	}
}

// finish ends what the log leaves open: its end is not known.
func (j *joiner) finish() {
	for _, n := range j.lanes {
		j.settle(n)
	}
	for _, a := range slices.Clone(j.open) {
		if a.shaking() {
			j.unknown(a)
		}
	}
}
