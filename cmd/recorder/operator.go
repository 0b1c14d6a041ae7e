package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"regexp"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/report"

	"github.com/spf13/cobra"
)

// asker is what every verb that talks to a running recorder has in common.
type asker struct {
	data   string
	by     string
	output string
	zone   *time.Location // of the times in a text, nil is local
}

// flags adds the common flags; operator says that the verb needs a name.
func (a *asker) flags(cmd *cobra.Command, operator bool, formats ...string) {
	dataFlag(cmd, &a.data)
	outputFlag(cmd, &a.output, formats...)
	if operator {
		cmd.Flags().StringVar(&a.by, "by", operatorName(), "`NAME` of who says so")
	}
}

func (a *asker) client() (*httpapi.Client, error) {
	dir, err := dataFolder(a.data)
	if err != nil {
		return nil, usage(err)
	}
	return httpapi.Dial(dir), nil
}

// commands are the ones that hints tell to type.
var commands = regexp.MustCompile(`\brecorder (run|status|resume|ack|note|disconnect|doctor|events|log roll|log archive|log backup|log quarantine)\b`)

// typed is a hint for who named the folder: the next command needs it too.
func (a *asker) typed(hint string) string {
	if a.data == "" || strings.Contains(hint, "--data ") { // that names another one
		return hint
	}
	return commands.ReplaceAllStringFunc(hint, func(c string) string { return c + " --data " + report.Command(a.data) })
}

// silence is how long somebody who types waits without a word.
const silence = 3 * time.Second

// whileItWaits says why nothing comes of what was typed: whoever writes into a log that takes
// nothing waits until it does. Its answer ends it, before anything else is printed.
func (a *asker) whileItWaits(cmd *cobra.Command, c *httpapi.Client, gateway string) (end func()) {
	ctx, cancel := context.WithCancel(cmd.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-ctx.Done():
			return
		case <-time.After(silence):
		}
		if s, err := c.Status(ctx, gateway); err == nil && s.LogError != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "recorder: %s waits, because the log of %s takes nothing: %s\n  next: make room, and it goes on by itself; Ctrl-C gives up; what is wrong: %s\n",
				cmd.Name(), gateway, s.LogError, a.typed("recorder doctor"))
		}
	}()
	return func() { cancel(); <-done }
}

// operatorName is who types: the name that the system knows.
func operatorName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "operator"
}

// told prints what was stored: as it is with -o json, as a sentence otherwise.
// What was refused is printed likewise, and exits 1.
func (a *asker) told(cmd *cobra.Command, rec events.Record, err error, sentence string) error {
	out := cmd.OutOrStdout()
	p, refused := errors.AsType[*httpapi.Problem](err)
	switch {
	case refused && a.output == "json" && errors.Is(err, httpapi.ErrRefused):
		if err := printJSON(out, json.RawMessage(p.Event)); err != nil {
			return err
		}
		return negative
	case p != nil:
		q := *p
		q.Hint = a.typed(p.Hint)
		return &q
	case err != nil:
		return err
	case a.output == "json":
		return printJSON(out, json.RawMessage(rec.Raw))
	}
	_, err = fmt.Fprintln(out, a.typed(sentence))
	return err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // an event is printed as it is stored
	return e.Encode(v)
}

func newResume() *cobra.Command {
	var a asker
	var claim httpapi.Claim
	cmd := &cobra.Command{
		Use:   "resume GATEWAY --reason TEXT",
		Short: "Say that the Gateway was restarted, and release its stop",
		Long: `resume releases a stopped gateway. The recorder reads which process listens on
the Gateway's port, without connecting, and compares it with the one that listened
when it stopped: an unchanged process is refused. Where it cannot know (a
container, another host), your word is the release, and recorded as such.

--override releases without a restart, for cures such as an approval dialog.`,
		Example: `  recorder resume main --reason "restarted, logged in"
  recorder resume main --override --reason "clicked the approval dialog away"`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if claim.Reason == "" {
				return usage(fmt.Errorf("--reason is missing: say what was done, it is recorded: recorder resume %s --reason TEXT", args[0]))
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			claim.By = a.by
			var stop httpapi.Stop
			if s, err := c.Status(cmd.Context(), args[0]); err == nil && s.Stop != nil { // without it less is said, and resume says what is wrong
				stop = *s.Stop
			}
			end := a.whileItWaits(cmd, c, args[0])
			rec, err := c.Resume(cmd.Context(), args[0], claim)
			end()
			sentence := ""
			if d, ok := rec.Data.(events.RestartAcknowledged); ok {
				sentence = fmt.Sprintf("%s: released (%s, event %d). The next attempts are a probation; ready opens the gate.\n  next: recorder status", args[0], basis(d.Basis, stop, readFor(cmd.Context(), c, rec)), rec.Seq)
			}
			return a.told(cmd, rec, err, sentence)
		},
	}
	a.flags(cmd, true, "table", "json")
	cmd.Flags().StringVar(&claim.Reason, "reason", "", "what was done, a `TEXT` (required)")
	cmd.Flags().BoolVar(&claim.Override, "override", false, "release without a restart")
	return cmd
}

