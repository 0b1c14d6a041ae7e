package streams

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

// In SYN-03 the gate stops at #14, the listener is read for that at #16, and process
// 4100 is the one that hung.
const (
	stopAt = 14
	readAt = 16
)

// forgery is SYN-03 as somebody would change it who wants the rule broken and a
// verdict that it held: the chain is whole again afterwards.
type forgery struct {
	t  *testing.T
	es []events.Event
}

// upTo begins one that ends behind event n.
func upTo(t *testing.T, n int) *forgery {
	x := &forgery{t: t}
	for _, r := range load(t, "SYN-03-stopped-and-released").Records[:n] {
		x.es = append(x.es, r.Event)
	}
	return x
}

// add appends an event like the last one but for what e sets.
func (x *forgery) add(source string, e events.Event) *forgery {
	like := x.es[len(x.es)-1]
	e.Source, e.Gateway, e.Epoch, e.Time = source, like.Gateway, like.Epoch, like.Time
	if e.Boot == "" {
		e.Boot, e.Mono = like.Boot, like.Mono
	}
	if e.ID == "" {
		e.ID = fmt.Sprintf("forged-%d", len(x.es))
	}
	x.es = append(x.es, e)
	return x
}

func (x *forgery) say(source string, d events.Payload) *forgery {
	return x.add(source, events.Event{Data: d})
}

// of says something about attempt z.
func (x *forgery) of(source string, d events.Payload) *forgery {
	return x.add(source, events.Event{Attempt: "z", Conn: "cz", Data: d})
}

// end renames the end of the silent attempt, #12, and takes the stop out.
func (x *forgery) end(d events.Payload) *forgery {
	x.es[11].Data = d
	x.es = slices.DeleteFunc(x.es, func(e events.Event) bool {
		_, down := e.Data.(events.GatewayDown)
		_, stop := e.Data.(events.RestartRequired)
		return down || stop || e.Cause == x.es[13].ID
	})
	return x.dial(true)
}

// dial is a whole attempt, permitted.
func (x *forgery) dial(enforced bool) *forgery {
	policy := x.es[1].Data.(events.PolicyLoaded).Hash
	return x.add("/tap", events.Event{ID: "z-request", Attempt: "z", Conn: "cz", Data: events.AttemptRequested{}}).
		add("/recorder", events.Event{ID: "z-permit", Attempt: "z", Conn: "cz", Cause: "z-request", Data: events.AttemptPermitted{Policy: policy, Enforced: enforced}}).
		undecided("/tap")
}

// lease is a permit that a runner asks for with q, before anything was decided or while
// the gate is stopped.
func (x *forgery) lease(q events.AttemptRequested) *forgery {
	policy := x.es[1].Data.(events.PolicyLoaded).Hash
	return x.add("/runner/robo", events.Event{ID: "z-request", Attempt: "z", Data: q}).
		add("/recorder", events.Event{ID: "z-permit", Attempt: "z", Cause: "z-request", Data: events.AttemptPermitted{Policy: policy, Enforced: true}})
}

// undecided is what the tap sees of an attempt.
func (x *forgery) undecided(tap string) *forgery {
	return x.add(tap, events.Event{Attempt: "z", Conn: "cz", Cause: "z-permit", Data: events.DialStarted{Address: "127.0.0.1:4002"}}).
		of(tap, events.DialFailed{Reason: events.Refused}).
		of(tap, events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial})
}

// release is a restart.acknowledged, and, when everything has settled, a dial.
func (x *forgery) release(source string, basis events.Basis) *forgery {
	x.say(source, events.RestartAcknowledged{Basis: basis, By: "x"})
	x.es[len(x.es)-1].Epoch++
	settled := len(x.es)
	x.dial(true)
	for i := range x.es[settled:] {
		x.es[settled+i].Mono += 200e9
	}
	return x
}

// shakes is an attempt of client 7, permitted so long after what was said last, as far as
// its version, and what came then.
func (x *forgery) shakes(attempt string, after time.Duration, then ...events.Payload) *forgery {
	policy := x.es[1].Data.(events.PolicyLoaded).Hash
	from := len(x.es)
	say := func(source, id, cause string, d events.Payload) {
		x.add(source, events.Event{ID: id, Attempt: attempt, Conn: "c" + attempt, Cause: cause, Data: d})
		if len(x.es) == from+1 {
			x.es[from].Mono += int64(after)
		}
	}
	say("/tap", attempt+"-request", "", events.AttemptRequested{})
	say("/recorder", attempt+"-permit", attempt+"-request", events.AttemptPermitted{Policy: policy, Enforced: true})
	say("/tap", "", attempt+"-permit", events.DialStarted{Address: "127.0.0.1:4002"})
	for _, d := range append([]events.Payload{events.DialConnected{}, events.HandshakeVersion{ServerVersion: 203}}, then...) {
		say("/tap", "", "", d)
	}
	return x
}

