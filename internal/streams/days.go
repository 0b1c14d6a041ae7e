package streams

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

// Days is a long recorded stream: a Gateway, the programs that use it and a recorder
// between them, day after day, as the recorder would have written it down.
type Days struct {
	// Events is how many events there are. From 1.
	Events int
	// Seed decides what happens: the same seed gives the same bytes.
	Seed uint64
	// Break names a rule that is broken once, in the middle of the stream or as soon
	// after it as there is an occasion; "" is none. One of Breakable.
	Break string
}

// Breakable are the rules that Days can break, in the order of the catalogue.
func Breakable() []string { return []string{"RS1", "RS2", "RS3", "RS4", "RS5", "RS7", "RS9"} }

// ErrDays is wrapped by what is wrong with the wishes of a caller.
var ErrDays = errors.New("no such days")

// errEnough ends the days once there are as many events as were wanted.
var errEnough = errors.New("enough events")

// Write hands the records over one after the other, and keeps none. Its own judge
// reads along: a breach that was not asked for is an error, and the one that was
// stands in the stream with its rule.violated, as the recorder writes it.
func (o Days) Write(out func(events.Record) error) error {
	switch {
	case o.Events < 1:
		return fmt.Errorf("%w: %d events, want 1 at least", ErrDays, o.Events)
	case o.Break != "" && !slices.Contains(Breakable(), o.Break):
		return fmt.Errorf("%w: %s cannot be broken here, want one of %v", ErrDays, o.Break, Breakable())
	}
	pol, err := policy.Load("handoff", policy.Handoff(), events.Enforce)
	if err != nil {
		return err
	}
	d := days{
		loop: newLoop("gw1"), Days: o, policy: pol, out: out, judge: rule.New(), rng: rand.New(rand.NewPCG(o.Seed, 0)),
		wall: time.Date(2026, 1, 5, 4, 50, 0, 0, time.UTC), // 23:50 in New York
	}
	for i := range d.programs {
		d.programs[i] = program{id: int64(i + 1), tap: "/tap"}
	}
	d.run()
	switch {
	case !errors.Is(d.err, errEnough):
		return d.err
	case o.Break != "" && !d.broken:
		return fmt.Errorf("%w: %d events have no occasion to break %s, want more of them", ErrDays, o.Events, o.Break)
	}
	return nil
}

// days are what happens while it happens. After the first error nothing does any more.
type days struct {
	loop
	Days
	policy events.PolicyLoaded
	out    func(events.Record) error
	judge  *rule.Judge
	rng    *rand.Rand
	err    error

	wall     time.Time // at which the next run starts
	runs     int
	attempts int
	programs [6]program
	process  events.GatewayObserved // as the watch reads it
	last     string                 // ID of the last event
	stopped  string                 // ID of the last restart.required
	broken   bool
}

// program is a trading program. It has a session while it has an attempt.
type program struct {
	id            int64
	tap           string
	attempt, conn string
	since         int64 // it became ready
}

// run is one day after the other.
func (d *days) run() {
	d.comesUp()
	d.listens()
	d.connectAll()
	for d.err == nil {
		gap := d.between(time.Minute, 12*time.Minute)
		if night := d.untilNight(); night < gap {
			d.after(night)
			d.night()
			continue
		}
		d.after(gap)
		d.happens()
	}
}

// happens is what a day brings, the frequent first.
func (d *days) happens() {
	if d.due("RS9") {
		d.put("/recorder", nil, events.RestartRequired{Policy: d.policy.Hash, Reason: events.DownSilent, Enforced: true})
		d.stopStands(d.any())
		return
	}
	switch n := d.rng.IntN(100); {
	case n < 50:
		d.comesBack(d.any())
	case n < 65:
		d.farms()
	case n < 75:
		d.outage()
	case n < 85:
		d.say("/tap", nil, events.ClientRejected{Reason: events.HelloClosed, Count: 1 + d.rng.Int64N(5), Peer: "127.0.0.1:40999"})
	case n < 90:
		d.leavesEarly(d.any())
	case n < 94:
		d.say("/operator/cli", nil, events.OperatorNoted{By: "kim", Text: "looked at the dashboard, all well"})
	case n < 96:
		d.ends(true)
		d.connectAll()
	case n < 98:
		d.crashes(d.any())
		d.connectAll()
	default:
		d.hangs(d.any())
	}
}

// put writes one fact and decides nothing.
func (d *days) put(source string, p *program, data events.Payload) {
	d.because("", source, p, data)
}

func (d *days) because(cause, source string, p *program, data events.Payload) {
	if d.err != nil {
		return
	}
	draft := events.Draft{Source: source, Cause: cause, Data: data}
	if p != nil {
		draft.Attempt, draft.Conn = p.attempt, p.conn
	}
	rec, err := d.append(draft, d.clock(), d.now)
	if err != nil {
		d.err = err
		return
	}
	d.take(rec)
}

// say writes one fact and the decisions that are due after it.
func (d *days) say(source string, p *program, data events.Payload) {
	d.put(source, p, data)
	d.rest()
}

func (d *days) rest() (wake int64) {
	if d.err == nil {
		var err error
		if wake, err = d.decide(d.take); d.err == nil {
			d.err = err
		}
	}
	return wake
}

// after lets time pass.
func (d *days) after(span time.Duration) {
	if d.err == nil {
		if err := d.pass(d.now+int64(span), d.take); d.err == nil {
			d.err = err
		}
	}
}

// take hands an event over, and acts on it as the recorder does: a breach is written
// down behind it, and the listener is read for a stop.
func (d *days) take(rec events.Record) {
	if d.err != nil {
		return
	}
	if d.err = d.out(rec); d.err != nil {
		return
	}
	d.last = rec.ID
	found := d.judge.Step(rec)
	if int(rec.Seq) == d.Events {
		d.err = errEnough
	}
	about := program{attempt: rec.Attempt, conn: rec.Conn}
	for _, f := range found {
		if !d.broken || f.Rule != d.Break && !(forgets(f.Rule) && forgets(d.Break)) {
			d.err = fmt.Errorf("a breach that nobody asked for, of seed %d: %s at #%d: %s", d.Seed, f.Rule, f.Seq, f.Text)
			return
		}
		d.because(rec.ID, "/recorder", &about, events.RuleViolated{Rule: f.Rule, Bypassed: f.Bypassed, Text: f.Text})
	}
	if _, stop := rec.Data.(events.RestartRequired); stop {
		d.stopped = rec.ID
		d.because(rec.ID, "/watch", nil, d.process)
	}
}

// forgets reports whether a rule is broken by a recorder that starts and has forgotten
// its stop: that breaks both of them.
func forgets(id string) bool { return id == "RS1" || id == "RS7" }

// between draws a span.
func (d *days) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.rng.Int64N(int64(most-least))).Truncate(time.Millisecond)
}

func (d *days) any() *program { return &d.programs[d.rng.IntN(len(d.programs))] }

// untilNight is how long it is until the Gateway restarts by itself, at 23:45 in New York in winter.
func (d *days) untilNight() time.Duration {
	now := d.clock()
	at := time.Date(now.Year(), now.Month(), now.Day(), 4, 45, 0, 0, time.UTC)
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at.Sub(now)
}

// due reports whether a rule is to be broken now that there is an occasion. What is
// found from here on is what was asked for.
func (d *days) due(rules ...string) bool {
	if d.broken || d.err != nil || !slices.Contains(rules, d.Break) || int(d.seq) < d.Events/2 {
		return false
	}
	d.broken = true
	return true
}
