package main

import (
	"fmt"
	"io"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

func newAck() *cobra.Command {
	var a asker
	var ack httpapi.Ack
	cmd := &cobra.Command{
		Use:   "ack GATEWAY",
		Short: "Say that you have seen an alert, and end its reminders",
		Long: `ack says that you have seen the alert in force and see to it. Nobody is reminded of it
any more; its end is told all the same. It opens nothing: for a stop that is
recorder resume.

What was acknowledged before stays so, and names who did it first; the note of a second
one is not kept, and recorder note writes one.`,
		Example: `  recorder ack main
  recorder ack main --note "on my way to the machine"`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			ack.By = a.by
			before := ""
			if s, err := c.Status(cmd.Context(), args[0]); ack.Note != "" && err == nil && s.Alert != nil {
				before = s.Alert.By
			}
			end := a.whileItWaits(cmd, c, args[0])
			rec, err := c.Ack(cmd.Context(), args[0], ack)
			end()
			sentence := ""
			if d, ok := rec.Data.(events.AlertAcknowledged); ok {
				if before != "" && d.Text != ack.Note { // only the first one is in the log
					fmt.Fprintf(cmd.ErrOrStderr(), "recorder: your note was not kept, because %s has acknowledged it before\n  next: %s\n", before, a.typed(report.Command("recorder", "note", args[0], ack.Note)))
				}
				sentence = fmt.Sprintf("%s: %s is acknowledged by %s (event %d); nobody is reminded of it any more, and nothing is opened by it.\n  next: recorder status", args[0], d.Incident, d.By, rec.Seq)
			}
			return a.told(cmd, rec, err, sentence)
		},
	}
	a.flags(cmd, true, "table", "json")
	cmd.Flags().StringVar(&ack.Note, "note", "", "a `TEXT` for whoever else is told")
	return cmd
}

// alerts says who was told of what.
func alerts(w io.Writer, a *asker, g httpapi.Status, running bool) {
	if x := g.Alert; x != nil {
		about := "the stop"
		if x.About == events.AboutOutage {
			about = "an outage"
		}
		fmt.Fprintf(w, "  alert %s: %s, since %s", x.Incident, about, a.when(x.Since))
		if x.Most > 0 && x.Reminders > 0 {
			fmt.Fprintf(w, ", reminder %d of %d", x.Reminders, x.Most)
		}
		if x.By != "" {
			fmt.Fprintf(w, "; acknowledged by %s at %s\n", x.By, a.when(x.Acknowledged))
		} else {
			fmt.Fprintf(w, "; not acknowledged: %s\n", a.typed("recorder ack "+g.Gateway))
		}
	}
	for _, c := range g.Alerts {
		switch {
		case c.Failing != "":
			fmt.Fprintf(w, "  channel %s tells nobody: %s\n", c.Name, c.Failing)
		case g.Alert != nil && c.Delivered.IsZero():
			fmt.Fprintf(w, "  channel %s has told nobody yet\n", c.Name)
		case g.Alert != nil:
			fmt.Fprintf(w, "  channel %s told at %s\n", c.Name, a.when(c.Delivered))
		}
	}
	if g.DeadManError != "" {
		fmt.Fprintf(w, "  the dead-man ping is not taken: %s\n", g.DeadManError)
	}
	if running && g.Alert != nil && len(g.Alerts) == 0 {
		fmt.Fprintf(w, "  nobody is told: there is no channel; see recorder alert --help\n")
	}
}
