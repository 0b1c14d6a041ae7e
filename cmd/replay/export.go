package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"ibrecorder/events"
	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

func newExport(t *terminal) *cobra.Command {
	var r report.Range
	var out string
	var force bool
	c := verb(&cobra.Command{
		Use:   "export SOURCE",
		Short: "Copy the stored events out, one a line",
		Long: `Write the events with the bytes under which they are stored, one a line, to
standard output or to a file that only you can read. What cannot be read is not
written: the export ends before it, and the exit code is 3. So it is if what was
written is not one whole history.

-o json prints what was written instead, and needs -w.`,
		Example: `  replay export ~/.local/state/ibrecorder -w incident.ndjson
  replay export ~/.local/state/ibrecorder --from 48120 --to 48171 | gzip > part.ndjson.gz`,
	})
	t.outputFlag(c, "ndjson", "json")
	rangeFlags(c, &r)
	c.Flags().StringVarP(&out, "write", "w", "", "`FILE` to write (default: standard output)")
	c.Flags().BoolVar(&force, "force", false, "overwrite the file")
	c.RunE = func(c *cobra.Command, args []string) error { return t.export(c, args[0], r, out, force) }
	return c
}

// exportJSON is what `replay export -w FILE -o json` prints.
type exportJSON struct {
	Schema  int    `json:"schema_version"`
	Source  string `json:"source"`           // as it was typed
	Out     string `json:"out"`              // the file that was written
	Gateway string `json:"gateway"`          // its name, empty if no event could be read
	Events  int    `json:"events"`           // how many were written
	First   uint64 `json:"first"`            // 0 if nothing was written
	Last    uint64 `json:"last"`             // sequence of the last one, 0 if nothing was written
	Head    string `json:"head"`             // SHA-256 of the last event written
	Broken  string `json:"broken,omitempty"` // why the export ends there, or is not one whole history
}

func (t *terminal) export(c *cobra.Command, name string, r report.Range, out string, force bool) error {
	if err := checkRange(r); err != nil {
		return err
	}
	switch {
	case out == "" && t.output == "json":
		return errors.New("export: standard output has the events; -o json needs -w FILE")
	case out == "" && force:
		return errors.New("export: --force overwrites a file; name it with -w FILE")
	case out == "-":
		return errors.New("export: leave -w away for standard output")
	}
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error { return t.exported(c, src, bar, r, out, force) })
}

func (t *terminal) exported(c *cobra.Command, src *source.Source, bar *tty.Bar, r report.Range, out string, force bool) error {
	said := exportJSON{Schema: report.Schema, Source: src.Name, Out: out, Head: events.Hash{}.String()}
	write := func(w io.Writer) error {
		defer bar.Clear()
		return said.copy(w, bar, src, c, r)
	}
	if out == "" {
		return write(t.out)
	}
	err := toFile("export", out, force, write)
	if said.Events > 0 && errors.Is(err, errBroken) {
		said.Broken = err.Error()
	}
	if err != nil && said.Broken == "" {
		return err
	}
	if t.output == "json" {
		return errors.Join(report.WriteJSON(t.out, said), err)
	}
	fmt.Fprintf(t.err, "wrote %d events of %s, #%d to #%d, to %s; check it with: %s\n", said.Events, said.Gateway, said.First, said.Last, out, report.Command("replay", "verify", out))
	return err
}

// copy writes the lines. What a stream that breaks off has before its end is kept.
func (e *exportJSON) copy(w io.Writer, bar *tty.Bar, src *source.Source, c *cobra.Command, r report.Range) error {
	b := bufio.NewWriterSize(w, 64<<10)
	var last events.Record
	var broken error
	for rec, err := range newWitness(src).tell(bar.Watch(src.Events(c.Context(), r.From, r.To))) {
		if err != nil {
			if broken = notWhole(err); e.Events == 0 && !ofUser(err) {
				broken = fmt.Errorf("%w: %w", errNothing, err) // and no file is left behind
			}
			break
		}
		_, err = b.Write(rec.Raw)
		if err == nil {
			err = b.WriteByte('\n')
		}
		if err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
		if e.Events == 0 {
			e.First, e.Gateway = rec.Seq, rec.Gateway
		}
		e.Events++
		last = rec
	}
	if e.Events == 0 && broken == nil {
		broken = errNothing
	}
	if e.Events > 0 {
		e.Last, e.Head = last.Seq, last.Hash().String()
	}
	return errors.Join(broken, b.Flush())
}

// toFile calls write with a file of mode 0600, and removes it if that fails for
// another reason than a stream that breaks off. Without force the file must be
// new; with force the old one stays until the new one is complete. The verb begins
// its errors.
func toFile(verb, path string, force bool, write func(io.Writer) error) error {
	f, err := create(verb, path, force)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w; choose another name or add --force", verb, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	broken := write(f)
	if broken != nil && !errors.Is(broken, errBroken) {
		return errors.Join(broken, f.Close(), os.Remove(f.Name()))
	}
	err = errors.Join(f.Sync(), f.Close())
	if err == nil && force {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", verb, errors.Join(err, broken, os.Remove(f.Name())))
	}
	return broken
}

func create(verb, path string, force bool) (*os.File, error) {
	if force {
		return os.CreateTemp(filepath.Dir(path), ".replay-"+verb+"-")
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}
