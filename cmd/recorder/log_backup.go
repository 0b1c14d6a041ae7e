package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ibrecorder/internal/backup"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

// backupAnswer is what log backup and log restore -o json print.
type backupAnswer struct {
	Schema int `json:"schema_version"`
	// File is the backup.
	File string `json:"file"`
	// Data is the data folder that it was made of, or that was made of it.
	Data string `json:"data"`
	backup.Contents
}

func newBackup() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "backup FILE|FOLDER",
		Short: "Put a data folder into one file",
		Long: `backup puts everything of a data folder that cannot be made again into one file: the logs,
the keys, the marks and the checkpoints. It does so whether a recorder runs or not, reads
the file back, and checks every chain in it before it gives it its name. In a FOLDER the
file is named for the time.

Keep it as you keep the data folder: whoever has it can sign as the recorder does.`,
		Example: `  recorder log backup /mnt/backup
  recorder log backup recorder.backup -o json`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := dataFolder(a.data)
			if err != nil {
				return usage(err)
			}
			to := args[0]
			if info, err := os.Stat(to); err == nil && info.IsDir() {
				to = filepath.Join(to, "recorder-"+time.Now().UTC().Format("20060102T150405Z")+".backup")
			}
			c, err := backup.Write(cmd.Context(), dir, to)
			switch {
			case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
				return usage(err)
			case err != nil:
				return err
			case a.output == "json":
				return printJSON(cmd.OutOrStdout(), backupAnswer{schema, to, dir, c})
			}
			if err := printContents(cmd.OutOrStdout(), c); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "all of it is in %s, and was read back\n  to make a data folder of it: %s\n", to, report.Command("recorder", "log", "restore", to, "--data", "FOLDER"))
			return err
		},
	}
	a.flags(cmd, false, "table", "json")
	return cmd
}

func newRestore() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "restore FILE --data FOLDER",
		Short: "Make a data folder of a backup",
		Long: `restore makes the data folder that a backup was made of, whole or not at all. It writes
over nothing: the folder must not be there, or be empty.

What happened after the backup is not in it, a stop neither. If a Gateway has needed a
restart since then and did not get it, say so before programs connect:
recorder emit gateway.down GATEWAY --json '{"reason":"reported"}'

A high-water mark that is newer than the backup, put beside the restored log, has it
refused: the log is shorter than the mark knows it to have been. That is what marks are
for, so bring the newest copy of the log, and not an old one.`,
		Example: `  recorder log restore recorder.backup --data ~/recorder`,
		Args:    arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := dataFolder(a.data)
			if err != nil {
				return usage(err)
			}
			c, err := backup.Restore(cmd.Context(), args[0], dir)
			switch {
			case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
				return usage(err)
			case err != nil:
				return err
			case a.output == "json":
				return printJSON(cmd.OutOrStdout(), backupAnswer{schema, args[0], dir, c})
			}
			if err := printContents(cmd.OutOrStdout(), c); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "all of it is in %s; what happened after the backup is not\n  next: %s\n", dir, a.typed("recorder run"))
			return err
		},
	}
	a.flags(cmd, false, "table", "json")
	return cmd
}

func printContents(w io.Writer, c backup.Contents) error {
	for _, l := range c.Logs {
		what := fmt.Sprintf("events %d to %d", l.First, l.Last)
		if l.First == 0 {
			what = "no event"
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n", l.Gateway, what); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "beside them %d files: keys, marks, checkpoints\n", c.Files)
	return err
}
