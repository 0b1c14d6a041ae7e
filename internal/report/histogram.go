package report

import (
	"fmt"
	"html/template"
	"strings"
)

func slowest(d *Document) int64 {
	most := int64(1)
	for _, r := range d.Attempts {
		if r.DurationNS != nil {
			most = max(most, *r.DurationNS)
		}
	}
	return most
}

// durationBar is a duration as a length.
func durationBar(ns *int64, most int64) template.HTML {
	if ns == nil || *ns <= 0 {
		return ""
	}
	return template.HTML(fmt.Sprintf(`<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="%d" height="10"/></svg>`, max(1, int(float64(*ns)/float64(most)*100))))
}

// histogram draws both distributions over the same buckets, as shares.
func histogram(r LatencyRow) template.HTML {
	const width, height, each = 324, 96, 18
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s: the table below has the same">`, width, height+18, r.Step)
	top := 0.0
	share := func(l Latency, i int) float64 {
		if l.N == 0 {
			return 0
		}
		return float64(l.Counts[i]) / float64(l.N)
	}
	for i := range r.Here.Counts {
		top = max(top, share(r.Here, i), share(r.Before, i))
	}
	for i := range r.Here.Counts {
		if h := int(share(r.Here, i) / top * height); h > 0 {
			fmt.Fprintf(&b, `<rect class="here" x="%d" y="%d" width="%d" height="%d"/>`, i*each+3, height-h, each-6, h)
		}
		if h := int(share(r.Before, i) / top * height); h > 0 {
			fmt.Fprintf(&b, `<rect class="was" x="%d.5" y="%d.5" width="%d" height="%d"/>`, i*each, height-h, each-1, h)
		}
	}
	fmt.Fprintf(&b, `<line class="base" x1="0" x2="%d" y1="%d" y2="%d"/>`, width, height, height)
	for i, us := range LatencyEdgesUS {
		if i == 0 || i == 3 || i == 6 || i == 9 || i == 12 || i == 15 {
			fmt.Fprintf(&b, `<text class="soft" x="%d" y="%d" text-anchor="middle">%s</text>`, (i+1)*each, height+14, edge(us))
		}
	}
	return template.HTML(b.String() + "</svg>")
}

func edge(us int64) string {
	switch {
	case us < 1e3:
		return fmt.Sprintf("%dµs", us)
	case us < 1e6:
		return fmt.Sprintf("%dms", us/1e3)
	}
	return fmt.Sprintf("%ds", us/1e6)
}
