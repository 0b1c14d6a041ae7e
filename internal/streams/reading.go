package streams

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
)

// Reading is what the fold and the judge make of a stream.
type Reading struct {
	State   fsm.State
	Verdict rule.Verdict
	// Due is the event that made a stop due in an imported history although attempts
	// went on, 0 if there is none; Avoided is how many of those a stop would have
	// prevented for certain: they began before anything that may hide a release.
	Due     uint64
	Avoided int
}

// Read folds and judges a whole stream.
func Read(recs []events.Record) (Reading, error) {
	var r Reading
	var err error
	if r.Verdict, err = rule.Check(Each(recs)); err != nil {
		return r, err
	}
	if r.State, err = fsm.NewFolder().Fold(fsm.Initial(), Each(recs)); err != nil {
		return r, err
	}
	for _, f := range r.findings() {
		if f.Rule == "RS2" && f.Bypassed {
			r.Due = f.Because[len(f.Because)-1] // the trail ends with what made it due
			break
		}
	}
	r.Avoided = avoided(recs, r.Due)
	return r, nil
}

// avoided counts the attempts that began after the event seq, and ended, before a
// restart of the Gateway or a gap.
func avoided(recs []events.Record, seq uint64) (n int) {
	if seq == 0 {
		return 0
	}
	began := map[string]bool{}
	for _, rec := range recs[seq:] {
		switch rec.Data.(type) {
		case events.AttemptRequested:
			began[rec.Attempt] = true
		case events.AttemptSucceeded, events.AttemptFailed, events.AttemptAbandoned, events.AttemptUnknown:
			if began[rec.Attempt] {
				n++
			}
		case events.RecorderGap, events.RestartClaimed, events.RestartObserved:
			return n
		}
	}
	return n
}

// Each yields recs as a stream without an error.
func Each(recs []events.Record) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// findings are those of all rules in the order of the stream.
func (r Reading) findings() []rule.Finding {
	var all []rule.Finding
	for _, result := range r.Verdict.Rules {
		all = append(all, result.Findings...)
	}
	slices.SortStableFunc(all, func(a, b rule.Finding) int { return cmp.Compare(a.Index, b.Index) })
	return all
}

// Text is the reading as expect.txt has it: "key: value" lines.
func (r Reading) Text() string {
	var b strings.Builder
	line := func(key, format string, args ...any) { fmt.Fprintf(&b, key+": "+format+"\n", args...) }
	v, s := r.Verdict, r.State
	line("verdict", "%s", v.Outcome)
	for _, f := range r.findings() {
		line("finding", "%s", finding(f))
	}
	for _, result := range v.Rules {
		for _, f := range result.Pending {
			line("pending", "%s", finding(f))
		}
	}
	for _, result := range v.Assumptions {
		for _, f := range result.Findings {
			line("assumption failed", "%s", finding(f))
		}
	}
	if r.Due > 0 {
		line("stop due and never decided", "#%d", r.Due)
		line("attempts that a stop would have avoided", "%d", r.Avoided)
	}
	line("gate", "%s", s.Gate)
	line("gateway", "%s", s.API)
	line("epoch", "%d", s.Epoch)
	t := s.Totals
	line("attempts", "%d requested, %d permitted, %d denied, %d dialled", t.Requested, t.Permitted, t.Denied, t.Dialled)
	line("ends", "%d succeeded, %d failed, %d abandoned, %d unknown", t.Succeeded, t.Failed, t.Abandoned, t.Unknown)
	line("stops and releases", "%d, %d", t.Stops, t.Releases)
	line("gaps", "%d", t.Gaps)
	line("in a row", "%d silent, %d dial timeouts, %d closed", s.Row.Silent.N, s.Row.DialTimeouts.N, s.Row.Closed.N)
	line("anomalies", "%d", s.Odd.Count)
	line("events", "%d", v.Events)
	line("head", "%s", v.Head)
	line("state", "%s", s.Hash())
	return b.String()
}

func finding(f rule.Finding) string {
	out := fmt.Sprintf("%s at #%d", f.Rule, f.Seq)
	for _, mark := range []struct {
		set  bool
		name string
	}{{f.Bypassed, "bypassed"}, {f.Observed, "observed"}, {f.Disputed, "disputed"}} {
		if mark.set {
			out += ", " + mark.name
		}
	}
	for i, seq := range f.Because {
		if i == 0 {
			out += ", because of"
		}
		out += fmt.Sprintf(" #%d", seq)
	}
	return out + ": " + f.Text
}
