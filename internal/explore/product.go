package explore

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/rule"
)

// Machine is what is explored: the fold and the decision. It is a parameter so that a
// fault can be put into either, to see it found.
type Machine struct {
	Apply  func(fsm.State, events.Event) fsm.State
	Decide func(s fsm.State, now int64) policy.Decision
}

// Real is the machine that the recorder runs.
func Real() Machine { return Machine{fsm.NewFolder().Apply, policy.Decide} }

// model is what all products of one exploration share.
type model struct {
	Machine
	cast   Cast
	policy events.PolicyLoaded
	params events.Params
	cover  *cover
}

// product is a recorder, the judge who watches it, and what stands around them. A move
// is made on a fork of it; nothing that two products share is changed.
type product struct {
	m       *model
	s       fsm.State
	j       *rule.Judge
	now     int64 // nanoseconds since the boot
	wall    int64 // and since the first boot
	boots   int
	names   int // of attempts given out
	gw      listener
	carried bool   // the log before this one was set aside while its gate was stopped
	inOrder bool   // the run has written its last event
	late    string // a lease that expired: its runner may tell of it yet

	// Of the move in hand.
	n     int   // events written
	dies  int   // after so many of them the recorder dies; 0 is never
	cuts  []int // how many there were each time something was due
	ready bool  // a permitted attempt became ready
	bad   *Breach
	keep  *[]events.Record // where the events go in stored bytes, if anybody wants them
	made  *[]string        // where decisions go, if anybody wants them
}

// gateway is the name of the one in every stream that is made here.
const gateway = "model"

// began is when the first run of every stream begins. Nothing depends on it.
var began = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

// begin is the first run on a log. carried says that the one before was set aside while
// its gate was stopped.
func begin(m *model, carried bool) *product {
	p := newProduct(m, carried)
	p.start()
	return p
}

// start is how every path begins.
func (p *product) start() {
	p.boot()
	if p.m.cast.Full {
		p.fill()
	}
}

// fill lets as many attempts fail as the window may have, with a success between each
// two, so that no other wait grows. It gives up where nobody is let through.
func (p *product) fill() {
	for range p.m.params.WindowFailures {
		for _, end := range [...]verb{refused, readies} {
			p.do(move{what: arrives})
			for len(p.s.Sessions) == 0 {
				next := p.next()
				if next == 0 || p.dead() {
					return
				}
				p.pass(next)
			}
			if int64(len(p.s.Failures)) >= p.m.params.WindowFailures {
				return
			}
			p.do(move{what: end})
		}
	}
}

func newProduct(m *model, carried bool) *product {
	return &product{m: m, s: fsm.Initial(), j: rule.New(), gw: m.cast.Gateway, carried: carried}
}

// fork returns a product in the same state with no move in hand.
func (p *product) fork() *product { return p.forkInto(&product{j: new(rule.Judge)}) }

// forkInto is fork in the memory of c, which nobody needs any more.
func (p *product) forkInto(c *product) *product {
	j, cuts := c.j, c.cuts[:0]
	p.j.ForkInto(j)
	*c = *p
	c.j, c.cuts = j, cuts
	c.n, c.dies, c.ready, c.bad = 0, 0, false, nil
	return c
}

// run makes a move on p. If dies is not 0 the recorder dies after so many events of it,
// and another run begins.
func (p *product) run(m move, dies int) {
	p.dies = dies
	p.do(m)
	if dies > 0 && p.bad == nil {
		p.dies = 0
		p.boot()
	}
}

func (p *product) dead() bool { return p.bad != nil || p.dies > 0 && p.n >= p.dies }

// boot begins a run as the recorder does: it says how the last one ended, loads the
// policy, and decides what these make due.
func (p *product) boot() {
	started := events.RecorderStarted{Version: "model", Previous: events.PreviousNone, PreviousBoot: p.s.Boot}
	switch {
	case p.s.Seq > 0:
		if started.Previous = events.PreviousCrashed; p.inOrder {
			started.Previous = events.PreviousStopped
		}
		for _, x := range p.s.InFlight() {
			started.Unfinished = append(started.Unfinished, x.Attempt)
		}
		p.wall += int64(time.Second)
	case p.carried:
		started.Previous, started.OldSeq, started.OldStopped, started.Reason = events.PreviousQuarantined, 1, true, "model"
	}
	p.boots++
	p.inOrder = false
	p.now = 0
	p.write(events.Draft{Source: "/recorder", Data: started})
	p.write(events.Draft{Source: "/recorder", Data: p.m.policy})
	p.rest()
}

// fact takes in what a sensor saw, and what is decided then.
func (p *product) fact(d events.Draft) {
	if p.write(d); !p.dead() {
		p.rest()
	}
}

