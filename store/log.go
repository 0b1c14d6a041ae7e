package store

import (
	"context"
	"iter"

	"ibrecorder/events"
)

// Head is the last event of a log; the zero Head is that of an empty log.
type Head struct {
	Seq  uint64
	ID   string
	Hash events.Hash
}

// headAt is the head that rec makes.
func headAt(rec events.Record) Head {
	return Head{Seq: rec.Seq, ID: rec.ID, Hash: rec.Hash()}
}

// Handler takes one event from Consume. After an error the same event comes again.
type Handler = func(context.Context, events.Record) error

// Log is the history of one gateway. *JetLog keeps it on disk, *Memory in
// memory; storetest.Run holds both to the same sentences. Whoever needs less
// declares a smaller interface.
type Log interface {
	// Append makes rec the head. It must follow the head: the next sequence, and
	// the head's hash as Prev. On return it is on disk. Appending the head once
	// more is a success, so that a call whose answer was lost can be repeated.
	// An *AppendError wraps ErrConflict, ErrForked, ErrNotNext, ErrFull,
	// ErrUnavailable, with ErrDisk if only a restart helps, a *GapError if the log
	// has lost events, ErrCopy, or events.ErrGateway for an event of another gateway. It
	// may also say that the event is on disk and the note of a quarantine, which it
	// repeats, could not be removed; appending it once more tries that again.
	Append(ctx context.Context, rec events.Record) error

	// Head returns the last event.
	Head(ctx context.Context) (Head, error)

	// Read yields the events from..to, both included, in order; from 0 is 1, and
	// to 0 is the head at the time of the call. It ends early only with an error:
	// *GapError, *events.DecodeError, ErrUnavailable, ErrClosed or the context's.
	// The hash chain is for events.Chain to check.
	Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error]

	// Tail yields what is there from sequence from on and then what comes, until
	// the context ends; the last pair is always an error.
	Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error]

	// Consume hands every event of the given kinds (none: all), from the first of
	// the log on and in order, to handle, and moves on when handle returned nil.
	// After an error the event comes again, later each time. The position is kept
	// under the name durable. It is at least once: the position is not synced, so
	// after a crash events come again that were handled (nats-server writes it at
	// most every 100 ms, and about 20 were redelivered after each kill -9).
	// A handler with effects needs a cursor of its own. Consume returns when ctx
	// ends or the log breaks, always with an error.
	Consume(ctx context.Context, durable string, kinds []events.Kind, handle Handler) error
}

var (
	_ Log = (*JetLog)(nil)
	_ Log = (*Memory)(nil)
)
