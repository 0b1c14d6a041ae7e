package main

import (
	"errors"
	"runtime/debug"

	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"

	"github.com/spf13/cobra"
)

func newVerify(t *terminal) *cobra.Command {
	var r report.Range
	c := verb(&cobra.Command{
		Use:   "verify SOURCE",
		Short: "Say whether the retry-stop rule held, and prove it",
		Long: `Read a stream once, check its hash chain and judge every rule. The first line is
the verdict: HOLDS (exit 0), VIOLATED (1) or INCONCLUSIVE (3). It is about what
this log can show.

With --from the stream is anchored at that event: what came before is taken as it
is, and the verdict says so.`,
		Example: `  replay verify incident.ndjson
  replay verify ~/.local/state/ibrecorder --gateway live
  zcat old.ndjson.gz | replay verify - -o json`,
	})
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	rangeFlags(c, &r)
	c.RunE = func(c *cobra.Command, args []string) error { return t.verify(c, args[0], r) }
	return c
}

// verifyGC is the collector's percentage while a stream is judged. What decoding
// leaves behind is all garbage. Against the default of 100 it was worth between
// nothing and a tenth of the time, as the load of the machine had it.
const verifyGC = 400

func (t *terminal) verify(c *cobra.Command, name string, r report.Range) (err error) {
	style, err := t.style()
	if err == nil {
		err = checkRange(r)
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

	bar := t.progress("verify", src)
	v := report.Verify(bar.watch(src.Events(c.Context(), r.From, r.To)))
	bar.clear()
	if v.Broken != nil && ofUser(v.Broken) {
		return v.Broken
	}
	v.Source, v.Doubts = name, src.Doubts
	if from, to := v.Span(); from != 0 {
		v.Cite(src.Events(c.Context(), max(from, r.From), to))
	}
	if t.output == "json" {
		err = report.WriteVerifyJSON(t.out, v)
	} else {
		err = report.WriteVerify(t.out, v, style)
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