var (
	seven   = int64(7)
	started = events.HandshakeAPIStarted{ClientID: &seven}
	inUse   = events.AttemptFailed{Reason: events.ClientIDInUse, Stage: events.StageStarted, ClientID: &seven, Code: 326}
	turned  = events.AttemptFailed{Reason: events.ClientWaits, Stage: events.StageVersioned, ClientID: &seven}
)

// waits is the wait of a client id.
func (x *forgery) waits(source string, id, ms int64) *forgery {
	return x.say(source, events.RetryScheduled{ClientID: &id, DelayMS: ms, Failures: 1})
}

// wedged is a stop for an acceptor that hangs, as read by a source.
func (x *forgery) wedged(source string, seen events.GatewayObserved) *forgery {
	return x.say(source, seen).say("/recorder", events.GatewayDown{Reason: events.DownWedged}).
		say("/recorder", events.RestartRequired{Reason: events.DownWedged, Enforced: true})
}

// hangs is a reading that shows one connection unaccepted.
func hangs(samples, ms int64) events.GatewayObserved {
	return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, PID: 4100, StartedMS: 1769068800000,
		WedgedPort: 50123, WedgedSamples: samples, WedgedMS: ms, WedgedBytes: 17, WedgedState: events.SocketEstablished}
}

func (x *forgery) verdict() rule.Verdict {
	var prev events.Hash
	var b bytes.Buffer
	for i, e := range x.es {
		e.Seq, e.Prev = uint64(i+1), prev
		raw, err := events.Encode(e)
		if err != nil {
			x.t.Fatalf("event %d: %v", i+1, err)
		}
		prev = events.HashOf(raw)
		b.Write(raw)
		b.WriteByte('\n')
	}
	v, err := rule.Check(events.ReadNDJSON(&b))
	if err != nil {
		x.t.Fatal(err)
	}
	return v
}

// what lists the rules and assumptions that fail.
func what(v rule.Verdict) string {
	var ids []string
	for _, r := range slices.Concat(v.Rules, v.Assumptions) {
		for _, f := range r.Findings {
			if !f.Observed && !slices.Contains(ids, f.Rule) {
				ids = append(ids, f.Rule)
			}
		}
	}
	return strings.Join(ids, " ")
}

