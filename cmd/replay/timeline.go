package main

import (
	"bufio"
	"errors"

	"ibrecorder/events"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

func newTimeline(t *terminal) *cobra.Command {
	var r report.Range
	var all bool
	c := verb(&cobra.Command{
		Use:   "timeline SOURCE",
		Short: "Tell what happened, in the order of the log",
		Long: `Tell what happened: a picture of the whole from left to right, in which a column
is a number of events and no time; then a line an event: local time with its zone
named, the time since the line before by the monotonic clock, who saw it, how it
moved the gate. Repetitions are told once and counted. At the end: how long each
stop took to be found, told, released and overcome.`,
		Example: `  replay timeline incident.ndjson
  replay timeline ~/.local/state/ibrecorder --from 48120 --to 48171 --tz et
  replay timeline incident.ndjson --all -o json`,
	})
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	rangeFlags(c, &r)
	c.Flags().BoolVar(&all, "all", false, "tell every repetition")
	c.RunE = func(c *cobra.Command, args []string) error { return t.timeline(c, args[0], r, all) }
	return c
}

func (t *terminal) timeline(c *cobra.Command, name string, r report.Range, all bool) (err error) {
	style, err := t.style()
	if err == nil {
		err = checkRange(r)
	}
	if err != nil {
		return err
	}
	src, err := t.open(c, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	// From the first event on: the state at the beginning of the range is folded.
	// The bar is for the first pass of a text, which prints nothing.
	var bar *progress
	if t.output != "json" {
		bar = t.progress("timeline", src)
	}
	stream := func(yield func(events.Record, error) bool) {
		in := src.Events(c.Context(), 0, r.To)
		if bar != nil {
			in = bar.watch(in)
			defer bar.clear()
			bar = nil
		}
		newWitness(src).tell(in)(yield)
	}
	out := bufio.NewWriter(t.out)
	var broken error
	if t.output == "json" {
		_, broken, err = report.WriteTimelineJSON(out, name, stream, r)
	} else {
		_, broken, err = report.WriteTimeline(out, stream, r, all, style)
	}
	if err != nil {
		return err
	}
	if broken != nil && ofUser(broken) { // the stream did not break off, and the text must not say so
		return broken
	}
	return errors.Join(out.Flush(), notWhole(broken))
}
