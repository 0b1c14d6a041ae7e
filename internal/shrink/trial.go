package shrink

import (
	"fmt"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

// trial judges parts of a stream. A part is a list of indexes into all, in order, and
// its last event is always the one that breaks the rule.
type trial struct {
	all     []events.Event
	origins []uint64 // the sequence that each of all had
	first   uint64   // sequence of the first of any part
	anchor  events.Hash
	epoch   uint64          // before the first of any part
	index   map[string]int  // of an event in all, by its ID
	conns   []string        // the connection that each of all belongs to, or its cause does; "" for none
	listed  map[string]bool // attempts that some recorder.started calls unfinished

	breach  rule.Finding    // rule and whether somebody went around the recorder
	because []int           // what it rests on
	broken  map[string]bool // rules that the whole breaks before its last event
	also    map[string]bool // and at it
	failing map[string]bool // assumptions that do not hold of the whole
	bound   int
	watch   func(evaluations, events int)
	met     bool // the bound was
	least   int  // events of the smallest part that is still the breach

	evaluations int
}

func newTrial(recs []events.Record, o Options) *trial {
	t := &trial{first: recs[0].Seq, anchor: recs[0].Prev, index: make(map[string]int, len(recs)), listed: map[string]bool{}, bound: o.Evaluations, watch: o.Watch}
	t.epoch = recs[0].Epoch
	if _, release := recs[0].Data.(events.RestartAcknowledged); release {
		t.epoch--
	}
	for i, rec := range recs {
		t.all = append(t.all, rec.Event)
		t.origins = append(t.origins, rec.Seq)
		t.index[rec.ID] = i
		t.conns = append(t.conns, t.connection(rec.Event))
		if d, ok := rec.Data.(events.RecorderStarted); ok {
			for _, a := range d.Unfinished {
				t.listed[a] = true
			}
		}
	}
	return t
}

// connection names the connection that an event is about, or that its cause is.
func (t *trial) connection(e events.Event) string {
	switch {
	case e.Conn != "":
		return "conn " + e.Conn
	case e.Attempt != "":
		return "attempt " + e.Attempt
	}
	if i, ours := t.index[e.Cause]; ours && i < len(t.conns) {
		return t.conns[i]
	}
	return ""
}

func (t *trial) everything() []int {
	kept := make([]int, len(t.all))
	for i := range kept {
		kept[i] = i
	}
	return kept
}

// learn judges the whole, and takes from it what a part must keep. Of a whole that does
// not begin where the stream does nothing is known but the breach: no part of it may have
// more.
func (t *trial) learn(kept []int, target Target) error {
	found, verdict := t.judge(kept)
	t.broken, t.also, t.failing = map[string]bool{}, map[string]bool{}, map[string]bool{}
	cut := t.origins[0] != target.Verdict.First
	for _, r := range target.Verdict.Rules {
		for _, f := range r.Findings {
			t.also[f.Rule] = t.also[f.Rule] || !f.Observed && f.Seq == target.Finding.Seq
		}
	}
	t.breach = target.Finding
	for _, f := range found { // what an audit says of its last event may depend on what follows
		t.also[rs6] = t.also[rs6] || f.Rule == rs6 && !f.Observed
		if f.Rule == rs6 && t.breach.Rule == rs6 {
			t.breach = f
		}
	}
	for _, seq := range target.Finding.Because {
		t.because = append(t.because, slices.Index(t.origins, seq))
	}
	if !cut {
		for _, r := range verdict.Rules {
			for _, f := range r.Findings {
				t.broken[f.Rule] = t.broken[f.Rule] || !f.Observed && f.Index != len(kept)-1
			}
		}
		for _, a := range verdict.Assumptions {
			t.failing[a.ID] = a.Total > 0
		}
	}
	t.least = len(kept)
	switch {
	case slices.Contains(t.because, -1):
		return fmt.Errorf("%w: not from #%d on", ErrMore, t.origins[0])
	case cut || t.is(kept, found, verdict): // of one that was cut a part may be better than the whole
		return nil
	}
	return fmt.Errorf("%w: %s is not broken at #%d", ErrOther, target.Finding.Rule, target.Finding.Seq)
}

// positions are the indexes in all of sequences in a part.
func (t *trial) positions(kept []int, seqs []uint64) []int {
	var out []int
	for _, seq := range seqs {
		if seq >= t.first && seq-t.first < uint64(len(kept)) {
			out = append(out, kept[seq-t.first])
		}
	}
	return out
}

// same reports whether a part is still the breach, and nothing worse.
func (t *trial) same(kept []int) bool {
	if t.bound > 0 && t.evaluations >= t.bound {
		t.met = true
		return false
	}
	found, verdict := t.judge(kept)
	ok := t.is(kept, found, verdict)
	if ok {
		t.least = len(kept)
	}
	if t.watch != nil {
		t.watch(t.evaluations, t.least)
	}
	return ok
}

func (t *trial) is(kept []int, found []rule.Finding, verdict rule.Verdict) bool {
	same := false
	for _, f := range found {
		switch {
		case f.Observed:
		case !t.also[f.Rule]:
			return false
		case f.Rule == t.breach.Rule && f.Bypassed == t.breach.Bypassed && class(f) == class(t.breach) && slices.Equal(t.positions(kept, f.Because), t.because):
			same = true
		}
	}
	for _, r := range verdict.Rules {
		for _, f := range r.Findings {
			if !f.Observed && f.Index != len(kept)-1 && !t.broken[f.Rule] {
				return false
			}
		}
	}
	for _, a := range verdict.Assumptions {
		if a.Total > 0 && !t.failing[a.ID] {
			return false
		}
	}
	return same
}

// class tells the breaches of RS6 apart: a decision that is missing, one too many, another
// one.
func class(f rule.Finding) string {
	if f.Rule != rs6 {
		return ""
	}
	class, _, _ := strings.Cut(f.Text, ":")
	return class
}

// judge returns what the last event of a part breaks, and the verdict. The links are
// left out, which costs half of the time: a part is chained by construction, and what
// comes out in the end is judged with them.
func (t *trial) judge(kept []int) ([]rule.Finding, rule.Verdict) {
	t.evaluations++
	j := newJudges()
	t.stamp(kept, func(e events.Event) { j.step(events.Record{Event: e}) })
	v, last := j.verdict()
	v.Assumptions = slices.DeleteFunc(v.Assumptions, func(r rule.Result) bool { return r.ID == "A2" })
	return last, v
}

// result writes what is left, and judges it as it will be read.
func (t *trial) result(kept []int, steps []Step) (Result, error) {
	recs, err := t.write(kept)
	if err != nil {
		return Result{}, fmt.Errorf("write what is left: %w", err)
	}
	j := newJudges()
	for _, rec := range recs {
		j.step(rec)
	}
	verdict, found := j.verdict()
	r := Result{Records: recs, Evaluations: t.evaluations, Minimal: !t.met, Steps: steps}
	if !t.is(kept, found, verdict) {
		return r, fmt.Errorf("%w: what is left, %d events, is not judged as it was without its links", ErrOther, len(recs))
	}
	for _, f := range found {
		if f.Rule == t.breach.Rule && f.Bypassed == t.breach.Bypassed {
			r.Finding = f
		}
	}
	for _, i := range kept {
		r.Origins = append(r.Origins, t.origins[i])
	}
	return r, nil
}

// rebase returns a trial of nothing but a part, whose events may be changed. What the
// breach must keep, and what was spent, go with it.
func (t *trial) rebase(kept []int) *trial {
	recs := make([]events.Record, 0, len(kept))
	t.stamp(kept, func(e events.Event) { recs = append(recs, events.Record{Event: e}) })
	recs[0].Prev = t.anchor
	n := newTrial(recs, Options{Evaluations: t.bound, Watch: t.watch})
	for at, i := range kept {
		n.origins[at] = t.origins[i]
	}
	for _, i := range t.because {
		n.because = append(n.because, slices.Index(kept, i))
	}
	n.breach, n.broken, n.also, n.failing = t.breach, t.broken, t.also, t.failing
	n.evaluations, n.met, n.least = t.evaluations, t.met, len(kept)
	return n
}
