package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/config"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/health"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/notice"
	"ibrecorder/internal/policy"
	"ibrecorder/internal/systemd"
	"ibrecorder/internal/tty"
	"ibrecorder/internal/window"
	"ibrecorder/store"

	"github.com/lmittmann/tint"
	"github.com/spf13/cobra"
)

func newRun() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Record and guard gateways",
		Long: `run opens the log, rebuilds the state from it, listens for trading programs and
records. Let your programs connect to the tap's port instead of the Gateway's; they
need no other change. Without any flag it guards 127.0.0.1:4002, with the tap on
127.0.0.1:4102. Ctrl-C ends it in order.

The command of --on-restart-required runs once for each stop and once for its end,
with the event on its standard input, RECORDER_GATEWAY, and RECORDER_KIND, which is
restart.required or what ended it, in its environment.`,
		Example: `  recorder run
  recorder run --gateway live=127.0.0.1:4001 --gateway paper=127.0.0.1:4002
  recorder run --connect main --client-id 99          and keep a session of its own
  recorder run --on-restart-required 'mail -s "$RECORDER_GATEWAY: $RECORDER_KIND" me@example.org'
  recorder run --held explain                         while stopped, tell programs why and count them
  recorder run --nats-listen 127.0.0.1:4222           let runners of nats.runners report, and ask for permits
  recorder run --http off                             no HTTP API but on the socket in the data folder
  recorder run --mode observe                         hold nobody, only record`,
		Args: arguments(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, from, err := config.Load(cmd.Flags(), os.Environ())
			if err != nil {
				return usage(err)
			}
			errs := cmd.ErrOrStderr()
			again := func() (config.Config, config.Origins, error) { return config.Load(cmd.Flags(), os.Environ()) }
			return record(cmd.Context(), errs, colour(cmd, errs), c, from, again)
		},
	}
	config.Flags(cmd.Flags())
	return cmd
}

// record runs a recorder until ctx ends. again loads its configuration once more.
func record(ctx context.Context, errs io.Writer, coloured bool, c config.Config, from config.Origins, again func() (config.Config, config.Origins, error)) error {
	ctx, hangups := hangup(ctx, errs)
	loaded, err := policy.Load(c.Policy.Preset, c.Policy.Params, c.Mode)
	if err != nil {
		return usage(err)
	}
	told, err := channels(c, from, os.Environ())
	if err != nil {
		return usage(err)
	}
	began := time.Now()
	level := levelOf(c)
	log := logger(errs, coloured, level)
	set, err := settings(c, from, loaded, log)
	if err != nil {
		return usage(err)
	}
	set.Channels = told
	manager := systemd.From(os.Getenv, os.Unsetenv, os.Getpid(), log)
	r := &reloader{load: again, running: c, level: level, manager: manager, log: log}
	set.Reload = r.reload
	checked := slow(errs, "the files of the log are checked; a long one takes some seconds")
	set.Rebuild = func(gateway string, last uint64, in iter.Seq2[events.Record, error]) iter.Seq2[events.Record, error] {
		checked()
		bar := tty.NewBar(errs, "rebuild "+gateway, tty.Extent{Last: last})
		return func(yield func(events.Record, error) bool) {
			defer bar.Clear()
			bar.Watch(in)(yield)
		}
	}
	var names []string
	for _, g := range set.Gateways {
		names = append(names, g.Name)
	}
	start := alert.Start{Folder: c.Data, Gateways: names, Words: notice.Words{Zone: set.Zone}, Channels: told, Logger: log}
	d, err := daemon.Open(ctx, set)
	checked()
	if err != nil {
		if strings.Contains(err.Error(), syscall.ENOSPC.Error()) { // the embedded server has only words for it
			err = fmt.Errorf("%w; make room on the disk of %s, then start it again", err, c.Data)
		}
		// Who sits at a terminal sees it, and who has started a second recorder has one.
		if !tty.Is(errs) && ctx.Err() == nil && !errors.Is(err, store.ErrLocked) && !errors.Is(err, daemon.ErrGuarded) {
			start.Failed(ctx, events.NewRedactor([]byte(rand.Text())).Text(err.Error()))
		}
		return startError(err)
	}
	r.d = d
	banner(errs, c, from, d, time.Since(began))
	manager.Ready() // the states are rebuilt, the log has taken the start, and the taps listen
	watching, enough := context.WithCancel(ctx)
	var watched sync.WaitGroup
	watched.Go(func() { r.heed(watching, hangups) })
	watched.Go(func() { start.Runs(watching) })
	watched.Go(func() {
		manager.Watch(watching, func() string { return d.Sentence(time.Now()) }, func() error { return health.Alive(d.Pulses()) })
	})
	err = d.Run(ctx)
	enough()
	watched.Wait()
	if err == nil {
		log.Info("stopped", "data", c.Data)
	}
	return err
}

