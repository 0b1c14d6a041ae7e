package tty

import "github.com/spf13/cobra"

// NewHelp is cobra's help verb, but for a verb that there is not: unknown makes the error.
func NewHelp(example string, unknown func(root *cobra.Command, word string) error) *cobra.Command {
	return &cobra.Command{
		Use:     "help [VERB]",
		Short:   "Say how to use a verb",
		Example: "  " + example,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil && len(args) > 0:
				return unknown(cmd.Root(), args[0])
			case err != nil:
				return err
			case len(rest) > 0:
				return unknown(found, rest[0])
			}
			found.InitDefaultHelpFlag() // which is there only once a verb has run
			return found.Help()
		},
	}
}
