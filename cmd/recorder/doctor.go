package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"ibrecorder/internal/config"
	"ibrecorder/internal/doctor"
	"ibrecorder/internal/report"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// doctorAnswer is what doctor -o json prints.
type doctorAnswer struct {
	Schema int `json:"schema_version"`
	// Findings are all lines, those that are ok too.
	Findings []doctor.Finding `json:"findings"`
}

func newDoctor() *cobra.Command {
	var a asker
	var probe bool
	var clientID int64
	var only string
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError) // those of run, as far as they are given
	config.Flags(flags)
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is wrong around a recorder, and the command that mends it",
		Long: `doctor looks at the configuration, the data folder and its logs, the recorder if one
runs, the clock, the Gateway's port, the programs that are connected to it, the tap's
port, the alerts and the rights. A line is ok, warn, fail or skip (it could not be
looked at), with what to type below it. It exits 1 if one of them is fail.

It writes nothing and connects to no Gateway: it reads the system's tables. With
--probe it makes one attempt for each gateway, through the running recorder, which
permits, records and judges it like any program's.

docs/cli-json.md has the fields of -o json.`,
		Example: `  recorder doctor
  recorder doctor --gateway main --probe
  recorder doctor -o json | jq '.findings[] | select(.level == "fail")'`,
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if clientID < 0 || clientID > 1<<31-1 {
				return usage(fmt.Errorf("--client-id %d: want 0 to 2147483647", clientID))
			}
			if cmd.Flags().Changed("client-id") && !probe {
				return usage(errors.New("--client-id is for a probe: recorder doctor --probe --client-id N"))
			}
			if cmd.Flags().Changed("gateway") && only == "" {
				return usage(errors.New("--gateway is empty: name one, or leave it out for all"))
			}
			for _, name := range []string{"config", "data"} {
				if f := cmd.Flags().Lookup(name); f.Changed {
					if err := flags.Set(name, f.Value.String()); err != nil {
						return usage(err)
					}
				}
			}
			c, from, wrong := config.Load(flags, os.Environ())
			looked := slow(cmd.ErrOrStderr(), "a long log takes some seconds to read")
			f, err := doctor.Gather(cmd.Context(), doctor.Subject{
				Config: c, File: from.File, Wrong: wrong, Unset: wrong == nil && from.Of("gateways."+c.Gateways[0].Name+".address") == "default", Only: only, Version: version(),
			})
			looked()
			if errors.Is(err, doctor.ErrNoGateway) {
				return usage(fmt.Errorf("--gateway %s: there is none of that name in the configuration or a running recorder; there are: recorder config show", only))
			}
			if err != nil {
				return err
			}
			found := doctor.Examine(f)
			if probe && wrong == nil {
				attempt := doctor.Attempt{ClientID: int(clientID)}
				seen, err := doctor.ProbeAll(cmd.Context(), f, attempt, func(gateway string) func() {
					return slow(cmd.ErrOrStderr(), "probing "+gateway+": it may wait for its turn, and then up to a minute; Ctrl-C leaves")
				})
				if err != nil {
					return err
				}
				found = append(found, seen...)
			}
			return a.findings(cmd, found, flags)
		},
	}
	a.flags(cmd, false, "table", "json")
	cmd.Flags().String("config", "", "configuration `FILE` (default as for recorder run)")
	cmd.Flags().StringVar(&only, "gateway", "", "look at the gateway `NAME` alone")
	cmd.Flags().BoolVar(&probe, "probe", false, "make one attempt for each gateway, through the running recorder")
	cmd.Flags().Int64Var(&clientID, "client-id", 9999, "API client id `N` of the probe, one that no program uses")
	return cmd
}

// findings prints them; whoever named a file or a folder needs them in the next command too.
func (a *asker) findings(cmd *cobra.Command, found []doctor.Finding, flags *pflag.FlagSet) error {
	w := cmd.OutOrStdout()
	for i := range found {
		fix := a.typed(found[i].Fix)
		if file := flags.Lookup("config"); file.Changed {
			for _, verb := range []string{"run", "doctor", "config check", "config show"} {
				fix = strings.ReplaceAll(fix, "recorder "+verb, "recorder "+verb+" --config "+report.Command(file.Value.String()))
			}
		}
		found[i].Fix = fix
	}
	var err error
	if a.output == "json" {
		err = printJSON(w, doctorAnswer{schema, found})
	} else {
		err = doctor.Write(w, found, colour(cmd, w))
	}
	if err == nil && doctor.Failed(found) {
		err = negative
	}
	return err
}

// slow says on a terminal what takes its time, if it does.
func slow(w io.Writer, text string) (end func()) {
	if !tty.Is(w) {
		return func() {}
	}
	timer := time.AfterFunc(500*time.Millisecond, func() { fmt.Fprintln(w, text) })
	return func() { timer.Stop() }
}