// TestNoForgedStreamHolds: whoever writes a log in which the rule is broken, and
// makes its chain whole, must not be able to word it so that the verdict is HOLDS.
func TestNoForgedStreamHolds(t *testing.T) {
	observe := func(p events.PolicyLoaded) events.PolicyLoaded { p.Mode = events.Observe; return p }
	gateway := func(pid, started int64) events.GatewayObserved {
		return events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, PID: pid, StartedMS: started}
	}
	const hung, began = 4100, 1769068800000
	claim := events.RestartClaimed{By: "x", Reason: "restarted"}
	override := events.RestartClaimed{By: "x", Reason: "restarted", Override: true}

	for _, c := range []struct {
		name  string
		forge func(t *testing.T) *forgery
		want  string // what fails
	}{
		{"a permit that says it is not enforced", func(t *testing.T) *forgery { return upTo(t, readAt).dial(false) }, "RS1 RS7"},
		{"a permit that says it is against the gate", func(t *testing.T) *forgery {
			x := upTo(t, 4).dial(true)
			x.es[5].Data = events.AttemptPermitted{Enforced: true, Against: events.HoldSettling}
			return x
		}, "RS7"},
		{"and a dial behind it without any", func(t *testing.T) *forgery {
			return upTo(t, readAt).dial(false).of("/tap", events.DialStarted{Address: "x:1"})
		}, "RS1 RS5 RS7"},
		{"a stop that says it is not enforced, and a success that ends it", func(t *testing.T) *forgery {
			x := upTo(t, readAt)
			x.es[stopAt-1].Data = events.RestartRequired{Reason: events.DownSilent}
			return x.say("/recorder", events.GatewayContradicted{Ends: true}).dial(true)
		}, "RS1 RS7"},

		{"a permit that is called a runner's lease", func(t *testing.T) *forgery {
			return upTo(t, readAt).lease(events.AttemptRequested{LeaseMS: 60_000}).add("/runner/robo", events.Event{Attempt: "z", Data: events.AttemptSucceeded{}})
		}, "RS1"},
		{"a lease that nobody asked for", func(t *testing.T) *forgery {
			return upTo(t, 4).lease(events.AttemptRequested{}).add("/runner/robo", events.Event{Attempt: "z", Data: events.AttemptSucceeded{}})
		}, "RS5"},
		{"a lease with which the tap dials", func(t *testing.T) *forgery {
			return upTo(t, 4).lease(events.AttemptRequested{LeaseMS: 60_000}).undecided("/tap")
		}, "RS5"},
		{"a lease that is said to be over before its time", func(t *testing.T) *forgery {
			return upTo(t, 4).lease(events.AttemptRequested{LeaseMS: 60_000}).
				add("/recorder", events.Event{Attempt: "z", Cause: "z-permit", Data: events.AttemptUnknown{Reason: events.UnknownLease}})
		}, "RS4"},
		{"a lease that another runner ends", func(t *testing.T) *forgery {
			return upTo(t, 4).lease(events.AttemptRequested{LeaseMS: 60_000}).add("/runner/other", events.Event{Attempt: "z", Data: events.AttemptSucceeded{}}).
				add("/tap", events.Event{ID: "y-request", Attempt: "y", Conn: "cy", Data: events.AttemptRequested{}}).
				add("/recorder", events.Event{ID: "y-permit", Attempt: "y", Conn: "cy", Cause: "y-request", Data: events.AttemptPermitted{Enforced: true}})
		}, "RS4"},

		{"the silence is called refused", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.Refused, Stage: events.StageDial})
		}, "RS2 RS4"},
		{"the silence is called a close", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.ClosedBeforeReady, Stage: events.StageVersioned})
		}, "RS2"},
		{"the silence is called a FIN", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.FINBeforeVersion, Stage: events.StageConnected})
		}, "RS2"},
		{"the silence is called a client id in use", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.ClientIDInUse, Stage: events.StageStarted, Code: 326})
		}, "RS2"},
		{"the silence is called a client without startAPI", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.NoStartAPI, Stage: events.StageVersioned})
		}, "RS2"},
		{"the silence is called a bad version without a byte", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.BadVersion, Stage: events.StageConnected})
		}, "RS2"},
		{"the silence is called unknown", func(t *testing.T) *forgery {
			x := upTo(t, readAt).end(events.AttemptUnknown{Reason: events.UnknownUnused})
			x.es[11].Source = "/recorder"
			return x
		}, "RS2"},
		{"the silence is called abandoned", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptAbandoned{Stage: events.StageConnected, Answered: true})
		}, "RS2"},
		{"the silence is called a success", func(t *testing.T) *forgery { return upTo(t, readAt).end(events.AttemptSucceeded{}) }, "RS2"},
		{"the silence is held against a longer budget than the policy's", func(t *testing.T) *forgery {
			x := upTo(t, readAt)
			x.es[10].Data = events.HandshakeTimedOut{Stage: events.StageConnected, WaitedMS: 30000, LimitMS: 45000}
			return x.end(events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: 30000, LimitMS: 45000})
		}, "RS2"},
		{"the silence is held against it, and no event tells that the budget was over", func(t *testing.T) *forgery {
			x := upTo(t, readAt)
			x.es[10].Data = events.DialConnected{}
			return x.end(events.AttemptFailed{Reason: events.AcceptedNoBytes, Stage: events.StageConnected, WaitedMS: 30000, LimitMS: 45000})
		}, "RS2"},

		{"the silence is called a client that waits", func(t *testing.T) *forgery { return upTo(t, readAt).end(turned) }, "RS2"},

		{"a client that is let through before its wait is over", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).waits("/recorder", 7, 1000).shakes("z", 999*time.Millisecond, started)
		}, "RS3"},
		{"a wait that is left out", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).shakes("z", time.Hour, started)
		}, "RS3"},
		{"a wait that is another client's", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).waits("/recorder", 8, 1000).shakes("z", time.Hour, started)
		}, "RS3"},
		{"a wait that is shorter than the policy's", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).waits("/recorder", 7, 1).shakes("z", time.Second, started)
		}, "RS3"},
		{"a wait that does not grow", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).waits("/recorder", 7, 1000).
				shakes("z", time.Second, started, inUse).waits("/recorder", 7, 1000)
		}, "RS3"},
		{"a wait that a runner has scheduled", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).waits("/runner/robo", 7, 1).shakes("z", time.Second, started)
		}, "RS3 A3"},
		{"a client that is said to be turned away when it was let through", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, turned)
		}, "RS4"},

		{"a stop that is told again and again", func(t *testing.T) *forgery {
			told := events.AlertDelivered{Channel: "command", Tries: 1}
			x := upTo(t, readAt)
			for range 2 {
				x.add("/recorder", events.Event{Cause: x.es[stopAt-1].ID, Data: told})
			}
			return x
		}, "RS8"},
		{"a runner that says that somebody was told", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/runner/robo", events.AlertDelivered{Channel: "command", Tries: 1})
		}, "A3"},
		{"a client that is kept waiting, and nothing holds it", func(t *testing.T) *forgery {
			x := upTo(t, 4).of("/tap", events.AttemptRequested{})
			for range 2 {
				x.say("/tap", events.GatewayNotice{Code: 2104, Origin: events.OriginWire, Count: 1})
				x.es[len(x.es)-1].Mono += 61e9
			}
			return x
		}, "RS10"},
		{"a release by a runner", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/runner/robo", claim).release("/runner/robo", events.BasisWord)
		}, "RS1 RS7 A3"},
		{"an override that a runner asked for", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/runner/robo", override).release("/recorder", events.BasisOverride)
		}, "RS7 A3"},
		{"a restart that a runner observed", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/watch", gateway(7, 7)).
				say("/runner/robo", events.RestartObserved{OldPID: hung, OldStartedMS: began, PID: 7, StartedMS: 7}).
				release("/recorder", events.BasisObserved)
		}, "RS7 A3"},
		{"an observed restart of nobody", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/recorder", events.RestartObserved{}).release("/recorder", events.BasisObserved)
		}, "RS7"},
		{"an observed restart of the process that hung to itself", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/recorder", events.RestartObserved{OldPID: 1, OldStartedMS: 5, PID: hung, StartedMS: began}).
				release("/recorder", events.BasisObserved)
		}, "RS7"},
		{"an observed restart to a process that nobody read", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/recorder", events.RestartObserved{OldPID: hung, OldStartedMS: began, PID: 7, StartedMS: 7}).
				release("/recorder", events.BasisObserved)
		}, "RS7"},
		{"an observed restart to a process that has the socket of the one that hung", func(t *testing.T) *forgery {
			handed := gateway(7, 7)
			handed.Socket = "inode-71001" // as read at #16
			return upTo(t, readAt).say("/watch", handed).
				say("/recorder", events.RestartObserved{OldPID: hung, OldStartedMS: began, PID: 7, StartedMS: 7}).
				release("/recorder", events.BasisObserved)
		}, "RS7"},
		{"an observed restart that a set clock explains", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/watch", gateway(hung, began+1)).
				say("/recorder", events.RestartObserved{OldPID: hung, OldStartedMS: began, PID: hung, StartedMS: began + 1}).
				release("/recorder", events.BasisObserved)
		}, "RS7"},
		{"a word, and nobody looked who listens", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/operator/cli", claim).release("/recorder", events.BasisWord)
		}, "RS7"},
		{"a word, and a runner looked", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/operator/cli", claim).say("/runner/robo", gateway(7, 7)).release("/recorder", events.BasisWord)
		}, "RS7 A3"},
		{"a word although nothing listens", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/operator/cli", claim).
				say("/watch", events.GatewayObserved{Listening: events.ListeningNo, Owner: events.OwnerUnknown}).release("/recorder", events.BasisWord)
		}, "RS7"},
		{"a word although the same process listens, whose start a set clock has moved", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/operator/cli", claim).say("/watch", gateway(hung, began+1)).release("/recorder", events.BasisWord)
		}, "RS7"},
		{"a word although the process of before the stop listens, which was not read for it", func(t *testing.T) *forgery {
			return upTo(t, readAt-1).say("/operator/cli", claim).say("/watch", gateway(hung, began)).release("/recorder", events.BasisWord)
		}, "RS7"},
		{"a word that was rejected", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/operator/cli", claim).say("/watch", gateway(7, 7)).
				say("/recorder", events.RestartRejected{Why: events.RejectedNotListening, By: "x"}).release("/recorder", events.BasisWord)
		}, "RS7"},

		{"a stop for an acceptor that hangs, and no reading shows it", func(t *testing.T) *forgery {
			return upTo(t, 4).wedged("/watch", hangs(0, 0))
		}, "RS9"},
		{"and a runner read it", func(t *testing.T) *forgery { return upTo(t, 4).wedged("/runner/robo", hangs(7, 30_000)) }, "RS9 A3"},
		{"and it was seen four times", func(t *testing.T) *forgery { return upTo(t, 4).wedged("/watch", hangs(4, 30_000)) }, "RS9"},
		{"and for less than the budget", func(t *testing.T) *forgery { return upTo(t, 4).wedged("/watch", hangs(7, 29_999)) }, "RS9"},
		{"and it was a forwarder's", func(t *testing.T) *forgery {
			seen := hangs(7, 30_000)
			seen.Owner, seen.Process = events.OwnerOther, "socat"
			return upTo(t, 4).wedged("/watch", seen)
		}, "RS9"},
		{"and a runner reported it so", func(t *testing.T) *forgery {
			return upTo(t, 4).say("/runner/robo", events.GatewayDown{Reason: events.DownWedged}).
				say("/recorder", events.RestartRequired{Reason: events.DownWedged, Enforced: true})
		}, "RS9"},
		{"an acceptor that hangs, and a dial all the same", func(t *testing.T) *forgery {
			return upTo(t, 4).say("/watch", hangs(7, 30_000)).dial(true)
		}, "RS2"},
		{"a dial after it was found down for that, and no stop", func(t *testing.T) *forgery {
			return upTo(t, 4).say("/watch", hangs(7, 30_000)).say("/recorder", events.GatewayDown{Reason: events.DownWedged}).dial(true)
		}, "RS2"},

		{"a dial without a permit, by somebody who is nearly the tap", func(t *testing.T) *forgery { return upTo(t, 4).undecided("/tap/x") }, "A3"},
		{"in other letters", func(t *testing.T) *forgery { return upTo(t, 4).undecided("/Tap") }, "A3"},
		{"with a number", func(t *testing.T) *forgery { return upTo(t, 4).undecided("/tap2") }, "A3"},
		{"a permit by a runner", func(t *testing.T) *forgery {
			x := upTo(t, 4).dial(true)
			x.es[5].Source = "/runner/robo"
			return x
		}, "RS4 RS5 A3"},
		{"a runner that puts another mode in force", func(t *testing.T) *forgery {
			x := upTo(t, readAt)
			return x.say("/runner/robo", observe(x.es[1].Data.(events.PolicyLoaded))).dial(false)
		}, "RS1 RS7 A3"},
		{"a policy whose values are not those of its hash", func(t *testing.T) *forgery {
			x := upTo(t, readAt)
			p := x.es[1].Data.(events.PolicyLoaded)
			p.SilentLimit = 3
			x.es[1].Data = p
			return x.end(x.es[11].Data)
		}, "A5"},
		{"a runner's session while stopped", func(t *testing.T) *forgery { return upTo(t, readAt).of("/runner/robo", events.SessionEstablished{}) }, "RS1"},
		{"a runner's connection while stopped", func(t *testing.T) *forgery { return upTo(t, readAt).of("/runner/robo", events.DialConnected{}) }, "RS1 A3"},
		{"a runner's handshake while stopped", func(t *testing.T) *forgery { return upTo(t, readAt).of("/runner/robo", events.HandshakeReady{}) }, "RS1 A3"},
		{"a session of the tap that nobody dialled", func(t *testing.T) *forgery { return upTo(t, readAt).of("/tap", events.SessionEstablished{}) }, "RS5"},

		{"a dial, and no policy", func(t *testing.T) *forgery {
			x := upTo(t, 1)
			return x.of("/tap", events.DialStarted{Address: "x:1"})
		}, "A5"},
		{"a success, and no policy", func(t *testing.T) *forgery { return upTo(t, 1).of("/tap", events.AttemptSucceeded{}) }, "A5"},
		{"a claim that was written down later, in a recorder's run", func(t *testing.T) *forgery {
			x := upTo(t, stopAt-2)
			return x.add("/operator/x", events.Event{Boot: events.BootImport, Mono: events.NoMono, Data: claim}).dial(true)
		}, "RS2 A6"},
		{"so many requests that a permit seems to have one", func(t *testing.T) *forgery {
			x := upTo(t, 4)
			for i := range 257 {
				x.add("/tap", events.Event{Attempt: fmt.Sprint("f", i), Conn: fmt.Sprint("cf", i), Data: events.AttemptRequested{}})
			}
			return x.of("/recorder", events.AttemptPermitted{Enforced: true})
		}, "A6"},
		{"a success of an attempt that was denied", func(t *testing.T) *forgery {
			return upTo(t, 20).add("/tap", events.Event{Attempt: "a2", Conn: "c2", Data: events.AttemptSucceeded{}})
		}, "RS4"},
		{"a success of an attempt that waits", func(t *testing.T) *forgery {
			return upTo(t, 19).add("/tap", events.Event{Attempt: "a2", Conn: "c2", Data: events.AttemptSucceeded{}})
		}, "RS4"},
		{"a runner's success by the name of an attempt that was silent", func(t *testing.T) *forgery {
			return upTo(t, readAt).add("/runner/robo", events.Event{Attempt: "a1", Data: events.AttemptSucceeded{}})
		}, "RS1"},
		{"a runner's success by the port of such an attempt", func(t *testing.T) *forgery {
			return upTo(t, readAt).of("/runner/robo", events.AttemptRequested{LocalPort: 50001}).of("/runner/robo", events.AttemptSucceeded{})
		}, "RS1"},
		{"a runner's second failure by its port", func(t *testing.T) *forgery {
			failed := events.AttemptFailed{Reason: events.ClosedBeforeReady, Stage: events.StageVersioned}
			x := upTo(t, readAt).of("/runner/robo", events.AttemptRequested{LocalPort: 50001}).of("/runner/robo", failed)
			for _, d := range []events.Payload{events.AttemptRequested{LocalPort: 50001}, failed} {
				x.add("/runner/robo", events.Event{Attempt: "y", Data: d})
			}
			return x
		}, "RS1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := c.forge(t).verdict()
			if got := what(v); got != c.want || v.Outcome == rule.Holds {
				t.Errorf("%s, failing %q; want %q", v.Outcome, got, c.want)
			}
		})
	}
}

