package report

import (
	"fmt"
	"slices"
	"time"

	"ibrecorder/internal/figure"
)

// drawing is a Picture in pixels. It has at most a few hundred rectangles and
// signs, however long the span is: what falls on one spot is one, the worst of
// it is seen, and the rest is counted.
type drawing struct {
	Width, Height int
	Lanes         []drawnLane
	Ticks         []drawnTick
	Folds         []drawnFold
	Foot          int // where the folds are named
}

type drawnLane struct {
	Name   string
	Y      int // of its middle
	Bands  []drawnBand
	Labels []drawnTick
	Marks  []drawnMark
}

type drawnBand struct {
	X, Y, W, H int
	State      string
	Class      string
	Title      string
}

type drawnMark struct {
	X, Y    int
	Sign    string
	Text    string // beside it
	Title   string
	X1, X2  int // of the line through what it stands for
	Spanned bool
}

type drawnTick struct {
	X, Y   int
	Text   string
	Anchor string
}

type drawnFold struct {
	X, W   int
	Text   string
	Joined bool // it begins where the one before ends
}

const (
	drawnWidth = 960
	drawnLeft  = 118
	plot       = drawnWidth - drawnLeft - 12
	columnWide = 2  // pixels; no band is narrower, so no stop is too short to be seen
	signWide   = 14 // pixels
	letter     = 7  // pixels of a letter in a label, at least
)

func draw(doc *Document, s Style) *drawing {
	p := &doc.Picture
	d := &drawing{Width: drawnWidth}
	sc := newScale(p)
	exact := func(at int64) float64 { return drawnLeft + sc.of(at)*plot }
	px := func(at int64) int { return int(exact(at)) }
	y := 30
	for _, l := range p.Lanes {
		lane := drawnLane{Name: l.Name, Y: y + 12}
		named := l.Name == "gate" || l.Name == "gateway"
		room := 0
		if named || len(l.Marks) > 0 {
			room = 18 // above the bands
		}
		lane.bands(&l, y+room, exact, s)
		if named {
			lane.label(y + 12)
		}
		lane.marks(&l, y+9, px, s)
		if named && len(lane.Marks) > 0 { // a breach stands in the band
			for i := range lane.Marks {
				lane.Marks[i].Y = y + 25
			}
		}
		d.Lanes = append(d.Lanes, lane)
		y += room + 26
		if len(l.Bands) == 0 {
			y -= 12
		}
	}
	d.Foot, d.Height = y+6, y+14
	if len(sc.folds) == 0 {
		d.Height = y
	}
	end := 0
	for _, stretch := range sc.folds {
		x := drawnLeft + int(stretch.from*plot)
		w := int((stretch.to - stretch.from) * plot)
		text := span(stretch.ns)
		if x+w/2-len(text)*letter/2 < end {
			text = ""
		} else {
			end = x + w/2 + len(text)*letter/2 + 4
		}
		f := drawnFold{X: x, W: w, Text: text}
		if n := len(d.Folds) - 1; n >= 0 {
			f.Joined = x-d.Folds[n].X-d.Folds[n].W < 3
		}
		d.Folds = append(d.Folds, f)
	}
	d.ticks(doc, px, s)
	return d
}

// ticks name times where the gate changed, as far as there is room, the ends first.
func (d *drawing) ticks(doc *Document, px func(int64) int, s Style) {
	p := &doc.Picture
	if len(p.Lanes) == 0 {
		return
	}
	days := p.Clocked && p.Length > int64(20*time.Hour)
	type at struct{ x, left, right int }
	var taken []at
	add := func(x int, text string) {
		half := len(text) * letter / 2
		t := drawnTick{X: x, Y: 14, Text: text, Anchor: "middle"}
		left, right := x-half, x+half
		switch {
		case left < drawnLeft:
			t.X, t.Anchor, left, right = drawnLeft, "start", drawnLeft, drawnLeft+2*half
		case right > drawnWidth-2:
			t.X, t.Anchor, left, right = drawnWidth-2, "end", drawnWidth-2-2*half, drawnWidth-2
		}
		if slices.ContainsFunc(taken, func(o at) bool { return left < o.right+10 && o.left < right+10 }) {
			return
		}
		taken = append(taken, at{t.X, left, right})
		d.Ticks = append(d.Ticks, t)
	}
	bands := slices.Clone(p.Lanes[0].Bands)
	slices.SortStableFunc(bands, func(a, b Band) int { // a stop is named before all else
		ra, _ := figure.Look(a.State)
		rb, _ := figure.Look(b.State)
		return rb - ra
	})
	name := func(b Band) string {
		seq, when := b.Seq, b.Time
		if b.Before {
			seq, when = doc.First, doc.Begin
		}
		if !p.Clocked || when == nil {
			return fmt.Sprintf("#%d", seq)
		}
		at := s.clock(*when)[:len("15:04:05")]
		if days {
			at = s.day(*when)[len("2006-"):] + " " + at[:len("15:04")]
		}
		return at
	}
	for _, b := range p.Lanes[0].Bands[:min(1, len(bands))] {
		add(px(b.From), name(b))
		add(px(p.Length), name(Band{Seq: doc.Last, Time: doc.End}))
	}
	for _, b := range bands {
		add(px(b.From), name(b))
	}
	slices.SortStableFunc(d.Ticks, func(a, b drawnTick) int { return a.X - b.X })
}

