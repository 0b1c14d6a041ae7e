package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"ibrecorder/events"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const contentType = "application/cloudevents+json"

// recordAround is about what the server stores with an event: its numbers, subject and
// headers.
const recordAround = 250

// Error codes of the server that jetstream does not name.
const (
	codeWrongLastSequence         jetstream.ErrorCode = 10071
	codeWrongLastSequenceConstant jetstream.ErrorCode = 10164
	codeStoreFailed               jetstream.ErrorCode = 10077
	codeNoResources               jetstream.ErrorCode = 10023
	codeStorageExceeded           jetstream.ErrorCode = 10047
)

// follows decides what rec is to a log with this head: its next event (nil,
// nil is not done), already its head (done), or neither (an error).
func follows(head Head, rec events.Record) (done bool, err error) {
	switch {
	case rec.Seq == head.Seq && rec.ID == head.ID && rec.Hash() == head.Hash:
		return true, nil
	case rec.ID == head.ID:
		return false, ErrForked
	case rec.Seq <= head.Seq:
		return false, ErrConflict
	case rec.Seq != head.Seq+1 || rec.Prev != head.Hash:
		return false, ErrNotNext
	}
	return false, nil
}

// Append implements Log.
func (l *JetLog) Append(ctx context.Context, rec events.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.append(ctx, rec)
	if err == nil && l.carried != nil {
		if err = l.consumeNote(); err != nil {
			err = fmt.Errorf("it is on disk: %w", err)
		}
	}
	if err != nil {
		return &AppendError{Gateway: l.gateway, Seq: rec.Seq, ID: rec.ID, Head: l.head, Err: err}
	}
	return nil
}

func (l *JetLog) append(ctx context.Context, rec events.Record) error {
	if l.store.cfg.copied {
		return ErrCopy
	}
	if rec.Gateway != l.gateway {
		return events.ErrGateway
	}
	if err := l.refused(); err != nil { // there is no answer to wait for
		return err
	}
	if !l.known { // perhaps because of a seal whose answer was lost
		if err := l.noticeSeal(ctx, l.current()); err != nil {
			return err
		}
	}
	if l.current().sealed() { // a roll has come halfway
		if err := l.finish(ctx); err != nil {
			return err
		}
	}
	if !l.known {
		if err := l.readBack(ctx); err != nil {
			return err
		}
	}
	if done, err := follows(l.head, rec); done || err != nil {
		return err
	}
	if free, err := l.store.cfg.free(l.store.cfg.Dir); err == nil && free < diskFloor {
		return l.full(nil)
	}
	err := l.publish(ctx, rec)
	if errors.Is(err, ErrFull) && l.grow(ctx) {
		err = l.publish(ctx, rec)
	}
	return err
}

// full says that no more is taken, and how much room there is on the disk if that is why:
// a log that is opened leaves diskReserve free, so one with less is full from the start.
func (l *JetLog) full(why error) error {
	free, err := l.store.cfg.free(l.store.cfg.Dir)
	if err == nil && free < diskReserve {
		return &diskError{free: free}
	}
	if why == nil {
		return ErrFull
	}
	return fmt.Errorf("%w (%w)", ErrFull, why)
}

// grow makes the limit of a full log larger if the disk has more room than it had. It is
// never made smaller while the log is open: what is left of it is kept for stops and
// operators, and append looks at the disk before each event.
func (l *JetLog) grow(ctx context.Context) bool {
	info, err := l.current().stream.Info(ctx)
	if err != nil {
		return false
	}
	grown, err := l.fit(ctx, info, false)
	return grown && err == nil
}

// publish hands the record to the server, once.
func (l *JetLog) publish(ctx context.Context, rec events.Record) error {
	ack, err := l.store.js.PublishMsg(ctx, &nats.Msg{
		Subject: l.prefix + string(rec.Kind()),
		Header: nats.Header{
			jetstream.MsgIDHeader:           {rec.ID},
			jetstream.ExpectedLastSeqHeader: {strconv.FormatUint(rec.Seq-1, 10)},
			"content-type":                  {contentType},
		},
		Data: rec.Raw,
	})
	if err == nil && ack.Sequence == rec.Seq && !ack.Duplicate {
		l.head, l.known = headAt(rec), true
		l.meter.grown += int64(len(rec.Raw)) + recordAround
		return nil
	}
	l.known = false
	var api *jetstream.APIError
	switch {
	case err == nil, errors.As(err, &api) &&
		(api.ErrorCode == codeWrongLastSequence || api.ErrorCode == codeWrongLastSequenceConstant):
		return l.resolve(ctx, rec)
	case api != nil && (api.ErrorCode == codeStoreFailed || api.ErrorCode == codeNoResources || api.ErrorCode == codeStorageExceeded):
		return l.full(err)
	}
	return cmp.Or(l.refused(), l.store.unavailable(err))
}

// refused says that the server gave this log up.
func (l *JetLog) refused() error {
	if why, dead := l.store.log.dead.Load(l.current().name); dead {
		return fmt.Errorf("%w: %w (%s)", ErrUnavailable, ErrDisk, why)
	}
	return nil
}

// resolve asks the log what became of a record that the server took for a
// repetition, or did not expect.
func (l *JetLog) resolve(ctx context.Context, rec events.Record) error {
	if err := l.readBack(ctx); err != nil {
		return err
	}
	done, err := follows(l.head, rec)
	switch {
	case done || err != nil && !errors.Is(err, ErrNotNext):
		return err
	case l.head.Seq+1 == rec.Seq: // the id is known from an older event
		return ErrForked
	}
	return &GapError{Gateway: l.gateway, Want: l.head.Seq + 1, What: "stream sequence"} // it was there
}

func (l *JetLog) readBack(ctx context.Context) error {
	head, err := l.Head(ctx)
	if err != nil {
		return err
	}
	l.head, l.known = head, true
	return nil
}
