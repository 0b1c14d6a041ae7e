package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/recorder"
	"ibrecorder/internal/report"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work in ten seconds, with a simulated Gateway",
		Long: `demo runs a recorder in front of a simulated Gateway: a session that works, a
Gateway that dies, the stop, the subscriber who is told, programs that are refused,
the release and the recovery. All of it is real but the Gateway: the log, the
connections, the IB client library. No account is needed, and nothing leaves this
machine. The log stays, for replay.`,
		Example: `  recorder demo`,
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			style, err := look(cmd)
			if err != nil {
				return err
			}
			if dir == "" {
				if dir, err = os.MkdirTemp("", "ibrecorder-demo-"); err != nil {
					return err
				}
				defer func() {
					if err != nil { // whoever interrupts it wants nothing to stay
						err = errors.Join(err, os.RemoveAll(dir))
					}
				}()
			} else if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
				return usage(fmt.Errorf("--data %s is not empty, and the demo would write into a log that is no demo; name another folder, or none: recorder demo", dir))
			}
			out := cmd.OutOrStdout()
			d := demo{out: out, dir: dir, style: style}
			err = d.run(cmd.Context())
			if err != nil && cmd.Context().Err() != nil {
				return &exitError{exitInterrupted, errors.New("the demo was interrupted")}
			}
			return err
		},
	}
	zoneFlag(cmd)
	cmd.Flags().StringVar(&dir, "data", "", "data `FOLDER`, empty (default: a new one among the temporary files)")
	return cmd
}

// demo is one performance.
type demo struct {
	out   io.Writer
	dir   string
	style report.Style
	sim   *gwsim.Gateway
	tap   string
	feed  *feed
	seen  int64 // connects that the simulated Gateway had when the gate stopped
}

// plot is what the simulated Gateway does: it works, and then its API layer dies
// while TCP goes on; after the restart its first connect fails, as is known of a
// fresh Gateway (ib_insync issue 303), and then it works.
const plot = `
connection 1:
    hello
    wait start-api
    ready
    silence 1500ms
    fin
connection 2..:
    silence
on restart:
connection 1:
    play fin-before-version
connection 2..:
    play healthy
`

// simSensor stands for the passive reading of the Gateway's process: the simulated
// one has none of its own.
type simSensor struct{ sim *gwsim.Gateway }

func (s simSensor) Observe(context.Context) events.GatewayObserved {
	n := int64(s.sim.Summary().Processes)
	return events.GatewayObserved{
		Listening: events.ListeningYes, Owner: events.OwnerGateway, Process: "simulated gateway", PID: 1000 + n, StartedMS: n,
	}
}

func (d *demo) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p, err := gwsim.Parse(strings.NewReader(plot))
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	d.sim = gwsim.New(gwsim.Options{Script: p, Version: 203})
	defer d.sim.Close()
	go func() {
		if err := d.sim.Serve(ctx, ln); err != nil {
			cancel(fmt.Errorf("the simulated Gateway: %w", err))
		}
	}()
	told := filepath.Join(d.dir, "told.ndjson")
	loaded, err := policy.Load("demo", policy.Demo(), events.Enforce)
	if err != nil {
		return err
	}
	rec, err := daemon.Open(ctx, daemon.Config{
		Data: d.dir, Policy: loaded, Version: version(), Logger: slog.New(slog.DiscardHandler),
		Channels: []alert.Channel{channel.Command{Line: "cat >> " + report.Command(told)}},
		Gateways: []daemon.Gateway{{Name: "main", Address: ln.Addr().String(), Tap: "127.0.0.1:0", Connect: true, ClientID: 7}},
		Sensor:   func(string) recorder.Sensor { return simSensor{d.sim} },
	})
	if err != nil {
		return startError(err)
	}
	d.tap = rec.Gateways()[0].Tap
	ended := make(chan error, 1)
	recording, stop := context.WithCancel(ctx)
	defer stop()
	go func() { ended <- rec.Run(recording) }()
	d.feed = follow(ctx, httpapi.Dial(d.dir))
	played := d.play(ctx, told)
	d.feed.close()
	stop()
	if err := errors.Join(played, <-ended); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return d.close(ctx)
}

