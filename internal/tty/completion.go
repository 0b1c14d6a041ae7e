package tty

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// CompletionPatience is how long a completion may take to find words that are not in the
// program, such as the names of gateways. Whoever presses the tab key waits for it, so the
// whole of it has half a second.
const CompletionPatience = 300 * time.Millisecond

// shells are those for which there is a script.
var shells = []string{"bash", "zsh", "fish", "powershell"}

// bashAlone follows cobra's script, which calls a function of the package bash-completion:
// without that each tab is an error, and many servers do not have it. Words are then those of
// bash itself, which ends one at = and at a colon.
const bashAlone = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    __%[1]s_init_completion()
    {
        COMPREPLY=()
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
        cur=${words[cword]}
        prev=${words[cword-1]}
    }
fi
`

// NewCompletion is the verb that prints the script for a shell. The script asks the program
// for the words each time, so it need not be made again for a new version.
func NewCompletion(program string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the script by which a shell completes words with the tab key",
		Long: fmt.Sprintf(`completion prints a script for bash, zsh, fish or powershell. The shell then asks %s
itself which words may follow: verbs, flags, and names such as those of gateways, which it
has from the running recorder or the configuration within half a second, or not at all.`, program),
		Example: fmt.Sprintf(`  source <(%[1]s completion bash)                      for this bash alone
  %[1]s completion bash > ~/.local/share/bash-completion/completions/%[1]s
  %[1]s completion zsh > "${fpath[1]}/_%[1]s"
  %[1]s completion fish > ~/.config/fish/completions/%[1]s.fish
  %[1]s completion powershell | Out-String | Invoke-Expression`, program),
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return fmt.Errorf("completion: want one shell, %s: %s completion bash", Either(shells), program)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				if err := root.GenBashCompletionV2(out, true); err != nil {
					return err
				}
				_, err := fmt.Fprintf(out, bashAlone, program)
				return err
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenPowerShellCompletionWithDesc(out)
		},
	}
	return cmd
}

// Word is something that a shell may offer. What it means may be empty.
type Word struct{ Text, Means string }

// Words makes a completion of words, for the first words of a verb: the nth argument is one
// of the nth list, and what has no list is nothing that could be named.
func Words(lists ...func() []Word) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) >= len(lists) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offered(lists[len(args)](), begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// Complete offers words for the value of a flag. A flag that there is not is a mistake in
// the program.
func Complete(cmd *cobra.Command, flag string, words func(cmd *cobra.Command, args []string) []Word) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return offered(words(cmd, args), begun), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err)
	}
}

// Plain are words that mean what they say.
func Plain(words []string) func(*cobra.Command, []string) []Word {
	return func(*cobra.Command, []string) (out []Word) {
		for _, w := range words {
			out = append(out, Word{Text: w})
		}
		return out
	}
}

// CompleteChoices offers the values of every flag that has a closed set, of a command and all
// below it.
func CompleteChoices(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		CompleteChoices(c)
	}
	flags := cmd.LocalNonPersistentFlags()
	flags.AddFlagSet(cmd.PersistentFlags())
	flags.VisitAll(func(f *pflag.Flag) {
		if c, ok := f.Value.(*Choice); ok {
			Complete(cmd, f.Name, Plain(c.Of))
		}
		if f.Name == "tz" {
			Complete(cmd, f.Name, Plain(Zones))
		}
	})
}

// offered are the words that begin as what was typed, sorted.
func offered(words []Word, begun string) []cobra.Completion {
	words = slices.DeleteFunc(slices.Clone(words), func(w Word) bool { return !strings.HasPrefix(w.Text, begun) })
	slices.SortStableFunc(words, func(a, b Word) int { return cmp.Compare(a.Text, b.Text) })
	words = slices.CompactFunc(words, func(a, b Word) bool { return a.Text == b.Text })
	var out []cobra.Completion
	for _, w := range words {
		if w.Means == "" {
			out = append(out, w.Text)
		} else {
			out = append(out, cobra.CompletionWithDesc(w.Text, w.Means))
		}
	}
	return out
}
