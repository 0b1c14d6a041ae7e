package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"ibrecorder/internal/explain"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/report"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

// complete says which words a shell may offer, verb by verb. A source is a file or a folder,
// which a shell knows best. Where nothing can be known nothing is offered, and no error
// reaches the shell.
func complete(root *cobra.Command) {
	tty.CompleteChoices(root)
	tty.Complete(root, "gateway", gateways)
	for _, c := range root.Commands() {
		for name, words := range map[string]func(*cobra.Command, []string) []tty.Word{
			"preset": tty.Plain(policy.Presets()), "rule": rules, "incident": incidents, "gateway-b": gateways,
		} {
			if c.LocalNonPersistentFlags().Lookup(name) != nil {
				tty.Complete(c, name, words)
			}
		}
		if c.Name() == "explain" {
			c.ValidArgsFunction = explained
		}
	}
}

// gateways are those of the data folder that is named.
func gateways(_ *cobra.Command, args []string) (words []tty.Word) {
	if len(args) == 0 {
		return nil
	}
	dir := args[len(args)-1]
	ctx, cancel := context.WithTimeout(context.Background(), tty.CompletionPatience)
	defer cancel()
	names, err := httpapi.Dial(dir).Gateways(ctx)
	if err != nil {
		names, _ = store.GatewaysIn(dir) // none, if it cannot be read
	}
	for _, name := range names {
		words = append(words, tty.Word{Text: name})
	}
	return words
}

func rules(*cobra.Command, []string) (words []tty.Word) {
	for _, e := range report.Catalogue() {
		if e.Kind == rule.Rule {
			words = append(words, tty.Word{Text: e.ID, Means: e.Title})
		}
	}
	return words
}

// incidents are the stops of a stream that is short enough to be read while somebody waits.
// A data folder would be copied first.
func incidents(_ *cobra.Command, args []string) (words []tty.Word) {
	if len(args) == 0 || args[0] == "-" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(args[0], "store.format")); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tty.CompletionPatience)
	defer cancel()
	src, err := source.Open(ctx, args[0], source.Options{})
	if err != nil {
		return nil
	}
	defer src.Close()
	all, _ := report.Incidents(src.Events(ctx, 0, 0)) // as many as there was time for
	for _, i := range all {
		words = append(words, tty.Word{Text: fmt.Sprint(i.Stops[0]), Means: fmt.Sprintf("#%d to #%d", i.Range.From, i.Range.To)})
	}
	return words
}

func explained(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var first, second []tty.Word
	for _, p := range explain.Pages() {
		first = append(first, tty.Word{Text: p.Code, Means: p.Title}, tty.Word{Text: p.Group})
		if len(args) > 0 && p.Group == args[0] {
			second = append(second, tty.Word{Text: p.Code, Means: p.Title})
		}
	}
	return tty.Words(func() []tty.Word { return first }, func() []tty.Word { return second })(cmd, args, begun)
}
