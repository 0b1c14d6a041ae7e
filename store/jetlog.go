package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"ibrecorder/events"

	"github.com/nats-io/nats.go/jetstream"
)

// JetLog is the log of one gateway on disk: JetStream streams, one after the other,
// and the mark beside them. It is safe for concurrent use; appends queue.
type JetLog struct {
	gateway string
	prefix  string // of subjects, with the last dot
	store   *Store
	marks   *marker
	check   error                   // what a copy's mark says against it
	parts   atomic.Pointer[[]*part] // oldest first, never empty; a list in it does not change

	archiving sync.Mutex // one Archive at a time; taken before mu

	mu      sync.Mutex // one append at a time; guards the rest, and who may change parts
	head    Head
	meter   meter
	known   bool // head is the log's; false after an append of unknown outcome
	carried *Carried
}

// Log opens the log of a gateway, and creates it if it never existed. It returns
// the same *JetLog every time. *MarkError if the log is not what its high-water
// mark remembers, *GapError if events are missing in it.
func (s *Store) Log(ctx context.Context, gateway string) (*JetLog, error) {
	if err := events.CheckGatewayName(gateway); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("open log of %s: %w", gateway, ErrClosed)
	}
	if l := s.logs[gateway]; l != nil {
		return l, nil
	}
	l, err := s.openLog(ctx, gateway)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", gateway, err)
	}
	s.logs[gateway] = l
	return l, nil
}

func (s *Store) openLog(ctx context.Context, gateway string) (*JetLog, error) {
	l := &JetLog{gateway: gateway, prefix: subjectPrefix(gateway), store: s,
		marks: &marker{path: markPath(s.cfg.Dir, gateway)}}
	mark, marked, err := readMark(s.cfg.Dir, gateway)
	if err != nil && !s.cfg.copied {
		return nil, err
	}
	l.check = err
	note, err := readNote(s.cfg.Dir, gateway)
	if err != nil {
		return nil, err
	}
	l.carried = note

	parts, err := s.partsOf(ctx, gateway)
	missing := err == nil && len(parts) == 0
	l.parts.Store(&parts)
	switch {
	case err != nil:
		return nil, err
	case missing && s.cfg.copied:
		return nil, ErrUnknownGateway
	case missing && marked:
		return nil, s.gone(mark)
	case missing:
		p, err := l.create(ctx, 1, 1, 0)
		if err != nil {
			return nil, err
		}
		l.parts.Store(&[]*part{p})
	}
	if err := l.recover(ctx, mark, marked); err != nil {
		return nil, err
	}
	if s.cfg.copied {
		return l, nil
	}
	if !marked { // a stream is there before its mark, so that a mark proves a stream
		first := Mark{Gateway: gateway}
		if note != nil { // it counts until the first event says so, and that event's own mark is written
			first.Stopped, first.Epoch = note.Stopped, note.Epoch
		}
		if err := l.marks.mark(first, true); err != nil {
			return nil, err
		}
	}
	if l.carried != nil && l.head.Seq > 0 { // the first event is there: a crash came before the note was removed
		return l, l.consumeNote()
	}
	return l, nil
}

// gone says that the server does not have a log that its mark proves. It passes over
// a stream whose description is missing or damaged, and leaves the events.
func (s *Store) gone(mark Mark) error {
	problem := fmt.Sprintf("it is gone, and had %d events", mark.Seq)
	if there, err := partsIn(s.cfg.Dir, mark.Gateway); len(there) > 0 || err != nil {
		path := streamsDir(s.cfg.Dir)
		if len(there) > 0 {
			path = there[len(there)-1].path
		}
		problem = fmt.Sprintf("the embedded server could not take it up from %s, where it had %d events", path, mark.Seq)
	}
	return &MarkError{Gateway: mark.Gateway, Mark: mark, Problem: problem}
}

