package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"ibrecorder/internal/config"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/systemd"
	"ibrecorder/internal/tty"

	"github.com/spf13/cobra"
)

// reloader reads the configuration of a recorder that runs once more.
type reloader struct {
	load    func() (config.Config, config.Origins, error)
	d       *daemon.Daemon
	level   *slog.LevelVar
	manager *systemd.Manager
	log     *slog.Logger

	mu      sync.Mutex // one at a time; guards the rest
	running config.Config
}

// reload takes over what a recorder can take while it runs. If anything is wrong with the
// configuration everything stays as it was, and the error says all of it. If a log does not
// take the policy the error says so, and everything else is in force.
func (r *reloader) reload(ctx context.Context) (came httpapi.Reloaded, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.manager.Reloading()
	defer r.manager.Ready() // it works on, whatever came of it
	defer func() {
		switch {
		case errors.Is(err, daemon.ErrKept):
			r.log.Error("not all of the configuration was taken over", "error", err)
			return
		case err != nil:
			r.log.Error("the configuration was not taken over", "error", err)
			return
		}
		r.log.Info("the configuration was read again", "applied", came.Applied)
		if len(came.Restart) > 0 {
			r.log.Warn("some of it needs a restart", "keys", came.Restart)
		}
	}()
	c, from, err := r.load()
	if err != nil {
		return came, err
	}
	// The mode is that of the run until a restart.
	loaded, err := policy.Load(c.Policy.Preset, c.Policy.Params, r.running.Mode)
	if err != nil {
		return came, err
	}
	told, err := channels(c, from, os.Environ())
	if err != nil {
		return came, err
	}
	if _, err := deadMan(c, from, os.Environ()); err != nil { // it needs a restart, which this would hinder
		return came, err
	}
	known, err := tokens(c.HTTP.Tokens)
	if err != nil {
		return came, err
	}
	all, err := guarded(c)
	if err != nil {
		return came, err
	}
	advice := map[string]daemon.Advice{}
	for _, g := range all {
		advice[g.Name] = g.Advice
	}
	kept := r.d.Reload(ctx, daemon.Live{Policy: loaded, Channels: told, Alerts: when(c.Alerts), Advice: advice, Tokens: known})
	if kept != nil && !errors.Is(kept, daemon.ErrKept) {
		return came, kept
	}
	r.level.Set(levelOf(c).Level())
	came = httpapi.Reloaded{Applied: []string{}, Restart: []string{}}
	for _, key := range config.Changed(r.running, c) {
		if config.Live(r.running, key) {
			came.Applied = append(came.Applied, key)
		} else {
			came.Restart = append(came.Restart, key)
		}
	}
	dead := r.running.Alerts.DeadMan // which needs a restart
	r.running.OnRestartRequired, r.running.Alerts = c.OnRestartRequired, c.Alerts
	r.running.Alerts.DeadMan = dead
	r.running.HTTP.Tokens, r.running.LogLevel = c.HTTP.Tokens, c.LogLevel
	r.running.Gateways = advised(r.running.Gateways, c.Gateways)
	if kept == nil {
		r.running.Policy = c.Policy
	}
	return came, kept
}

// advised are the gateways that run, with the advice of another configuration.
func advised(running, other []config.Gateway) []config.Gateway {
	out := slices.Clone(running)
	for i := range out {
		for _, o := range other {
			if o.Name == out[i].Name {
				out[i].Recovery, out[i].RestartWindow = o.Recovery, o.RestartWindow
			}
		}
	}
	return out
}

// heed reloads at each hangup until ctx ends.
func (r *reloader) heed(ctx context.Context, hangups <-chan os.Signal) {
	for {
		select {
		case <-hangups:
			_, _ = r.reload(ctx) // it has logged what came of it
		case <-ctx.Done():
			return
		}
	}
}

// levelOf is the least that is logged.
func levelOf(c config.Config) *slog.LevelVar {
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level.Set(slog.LevelInfo) // validation takes none that slog does not know
	}
	return level
}

// hangup takes SIGHUP over from what ends a verb, and returns where it comes. One that
// took the terminal along ends the recorder, as any program of that terminal; ctx ends
// then.
func hangup(ctx context.Context, errs io.Writer) (context.Context, <-chan os.Signal) {
	if signal.Ignored(syscall.SIGHUP) { // nohup
		return ctx, nil
	}
	caught, hangups := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Reset(syscall.SIGHUP) // of main, for which it is an end
	signal.Notify(caught, syscall.SIGHUP)
	ctx, end := context.WithCancel(ctx)
	terminal := tty.Is(errs)
	go func() {
		defer end()
		defer signal.Stop(caught)
		for {
			select {
			case s := <-caught:
				if terminal && !tty.Is(errs) {
					return
				}
				select {
				case hangups <- s:
				default: // one waits already, and will read the same
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, hangups
}

// reloadAnswer is what config reload -o json prints.
type reloadAnswer struct {
	Schema int `json:"schema_version"`
	httpapi.Reloaded
}

func newConfigReload() *cobra.Command {
	var a asker
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Have the running recorder read its configuration again",
		Long: `reload has the recorder that runs read its configuration again, with the flags and
the environment that it was started with. It takes over the policy, who is told and when,
the tokens, the TLS certificate and the log level at once, and names what needs a restart.
If anything is wrong, everything stays as it was, and what is wrong is said. A log that
takes nothing takes no policy either: then that one stays, and it is said. SIGHUP does
the same.`,
		Example: `  recorder config check && recorder config reload`,
		Args:    arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			came, err := c.Reload(cmd.Context())
			switch {
			case err != nil:
				return err
			case a.output == "json":
				return printJSON(cmd.OutOrStdout(), reloadAnswer{schema, came})
			}
			return printReloaded(cmd.OutOrStdout(), came)
		},
	}
	a.flags(cmd, false, "text", "json")
	return cmd
}

func printReloaded(w io.Writer, came httpapi.Reloaded) error {
	text := "in force: " + strings.Join(came.Applied, ", ")
	if len(came.Applied) == 0 {
		text = "nothing else is in force; secrets and the TLS certificate were read again"
	}
	if len(came.Restart) > 0 {
		text += "\nneeds a restart: " + strings.Join(came.Restart, ", ")
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
