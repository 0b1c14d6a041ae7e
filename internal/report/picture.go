package report

import (
	"cmp"
	"slices"

	"ibrecorder/events"
	"ibrecorder/internal/figure"
)

// lane collects the bands and marks of one row.
type lane struct {
	open  Band // the one that lasts, of no state if none does
	bands []Band
	marks []Mark
}

// set begins a state and ends the one before. What is over before the span leaves nothing.
func (l *lane) set(state string, e *events.Event, at spot, wanted bool) {
	if l.open.State == state {
		return
	}
	l.end(at, wanted)
	l.open = Band{State: state, Seq: e.Seq, Time: utc(e.Time), Before: !wanted, from: at}
}

func (l *lane) end(at spot, wanted bool) {
	if l.open.State != "" && wanted {
		l.open.to = at
		l.bands = append(l.bands, l.open)
	}
	l.open = Band{}
}

// interrupted reports whether a recorder did not run all the time, or missed something.
func (l *lane) interrupted() bool {
	return len(l.marks) > 0 || slices.ContainsFunc(l.bands, func(b Band) bool { return b.State == "off" && b.from.ns < b.to.ns })
}

// mark adds a sign. Refusals that follow each other are one.
func (l *lane) mark(sign string, e *events.Event, at spot, n int64, text string) {
	if i := len(l.marks) - 1; i >= 0 && sign == signDenied && l.marks[i].Sign == sign && l.marks[i].Text == text {
		l.marks[i].N, l.marks[i].to = l.marks[i].N+n, at
		return
	}
	l.marks = append(l.marks, Mark{Sign: sign, N: n, Seq: e.Seq, Time: utc(e.Time), Text: plain(text), at: at, to: at})
}

// maxLanes is how many programs have a lane of their own; the others share one.
const maxLanes = 8

// kept are all attempts of the span, those that only last through it among them.
func (t *tracks) kept() []*track {
	out := slices.Clone(t.all)
	for _, x := range t.live {
		if !x.kept && x.open.State != "" {
			out = append(out, x)
		}
	}
	slices.SortStableFunc(out, func(a, b *track) int { return cmp.Compare(a.Seq, b.Seq) })
	return out
}

// picture puts the lanes together. What lasts at the end of the span lasts until there.
func (t *tracks) picture(end spot, clocked bool) Picture {
	p := Picture{Clocked: clocked, Length: end.n, Lanes: []Lane{}}
	if clocked {
		p.Length = end.ns
	}
	add := func(name string, parts ...*lane) {
		l := Lane{Name: name, Bands: []Band{}, Marks: []Mark{}}
		for _, part := range parts {
			part.end(end, true)
			for _, b := range part.bands {
				b.From, b.To = b.from.n, b.to.n
				if clocked {
					b.From, b.To = b.from.ns, b.to.ns
				}
				if _, class := figure.Look(b.State); b.From == b.To && b.to != end && class != figure.Bad {
					continue // the events of one decision have one time
				}
				l.Bands = append(l.Bands, b)
			}
			for _, m := range part.marks {
				m.At, m.To = m.at.n, m.to.n
				if clocked {
					m.At, m.To = m.at.ns, m.to.ns
				}
				if n := len(l.Marks) - 1; n >= 0 && m.Sign == signDenied && l.Marks[n].Sign == signDenied && l.Marks[n].Text == m.Text {
					l.Marks[n].N, l.Marks[n].To = l.Marks[n].N+m.N, m.To
					continue
				}
				l.Marks = append(l.Marks, m)
			}
		}
		if len(l.Bands)+len(l.Marks) > 0 {
			p.Lanes = append(p.Lanes, l)
		}
	}
	add("gate", &t.gate)
	add("gateway", &t.api)
	var names []string
	byName := map[string][]*lane{}
	for _, x := range t.kept() {
		name := x.program()
		if _, known := byName[name]; !known {
			if len(names) >= maxLanes {
				name = "others"
			}
			if byName[name] == nil {
				names = append(names, name)
			}
		}
		byName[name] = append(byName[name], &x.lane)
	}
	for _, name := range names {
		add(name, byName[name]...)
	}
	add("alerts", &t.alerts)
	add("operator", &t.people)
	if t.recorder.end(end, true); t.recorder.interrupted() {
		add("recorder", &t.recorder)
	}
	return p
}
