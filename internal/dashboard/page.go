package dashboard

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
)

// asked is what a reader wants to see, by the page's address alone: there is no session.
type asked struct {
	span  time.Duration
	kinds string // a group, "" is all
	of    string // a gateway, "" is all
	zone  *time.Location
	query url.Values
}

// spans are the lengths of the pictures.
var spans = []struct {
	name string
	long time.Duration
}{{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", drawnFor}}

const (
	plainSpan = 6 * time.Hour // unless a reader asks for another
	maxTail   = 60            // lines of the tail
)

// ask reads the address. An unknown word is an error that names the known ones.
func (b *Board) ask(q url.Values) (asked, error) {
	a := asked{span: plainSpan, zone: b.cfg.Zone, query: url.Values{}}
	for _, key := range slices.Sorted(maps.Keys(q)) {
		value := q.Get(key)
		known := false
		switch key {
		case "span":
			for _, s := range spans {
				if s.name == value {
					a.span, known = s.long, true
				}
			}
			if !known {
				return a, fmt.Errorf("span=%q: there are 1h, 6h, 24h and 7d", value)
			}
		case "kinds":
			for _, g := range groups {
				known = known || g.name == value
			}
			if a.kinds = value; !known {
				return a, fmt.Errorf("kinds=%q: there are %s", value, groupNames())
			}
		case "gateway":
			if a.of = value; b.find(value) == nil {
				return a, fmt.Errorf("gateway=%q: no such gateway", value)
			}
		case "tz":
			zone, err := time.LoadLocation(value)
			if err != nil || value == "Local" {
				return a, fmt.Errorf("tz=%q: want a name such as UTC or America/New_York", value)
			}
			a.zone = zone
		default:
			return a, fmt.Errorf("unknown parameter %q: there are gateway, kinds, span and tz", key)
		}
		a.query.Set(key, value)
	}
	return a, nil
}

func groupNames() string {
	names := make([]string, len(groups))
	for i, g := range groups {
		names[i] = g.name
	}
	return strings.Join(names, ", ")
}

// link is one choice of several, as an address.
type link struct {
	Text, To string
	Here     bool
}

// with is the page's address with another value for one key; "" is none.
func (a asked) with(key, value string) string {
	q := url.Values{}
	for k, v := range a.query {
		q[k] = v
	}
	q.Del(key)
	if value != "" {
		q.Set(key, value)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// page is everything that the template shows.
type page struct {
	Title    string
	Mood     mood
	Sentence string
	At, Zone string
	Zones    []link
	Version  string
	BeatMS   int64
	Pages    int

	Cards     []card
	Spans     []link
	Long      string // the span in words
	Lanes     []lane
	Axis      []string
	Charts    []chart
	Latency   []latency
	Alerts    []alertRow
	Kinds     []link
	Whose     []link
	Events    []eventRow
	Incidents []incidentRow
	Heads     []head

	asked asked
	now   time.Time
}

// head is how far the page has read a log.
type head struct {
	Gateway, Events, Bytes, From, Broken string
}

// sight is one gateway at one moment.
type sight struct {
	status httpapi.Status
	window *window
	broken string
	err    error
}

// page makes the page of a moment. Its cost is bounded by what windows keep.
func (b *Board) page(ctx context.Context, a asked) *page {
	p := &page{asked: a, now: b.cfg.Now(), Version: b.cfg.Version, BeatMS: b.cfg.Beat.Milliseconds()}
	style := report.Style{Zone: a.zone}
	p.At, p.Zone = p.now.In(a.zone).Format("15:04:05"), style.Place(p.now)
	var sights []sight
	for _, f := range b.followers {
		s := sight{}
		s.window, s.broken = f.view()
		if s.status, s.err = f.gateway.Status(ctx); s.err != nil {
			s.status.Gateway = f.gateway.Name()
		}
		sights = append(sights, s)
	}
	for _, s := range sights {
		p.Cards = append(p.Cards, p.card(b, s))
	}
	p.sentence()
	p.choices(b)
	p.pictures(sights)
	p.Alerts = p.alertRows(sights)
	p.Events = p.tail(sights)
	p.Incidents = p.incidentRows(sights)
	for _, s := range sights {
		h := head{Gateway: s.status.Gateway, Events: group(s.status.Seq), Bytes: size(s.status.LogBytes) + " of " + size(s.status.LogLimit)}
		if w := s.window; w.first.Seq > 1 {
			h.From = fmt.Sprintf("this page knows #%d and what came after it", w.first.Seq)
		}
		if s.broken != "" {
			h.Broken = report.Plain(s.broken)
		}
		p.Heads = append(p.Heads, h)
	}
	return p
}

// sentence is the worst of the cards, for a title and an icon.
func (p *page) sentence() {
	worst, same := -1, 0
	for i, c := range p.Cards {
		switch {
		case worst < 0 || rank(c.Mood) > rank(p.Cards[worst].Mood):
			worst, same = i, 1
		case c.Mood == p.Cards[worst].Mood:
			same++
		}
	}
	if worst < 0 {
		p.Mood, p.Title, p.Sentence = quiet, "ibrecorder", "No gateway is configured."
		return
	}
	c := p.Cards[worst]
	p.Mood = c.Mood
	p.Title = fmt.Sprintf("%s %s: %s", c.Symbol, c.Name, c.Word)
	p.Sentence = fmt.Sprintf("%s: %s", c.Name, c.Why)
	if same > 1 && c.Mood != good {
		p.Sentence += fmt.Sprintf(" (%d gateways are not well.)", same)
	}
	if c.Mood == good {
		p.Title, p.Sentence = c.Symbol+" connected", "Every gateway has a program that is connected."
	}
	p.Title += " - ibrecorder"
}

func (p *page) choices(b *Board) {
	for _, s := range spans {
		p.Spans = append(p.Spans, link{s.name, p.asked.with("span", s.name), s.long == p.asked.span})
		if s.long == p.asked.span {
			p.Long = s.name
		}
	}
	p.Kinds = []link{{"all", p.asked.with("kinds", ""), p.asked.kinds == ""}}
	for _, g := range groups {
		p.Kinds = append(p.Kinds, link{g.name, p.asked.with("kinds", g.name), p.asked.kinds == g.name})
	}
	if len(b.followers) > 1 {
		p.Whose = []link{{"all", p.asked.with("gateway", ""), p.asked.of == ""}}
		for _, f := range b.followers {
			p.Whose = append(p.Whose, link{f.gateway.Name(), p.asked.with("gateway", f.gateway.Name()), p.asked.of == f.gateway.Name()})
		}
	}
	own := b.cfg.Zone.String()
	here := p.asked.zone.String()
	p.Zones = []link{{"UTC", p.asked.with("tz", "UTC"), here == "UTC"}}
	if own != "UTC" {
		text := "here"
		if own != "Local" {
			text = own
		}
		p.Zones = append(p.Zones, link{text, p.asked.with("tz", ""), p.asked.zone == b.cfg.Zone})
	}
	if own != newYork && here != newYork {
		p.Zones = append(p.Zones, link{"New York", p.asked.with("tz", newYork), false})
	} else if own != newYork {
		p.Zones = append(p.Zones, link{"New York", p.asked.with("tz", newYork), true})
	}
}

// newYork is the zone of IB's own restarts.
const newYork = "America/New_York"

// when is a moment as somebody reads it today.
func (p *page) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	at, now := at.In(p.asked.zone), p.now.In(p.asked.zone)
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05")
	}
	return at.Format("2 Jan 15:04")
}

// ago is how long something has lasted.
func (p *page) ago(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return long(p.now.Sub(at))
}

// long is a duration as somebody reads it in passing: seconds matter for some minutes.
func long(d time.Duration) string {
	d = max(0, d).Truncate(time.Second)
	if d >= 5*time.Minute {
		d = d.Truncate(time.Minute)
	}
	if d == 0 { // a figure would be a claim
		return "under 1s"
	}
	text := report.Duration(d)
	if d%time.Minute == 0 {
		text = strings.TrimSuffix(text, "00s")
	}
	return text
}

// group writes 48171 as 48 171.
func group[N uint64 | int64 | int](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u00a0" + s[i:]
	}
	return s
}

// size writes bytes as people say them.
func size(n uint64) string {
	switch {
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}
