package rule

import (
	"fmt"
	"slices"

	"ibrecorder/events"
)

// tellWithin is how long a stop may go untold while the recorder goes on writing, in
// nanoseconds. A command has 20 s.
const tellWithin = 60e9

// maxChannels is how many are judged; there is one so far.
const maxChannels = 8

// rs8: a stop is told on every channel that is known, soon and once.
type rs8 struct {
	tally
	Stop     string // id of the last restart.required of this run, "" if it is none of ours to judge
	Seq      uint64
	At       moment
	Over     bool     // it ended, and nobody need be told of it any more
	Late     moment   // of the first event that was too late
	Overdue  bool     // there was one
	Told     bool     // that it was not told
	Channels []string // that told something, or tried, in this run; sorted
	Done     []string // of them, those that told of this stop, or tried
	Once     []string // those that are done with it
}

func (m *rs8) forget() { *m = rs8{tally: m.tally} }

func (m *rs8) step(f *facts) {
	switch f.kind {
	case recorderStarted:
		m.forget() // its channels may be others
	case restartRequired:
		m.Stop, m.Seq, m.At, m.Over = f.rec.ID, f.rec.Seq, f.at, f.imported
		m.Overdue, m.Told, m.Done, m.Once = false, false, nil, nil
		if f.imported {
			m.Stop = ""
		}
	case restartAcknowledged, gatewayContradicted:
		if d, contradicted := f.rec.Data.(events.GatewayContradicted); !contradicted || d.Ends {
			m.Over = true
		}
	case alertDelivered:
		m.delivered(f, f.rec.Data.(events.AlertDelivered).Channel)
	case alertFailed: // the channel is at fault, whatever it was to tell of
		c := f.rec.Data.(events.AlertFailed).Channel
		m.Channels, m.Done = with(m.Channels, c), with(m.Done, c)
	}
	if m.Stop != "" && !m.Over && !m.Told {
		m.wait(f)
	}
}

func (m *rs8) delivered(f *facts, channel string) {
	m.Channels = with(m.Channels, channel)
	if m.Stop == "" || f.rec.Cause != m.Stop {
		return
	}
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
