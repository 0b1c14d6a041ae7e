package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"

	"github.com/spf13/cobra"
)

// Exit codes of check alone: those of the Monitoring Plugins guidelines, which every
// scheduler of the Nagios family reads.
const (
	checkOK       = 0
	checkWarning  = 1
	checkCritical = 2
	checkUnknown  = 3
)

// checkPatience is how long check waits for the recorder: less than the ten seconds that
// Nagios gives a plugin.
const checkPatience = 8 * time.Second

func newCheck() *cobra.Command {
	var data string
	var t thresholds
	cmd := &cobra.Command{
		Use:   "check [GATEWAY]",
		Short: "Say how things stand in one line, for Nagios and its kin",
		Long: `check prints one line with performance data, and exits as a Nagios plugin. These codes
are its own; no other verb has them:

  0 OK        programs may connect, and the Gateway answered the last one or listens
  1 WARNING   they wait (backoff, probation), the Gateway is away, suspect or has lost IB,
              a channel tells nobody, or the log is filled to --warning or its disk
              nearly full
  2 CRITICAL  the Gateway needs a manual restart, the log takes nothing, is filled
              to --critical or has only its reserve left, the tap's port cannot be had, or the judge refused a dial
  3 UNKNOWN   no recorder answers, nothing is known of the Gateway, or the command line or
              the configuration is wrong

It asks the recorder and never the Gateway, and waits for at most eight seconds. The
performance data are, for each gateway, the sessions, the clients that wait, how full the
log is, and how many attempts were ready, failed and denied since the log began.`,
		Example: `  recorder check
  recorder check live --warning 70 --critical 90
  recorder check --data /var/lib/ibrecorder`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if t.warning < 1 || t.critical > 100 || t.warning > t.critical {
				return fmt.Errorf("--warning %d, --critical %d: want percents of the log, the first not above the second", t.warning, t.critical)
			}
			dir, err := dataFolder(data)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), checkPatience)
			defer cancel()
			all, err := askStatus(ctx, httpapi.Dial(dir), args)
			if errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("the recorder on %s does not answer within %s", dir, checkPatience)
			}
			if err != nil {
				return err
			}
			code, line := t.judge(all)
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
				return err
			}
			return &exitError{code: code}
		},
	}
	cmd.Args = asUnknown(atMostOne)
	cmd.RunE = asUnknown(cmd.RunE)
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return asUnknown(func(c *cobra.Command, _ []string) error { return flagError(c, err) })(c, nil)
	})
	dataFlag(cmd, &data)
	cmd.Flags().Int64VarP(&t.warning, "warning", "w", 80, "warn from a log that is filled to `PERCENT`")
	cmd.Flags().Int64VarP(&t.critical, "critical", "c", 95, "critical from a log that is filled to `PERCENT`")
	return cmd
}

// asUnknown makes every error of a step the answer UNKNOWN: whoever runs check reads its
// standard output, and takes our other exit codes for other answers.
func asUnknown(step func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := step(cmd, args)
		if said, ok := errors.AsType[*exitError](err); err == nil || ok && said.err == nil || readerLeft(err) || cmd.Context() != nil && cmd.Context().Err() != nil {
			return err
		}
		text, _, _ := strings.Cut(err.Error(), "\n")
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "IBRECORDER UNKNOWN - %s\n", oneField(text)); err != nil {
			return err
		}
		return &exitError{code: checkUnknown}
	}
}

// oneField is a text without the sign that begins the performance data.
func oneField(text string) string { return strings.ReplaceAll(text, "|", "/") }

// thresholds are percents of what a log may hold.
type thresholds struct{ warning, critical int64 }

// grades are from the least to the worst: what is known to be wrong comes before what is
// not known, as in the Monitoring Plugins' max_state.
var grades = []struct {
	code int
	name string
}{{checkOK, "OK"}, {checkUnknown, "UNKNOWN"}, {checkWarning, "WARNING"}, {checkCritical, "CRITICAL"}}

