package bundle

import (
	"errors"
	"fmt"
	"iter"

	"ibrecorder/events"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/veil"

	"golang.org/x/mod/sumdb/note"
)

// What a bundle can be wrong in beside what package checkpoint finds.
var (
	// ErrHeader: what it says of itself is not so.
	ErrHeader = errors.New("what the bundle says of itself is not so")
	// ErrUnchecked: something that it takes to check a signature is missing.
	ErrUnchecked = errors.New("a signature cannot be checked")
)

// Exam holds the events of one bundle against its signatures while they are read. One
// goroutine uses it at a time.
type Exam struct {
	// Key is the name of the key that the signatures are held against, "" if there is none.
	Key string
	// Given says that the key is not the one in the bundle, which proves nothing about who
	// signed.
	Given bool
	// Checkpoints is how many were signed with the key.
	Checkpoints int

	header   Header
	audit    *checkpoint.Audit
	shown    error // the first thing that a redacted bundle shows
	problems []error
	seen     Header
}

// Examine begins the exam of a bundle with the public key that the caller trusts, nil for
// the one that is in the bundle. The error is ErrBundle or veil.ErrSalts.
func (b *Bundle) Examine(key note.Verifier) (*Exam, error) {
	x := &Exam{Given: key != nil, header: b.Header, seen: Header{Format: format, Redacted: b.Header.Redacted, MadeBy: b.Header.MadeBy}}
	if key == nil && b.Signed.Key != "" {
		var err error
		if key, err = checkpoint.ParseKey(b.Signed.Key); err != nil {
			x.found(fmt.Errorf("%s: %w", keyFile, err))
		}
	}
	var signed []checkpoint.Checkpoint
	if key != nil {
		x.Key = checkpoint.KeyName(key)
		signed = x.open(b.Signed.Checkpoints, key)
	} else if len(b.Signed.Checkpoints) > 0 {
		x.found(fmt.Errorf("%w: it has checkpoints and no public key; add --key", ErrUnchecked))
	}
	x.Checkpoints = len(signed)
	v, err := x.veil(b, signed)
	if err != nil {
		return nil, err
	}
	x.audit = checkpoint.NewAudit(v, b.Signed.Heads, signed)
	return x, nil
}

// open checks the signatures. What one key has not signed is told once.
func (x *Exam) open(saved []checkpoint.Saved, key note.Verifier) (signed []checkpoint.Checkpoint) {
	others := 0
	for _, s := range saved {
		c, err := checkpoint.Open(s.Text, key)
		switch {
		case errors.Is(err, checkpoint.ErrSigner):
			if others++; others == 1 {
				x.found(fmt.Errorf("the checkpoint at #%d is %w", s.Size, err))
			}
		case err != nil:
			x.found(fmt.Errorf("the checkpoint at #%d: %w", s.Size, err))
		case c.Size != s.Size:
			x.found(fmt.Errorf("the checkpoint at #%d: %w: it is of #%d", s.Size, checkpoint.ErrNote, c.Size))
		default:
			signed = append(signed, c)
		}
	}
	return signed
}

// veil returns what makes leaves of the lines.
func (x *Exam) veil(b *Bundle, signed []checkpoint.Checkpoint) (*veil.Veil, error) {
	if b.Header.Redacted {
		return veil.Veiled(), nil
	}
	given, err := b.Given()
	if err != nil {
		return nil, err
	}
	if given == nil && len(signed) > 0 {
		x.found(fmt.Errorf("%w: there are no salts, so nothing says what the leaves were", ErrUnchecked))
		given = new(veil.Given)
	}
	for _, c := range signed {
		if _, ok := b.Signed.Heads[c.Size]; !ok {
			x.found(fmt.Errorf("%w: the salt of the stored bytes of #%d is missing", ErrUnchecked, c.Size))
		}
	}
	if given == nil {
		return veil.Veiled(), nil // nothing is signed, and no line is looked at
	}
	return veil.New(given, events.Hash{}), nil
}

func (x *Exam) found(err error) { x.problems = append(x.problems, err) }

// Watch passes the events of the bundle on, all of them, and looks at each.
func (x *Exam) Watch(in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range in {
			if err == nil {
				x.add(rec)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func (x *Exam) add(rec events.Record) {
	if x.seen.Events++; x.seen.Events == 1 {
		x.seen.Gateway, x.seen.First = rec.Gateway, rec.Seq
	}
	x.seen.Last, x.seen.Head = rec.Seq, rec.Hash()
	if x.header.Redacted && x.shown == nil {
		_, x.shown = veil.Veiled().Line(rec)
	}
	if x.shown == nil {
		x.audit.Add(rec)
	}
}

// Covered is how many events a signature covers, from the first on.
func (x *Exam) Covered() uint64 { return x.audit.Covered }

// Last is the sequence of the last event that was read.
func (x *Exam) Last() uint64 { return x.seen.Last }

// End returns what is wrong with the bundle, once all events were read.
func (x *Exam) End() []error {
	all := x.problems[:len(x.problems):len(x.problems)]
	if x.shown != nil {
		all = append(all, x.shown)
	} else {
		all = append(all, x.audit.End()...)
	}
	if x.seen != x.header {
		all = append(all, fmt.Errorf("%w: %d events of %s from #%d to #%d with the head %.12s, and it has %d of %s from #%d to #%d with %.12s", ErrHeader,
			x.header.Events, x.header.Gateway, x.header.First, x.header.Last, x.header.Head, x.seen.Events, x.seen.Gateway, x.seen.First, x.seen.Last, x.seen.Head))
	}
	return all
}
