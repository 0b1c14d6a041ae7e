package store

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"ibrecorder/events"
)

// Memory is a Log that forgets everything at the end of the process, for tests
// and for simulations. It runs inside a synctest bubble.
type Memory struct {
	gateway string

	mu      sync.Mutex // guards the rest
	recs    []events.Record
	grown   chan struct{} // closed, and replaced, at each append
	cursors map[string]uint64
	mark    Mark
}

// NewMemory returns the empty log of a gateway.
func NewMemory(gateway string) *Memory {
	return &Memory{gateway: gateway, grown: make(chan struct{}), cursors: make(map[string]uint64)}
}

// Append implements Log.
func (m *Memory) Append(ctx context.Context, rec events.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	head := m.head()
	err := ctx.Err()
	done := false
	if err == nil && rec.Gateway != m.gateway {
		err = events.ErrGateway
	}
	if err == nil {
		done, err = follows(head, rec)
	}
	if err != nil {
		return &AppendError{Gateway: m.gateway, Seq: rec.Seq, ID: rec.ID, Head: head, Err: err}
	}
	if !done {
		rec.Raw = slices.Clone(rec.Raw)
		m.recs = append(m.recs, rec)
		close(m.grown)
		m.grown = make(chan struct{})
	}
	return nil
}

func (m *Memory) head() Head {
	if len(m.recs) == 0 {
		return Head{}
	}
	return headAt(m.recs[len(m.recs)-1])
}

// Head implements Log.
func (m *Memory) Head(ctx context.Context) (Head, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head(), ctx.Err()
}

// Read implements Log.
func (m *Memory) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		m.mu.Lock()
		recs := m.recs // what is in it never changes
		m.mu.Unlock()
		from, to := bounds(from, to, uint64(len(recs)))
		for seq := from; seq <= to; seq++ {
			if ctx.Err() != nil {
				yield(events.Record{}, fmt.Errorf("read %s from event %d: %w", m.gateway, seq, context.Cause(ctx)))
				return
			}
			if !yield(recs[seq-1], nil) {
				return
			}
		}
		if from > to && ctx.Err() != nil {
			yield(events.Record{}, fmt.Errorf("read %s from event %d: %w", m.gateway, from, context.Cause(ctx)))
		}
	}
}

// Tail implements Log.
func (m *Memory) Tail(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for seq := max(from, 1); ; seq++ {
			rec, err := m.wait(ctx, seq)
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// wait returns the event at seq once there is one.
func (m *Memory) wait(ctx context.Context, seq uint64) (events.Record, error) {
	for {
		m.mu.Lock()
		recs, grown := m.recs, m.grown
		m.mu.Unlock()
		if ctx.Err() != nil {
			return events.Record{}, fmt.Errorf("read %s from event %d: %w", m.gateway, seq, context.Cause(ctx))
		}
		if seq <= uint64(len(recs)) {
			return recs[seq-1], nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
		}
	}
}

// Consume implements Log.
func (m *Memory) Consume(ctx context.Context, durable string, kinds []events.Kind, handle Handler) error {
	m.mu.Lock()
	seq := m.cursors[durable] + 1
	m.mu.Unlock()
	for tries := uint64(1); ; {
		rec, err := m.wait(ctx, seq)
		if err != nil {
			return fmt.Errorf("consume %s as %s: %w", m.gateway, durable, err)
		}
		if len(kinds) == 0 || slices.Contains(kinds, rec.Kind()) {
			if err := handle(ctx, rec); err != nil {
				pause(ctx, wait(tries, err))
				tries++
				continue
			}
		}
		m.mu.Lock()
		m.cursors[durable] = seq
		m.mu.Unlock()
		seq, tries = seq+1, 1
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// Mark remembers m, as a *JetLog does on disk.
func (m *Memory) Mark(mark Mark, _ bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mark.Seq > uint64(len(m.recs)) {
		return fmt.Errorf("mark %s at %d: %w, it ends at %d", m.gateway, mark.Seq, ErrNotNext, len(m.recs))
	}
	m.mark = mark
	return nil
}

// Marked returns the last Mark.
func (m *Memory) Marked() Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark
}

// Carried implements what *JetLog has; no log comes before one in memory.
func (m *Memory) Carried() (Carried, bool) { return Carried{}, false }
