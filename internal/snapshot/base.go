package snapshot

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
)

// ErrNoBase: a log does not begin with event 1, and what was made of the events before
// is not there or not of this log.
var ErrNoBase = errors.New("what was made of the archived events is missing")

// Keeper has one snapshot in a file; *store.Snapshots is one.
type Keeper interface {
	Load(v any) (found bool, err error)
}

// Progress is a fold and a judge on their way through a log. It begins with the first
// event, or where the base of an archived log ends.
type Progress struct {
	State  fsm.State
	Judge  *rule.Judge
	GateAt time.Time
	Chain  events.Chain

	gateway string
	folder  *fsm.Folder
	base    *Snapshot // while its event has not come
}

// Begin is before the first event of a gateway's log.
func Begin(gateway string) *Progress {
	return &Progress{State: fsm.Initial(), Judge: rule.New(), gateway: gateway, folder: fsm.NewFolder()}
}

// Step takes the next event of the log. With the first it finds out whether a base is
// needed, which is that of every event up to its own. skipped is true for what the base
// has made something of already. The error is ErrNoBase, or a *events.ChainError.
func (p *Progress) Step(rec events.Record, base Keeper) (found []rule.Finding, skipped bool, err error) {
	if last, _ := p.Chain.Head(); last == 0 && rec.Seq > 1 {
		if err := p.rest(rec, base); err != nil {
			return nil, false, err
		}
	}
	if err := p.Chain.Add(rec); err != nil {
		return nil, false, err
	}
	if b := p.base; b != nil {
		switch {
		case rec.Seq < b.Seq:
			return nil, true, nil
		case rec.Hash() != b.Hash:
			return nil, false, fmt.Errorf("log of %s: %w: it ends with another event %d than the log has", p.gateway, ErrNoBase, b.Seq)
		}
		p.base = nil
		return nil, true, nil
	}
	before := p.State.Gate
	p.State = p.folder.Apply(p.State, rec.Event)
	if p.State.Gate != before || rec.Seq == 1 {
		p.GateAt = rec.Time
	}
	return p.Judge.Step(rec), false, nil
}

// rest makes the progress that of the base; first is the first event that the log has.
func (p *Progress) rest(first events.Record, base Keeper) error {
	fail := func(why error) error {
		return fmt.Errorf("log of %s: it begins with event %d, and %w: %w; bring back the folder base from a copy, or: recorder log quarantine %s --reason TEXT", p.gateway, first.Seq, ErrNoBase, why, p.gateway)
	}
	var b Snapshot
	found, err := false, error(nil)
	if base != nil {
		found, err = base.Load(&b)
	}
	switch {
	case err != nil:
		return fail(err)
	case !found:
		return fail(errors.New("there is none"))
	}
	if err := b.Sound(p.gateway); err != nil {
		return fail(err)
	}
	switch {
	case b.Seq+1 < first.Seq:
		return fail(fmt.Errorf("it ends with event %d", b.Seq))
	case b.Seq+1 == first.Seq && first.Prev != b.Hash:
		return fail(fmt.Errorf("event %d does not follow it", first.Seq))
	case b.Seq >= first.Seq: // an archive that a crash cut off
		p.base = &b
	}
	p.State, p.Judge, p.GateAt = b.State, b.Judge, b.GateAt
	return nil
}

// Base returns what a start needs of the events up to last, which the log has: in is the
// log from its beginning, older the base of what was archived before.
func Base(build, gateway string, in iter.Seq2[events.Record, error], older Keeper, last uint64) (Snapshot, error) {
	p := Begin(gateway)
	for rec, err := range in {
		if err == nil {
			_, _, err = p.Step(rec, older)
		}
		if err != nil {
			return Snapshot{}, err
		}
		if rec.Seq == last {
			break
		}
	}
	seq, head := p.Chain.Head()
	if seq != last || p.base != nil {
		return Snapshot{}, fmt.Errorf("log of %s: event %d is not there", gateway, last)
	}
	s := Of(build, p.State, p.Judge, head)
	s.GateAt = p.GateAt
	return s, nil
}
