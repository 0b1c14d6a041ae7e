package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// subject is what the flags of report say.
type subject struct {
	span     report.Range
	last     bool
	incident string
	out      string
	force    bool
	noPager  bool
}

func newReport(t *terminal) *cobra.Command {
	var s subject
	c := verb(&cobra.Command{
		Use:   "report SOURCE",
		Short: "Write what happened as one page, for people who were not there",
		Long: `Write a postmortem: the verdict, how long a stop took to be found, told, released
and overcome, what happened in sentences, a picture, every attempt, the rules, who
did what, and where all of it comes from. The page is one HTML file without a script
that fetches nothing; it prints, and can be read on a phone. -o md is for a document
of your own, -o json for programs.

It is of everything in the source, or of a part: --from and --to, or an incident. An
incident is a stop, from the first attempt that failed for it to the first program
that was connected after its release. --incident takes the sequence of its stop, or
of any event in it.

The verdict is on all events up to the end of the part, because a rule rests on what
came before. The exit code is 0 also of a broken rule; ask verify for that.`,
		Example: `  replay report ~/.local/state/ibrecorder --last-incident -w incident.html
  replay report incident.ndjson --incident 39 --tz et -o md
  replay report incident.ndjson -o json | jq .figures`,
	})
	t.outputFlag(c, "html", "md", "json")
	t.zoneFlag(c)
	rangeFlags(c, &s.span)
	incidentFlags(c, &s.last, &s.incident)
	c.Flags().BoolVar(&s.noPager, "no-pager", false, "never show Markdown in a pager")
	c.Flags().StringVarP(&s.out, "write", "w", "", "`FILE` to write (default: standard output)")
	c.Flags().BoolVar(&s.force, "force", false, "overwrite the file")
	c.RunE = func(c *cobra.Command, args []string) error { return t.report(c, args[0], s) }
	return c
}

func (t *terminal) report(c *cobra.Command, name string, s subject) error {
	if err := t.checkSubject(name, s); err != nil {
		return err
	}
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error { return t.compose(c, src, bar, s) })
}

func (t *terminal) compose(c *cobra.Command, src *source.Source, bar *tty.Bar, s subject) (err error) {
	about := report.Subject{Source: src.Name, Range: s.span, Version: version(), Doubts: src.Doubts}
	if t.gateway != "" {
		about.Flags = []string{"--gateway", t.gateway}
	}
	if s.last || s.incident != "" {
		found, err := t.choose(c, src, s.incident)
		if err != nil {
			return err
		}
		about.Range, about.Stop = found.Range, found.Stops[0]
	}
	d, broken := report.Compose(bar.Watch(src.Events(c.Context(), 0, about.Range.To)), about)
	bar.Clear()
	if broken != nil && ofUser(broken) {
		return broken
	}
	if d.Events == 0 && broken == nil {
		return fmt.Errorf("report: %w", errNothing)
	}
	var page bytes.Buffer // written whole or not at all
	switch t.output {
	case "html":
		err = report.WriteHTML(&page, d, t.style)
	case "md":
		err = report.WriteMarkdown(&page, d, t.style)
	default:
		err = report.WriteJSON(&page, d)
	}
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	write := func(w io.Writer) error {
		_, err := page.WriteTo(w)
		return err
	}
	if s.out == "" {
		err = t.paged(s.noPager || t.output != "md", write)
	} else if err = toFile("report", s.out, s.force, write); err == nil {
		fmt.Fprintf(t.err, "wrote %s, %d events, to %s\n", d.Outcome, d.Events, s.out)
	}
	if err != nil {
		return err
	}
	return notWhole(errors.Join(append([]error{broken}, src.Doubts...)...))
}

func (t *terminal) checkSubject(name string, s subject) error {
	part := s.span != report.Range{}
	switch {
	case s.last && s.incident != "":
		return errors.New("report: --last-incident and --incident name two; take one of them")
	case part && (s.last || s.incident != ""):
		return errors.New("report: an incident has its own begin and end; leave --from and --to away")
	case s.out == "" && s.force:
		return errors.New("report: --force overwrites a file; name it with -w FILE")
	case s.out == "-":
		return errors.New("report: leave -w away for standard output")
	case s.out == "" && t.output == "html" && tty.Is(t.out):
		return fmt.Errorf("report: a page is for a browser; write it to a file: %s, or take -o md", report.Command("replay", "report", name, "-w", "report.html"))
	}
	return checkRange(s.span)
}
