package report

import (
	"fmt"
	"strings"
	"time"

	"ibrecorder/events"
)

// Stop is one restart.required with how long everything around it took, in
// nanoseconds of the monotonic clock. A duration is absent if its end is not in
// the stream, or not in the same run of the recorder: nobody can know it then.
type Stop struct {
	Seq    uint64            `json:"seq"`            // of the restart.required
	Time   *time.Time        `json:"time,omitempty"` // RFC 3339, UTC; absent if it is not known
	Reason events.DownReason `json:"reason"`         // what proved that the Gateway is down
	// DetectNS is from the request of the first silent attempt in the row to the stop.
	DetectNS *int64 `json:"detect_ns,omitempty"`
	// AlertNS is from the stop to the first subscriber who was told.
	AlertNS *int64 `json:"alert_ns,omitempty"`
	// ReleaseNS is from the stop to its release.
	ReleaseNS *int64 `json:"release_ns,omitempty"`
	// RecoverNS is from the release to the next attempt that succeeded.
	RecoverNS *int64 `json:"recover_ns,omitempty"`
	// Denied is how many attempts were refused while it stood.
	Denied int64 `json:"denied"`
	// Released, Recovered and Alerted are the sequences of those events, 0 for none.
	Released  uint64 `json:"released,omitempty"`
	Recovered uint64 `json:"recovered,omitempty"`
	Alerted   uint64 `json:"alerted,omitempty"`
	// Until is the last event that was read: what did not come by then may still.
	Until uint64 `json:"until"`
}

// stops follows the stops of a stream.
type stops struct {
	all      []Stop
	required events.Event // of the last one
	released events.Event
	raised   string                  // id of the alert of the last one
	resolved string                  // id of the end of that alert
	asked    map[string]events.Event // requests of attempts without an end
	row      events.Event            // the request that began the row of silent attempts
	last     uint64
	inRow    bool
}

// maxAsked bounds the requests that never got an end in a stream of a storm. IB
// allows 32 clients for one gateway.
const maxAsked = 1024

func (s *stops) done() []Stop {
	out := append([]Stop{}, s.all...)
	for i := range out {
		out[i].Until = s.last
	}
	return out
}

// see takes in the next event. A stop is kept if it is in the range.
func (s *stops) see(e *events.Event, wanted bool) {
	if s.asked == nil {
		s.asked = map[string]events.Event{}
	}
	s.last = e.Seq
	var st *Stop // the last one, if it is the one in required
	if n := len(s.all); n > 0 && s.all[n-1].Seq == s.required.Seq {
		st = &s.all[n-1]
	}
	switch d := e.Data.(type) {
	case events.RecorderStarted:
		clear(s.asked) // nobody asks across a restart
	case events.AttemptRequested:
		if len(s.asked) >= maxAsked {
			clear(s.asked)
		}
		s.asked[e.Attempt] = *e
	case events.AttemptFailed:
		s.failed(e, d.Reason)
	case events.AttemptAbandoned, events.AttemptUnknown:
		delete(s.asked, e.Attempt)
	case events.AttemptDenied:
		delete(s.asked, e.Attempt)
		if st != nil && st.Released == 0 {
			st.Denied += d.Count
		}
	case events.AttemptSucceeded:
		delete(s.asked, e.Attempt)
		s.inRow = false
		if st != nil && st.Released != 0 && st.Recovered == 0 {
			st.Recovered, st.RecoverNS = e.Seq, elapsed(s.released, *e)
		}
	case events.RestartRequired:
		s.required = *e
		if !wanted {
			return
		}
		made := Stop{Seq: e.Seq, Time: utc(e.Time), Reason: d.Reason}
		if s.inRow {
			made.DetectNS = elapsed(s.row, *e)
		}
		s.all = append(s.all, made)
	case events.AlertRaised:
		if e.Cause == s.required.ID {
			s.raised = strings.Clone(e.ID)
		}
	case events.AlertResolved:
		if d.About == events.AboutStop {
			s.resolved = strings.Clone(e.ID)
		}
	case events.AlertDelivered:
		if st != nil && st.Alerted == 0 && (e.Cause == s.required.ID || e.Cause != "" && e.Cause == s.raised) {
			st.Alerted, st.AlertNS = e.Seq, elapsed(s.required, *e)
		}
	case events.RestartAcknowledged:
		s.release(st, e)
	case events.GatewayContradicted:
		if d.Ends {
			s.release(st, e)
		}
	}
}

func (s *stops) release(st *Stop, e *events.Event) {
	s.released, s.inRow = *e, false
	if st != nil && st.Released == 0 {
		st.Released, st.ReleaseNS = e.Seq, elapsed(s.required, *e)
	}
}

// failed begins a row of failures that may end in a stop, or ends it.
func (s *stops) failed(e *events.Event, why events.FailReason) {
	asked, known := s.asked[e.Attempt]
	delete(s.asked, e.Attempt)
	switch why {
	case events.AcceptedNoBytes, events.VersionNoReady, events.DialTimeout, events.ReportedTimeout,
		events.FINBeforeVersion, events.RSTBeforeVersion:
		if !s.inRow {
			if s.row, s.inRow = *e, true; known {
				s.row = asked
			}
		}
	default:
		s.inRow = false
	}
}

func elapsed(a, b events.Event) *int64 {
	if ns, known := events.Elapsed(a, b); known {
		return &ns
	}
	return nil
}

func (st *Stop) sentence() string {
	var parts []string
	add := func(what string, ns *int64, seq uint64) {
		switch {
		case ns != nil:
			parts = append(parts, what+" "+span(*ns))
		case seq != 0:
			parts = append(parts, what+": not known, the recorder was restarted in between")
		}
	}
	add("to detect", st.DetectNS, 0)
	add("to alert", st.AlertNS, st.Alerted)
	if st.Alerted == 0 {
		parts = append(parts, fmt.Sprintf("no alert by #%d", st.Until))
	}
	add("to release", st.ReleaseNS, st.Released)
	if st.Released == 0 {
		parts = append(parts, fmt.Sprintf("it still stands at #%d", st.Until))
	}
	add("to recover", st.RecoverNS, st.Recovered)
	if st.Denied > 0 {
		parts = append(parts, count(int(st.Denied), "attempt")+" denied")
	}
	return strings.Join(parts, " · ")
}
