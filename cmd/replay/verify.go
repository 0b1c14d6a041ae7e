package main

import (
	"errors"
	"fmt"
	"runtime/debug"

	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"
)

// verifying is what is asked of a verification beside its source.
type verifying struct {
	part    report.Range
	genesis bool   // the snapshot is compared
	key     string // of the signatures
	bundled bool   // the source must be a bundle
}

func newVerify(t *terminal) *cobra.Command {
	var o verifying
	var file string
	c := verb(&cobra.Command{
		Use:   "verify SOURCE",
		Short: "Say whether the retry-stop rule held, and prove it",
		Long: `Read a stream once, check its hash chain and judge every rule. The first line is
the verdict: HOLDS (exit 0), VIOLATED (1) or INCONCLUSIVE (3). It is about what
this log can show.

With --from the stream is anchored at that event: what came before is taken as it
is, and the verdict says so.

Of an evidence bundle it also checks what the recorder has signed. --key is the public
key that its owner gave you before (recorder log key), or a file that holds it: then
nothing holds that this key has not signed. Without it the key inside the bundle is
used, which says nothing about who made it.

A verdict never rests on a snapshot. With --from-genesis the snapshot that a recorder
keeps beside its log, to start sooner, is held against what the log gives: it must be
the same state and the same judge, or the exit code is 1. Where there is none yet that is
said, and the exit code is that of the verdict.`,
		Example: `  replay verify incident.ndjson
  replay verify ~/.local/state/ibrecorder --gateway live
  replay verify ~/.local/state/ibrecorder --from-genesis
  zcat old.ndjson.gz | replay verify - -o json
  replay verify night.ibrec --key recorder.pub
  replay verify --bundle night.ibrec --key ibrecorder+2c1f57d6+AZ...`,
	})
	one := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case file == "":
			return one(c, args)
		case len(args) > 0:
			return fmt.Errorf("verify: one source at a time: --bundle %s or %s", file, args[0])
		}
		return nil
	}
	c.Flags().StringVar(&o.key, "key", "", "public `KEY` of the signatures in a bundle, or a file that holds it")
	c.Flags().StringVar(&file, "bundle", "", "`FILE` to verify, which must be an evidence bundle")
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	rangeFlags(c, &o.part)
	c.Flags().BoolVar(&o.genesis, "from-genesis", false, "hold the recorder's snapshot against the log")
	c.RunE = func(c *cobra.Command, args []string) error {
		if o.bundled = file != ""; o.bundled {
			return t.verify(c, file, o)
		}
		return t.verify(c, args[0], o)
	}
	return c
}

// verifyGC is the collector's percentage while a stream is judged. What decoding
// leaves behind is all garbage. Against the default of 100 it was worth between
// nothing and a tenth of the time, as the load of the machine had it.
const verifyGC = 400

func (t *terminal) verify(c *cobra.Command, name string, o verifying) (err error) {
	err = checkRange(o.part)
	if err == nil && o.genesis && o.part != (report.Range{}) {
		err = errors.New("verify: --from-genesis reads from the first event to the last; leave --from and --to out")
	}
	var public note.Verifier
	if err == nil && o.key != "" {
		public, err = publicKey(o.key)
	}
	if err != nil {
		return err
	}
	debug.SetGCPercent(verifyGC)
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error { return t.verified(c, src, bar, o, public) })
}

func (t *terminal) verified(c *cobra.Command, src *source.Source, bar *tty.Bar, o verifying, public note.Verifier) (err error) {
	name := src.Name
	switch {
	case src.Bundle != nil:
	case o.bundled:
		return fmt.Errorf("verify: %s is %s and no evidence bundle; leave --bundle away", name, src.What)
	case o.key != "":
		return fmt.Errorf("verify: --key is for the signatures in an evidence bundle, and %s is %s; make one: %s", name, src.What, report.Command("replay", "pack", name, "-w", "FILE.ibrec"))
	}
	var again *snapshot.Recomputation
	if o.genesis {
		if again, err = t.recomputed(src); err != nil {
			return err
		}
	}
	v, err := judge(c.Context(), src, o.part, public, again, bar)
	if err != nil {
		return err
	}
	if v.Broken != nil && ofUser(v.Broken) {
		return v.Broken
	}
	if e := v.Evidence; e != nil && e.Given && len(e.Problems) == 0 && e.Covered < e.Judged && e.Covered > o.part.From {
		e.Next = report.Command("replay", "verify", name, "--key", o.key, "--to", fmt.Sprint(e.Covered))
	}
	if t.output == "json" {
		err = report.WriteVerifyJSON(t.out, v)
	} else {
		err = report.WriteVerify(t.out, v, t.style)
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
