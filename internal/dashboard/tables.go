package dashboard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/report"
)

// alertRow is one way to tell somebody, of one gateway.
type alertRow struct {
	Gateway, Channel, Sign, State string
	LastOK, LastFailed, Why       string
	Delivered, Failed, Waiting    string
	Mood                          mood
}

// alertRows are the channels that are configured, and those that only the log knows.
func (p *page) alertRows(sights []sight) []alertRow {
	var out []alertRow
	for _, s := range sights {
		logged := map[string]channel{}
		for _, c := range s.window.channels {
			logged[c.name] = c
		}
		add := func(name string, configured bool, failing string, waiting int) {
			c := logged[name]
			r := alertRow{
				Gateway: s.status.Gateway, Channel: name, LastOK: p.when(c.lastOK), LastFailed: p.when(c.lastFailed), Why: report.Plain(failing),
				Delivered: group(c.delivered), Failed: group(c.failed), Waiting: group(waiting),
			}
			if r.Why == "" {
				r.Why = c.why
			}
			switch {
			case !configured:
				r.Mood, r.Sign, r.State = quiet, "–", "not configured any more"
			case r.Why != "":
				r.Mood, r.Sign, r.State = bad, "✖", "fails"
			case c.lastOK.IsZero():
				r.Mood, r.Sign, r.State = quiet, "?", "nothing told yet"
			default:
				r.Mood, r.Sign, r.State = good, "✔", "works"
			}
			out = append(out, r)
		}
		for _, a := range s.status.Alerts {
			add(report.Plain(a.Name), true, a.Failing, a.Waiting)
			delete(logged, report.Plain(a.Name))
		}
		for _, c := range s.window.channels {
			if _, rest := logged[c.name]; rest {
				add(c.name, false, "", 0)
			}
		}
	}
	return out
}

// eventRow is an event of the tail.
type eventRow struct {
	Gateway, At, Seq, By, Kind, Says string
	Mood                             mood
}

// loud are the kinds that a reader should not pass over.
var loud = map[events.Kind]mood{
	"restart.required": bad, "rule.violated": bad, "gateway.down": bad, "tap.blocked": bad, "alert.failed": bad, "session.lost": bad, "recorder.gap": bad,
	"attempt.failed": doubt, "attempt.denied": doubt, "restart.rejected": doubt, "session.degraded": doubt, "session.mute": bad,
	"attempt.succeeded": good, "restart.acknowledged": good,
}

// tail is the newest events, newest first.
func (p *page) tail(sights []sight) []eventRow {
	type one struct {
		row
		gateway string
	}
	var all []one
	for _, s := range sights {
		if p.asked.of != "" && p.asked.of != s.status.Gateway {
			continue
		}
		for i, rows := range s.window.rows {
			if p.asked.kinds != "" && p.asked.kinds != groups[i].name {
				continue
			}
			for _, r := range rows[max(0, len(rows)-maxRows):] {
				all = append(all, one{r, s.status.Gateway})
			}
		}
	}
	slices.SortFunc(all, func(a, b one) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(a.gateway, b.gateway), cmp.Compare(b.seq, a.seq))
	})
	var out []eventRow
	for _, r := range all[:min(len(all), maxTail)] {
		out = append(out, p.line(r.gateway, r.row))
	}
	return out
}

// line puts an event into words.
func (p *page) line(gateway string, r row) eventRow {
	out := eventRow{Gateway: gateway, At: p.when(r.at), Seq: fmt.Sprintf("#%d", r.seq)}
	rec, err := events.ParseRecord(r.raw)
	if err != nil {
		out.Says = "it cannot be read: " + report.Plain(err.Error())
		return out
	}
	out.By, out.Kind, out.Says, out.Mood = report.Plain(strings.TrimPrefix(rec.Source, "/")), string(rec.Kind()), report.Says(rec.Data), loud[rec.Kind()]
	return out
}

// incidentRow is one incident with its report.
type incidentRow struct {
	Gateway, Stop, Begin, Long, Cause, State, To string
	Over                                         bool
}

// causes are the reasons of a stop in words.
var causes = map[events.DownReason]string{
	events.DownSilent: "accepted a connection and stayed silent", events.DownDialTimeouts: "dials timed out", events.DownClosed: "closed before its version",
	events.DownProbation: "the attempts of the probation failed", events.DownWedged: "the acceptor hangs", events.DownReported: "a program reported it",
}

// incidentRows are those of 30 days, newest first.
func (p *page) incidentRows(sights []sight) []incidentRow {
	type one struct {
		incident
		gateway string
	}
	var all []one
	for _, s := range sights {
		for _, i := range s.window.incidents[max(0, len(s.window.incidents)-maxIncidents):] {
			if p.now.Sub(i.from) <= keptFor || !i.over {
				all = append(all, one{i, s.status.Gateway})
			}
		}
	}
	slices.SortFunc(all, func(a, b one) int {
		return cmp.Or(b.from.Compare(a.from), cmp.Compare(a.gateway, b.gateway), cmp.Compare(b.stop, a.stop))
	})
	var out []incidentRow
	for _, i := range all {
		r := incidentRow{Gateway: i.gateway, Stop: fmt.Sprintf("#%d", i.stop), Begin: p.when(i.from), Over: i.over, To: fmt.Sprintf("/incidents/%s/%d", i.gateway, i.stop)}
		if r.Cause = causes[i.reason]; r.Cause == "" {
			r.Cause = report.Plain(string(i.reason))
		}
		switch {
		case i.over:
			r.Long, r.State = long(i.to.Sub(i.from)), "over"
		case i.released:
			r.Long, r.State = p.ago(i.from), "released, and nobody is connected yet"
		default:
			r.Long, r.State = p.ago(i.from), "goes on"
		}
		if i.by != "" {
			r.State += ", released by " + i.by
		}
		out = append(out, r)
	}
	return out
}
