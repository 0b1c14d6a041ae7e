package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/shrink"
	"ibrecorder/internal/source"
	incident "ibrecorder/internal/streams"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

func newShrink(t *terminal) *cobra.Command {
	var id, save string
	var bound int
	c := verb(&cobra.Command{
		Use:   "shrink SOURCE",
		Short: "Take out of a violated stream all that the breach does not need",
		Long: `Make a stream in which a rule is broken as small as it can be while the same event
still breaks the same rule for the same reasons, every assumption holds, and no
rule is broken that was not broken before. Without any one event that is left this
would not be so.

The events keep their ids; sequences and links are made anew, waits become as
short as they can be. --save writes a folder that is a test: put it under
testdata/streams. Exit code 0 says that there is such a stream, and 1 that no rule
is broken.`,
		Example: `  replay shrink incident.ndjson
  replay shrink ~/.local/state/ibrecorder --gateway live --rule RS3
  replay shrink incident.ndjson --save FOUND-02-forgotten-stop`,
	})
	t.outputFlag(c, "table", "json")
	t.zoneFlag(c)
	c.Flags().StringVar(&id, "rule", "", "the `RULE` whose first breach is kept (default: the first breach of any)")
	c.Flags().StringVar(&save, "save", "", "new `FOLDER` for what is left")
	c.Flags().IntVar(&bound, "evaluations", 10_000, "how many streams, `N`, may be judged on the way; 0 is as many as it takes")
	c.RunE = func(c *cobra.Command, args []string) error { return t.shrink(c, args[0], id, save, bound) }
	return c
}

// shrinkJSON is what `replay shrink -o json` prints. If there is nothing to shrink, rule
// and stream are empty, and text says why.
type shrinkJSON struct {
	Schema      int               `json:"schema_version"`
	Source      string            `json:"source"`           // as it was typed
	Gateway     string            `json:"gateway"`          // its name, empty if no event could be read
	Events      int               `json:"events"`           // of the source
	Head        string            `json:"head"`             // SHA-256 of the last of them
	Rule        string            `json:"rule"`             // the one that is broken, empty if none is
	Bypassed    bool              `json:"bypassed"`         // somebody else broke it, past the recorder
	Seq         uint64            `json:"seq"`              // of the breach in the source
	Text        string            `json:"text"`             // about the breach in what is left
	Origins     []uint64          `json:"origins"`          // sequences in the source of what is left
	Stream      []json.RawMessage `json:"stream"`           // what is left; --save has the stored bytes
	Evaluations int               `json:"evaluations"`      // how many streams were judged on the way
	Minimal     bool              `json:"minimal"`          // false if the bound of evaluations was met
	Steps       []stepJSON        `json:"steps"`            // what took how much out
	Saved       string            `json:"saved,omitempty"`  // the folder of --save
	Broken      string            `json:"broken,omitempty"` // why the source ends where it does
}

type stepJSON struct {
	Name        string `json:"name"`        // of the step
	Events      int    `json:"events"`      // left after it
	Evaluations int    `json:"evaluations"` // streams that it judged
}

func (t *terminal) shrink(c *cobra.Command, name, id, save string, bound int) (err error) {
	if id, err = ruleID(id); err != nil {
		return err
	}
	if bound < 0 {
		return fmt.Errorf("shrink: --evaluations %d; take a number, or 0 for as many as it takes", bound)
	}
	if save != "" { // it may take long to have something to save
		if _, err := os.Lstat(save); err == nil {
			return fmt.Errorf("shrink: --save %s is there already; choose another name", save)
		}
	}
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error { return t.shrunk(c, src, bar, id, save, bound) })
}

func (t *terminal) shrunk(c *cobra.Command, src *source.Source, bar *tty.Bar, id, save string, bound int) error {
	target, broken := shrink.Find(bar.Watch(src.Events(c.Context(), 0, 0)), id)
	if broken == nil {
		broken = errors.Join(src.Doubts...)
	}
	switch {
	case ofUser(broken):
		return broken
	case errors.Is(broken, shrink.ErrNoBreach):
		bar.Clear()
		return t.nothingToShrink(src.Name, target, broken, len(src.Doubts) > 0)
	}
	o := shrink.Options{Evaluations: bound, Watch: func(n, left int) {
		bar.Say("%d streams judged, %d of %d events left", n, left, target.Verdict.Events)
	}}
	r, err := shrinkFrom(target.From, bar, src, c, target, o)
	if errors.Is(err, shrink.ErrMore) {
		r, err = shrinkFrom(target.Verdict.First, bar, src, c, target, o)
	}
	bar.Clear()
	if err != nil {
		return err
	}
	s := shrunk{source: src.Name, target: target, result: r, saved: save}
	if save != "" {
		if err := s.found().Save(save); err != nil {
			return err
		}
	}
	if t.output == "json" {
		err = report.WriteJSON(t.out, s.json(broken))
	} else {
		err = s.write(t)
	}
	return errors.Join(err, notWhole(broken))
}

// shrinkFrom keeps the events from a sequence to the breach in memory.
func shrinkFrom(from uint64, bar *tty.Bar, src *source.Source, c *cobra.Command, target shrink.Target, o shrink.Options) (shrink.Result, error) {
	var recs []events.Record
	for rec, err := range bar.Watch(src.Events(c.Context(), from, target.Finding.Seq)) {
		if err != nil {
			return shrink.Result{}, notWhole(err)
		}
		recs = append(recs, rec)
	}
	return shrink.Shrink(recs, target, o)
}