// pass lets the time come to at, and decides on the way whatever is due by then.
func (p *product) pass(at int64) {
	for !p.dead() {
		wake := p.rest()
		if p.dead() {
			return
		}
		next := at
		if wake != 0 && wake < at {
			next = wake
		}
		p.wall += next - p.now
		if p.now = next; next == at {
			p.rest()
			return
		}
	}
}

// rest makes every decision that is due, and does at once what the recorder does with
// it. It returns when time alone makes another due.
func (p *product) rest() (wake int64) {
	most := p.n + 10 + 2*len(p.s.Waiting) + 2*len(p.s.Sessions)
	for {
		d := p.m.Decide(p.s, p.now)
		if d.Data == nil {
			if d.Wake != 0 && d.Wake <= p.now {
				p.breach("decisions come to rest", fmt.Sprintf("nothing is due, and it is to be asked again at a time that has come, %d ns ago", p.now-d.Wake))
			}
			return d.Wake
		}
		if p.due(); p.dead() {
			return 0
		}
		if p.n >= most {
			p.breach("decisions come to rest", fmt.Sprintf("after %d decisions in a row another is due, %s", p.n, d.Data.Kind()))
			return 0
		}
		id := p.write(events.Draft{Source: "/recorder", Attempt: d.Attempt, Conn: d.Conn, Cause: d.Cause, Data: d.Data})
		if p.made != nil {
			*p.made = append(*p.made, decided(d))
		}
		switch data := d.Data.(type) {
		case events.RestartRequired: // the listener is read for it, unless it is another log's
			if p.due(); !data.Carried && !p.dead() {
				p.write(p.reading(id))
			}
		case events.AttemptDenied: // a program is hung up on
			if p.due(); d.Conn != "" && !p.dead() {
				p.write(p.closed(d.Attempt, events.Recorder))
			}
		case events.AttemptUnknown:
			if data.Reason == events.UnknownLease {
				p.late = d.Attempt
			}
		}
		if p.dead() {
			return 0
		}
	}
}

// due notes that a crash now would leave something undone.
func (p *product) due() {
	if p.dies == 0 && p.n > 0 && p.m.cast.Crashes {
		p.cuts = append(p.cuts, p.n)
	}
}

// write stamps a draft and lets the fold and the judge see it. It returns the event's id.
func (p *product) write(d events.Draft) string {
	if p.dead() {
		return ""
	}
	e := events.Event{
		ID: d.ID, Source: d.Source, Gateway: gateway, Seq: p.s.Seq + 1, Boot: "b" + strconv.Itoa(p.boots), Mono: p.now,
		Conn: d.Conn, Attempt: d.Attempt, Epoch: p.s.Epoch, Cause: d.Cause, Data: d.Data,
	}
	if _, release := d.Data.(events.RestartAcknowledged); release {
		e.Epoch++
	}
	if e.ID == "" {
		e.ID = e.Boot + "-" + gateway + "-" + strconv.FormatUint(e.Seq, 10)
	}
	rec := events.Record{Event: e}
	if p.keep != nil {
		rec = p.stored(rec)
	}
	p.n++
	p.m.cover.see(&p.s, &e)
	odd := p.s.Odd.Count
	if x := p.s.Session(e.Attempt); x != nil && !x.Ended {
		_, ok := d.Data.(events.AttemptSucceeded)
		p.ready = p.ready || ok
	}
	before := p.s
	p.s = p.m.Apply(p.s, e)
	p.m.cover.moved(&before, &p.s, &e)
	for _, f := range p.j.Step(rec) {
		if !f.Bypassed && !f.Observed {
			p.breach(f.Rule, f.Text)
		}
	}
	if p.s.Odd.Count != odd {
		p.breach("no anomaly", "the fold calls it impossible: "+p.s.Odd.Text)
	}
	return e.ID
}

// stored gives an event its time and its place in the chain, and keeps it.
func (p *product) stored(rec events.Record) events.Record {
	rec.Time = began.Add(time.Duration(p.wall))
	if n := len(*p.keep); n > 0 {
		rec.Prev = (*p.keep)[n-1].Hash()
	}
	made, err := events.NewRecord(rec.Event)
	if err != nil {
		panic(fmt.Sprintf("explore: a move writes what no log can hold: %v", err))
	}
	*p.keep = append(*p.keep, made)
	return made
}

// breach notes what is wrong, once for each move: what follows from it is none of ours.
func (p *product) breach(what, text string) {
	if p.bad == nil {
		p.bad = &Breach{What: what, Text: text, Seq: p.s.Seq}
	}
}

// decided says what a decision is, with the attempt it names.
func decided(d policy.Decision) string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", d.Data.Kind(), d.Attempt))
}
