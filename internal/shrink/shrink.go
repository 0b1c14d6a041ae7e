package shrink

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/rule"
)

// ErrNoBreach: no rule is broken in the stream, or not the one that was named.
var ErrNoBreach = errors.New("no breach to shrink")

// others says what else is broken, or what the verdict is if there is one on the whole stream.
func others(v rule.Verdict, broken error) string {
	var ids []string
	for _, r := range v.Rules {
		if slices.ContainsFunc(r.Findings, breach) {
			ids = append(ids, r.ID)
		}
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	switch {
	case ids != nil:
		return ", and broken is " + strings.Join(ids, ", ")
	case broken != nil:
		return ""
	}
	return ", the verdict is " + string(v.Outcome)
}

// breach reports whether a finding is one that a stream is shrunk to.
func breach(f rule.Finding) bool { return !f.Observed && !f.Disputed }

// ErrBroken: the stream is not whole, and there was no breach before it ends.
var ErrBroken = errors.New("the stream is not whole")

// Target is the breach that a stream is shrunk to.
type Target struct {
	Finding rule.Finding
	Verdict rule.Verdict // on the whole stream
	// From is the sequence at which the run of the recorder starts that has the earliest
	// reason of the breach: what came before is seldom needed.
	From uint64
}

// Find judges a stream and returns the first breach of a rule, or of any if id is "".
// The error is that of the stream, with ErrNoBreach and ErrBroken if there was no breach
// before it, or ErrNoBreach alone. Of several rules that one event breaks it takes the first of the catalogue.
func Find(stream iter.Seq2[events.Record, error], id string) (Target, error) {
	var starts []uint64 // of runs
	verdict, broken := check(func(yield func(events.Record, error) bool) {
		for rec, err := range stream {
			if _, start := rec.Data.(events.RecorderStarted); start && err == nil {
				starts = append(starts, rec.Seq)
			}
			if !yield(rec, err) {
				return
			}
		}
	})
	t := Target{Verdict: verdict}
	found := false
	for _, r := range verdict.Rules {
		for _, f := range r.Findings {
			if breach(f) && (id == "" || f.Rule == id) && (!found || f.Index < t.Finding.Index) {
				t.Finding, found = f, true
			}
		}
	}
	if !found {
		what := "no rule is broken"
		if id != "" {
			what = id + " is not broken"
		}
		none := fmt.Errorf("%w: %s in %d events%s", ErrNoBreach, what, verdict.Events, others(verdict, broken))
		if broken != nil {
			none = fmt.Errorf("%w; %w: %w", none, ErrBroken, broken)
		}
		return t, none
	}
	t.From = verdict.First
	earliest := slices.Min(append([]uint64{t.Finding.Seq}, t.Finding.Because...))
	if i, exact := slices.BinarySearch(starts, earliest); exact {
		t.From = starts[i]
	} else if i > 0 {
		t.From = starts[i-1]
	}
	return t, broken
}

// Options bound a shrink.
type Options struct {
	// Evaluations is how many streams may be judged on the way; 0 is as many as it takes.
	Evaluations int
	// Watch, if there is one, is told after each of them how many there were, and how
	// many events are left by then.
	Watch func(evaluations, events int)
}

// Result is what is left of a stream.
type Result struct {
	Records []events.Record
	// Origins are the sequences that the events had.
	Origins []uint64
	// Finding is the breach in what is left, with its numbers there.
	Finding     rule.Finding
	Evaluations int
	// Minimal says that no single event can be taken out. False only if the bound of
	// evaluations was met.
	Minimal bool
	Steps   []Step
}

// Step is what one way of shrinking came to.
type Step struct {
	Name        string
	Events      int // that are left after it
	Evaluations int // that it took
}

// What keeps events from being shrunk.
var (
	// ErrOther: they are not those that the target was found in.
	ErrOther = errors.New("another stream than the one that was judged")
	// ErrMore: the events before them are needed, for without these it is another breach.
	ErrMore = errors.New("the breach needs what came before")
)

// Shrink takes the events of a stream to the one that breaks the rule, from the first or
// from Target.From. From there it may fail with ErrMore, and costs the memory of one run.
func Shrink(recs []events.Record, target Target, o Options) (Result, error) {
	at := slices.IndexFunc(recs, func(r events.Record) bool { return r.Seq == target.Finding.Seq })
	if at < 0 {
		return Result{}, fmt.Errorf("%w: %d events, and none of them is #%d", ErrOther, len(recs), target.Finding.Seq)
	}
	t := newTrial(recs[:at+1], o)
	kept := t.everything()
	cut := recs[0].Seq != target.Verdict.First
	if cut {
		if target.Verdict.First != 1 {
			return Result{}, fmt.Errorf("%w: the stream starts at #%d", ErrMore, target.Verdict.First)
		}
		t.first, t.epoch = 1, 0
	}
	if err := t.learn(kept, target); err != nil {
		return Result{}, err
	}
	var steps []Step
	spent := 0
	step := func(name string, do func([]int) []int) {
		kept = do(kept)
		steps = append(steps, Step{Name: name, Events: len(kept), Evaluations: t.evaluations - spent})
		spent = t.evaluations
	}
	step("cut", func(k []int) []int { return k })
	if core := t.mend(t.core(kept)); t.same(core) {
		step("the runs and connections of the breach", func([]int) []int { return core })
	} else if cut && !t.same(kept) {
		return Result{}, fmt.Errorf("%w: not from #%d on", ErrMore, recs[0].Seq)
	}
	step("other runs", func(k []int) []int { return t.dropUnits(k, run) })
	step("other connections", func(k []int) []int { return t.dropUnits(k, connection) })
	step("between equal states", t.cutLoops)
	step("pieces", t.dropPieces)
	step("single events", t.dropFew)
	for changed := true; changed; {
		t = t.rebase(kept)
		kept = t.everything()
		step("times and texts", func(k []int) []int { t.simplify(); return k })
		step("single events", t.dropFew)
		changed = len(kept) < len(t.all)
	}
	return t.result(kept, steps)
}
