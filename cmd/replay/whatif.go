package main

import (
	"errors"

	"ibrecorder/events"
	"ibrecorder/internal/config"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"
	"ibrecorder/internal/whatif"

	"github.com/spf13/cobra"
)

func newWhatIf(t *terminal) *cobra.Command {
	var files, presets []string
	var mode string
	c := verb(&cobra.Command{
		Use:   "whatif SOURCE",
		Short: "Say what another policy would have decided, and whom it would have held",
		Long: `Ask a recorded history what another policy would have done. --policy names a file:
a recorder's configuration, its policy section by itself, or the policy.yaml of a
test stream; --preset a preset. Several may be asked at once; without any both
presets are.

With --mode mask (the default) the policy runs as the recorder does, over the facts
that were recorded: which attempts would not have been made? With --mode decisions
it is asked at each recorded state: what would it have said there?

What is SOUND follows from the log alone. Where the policy decides otherwise, what
comes later would have gone on otherwise, and is marked as recorded. There is no
third mode that says how it would have ended: that would be a MODEL.`,
		Example: `  replay whatif testdata/streams/INC-06-five-retries --preset handoff --preset lenient
  replay whatif incident.ndjson --policy recorder.yaml
  replay whatif ~/.local/state/ibrecorder --gateway live --policy new.yaml --mode decisions`,
	})
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	c.Flags().StringArrayVar(&files, "policy", nil, "`FILE` with a policy; may be given several times")
	c.Flags().StringArrayVar(&presets, "preset", nil, "a preset, `NAME`: handoff, lenient or demo; may be given several times")
	c.Flags().Var(tty.NewChoice(&mode, "mask", "decisions"), "mode", "`MODE`: mask: which attempts would not have been made; decisions: what it would have said at each state")
	c.RunE = func(c *cobra.Command, args []string) error {
		asked, err := policies(files, presets)
		if err != nil {
			return err
		}
		return t.whatif(c, args[0], asked, mode)
	}
	return c
}

// policies are those that are asked about.
func policies(files, presets []string) (all []whatif.Policy, err error) {
	if len(files)+len(presets) == 0 {
		presets = []string{"handoff", "lenient"}
	}
	for _, path := range files {
		loaded, bad := config.ReadPolicy(path)
		err = errors.Join(err, bad)
		all = append(all, whatif.Policy{Name: path, Flag: "--policy", Loaded: loaded})
	}
	for _, name := range presets {
		params, bad := policy.Preset(name)
		if bad == nil {
			loaded, unlikely := policy.Load(name, params, events.Enforce)
			bad = unlikely
			all = append(all, whatif.Policy{Name: name, Flag: "--preset", Loaded: loaded})
		}
		err = errors.Join(err, bad)
	}
	return all, err
}

func (t *terminal) whatif(c *cobra.Command, name string, asked []whatif.Policy, mode string) error {
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error { return t.ask(c, src, bar, asked, mode) })
}

func (t *terminal) ask(c *cobra.Command, src *source.Source, bar *tty.Bar, asked []whatif.Policy, mode string) (err error) {
	name := src.Name
	var masks []*whatif.Mask
	var comparisons []*whatif.Comparison
	for _, p := range asked {
		if mode == "mask" {
			masks = append(masks, whatif.NewMask(p))
		} else {
			comparisons = append(comparisons, whatif.NewComparison(p))
		}
	}
	w := newWitness(src)
	var first events.Event
	var broken error
	for rec, err := range w.watch(bar.Watch(src.Events(c.Context(), 0, 0))) {
		if err != nil {
			broken = err
			break
		}
		if first.Seq == 0 {
			first = rec.Event
		}
		for _, m := range masks {
			m.Step(rec.Event)
		}
		for _, c := range comparisons {
			c.Step(rec.Event)
		}
	}
	if broken != nil && (ofUser(broken) || first.Seq == 0) || first.Seq == 0 {
		return errors.Join(broken, errNothing)
	}
	for _, m := range masks {
		m.End()
	}
	for _, c := range comparisons {
		c.End()
	}
	bar.Clear()
	if broken == nil {
		broken = w.err()
	}
	switch {
	case t.output == "json" && mode == "mask":
		err = report.WriteMaskJSON(t.out, name, first, masks, broken)
	case t.output == "json":
		err = report.WriteComparisonJSON(t.out, name, first, comparisons, broken)
	case mode == "mask":
		err = report.WriteMask(t.out, name, first, masks, t.style)
	default:
		err = report.WriteComparison(t.out, name, first, comparisons, t.style)
	}
	return errors.Join(err, notWhole(broken))
}
