package main

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"ibrecorder/fsm"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

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
		Version:           version(),
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return t.look(c) },
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.ArbitraryArgs,
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
	p.Var(&tty.Choice{Value: &t.colour, Of: tty.Colours}, "color", tty.ColourUsage)
	p.StringVar(&t.temp, "temp", "", "`FOLDER` for the copy of a log (default: the system's)")
	root.AddCommand(newVerify(t), newTimeline(t), newState(t), newExport(t), newImport(t), newShrink(t), newWhatIf(t), newPack(t), newDiff(t), newExplain(t), newReport(t), newCheckPolicy(t), tty.NewCompletion("replay"))
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(tty.NewHelp("replay help verify", unknownVerb))
	complete(root)
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
	if wrong := tty.WrongValue(err); wrong != nil {
		return fmt.Errorf("%s: %w; see: %s --help", c.Name(), wrong, c.CommandPath())
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return fmt.Errorf("%s: %w; see: %s --help", c.Name(), err, c.CommandPath())
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
