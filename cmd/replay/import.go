package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/config"
	"ibrecorder/internal/logfile"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/report"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// importFlags are those of replay import alone.
type importFlags struct {
	runner, zone   string
	preset, policy string
	out            string
	force          bool
}

func newImport(t *terminal) *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make a stream of a program's log",
		Long: `Read what a program has logged about its connections and write it as a stream of
events, which every other verb reads. Several FILEs are one log in parts, oldest first;
- is standard input, and gzip is read as it is.

It knows the lines of ib_async and ib_insync at level INFO (at ERROR it sees ends and no
beginnings), of a worker, a watchdog and IBC; docs/import.md lists them. They become
facts and never decisions. What it does not understand is listed on standard error and
makes no event.

A printed time is kept as a claim. It counts as a time only if its zone is known: from
the line, or from --tz. The policy at the head of the stream is the one to judge by.

-o json prints what became of the lines instead, and needs -w.

Exit codes: 0 fine, 2 usage, 3 nothing about a connection was found, 130 interrupted.`,
		Example: `  replay import trader.log --tz America/New_York -w trader.ndjson
  replay import app.log.2.gz app.log.1 app.log | replay verify -
  replay import watchdog.log --preset lenient -w storm.ndjson -o json`,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("import: no log; name a file, or - for standard input, for example: replay import trader.log -w trader.ndjson")
			}
			return nil
		},
	}
	t.outputFlag(c, "ndjson", "json")
	p := c.Flags()
	p.StringVar(&f.runner, "runner", "log", "`NAME` of the program that wrote the log, in the source of its events")
	p.StringVar(&f.zone, "tz", "", "`ZONE` of the times that name none: local, UTC, et or a name such as Europe/Berlin (default: not known)")
	p.StringVar(&f.preset, "preset", "handoff", "policy to judge by, the preset `NAME`: handoff or lenient")
	p.StringVar(&f.policy, "policy", "", "`FILE` with the policy to judge by: a configuration, or the policy.yaml of an incident")
	p.StringVarP(&f.out, "write", "w", "", "`FILE` to write (default: standard output)")
	p.BoolVar(&f.force, "force", false, "overwrite the file")
	c.MarkFlagsMutuallyExclusive("preset", "policy")
	c.RunE = func(c *cobra.Command, args []string) error { return t.importLogs(c.Context(), args, f) }
	return c
}

// importJSON is what `replay import -w FILE -o json` prints.
type importJSON struct {
	Schema  int      `json:"schema_version"`
	Files   []string `json:"files"`   // as they were typed
	Out     string   `json:"out"`     // the file that was written
	Gateway string   `json:"gateway"` // its name, empty if no event could be read
	Head    string   `json:"head"`    // SHA-256 of the last event written
	logfile.Summary
}

func (t *terminal) importLogs(ctx context.Context, names []string, f importFlags) (err error) {
	o, err := t.importOptions(f)
	switch {
	case err != nil:
		return fmt.Errorf("import: %w", err)
	case f.out == "" && t.output == "json":
		return errors.New("import: standard output has the events; -o json needs -w FILE")
	case f.out == "" && f.force:
		return errors.New("import: --force overwrites a file; name it with -w FILE")
	}
	bar, files, done, err := t.logs(ctx, names)
	defer func() { err = errors.Join(err, done()) }()
	if err != nil {
		return err
	}
	said := importJSON{Schema: report.Schema, Files: names, Out: f.out, Gateway: o.Gateway}
	write := func(w io.Writer) error {
		defer bar.Clear()
		b := bufio.NewWriterSize(w, 64<<10)
		said.Summary, err = logfile.Import(files, o, func(r events.Record) error {
			said.Head = r.Hash().String()
			_, err := b.Write(append(r.Raw, '\n'))
			return err
		})
		switch {
		case err != nil:
			return fmt.Errorf("import: %w", err)
		case said.Events < 2: // the policy, which still stands in the buffer
			return fmt.Errorf("import: %w: none of %d lines is a phrase that is known; is it the log of the program that connects, at level INFO?", errNothing, said.Lines)
		}
		return b.Flush()
	}
	if f.out == "" {
		err = write(t.out)
	} else {
		err = toFile("import", f.out, f.force, write)
	}
	if err != nil && !errors.Is(err, errNothing) {
		return err
	}
	if t.output == "json" {
		return errors.Join(report.WriteJSON(t.out, said), err)
	}
	t.tellImport(said, o)
	return err
}

