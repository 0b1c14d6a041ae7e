package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/config"
	"ibrecorder/internal/notice"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newAlert() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alert",
		Short: "List the channels on which somebody is told, and try them",
		Long: `Channels are alerts.channels in the configuration, a list. A secret stands in a file of
its own, which nobody else may read, or in a variable:

  alerts:
    channels:
      - {name: phone, type: telegram, chat: "12345678", token_file: /etc/ibrecorder/bot}
      - {name: team, type: slack, url_file: env:SLACK_URL}

Types are webhook, slack, telegram, ntfy, pagerduty, alertmanager, smtp and command;
docs/alerts.md has the keys of each. The command of --on-restart-required is a channel
called command.`,
		Example: `  recorder alert list
  recorder alert test
  recorder alert test phone`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(newAlertTest(), newAlertList())
	return cmd
}

// alertFlags are those of both verbs.
func alertFlags(cmd *cobra.Command, a *asker) {
	cmd.Flags().String("config", "", "configuration `FILE` (default as for recorder run)")
	outputFlag(cmd, &a.output, "table", "json")
}

// loadFor loads the configuration for a verb that has --config alone of the flags of run.
func loadFor(cmd *cobra.Command) (config.Config, config.Origins, error) {
	flags := pflag.NewFlagSet("run", pflag.ContinueOnError)
	config.Flags(flags)
	if f := cmd.Flags().Lookup("config"); f.Changed {
		if err := flags.Set("config", f.Value.String()); err != nil {
			return config.Config{}, config.Origins{}, usage(err)
		}
	}
	c, from, err := config.Load(flags, os.Environ())
	if err != nil {
		err = usage(err)
	}
	return c, from, err
}

// errNoChannel is the answer where there is none to list or to try.
var errNoChannel = errors.New("nobody is told: there is no channel in alerts.channels, and no on_restart_required; see recorder alert --help")

func newAlertTest() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "test [CHANNEL]",
		Short: "Send a test message through each channel, or one",
		Long: `test sends a message through the channels of the configuration, and says what came of
it and how long it took. No recorder need run, and nothing is recorded. It exits 1 if a
channel failed, and 2 if the configuration is wrong or a secret cannot be read.

PagerDuty opens an incident of it, with the severity info, which you resolve there; in
Alertmanager it ends by itself after five minutes.

docs/cli-json.md has the fields of -o json.`,
		Example: `  recorder alert test
  recorder alert test phone --config new.yaml`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, from, err := loadFor(cmd)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if c, err = oneChannel(c, args[0]); err != nil {
					return usage(err)
				}
			}
			ways, err := channels(c, from, os.Environ())
			if err != nil {
				return usage(err)
			}
			if len(ways) == 0 {
				return usage(errNoChannel)
			}
			outcomes := tryAll(cmd.Context(), ways, testNotice(time.Now()))
			for i, ch := range c.Channels() {
				outcomes[i].Type = ch.Type
			}
			if a.output == "json" {
				err = printJSON(cmd.OutOrStdout(), triedAnswer{schema, outcomes})
			} else {
				err = writeOutcomes(cmd.OutOrStdout(), outcomes)
			}
			if err == nil && slices.ContainsFunc(outcomes, func(o outcome) bool { return !o.OK }) {
				err = negative
			}
			return err
		},
	}
	alertFlags(cmd, &a)
	return cmd
}

// oneChannel is c with one of its channels.
func oneChannel(c config.Config, name string) (config.Config, error) {
	var names []string
	for _, ch := range c.Channels() {
		names = append(names, ch.Name)
	}
	if len(names) == 0 {
		return c, errNoChannel
	}
	if !slices.Contains(names, name) {
		return c, fmt.Errorf("no channel %q; there are %s", name, strings.Join(names, ", "))
	}
	if name != "command" {
		c.OnRestartRequired = ""
	}
	c.Alerts.Channels = slices.DeleteFunc(slices.Clone(c.Alerts.Channels), func(ch config.Channel) bool { return ch.Name != name })
	return c, nil
}

