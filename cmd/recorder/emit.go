package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"

	"github.com/spf13/cobra"
)

// draft is a report as it is sent: a CloudEvent without what the recorder stamps.
type draft struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Type        string          `json:"type"`
	Subject     string          `json:"subject"`
	Time        string          `json:"time,omitempty"`
	ContentType string          `json:"datacontenttype"`
	Attempt     string          `json:"attempt,omitempty"`
	Data        json.RawMessage `json:"data"`
}

func newEmit() *cobra.Command {
	var a asker
	d := draft{SpecVersion: "1.0", ContentType: "application/json"}
	var data, at string
	cmd := &cobra.Command{
		Use:   "emit KIND GATEWAY",
		Short: "Report what a program did",
		Long: `emit records what a program saw or did, for programs that do not connect through
the recorder's port. The report is durable when emit returns. With --id it can be
repeated: the same id from the same source is recorded once.

Kinds that may be reported: ` + strings.Join(outsideKinds(), ", ") + `.
docs/events.md has the fields of each.`,
		Example: `  recorder emit attempt.failed main --attempt robo-17 \
    --json '{"reason":"reported_timeout","stage":"connected","limit_ms":30000}'
  recorder emit gateway.down main --json '{"reason":"reported","text":"no answer for an hour"}'`,
		Args: arguments(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			info, known := events.Lookup(events.Kind(args[0]))
			if near := nearest(args[0], outsideKinds()); !known && near != "" {
				return usage(fmt.Errorf("%q is no kind that can be reported; did you mean: recorder emit %s %s", args[0], near, args[1]))
			}
			if !known || !info.Outside {
				return usage(fmt.Errorf("%q is no kind that can be reported; there are %s", args[0], strings.Join(outsideKinds(), ", ")))
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			if data == "-" {
				b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), events.MaxBytes+1))
				if err != nil {
					return fmt.Errorf("read the data: %w", err)
				}
				data = string(b)
			}
			if len(data) > events.MaxBytes {
				return usage(fmt.Errorf("--json has more than %d bytes, which no event may have", events.MaxBytes))
			}
			if !json.Valid([]byte(data)) || !strings.HasPrefix(strings.TrimSpace(data), "{") {
				// It is not repeated: it may hold an account id.
				return usage(errors.New(`--json is no JSON object; want one such as '{"reason":"reported"}'`))
			}
			if d.ID == "" {
				d.ID = "emit-" + strings.ToLower(rand.Text())
			}
			if at != "" {
				if _, err := time.Parse(time.RFC3339Nano, at); err != nil {
					return usage(fmt.Errorf("--time %s: want a time such as 2026-11-24T03:00:00Z", at))
				}
			}
			d.Type, d.Subject, d.Time, d.Data = info.Type(), args[1], at, json.RawMessage(data)
			body, err := json.Marshal(d)
			if err != nil {
				return err
			}
			end := a.whileItWaits(cmd, c, args[1])
			rec, err := c.Submit(cmd.Context(), args[1], body)
			end()
			if p, ok := errors.AsType[*httpapi.Problem](err); ok {
				q := *p
				q.Detail = fmt.Sprintf("report %s to %s: %s", d.ID, args[1], p.Detail)
				err = &q
			}
			return a.told(cmd, rec, err, fmt.Sprintf("%s: recorded as event %d (%s)", args[1], rec.Seq, rec.ID))
		},
	}
	a.flags(cmd, false, "table", "json")
	cmd.Flags().StringVar(&d.Source, "source", "/runner/cli", "who saw it, a `PATH` such as /runner/robo-1")
	cmd.Flags().StringVar(&d.ID, "id", "", "`ID` of the report (default: a new one)")
	cmd.Flags().StringVar(&d.Attempt, "attempt", "", "the attempt it is about, by the `NAME` that its program gives it")
	cmd.Flags().StringVar(&at, "time", "", "when it happened, a `TIME` as in RFC 3339; it is kept as a claim")
	cmd.Flags().StringVar(&data, "json", "{}", "the fields of the kind, a JSON `OBJECT`, or - to read it from standard input")
	return cmd
}

func outsideKinds() []string {
	var names []string
	for _, k := range events.Kinds() {
		if k.Outside {
			names = append(names, string(k.Kind))
		}
	}
	return names
}
