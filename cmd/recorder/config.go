package main

import (
	"errors"
	"os"

	"ibrecorder/internal/config"

	"github.com/spf13/cobra"
)

// dataFlag adds --data to a verb that needs the folder and nothing else.
func dataFlag(cmd *cobra.Command, data *string) {
	cmd.Flags().StringVar(data, "data", "", "data `FOLDER` of the recorder (default: as the configuration says)")
}

// dataFolder is the folder that was named, or that the configuration names.
func dataFolder(named string) (string, error) {
	if named != "" {
		return named, nil
	}
	c, _, err := config.Load(nil, os.Environ())
	return c.Data, err
}

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show and check the configuration",
		Long: `A value comes from a flag, else from a variable that begins with IBRECORDER_, else
from the file, else it is the default. show and check take the flags of recorder run.`,
		Example: `  recorder config show --origin
  recorder config check --config new.yaml
  recorder config reload                     by the recorder that runs`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(newConfigShow(), newConfigCheck(), newConfigReload())
	return cmd
}

func newConfigShow() *cobra.Command {
	var origin bool
	var output string
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print the configuration in force",
		Long:  "show prints the configuration in force, as a file that can be used as one. -o json has\nthe origin of each value too.",
		Example: `  recorder config show --origin              where each value comes from
  recorder config show --mode observe > ~/.config/ibrecorder/config.yaml`,
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, from, err := config.Load(cmd.Flags(), os.Environ())
			switch {
			case err != nil:
				return usage(err)
			case output == "json":
				return config.ShowJSON(cmd.OutOrStdout(), c, from)
			case origin:
				return config.ShowOrigin(cmd.OutOrStdout(), c, from)
			}
			return config.Show(cmd.OutOrStdout(), c)
		},
	}
	config.Flags(cmd.Flags())
	cmd.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	outputFlag(cmd, &output, "yaml", "json")
	return cmd
}

func newConfigCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Say whether the configuration is right, or everything that is wrong",
		Long:    "check reads the secrets of the channels and of the dead-man ping too, as the user who types it, and sends nothing.",
		Example: `  recorder config check --config new.yaml`,
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, from, err := config.Load(cmd.Flags(), os.Environ())
			if err == nil { // what is wrong with who is told is known when their secrets are read
				_, wrong := channels(c, from, os.Environ())
				_, alsoWrong := deadMan(c, from, os.Environ())
				err = errors.Join(wrong, alsoWrong)
			}
			if err == nil {
				err = config.Check(cmd.OutOrStdout(), cmd.Flags(), os.Environ())
			}
			if err != nil {
				return usage(err)
			}
			return nil
		},
	}
	config.Flags(cmd.Flags())
	return cmd
}
