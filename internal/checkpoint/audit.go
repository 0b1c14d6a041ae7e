package checkpoint

import (
	"errors"
	"fmt"

	"ibrecorder/events"
	"ibrecorder/internal/veil"
)

// What the lines of a log and its checkpoints can contradict each other in.
var (
	// ErrChanged: the events are not those that were signed.
	ErrChanged = errors.New("not what was signed")
	// ErrCut: some that were signed are missing at an end.
	ErrCut = errors.New("some that were signed are missing")
	// ErrOrigin: another log was signed.
	ErrOrigin = errors.New("another log was signed")
)

// Heads are the salts under which checkpoints commit to the stored bytes, by size. Who
// has none of a size cannot hold that checkpoint against the stored bytes.
type Heads map[uint64]veil.Salt

// Audit holds the lines of a log against its checkpoints as they come. One goroutine uses
// it at a time.
type Audit struct {
	veil   *veil.Veil
	heads  Heads
	rest   []Checkpoint // that are still to be met, by size
	tree   Tree
	origin string
	off    bool // the tree cannot go on
	lost   bool // a checkpoint did not fit, and so no later one will

	// Covered is how many events the last checkpoint that fits covers.
	Covered  uint64
	problems []error
}

// NewAudit begins with the first event. The veil is veil.Veiled for lines that are veiled
// already. The checkpoints are in the order of their sizes, and their signatures checked.
func NewAudit(v *veil.Veil, heads Heads, checkpoints []Checkpoint) *Audit {
	return &Audit{veil: v, heads: heads, rest: checkpoints}
}

// Add takes the next event.
func (a *Audit) Add(rec events.Record) {
	if a.off || len(a.rest) == 0 {
		return // nothing more is signed
	}
	if a.tree.Size == 0 && rec.Seq != 1 {
		a.off = true
		a.found(fmt.Errorf("%w: the events begin at #%d", ErrCut, rec.Seq))
		return
	}
	line, err := a.veil.Line(rec)
	if err != nil {
		a.off = true
		a.found(err)
		return
	}
	a.tree.Add(line.Raw)
	if a.tree.Size == 1 {
		a.origin = Origin(rec.Gateway, line.Hash())
	}
	for len(a.rest) > 0 && a.rest[0].Size == a.tree.Size {
		a.meet(a.rest[0], rec.Hash())
		a.rest = a.rest[1:]
	}
}

func (a *Audit) meet(c Checkpoint, stored events.Hash) {
	salt, full := a.heads[c.Size]
	switch {
	case a.lost:
	case c.Origin != a.origin:
		a.lost = true
		a.found(fmt.Errorf("%w: %s, and these are of %s", ErrOrigin, c.Origin, a.origin))
	case c.Root != a.tree.Root():
		a.lost = true
		a.found(fmt.Errorf("%w: something between #%d and #%d was changed, dropped or put in", ErrChanged, a.Covered+1, c.Size))
	case full && veil.Head(salt, stored).String() != c.Stored:
		a.lost = true
		a.found(fmt.Errorf("%w: the stored bytes of #%d, or of one before it, are others", ErrChanged, c.Size))
	default:
		a.Covered = c.Size
	}
}

func (a *Audit) found(err error) { a.problems = append(a.problems, err) }

// End returns what the lines and the checkpoints contradict each other in, once all lines
// were added.
func (a *Audit) End() []error {
	if len(a.rest) > 0 && !a.off && !a.lost {
		last := a.rest[len(a.rest)-1].Size
		a.found(fmt.Errorf("%w: #%d was signed, and the events end at #%d", ErrCut, last, a.tree.Size))
		a.off = true // told once
	}
	return a.problems
}
