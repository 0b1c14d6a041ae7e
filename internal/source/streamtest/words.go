package streamtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"ibrecorder/events"
)

// policy is the default one: a single silent attempt stops.
var policy = events.Params{
	SilentLimit: 1, DialTimeoutLimit: 3, DialTimeoutMS: 5_000, VersionBudgetMS: 30_000, StartAPIBudgetMS: 2_000, ReadyBudgetMS: 30_000,
	MinReportedBudgetMS: 10_000, SettleMS: 30_000, ProbationAttempts: 2, ProbationSpacingMS: 60_000, BackoffBaseMS: 1_000,
	BackoffCapMS: 60_000, JitterPercent: 25, WindowMS: 600_000, WindowFailures: 20,
}

// Hash is what the events call the policy with these values.
func Hash(p events.Params) string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return events.HashOf(b).String()
}

// Start begins a run of the recorder: the first, or one after a crash.
func (s *Stream) Start() *Stream { return s.start(policy) }

// StartLenient begins a run whose policy stops after three silent attempts, and waits
// two seconds after the first.
func (s *Stream) StartLenient() *Stream {
	p := policy
	p.SilentLimit, p.VersionBudgetMS, p.ReadyBudgetMS, p.BackoffBaseMS = 3, 15_000, 15_000, 2_000
	return s.start(p)
}

func (s *Stream) start(p events.Params) *Stream {
	d := events.RecorderStarted{Version: "0.1.0", Previous: events.PreviousNone}
	if s.boot > 0 {
		d.Previous, d.PreviousBoot = events.PreviousCrashed, "b"+strconv.Itoa(s.boot)
	}
	s.hash = Hash(p)
	return s.Add("/recorder", "", d).
		Add("/recorder", "", events.PolicyLoaded{Preset: "handoff", Hash: s.hash, Mode: events.Enforce, Params: p})
}

// Dial is a client that asks, is permitted, and is dialled for.
func (s *Stream) Dial(attempt string) *Stream { return s.dial(attempt, 0) }

func (s *Stream) dial(attempt string, probation int64) *Stream {
	return s.Ask(attempt).
		Add("/recorder", attempt, events.AttemptPermitted{Policy: s.hash, Enforced: true, Probation: probation}).
		Add("/tap", attempt, events.DialStarted{Address: "127.0.0.1:4001"})
}

// Ask is a client whose hello is complete.
func (s *Stream) Ask(attempt string) *Stream {
	return s.Add("/tap", attempt, events.ClientOpened{Peer: "127.0.0.1:51822"}).
		After(time.Millisecond).
		Add("/tap", attempt, events.ClientHello{MinVersion: 100, MaxVersion: 225}).
		Add("/tap", attempt, events.AttemptRequested{})
}

// Ready is an attempt that works.
func (s *Stream) Ready(attempt string, client int64) *Stream {
	return s.Dial(attempt).ready(attempt, client)
}

// Probe is the nth attempt after a release, and it works.
func (s *Stream) Probe(attempt string, client, n int64) *Stream {
	return s.dial(attempt, n).ready(attempt, client)
}

func (s *Stream) ready(attempt string, client int64) *Stream {
	return s.After(300*time.Microsecond).
		Add("/tap", attempt, events.DialConnected{LocalPort: 50001, ElapsedUS: 300}).
		After(39*time.Millisecond).
		Add("/tap", attempt, events.HandshakeVersion{ServerVersion: 187, ElapsedUS: 39_000}).
		Add("/tap", attempt, events.HandshakeAPIStarted{ClientID: &client}).
		After(22*time.Millisecond).
		Add("/tap", attempt, events.HandshakeReady{Accounts: 1, ElapsedUS: 22_000}).
		Add("/tap", attempt, events.AttemptSucceeded{ClientID: &client, ServerVersion: 187, ElapsedUS: 61_300}).
		Add("/tap", attempt, events.SessionEstablished{ClientID: &client, ServerVersion: 187})
}

// Silent is an attempt that gets no byte for the whole budget.
func (s *Stream) Silent(attempt string, budget time.Duration) *Stream {
	ms := budget.Milliseconds()
	return s.Dial(attempt).After(300*time.Microsecond).
		Add("/tap", attempt, events.DialConnected{LocalPort: 50002, ElapsedUS: 300}).
		After(budget).
		Add("/tap", attempt, events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: ms, LimitMS: ms})
}

