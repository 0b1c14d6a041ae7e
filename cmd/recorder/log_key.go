package main

import (
	"errors"
	"fmt"
	"io/fs"

	"ibrecorder/internal/checkpoint"

	"github.com/spf13/cobra"
)

func newLogKey() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Show the public key of the checkpoints",
		Long: `key shows the public key of a data folder. A recorder signs how far its logs have come
at the end of a run, once a day, and after a crash. Whoever has this key can tell that a
bundle (replay pack) has the log that was signed and no other; nobody can sign with it.
Give it away before it is needed, and by another way than the bundles: a key that
comes with what it is to prove proves nothing.`,
		Example: `  recorder log key
  recorder log key > recorder.pub
  replay verify night.ibrec --key recorder.pub`,
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			dir, err := dataFolder(a.data)
			if err != nil {
				return usage(err)
			}
			key, err := checkpoint.PublicKey(dir)
			if errors.Is(err, fs.ErrNotExist) {
				return usage(fmt.Errorf("%s has no key yet: a recorder makes it at its first run; name another folder: --data FOLDER", dir))
			}
			if err != nil {
				return err
			}
			if a.output == "json" {
				return printJSON(cmd.OutOrStdout(), keyAnswer{schema, key})
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), key)
			return err
		},
	}
	a.flags(cmd, false, "table", "json")
	return cmd
}

// keyAnswer is what log key -o json prints.
type keyAnswer struct {
	Schema int `json:"schema_version"`
	// PublicKey is what replay verify --key takes.
	PublicKey string `json:"public_key"`
}
