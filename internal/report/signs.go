package report

import (
	"fmt"
	"slices"
	"strings"
)

// signs in the order in which they hide each other, the last one hides all.
var signs = []string{signReady, signUnknown, signOperator, signAlert, signRestart, signDenied, signGap, signFailed, signViolated}

// marks puts the signs of a lane where there is room for them.
func (l *drawnLane) marks(in *Lane, y int, px func(int64) int, s Style) {
	type group struct {
		x, x1, x2 int
		marks     []Mark
	}
	var groups []group
	end := -1
	sorted := slices.Clone(in.Marks)
	slices.SortStableFunc(sorted, func(a, b Mark) int { return px(a.At) + px(a.To) - px(b.At) - px(b.To) })
	for _, m := range sorted {
		x1, x2 := px(m.At), px(m.To)
		x := min(max((x1+x2)/2, drawnLeft+signWide/2), drawnWidth-signWide/2-2)
		if n := len(groups) - 1; n >= 0 && x-signWide/2 < end {
			g := &groups[n]
			g.marks, g.x2 = append(g.marks, m), max(g.x2, x2)
			end = g.x + signWide/2 + 2 + len(said(g.marks))*letter
			continue
		}
		groups = append(groups, group{x, x1, x2, []Mark{m}})
		end = x + signWide/2 + 2 + len(said([]Mark{m}))*letter
	}
	for _, g := range groups {
		m := drawnMark{X: g.x, Y: y, Sign: worst(g.marks), Text: said(g.marks), X1: g.x1, X2: g.x2, Spanned: g.x2-g.x1 > 2*signWide}
		if right := m.X + signWide/2 + 2 + len(m.Text)*letter; right > drawnWidth {
			m.X -= right - drawnWidth
		}
		m.Title = titles(g.marks, s)
		l.Marks = append(l.Marks, m)
	}
	if len(in.Bands) == 0 {
		l.Y = y + 4
	}
}

func worst(marks []Mark) string {
	out := 0
	for _, m := range marks {
		out = max(out, slices.Index(signs, m.Sign))
	}
	return signs[out]
}

// said is what stands beside a sign: how many it stands for.
func said(marks []Mark) string {
	n, same := int64(0), true
	for _, m := range marks {
		n += m.N
		same = same && m.Sign == marks[0].Sign
	}
	switch {
	case n == 1:
		return ""
	case same:
		return "×" + group(int(n))
	}
	return "+" + group(int(n-1))
}

func titles(marks []Mark, s Style) string {
	var b strings.Builder
	for i, m := range marks {
		if i == 5 {
			fmt.Fprintf(&b, "\nand %d more", len(marks)-i)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(m.words(s))
	}
	return b.String()
}