// recover reads the head and holds the log against its configuration and mark. A roll
// that a crash cut off it finishes, if everything up to the seal is there.
func (l *JetLog) recover(ctx context.Context, mark Mark, marked bool) error {
	err := l.allTakenUp()
	if err == nil {
		err = l.joined()
	}
	for _, p := range *l.parts.Load() {
		if err == nil {
			err = l.unchanged(p, p.stream.CachedInfo().Config)
		}
		if err == nil {
			err = l.gapless(p)
		}
	}
	if p := l.current(); err == nil && !p.sealed() && !l.store.cfg.copied {
		_, err = l.fit(ctx, p.stream.CachedInfo(), true)
	}
	var head Head
	if err == nil {
		head, err = l.Head(ctx)
	}
	if err == nil {
		err = l.held(ctx, head, mark, marked)
	}
	if l.store.cfg.copied {
		l.check = errors.Join(l.check, err)
		return nil
	}
	if err == nil && l.current().sealed() {
		err = l.finish(ctx)
	}
	l.head, l.known = head, err == nil
	return err
}

// joined holds each part against the one before it.
func (l *JetLog) joined() error {
	parts := *l.parts.Load()
	for i, p := range parts[1:] {
		before := parts[i]
		switch {
		case !before.sealed():
			return &FileError{Path: before.name, Problem: "is not sealed, and " + p.name + " follows it", Err: ErrFormat,
				Hint: fmt.Sprintf("recorder log quarantine %s --reason TEXT", l.gateway)}
		case p.n != before.n+1 || p.first != before.last+1:
			return &GapError{Gateway: l.gateway, Want: before.last + 1, Got: p.first, What: "stream sequence"}
		}
	}
	return nil
}

// allTakenUp finds a part that is on disk and that the server passed over.
func (l *JetLog) allTakenUp() error {
	folders, err := partsIn(l.store.cfg.Dir, l.gateway)
	if err != nil {
		return err
	}
	have := *l.parts.Load()
	for _, f := range folders {
		if slices.ContainsFunc(have, func(p *part) bool { return p.n == f.n }) {
			continue
		}
		if last := have[len(have)-1]; f.n == last.n+1 && last.sealed() {
			continue // the part that a roll was about to begin
		}
		return &MarkError{Gateway: l.gateway, Problem: "the embedded server could not take up a part of it from " + f.path}
	}
	return nil
}

// gapless holds the server's own count against its sequences.
func (l *JetLog) gapless(p *part) error {
	st := p.stream.CachedInfo().State
	switch want := st.LastSeq + 1 - p.first; {
	case st.LastSeq >= p.first && st.FirstSeq != p.first:
		return &GapError{Gateway: l.gateway, Want: p.first, Got: st.FirstSeq, What: "stream sequence"}
	case st.Msgs != want:
		return &GapError{Gateway: l.gateway, Want: want, Got: st.Msgs, What: numberOfEvents}
	}
	return nil
}

// held compares the log with its mark.
func (l *JetLog) held(ctx context.Context, head Head, mark Mark, marked bool) error {
	if !marked {
		if head.Seq > 0 {
			return &MarkError{Gateway: l.gateway, Head: head, Problem: fmt.Sprintf("it has %d events and no high-water mark", head.Seq)}
		}
		return nil
	}
	if mark.Gateway == "" { // unreadable, and this is a copy
		return nil
	}
	at := head.Hash
	if 0 < mark.Seq && mark.Seq < head.Seq {
		rec, err := l.get(ctx, mark.Seq)
		if err != nil {
			return err
		}
		at = rec.Hash()
	}
	return mark.against(head, at)
}

// Gateway returns whose log it is.
func (l *JetLog) Gateway() string { return l.gateway }

// Check returns what Log would have refused this log for if it were not a copy.
func (l *JetLog) Check() error { return l.store.ofOriginal(l.check) }

// Head asks the log for its last event.
func (l *JetLog) Head(ctx context.Context) (Head, error) {
	for _, p := range slices.Backward(*l.parts.Load()) {
		head, err := l.headOf(ctx, p)
		if err != nil || head.Seq > 0 {
			return head, err
		}
	}
	return Head{}, nil
}

