package shrink

import (
	"slices"

	"ibrecorder/events"
	"ibrecorder/fsm"
)

// without is kept but for the half-open range from..to.
func without(kept []int, from, to int) []int {
	return append(slices.Clone(kept[:from]), kept[to:]...)
}

// connection and run name what event i is a part of, "" if of nothing that could go as a whole.
func connection(t *trial, i int) string { return t.conns[i] }
func run(t *trial, i int) string        { return t.all[i].Boot }

// named are the units that the breach and what it rests on are a part of.
func (t *trial) named(kept []int, unit func(t *trial, i int) string) map[string]bool {
	out := map[string]bool{"": true, unit(t, kept[len(kept)-1]): true}
	for _, i := range t.because {
		out[unit(t, i)] = true
	}
	return out
}

// core is the runs and the connections of the breach, and what belongs to none.
func (t *trial) core(kept []int) []int {
	runs, conns := t.named(kept, run), t.named(kept, connection)
	return slices.DeleteFunc(slices.Clone(kept), func(i int) bool { return !runs[run(t, i)] || !conns[connection(t, i)] })
}

// rounds is how many events are taken out to mend a part.
const rounds = 64

// mend takes out the events at which a part breaks rules that the whole keeps, one after
// the other: decisions whose reasons are gone, such as a release without its stop.
func (t *trial) mend(kept []int) []int {
	for range rounds {
		if t.bound > 0 && t.evaluations >= t.bound {
			t.met = true
			return kept
		}
		_, verdict := t.judge(kept)
		odd := len(kept) // the first of them
		for _, r := range verdict.Rules {
			for _, f := range r.Findings {
				if !f.Observed && !t.broken[f.Rule] && f.Index < len(kept)-1 {
					odd = min(odd, f.Index)
				}
			}
		}
		if odd == len(kept) {
			return kept
		}
		kept = without(kept, odd, odd+1)
	}
	return kept
}

// dropUnits takes out units that the breach can do without: all that it does not name
// at once, or else ever fewer of them.
func (t *trial) dropUnits(kept []int, unit func(t *trial, i int) string) []int {
	named := t.named(kept, unit)
	var names []string
	seen := map[string]bool{}
	for _, i := range kept {
		if u := unit(t, i); !named[u] && !seen[u] {
			seen[u] = true
			names = append(names, u)
		}
	}
	for size := len(names); size > 0; size /= 2 {
		for to := len(names); to > 0 && !t.met; to -= size { // the last first: they rest on the ones before
			from := max(0, to-size)
			out := map[string]bool{}
			for _, u := range names[from:to] {
				out[u] = true
			}
			part := slices.DeleteFunc(slices.Clone(kept), func(i int) bool { return out[unit(t, i)] })
			if t.same(part) {
				kept = part
				names = slices.Delete(names, from, to)
			}
		}
	}
	return kept
}

// dropPieces takes out pieces, half of the whole first, a single event last.
func (t *trial) dropPieces(kept []int) []int {
	for size := len(kept) / 2; size > 0; size /= 2 {
		kept = t.dropEach(kept, size)
	}
	return kept
}

// dropEach tries to do without each piece of a size, the last first: an event rests on
// the ones before it.
func (t *trial) dropEach(kept []int, size int) []int {
	for to := len(kept) - 1; to > 0 && !t.met; to -= size {
		from := max(0, to-size)
		if part := without(kept, from, to); t.same(part) {
			kept = part
		}
	}
	return kept
}

// few is the longest piece that is tried at every place: what can only go together is
// short, such as a start of the recorder, its policy and the end of an attempt that it left.
const few = 8

// dropFew tries every short piece at every place, and connections, until nothing goes any
// more: then no single event can go either.
func (t *trial) dropFew(kept []int) []int {
	for before := -1; before != len(kept); {
		before = len(kept)
		kept = t.dropUnits(kept, connection)
		kept = t.dropUnits(kept, run)
		for size := few; size > 0; size-- {
			for to := len(kept) - 1; to >= size && !t.met; to-- {
				if part := without(kept, to-size, to); t.same(part) {
					kept = part
					to -= size - 1
				}
			}
		}
	}
	return kept
}

// place is what of a state tells whether the history between two of them was a detour.
type place struct {
	gate                     fsm.Gate
	api                      fsm.API
	waiting, sessions        int
	busy, trial              bool
	silent, timeouts, closed int64
	failed, used             int64
}

func placeOf(s fsm.State) place {
	return place{
		gate: s.Gate, api: s.API, waiting: len(s.Waiting), sessions: len(s.Sessions), busy: s.Busy(), trial: s.Trial.On,
		silent: s.Row.Silent.N, timeouts: s.Row.DialTimeouts.N, closed: s.Row.Closed.N, failed: s.Row.Failed, used: s.Trial.Used,
	}
}

// detours is how many returns to one place are tried, the last first: where one of them
// cannot be cut, the next is likely to fail for the same reason.
const detours = 4

// cutLoops takes out what lies between two equal places, the longest detour first.
func (t *trial) cutLoops(kept []int) []int {
	tried := map[place]bool{}
	places := t.places(kept)
	for i := 0; i < len(kept)-1 && !t.met; i++ {
		if tried[places[i]] {
			continue
		}
		tried[places[i]] = true
		left := detours
		for to := len(kept) - 2; to > i && left > 0; to-- {
			if places[to] != places[i] || !t.meets(kept[i], kept[to+1]) {
				continue
			}
			left--
			if part := without(kept, i+1, to+1); t.same(part) {
				kept, places = part, t.places(part)
				break
			}
		}
	}
	return kept
}

// meets reports whether an event may stand right behind another one, as far as runs go.
func (t *trial) meets(before, behind int) bool {
	_, starts := t.all[behind].Data.(events.RecorderStarted)
	return starts || t.all[before].Boot == t.all[behind].Boot
}

// places are those after each event of a part.
func (t *trial) places(kept []int) []place {
	folder, s := fsm.NewFolder(), fsm.Initial()
	out := make([]place, 0, len(kept))
	t.stamp(kept, func(e events.Event) {
		s = folder.Apply(s, e)
		out = append(out, placeOf(s))
	})
	return out
}
