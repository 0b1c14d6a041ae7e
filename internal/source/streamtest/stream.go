package streamtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"ibrecorder/events"
)

// Begin is the time of the first event: 00:59:58 in New York.
var Begin = time.Date(2026, 3, 2, 5, 59, 58, 102e6, time.UTC)

// Stream is the log of one gateway while it is written. Take New.
type Stream struct {
	gateway string
	wall    time.Time
	mono    time.Duration
	boot    int
	epoch   uint64
	hash    string // of the policy in force
	prev    events.Hash
	recs    []events.Record
	ids     map[string]string // "kind" and "kind attempt" -> id of the last one
	failed  []string          // ids of the attempts that failed
}

// New returns the stream of a gateway before its first event.
func New(gateway string) *Stream {
	return &Stream{gateway: gateway, wall: Begin, ids: map[string]string{}}
}

// causes are the kinds whose last event, of the same attempt if it has one, led to this one.
var causes = map[events.Kind]string{
	"attempt.permitted":    "attempt.requested",
	"attempt.denied":       "attempt.requested",
	"dial.started":         "attempt.permitted",
	"retry.scheduled":      "attempt.failed",
	"gateway.down":         "attempt.failed",
	"restart.required":     "gateway.down",
	"gateway.observed":     "restart.claimed", // read for it
	"restart.acknowledged": "restart.claimed",
	"alert.delivered":      "restart.required",
}

// After lets time pass.
func (s *Stream) After(d time.Duration) *Stream {
	s.wall, s.mono = s.wall.Add(d), s.mono+d
	return s
}

// Add writes one event. The attempt may be empty; its connection is c-attempt.
func (s *Stream) Add(source, attempt string, data events.Payload) *Stream {
	switch data.(type) {
	case events.RecorderStarted:
		s.boot++
		s.mono = 0
	case events.RestartAcknowledged:
		s.epoch++
	}
	seq := uint64(len(s.recs) + 1)
	e := events.Event{
		ID: fmt.Sprintf("b%d-%s-%d", s.boot, s.gateway, seq), Source: source, Gateway: s.gateway, Time: s.wall,
		Seq: seq, Boot: fmt.Sprintf("b%d", s.boot), Mono: int64(s.mono), Attempt: attempt, Epoch: s.epoch, Prev: s.prev, Data: data,
	}
	if attempt != "" && !strings.HasPrefix(source, "/runner/") {
		e.Conn = "c-" + attempt
	}
	kind := e.Kind()
	if why := causes[kind]; why != "" {
		e.Cause = s.ids[strings.TrimSpace(why+" "+attempt)]
	}
	rec, err := events.NewRecord(e)
	if err != nil {
		panic(fmt.Sprintf("streamtest: %s: %v", kind, err))
	}
	if kind == "attempt.failed" {
		s.failed = append(s.failed, e.ID)
	}
	s.ids[string(kind)], s.ids[string(kind)+" "+attempt] = e.ID, e.ID
	s.recs, s.prev = append(s.recs, rec), rec.Hash()
	return s
}

// Records returns what was written.
func (s *Stream) Records() []events.Record { return slices.Clone(s.recs) }

// NDJSON returns what was written, one event a line.
func (s *Stream) NDJSON() []byte {
	var b bytes.Buffer
	for _, r := range s.recs {
		b.Write(r.Raw)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Len is how many events were written.
func (s *Stream) Len() int { return len(s.recs) }
