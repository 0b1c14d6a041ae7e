package rule

import (
	"fmt"
	"iter"
	"slices"

	"ibrecorder/events"
)

// Judge holds every monitor over one stream. One goroutine uses it at a time.
type Judge struct {
	facts facts
	past  history
	count int

	rs1 rs1
	rs2 rs2
	rs3 rs3
	rs4 rs4
	rs5 rs5
	rs7 rs7
	rs8 rs8
	rs9 rs9

	rs10 rs10

	chain chain
	a3    a3
	a4    a4
	a5    a5
	a6    a6
}

// New returns a judge that has seen nothing.
func New() *Judge { return &Judge{chain: chain{Disputed: never}} }

// Step judges the next event and returns the rules that it breaks, nil for an
// ordinary one. What fails of the assumptions stands in the Verdict alone.
//
// An event without Raw, which a caller makes up to ask what would follow from it,
// is judged like any other, except that A2 cannot be.
func (j *Judge) Step(rec events.Record) []Finding {
	f := &j.facts
	f.read(rec, &j.past)
	f.index = j.count
	j.count++

	belongs, l := j.chain.step(f)
	if !belongs {
		return nil
	}
	if j.chain.First == 1 && j.count == 1 {
		j.past.Stop.Known = true
	}
	j.a6.apart(f)
	j.a3.step(f)
	if gap := j.a6.step(f); gap > l {
		l = gap
	}
	if l != lostNothing {
		j.past.forget(l)
		j.rs3.forget()
		j.rs7.forget(l)
		j.rs8.forget()
		j.rs10.forget()
	}
	j.a4.step(f)
	j.a5.step(f)
	f.join()

	j.rs1.step(f)
	j.rs2.step(f)
	j.rs3.step(f)
	j.rs4.step(f)
	j.rs5.step(f)
	j.rs7.step(f)
	j.rs8.step(f)
	j.rs9.step(f)
	j.rs10.step(f)
	j.past.apply(f)
	j.rs10.wait(f)
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
	flights, requests := c.past.Flights[:0], c.past.Requests[:0]
	*c = *j
	c.facts = facts{}
	c.past.Flights = append(flights, j.past.Flights...)
	c.past.Requests = append(requests, j.past.Requests...)
	for _, t := range c.tallies() {
		t.Findings = slices.Clip(t.Findings) // both append to their own copy from here
	}
}

// tallies are in the order of the catalogue.
func (j *Judge) tallies() [15]*tally {
	return [...]*tally{
		&j.rs1.tally, &j.rs2.tally, &j.rs3.tally, &j.rs4.tally, &j.rs5.tally, &j.rs7.tally, &j.rs8.tally, &j.rs9.tally, &j.rs10.tally,
		&j.chain.A1, &j.chain.A2, &j.a3.tally, &j.a4.tally, &j.a5.tally, &j.a6.tally,
	}
}

// Verdict judges what was seen so far.
func (j *Judge) Verdict() Verdict {
	v := Verdict{
		Outcome: Holds, First: j.chain.First, Last: j.chain.Last, Head: j.chain.Head,
		Events: j.count, Scope: scope, RuleSet: RuleSet,
	}
	if v.First > 1 {
		v.Anchor = fmt.Sprintf("the stream starts at #%d: what came before is taken as it is and not judged, and what depends on it neither", v.First)
	}
	sound, broken := j.count > 0, false
	for i, t := range j.tallies() {
		e := &catalogue[i]
		r := t.result(e, j.chain.Disputed)
		switch e.ID {
		case "RS2":
			r.Pending = j.rs2.pending(&j.past)
		case "A6":
			late := j.a6.unaccounted(&j.past)
			r.Findings, r.Total = append(r.Findings, late...), r.Total+len(late)
		}
		if e.Kind == Assumption {
			sound = sound && r.Total == 0
			v.Assumptions = append(v.Assumptions, r)
			continue
		}
		broken = broken || t.Breach != 0 && t.Breach-1 < j.chain.Disputed
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
			return j.Verdict(), fmt.Errorf("judge the stream after #%d: %w: %w", j.chain.Last, ErrStream, err)
		}
		j.Step(rec)
	}
	return j.Verdict(), nil
}