// TestAnHonestStreamHolds: what the forgeries above are made of, used as a recorder
// would.
func TestAnHonestStreamHolds(t *testing.T) {
	claim := events.RestartClaimed{By: "x", Reason: "restarted"}
	gateway := events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerGateway, PID: 7, StartedMS: 7}
	for _, c := range []struct {
		name  string
		forge func(t *testing.T) *forgery
	}{
		{"an attempt", func(t *testing.T) *forgery { return upTo(t, 4).dial(true) }},
		{"the stop", func(t *testing.T) *forgery { return upTo(t, readAt) }},
		{"a release on a word", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/operator/cli", claim).
				say("/watch", events.GatewayObserved{Listening: events.ListeningUnknown, Owner: events.OwnerUnknown}).release("/recorder", events.BasisWord)
		}},
		{"an observed restart", func(t *testing.T) *forgery {
			return upTo(t, readAt).say("/watch", gateway).
				say("/recorder", events.RestartObserved{OldPID: 4100, OldStartedMS: 1769068800000, PID: 7, StartedMS: 7}).
				release("/recorder", events.BasisObserved)
		}},
		{"a client that waits, is turned away, and let through when it is over", func(t *testing.T) *forgery {
			return upTo(t, 4).shakes("y", 0, started, inUse).waits("/recorder", 7, 1250).shakes("w", time.Second, turned).
				shakes("z", 250*time.Millisecond, started, inUse).waits("/recorder", 7, 2000)
		}},
		{"a stop for an acceptor that hangs", func(t *testing.T) *forgery { return upTo(t, 4).wedged("/watch", hangs(7, 30_000)) }},
		{"a lease", func(t *testing.T) *forgery {
			return upTo(t, 4).lease(events.AttemptRequested{LeaseMS: 60_000}).add("/runner/robo", events.Event{Attempt: "z", Data: events.AttemptSucceeded{}})
		}},
		{"a silence that bytes explain", func(t *testing.T) *forgery {
			return upTo(t, readAt).end(events.AttemptFailed{Reason: events.BadVersion, Stage: events.StageConnected, GatewayBytes: 3})
		}},
		{"a report of the attempt that the tap saw fail", func(t *testing.T) *forgery {
			return upTo(t, readAt).of("/runner/robo", events.AttemptRequested{LocalPort: 50001}).
				of("/runner/robo", events.AttemptFailed{Reason: events.ReportedTimeout, Stage: events.StageConnected, LimitMS: 15000})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if v := c.forge(t).verdict(); v.Outcome != rule.Holds || what(v) != "" {
				t.Errorf("%s, failing %q", v.Outcome, what(v))
			}
		})
	}
}
