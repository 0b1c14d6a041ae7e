package logfile

import (
	"slices"

	"ibrecorder/events"
)

// teller is who tells of an attempt: several layers of one program may tell of the same.
type teller uint8

const (
	byLibrary teller = 1 << iota
	byWorker
	byManager
	byRecovery
	byWatchdog
)

// attempt is one connect that a log tells of, from its first line to the end of its
// session.
type attempt struct {
	id        string
	processes []string // that told of it
	tellers   teller
	client    *int64
	limitMS   int64 // its program's timeout, 0 if nobody said
	begins    bool  // the log has its beginning
	begun     when
	accepted  when
	stage     events.Stage
	version   int64
	code      int64             // of an error that explains why it does not become ready
	dropped   events.FailReason // the Gateway closed it before its version
	over      bool              // its end is told; the library has a word to say yet
	session   bool
	unsure    bool // which of several its lines are about was told by their order alone
}

// of reports whether a line of a process may be about it.
func (a *attempt) of(l line) bool {
	return l.process == "" || len(a.processes) == 0 || slices.Contains(a.processes, l.process)
}

func (a *attempt) shaking() bool { return !a.over && !a.session }

// open bounds the attempts and sessions that are followed at once. IB allows 32 clients
// for one gateway; the oldest is let go, and its end is unknown.
const open = 64

// pick finds the attempt that a line is about: the first test that any attempt passes
// decides, and among several it is the oldest. What is said of any of these from here on
// is not certain.
func (j *joiner) pick(l line, tests ...func(*attempt) bool) *attempt {
	for _, test := range tests {
		var found []*attempt
		for _, a := range j.open {
			if a.of(l) && test(a) {
				found = append(found, a)
			}
		}
		if len(found) > 1 {
			j.sum.ByOrder++
			for _, a := range found {
				a.unsure = true
			}
		}
		if len(found) > 0 {
			return found[0]
		}
	}
	return nil
}

// told are the tests for what a layer says of the end of an attempt: it must have told of
// its beginning, but in a log in which the library says nothing.
func (j *joiner) told(by teller) []func(*attempt) bool {
	tests := []func(*attempt) bool{func(a *attempt) bool { return a.shaking() && a.tellers&by != 0 }}
	if by != byLibrary && !j.library {
		tests = append(tests, (*attempt).shaking)
	}
	return tests
}

func (j *joiner) forget(a *attempt) {
	j.open = slices.DeleteFunc(j.open, func(o *attempt) bool { return o == a })
}

// about is the source of what is said of an attempt, marked if it is not what the log
// says but what follows from it.
func (j *joiner) about(a *attempt, inferred bool) string {
	who := ""
	if a.tellers == byWatchdog {
		who = watchdog
	}
	return j.source(who, inferred || a.unsure)
}

// begin takes in that somebody wants to connect. A layer that tells of an attempt which
// another layer has told of already tells of the same one.
func (j *joiner) begin(l line, by teller, client *int64, seconds string) {
	limit := milliseconds(seconds)
	j.library = j.library || by == byLibrary
	if a := j.sameAttempt(l, by, client); a != nil {
		a.tellers |= by
		if a.client == nil {
			a.client = client
		}
		if a.limitMS == 0 {
			a.limitMS = limit
		}
		if by == byLibrary {
			a.begun = l.when
		}
		if l.process != "" {
			a.processes = append(a.processes, l.process)
		}
		return
	}
	// Whoever begins anew with the same client id has nothing left of what was before.
	for _, a := range slices.Clone(j.open) {
		same := a.client == nil && client == nil || a.client != nil && client != nil && *a.client == *client
		switch {
		case a.tellers&by == 0 || !same || !a.of(l):
		case a.shaking():
			j.unknown(a)
		default:
			j.forget(a)
		}
	}
	if len(j.open) == open {
		if oldest := j.open[0]; oldest.shaking() {
			j.unknown(oldest)
		} else {
			j.forget(oldest)
		}
	}
	j.attempts++
	a := &attempt{id: j.name(), tellers: by, client: client, limitMS: limit, begins: true, begun: l.when, stage: events.StageDial}
	if l.process != "" {
		a.processes = []string{l.process}
	}
	j.open = append(j.open, a)
	j.sayOf(a, false, events.AttemptRequested{ClientID: client, TimeoutMS: limit})
}

// sameAttempt is the one that another layer has told of, if l tells of its beginning once
// more: one of the same process before another, for a worker is a process of its own. A
// watchdog is no layer of a program: whatever it starts is anew.
func (j *joiner) sameAttempt(l line, by teller, client *int64) *attempt {
	if by == byWatchdog {
		return nil
	}
	var other *attempt
	for _, a := range j.open {
		same := a.client == nil || client == nil || *a.client == *client
		switch {
		case !a.shaking() || a.stage != events.StageDial || a.tellers&by != 0 || !same:
		case a.of(l):
			return a
		case other == nil:
			other = a
		}
	}
	return other
}

// unknown ends an attempt of whose end the log says nothing.
func (j *joiner) unknown(a *attempt) {
	j.sayOf(a, false, events.AttemptUnknown{Reason: events.UnknownReported})
	j.forget(a)
}

// accepted: TCP is up. With ib_async that is all that "Connected" means.
func (j *joiner) accepted(l line) {
	if a := j.pick(l, func(a *attempt) bool { return a.shaking() && a.stage == events.StageDial && a.tellers&byLibrary != 0 }); a != nil {
		a.stage, a.accepted = events.StageConnected, l.when
	}
}

// versioned: the library has sent its startAPI when it says so.
func (j *joiner) versioned(l line, version string) {
	if a := j.pick(l, func(a *attempt) bool { return a.shaking() && a.stage == events.StageConnected }, (*attempt).shaking); a != nil {
		a.stage, a.version = events.StageStarted, atoi(version)
	}
}

func (j *joiner) ready(l line, by teller) {
	a := j.pick(l, append([]func(*attempt) bool{
		func(a *attempt) bool { return a.shaking() && a.tellers&by != 0 && a.stage == events.StageStarted },
	}, j.told(by)...)...)
	if a == nil {
		return // the library has told it, or the log begins behind its beginning
	}
	done := events.AttemptSucceeded{ClientID: a.client, ServerVersion: a.version}
	if d, ok := l.when.since(a.begun); ok {
		done.ElapsedUS = d.Microseconds()
	}
	j.sayOf(a, false, done)
	j.sayOf(a, false, events.SessionEstablished{ClientID: a.client, ServerVersion: a.version})
	a.session, a.stage = true, events.StageReady
	j.isDown = false
}