// ruleID checks the name of a rule.
func ruleID(id string) (string, error) {
	id = strings.ToUpper(id)
	if e, known := report.Lookup(id); id == "" || known && e.Kind == rule.Rule {
		return id, nil
	}
	var ids []string
	for _, e := range report.Catalogue() {
		if e.Kind == rule.Rule {
			ids = append(ids, e.ID)
		}
	}
	return "", fmt.Errorf("shrink: there is no rule %q, the nearest is %s", id, nearest(id, ids))
}

// nothingToShrink is the answer for a stream in which no rule is broken.
func (t *terminal) nothingToShrink(name string, target shrink.Target, why error, doubtful bool) error {
	v := target.Verdict
	whole := !errors.Is(why, shrink.ErrBroken) && !doubtful
	if v.Events == 0 {
		return fmt.Errorf("%w: %w", errNothing, why)
	}
	text := strings.TrimPrefix(why.Error(), shrink.ErrNoBreach.Error()+": ")
	if t.output == "json" {
		nothing := shrinkJSON{
			Schema: report.Schema, Source: name, Events: v.Events, Head: v.Head.String(), Text: text,
			Origins: []uint64{}, Stream: []json.RawMessage{}, Steps: []stepJSON{},
		}
		if err := report.WriteJSON(t.out, nothing); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(t.out, "NOTHING TO SHRINK: %s\n\nnext: %s\n", text, report.Command("replay", "verify", name))
	}
	if v.Outcome == rule.Inconclusive || !whole {
		return answer{exitInconclusive}
	}
	return answer{exitNo}
}

// shrunk is a result with what it came from.
type shrunk struct {
	source string
	target shrink.Target
	result shrink.Result
	saved  string
}

func (s *shrunk) found() incident.Found {
	return incident.Found{
		Records: s.result.Records, Origins: s.result.Origins, Rule: s.result.Finding.Rule, What: s.result.Finding.Text,
		Events: s.target.Verdict.Events, Head: s.target.Verdict.Head,
		How: fmt.Sprintf("`replay shrink` made these %d events of them: %s.", len(s.result.Records), s.effort()),
	}
}

// effort says what it took, and what may be claimed of the result.
func (s *shrunk) effort() string {
	out := fmt.Sprintf("%d streams were judged on the way, and no single event can be taken out", s.result.Evaluations)
	if !s.result.Minimal {
		out = fmt.Sprintf("%d streams were judged, which is the bound, so that there may be events that can be taken out", s.result.Evaluations)
	}
	return out
}

func (s *shrunk) write(t *terminal) error {
	f := s.result.Finding
	fmt.Fprintf(t.out, "SHRUNK: %d events to %d that break %s: %s\n\n", s.target.Verdict.Events, len(s.result.Records), f.Rule, strings.TrimSuffix(f.Text, "."))
	fmt.Fprintf(t.out, "  breach   %s at #%d of the source, and by #%d here\n", f.Rule, s.target.Finding.Seq, f.Seq)
	fmt.Fprintf(t.out, "  kept     %s of the source\n", spans(s.result.Origins))
	fmt.Fprintf(t.out, "  effort   %s\n\n", s.effort())
	if !s.result.Minimal {
		fmt.Fprintf(t.err, "the bound of evaluations was met; judge more with --evaluations %d\n", 10*s.result.Evaluations)
	}
	_, _, err := report.WriteTimeline(t.out, incident.Each(s.result.Records), report.Range{}, true, t.style)
	if err == nil {
		_, err = fmt.Fprintf(t.out, "\nnext: %s\n", s.next())
	}
	return err
}

// next is the command that shows more, or keeps what is left.
func (s *shrunk) next() string {
	if s.saved != "" {
		return report.Command("replay", "verify", s.saved)
	}
	name := fmt.Sprintf("FOUND-%s-%.8s", s.result.Finding.Rule, s.target.Verdict.Head)
	return report.Command("replay", "shrink", s.source, "--rule", s.result.Finding.Rule, "--save", filepath.Join("testdata", "streams", name))
}

// spans writes sequences as ranges: #4 to #7, #9.
func spans(seqs []uint64) string {
	var out []string
	for i := 0; i < len(seqs); {
		n := 1
		for i+n < len(seqs) && seqs[i+n] == seqs[i]+uint64(n) {
			n++
		}
		text := fmt.Sprintf("#%d", seqs[i])
		if n > 1 {
			text += fmt.Sprintf(" to #%d", seqs[i+n-1])
		}
		out, i = append(out, text), i+n
	}
	return strings.Join(out, ", ")
}

func (s *shrunk) json(broken error) shrinkJSON {
	f, v := s.result.Finding, s.target.Verdict
	out := shrinkJSON{
		Schema: report.Schema, Source: s.source, Gateway: s.result.Records[0].Gateway, Events: v.Events, Head: v.Head.String(),
		Rule: f.Rule, Bypassed: f.Bypassed, Seq: s.target.Finding.Seq, Text: f.Text, Origins: slices.Clone(s.result.Origins),
		Evaluations: s.result.Evaluations, Minimal: s.result.Minimal, Saved: s.saved,
	}
	for _, rec := range s.result.Records {
		out.Stream = append(out.Stream, json.RawMessage(rec.Raw))
	}
	for _, st := range s.result.Steps {
		out.Steps = append(out.Steps, stepJSON(st))
	}
	if broken != nil {
		out.Broken = broken.Error()
	}
	return out
}
