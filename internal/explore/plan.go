package explore

import (
	"fmt"
	"reflect"
	"sync"

	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
)

// op writes into a key what of a value tells two states apart.
type op func(*key, reflect.Value)

// treat makes the op of a field from its type; nil says that nothing of it does.
type treat func(reflect.Type) op

// plan says for every field of the fold's state and of the judge what of it tells two
// states apart. A field that is not named here is a panic when the plan is made: a new
// one must not go unnoticed into what counts as the same state. The judge's fields are
// read by reflection, because they are nobody's contract and its JSON form is thirty
// times as slow.
//
// It is made when the first exploration begins, so that a field which nobody thought of
// ends that and no other verb.
var plan map[string]treat

func newPlan() map[string]treat {
	return map[string]treat{
		// The fold.
		"State.Gateway": skip, "State.Seq": skip, "State.Boot": skip, "State.Mono": skip, "State.Epoch": skip, // names and places; who is of this boot and epoch says so
		"State.Policy":  skip, // one policy in one exploration
		"State.InOrder": skip, // how an attempt of the last run is said to be unknown decides nothing
		"State.Gate":    value,
		"State.API": with(func(k *key, v reflect.Value) {
			if k.p.m.cast.API {
				plain(k, v)
			}
		}),
		"State.Sessions": into, "State.Waiting": into,
		"State.Row":      inForce, // a release begins it anew, and while stopped nobody looks
		"State.Delay":    left,
		"State.Clients":  into,
		"State.Failures": failures,
		"State.Over":     known, "State.Ours": known,
		"State.Ports":    skip, // no program here comes from a port that a report names
		"State.Trial":    into,
		"State.Stop":     into,
		"State.Claim":    into,
		"State.Pending":  into,
		"State.Observed": process,
		"State.ShutOut":  skip, "State.Closed": skip, // our own port: it decides nothing
		"State.Room":    skip,                    // whoever makes room decides, and no cast has a log that fills
		"State.Refused": skip,                    // told to people
		"State.Totals":  skip, "State.Odd": skip, // Odd is looked at after each event

		"Request.Attempt": living, "Request.Conn": present, "Request.ID": skip, "Request.Held": value,
		"Request.LeaseMS": present, "Request.By": value,

		"Session.Attempt": living, "Session.Conn": present, "Session.Permit": skip,
		"Session.Boot":  with(func(k *key, v reflect.Value) { k.flag(v.String() == k.p.s.Boot) }),
		"Session.Epoch": with(func(k *key, v reflect.Value) { k.flag(v.Uint() == k.p.s.Epoch) }),
		"Session.Phase": value, "Session.Stage": value, "Session.ClientID": into, "Session.Server": skip,
		"Session.Slot": value, "Session.Trial": value, "Session.Ended": value, "Session.Since": skip,
		"Session.Unwatched": skip, "Session.Lease": left, "Session.By": value,

		"Run.Silent": with(func(k *key, v reflect.Value) {
			if !k.p.s.Trial.On { // there the last attempt decides
				k.tally(v, k.p.m.params.SilentLimit)
			}
		}),
		"Run.DialTimeouts": with(func(k *key, v reflect.Value) { k.tally(v, k.p.m.params.DialTimeoutLimit) }),
		"Run.Closed":       with(func(k *key, v reflect.Value) { k.tally(v, k.p.m.params.ClosedLimit) }),
		"Run.Failed":       skip,

		"Client.ID": value, "Client.Failed": few, "Client.Delay": left, "Client.Pending": present,

		"Trial.On": value, "Trial.Used": value, "Trial.Released": settle, "Trial.Tried": value, "Trial.LastEnd": spacing,
		"Trial.LastBad": with(func(k *key, v reflect.Value) { // of the last attempt alone
			k.flag(v.Bool() && k.p.s.Trial.Used >= k.p.m.params.ProbationAttempts)
		}), "Trial.Evidence": skip,

		"Standing.ID": present, "Standing.Seq": skip, "Standing.Carried": value, "Standing.Observed": process, "Standing.Before": process,
		"Standing.Restart": present,

		"Claim.ID": present, "Claim.By": skip, "Claim.Reason": skip, "Claim.Override": value, "Claim.Seen": value, "Claim.Observed": process,

		"Pending.Down": present, "Pending.DownReason": value, "Pending.Wedged": present, "Pending.WedgedSamples": skip,
		"Pending.Carried": present, "Pending.Failure": present, "Pending.Success": present, "Pending.SuccessOwn": value, "Pending.Disconnect": into,
		"Disconnect.ID": present, "Disconnect.ClientID": into, "Disconnect.Force": value, "Disconnect.By": value,

		// The judge: what it found ends the exploration, and what it counted for its
		// report changes nothing that it will find.
		"Judge.facts": skip, "Judge.seen": into, "seen.Count": skip, "seen.Past": into,
		"seen.RS1": skip, "seen.RS2": skip, "seen.RS3": into, "seen.RS4": skip, "seen.RS5": skip, "seen.RS7": into, "seen.RS9": skip,
		"seen.RS8":   skip,                                                                     // nobody is told here, so nothing is late
		"seen.RS10":  skip,                                                                     // whoever waits is decided at the moment that ends the wait
		"seen.Chain": skip, "seen.A3": skip, "seen.A4": skip, "seen.A5": skip, "seen.A6": skip, // the streams made here are whole

		"history.Policy": skip, "history.PolicyAt": present, "history.Mode": value, "history.Run": skip, "history.RunAt": skip,
		"history.RunIndex": skip, "history.Timeless": value, "history.Stop": into, "history.ReleasedAt": present, "history.Carries": value,
		"history.Evidence": inForce, "history.Due": into, "history.LastEnd": into, "history.Flights": into, "history.Requests": requests,
		"history.Ended": rings, "history.Told": rings,
		"history.Clients":    skip, // no client.opened here, so it is empty
		"history.OldFlights": value, "history.OldRequests": value, "history.OldDials": value, "history.Crowded": value, "history.Queued": value,
		"history.Missed": skip,

		"stop.Known": value, "stop.Stands": value, "stop.Enforced": value, "stop.Seq": present, "stop.At": with(func(k *key, v reflect.Value) { k.recent(v, k.stop != 0 && k.p.m.cast.Reports) }), "stop.Reloaded": whileStopped,

		"lastEnd.ID": skip, "lastEnd.Gateway": skip, // the delay that names it follows at once
		"lastEnd.ByTap": skip, "lastEnd.ByTapAt": with(func(k *key, v reflect.Value) { k.recent(v, k.p.m.cast.Reports) }),

		"flight.Attempt": name, "flight.Permit": skip, "flight.Conn": present,
		"flight.Seq": with(func(k *key, v reflect.Value) { k.flag(v.Uint() < k.released); k.flag(v.Uint() < k.loaded) }),
		"flight.Run": ofRun, "flight.Dial": present, "flight.Up": present, "flight.Started": present, "flight.Client": value, "flight.Named": value,
		"flight.Ready": value, "flight.End": present, "flight.Enforced": value, "flight.Against": value, "flight.Mute": value, "flight.Excused": value,
		"flight.Told": value, "flight.Seen": value, "flight.Listed": value, "flight.Lease": into,

		"request.Attempt": name, "request.ID": skip, "request.Conn": present,
		"request.Seq": with(func(k *key, v reflect.Value) { k.flag(v.Uint() > k.stop); k.flag(v.Uint() > k.due) }),
		"request.Run": ofRun, "request.Port": value, "request.Settled": value, "request.Outside": value, "request.Lease": into,

		"lease.By": value, "lease.MS": skip, "lease.From": skip,

		"evidence.Silent": with(func(k *key, v reflect.Value) {
			if !k.probation {
				k.count(v, k.p.m.params.SilentLimit)
			}
		}),
		"evidence.Timeouts":  with(func(k *key, v reflect.Value) { k.count(v, k.p.m.params.DialTimeoutLimit) }),
		"evidence.Closed":    with(func(k *key, v reflect.Value) { k.count(v, k.p.m.params.ClosedLimit) }),
		"evidence.Used":      with(func(k *key, v reflect.Value) { k.count(v, k.p.m.params.ProbationAttempts) }),
		"evidence.Probation": value, "evidence.Doubted": value, "evidence.Mute": value, "evidence.Reported": value, "evidence.Unsure": value,
		"evidence.Trail": skip, "evidence.Trails": skip, // for what a finding says

		"due.Seq": present, "due.At": with(func(k *key, v reflect.Value) { k.recent(v, k.due != 0) }), "due.Because": skip, "due.Own": value, "due.Wedged": value, "due.Told": value, "due.Seen": value, "due.Late": value,
		"ended.Attempt": name, "ended.Lost": value, "ended.Unknown": value,

		"rs3.tally": skip, "rs3.Backoff": wait, "rs3.Settle": wait, "rs3.Spacing": wait, "rs3.Trial": wait, "rs3.Clients": alones,
		"rs3.Attempt": name, "rs3.Sight": with(func(k *key, v reflect.Value) {
			if k.stopped && k.sighted { // until the release
				k.until(fsm.After(v.Field(1).Int(), k.p.m.params.SettleMS))
			}
		}), "rs3.Sighted": whileStopped, "rs3.Blind": value, "rs3.Last": skip,
		"alone.ID": value, "alone.Failed": few, "alone.Seq": skip, "alone.Owed": value, "alone.Wait": wait,

		"rs7.tally": skip, "rs7.Owed": present, "rs7.Epoch": with(func(k *key, v reflect.Value) { k.flag(v.Uint() == k.p.s.Epoch) }), "rs7.Known": value,
		"rs7.Last": process, "rs7.grounds": into,
		"grounds.Sure": value, "grounds.Stop": present, "grounds.Earlier": process, "grounds.Before": process, "grounds.Claim": into, "grounds.Observed": present,
		"claim.Seq": present, "claim.Override": value, "claim.Read": value,
	}
}