// readFor is the reading of the listener that was made for a claim: the last one before its
// release. The zero reading is none.
func readFor(ctx context.Context, c *httpapi.Client, release events.Record) (seen events.GatewayObserved) {
	const near = 8 // it is the event before, unless a timer or a program was quicker
	for rec, err := range c.Read(ctx, release.Gateway, release.Seq-min(near, release.Seq-1), release.Seq) {
		if err != nil {
			return events.GatewayObserved{} // what it rests on is told without it
		}
		if d, ok := rec.Data.(events.GatewayObserved); ok {
			seen = d
		}
	}
	return seen
}

// clockStep is by how much a start must lie before the stop to be called so, in
// milliseconds: it is told by a clock that somebody may set, and the policy has the same
// measure.
const clockStep = 10_000

// basis says what a release rests on. Of a forwarder it is known whether it was restarted,
// which says nothing of the Gateway behind it.
func basis(b events.Basis, stop httpapi.Stop, seen events.GatewayObserved) string {
	switch {
	case b == events.BasisObserved:
		return "a restart was observed"
	case b == events.BasisOverride:
		return "without a restart, by override"
	case seen.Listening == events.ListeningYes && seen.Owner == events.OwnerOther:
		restarted := ""
		if seen.StartedMS != 0 && seen.StartedMS < stop.Since.UnixMilli()-clockStep {
			restarted = " and was not restarted"
		}
		return fmt.Sprintf("by your word: %s (%d) listens%s; what is behind it cannot be seen from here", report.Plain(seen.Process), seen.PID, restarted)
	}
	return "by your word: the Gateway's process cannot be read from here"
}

func newDisconnect() *cobra.Command {
	var a asker
	var q httpapi.Disconnect
	var clientID int64
	cmd := &cobra.Command{
		Use:   "disconnect GATEWAY --reason TEXT",
		Short: "End the sessions of a gateway, or of one client",
		Long: `disconnect ends sessions. While a handshake is under way it is refused, because
a Gateway whose clients vanish there may stop accepting; --force, or
IBKR_FORCE_DISCONNECT=1 (or true, or yes) in the environment, overrides that.`,
		Example: `  recorder disconnect main --reason maintenance
  recorder disconnect main --client 7 --reason "two robots with one id"`,
		Args: arguments(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if q.Reason == "" {
				return usage(fmt.Errorf("--reason is missing, it is recorded: recorder disconnect %s --reason TEXT", args[0]))
			}
			if cmd.Flags().Changed("client") {
				if clientID < 0 {
					return usage(fmt.Errorf("--client %d: a client id is 0 or more", clientID))
				}
				q.ClientID = &clientID
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			q.By, q.ForceEnv = a.by, os.Getenv("IBKR_FORCE_DISCONNECT")
			end := a.whileItWaits(cmd, c, args[0])
			rec, err := c.Disconnect(cmd.Context(), args[0], q)
			end()
			sentence := ""
			if d, ok := rec.Data.(events.DisconnectCompleted); ok {
				sentence = fmt.Sprintf("%s: %s (event %d)", args[0], closed(d.Sessions), rec.Seq)
			}
			return a.told(cmd, rec, err, sentence)
		},
	}
	a.flags(cmd, true, "table", "json")
	cmd.Flags().Int64Var(&clientID, "client", 0, "only the session of API client id `N`")
	cmd.Flags().StringVar(&q.Reason, "reason", "", "why, a `TEXT` (required)")
	cmd.Flags().BoolVar(&q.Force, "force", false, "also in the middle of a handshake")
	return cmd
}

func closed(sessions int64) string {
	switch sessions {
	case 0:
		return "there was no session to close"
	case 1:
		return "1 session closed"
	}
	return fmt.Sprintf("%d sessions closed", sessions)
}

func newNote() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "note GATEWAY 'TEXT'",
		Short: "Write a remark into the log",
		Long: `note writes a remark into the log, where whoever reads it later finds it at its
time. It changes nothing else.`,
		Example: `  recorder note main "IB announced maintenance for tonight"`,
		Args:    arguments(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			end := a.whileItWaits(cmd, c, args[0])
			rec, err := c.Note(cmd.Context(), args[0], a.by, args[1])
			end()
			return a.told(cmd, rec, err, fmt.Sprintf("%s: noted (event %d)", args[0], rec.Seq))
		},
	}
	a.flags(cmd, true, "table", "json")
	return cmd
}
