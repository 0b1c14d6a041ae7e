package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"text/tabwriter"
	"time"

	"ibrecorder/events"
	"ibrecorder/fsm"
	"ibrecorder/internal/config"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/doctor"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

// statusAnswer is what status -o json prints.
type statusAnswer struct {
	Schema int `json:"schema_version"`
	// Running is false when no recorder runs on the folder, and this is what its
	// log said last.
	Running bool `json:"running"`
	// Data is the folder.
	Data string `json:"data"`
	// Gateways are those that were asked for, or all.
	Gateways []httpapi.Status `json:"gateways"`
}

func newStatus() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "status [GATEWAY]",
		Short: "Say what is going on, and what to do",
		Long: `status asks the running recorder. If none runs on the data folder, it reads the
log there, says so, and exits 4. It exits 1 if a gateway needs a restart, its log
takes nothing or has only its reserve left, its tap's port cannot be had again after a
release, or the judge refused the last dial.`,
		Example: `  recorder status
  recorder status main -o json`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			style, err := look(cmd)
			if err != nil {
				return err
			}
			a.zone = style.Zone
			c, err := a.client()
			if err != nil {
				return err
			}
			dir, err := dataFolder(a.data)
			if err != nil {
				return usage(err)
			}
			s := statusAnswer{Schema: schema, Running: true, Data: dir}
			s.Gateways, err = askStatus(cmd.Context(), c, args)
			if unreachable := err; errors.Is(err, httpapi.ErrUnreachable) {
				s.Running = false
				var held *store.LockError
				s.Gateways, err = readStatus(cmd.Context(), dir, args)
				switch {
				case errors.Is(err, fs.ErrNotExist): // nor did one ever run there
					return unreachable
				case errors.As(err, &held):
					return &exitError{exitUnreachable, fmt.Errorf("process %d has %s open and does not answer: a recorder starts there, or ends; ask again in a moment", held.PID, dir)}
				case err != nil:
					return fmt.Errorf("%w; nor can its log be read: %w", unreachable, err)
				}
			}
			if err != nil {
				return err
			}
			return s.print(cmd, &a)
		},
	}
	a.flags(cmd, false, "table", "json")
	zoneFlag(cmd)
	return cmd
}

