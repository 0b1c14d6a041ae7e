package rule

import (
	"fmt"
	"slices"

	"ibrecorder/events"
)

// tellWithin is how long a stop may go untold while the recorder goes on writing, in
// nanoseconds. A command has 20 s.
const tellWithin = 60e9

// maxChannels is how many are judged.
const maxChannels = 16

// rs8: a stop is told on every channel that is known, soon and once, and nobody is
// reminded of what is acknowledged or over.
type rs8 struct {
	tally
	Stop     string // id of the last restart.required of this run, "" if it is none of ours to judge
	Raised   string // id of the alert.raised for it, "" until there is one
	Incident string // of that alert
	Quiet    string // why nobody may be reminded of it any more, "" if they may
	Seq      uint64
	At       moment
	Over     bool     // it ended, and nobody need be told of it any more
	Late     moment   // of the first event that was too late
	Overdue  bool     // there was one
	Told     bool     // that it was not told
	Channels []string // that told of a stop, or tried, in this run; sorted
	Done     []string // those that told of this stop, or tried anything since
	Failing  []string // whose last try failed: they are at fault themselves until they tell again
	Once     []string // those that are done with it
}

func (m *rs8) forget() { *m = rs8{tally: m.tally} }

func (m *rs8) step(f *facts) {
	switch f.kind {
	case recorderStarted:
		m.forget() // its channels may be others
	case restartRequired:
		m.Stop, m.Seq, m.At, m.Over = f.rec.ID, f.rec.Seq, f.at, f.imported
		m.Overdue, m.Told, m.Done, m.Once = false, false, m.Failing, nil
		m.Raised, m.Incident, m.Quiet = "", "", ""
		if f.imported {
			m.Stop = ""
		}
	case restartAcknowledged, gatewayContradicted:
		if d, contradicted := f.rec.Data.(events.GatewayContradicted); !contradicted || d.Ends {
			m.Over = true
		}
	case alertRaised:
		m.raised(f)
	case alertReminded:
		m.reminded(f)
	case alertAcknowledged:
		m.quiet(f.rec.Data.(events.AlertAcknowledged).Incident, "acknowledged")
	case alertResolved:
		m.quiet(f.rec.Data.(events.AlertResolved).Incident, "over")
	case alertDelivered:
		m.delivered(f, f.rec.Data.(events.AlertDelivered).Channel)
	case alertFailed: // the channel is at fault, whatever it was to tell of
		c := f.rec.Data.(events.AlertFailed).Channel
		if m.tells(f) {
			m.Channels = with(m.Channels, c)
		}
		m.Done, m.Failing = with(m.Done, c), with(m.Failing, c)
	}
	if m.Stop != "" && !m.Over && !m.Told {
		m.wait(f)
	}
}

// tells reports whether the event of f tells of the stop.
func (m *rs8) tells(f *facts) bool {
	return m.Stop != "" && (f.rec.Cause == m.Stop || m.Raised != "" && f.rec.Cause == m.Raised)
}

func (m *rs8) raised(f *facts) {
	if m.Stop == "" || f.rec.Cause != m.Stop {
		return
	}
	if m.Raised != "" {
		m.add(f, Finding{
			Rule: "RS8", Because: []uint64{m.Seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("the alert of the stop of #%d was raised a second time", m.Seq),
		})
		return
	}
	m.Raised, m.Incident = f.rec.ID, f.rec.Data.(events.AlertRaised).Incident
}

// reminded takes an alert of this run alone: one that was acknowledged in another is
// known there.
func (m *rs8) reminded(f *facts) {
	if m.Raised == "" || f.rec.Cause != m.Raised {
		return
	}
	m.Checked++
	if m.Quiet != "" {
		m.add(f, Finding{
			Rule: "RS8", Because: []uint64{m.Seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("somebody was reminded of the stop of #%d, whose alert was %s", m.Seq, m.Quiet),
		})
	}
}

func (m *rs8) quiet(incident, why string) {
	if m.Raised != "" && incident == m.Incident {
		m.Quiet = why
	}
}

func (m *rs8) delivered(f *facts, channel string) {
	m.Failing = without(m.Failing, channel)
	if !m.tells(f) {
		return
	}
	m.Channels = with(m.Channels, channel)
	m.Checked++
	if slices.Contains(m.Once, channel) {
		m.add(f, Finding{
			Rule: "RS8", Because: []uint64{m.Seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("the stop of #%d was told a second time on channel %s", m.Seq, channel),
		})
	}
	m.Done, m.Once = with(m.Done, channel), with(m.Once, channel)
}

// wait sees whether the stop should have been told by now. A log that took nothing for a
// while takes the alert last: it has a second minute from the first event that is late.
func (m *rs8) wait(f *facts) {
	waited, known := f.at.since(m.At)
	if !known || waited <= tellWithin {
		return
	}
	if !m.Overdue {
		m.Overdue, m.Late = true, f.at
		return
	}
	if more, known := f.at.since(m.Late); !known || more <= tellWithin {
		return
	}
	for _, c := range m.Channels {
		if slices.Contains(m.Done, c) {
			continue
		}
		m.Checked++
		m.Told = true
		m.add(f, Finding{
			Rule: "RS8", Because: []uint64{m.Seq}, Observed: f.past.observing(),
			Text: fmt.Sprintf("the stop of #%d was not told on channel %s, %d s later", m.Seq, c, waited/1e9),
		})
	}
}

// with adds a name to a sorted list that nobody else changes, if there is room.
func with(list []string, name string) []string {
	at, is := slices.BinarySearch(list, name)
	if is || len(list) == maxChannels {
		return list
	}
	return slices.Insert(slices.Clone(list), at, name)
}

// without takes a name from such a list.
func without(list []string, name string) []string {
	at, is := slices.BinarySearch(list, name)
	if !is {
		return list
	}
	return slices.Delete(slices.Clone(list), at, at+1)
}