// bands draws a column for every two pixels and joins those that look alike.
func (l *drawnLane) bands(in *Lane, y int, px func(int64) float64, s Style) {
	if len(in.Bands) == 0 {
		return
	}
	spans := make([]figure.Span, len(in.Bands))
	for i, b := range in.Bands {
		spans[i] = figure.Span{State: b.State, From: (px(b.From) - drawnLeft) / columnWide, To: (px(b.To) - drawnLeft) / columnWide}
	}
	for _, r := range figure.Columns((drawnWidth-drawnLeft)/columnWide, spans) {
		b := &in.Bands[r.Of]
		_, class := figure.Look(b.State)
		out := drawnBand{X: drawnLeft + r.From*columnWide, Y: y, W: r.N * columnWide, H: 14, State: b.State, Class: class, Title: in.Name + ": " + b.words(s)}
		if class == figure.OK || class == figure.None {
			out.Y, out.H = y+4, 6
		}
		l.Bands = append(l.Bands, out)
	}
	l.Y = y + 11
}

// words is a band for a tooltip and a list.
func (b *Band) words(s Style) string {
	out := b.State
	if b.Before {
		return out + fmt.Sprintf(" since before (#%d)", b.Seq)
	}
	if b.Time != nil {
		out += " from " + s.hour(*b.Time)
	}
	return out + fmt.Sprintf(" (#%d)", b.Seq)
}

// label writes states above their bands, the worst and the widest first.
func (l *drawnLane) label(y int) {
	order := make([]int, len(l.Bands))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		ra, _ := figure.Look(l.Bands[a].State)
		rb, _ := figure.Look(l.Bands[b].State)
		if (ra >= figure.Worst) != (rb >= figure.Worst) {
			return rb - ra
		}
		return l.Bands[b].W - l.Bands[a].W
	})
	for _, i := range order {
		b, name := l.Bands[i], l.Bands[i].State
		right := b.X + len(name)*letter + 2
		x, anchor := b.X, "start"
		if right > drawnWidth {
			x, anchor, right = drawnWidth-2, "end", drawnWidth
		}
		left := right - len(name)*letter - 2
		if b.W < len(name)*letter && !slices.Contains([]string{"STOPPED", "DOWN"}, name) {
			continue
		}
		if slices.ContainsFunc(l.Labels, func(o drawnTick) bool { return left < o.right()+4 && o.left() < right+4 }) {
			continue
		}
		l.Labels = append(l.Labels, drawnTick{X: x, Y: y, Text: name, Anchor: anchor})
	}
	slices.SortStableFunc(l.Labels, func(a, b drawnTick) int { return a.X - b.X })
}

func (t drawnTick) left() int {
	if t.Anchor == "end" {
		return t.X - len(t.Text)*letter
	}
	return t.X
}

func (t drawnTick) right() int { return t.left() + len(t.Text)*letter }

// words is a mark for a tooltip and a list.
func (m *Mark) words(s Style) string {
	out := m.Text
	if m.N > 1 {
		out = group(int(m.N)) + " times " + out
	}
	if m.Time != nil {
		out += " at " + s.hour(*m.Time)
	}
	return out + fmt.Sprintf(" (#%d)", m.Seq)
}