func (t *terminal) importOptions(f importFlags) (logfile.Options, error) {
	o := logfile.Options{Gateway: t.gateway, Runner: f.runner}
	if o.Gateway == "" {
		o.Gateway = "imported"
	}
	err := events.CheckGatewayName(o.Gateway)
	if err == nil && (o.Runner == "" || len(o.Runner) > 64 || strings.Trim(o.Runner, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "") {
		err = fmt.Errorf("--runner %q: want at most 64 letters, digits and the signs - and _", o.Runner)
	}
	if err == nil && f.zone != "" {
		o.Zone, err = tty.Zone(f.zone)
	}
	if err != nil {
		return o, err
	}
	if f.policy == "" {
		params, err := policy.Preset(f.preset)
		if err == nil {
			o.Policy, err = policy.Load(f.preset, params, events.Enforce)
		}
		return o, err
	}
	o.Policy, err = config.ReadPolicy(f.policy)
	return o, err
}

// logs opens the files. done closes those that are open, also after an error.
func (t *terminal) logs(ctx context.Context, names []string) (bar *tty.Bar, files []logfile.File, done func() error, err error) {
	var open []io.Closer
	done = func() error {
		var all []error
		for _, c := range open {
			all = append(all, c.Close())
		}
		return errors.Join(all...)
	}
	bar = tty.NewBar(t.err, "import", tty.Extent{Unit: "lines"})
	var bytes int64 // of all files; less than 0 if standard input is one
	for _, name := range names {
		if name == "-" {
			files = append(files, logfile.File{Name: "standard input", In: bar.Count(interruptible(ctx, t.in))})
			bytes = math.MinInt64
			continue
		}
		f, err := os.Open(name)
		if err != nil {
			return bar, nil, done, fmt.Errorf("import: %w", err)
		}
		open = append(open, f)
		info, err := f.Stat()
		switch {
		case err != nil:
			return bar, nil, done, fmt.Errorf("import: %w", err)
		case info.IsDir():
			return bar, nil, done, fmt.Errorf("import: %s is a folder; name the log files in it, oldest first", name)
		}
		bytes += info.Size()
		files = append(files, logfile.File{Name: name, In: bar.Count(interruptible(ctx, f))})
	}
	bar.Expect(bytes)
	return bar, files, done, nil
}

// interruptible reads in until ctx is done. A read of a terminal or a pipe cannot be
// interrupted; then its goroutine is left behind, and the process ends.
func interruptible(ctx context.Context, in io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, in)
		w.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { r.CloseWithError(context.Cause(ctx)) })
	return r
}

// tellImport says on standard error what became of the lines.
func (t *terminal) tellImport(said importJSON, o logfile.Options) {
	p := func(format string, args ...any) { fmt.Fprintf(t.err, format+"\n", args...) }
	p("read %s: %d understood, %d irrelevant, %d not understood", count(said.Lines, "line"), said.Understood, said.Irrelevant, said.NotUnderstood)
	if said.Events > 1 { // the first is the policy
		p("wrote %s of %s, about %s", count(said.Events, "event"), said.Gateway, count(said.Attempts, "attempt"))
	}
	untimed := "no time: the line has none, or its zone is not known; add --tz ZONE if you know it"
	if o.Zone != nil {
		untimed = "no time: the line has none, or one that the clocks skipped or showed twice"
	}
	for _, remark := range []struct {
		n          int
		what, then string
	}{
		{said.Timeless, "event", untimed},
		{said.Backwards, "line", "a time before the line above; are the files in order, oldest first?"},
		{said.ByOrder, "line", "several attempts that it may be about, and was taken for the oldest's (its source ends in /inferred)"},
		{said.TooShort, "timeout", fmt.Sprintf("proven nothing: the policy counts %s and more, or the log does not say how long it was", time.Duration(o.Policy.MinReportedBudgetMS)*time.Millisecond)},
		{said.Cut, "line", "more than 64 KiB, of which the rest was not read"},
		{said.Unfinished, "file", "no end of its last line; it may have been cut"},
	} {
		switch {
		case remark.n == 1:
			p("1 %s has %s", remark.what, remark.then)
		case remark.n > 1:
			p("%d %ss have %s", remark.n, remark.what, remark.then)
		}
	}
	if len(said.Shapes) > 0 {
		p("not understood, by likeness (* is what is left out):")
	}
	for _, s := range said.Shapes {
		p("%7d  %s  [%s:%d]", s.Count, s.Text, s.At[0].File, s.At[0].Line)
	}
	if said.Unlisted > 0 {
		p("%7d  of other forms, not listed", said.Unlisted)
	}
	if said.Out != "" && said.Events > 1 {
		p("judge it with: %s", report.Command("replay", "verify", said.Out))
	}
}

// count writes a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
