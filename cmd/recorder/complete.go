package main

import (
	"context"
	"os"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/config"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/tty"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

// complete says which words a shell may offer, verb by verb. Where nothing can be known
// nothing is offered, and no error reaches the shell.
func complete(root *cobra.Command) {
	tty.CompleteChoices(root)
	for _, words := range [][]string{{"status"}, {"check"}, {"resume"}, {"disconnect"}, {"ack"}, {"note"}, {"events"}, {"log", "quarantine"}, {"log", "roll"}} {
		cmd := verbOf(root, words...)
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return tty.Words(func() []tty.Word { return gateways(cmd, args) })(cmd, args, begun)
		}
	}
	verbOf(root, "log", "archive").ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		return tty.Words(func() []tty.Word { return gateways(cmd, args) })(cmd, args, begun)
	}
	emit := verbOf(root, "emit")
	emit.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return tty.Words(reportable, func() []tty.Word { return gateways(cmd, args) })(cmd, args, begun)
	}
	test := verbOf(root, "alert", "test")
	test.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return tty.Words(func() []tty.Word { return channelNames(cmd) })(cmd, args, begun)
	}
	tty.Complete(verbOf(root, "token", "new"), "scope", func(*cobra.Command, []string) (words []tty.Word) {
		for _, scope := range access.Scopes {
			words = append(words, tty.Word{Text: string(scope)})
		}
		return words
	})
	tty.Complete(verbOf(root, "events"), "kind", tty.Plain(kindWords()))
	tty.Complete(verbOf(root, "doctor"), "gateway", gateways)
	tty.Complete(verbOf(root, "sim"), "behaviour", func(*cobra.Command, []string) (words []tty.Word) {
		for _, b := range gwsim.Behaviours() {
			words = append(words, tty.Word{Text: b.Name, Means: b.About})
		}
		return words
	})
	for _, words := range [][]string{{"run"}, {"config", "show"}, {"config", "check"}} {
		cmd := verbOf(root, words...)
		tty.Complete(cmd, "policy", tty.Plain(policy.Presets()))
		tty.Complete(cmd, "mode", tty.Plain([]string{string(events.Enforce), string(events.Observe)}))
		tty.Complete(cmd, "held", tty.Plain([]string{string(config.Refuse), string(config.Explain)}))
		tty.Complete(cmd, "connect", gateways)
	}
}

// verbOf finds a verb by its words, which are those of this program.
func verbOf(root *cobra.Command, words ...string) *cobra.Command {
	cmd, _, err := root.Find(words)
	if err != nil {
		panic(err)
	}
	return cmd
}

// channelNames are those of the configuration.
func channelNames(cmd *cobra.Command) (words []tty.Word) {
	c, _, err := loadFor(cmd)
	if err != nil {
		return nil
	}
	for _, ch := range c.Channels() {
		words = append(words, tty.Word{Text: ch.Name, Means: ch.Type})
	}
	return words
}

// gateways are those of the running recorder, else those that have a log in the data folder,
// else those of the configuration.
func gateways(cmd *cobra.Command, _ []string) (words []tty.Word) {
	c, _, err := config.Load(nil, os.Environ())
	if f := cmd.Flag("data"); f != nil && f.Value.String() != "" {
		c.Data = f.Value.String()
	} else if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tty.CompletionPatience)
	defer cancel()
	names, err := httpapi.Dial(c.Data).Gateways(ctx)
	if err != nil {
		names, _ = store.GatewaysIn(c.Data) // none, if it cannot be read
	}
	if len(names) == 0 {
		for _, g := range c.Gateways {
			names = append(names, g.Name)
		}
	}
	for _, name := range names {
		words = append(words, tty.Word{Text: name})
	}
	return words
}

func reportable() (words []tty.Word) {
	for _, kind := range outsideKinds() {
		words = append(words, tty.Word{Text: kind})
	}
	return words
}
