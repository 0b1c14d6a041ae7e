package main

import (
	"fmt"
	"io"
	"strings"

	"ibrecorder/events"
	"ibrecorder/internal/explain"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

func newExplain(t *terminal) *cobra.Command {
	var noPager bool
	c := &cobra.Command{
		Use:   "explain [GROUP] [CODE]",
		Short: "Say what a word or number means, and what to do about it",
		Long: `Explain what the recorder says: a rule (RS1), an assumption (A6), why an attempt
failed (accepted_no_bytes), what stopped the gate (wedged), why somebody waits
(settling), a state (PROBATION), a number of IB's (1100) or the recorder's own
(70503). Without a code it lists all of them; with a group alone, all of that.`,
		Example: `  replay explain RS1
  replay explain accepted_no_bytes
  replay explain session READY
  replay explain code
  replay explain 1100 -o json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 2 {
				return fmt.Errorf("explain: a group and a code at most, and %q is another word", args[2])
			}
			return nil
		},
		DisableFlagsInUseLine: true,
	}
	t.outputFlag(c, "table", "json")
	c.Flags().BoolVar(&noPager, "no-pager", false, "never show it in a pager")
	c.RunE = func(_ *cobra.Command, args []string) error { return t.explain(args, noPager) }
	return c
}

// explainJSON is what `replay explain -o json` prints.
type explainJSON struct {
	Schema int            `json:"schema_version"`
	Pages  []explain.Page `json:"pages"` // one for each code that was asked for, or all
}

func (t *terminal) explain(args []string, noPager bool) error {
	pages, index := explain.Pages(), len(args) == 0
	if !index {
		group, code := "", args[len(args)-1]
		if len(args) == 2 {
			group = args[0]
		}
		if pages = explain.Find(group, code); pages == nil {
			return unknownCode(group, code)
		}
		index = len(args) == 1 && pages[0].Group == code && pages[0].Code != code
	}
	if t.output == "json" {
		return report.WriteJSON(t.out, explainJSON{report.Schema, pages})
	}
	return t.paged(noPager, func(w io.Writer) error { return writePages(w, pages, index) })
}

func writePages(w io.Writer, pages []explain.Page, index bool) error {
	if index {
		_, err := fmt.Fprintf(w, "%s\nnext: replay explain %s\n", explain.Index(pages), pages[0].Code)
		return err
	}
	for i, p := range pages {
		text := p.Text()
		if i > 0 {
			text = "\n" + text
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// unknownCode names the code that was probably meant.
func unknownCode(group, code string) error {
	if _, kind := events.Lookup(events.Kind(code)); kind && group == "" {
		return fmt.Errorf("%s is a kind of event, see docs/events.md; explain has the words in them, see: replay explain", code)
	}
	var codes, groups []string
	for _, p := range explain.Pages() {
		if len(groups) == 0 || groups[len(groups)-1] != p.Group {
			groups = append(groups, p.Group)
		}
		if group == "" || p.Group == group {
			codes = append(codes, p.Code)
		}
	}
	switch {
	case len(codes) == 0:
		return fmt.Errorf("there is no group %q, the nearest is %s; there are %s", group, nearest(group, groups), strings.Join(groups, ", "))
	case group != "":
		return fmt.Errorf("%s has no %q, the nearest is %s; see: replay explain %s", group, code, nearest(code, codes), group)
	}
	return fmt.Errorf("there is no code %q, the nearest is %s; see: replay explain", code, nearest(code, append(codes, groups...)))
}
