package main

import (
	"errors"
	"fmt"
	"runtime/debug"

	"ibrecorder/fsm"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/source"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

func newVerify(t *terminal) *cobra.Command {
	var r report.Range
	var genesis bool
	c := verb(&cobra.Command{
		Use:   "verify SOURCE",
		Short: "Say whether the retry-stop rule held, and prove it",
		Long: `Read a stream once, check its hash chain and judge every rule. The first line is
the verdict: HOLDS (exit 0), VIOLATED (1) or INCONCLUSIVE (3). It is about what
this log can show.

With --from the stream is anchored at that event: what came before is taken as it
is, and the verdict says so.

A verdict never rests on a snapshot. With --from-genesis the snapshot that a recorder
keeps beside its log, to start sooner, is held against what the log gives: it must be
the same state and the same judge, or the exit code is 1.`,
		Example: `  replay verify incident.ndjson
  replay verify ~/.local/state/ibrecorder --gateway live
  replay verify ~/.local/state/ibrecorder --from-genesis
  zcat old.ndjson.gz | replay verify - -o json`,
	})
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	rangeFlags(c, &r)
	c.Flags().BoolVar(&genesis, "from-genesis", false, "hold the recorder's snapshot against the log")
	c.RunE = func(c *cobra.Command, args []string) error { return t.verify(c, args[0], r, genesis) }
	return c
}

// verifyGC is the collector's percentage while a stream is judged. What decoding
// leaves behind is all garbage. Against the default of 100 it was worth between
// nothing and a tenth of the time, as the load of the machine had it.
const verifyGC = 400

func (t *terminal) verify(c *cobra.Command, name string, r report.Range, genesis bool) (err error) {
	style, err := t.style()
	if err == nil {
		err = checkRange(r)
	}
	if err == nil && genesis && r != (report.Range{}) {
		err = errors.New("verify: --from-genesis reads from the first event to the last; leave --from and --to out")
	}
	if err != nil {
		return err
	}
	debug.SetGCPercent(verifyGC)
	src, err := t.open(c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	stream := src.Events(c.Context(), r.From, r.To)
	var again *snapshot.Recomputation
	if genesis {
		if again, err = recomputed(src); err != nil {
			return err
		}
		stream = again.Watch(stream)
	}
	bar := t.progress("verify", src)
	v := report.Verify(bar.watch(stream))
	bar.clear()
	if v.Broken != nil && ofUser(v.Broken) {
		return v.Broken
	}
	v.Source, v.Doubts = name, src.Doubts
	if from, to := v.Span(); from != 0 {
		v.Cite(bar.watch(src.Events(c.Context(), r.From, to)))
		bar.clear()
	}
	if t.output == "json" {
		err = report.WriteVerifyJSON(t.out, v)
	} else {
		err = report.WriteVerify(t.out, v, style)
	}
	if err == nil && again != nil {
		err = t.compared(again, src)
	}
	if err != nil {
		return err
	}
	switch v.Outcome() {
	case rule.Violated:
		return answer{exitNo}
	case rule.Inconclusive:
		return answer{exitInconclusive}
	}
	return nil
}

// recomputed begins to make the snapshot of a data folder anew.
func recomputed(src *source.Source) (*snapshot.Recomputation, error) {
	if src.Folder == "" {
		return nil, fmt.Errorf("verify: --from-genesis is for a recorder's data folder, and %s is %s", src.Name, src.What)
	}
	var s snapshot.Snapshot
	kept := store.SnapshotsOf(src.Folder, src.Gateway)
	switch found, err := kept.Load(&s); {
	case err != nil:
		return nil, fmt.Errorf("verify: %w; it is a cache: remove it, and the next start reads the whole log", err)
	case !found:
		return nil, fmt.Errorf("verify: there is no snapshot to compare: %s does not exist; a recorder keeps one every few thousand events", kept.Path())
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
	if errors.Is(err, snapshot.ErrDiffers) {
		return fmt.Errorf("verify: %w; a recorder that started from it went on from a wrong state: remove %s and start it again", err, store.SnapshotsOf(src.Folder, src.Gateway).Path())
	}
	if err == nil {
		fmt.Fprintf(t.err, "the snapshot of #%d is what the log gives\n", again.Seq())
	}
	return err
}
