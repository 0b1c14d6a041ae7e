package explore

import (
	"fmt"
	"slices"

	"ibrecorder/events"
)

// Told is one move of a path.
type Told struct {
	// Text is what happens, Made what is decided then.
	Text string
	Made []string
	// Last is the sequence of the last event of it.
	Last uint64
}

// steps are the moves from a root to a node.
func (g *graph) steps(at int32) (out []step) {
	for ; at >= 0 && g.nodes[at].from >= 0; at = g.nodes[at].from {
		out = append(out, g.nodes[at].by)
	}
	slices.Reverse(out)
	return out
}

// root says how the log of a node begins: see begin.
func (g *graph) root(at int32) (carried bool) {
	for g.nodes[at].from >= 0 {
		at = g.nodes[at].from
	}
	return g.nodes[at].carried
}

// length is how many moves lead to what is bad.
func (g *graph) length() int {
	n := int(g.nodes[g.badAt].depth)
	if g.badBy.what != none {
		n++
	}
	return n
}

// play makes the moves of a path again, and keeps its events.
func (m *model) play(carried bool, steps []step) ([]Told, *product) {
	c := *m
	c.cover = newCover()
	var recs []events.Record
	var made []string
	p := newProduct(&c, carried)
	p.keep, p.made = &recs, &made
	p.start()
	text := "the recorder starts on a new log"
	if c.cast.Full {
		text += "; attempts fail until the window is full, with a success between each two"
	}
	if carried {
		text = "the recorder starts on a new log; the one before was set aside while its gate was stopped"
	}
	told := []Told{{text, made, p.s.Seq}}
	for _, s := range steps {
		p = p.fork()
		made = nil
		p.run(s.move, s.dies)
		text := s.String()
		if s.dies > 0 {
			text += fmt.Sprintf("; after %d of its events the recorder dies, and starts again", s.dies)
		}
		told = append(told, Told{text, made, p.s.Seq})
	}
	return told, p
}
