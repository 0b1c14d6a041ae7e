package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/config"
	"ibrecorder/internal/explore"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

func newCheckPolicy(t *terminal) *cobra.Command {
	var o checkOptions
	c := &cobra.Command{
		Use:   "check-policy FILE | --preset NAME",
		Short: "Prove a policy before it is in force",
		Long: `Explore everything that can happen under a policy: the real fold, the real
decision and the real judge, with programs, a Gateway, runners, operators and
crashes of the recorder around them that do whatever they can, in any order. The
first line is the answer:

  SAFE     nothing bad can be reached, ready can be reached from everywhere, and
           every row of the tables was exercised or has a reason not to be (exit 0)
  UNSAFE   with a shortest way to what is wrong (exit 1); -w writes it as a log
  BOUNDED  nothing was found, and not everything was explored (exit 3)

FILE is a configuration of the recorder, of which the policy and the mode count,
the policy section of one by itself, or the policy.yaml of a test stream. It is
read as the recorder reads it: what it would refuse is an error here (exit 2).`,
		Example: `  replay check-policy ~/.config/ibrecorder/config.yaml
  replay check-policy --preset lenient
  replay check-policy new.yaml -w found.ndjson && echo safe`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
	}
	t.outputFlag(c, "table", "json")
	c.Flags().StringVar(&o.preset, "preset", "", "check the preset `NAME`: handoff, lenient or demo")
	c.Flags().StringVarP(&o.write, "write", "w", "", "`FILE` for the log of the shortest way to what is wrong")
	c.Flags().BoolVar(&o.force, "force", false, "overwrite the file")
	c.Flags().IntVar(&o.most, "most", explore.DefaultMost, "`N` states of one cast to look at before it is given up")
	c.RunE = func(c *cobra.Command, args []string) error {
		return t.checkPolicy(c.Context(), explore.Real(), args, o)
	}
	return c
}

type checkOptions struct {
	preset, write string
	force         bool
	most          int
}

// checkGC is the collector's percentage while a policy is explored: what an edge leaves
// behind is nearly all garbage.
const checkGC = 800

func (t *terminal) checkPolicy(ctx context.Context, machine explore.Machine, args []string, o checkOptions) error {
	loaded, name, err := policyOf(args, o.preset)
	if err != nil {
		return fmt.Errorf("check-policy: %w", err)
	}
	switch {
	case o.most < 1:
		return fmt.Errorf("check-policy: --most is %d, want 1 or more", o.most)
	case o.force && o.write == "":
		return errors.New("check-policy: --force overwrites a file; name it with -w FILE")
	}
	debug.SetGCPercent(checkGC)
	began := time.Now()
	r := explore.Check(ctx, machine, loaded, explore.Options{Most: o.most})
	if err := ctx.Err(); err != nil {
		return err
	}
	states, made := 0, 0
	for _, c := range r.Casts {
		states, made = states+c.States, made+c.Edges
	}
	if t.output == "json" {
		err = report.WriteJSON(t.out, r.JSON(report.Schema, name))
	} else {
		var text strings.Builder
		if err = explore.Write(&text, r); err == nil {
			_, err = io.WriteString(t.out, report.Wrap(text.String(), t.style.Width))
		}
	}
	if err != nil {
		return err
	}
	if states > 0 {
		fmt.Fprintf(t.err, "explored %d states by %d moves in %.1f s\n", states, made, time.Since(began).Seconds())
	}
	if o.write != "" {
		if err := t.writeFound(r, o); err != nil {
			return err
		}
	}
	switch r.Outcome {
	case explore.Unsafe:
		return answer{exitNo}
	case explore.Bounded:
		return answer{exitInconclusive}
	}
	return nil
}

// writeFound writes the log of the counterexample.
func (t *terminal) writeFound(r explore.Result, o checkOptions) error {
	if r.Found == nil {
		fmt.Fprintf(t.err, "%s is not written: nothing was found\n", o.write)
		return nil
	}
	err := toFile("check-policy", o.write, o.force, func(w io.Writer) error {
		out := bufio.NewWriter(w)
		for _, rec := range r.Found.Records {
			out.Write(rec.Raw)
			out.WriteByte('\n')
		}
		return out.Flush()
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.err, "wrote %d events to %s; next: %s\n", len(r.Found.Records), o.write, report.Command("replay", "verify", o.write))
	return nil
}

// policyOf is the policy of a file or of a preset, and what to call it.
func policyOf(args []string, preset string) (loaded events.PolicyLoaded, name string, err error) {
	switch {
	case preset != "" && len(args) > 0:
		return loaded, "", fmt.Errorf("%s or --preset %s, not both", args[0], preset)
	case preset != "":
		params, err := policy.Preset(preset)
		if err != nil {
			return loaded, "", err
		}
		loaded, err = policy.Load(preset, params, events.Enforce)
		return loaded, "preset " + preset, err
	case len(args) == 0:
		return loaded, "", errors.New("no policy; name a file or a preset, for example: replay check-policy --preset handoff")
	case len(args) > 1:
		return loaded, "", fmt.Errorf("one policy at a time, and %q is another", args[1])
	}
	loaded, err = config.ReadPolicy(args[0])
	return loaded, args[0], err
}