// Refused is an attempt that finds nobody listening.
func (s *Stream) Refused(attempt string) *Stream {
	return s.Dial(attempt).
		Add("/tap", attempt, events.DialFailed{Reason: events.Refused, ElapsedUS: 200}).
		Add("/tap", attempt, events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial, ElapsedUS: 200})
}

// Retry is the delay after the last failure.
func (s *Stream) Retry(delay time.Duration, failures int64) *Stream {
	return s.Add("/recorder", "", events.RetryScheduled{DelayMS: delay.Milliseconds(), Failures: failures})
}

// Stop is the decision that a restart is required, and its alert.
func (s *Stream) Stop(count int64) *Stream {
	return s.Add("/recorder", "", events.GatewayDown{Reason: events.DownSilent, Count: count, Limit: count, Evidence: s.failed[len(s.failed)-int(count):]}).
		Add("/recorder", "", events.RestartRequired{Policy: s.hash, Reason: events.DownSilent, Enforced: true}).
		After(367*time.Millisecond).
		Add("/recorder", "", events.AlertDelivered{Channel: "command", ElapsedMS: 366, Tries: 1})
}

// Deny is a client that is refused.
func (s *Stream) Deny(attempt string) *Stream {
	return s.Add("/tap", attempt, events.AttemptRequested{}).
		Add("/recorder", attempt, events.AttemptDenied{Policy: s.hash, Reason: events.HoldStopped, Count: 1})
}

// Resume is an operator's word, and the release that it becomes.
func (s *Stream) Resume(by string) *Stream {
	return s.Add("/operator/cli", "", events.RestartClaimed{By: by, Reason: "restarted, 2FA ok"}).
		Add("/watch", "", events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerUnknown}).
		Add("/recorder", "", events.RestartAcknowledged{Basis: events.BasisWord, By: by, Reason: "restarted, 2FA ok"})
}

// Gone is the end of a session that its client closed.
func (s *Stream) Gone(attempt string) *Stream {
	return s.Add("/tap", attempt, events.SessionClosed{By: events.Client, How: events.FIN}).
		Add("/tap", attempt, events.ClientClosed{By: events.Client, How: events.FIN, ClientBytes: 900, GatewayBytes: 4_000})
}

// Night is the incident of most tests: a session is lost, three silent attempts,
// a stop of two hours in which a client keeps knocking, a release, a success.
func Night(gateway string) *Stream {
	s := New(gateway).StartLenient().After(time.Minute).Ready("a1", 7).After(2*time.Second).
		Add("/tap", "a1", events.SessionLost{Reason: events.LostFIN})
	for i, wait := range []time.Duration{2, 4, 8} {
		a := fmt.Sprintf("a%d", i+2)
		s.After(2*time.Second).Silent(a, 15*time.Second)
		if i < 2 {
			s.Retry(wait*time.Second, int64(i+1)).After(wait * time.Second)
		}
	}
	s.Stop(3)
	for i := range 118 {
		s.After(time.Minute).Deny(fmt.Sprintf("x%d", i+1))
	}
	return s.After(5*time.Minute).Resume("kim").After(40*time.Second).Probe("a5", 7, 1)
}

// Forgotten is a recorder that forgets its stop at a restart, and dials.
func Forgotten(gateway string) *Stream {
	return New(gateway).Start().After(time.Second).Silent("a1", 30*time.Second).Stop(1).
		After(26*time.Minute).Start().After(time.Second).Ready("a2", 7)
}

// Busy is a long quiet history of about n events: clients come and go, some find
// nobody listening, IB's own outages come and go.
func Busy(gateway string, n int) *Stream {
	s := New(gateway).Start()
	for i := 0; s.Len() < n; i++ {
		a, f := fmt.Sprintf("a%d", i), fmt.Sprintf("x%d", i) // f and digits would look like an account id
		s.After(10*time.Second).Ready(a, int64(i%32))
		for range 4 {
			s.After(time.Minute).
				Add("/tap", "", events.GatewayNotice{Code: 2103, Origin: events.OriginWire, Count: 1}).
				Add("/tap", a, events.SessionDegraded{Code: 1100}).After(time.Second).
				Add("/tap", a, events.SessionRestored{Code: 1102})
		}
		s.After(time.Hour).Gone(a).After(10*time.Second).Refused(f).Retry(time.Second, 1)
	}
	return s
}