// judge says how all gateways are, in one line: the worst first.
func (t thresholds) judge(all []httpapi.Status) (code int, line string) {
	worst := 0
	texts := make([][]string, len(grades))
	var numbers []string
	for _, g := range all {
		grade, text := t.grade(g)
		worst = max(worst, grade)
		texts[grade] = append(texts[grade], g.Gateway+": "+text)
		numbers = append(numbers, t.numbers(g))
	}
	var said []string
	for i := len(texts) - 1; i >= 0; i-- {
		said = append(said, texts[i]...)
	}
	if len(all) == 0 {
		return checkUnknown, "IBRECORDER UNKNOWN - the recorder guards no gateway"
	}
	return grades[worst].code, fmt.Sprintf("IBRECORDER %s - %s | %s", grades[worst].name, oneField(strings.Join(said, "; ")), strings.Join(numbers, " "))
}

// grade is how one gateway is, as a place in grades, and why.
func (t thresholds) grade(g httpapi.Status) (int, string) {
	const ok, unknown, warning, critical = 0, 1, 2, 3
	full := filled(g)
	switch {
	case g.Stop != nil:
		since := ""
		if !g.Stop.Since.IsZero() {
			since = " since " + g.Stop.Since.UTC().Format(time.RFC3339)
		}
		return critical, fmt.Sprintf("STOPPED%s, %s: it needs a manual restart", since, reason(g.Stop.Reason))
	case g.LogError != "":
		return critical, "the log takes nothing: " + g.LogError
	case g.LogLevel == events.LevelReserve && g.Mode == events.Observe:
		return critical, "the log has only its reserve left"
	case g.LogLevel == events.LevelReserve:
		return critical, "the log has only its reserve left, and nobody may dial"
	case full >= t.critical:
		return critical, fmt.Sprintf("the log is filled to %d %%", full)
	case g.TapError != "":
		return critical, "programs cannot connect: " + g.TapError
	case g.Refused != nil:
		return critical, "the judge refused a dial: it would break " + g.Refused.Rule
	case g.Gate == "BACKOFF" || g.Gate == "PROBATION":
		return warning, fmt.Sprintf("%s, API %s: %s", g.Gate, g.API, g.Why)
	case g.API == "ABSENT" || g.API == "STARTING" || g.API == "DEGRADED" || g.API == "SUSPECT" || g.API == "DOWN":
		return warning, fmt.Sprintf("%s, API %s", g.Gate, g.API)
	case full >= t.warning:
		return warning, fmt.Sprintf("the log is filled to %d %%", full)
	case g.LogLevel == events.LevelWarning:
		return warning, "the log or its disk is nearly full"
	}
	for _, c := range g.Alerts {
		if c.Failing != "" {
			return warning, fmt.Sprintf("the channel %s tells nobody: %s", c.Name, c.Failing)
		}
	}
	if g.API == "LISTENING" || g.API == "READY" {
		return ok, fmt.Sprintf("%s, API %s, %s", g.Gate, g.API, sessions(len(g.Sessions)))
	}
	why := "nobody has connected yet"
	if g.Blind != "" {
		why += ", and nothing can be read of it: " + g.Blind
	}
	return unknown, fmt.Sprintf("%s, API %s: %s", g.Gate, g.API, why)
}

func sessions(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}

// filled is how full the log is, in percent, 0 if its limit is not known.
func filled(g httpapi.Status) int64 {
	if g.LogLimit == 0 {
		return 0
	}
	return int64(g.LogBytes * 100 / g.LogLimit)
}

// numbers are the performance data of one gateway: label=value[unit];warning;critical;least;most.
func (t thresholds) numbers(g httpapi.Status) string {
	return fmt.Sprintf("%[1]s_sessions=%[2]d;;;0 %[1]s_waiting=%[3]d;;;0 %[1]s_log=%[4]d%%;%[5]d;%[6]d;0;100 %[1]s_ready=%[7]dc;;;0 %[1]s_failed=%[8]dc;;;0 %[1]s_denied=%[9]dc;;;0",
		g.Gateway, len(g.Sessions), g.Waiting, filled(g), t.warning, t.critical, g.Totals.Succeeded, g.Totals.Failed, g.Totals.Denied)
}
