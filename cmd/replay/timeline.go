package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// telling is what the flags of timeline say.
type telling struct {
	part     report.Range
	times    times
	last     bool
	incident string
	all      bool
	noPager  bool
}

func newTimeline(t *terminal) *cobra.Command {
	var o telling
	c := verb(&cobra.Command{
		Use:   "timeline SOURCE",
		Short: "Tell what happened, in the order of the log",
		Long: `Tell what happened: a picture of the whole from left to right, in which a column
is a number of events and no time; then a line an event: local time with its zone
named, the time since the line before by the monotonic clock, who saw it, how it
moved the gate. Repetitions are told once and counted. At the end: how long each
stop took to be found, told, released and overcome.

It is of everything, or of a part: --from and --to, --since and --until, or an
incident, as replay report has it. A span such as 24h counts back from the last event
of the source, so that the same command says the same on another day. json, ndjson and
csv have a row for each event, and no repetition is left out.`,
		Example: `  replay timeline incident.ndjson
  replay timeline ~/.local/state/ibrecorder --last-incident --tz et
  replay timeline ~/.local/state/ibrecorder --since 2026-03-02 --until "2026-03-02 06:00"
  replay timeline incident.ndjson --all -o csv > incident.csv`,
	})
	t.outputFlag(c, "table", "json", "ndjson", "csv")
	t.zoneFlag(c)
	rangeFlags(c, &o.part)
	o.times.flags(c)
	incidentFlags(c, &o.last, &o.incident)
	c.Flags().BoolVar(&o.all, "all", false, "tell every repetition")
	c.Flags().BoolVar(&o.noPager, "no-pager", false, "never show it in a pager")
	c.RunE = func(c *cobra.Command, args []string) error { return t.timeline(c, args[0], o) }
	return c
}

func (t *terminal) timeline(c *cobra.Command, name string, o telling) error {
	named := o.last || o.incident != ""
	switch {
	case o.last && o.incident != "":
		return errors.New("timeline: --last-incident and --incident name two; take one of them")
	case named && (o.part != report.Range{} || o.times != times{}):
		return errors.New("timeline: an incident has its own begin and end; leave --from, --to, --since and --until away")
	}
	err := checkRange(o.part)
	if err == nil {
		err = o.times.check(t.style.Zone)
	}
	if err != nil {
		return err
	}
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error {
		r, err := t.within(c, src, o.times, o.part)
		if err == nil && named {
			var found report.Incident
			found, err = t.choose(c, src, o.incident)
			r = found.Range
		}
		if err != nil {
			return err
		}
		return t.paged(o.noPager || t.output != "table", func(w io.Writer) error { return t.told(c, w, src, bar, r, o.all) })
	})
}

// timelineColumns are the columns of timeline -o csv, those of a row of -o json; some are
// added behind them, and none is taken away.
var timelineColumns = []string{"seq", "time", "delta_ns", "by", "kind", "attempt", "number", "epoch", "boot", "gate", "detail"}

func (t *terminal) told(c *cobra.Command, w io.Writer, src *source.Source, bar *tty.Bar, r report.Range, all bool) (err error) {
	// From the first event on: the state at the beginning of the range is folded.
	// The bar is for the first pass of a text, which prints nothing.
	if t.output != "table" {
		bar = nil
	}
	stream := func(yield func(events.Record, error) bool) {
		in := src.Events(c.Context(), 0, r.To)
		if bar != nil {
			in = bar.Watch(in)
			defer bar.Clear()
			bar = nil
		}
		newWitness(src).tell(in)(yield)
	}
	out := bufio.NewWriter(w)
	var broken error
	var n int
	switch t.output {
	case "json":
		n, broken, err = report.WriteTimelineJSON(out, src.Name, stream, r)
	case "ndjson":
		n, broken, err = report.TimelineRows(stream, r, func(row report.RowJSON) error { return json.NewEncoder(out).Encode(row) })
	case "csv":
		sheet := tty.NewSheet(out, timelineColumns...)
		n, broken, err = report.TimelineRows(stream, r, func(row report.RowJSON) error { return sheet.Row(cells(row)...) })
		err = errors.Join(err, sheet.End())
	default:
		n, broken, err = report.WriteTimeline(out, stream, r, all, t.style)
	}
	if err != nil {
		return err
	}
	if broken != nil && ofUser(broken) { // the stream did not break off, and the text must not say so
		return broken
	}
	if n == 0 && broken == nil {
		broken = errNothing
	}
	return errors.Join(out.Flush(), notWhole(broken))
}

// cells are a row as timelineColumns has them. What is not known is empty.
func cells(r report.RowJSON) []string {
	at, delta, number := "", "", ""
	if r.Time != nil {
		at = r.Time.Format(time.RFC3339Nano)
	}
	if r.DeltaNS != nil {
		delta = strconv.FormatInt(*r.DeltaNS, 10)
	}
	if r.Number != 0 {
		number = strconv.Itoa(r.Number)
	}
	return []string{strconv.FormatUint(r.Seq, 10), at, delta, r.By, string(r.Kind), r.Attempt, number,
		strconv.FormatUint(r.Epoch, 10), r.Boot, r.Gate, r.Detail}
}