// tellers write what tells two states of the fold, and two judges, apart.
var tellers = sync.OnceValue(func() (t struct{ state, judge op }) {
	plan = newPlan()
	locate(reflect.TypeFor[rule.Judge]())
	t.state, t.judge = compile(reflect.TypeFor[fsm.State]()), compile(reflect.TypeFor[rule.Judge]())
	return t
})

// compile makes one function of a type and of all that is in it.
func compile(t reflect.Type) op {
	var made op
	switch t.Kind() {
	case reflect.Struct:
		made = compileStruct(t)
	case reflect.Pointer:
		of := compile(t.Elem())
		made = func(k *key, v reflect.Value) {
			if k.flag(!v.IsNil()); !v.IsNil() {
				of(k, v.Elem())
			}
		}
	case reflect.Slice, reflect.Array:
		of := compile(t.Elem())
		made = func(k *key, v reflect.Value) {
			k.number(int64(v.Len()))
			for i := range v.Len() {
				of(k, v.Index(i))
			}
		}
	default:
		made = plain
	}
	return made
}

func compileStruct(t reflect.Type) op {
	type part struct {
		i  int
		do op
	}
	var parts []part
	for i := range t.NumField() {
		f := t.Field(i)
		make, ok := plan[t.Name()+"."+f.Name]
		if !ok {
			panic(fmt.Sprintf("explore: nothing says what of %s.%s tells two states apart", t, f.Name))
		}
		if do := make(f.Type); do != nil {
			parts = append(parts, part{i, do})
		}
	}
	return func(k *key, v reflect.Value) {
		for _, p := range parts {
			p.do(k, v.Field(p.i))
		}
	}
}
