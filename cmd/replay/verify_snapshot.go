package main

import (
	"errors"
	"fmt"

	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/source"
	"ibrecorder/store"
)

// recomputed begins to make the snapshot of a data folder anew. It is nil if there is none:
// a young log has none, and that a cache is missing is nothing wrong.
func (t *terminal) recomputed(src *source.Source) (*snapshot.Recomputation, error) {
	if src.Folder == "" {
		return nil, fmt.Errorf("verify: --from-genesis is for a recorder's data folder, and %s is %s", src.Name, src.What)
	}
	var s snapshot.Snapshot
	kept := store.SnapshotsOf(src.Folder, src.Gateway)
	switch found, err := kept.Load(&s); {
	case err != nil:
		return nil, fmt.Errorf("verify: %w; it is a cache: remove it, and the next start reads the whole log", err)
	case !found:
		fmt.Fprintf(t.err, "there is no snapshot to compare: %s does not exist; a recorder keeps one every few thousand events\n", kept.Path())
		return nil, nil
	}
	if s.Fold != fsm.FoldVersion || s.Rules != rule.RuleSet || s.Judge == nil {
		return nil, fmt.Errorf("verify: the snapshot is of fold version %d and rule set %d, and this is %d and %d: compare it with the replay of its own version", s.Fold, s.Rules, fsm.FoldVersion, rule.RuleSet)
	}
	return snapshot.Recompute(s), nil
}

// compared says on standard error what became of the snapshot, for a verdict is not
// about it.
func (t *terminal) compared(again *snapshot.Recomputation, src *source.Source) error {
	err := again.Err()
	if errors.Is(err, snapshot.ErrUnfit) {
		return fmt.Errorf("verify: %w; no recorder goes on from it: remove %s", err, store.SnapshotsOf(src.Folder, src.Gateway).Path())
	}
	if errors.Is(err, snapshot.ErrDiffers) {
		return fmt.Errorf("verify: %w; a recorder that started from it went on from a wrong state: remove %s and start it again", err, store.SnapshotsOf(src.Folder, src.Gateway).Path())
	}
	if err == nil {
		fmt.Fprintf(t.err, "the snapshot of #%d is what the log gives\n", again.Seq())
	}
	return err
}
