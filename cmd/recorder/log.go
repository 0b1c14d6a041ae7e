package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"ibrecorder/store"

	"github.com/spf13/cobra"
)

func newLog() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Care for the log on disk",
		Long: `log has what is done to the log of a gateway, whether a recorder runs on it or not. To
read one: replay timeline FOLDER. And it has the key with which the recorder signs what
a log holds.

A log becomes full: at 80 % of log_max_bytes the recorder warns, and at 95 % it permits
nobody to dial any more. To make room: recorder log archive.`,
		Example: `  recorder log archive main /mnt/archive
  recorder log backup /mnt/backup
  recorder log roll main --reason "before the upgrade"
  recorder log quarantine main --reason "the disk lost a block"
  recorder log key`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(newRoll(), newArchive(), newBackup(), newRestore(), newQuarantine(), newLogKey())
	return cmd
}

// quarantineAnswer is what log quarantine -o json prints.
type quarantineAnswer struct {
	Schema int `json:"schema_version"`
	store.Quarantined
}

func newQuarantine() *cobra.Command {
	var a asker
	var why string
	cmd := &cobra.Command{
		Use:   "quarantine GATEWAY --reason TEXT",
		Short: "Set a log aside that the recorder refuses to open",
		Long: `quarantine sets the log of a gateway aside, whole, so that a new one can begin. It
deletes nothing. No recorder may run on the folder. The new log starts STOPPED if
the old one was, or if nobody can tell.`,
		Example: `  recorder log quarantine main --reason "the disk lost a block"`,
		Args:    arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if why == "" {
				return usage(fmt.Errorf("--reason is missing, it is recorded: recorder log quarantine %s --reason TEXT", args[0]))
			}
			dir, err := dataFolder(a.data)
			if err != nil {
				return usage(err)
			}
			aside := slow(cmd.ErrOrStderr(), "what can be read of the log is read first; a long one takes some seconds")
			q, err := store.Quarantine(dir, args[0], why, time.Now())
			aside()
			if errors.Is(err, fs.ErrNotExist) {
				return usage(fmt.Errorf("%s is no data folder of a recorder; name one: --data FOLDER", dir))
			}
			if err != nil {
				return startError(err)
			}
			if a.output == "json" {
				return printJSON(cmd.OutOrStdout(), quarantineAnswer{schema, q})
			}
			state := "it was not stopped, and the new log starts open"
			if q.Stopped {
				state = "the new log starts STOPPED: it was, or nobody can tell"
			}
			length := fmt.Sprintf("of %d events", q.OldSeq)
			if q.OldSeq == 0 {
				length = "of unknown length"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: the log %s is now in %s; %s\n  next: %s\n", args[0], length, q.Folder, state, a.typed("recorder run"))
			return err
		},
	}
	a.flags(cmd, false, "table", "json")
	cmd.Flags().StringVar(&why, "reason", "", "why, a `TEXT` (required)")
	return cmd
}
