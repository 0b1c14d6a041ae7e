package main

import (
	"errors"
	"fmt"

	"ibrecorder/events"
	"ibrecorder/internal/diff"
	"ibrecorder/internal/report"
	"ibrecorder/internal/source"

	"github.com/spf13/cobra"
)

func newDiff(t *terminal) *cobra.Command {
	var other string
	var most int
	c := verb(&cobra.Command{
		Use:   "diff A B",
		Short: "Compare two streams by what their events mean",
		Long: `Compare two streams: which events are of the same kind, for the same reason, in
the same order. Ids, times and sequences are none of the difference. The first
divergence comes with what is around it, then every other place that differs, what
there is more of, and how long the gate and the Gateway were in each state.

Exit code 0 says that they are the same, 1 that they are not.`,
		Example: `  replay diff yesterday.ndjson today.ndjson
  replay diff ~/.local/state/ibrecorder ~/.local/state/ibrecorder --gateway live --gateway-b paper
  replay diff before.ndjson after.ndjson -o json`,
	})
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) != 2:
			return fmt.Errorf("diff: two sources are compared, and there are %d; for example: replay diff yesterday.ndjson today.ndjson", len(args))
		case args[0] == "-" && args[1] == "-":
			return errors.New("diff: standard input is one stream; name a file for the other")
		}
		return nil
	}
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	c.Flags().StringVar(&other, "gateway-b", "", "`NAME` of the gateway of B, where it has several (default: --gateway)")
	c.Flags().IntVar(&most, "align", 20_000, "how many events, `N`, may differ for the rest to be aligned; the time grows with their square")
	c.RunE = func(c *cobra.Command, args []string) error { return t.diff(c, args[0], args[1], other, most) }
	return c
}

func (t *terminal) diff(c *cobra.Command, a, b, other string, most int) (err error) {
	if most < 0 {
		return fmt.Errorf("diff: --align %d; take 0 or more", most)
	}
	var words diff.Words
	srcA, sideA, brokenA, err := t.readSide(c, a, &words)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srcA.Close()) }()
	if other != "" {
		t.gateway = other
	}
	srcB, sideB, brokenB, err := t.readSide(c, b, &words)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srcB.Close()) }()

	d := report.SideBySide{Difference: diff.Align(sideA, sideB, most), SourceA: a, SourceB: b}
	d.AroundA, d.AroundB = around(c, srcA, &d, sideA), around(c, srcB, &d, sideB)
	broken := errors.Join(brokenA, brokenB)
	if t.output == "json" {
		err = report.WriteSideBySideJSON(t.out, d, broken)
	} else {
		err = report.WriteSideBySide(t.out, d, t.style)
	}
	switch {
	case err != nil || broken != nil:
		return errors.Join(err, notWhole(broken))
	case !d.Same():
		return answer{exitNo}
	}
	return nil
}

// readSide opens and reads one of the two. The third result is why it is not whole, if it
// is not.
func (t *terminal) readSide(c *cobra.Command, name string, words *diff.Words) (src *source.Source, side *diff.Side, broken, err error) {
	if src, err = t.open(c, name); err != nil {
		return nil, nil, nil, err
	}
	bar := t.bar("diff", src)
	defer bar.Clear()
	side, broken = diff.Read(newWitness(src).tell(bar.Watch(src.Events(c.Context(), 0, 0))), words)
	switch {
	case errors.Is(broken, diff.ErrWords), ofUser(broken):
		return nil, nil, nil, errors.Join(broken, src.Close())
	case broken != nil && side.Events() == 0:
		return nil, nil, nil, errors.Join(fmt.Errorf("%s: %w: %w", name, errNothing, broken), src.Close())
	case broken != nil:
		broken = fmt.Errorf("%s: %w", name, broken)
	case side.Events() == 0:
		broken = fmt.Errorf("%s: %w", name, errNothing)
	}
	return src, side, broken, nil
}

// around reads the events around the first divergence a second time. What cannot be read
// again is left out: why the stream is not whole is told anyway.
func around(c *cobra.Command, src *source.Source, d *report.SideBySide, side *diff.Side) (out []events.Event) {
	from, to := d.Around(side)
	if from == 0 {
		return nil
	}
	for rec, err := range src.Events(c.Context(), from, to) {
		if err != nil {
			break
		}
		out = append(out, rec.Event)
	}
	return out
}
