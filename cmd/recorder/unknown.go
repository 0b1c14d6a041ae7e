package main

import (
	"errors"
	"fmt"

	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// unknownVerb names the verb that is near to the word.
func unknownVerb(cmd *cobra.Command, word string) error {
	var verbs []string
	for _, c := range cmd.Commands() {
		verbs = append(verbs, c.Name())
	}
	return unknown(cmd, word, verbs)
}

// flagError names the flag that is near to one that there is not. An unknown verb
// comes with flags that only it would know: then it is the verb that is wrong.
func flagError(cmd *cobra.Command, err error) error {
	if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
		return unknownVerb(cmd, words[0])
	}
	if wrong := tty.WrongValue(err); wrong != nil {
		return usage(fmt.Errorf("%w; see: %s --help", wrong, cmd.CommandPath()))
	}
	missing, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || len(missing.GetSpecifiedName()) < 2 {
		return usage(fmt.Errorf("%w; see: %s --help", err, cmd.CommandPath()))
	}
	var flags []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, "--"+f.Name) })
	return unknown(cmd, "--"+missing.GetSpecifiedName(), flags)
}

func unknown(cmd *cobra.Command, word string, known []string) error {
	if near := nearest(word, known); near != "" {
		return usage(fmt.Errorf("there is no %q; did you mean: %s %s", word, cmd.CommandPath(), near))
	}
	return usage(fmt.Errorf("there is no %q; see: %s --help", word, cmd.CommandPath()))
}

// nearest is the one of known that word was most likely meant to be, or empty. It
// compares as cobra does, which is why they become verbs.
func nearest(word string, known []string) string {
	var verbs cobra.Command
	for _, k := range known {
		verbs.AddCommand(&cobra.Command{Use: k, Run: func(*cobra.Command, []string) {}})
	}
	most := min(3, len(word)-1) // every word is as far from any other as it is long
	for verbs.SuggestionsMinimumDistance = 1; verbs.SuggestionsMinimumDistance <= most; verbs.SuggestionsMinimumDistance++ {
		if near := verbs.SuggestionsFor(word); len(near) > 0 {
			return near[0]
		}
	}
	return ""
}
