package whatif

import (
	"fmt"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/audit"
	"ibrecorder/internal/policy"
)

// Policy is one that is asked about, by the name that the user gave it.
type Policy struct {
	Name   string
	Flag   string // how it was named: --preset or --policy
	Loaded events.PolicyLoaded
}

// Difference is a place where two policies decide differently about one state.
type Difference struct {
	Seq uint64 // of the event before which the decision is due
	// A is what the recorded policy decides, B what the other does; nil is nothing.
	// For an imported history A is always nil: nobody was there to decide.
	A, B events.Payload
	// Attempt is what B's decision is about, or A's if B has none; "" if none.
	Attempt string
	// Until is when B's own decision is due, in nanoseconds of the run, if the two
	// differ in nothing but the time.
	UntilA, UntilB int64
}

// Comparison asks at each recorded state what another policy would decide there. One
// goroutine uses it at a time.
type Comparison struct {
	Policy Policy
	// Compared is how many recorded decisions were recomputed, and Unlike how many of
	// those the recorded policy does not decide here: then the log is of another version,
	// or the rule was broken, and nothing after the first of them is SOUND.
	Compared, Unlike int
	UnlikeAt         uint64 // the first of them
	// First are the first differences, of Total.
	First []Difference
	Total int
	// Imported says that nobody decided: the history was written down later.
	Imported bool

	fold *fsm.Folder
	a, b fsm.State
	last string // the difference that was told last, while it lasts
}

// mostDifferences bounds what a Comparison keeps; a storm has thousands alike.
const mostDifferences = 100

// NewComparison compares with p.
func NewComparison(p Policy) *Comparison {
	c := &Comparison{Policy: p, fold: fsm.NewFolder(), a: fsm.Initial(), b: fsm.Initial()}
	c.b.Policy = p.Loaded
	return c
}

// Step takes in the next recorded event.
func (c *Comparison) Step(e events.Event) {
	c.Imported = e.Boot == events.BootImport
	_, starts := e.Data.(events.RecorderStarted)
	if c.a.Seq > 0 && !starts && e.Boot == c.a.Boot {
		c.ask(e.Seq, max(e.Mono, c.a.Mono))
	}
	if audit.Decides(&e) && !c.Imported {
		c.Compared++
		if !audit.Makes(c.a, c.a.Mono, &e) {
			if c.Unlike == 0 {
				c.UnlikeAt = e.Seq
			}
			c.Unlike++
		}
	}
	c.a = c.fold.Apply(c.a, e)
	c.b = c.fold.Apply(c.b, under(e, c.Policy.Loaded))
}

// End asks about the state that the stream ends with.
func (c *Comparison) End() {
	if c.a.Seq > 0 {
		c.ask(c.a.Seq+1, c.a.Mono)
	}
}

// ask compares what both decide before the event seq, at its time.
func (c *Comparison) ask(seq uint64, now int64) {
	a, b := policy.Decision{}, policy.Decide(c.b, now)
	if !c.Imported {
		a = policy.Decide(c.a, now)
	}
	d := Difference{Seq: seq, A: a.Data, B: b.Data, Attempt: b.Attempt}
	if b.Data == nil {
		d.Attempt = a.Attempt
	}
	switch {
	case !alike(a.Data, b.Data) || a.Data != nil && a.Attempt != b.Attempt:
	case a.Data == nil && a.Wake != b.Wake && !c.Imported:
		d.UntilA, d.UntilB = a.Wake, b.Wake
	default:
		c.last = ""
		return
	}
	told := fmt.Sprintf("%T %T %s %s %s %d %d", a.Data, b.Data, d.Attempt, a.Cause, b.Cause, d.UntilA, d.UntilB)
	if told == c.last {
		return
	}
	c.last = told
	c.Total++
	if len(c.First) < mostDifferences {
		c.First = append(c.First, d)
	}
}

// under is a recorded event as it would read if p were in force.
func under(e events.Event, p events.PolicyLoaded) events.Event {
	if _, loads := e.Data.(events.PolicyLoaded); loads {
		e.Data = p
	}
	return e
}

// alike reports whether two decisions say the same to whoever acts on them: who decided
// by which limit, and what was drawn at random, makes no difference.
func alike(a, b events.Payload) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case events.AttemptPermitted:
		y, ok := b.(events.AttemptPermitted)
		x.Policy, y.Policy = "", ""
		return ok && x == y
	case events.AttemptDenied:
		y, ok := b.(events.AttemptDenied)
		return ok && x.Reason == y.Reason
	case events.ClientHeld:
		y, ok := b.(events.ClientHeld)
		return ok && x.Reason == y.Reason
	case events.GatewayDown:
		y, ok := b.(events.GatewayDown)
		return ok && x.Reason == y.Reason
	case events.RestartRequired:
		y, ok := b.(events.RestartRequired)
		x.Policy, y.Policy = "", ""
		return ok && x == y
	case events.RetryScheduled:
		y, ok := b.(events.RetryScheduled)
		return ok && sameClient(x.ClientID, y.ClientID) && x.DelayMS-x.JitterMS == y.DelayMS-y.JitterMS
	case events.DisconnectPermitted:
		_, ok := b.(events.DisconnectPermitted)
		return ok
	}
	return a == b
}

func sameClient(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
