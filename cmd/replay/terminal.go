package main

import (
	"errors"
	"io"

	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// terminal is what a verb reads from and writes to, and the flags of all verbs.
type terminal struct {
	in       io.Reader
	out, err io.Writer

	gateway string
	output  string
	zone    string
	colour  string
	temp    string

	style report.Style // how text looks, once the flags are read
}

// outputFlag adds -o. The first of the formats is the default.
func (t *terminal) outputFlag(c *cobra.Command, formats ...string) {
	c.Flags().VarP(tty.NewChoice(&t.output, formats...), "output", "o", "what to print: "+tty.Either(formats))
}

func (t *terminal) zoneFlag(c *cobra.Command) {
	c.Flags().StringVar(&t.zone, "tz", "local", tty.ZoneUsage)
}

// look reads the flags that say how text looks. The verbs share the one format, so what it
// is by default is known only now.
func (t *terminal) look(c *cobra.Command) error {
	if f := c.Flags().Lookup("output"); f != nil && !f.Changed {
		t.output = f.DefValue
	}
	zone, err := tty.Zone(t.zone)
	if err != nil {
		return err
	}
	columns, _ := tty.Size(t.out)
	t.style = report.Style{Zone: zone, Colour: tty.Colour(t.out, t.colour), Width: columns}
	return nil
}

// open opens the source of a verb.
func (t *terminal) open(c *cobra.Command, name string) (*source.Source, error) {
	return source.Open(c.Context(), name, source.Options{Gateway: t.gateway, Stdin: t.in, Temp: t.temp})
}

// read opens a source for as long as a verb reads it. The bar is for what takes long, and is
// taken away at the latest when the verb is done.
func (t *terminal) read(c *cobra.Command, name string, verb func(*source.Source, *tty.Bar) error) (err error) {
	src, err := t.open(c, name)
	if err != nil {
		return err
	}
	bar := t.bar(c.Name(), src)
	defer func() {
		bar.Clear()
		err = errors.Join(err, src.Close())
	}()
	return verb(src, bar)
}

// paged lets something be written to standard output, through a pager if it is longer than
// the screen of a person who has not said otherwise.
func (t *terminal) paged(never bool, write func(io.Writer) error) error {
	if !never {
		if p := tty.NewPager(t.out); p != nil {
			return errors.Join(write(p), p.Close())
		}
	}
	return write(t.out)
}

func (t *terminal) bar(verb string, src *source.Source) *tty.Bar {
	return tty.NewBar(t.err, verb, tty.Extent{Bytes: src.Bytes, Last: src.Last})
}
