package main

import (
	"errors"
	"fmt"

	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

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
	var m report.Moment
	if at != "" {
		if m, err = report.ParseMoment(at, t.style.Zone); err != nil {
			return err
		}
	}
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error { return t.stateAt(c, src, bar, m, diff) })
}

func (t *terminal) stateAt(c *cobra.Command, src *source.Source, bar *tty.Bar, m report.Moment, diff uint64) (err error) {
	w := newWitness(src)
	snap, broken := report.Rebuild(w.watch(bar.Watch(src.Events(c.Context(), 0, m.Seq))), m)
	if errors.Is(broken, report.ErrEmpty) {
		return errNothing
	}
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
		changes, err := report.Compare(bar.Watch(src.Events(c.Context(), 0, to)), from, to)
		if err != nil {
			return err
		}
		d = &report.Diff{From: from, To: to, Changes: changes}
	}
	bar.Clear()
	if t.output == "json" {
		err = report.WriteStateJSON(t.out, src.Name, snap, d, broken)
	} else {
		err = report.WriteState(t.out, snap, d, t.style)
	}
	return errors.Join(err, notWhole(broken))
}
