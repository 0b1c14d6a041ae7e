package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"ibrecorder/internal/config"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

// rollAnswer is what log roll -o json prints: the part that was sealed.
type rollAnswer struct {
	Schema int `json:"schema_version"`
	httpapi.Part
}

// archiveAnswer is what log archive -o json prints.
type archiveAnswer struct {
	Schema int `json:"schema_version"`
	// Parts are those that left the log, oldest first.
	Parts []httpapi.Part `json:"parts"`
}

func newRoll() *cobra.Command {
	var a asker
	var why string
	cmd := &cobra.Command{
		Use:   "roll GATEWAY",
		Short: "Begin a new part of a log",
		Long: `roll seals the newest part of a log and begins the next one, in which sequence and hash
chain go on. Whoever reads the log notices nothing. A recorder does it by itself when a
month is over (log_roll), and before an archive.`,
		Example: `  recorder log roll main
  recorder log roll main --reason "before the upgrade"`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			answered := a.whileItWaits(cmd, c, args[0])
			part, err := c.Roll(cmd.Context(), args[0], httpapi.Roll{By: a.by, Reason: why})
			answered()
			if errors.Is(err, httpapi.ErrUnreachable) {
				err = a.stopped(cmd.Context(), args[0], func(_ string, log *store.JetLog) error {
					rolled, err := log.Roll(cmd.Context(), why, time.Now())
					part = httpapi.Part{Part: rolled.Part, First: rolled.First, Last: rolled.Last, Bytes: rolled.Bytes}
					return err
				})
			}
			switch {
			case errors.Is(err, store.ErrNothingToRoll):
				return fmt.Errorf("%s: %w", args[0], store.ErrNothingToRoll)
			case err != nil:
				return err
			case a.output == "json":
				return printJSON(cmd.OutOrStdout(), rollAnswer{schema, part})
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: part %d has the events %d to %d and takes nothing more; the log goes on with event %d\n", args[0], part.Part, part.First, part.Last, part.Last+1)
			return err
		},
	}
	a.flags(cmd, true, "table", "json")
	cmd.Flags().StringVar(&why, "reason", "", "why, a `TEXT`")
	return cmd
}

// stopped opens a log that no recorder runs on, and lets do care for it.
func (a *asker) stopped(ctx context.Context, gateway string, do func(data string, log *store.JetLog) error) (err error) {
	dir, err := dataFolder(a.data)
	if err != nil {
		return usage(err)
	}
	most := int64(0)
	if c, _, err := config.Load(nil, os.Environ()); err == nil { // the limit is no part of the log
		most = c.LogMaxBytes
	}
	s, log, err := daemon.OpenStopped(ctx, dir, most, gateway, slog.New(slog.DiscardHandler))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, store.ErrUnknownGateway):
		return usage(fmt.Errorf("%w; name its folder: --data FOLDER", err))
	case err != nil:
		return startError(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(dir, log)
}

func newArchive() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "archive GATEWAY FOLDER",
		Short: "Move the past of a log into files, to make room",
		Long: `archive moves what a log has into files of FOLDER, one for each part, and so makes room
for new events. A running recorder begins a new part first, so that everything up to now
goes; of a stopped one the newest part stays. Each file is read back, and its chain
checked, before its part leaves the log.

The files are streams like any other. All of them in the order of their names are what the
log was, and are verified as that: cat FOLDER/main-*.ndjson | replay verify -
A later one by itself is verified from its first event on, and what rests on events before
that is INCONCLUSIVE.
Keep them. What the gate must know of them stays in the data folder.`,
		Example: `  recorder log archive main /mnt/archive
  cat /mnt/archive/main-*.ndjson | replay verify -`,
		Args: arguments(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			to, err := archiveFolder(args[1])
			if err != nil {
				return usage(err)
			}
			written := slow(cmd.ErrOrStderr(), "the parts are written and read back; long ones take some seconds")
			defer written()
			answered := a.whileItWaits(cmd, c, args[0])
			parts, err := c.Archive(cmd.Context(), args[0], httpapi.Archive{By: a.by, Folder: to})
			answered()
			running := !errors.Is(err, httpapi.ErrUnreachable)
			if !running {
				err = a.stopped(cmd.Context(), args[0], func(data string, log *store.JetLog) (err error) {
					parts, err = daemon.ArchiveStopped(cmd.Context(), data, build(), log, to)
					return err
				})
			}
			if err == nil && a.output == "json" {
				return printJSON(cmd.OutOrStdout(), archiveAnswer{schema, append([]httpapi.Part{}, parts...)})
			}
			return errors.Join(printArchived(cmd.OutOrStdout(), args[0], parts, running, err), err)
		},
	}
	a.flags(cmd, true, "table", "json")
	return cmd
}

// archiveFolder is where to, which need not be there, for a process with another working
// folder.
func archiveFolder(to string) (string, error) {
	to, err := filepath.Abs(to)
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("the folder of the archive: %w", err)
	}
	return to, nil
}

func printArchived(w io.Writer, gateway string, parts []httpapi.Part, running bool, failed error) error {
	for _, p := range parts {
		if _, err := fmt.Fprintf(w, "%s: events %d to %d are in %s\n", gateway, p.First, p.Last, p.File); err != nil {
			return err
		}
	}
	switch {
	case len(parts) > 0 || failed != nil:
		return nil
	case running:
		_, err := fmt.Fprintf(w, "%s: nothing could be archived: the log has nothing that is over\n", gateway)
		return err
	}
	_, err := fmt.Fprintf(w, "%s: nothing could be archived: of a stopped recorder's log the newest part stays\n  next: recorder run, and then once more\n", gateway)
	return err
}
