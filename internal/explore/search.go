package explore

import (
	"slices"
	"sync/atomic"

	"ibrecorder/internal/rule"
)

// Breach is what is wrong in the last event of a path.
type Breach struct {
	// What is the id of the judge's rule, or says what does not hold.
	What string
	// Text is one sentence.
	Text string
	// Seq is the event.
	Seq uint64
}

// step is a move and whether the recorder dies in it, after so many events; 0 is never.
type step struct {
	move
	dies int
}

// node is one state of the product.
type node struct {
	from    int32 // -1 for a root
	depth   int32
	by      step
	carried bool // of a root: see begin
}

type edge struct{ from, to int32 }

// graph is everything that can be reached.
type graph struct {
	nodes []node
	edges []edge
	ready []bool // by node: a move from it makes a permitted attempt ready
	whole bool   // nothing was left out
	bad   *Breach
	badAt int32 // the node that the breach is a move from
	badBy step

	key   key
	found map[string]int32
	queue []*product // by node; nil once its moves were made
	free  []*product // nobody needs these any more: most moves lead to what is known
}

// search explores m breadth first, so that the first breach has a shortest path. It
// stops there, after so many states, or where another search has found one that nothing
// here can be shorter than: best is the length of that path, plus one; 0 is none.
func search(m *model, most int, best *atomic.Int32) *graph {
	g := &graph{whole: true, found: map[string]int32{}}
	for _, carried := range m.cast.roots() {
		p := begin(m, carried)
		if p.bad != nil {
			g.nodes, g.bad, g.badAt = append(g.nodes, node{from: -1, carried: carried}), p.bad, int32(len(g.nodes))
			shorten(best, 1)
			return g
		}
		g.visit(p, node{from: -1, carried: carried})
	}
	var moves []move
	var cuts []int
	for at := int32(0); int(at) < len(g.queue); at++ {
		depth := g.nodes[at].depth + 1
		if shortest := best.Load(); len(g.nodes) > most || shortest != 0 && depth+1 > shortest {
			g.whole = false
			return g
		}
		p := g.queue[at]
		g.queue[at] = nil
		moves = p.moves(moves[:0])
		for _, mv := range moves {
			cuts = append(cuts[:0], 0)
			for i := 0; i < len(cuts); i++ {
				q := p.forkInto(g.spare())
				by := step{mv, cuts[i]}
				q.run(mv, by.dies)
				if q.bad != nil {
					g.bad, g.badAt, g.badBy = q.bad, at, by
					shorten(best, depth+1)
					return g
				}
				if i == 0 {
					cuts = append(cuts, q.cuts...)
				}
				g.ready[at] = g.ready[at] || q.ready
				g.edges = append(g.edges, edge{at, g.visit(q, node{from: at, depth: depth, by: by})})
			}
		}
		g.free = append(g.free, p)
	}
	return g
}

// spare is memory for a product.
func (g *graph) spare() *product {
	if n := len(g.free); n > 0 {
		p := g.free[n-1]
		g.free = g.free[:n-1]
		return p
	}
	return &product{j: new(rule.Judge)}
}

// shorten makes best n, unless it is less already.
func shorten(best *atomic.Int32, n int32) {
	for was := best.Load(); was == 0 || n < was; was = best.Load() {
		if best.CompareAndSwap(was, n) {
			return
		}
	}
}

// visit returns where p is, and adds it if it is new.
func (g *graph) visit(p *product, n node) int32 {
	id := g.key.of(p)
	at, known := g.found[id]
	if known {
		g.free = append(g.free, p)
	} else {
		at = int32(len(g.nodes))
		g.found[id] = at
		g.nodes, g.ready, g.queue = append(g.nodes, n), append(g.ready, false), append(g.queue, p)
	}
	return at
}

// trap finds the first node from which no way leads to ready. What was not explored to
// its end may have a way.
func (g *graph) trap() (int32, bool) {
	back := make([][]int32, len(g.nodes))
	for _, e := range g.edges {
		back[e.to] = append(back[e.to], e.from)
	}
	good := slices.Clone(g.ready)
	var queue []int32
	for i, is := range good {
		if is {
			queue = append(queue, int32(i))
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, from := range back[at] {
			if !good[from] {
				good[from] = true
				queue = append(queue, from)
			}
		}
	}
	at := slices.Index(good, false)
	return int32(at), at >= 0
}