// headOf is the zero Head of a part without events.
func (l *JetLog) headOf(ctx context.Context, p *part) (Head, error) {
	msg, err := p.stream.GetLastMsgForSubject(ctx, ">")
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		info, err := p.stream.Info(ctx)
		if err != nil {
			return Head{}, fmt.Errorf("head of %s: %w", l.gateway, l.store.unavailable(err))
		}
		if last := info.State.LastSeq; last >= p.first {
			return Head{}, &GapError{Gateway: l.gateway, Want: last, What: "stream sequence"}
		}
		return Head{}, nil
	}
	if err != nil {
		return Head{}, fmt.Errorf("head of %s: %w", l.gateway, l.store.unavailable(err))
	}
	rec, err := l.record(msg.Sequence, msg.Subject, msg.Data)
	if err != nil {
		return Head{}, err
	}
	return headAt(rec), nil
}

// get reads one event.
func (l *JetLog) get(ctx context.Context, seq uint64) (events.Record, error) {
	p, err := l.holding(seq)
	if err != nil {
		return events.Record{}, err
	}
	msg, err := p.stream.GetMsg(ctx, seq)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return events.Record{}, &GapError{Gateway: l.gateway, Want: seq, What: "stream sequence"}
	case err != nil:
		return events.Record{}, fmt.Errorf("read event %d of %s: %w", seq, l.gateway, l.store.unavailable(err))
	}
	return l.record(msg.Sequence, msg.Subject, msg.Data)
}

// record decodes what is stored at seq and checks that it belongs there.
func (l *JetLog) record(seq uint64, subject string, data []byte) (events.Record, error) {
	rec, err := events.ParseRecord(data)
	switch {
	case err != nil:
		return events.Record{}, fmt.Errorf("event %d of %s: %w", seq, l.gateway, err)
	case rec.Seq != seq:
		return events.Record{}, &GapError{Gateway: l.gateway, Want: seq, Got: rec.Seq, What: "event sequence"}
	case rec.Gateway != l.gateway:
		return events.Record{}, fmt.Errorf("event %d of %s: %w: it is of %s", seq, l.gateway, events.ErrGateway, rec.Gateway)
	case len(subject) <= len(l.prefix) || subject[len(l.prefix):] != string(rec.Kind()):
		return events.Record{}, fmt.Errorf("event %d of %s: stored under %s and is a %s: %w", seq, l.gateway, subject, rec.Kind(), ErrDamaged)
	}
	return rec, nil
}

// Usage returns how many bytes the log takes in this folder, rolled parts included, and
// how many it may take.
func (l *JetLog) Usage(ctx context.Context) (used, limit int64, err error) {
	p := l.current()
	info, err := p.stream.Info(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("usage of %s: %w", l.gateway, l.store.unavailable(err))
	}
	rolled := l.sealedBytes()
	if p.sealed() { // in the middle of a roll
		return rolled, max(rolled, l.store.cfg.MaxBytes), nil
	}
	return rolled + int64(info.State.Bytes), rolled + info.Config.MaxBytes, nil
}

// Mark remembers that the log reaches m: at once and synced if now is set, which
// every stop and every release want, otherwise within a second. What was asked
// for last is written at Close. m.Seq must be in the log already. An error may be
// that of an earlier mark; the newest is kept for the next attempt.
func (l *JetLog) Mark(m Mark, now bool) error {
	l.mu.Lock()
	head, known := l.head, l.known
	l.mu.Unlock()
	switch {
	case l.store.cfg.copied:
		return fmt.Errorf("mark %s: %w", l.gateway, ErrCopy)
	case known && m.Seq > head.Seq:
		return fmt.Errorf("mark %s at %d: %w, it ends at %d", l.gateway, m.Seq, ErrNotNext, head.Seq)
	case m.Gateway != l.gateway:
		return fmt.Errorf("mark %s: the mark is of %q", l.gateway, m.Gateway)
	}
	return l.marks.mark(m, now)
}

// Carried returns what the first event of this log must tell of the one that was
// set aside before it, until that first event is on disk.
func (l *JetLog) Carried() (Carried, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.carried == nil {
		return Carried{}, false
	}
	return *l.carried, true
}

// consumeNote forgets the note; the first event says it from now on.
func (l *JetLog) consumeNote() error {
	path := notePath(l.store.cfg.Dir, l.gateway)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forget the quarantine of %s: %w", l.gateway, err)
	}
	l.carried = nil
	return nil
}
