package explore

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"

	"ibrecorder/events"
)

// Outcome is what an exploration came to.
type Outcome string

const (
	// Safe: everything was explored, nothing bad can be reached, ready can be reached
	// from everywhere, and every row of the tables was exercised or has a reason not to be.
	Safe Outcome = "SAFE"
	// Unsafe: something bad can be reached, or a state from which ready cannot.
	Unsafe Outcome = "UNSAFE"
	// Bounded: nothing was found, and not everything was explored or exercised.
	Bounded Outcome = "BOUNDED"
)

// Result is what was explored and found.
type Result struct {
	Outcome Outcome
	Policy  events.PolicyLoaded
	// Casts are what was explored, in their order. Where Found is set they tell nothing:
	// each ended where it could find nothing with a shorter path.
	Casts []Explored
	// Tables are the machines of the fold, and which of their rows were exercised.
	Tables []Table
	// Found is what is wrong, nil if nothing is.
	Found *Counterexample
}

// Explored is what was explored of one cast.
type Explored struct {
	Name, About string
	States      int
	Edges       int // moves made, those in which the recorder dies included
	Depth       int // moves from the beginning to the farthest state
	Whole       bool
}

// Counterexample is a shortest way to something that is wrong.
type Counterexample struct {
	Breach
	Cast  string
	Moves []Told // the first is the start of the recorder
	// Records are the events of it, one unbroken log.
	Records []events.Record
}

// Options bound an exploration.
type Options struct {
	// Most is how many states of one cast are looked at; 0 is DefaultMost.
	Most int
	// Casts are who stands around; nil is Casts().
	Casts []Cast
}

// DefaultMost is above what any cast has under a preset, and keeps the memory of one
// under a gigabyte.
const DefaultMost = 60_000

// Check explores a machine under a policy, with every cast. The same input has the same
// result, on any number of processors. If the context ends, so does the exploration, and
// its result is of no use.
func Check(ctx context.Context, machine Machine, loaded events.PolicyLoaded, o Options) Result {
	if o.Most == 0 {
		o.Most = DefaultMost
	}
	if o.Casts == nil {
		o.Casts = Casts()
	}
	graphs, models := exploreAll(ctx, machine, loaded, o)
	r := Result{Outcome: Safe, Policy: loaded}
	for i, g := range graphs {
		if g.bad == nil {
			continue
		}
		if r.Found == nil || g.length()+1 < len(r.Found.Moves) {
			r.Outcome, r.Found = Unsafe, models[i].breach(g)
		}
	}
	if r.Found != nil {
		return r
	}
	all := newCover()
	for i, g := range graphs {
		c := &o.Casts[i]
		r.Casts = append(r.Casts, Explored{c.Name, c.About, len(g.nodes), len(g.edges), int(g.nodes[len(g.nodes)-1].depth), g.whole})
		all.merge(models[i].cover)
		if at, trapped := g.trap(); g.whole && trapped && (r.Found == nil || int(g.nodes[at].depth)+1 < len(r.Found.Moves)) {
			r.Outcome, r.Found = Unsafe, models[i].trapped(g, at)
		}
		if !g.whole && r.Outcome == Safe {
			r.Outcome = Bounded
		}
	}
	r.Tables = all.tables(loaded)
	for _, t := range r.Tables {
		if len(t.Missing()) > 0 && r.Outcome == Safe {
			r.Outcome = Bounded
		}
	}
	return r
}

// exploreAll explores the casts, all at a time: where there is something bad, one of them
// soon finds out how little further the others have to look. Each graph is one
// goroutine's alone until all are done.
func exploreAll(ctx context.Context, machine Machine, loaded events.PolicyLoaded, o Options) ([]*graph, []*model) {
	graphs, models := make([]*graph, len(o.Casts)), make([]*model, len(o.Casts))
	var best atomic.Int32                                        // the length of the shortest path to something bad, plus one
	defer context.AfterFunc(ctx, func() { shorten(&best, 1) })() // nowhere is a shorter one
	var wait sync.WaitGroup
	for i, c := range o.Casts {
		models[i] = &model{Machine: machine, cast: c, policy: loaded, params: loaded.Params, cover: newCover()}
		wait.Go(func() { graphs[i] = search(models[i], o.Most, &best) })
	}
	wait.Wait()
	return graphs, models
}

// breach is the path to what is bad in g.
func (m *model) breach(g *graph) *Counterexample {
	steps := g.steps(g.badAt)
	if g.badBy.what != none {
		steps = append(steps, g.badBy)
	}
	told, p := m.play(g.root(g.badAt), steps)
	return &Counterexample{*cmp.Or(p.bad, g.bad), m.cast.Name, told, *p.keep}
}

// trapped is the path to a node from which ready cannot be reached.
func (m *model) trapped(g *graph, at int32) *Counterexample {
	told, p := m.play(g.root(at), g.steps(at))
	return &Counterexample{Breach{What: Reachable, Seq: p.s.Seq,
		Text: "from here on no attempt becomes ready, whatever programs, Gateway and operators do"}, m.cast.Name, told, *p.keep}
}

// Reachable is what a trap breaks.
const Reachable = "ready stays reachable"