// play tells the story, each step when the one before it has happened.
func (d *demo) play(ctx context.Context, told string) error {
	operator := httpapi.Dial(d.dir)
	for _, step := range []func() error{
		func() error {
			d.say("A simulated IB Gateway runs. The recorder stands before it, on %s, and keeps a session of its own (scmhub/ibapi, client 7). Budgets are short here: 2 s, not 30.", d.tap)
			return d.until("session.established")
		},
		func() error {
			d.say("The session works. Now the Gateway dies: it closes the session, and its API layer hangs, while TCP still accepts.")
			return d.until("alert.delivered")
		},
		func() error {
			d.seen = int64(d.sim.Summary().Connects)
			d.say("One silent handshake was enough. The gate is STOPPED, and the subscriber was told: the event is in %s.", told)
			return d.refused()
		},
		func() error {
			d.say("An operator resumes without having restarted the Gateway. The recorder compares the process that listens:")
			_, err := operator.Resume(ctx, "main", httpapi.Claim{By: "demo", Reason: "it will be fine"})
			if !errors.Is(err, httpapi.ErrRefused) {
				return fmt.Errorf("a claim without a restart: %w", err)
			}
			if err := d.until("restart.rejected"); err != nil {
				return err
			}
			d.line("%s", wrap("recorder: "+err.Error(), 92))
			return nil
		},
		func() error {
			d.say("Now the Gateway is restarted, and resumed. The release starts a probation, because the first connect to a fresh Gateway is known to fail.")
			if err := d.sim.Restart(); err != nil {
				return err
			}
			if _, err := operator.Resume(ctx, "main", httpapi.Claim{By: "demo", Reason: "restarted and logged in"}); err != nil {
				return err
			}
			return d.until("session.established")
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	d.say("Recovered: the gate is OPEN again.")
	return nil
}

// refused lets programs try while nobody may dial, and counts what reached the Gateway.
func (d *demo) refused() error {
	const programs = 20
	refused := 0
	for range programs {
		nc, err := net.DialTimeout("tcp", d.tap, time.Second)
		if err != nil {
			refused++
			continue
		}
		if err := nc.Close(); err != nil {
			return err
		}
	}
	d.line("  %d programs try to connect: %d are refused at once. The Gateway saw %d connects since the stop.", programs, refused, int64(d.sim.Summary().Connects)-d.seen)
	return nil
}

// close judges the log, and says how to look at it again.
func (d *demo) close(ctx context.Context) error {
	s, err := store.OpenCopy(ctx, d.dir, "")
	if err != nil {
		return err
	}
	defer s.Close()
	log, err := s.Log(ctx, "main")
	if err != nil {
		return err
	}
	v := report.Verify(log.Read(ctx, 1, 0))
	dials := 0
	for rec, err := range log.Read(ctx, 1, 0) {
		if err != nil {
			return err
		}
		if _, ok := rec.Data.(events.DialStarted); ok {
			dials++
		}
	}
	d.line("")
	d.line("The log has %d events, and the judge, who knows nothing of the recorder, says: the rule %s.", v.Verdict.Events, v.Outcome())
	d.line("Dials in the log: %d. Connects that the Gateway saw: %d.", dials, d.sim.Summary().Connects)
	d.line("")
	d.line("Look at it again:")
	for _, verb := range []string{"verify", "timeline"} {
		d.line("  %s", report.Command(append(replayCommand(), verb, d.dir)...))
	}
	d.line("And away with it: %s", report.Command("rm", "-r", d.dir))
	return nil
}

// replayCommand is how replay is started by whoever started this.
func replayCommand() []string {
	exe, err := os.Executable()
	if err == nil && strings.Contains(exe, "go-build") {
		return []string{"go", "run", "./cmd/replay"}
	}
	if _, missing := exec.LookPath("replay"); missing != nil && err == nil {
		if beside := filepath.Join(filepath.Dir(exe), "replay"); exists(beside) {
			return []string{beside}
		}
	}
	return []string{"replay"}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (d *demo) line(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// say is the narrator.
func (d *demo) say(format string, args ...any) {
	d.line("\n%s", wrap(fmt.Sprintf(format, args...), 92))
}

// until prints the events as they come, to the first of a kind.
func (d *demo) until(kind events.Kind) error {
	for {
		rec, err := d.feed.next()
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", kind, err)
		}
		d.line("  %s", report.Line(rec.Event, d.style))
		if rec.Kind() == kind {
			return nil
		}
	}
}
