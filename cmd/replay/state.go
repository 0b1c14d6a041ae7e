package main

import (
	"errors"
	"fmt"

	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

func newState(t *terminal) *cobra.Command {
	var at string
	var diff uint64
	c := verb(&cobra.Command{
		Use:   "state SOURCE",
		Short: "Show the state at a moment, and what changed until then",
		Long: `Fold the events up to a moment and show the state: everything the recorder knew
then. --at takes a sequence or a time; a time means the last event before the
first one that is later. With --diff it shows what changed between that sequence
and the moment, field by field, and the first event that changed each.`,
		Example: `  replay state incident.ndjson
  replay state incident.ndjson --at 18 --diff 17
  replay state incident.ndjson --at 2026-03-02T01:00:41-05:00 -o json`,
	})
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	c.Flags().StringVar(&at, "at", "", "`SEQ` of an event, or a time (default: the end)")
	c.Flags().Uint64Var(&diff, "diff", 0, "show what changed between the event `SEQ` and the moment")
	c.RunE = func(c *cobra.Command, args []string) error { return t.state(c, args[0], at, diff) }
	return c
}

func (t *terminal) state(c *cobra.Command, name, at string, diff uint64) (err error) {
	style, err := t.style()
	var m report.Moment
	if err == nil && at != "" {
		m, err = report.ParseMoment(at, style.Zone)
	}
	if err != nil {
		return err
	}
	src, err := t.open(c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	bar := t.progress("state", src)
	defer bar.clear()
	w := newWitness(src)
	snap, broken := report.Rebuild(w.watch(bar.watch(src.Events(c.Context(), 0, m.Seq))), m)
	if broken != nil && (ofUser(broken) || m != report.Moment{} || snap.First == 0) {
		return errors.Join(broken, notWhole(w.err()))
	}
	if broken == nil {
		broken = w.err()
	}
	var d *report.Diff
	if diff != 0 {
		from, to := min(diff, snap.Event.Seq), max(diff, snap.Event.Seq)
		if from == to {
			return fmt.Errorf("%w: --diff %d is the moment itself; take another sequence", report.ErrMoment, diff)
		}
		changes, err := report.Compare(bar.watch(src.Events(c.Context(), 0, to)), from, to)
		if err != nil {
			return err
		}
		d = &report.Diff{From: from, To: to, Changes: changes}
	}
	bar.clear()
	if t.output == "json" {
		err = report.WriteStateJSON(t.out, name, snap, d, broken)
	} else {
		err = report.WriteState(t.out, snap, d, style)
	}
	return errors.Join(err, notWhole(broken))
}