func settings(c config.Config, from config.Origins, loaded events.PolicyLoaded, log *slog.Logger) (daemon.Config, error) {
	out := daemon.Config{
		Data: c.Data, LogBytes: c.LogMaxBytes, Monthly: c.LogRoll == config.Monthly, Policy: loaded, Explain: c.Held == config.Explain, Version: version(), Build: build(), Logger: log,
	}
	if c.NATS.Listen != "" {
		out.NATS = &daemon.NATS{Listen: c.NATS.Listen, Runners: c.NATS.Runners}
	}
	var err error
	if out.Gateways, err = guarded(c); err != nil {
		return out, err
	}
	if err := telling(c, from, &out); err != nil {
		return out, err
	}
	if c.HTTP.Listen == config.Off {
		return out, nil
	}
	known, err := tokens(c.HTTP.Tokens)
	out.HTTP = &daemon.HTTP{Listen: c.HTTP.Listen, Tokens: known, CertFile: c.HTTP.TLSCertFile, KeyFile: c.HTTP.TLSKeyFile}
	return out, err
}

func guarded(c config.Config) (all []daemon.Gateway, err error) {
	for _, g := range c.Gateways {
		windows, err := window.ParseAll(g.RestartWindow)
		if err != nil {
			return nil, fmt.Errorf("gateway %s: %w", g.Name, err)
		}
		all = append(all, daemon.Gateway{
			Name: g.Name, Address: g.Address, Tap: g.Tap, Connect: g.Connect, ClientID: g.ClientID, Advice: daemon.Advice{Recovery: g.Recovery, Windows: windows},
		})
	}
	return all, nil
}

// tokens are those of the configuration; the secrets themselves are read and forgotten.
func tokens(all []config.Token) (known access.Tokens, err error) {
	for _, t := range all {
		one := access.Token{Name: t.Name, Scope: access.Scope(t.Scope)}
		if t.SecretFile == "" {
			one.Sum, err = access.ParseSum(t.SHA256)
		} else {
			var secret string
			if secret, err = config.ReadSecret(t.SecretFile, os.Environ()); err == nil {
				err = access.CheckSecret(secret)
			}
			one.Sum = access.SumOf(secret)
		}
		if err != nil {
			return nil, fmt.Errorf("http.tokens, %s: %w", t.Name, err)
		}
		known = append(known, one)
	}
	return known, nil
}

// startError gives what a configuration can cure the exit code of one.
func startError(err error) error {
	if errors.Is(err, store.ErrLocked) || errors.Is(err, daemon.ErrGuarded) || errors.Is(err, store.ErrFormat) || errors.Is(err, httpapi.ErrPathTooLong) || errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, store.ErrDoor) || errors.Is(err, daemon.ErrHTTP) {
		return usage(err)
	}
	return err
}

// banner says what runs and what to do with it.
func banner(w io.Writer, c config.Config, from config.Origins, d *daemon.Daemon, took time.Duration) {
	a := asker{data: c.Data} // what is to be typed names the folder
	fmt.Fprintf(w, "\n  recorder %s   data %s", version(), c.Data)
	if from.File != "" {
		fmt.Fprintf(w, "   config %s", from.File)
	}
	fmt.Fprintf(w, "\n  rule: %s, %s", c.Policy.Preset, c.Mode)
	if c.Mode == events.Observe {
		fmt.Fprint(w, " - nobody is held")
	}
	if c.Held == config.Explain {
		fmt.Fprint(w, " - while stopped, programs are told why")
	}
	fmt.Fprintln(w)
	for _, g := range d.Gateways() {
		fmt.Fprintf(w, "\n  %-10s programs connect to %s, the Gateway is at %s\n", g.Gateway, g.Tap, g.Address)
		fmt.Fprintf(w, "  %-10s %s, %d events in the log\n", "", g.Gate, g.Seq)
		if g.Next != "" {
			fmt.Fprintf(w, "  %-10s %s\n", "", a.typed(g.Next))
		}
	}
	if at := d.NATS(); at != "" {
		fmt.Fprintf(w, "\n  %-10s runners connect over NATS to %s: %s\n", "", at, strings.Join(slices.Sorted(maps.Keys(c.NATS.Runners)), ", "))
	}
	if at := d.HTTP(); at != "" {
		fmt.Fprintf(w, "\n  %-10s %s/\n", "page", at)
		fmt.Fprintf(w, "  %-10s %s/v1/gateways; %s\n", "HTTP", at, mayWrite(c.HTTP.Tokens))
	}
	fmt.Fprintf(w, "\n  %-10s %s\n", "alerts", whoIsTold(c))
	fmt.Fprintf(w, "\n  ready in %s; Ctrl-C stops; what is going on: %s\n\n", took.Round(time.Millisecond), a.typed("recorder status"))
}

// mayWrite says who may do more over HTTP than read.
func mayWrite(all []config.Token) string {
	if len(all) == 0 {
		return "to read; for more: recorder token new"
	}
	var names []string
	for _, t := range all {
		names = append(names, t.Name+" ("+t.Scope+")")
	}
	return "tokens: " + strings.Join(names, ", ")
}

// logger writes for people on a terminal, and a line of key=value for a journal.
func logger(w io.Writer, coloured bool, level slog.Leveler) *slog.Logger {
	if tty.Is(w) {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !coloured}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
