package dashboard

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ibrecorder/internal/figure"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
)

const (
	laneColumns = 400 // of a lane; two pixels each on a wide screen
	barColumns  = 60  // intervals of the attempts
	chartHeight = 100
	maxLanes    = 6  // sessions of one gateway that have a lane
	maxWords    = 40 // of a lane in words
)

// lane is a row of the picture, from left to right in time.
type lane struct {
	Name  string
	Bands []drawn
	Words []string
	More  string // what has no room
	Head  bool   // the first of a gateway
}

// drawn is a rectangle.
type drawn struct {
	X, Y, W, H int
	Class      string
	Title      string
}

func (p *page) pictures(sights []sight) {
	from := p.now.Add(-p.asked.span)
	for i := range 5 {
		at := from.Add(p.asked.span * time.Duration(i) / 4).In(p.asked.zone)
		layout := "15:04"
		if p.asked.span > 24*time.Hour {
			layout = "2 Jan 15:04"
		}
		p.Axis = append(p.Axis, at.Format(layout))
	}
	for _, s := range sights {
		if p.asked.of != "" && p.asked.of != s.status.Gateway {
			continue
		}
		p.lanes(s, from)
		p.Charts = append(p.Charts, p.chart(s, from))
		p.Latency = append(p.Latency, p.latency(s, from))
	}
}

// lanes are those of one gateway: its gate, its API, the sessions.
func (p *page) lanes(s sight, from time.Time) {
	name, w := s.status.Gateway, s.window
	gate := p.lane(name+" gate", settled(w, s.status), from, p.now)
	gate.Head = true
	p.Lanes = append(p.Lanes, gate, p.lane("API", w.api, from, p.now))
	type program struct {
		name  string
		spans []piece
		last  time.Time
	}
	var programs []program
	for _, x := range w.sessions {
		to := x.to
		if !x.over {
			to = p.now
		}
		if to.Before(from) {
			continue
		}
		name := "client ?"
		if x.client != nil {
			name = fmt.Sprintf("client %d", *x.client)
		}
		i := slices.IndexFunc(programs, func(o program) bool { return o.name == name })
		if i < 0 {
			i, programs = len(programs), append(programs, program{name: name})
		}
		programs[i].spans = append(programs[i].spans, pieces(x.bands, from, to)...)
		programs[i].last = to
	}
	slices.SortStableFunc(programs, func(a, b program) int { return b.last.Compare(a.last) })
	more := 0
	if len(programs) > maxLanes {
		more = len(programs) - maxLanes
		programs = programs[:maxLanes]
	}
	for _, x := range programs {
		p.Lanes = append(p.Lanes, p.paint(x.name, x.spans, from))
	}
	if more > 0 {
		p.Lanes[len(p.Lanes)-1].More = count(more, "more program")
	}
}

// settled is the gate's history. Where the window began in the middle of it, the status
// fills it in if the gate has been as it is since before that.
func settled(w *window, s httpapi.Status) []band {
	if w.gateKnown || len(w.gate) == 0 || s.Since.IsZero() || s.Since.After(w.gate[0].from) {
		return w.gate
	}
	return []band{{s.Gate, s.Since, w.gate[0].seq}}
}

// piece is a band with its end.
type piece struct {
	band
	to time.Time
}

// pieces are bands up to a moment, and nothing of them before another.
func pieces(bands []band, from, to time.Time) []piece {
	var out []piece
	for i, b := range bands {
		end := to
		if i+1 < len(bands) && bands[i+1].from.Before(to) {
			end = bands[i+1].from
		}
		if !end.Before(from) {
			out = append(out, piece{b, end})
		}
	}
	return out
}

func (p *page) lane(name string, bands []band, from, to time.Time) lane {
	return p.paint(name, pieces(bands, from, to), from)
}

// paint puts pieces into columns, and into words for whoever cannot see them.
func (p *page) paint(name string, all []piece, from time.Time) lane {
	l := lane{Name: name}
	at := func(t time.Time) float64 {
		return float64(t.Sub(from)) / float64(p.asked.span) * laneColumns
	}
	spans := make([]figure.Span, len(all))
	for i, x := range all {
		spans[i] = figure.Span{State: x.state, From: max(0, at(x.from)), To: at(x.to)}
	}
	for _, r := range figure.Columns(laneColumns, spans) {
		_, class := figure.Look(all[r.Of].state)
		d := drawn{X: 2 * r.From, Y: 0, W: 2 * r.N, H: 14, Class: class, Title: p.words(all[r.Of])}
		if class == figure.OK || class == figure.None {
			d.Y, d.H = 4, 6
		}
		l.Bands = append(l.Bands, d)
	}
	shown := all[max(0, len(all)-maxWords):]
	if n := len(all) - len(shown); n > 0 {
		l.Words = append(l.Words, group(n)+" earlier")
	}
	for _, x := range shown {
		l.Words = append(l.Words, p.words(x))
	}
	return l
}

func (p *page) words(x piece) string {
	text := fmt.Sprintf("%s from %s", x.state, p.when(x.from))
	if x.to.Before(p.now) {
		text += " to " + p.when(x.to)
	}
	return fmt.Sprintf("%s, %s (#%d)", text, long(x.to.Sub(x.from)), x.seq)
}

