package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newEvents() *cobra.Command {
	var a asker
	var from, to uint64
	var follow bool
	cmd := &cobra.Command{
		Use:   "events GATEWAY",
		Short: "Print the events of a gateway",
		Long: `events prints the log of a gateway, from the running recorder, in local time. With
-o ndjson it prints the stored bytes, a line each, which replay reads. When none
runs, read the folder itself: replay timeline FOLDER.`,
		Example: `  recorder events main --follow
  recorder events main --from 1200 -o ndjson > incident.ndjson`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if follow && to > 0 {
				return usage(errors.New("--follow has no end, and --to names one; leave one of them out"))
			}
			c, err := a.ready("text", "ndjson")
			if err != nil {
				return err
			}
			stream := c.Read(cmd.Context(), args[0], from, to)
			if follow {
				stream = c.Tail(cmd.Context(), args[0], from)
			}
			out := cmd.OutOrStdout()
			style := report.Style{Zone: time.Local, Colour: colour(out)}
			day := ""
			for rec, err := range stream {
				switch {
				case err != nil && follow && (cmd.Context().Err() != nil || errors.Is(err, httpapi.ErrStopping)):
					return nil // who follows ends it, or the recorder did in order
				case err != nil && cmd.Context().Err() != nil:
					return &exitError{exitInterrupted, err} // a part must not pass for the whole
				case err != nil:
					return err
				case a.output == "ndjson":
					_, err = fmt.Fprintf(out, "%s\n", rec.Raw)
				default:
					if d := rec.Time.In(style.Zone).Format("2006-01-02 MST"); d != day { // the lines have only the time
						day = d
						fmt.Fprintln(out, day)
					}
					_, err = fmt.Fprintln(out, report.Line(rec.Event, style))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	a.flags(cmd, false, "text or ndjson")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes")
	cmd.Flags().Uint64Var(&from, "from", 1, "first `EVENT`")
	cmd.Flags().Uint64Var(&to, "to", 0, "last `EVENT` (default: the newest)")
	return cmd
}

// colour says whether w is a terminal whose owner wants colours.
func colour(w any) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(f.Fd()))
}
