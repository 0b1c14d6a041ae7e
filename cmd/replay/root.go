package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"ibrecorder/fsm"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// terminal is what a verb reads from and writes to, and the flags of all verbs.
type terminal struct {
	in       io.Reader
	out, err io.Writer

	gateway string
	output  string
	zone    string
	temp    string
}

const sources = `A SOURCE is a file of events, one a line (- is standard input), an evidence bundle
(replay pack), an incident folder (it has events.ndjson), or a recorder's data folder
(it has store.format). The log of a stopped recorder is read from a copy, that of a
running one through its socket. Nothing is changed.

Exit codes: 0 fine or holds, 1 the answer is no (violated, different, nothing to
shrink), 2 usage, 3 inconclusive or not whole, 4 the recorder does not answer,
130 interrupted.`

func newRoot(t *terminal, args []string) *cobra.Command {
	root := &cobra.Command{
		Use:   "replay VERB SOURCE",
		Short: "Say what happened in a log of the recorder",
		Long:  "Say what happened in a log of the recorder: whether the rule held, in which\norder, and how things stood at any moment.\n\n" + sources,
		Example: `  replay verify ~/.local/state/ibrecorder
  replay timeline incident.ndjson --tz America/New_York
  replay state incident.ndjson --at "2026-03-02 01:00:41" --diff 18`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, rest []string) error {
			if len(rest) > 0 {
				return unknownVerb(c, rest[0])
			}
			c.SetOut(t.err)
			return errors.Join(c.Help(), errors.New("name a verb, for example: replay verify FILE"))
		},
	}
	root.SetArgs(args)
	root.SetIn(t.in)
	root.SetOut(t.out)
	root.SetErr(t.err)
	root.SetVersionTemplate("replay {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return flagError(c, args, err) })
	p := root.PersistentFlags()
	p.StringVar(&t.gateway, "gateway", "", "`NAME` of the gateway, where a source has several")
	p.StringVar(&t.temp, "temp", "", "`FOLDER` for the copy of a log (default: the system's)")
	root.AddCommand(newVerify(t), newTimeline(t), newState(t), newExport(t), newImport(t), newShrink(t), newWhatIf(t), newPack(t), newDiff(t), newExplain(t), newReport(t), newCheckPolicy(t))
	return root
}

// verb fills in what every verb has.
func verb(c *cobra.Command) *cobra.Command {
	c.Args = func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s: no source; name a file, a folder, or - for standard input, for example: replay %s incident.ndjson", c.Name(), c.Name())
		case len(args) > 1:
			return fmt.Errorf("%s: one source at a time, and %q is another", c.Name(), args[1])
		}
		return nil
	}
	c.Long += "\n\n" + sources
	c.DisableFlagsInUseLine = true
	return c
}

// outputFlag adds -o. The first of the formats is the default.
func (t *terminal) outputFlag(c *cobra.Command, formats ...string) {
	c.Flags().VarP(&choice{&t.output, formats}, "output", "o", "what to print: "+strings.Join(formats, " or "))
	c.PreRun = func(*cobra.Command, []string) {
		if t.output == "" {
			t.output = formats[0]
		}
	}
}

func (t *terminal) zoneFlag(c *cobra.Command) {
	c.Flags().StringVar(&t.zone, "tz", "local", "`ZONE` of all times: local, UTC, et or a name such as Europe/Berlin")
}

func rangeFlags(c *cobra.Command, r *report.Range) {
	c.Flags().Uint64Var(&r.From, "from", 0, "`SEQ` of the first event")
	c.Flags().Uint64Var(&r.To, "to", 0, "`SEQ` of the last event")
}

func checkRange(r report.Range) error {
	if r.To != 0 && r.From > r.To {
		return fmt.Errorf("--from %d is behind --to %d", r.From, r.To)
	}
	return nil
}

// choice is a flag with a closed set of values.
type choice struct {
	value *string
	of    []string
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return "FORMAT" }
func (c *choice) Set(s string) error {
	for _, v := range c.of {
		if s == v {
			*c.value = s
			return nil
		}
	}
	return fmt.Errorf("there is %s", strings.Join(c.of, ", "))
}

// location reads --tz.
func (t *terminal) location() (*time.Location, error) {
	switch strings.ToLower(t.zone) {
	case "", "local":
		return time.Local, nil
	case "utc":
		return time.UTC, nil
	case "et": // in which IB states its resets
		return time.LoadLocation("America/New_York")
	}
	zone, err := time.LoadLocation(t.zone)
	if err != nil {
		return nil, fmt.Errorf("--tz %s: %w; take local, UTC, et or a name such as Europe/Berlin", t.zone, err)
	}
	return zone, nil
}

// style is how this terminal wants text.
func (t *terminal) style() (report.Style, error) {
	zone, err := t.location()
	colour := isTerminal(t.out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return report.Style{Zone: zone, Colour: colour, Width: width(t.out)}, err
}

// width is how many columns a terminal has, 0 if w is none or does not say.
func width(w any) int {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
			return columns
		}
	}
	return 0
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// open opens the source of a verb.
func (t *terminal) open(c *cobra.Command, name string) (*source.Source, error) {
	return source.Open(c.Context(), name, source.Options{Gateway: t.gateway, Stdin: t.in, Temp: t.temp})
}

// flagError says which flag was meant.
func flagError(c *cobra.Command, args []string, err error) error {
	if !c.HasParent() {
		for _, a := range args { // an unknown verb comes with flags that only it would know
			if !strings.HasPrefix(a, "-") {
				if found, _, _ := c.Find([]string{a}); found == c {
					return unknownVerb(c, a)
				}
				break
			}
		}
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	name := unknown.GetSpecifiedName()
	if len(name) > 1 {
		name = "--" + name
	} else {
		name = "-" + name
	}
	return fmt.Errorf("%s: there is no %s, the nearest is %s; see: %s --help", c.Name(), name, nearest(name, names), c.CommandPath())
}

func unknownVerb(root *cobra.Command, word string) error {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("there is no verb %q, the nearest is %s; see: replay --help", word, nearest(word, names))
}

// version is what the build says of itself, and what verdicts and hashes depend on.
func version() string {
	v, revision := "(unknown)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		v = info.Main.Version + " " + info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = " " + s.Value
			}
		}
	}
	return fmt.Sprintf("%s%s, rule set %d, fold version %d", v, revision, rule.RuleSet, fsm.FoldVersion)
}
