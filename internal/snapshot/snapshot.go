package snapshot

import (
	"errors"
	"fmt"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
)

// ErrUnfit: the snapshot is not to be used; the log is read from its first event.
var ErrUnfit = errors.New("the snapshot does not fit")

// Snapshot is taken when everything that follows from the event Seq is in the log:
// its decisions, and what the judge has found.
type Snapshot struct {
	Gateway string `json:"gateway"`
	// Build names the code that wrote it, to the commit.
	Build string `json:"build"`
	Fold  int    `json:"fold_version"`
	Rules int    `json:"rule_set"`

	Seq  uint64      `json:"seq"`
	Hash events.Hash `json:"hash"` // of the event at Seq

	GateAt  time.Time `json:"gate_at"`           // when the gate came into its state, as the log has it
	Reports []Report  `json:"reports,omitempty"` // that would be known again, oldest first

	StateHash events.Hash `json:"state_hash"`
	State     fsm.State   `json:"state"`
	Judge     *rule.Judge `json:"judge"`
}

// Report is an event that a reporter may send again.
type Report struct {
	ID  string `json:"id"`
	Seq uint64 `json:"seq"`
}

// Of returns the snapshot of a state and the judge beside it, head being the hash of the
// last event of both.
func Of(build string, s fsm.State, j *rule.Judge, head events.Hash) Snapshot {
	return Snapshot{
		Gateway: s.Gateway, Build: build, Fold: fsm.FoldVersion, Rules: rule.RuleSet,
		Seq: s.Seq, Hash: head, StateHash: s.Hash(), State: s, Judge: j,
	}
}

// Fits returns nil if s was made by this very code and is whole. The error wraps
// ErrUnfit and says why not. Whether the log has its event is for the caller to see.
func (s Snapshot) Fits(gateway, build string) error {
	if s.Build != build || build == "" {
		return fmt.Errorf("%w: recorder %q wrote it, and this is %q", ErrUnfit, s.Build, build)
	}
	return s.Sound(gateway)
}

// Sound is Fits for the base of a log whose first part was archived: it must serve every
// build of the same fold and the same rules, because there is nothing else to go on from.
func (s Snapshot) Sound(gateway string) error {
	var why string
	switch {
	case s.Gateway != gateway:
		why = fmt.Sprintf("it is of gateway %q", s.Gateway)
	case s.Fold != fsm.FoldVersion:
		why = fmt.Sprintf("it is of fold version %d, and this is %d", s.Fold, fsm.FoldVersion)
	case s.Rules != rule.RuleSet:
		why = fmt.Sprintf("it is of rule set %d, and this is %d", s.Rules, rule.RuleSet)
	case s.Judge == nil || s.State.Seq != s.Seq:
		why = "it is not whole"
	case s.State.Hash() != s.StateHash:
		why = "its state is not the one that its hash stands for"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrUnfit, why)
}
