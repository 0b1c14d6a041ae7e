package rule

import (
	"fmt"
	"iter"
	"slices"

	"ibrecorder/events"
)

// Judge holds every monitor over one stream. One goroutine uses it at a time.
type Judge struct {
	facts facts // of the event in hand
	seen
}

// seen is what a judge has made of the events so far: all that a snapshot keeps.
type seen struct {
	Past  history
	Count int

	RS1  rs1
	RS2  rs2
	RS3  rs3
	RS4  rs4
	RS5  rs5
	RS7  rs7
	RS8  rs8
	RS9  rs9
	RS10 rs10

	Chain chain
	A3    a3
	A4    a4
	A5    a5
	A6    a6
}

// New returns a judge that has seen nothing.
func New() *Judge { return &Judge{seen: seen{Chain: chain{Disputed: never}}} }

// Step judges the next event and returns the rules that it breaks, nil for an
// ordinary one. What fails of the assumptions stands in the Verdict alone.
//
// An event without Raw, which a caller makes up to ask what would follow from it,
// is judged like any other, except that A2 cannot be.
func (j *Judge) Step(rec events.Record) []Finding {
	f := &j.facts
	f.read(rec, &j.Past)
	f.index = j.Count
	j.Count++

	belongs, l := j.Chain.step(f)
	if !belongs {
		return nil
	}
	if j.Chain.First == 1 && j.Count == 1 {
		j.Past.Stop.Known = true
	}
	j.A6.apart(f)
	j.A3.step(f)
	if gap := j.A6.step(f); gap > l {
		l = gap
	}
	if l != lostNothing {
		j.Past.forget(l)
		j.RS3.forget()
		j.RS7.forget(l)
		j.RS8.forget()
		j.RS10.forget()
	}
	j.A4.step(f)
	j.A5.step(f)
	f.join()

	j.RS1.step(f)
	j.RS2.step(f)
	j.RS3.step(f)
	j.RS4.step(f)
	j.RS5.step(f)
	j.RS7.step(f)
	j.RS8.step(f)
	j.RS9.step(f)
	j.RS10.step(f)
	j.Past.apply(f)
	j.RS10.wait(f)
	return f.found
}

// Fork returns a judge that has seen the same and goes its own way: the loop asks
// a fork what a dial would break before it dials.
func (j *Judge) Fork() *Judge {
	c := new(Judge)
	j.ForkInto(c)
	return c
}

// ForkInto makes c what Fork returns, in the memory of a judge that nobody needs any
// more: whoever forks a million times has no garbage of it.
func (j *Judge) ForkInto(c *Judge) {
	flights, requests := c.Past.Flights[:0], c.Past.Requests[:0]
	*c = *j
	c.facts = facts{}
	c.Past.Flights = append(flights, j.Past.Flights...)
	c.Past.Requests = append(requests, j.Past.Requests...)
	for _, t := range c.tallies() {
		t.Findings = slices.Clip(t.Findings) // both append to their own copy from here
	}
}

// tallies are in the order of the catalogue.
func (j *Judge) tallies() [15]*tally {
	return [...]*tally{
		&j.RS1.tally, &j.RS2.tally, &j.RS3.tally, &j.RS4.tally, &j.RS5.tally, &j.RS7.tally, &j.RS8.tally, &j.RS9.tally, &j.RS10.tally,
		&j.Chain.A1, &j.Chain.A2, &j.A3.tally, &j.A4.tally, &j.A5.tally, &j.A6.tally,
	}
}

// Verdict judges what was seen so far.
func (j *Judge) Verdict() Verdict {
	v := Verdict{
		Outcome: Holds, First: j.Chain.First, Last: j.Chain.Last, Head: j.Chain.Head,
		Events: j.Count, Scope: scope, RuleSet: RuleSet,
	}
	if v.First > 1 {
		v.Anchor = fmt.Sprintf("the stream starts at #%d: what came before is taken as it is and not judged, and what depends on it neither", v.First)
	}
	sound, broken := j.Count > 0, false
	for i, t := range j.tallies() {
		e := &catalogue[i]
		r := t.result(e, j.Chain.Disputed)
		switch e.ID {
		case "RS2":
			r.Pending = j.RS2.pending(&j.Past)
		case "A6":
			late := j.A6.unaccounted(&j.Past)
			r.Findings, r.Total = append(r.Findings, late...), r.Total+len(late)
		}
		if e.Kind == Assumption {
			sound = sound && r.Total == 0
			v.Assumptions = append(v.Assumptions, r)
			continue
		}
		broken = broken || t.Breach != 0 && t.Breach-1 < j.Chain.Disputed
		v.Rules = append(v.Rules, r)
	}
	// A breach whose evidence lies before any break of the chain stands, whatever
	// else is missing: at every gap the monitors forget what it made doubtful.
	switch {
	case broken:
		v.Outcome = Violated
	case !sound:
		v.Outcome = Inconclusive
	}
	return v
}

// Check judges a whole stream. An error of the stream comes back wrapped in
// ErrStream, beside the verdict on what was read before it.
func Check(stream iter.Seq2[events.Record, error]) (Verdict, error) {
	j := New()
	for rec, err := range stream {
		if err != nil {
			return j.Verdict(), fmt.Errorf("judge the stream after #%d: %w: %w", j.Chain.Last, ErrStream, err)
		}
		j.Step(rec)
	}
	return j.Verdict(), nil
}