// askStatus asks the running recorder for the gateways that are named, or all.
func askStatus(ctx context.Context, c *httpapi.Client, names []string) ([]httpapi.Status, error) {
	if len(names) == 0 {
		var err error
		if names, err = c.Gateways(ctx); err != nil {
			return nil, err
		}
	}
	var all []httpapi.Status
	for _, name := range names {
		s, err := c.Status(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// readStatus folds the logs of a folder, from a copy.
func readStatus(ctx context.Context, dir string, names []string) (all []httpapi.Status, err error) {
	s, err := store.OpenCopy(ctx, dir, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if len(names) == 0 {
		if names, err = s.Gateways(ctx); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		log, err := s.Log(ctx, name)
		if err != nil {
			return nil, err
		}
		st, err := daemon.ReadStatus(ctx, name, log, store.BaseOf(dir, name))
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	return all, nil
}

func (s statusAnswer) print(cmd *cobra.Command, a *asker) error {
	out := cmd.OutOrStdout()
	var err error
	if a.output == "json" {
		err = printJSON(out, s)
	} else {
		if !s.Running {
			fmt.Fprintf(cmd.ErrOrStderr(), "no recorder is running on %s; this is what its log says; start it with: %s; or say where it keeps its data: --data FOLDER\n", s.Data, report.Command("recorder", "run", "--data", s.Data))
		}
		err = s.table(out, a)
	}
	switch {
	case err != nil:
		return err
	case !s.Running:
		return &exitError{code: exitUnreachable}
	case s.shut():
		return negative
	}
	return nil
}

// shut says that nobody can dial some gateway, and that somebody must do something.
func (s statusAnswer) shut() bool {
	for _, g := range s.Gateways {
		if g.Gate == string(fsm.Stopped) || g.LogError != "" || g.LogLevel == events.LevelReserve || g.TapError != "" || g.Refused != nil {
			return true
		}
	}
	return false
}

func (s statusAnswer) table(w io.Writer, a *asker) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "GATEWAY\tGATE\tSINCE\tAPI\tSESSIONS\tWAITING\tOK/FAILED/DENIED\tTAP")
	for _, g := range s.Gateways {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%d/%d/%d\t%s\n", g.Gateway, g.Gate, a.when(g.Since), g.API,
			len(g.Sessions), g.Waiting, g.Totals.Succeeded, g.Totals.Failed, g.Totals.Denied, g.Tap)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, g := range s.Gateways {
		fmt.Fprintf(w, "\n%s: %s\n", g.Gateway, g.Why)
		if g.LogError != "" {
			fmt.Fprintf(w, "  log: %s\n", g.LogError)
		}
		if g.LogLimit > 0 {
			fmt.Fprintf(w, "  log: %s\n", a.room(g))
		}
		if g.Blind != "" {
			fmt.Fprintf(w, "  no passive evidence: %s; an operator has to say that it was restarted\n", g.Blind)
		}
		if g.TapError != "" {
			fmt.Fprintf(w, "  tap: %s\n", g.TapError)
		}
		if g.Refused != nil {
			fmt.Fprintf(w, "  the judge refused a dial that the policy would permit: it would break %s; event %d\n", g.Refused.Rule, g.Refused.Seq)
			fmt.Fprintf(w, "    %s\n", g.Refused.Text)
		}
		if g.Stop != nil {
			fmt.Fprintf(w, "  why: %s; event %d\n", reason(g.Stop.Reason), g.Stop.Seq)
			switch {
			case g.Mode != events.Enforce || !s.Running:
			case g.Held == string(config.Explain):
				fmt.Fprintf(w, "  %s tells every program why, and counts it; none reaches the Gateway\n", g.Tap)
			default:
				fmt.Fprintf(w, "  %s is closed until then; what a closed port refuses is not counted\n", g.Tap)
			}
		}
		alerts(w, a, g, s.Running)
		for _, x := range g.Sessions {
			fmt.Fprintf(w, "  %s %s%s\n", session(x), x.Phase, unwatched(x))
		}
		for _, x := range g.Clients {
			fmt.Fprintf(w, "  client %d waits until %s, alone: %s in a row (its id in use, or it left before it was ready)\n", x.ID, a.when(x.Until), failures(x.Failures))
		}
		if g.Mode == events.Observe {
			fmt.Fprintln(w, "  observe mode: nobody is held")
		}
		if next := g.Next; next != "" {
			if !s.Running { // nobody takes a resume
				next = "start the recorder, " + next
			}
			fmt.Fprintf(w, "  next: %s\n", a.typed(next))
		}
	}
	return nil
}

// room is how much of a log is taken, and when the rest will be.
func (a *asker) room(g httpapi.Status) string {
	s := fmt.Sprintf("%s of %s taken", doctor.Size(int64(g.LogBytes)), doctor.Size(int64(g.LogLimit)))
	if !g.LogFullAt.IsZero() {
		s += ", full about " + a.when(g.LogFullAt) + " at the present rate"
	}
	return s
}

func failures(n int64) string {
	if n == 1 {
		return "1 failure"
	}
	return fmt.Sprintf("%d failures", n)
}

// unwatched is a word on a session whose framing was lost.
func unwatched(x httpapi.Session) string {
	if x.Unwatched {
		return ", unwatched: relayed on, and whether the Gateway lost IB is not known"
	}
	return ""
}

func session(x httpapi.Session) string {
	if x.ClientID == nil {
		return "a client"
	}
	return fmt.Sprintf("client %d", *x.ClientID)
}

// when is a time as the operator's clock has it, or as --tz says, with the zone's name.
func (a *asker) when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	zone := a.zone
	if zone == nil {
		zone = time.Local
	}
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}

// reason is a sentence on why the gate stopped.
func reason(r events.DownReason) string {
	switch r {
	case events.DownSilent:
		return "the Gateway accepted and did not answer"
	case events.DownDialTimeouts:
		return "dials timed out"
	case events.DownClosed:
		return "the Gateway closed before it answered"
	case events.DownProbation:
		return "it did not answer after the last release either"
	case events.DownWedged:
		return "the Gateway accepts nobody: a connection was left unread for a whole budget"
	case events.DownReported:
		return "a program reported it"
	}
	if r == "" {
		return "its event was archived, and says so"
	}
	return string(r)
}
