package diff

import (
	"unicode/utf8"

	"github.com/sergi/go-diff/diffmatchpatch"
)

// Part is a half-open range of events, by their places from 0.
type Part struct{ From, To int }

// Len is how many events it has.
func (p Part) Len() int { return p.To - p.From }

// Hunk is one place where the streams differ: what A has there, and what B has. One of
// them may be empty.
type Hunk struct{ A, B Part }

// Difference is what comes of comparing two streams.
type Difference struct {
	A, B *Side
	// First is how many events are alike before the first divergence.
	First int
	// Hunks are the places that differ, in their order. One that has all that differs if
	// the streams were not aligned.
	Hunks []Hunk
	// Alike is how many events are in both, by this alignment.
	Alike int
	// Aligned is false if too many events differ to be aligned.
	Aligned bool
}

// Same reports whether both streams mean the same in the same order.
func (d *Difference) Same() bool { return len(d.Hunks) == 0 }

// Align compares two sides that share their words. Of streams that differ in more than
// most events from the first difference to the last, in one of them, only these two are
// found. The time that an alignment takes grows with the square of how many do not fit.
func Align(a, b *Side, most int) Difference {
	d := Difference{A: a, B: b, Aligned: true}
	x, y := a.text, b.text
	for d.First < min(len(x), len(y)) && x[d.First] == y[d.First] {
		d.First++
	}
	end := 0
	for end < min(len(x), len(y))-d.First && x[len(x)-1-end] == y[len(y)-1-end] {
		end++
	}
	x, y = x[d.First:len(x)-end], y[d.First:len(y)-end]
	d.Alike = d.First + end
	switch at := (Hunk{Part{d.First, d.First}, Part{d.First, d.First}}); {
	case len(x) == 0 && len(y) == 0:
	case max(len(x), len(y)) > most:
		d.Aligned = false
		d.Hunks = []Hunk{{Part{d.First, d.First + len(x)}, Part{d.First, d.First + len(y)}}}
	default:
		d.between(at, x, y)
	}
	return d
}

// between aligns two texts that begin at the end of a hunk.
func (d *Difference) between(at Hunk, x, y []rune) {
	dmp := diffmatchpatch.New()
	dmp.DiffTimeout = 0 // whatever it takes: with a time limit the result would be the machine's
	open := false
	for _, part := range dmp.DiffMainRunes(x, y, false) {
		n := utf8.RuneCountInString(part.Text)
		if part.Type == diffmatchpatch.DiffEqual {
			if open {
				d.Hunks, open = append(d.Hunks, at), false
			}
			at = Hunk{Part{at.A.To + n, at.A.To + n}, Part{at.B.To + n, at.B.To + n}}
			d.Alike += n
			continue
		}
		open = true
		if part.Type == diffmatchpatch.DiffDelete {
			at.A.To += n
		} else {
			at.B.To += n
		}
	}
	if open {
		d.Hunks = append(d.Hunks, at)
	}
}