// testNotice is what a test says. It belongs to no gateway and no incident of one.
func testNotice(now time.Time) notice.Notice {
	host, err := os.Hostname()
	if err != nil {
		host = "an unnamed host"
	}
	now = now.UTC()
	key := "test-" + now.Format("20060102-150405.000000")
	return notice.Notice{
		Kind: notice.Test, Severity: notice.Info, Key: key, Incident: key, Time: now, Since: now,
		Title: "Test: the recorder on " + host + " can tell you",
		Body:  []string{"Somebody typed recorder alert test. No gateway is stopped, and nothing need be done."},
	}
}

// triedAnswer is what alert test -o json prints, channelsAnswer what alert list -o json does.
type triedAnswer struct {
	Schema int `json:"schema_version"`
	// Channels are those that were tried, in the order of the configuration.
	Channels []outcome `json:"channels"`
}

type channelsAnswer struct {
	Schema int `json:"schema_version"`
	// Channels are those of the configuration, in its order.
	Channels []config.Channel `json:"channels"`
}

// outcome is what came of one channel.
type outcome struct {
	Name         string `json:"name"`                     // as the configuration has it
	Type         string `json:"type"`                     // of the channel
	OK           bool   `json:"ok"`                       // it took the message
	ElapsedMS    int64  `json:"elapsed_ms"`               // until it was known
	Error        string `json:"error,omitempty"`          // why it did not
	Final        bool   `json:"final,omitempty"`          // to try again would not help
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"` // how long it wants to be left alone
}

// tryAll tells n on all channels at once, so that one that hangs is all that is waited for.
func tryAll(ctx context.Context, ways []alert.Channel, n notice.Notice) []outcome {
	out := make([]outcome, len(ways))
	var trying sync.WaitGroup
	for i, ch := range ways {
		trying.Go(func() {
			began := time.Now()
			err := ch.Tell(ctx, n)
			out[i] = outcome{Name: ch.Name(), OK: err == nil, ElapsedMS: time.Since(began).Milliseconds()}
			if err != nil {
				out[i].Error = strings.Join(strings.Fields(err.Error()), " ")
			}
			if e, ok := errors.AsType[*channel.TellError](err); ok {
				out[i].Final, out[i].RetryAfterMS = e.Final, e.RetryAfter.Milliseconds()
			}
		})
	}
	trying.Wait()
	return out
}

func writeOutcomes(w io.Writer, all []outcome) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, o := range all {
		came := "told"
		if !o.OK {
			came = "FAILED: " + o.Error
			if o.RetryAfterMS > 0 {
				came += fmt.Sprintf("; it wants to be left alone for %s", time.Duration(o.RetryAfterMS)*time.Millisecond)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%d ms\t%s\n", o.Name, o.Type, o.ElapsedMS, came)
	}
	return t.Flush()
}

func newAlertList() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Print the channels as configured",
		Long: `list prints the channels of the configuration, and where each stands. What a running
recorder has told on them is in recorder status.

-o json has the keys that the configuration gives each channel (docs/cli-json.md). No secret
is among these, only where one stands.`,
		Example: `  recorder alert list -o json`,
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, from, err := loadFor(cmd)
			if err != nil {
				return err
			}
			all := c.Channels()
			if a.output == "json" {
				return printJSON(cmd.OutOrStdout(), channelsAnswer{schema, append([]config.Channel{}, all...)})
			}
			if len(all) == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), errNoChannel)
				return nil
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			for _, ch := range all {
				origin := from.Of("alerts.channels." + ch.Name + ".name")
				if origin == "" {
					origin = from.Of("on_restart_required")
				}
				fmt.Fprintf(t, "%s\t%s\t%s\n", ch.Name, ch.Type, origin)
			}
			return t.Flush()
		},
	}
	alertFlags(cmd, &a)
	return cmd
}