// chart is how attempts ended, an interval beside the other.
type chart struct {
	Gateway string
	Each    string // the interval
	Most    string // the highest
	Bars    []drawn
	Rows    []chartRow
	Empty   bool
}

type chartRow struct {
	Outcome, Sign string
	N             string
	Peak          string // when there were most
	Mood          mood
}

// ends are how attempts end, as they are stacked, the lowest first.
var ends = [...]struct {
	name, sign, class string
	mood              mood
}{
	succeeded: {"ready", "✔", "e-ready", good}, failed: {"failed", "✖", "e-failed", bad},
	denied: {"turned away", "⊘", "e-denied", doubt}, unclear: {"end not known", "?", "e-unknown", quiet},
}

func (p *page) chart(s sight, from time.Time) chart {
	each := p.asked.span / barColumns
	c := chart{Gateway: s.status.Gateway, Each: long(each)}
	var n [barColumns][len(ends)]int64
	for _, a := range s.window.attempts {
		if i := int(a.at.Sub(from) / each); !a.at.Before(from) && i < barColumns {
			n[i][a.outcome] += a.n
		}
	}
	most := int64(0)
	var sum, peak [len(ends)]int64
	var at [len(ends)]int
	for i := range n {
		whole := int64(0)
		for o, k := range n[i] {
			whole += k
			sum[o] += k
			if k > peak[o] {
				peak[o], at[o] = k, i
			}
		}
		most = max(most, whole)
	}
	if c.Empty = most == 0; c.Empty {
		return c
	}
	c.Most = group(most)
	for i := range n {
		y := int64(0) // in attempts, from the ground
		for o, k := range n[i] {
			if k == 0 {
				continue
			}
			top, foot := (y+k)*chartHeight/most, y*chartHeight/most
			if top == foot {
				top++ // one of a thousand is seen all the same
			}
			c.Bars = append(c.Bars, drawn{X: i*10 + 1, W: 8, Y: int(chartHeight - top), H: int(top - foot), Class: ends[o].class,
				Title: fmt.Sprintf("%s %s from %s", group(k), ends[o].name, p.when(from.Add(each*time.Duration(i))))})
			y += k
		}
	}
	for o, e := range ends {
		if sum[o] == 0 {
			continue
		}
		c.Rows = append(c.Rows, chartRow{
			Outcome: e.name, Sign: e.sign, Mood: e.mood, N: group(sum[o]), Peak: fmt.Sprintf("%s at %s", group(peak[o]), p.when(from.Add(each*time.Duration(at[o])))),
		})
	}
	return c
}

// latency is how long the steps of handshakes took.
type latency struct {
	Gateway string
	Dots    []dots
	Rows    []latencyRow
	Empty   bool
}

type dots struct{ Class, Path string }

type latencyRow struct {
	Step, Sign, N, Median, P95, Longest string
}

// The picture of latencies has powers of ten from 100 µs to 100 s.
const (
	fastest = 100.0 // microseconds
	decades = 6
)

var steps = [...]struct {
	name, sign, class string
	mark              string // a path from its place; the ends of lines make the shape
	of                func(attempt) int64
}{
	{"TCP", "●", "l-dial", "h0", func(a attempt) int64 { return a.dial }},
	{"version", "■", "l-version", "h0", func(a attempt) int64 { return a.version }},
	{"ready", "❙", "l-ready", "v-7", func(a attempt) int64 { return a.ready }},
}

func (p *page) latency(s sight, from time.Time) latency {
	const most = 300 // dots of a step
	l := latency{Gateway: s.status.Gateway, Empty: true}
	for _, st := range steps {
		var us []int64
		var path strings.Builder
		drawnAt := map[[2]int]bool{}
		for _, a := range slices.Backward(s.window.attempts) {
			v := st.of(a)
			if v <= 0 || a.at.Before(from) {
				continue
			}
			us = append(us, v)
			at := [2]int{int(float64(a.at.Sub(from)) / float64(p.asked.span) * 600), height(v)}
			if !drawnAt[at] && len(drawnAt) < most {
				drawnAt[at] = true
				fmt.Fprintf(&path, "M%d %d%s", at[0], at[1], st.mark)
			}
		}
		r := latencyRow{Step: st.name, Sign: st.sign, N: group(len(us)), Median: "–", P95: "–", Longest: "–"}
		if len(us) > 0 {
			l.Empty = false
			slices.Sort(us)
			say := func(v int64) string { return report.Duration(time.Duration(v) * time.Microsecond) }
			r.Median, r.P95, r.Longest = say(us[(len(us)-1)/2]), say(us[(len(us)*95+99)/100-1]), say(us[len(us)-1])
			l.Dots = append(l.Dots, dots{st.class, path.String()})
		}
		l.Rows = append(l.Rows, r)
	}
	return l
}

// height is where a duration in microseconds stands, from the top.
func height(us int64) int {
	tens := math.Log10(float64(us) / fastest)
	return int(120 - min(max(tens, 0), decades)*20)
}
