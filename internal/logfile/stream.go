package logfile

import (
	"fmt"

	"ibrecorder/events"
)

// stream stamps what was read, as an imported history: no monotonic time, no epoch, and
// no time where the zone of the printed one is not known.
type stream struct {
	gateway string
	redact  *events.Redactor
	emit    func(events.Record) error
	seq     uint64
	prev    events.Hash
	err     error // the first that emit returned; nothing is written after it
	sum     *Summary
}

func (s *stream) write(source, attempt string, at when, d events.Payload) {
	if s.err != nil {
		return
	}
	draft := events.Draft{Source: source, Attempt: attempt, SourceTime: at.printed, Data: d}
	rec, err := events.NewRecord(s.redact.Event(draft, events.Stamp{
		Gateway: s.gateway, Time: at.utc, Seq: s.seq + 1, Boot: events.BootImport, Mono: events.NoMono, Prev: s.prev,
	}))
	if err == nil {
		err = s.emit(rec)
	}
	if err != nil {
		s.err = fmt.Errorf("write event %d of the import: %w", s.seq+1, err)
		return
	}
	s.seq, s.prev = rec.Seq, rec.Hash()
	s.sum.Events++
	if at.utc.IsZero() && s.seq > 1 {
		s.sum.Timeless++
	}
}
