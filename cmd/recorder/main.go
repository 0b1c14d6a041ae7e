package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/tty"
	"ibrecorder/store"

	"github.com/spf13/cobra"
)

// Exit codes: the contract of every verb.
const (
	exitFine        = 0
	exitNegative    = 1 // the answer is no: stopped, refused, blocked
	exitUsage       = 2 // the command line or the configuration is wrong
	exitUnreachable = 4 // no recorder answers

	exitInterrupted = 130 // by a signal, before there was an answer
	exitPipe        = 141 // whoever read the answer has left
)

// exitError carries an exit code. One without an error has been told already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// negative is an answer that was given, and is no.
var negative = &exitError{code: exitNegative}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the program: results on stdout, everything else on stderr.
func run(args []string, in io.Reader, out, errs io.Writer) int {
	// A reader of our output that leaves (tee, head) must not end the recorder on the
	// spot, without recorder.stopped: what is written to it fails, and no more. What is
	// ignored instead of notified would stay so in the commands that we start.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	// The first signal asks for an orderly end, a second one ends at once.
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup means it; to a recorder that runs it means more
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	complain(errs, err)
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return exitInterrupted // whether it was done, nobody has said
	}
	return exitCode(err)
}

// complain says what is wrong, and on a line of its own what to do.
func complain(w io.Writer, err error) {
	if err == nil || readerLeft(err) {
		return
	}
	if e, ok := errors.AsType[*exitError](err); ok && e.err == nil {
		return // told already
	}
	text := err.Error()
	if p, ok := errors.AsType[*httpapi.Problem](err); ok && p.Hint != "" {
		text = strings.TrimSuffix(text, "; "+p.Hint) + "\n  next: " + p.Hint
	}
	fmt.Fprintln(w, "recorder:", text)
}

// readerLeft says whether our output could not be written because nobody reads it. A
// recorder that leaves breaks a socket, which is no file.
func readerLeft(err error) bool {
	written, ok := errors.AsType[*fs.PathError](err)
	return ok && errors.Is(written, syscall.EPIPE)
}

func exitCode(err error) int {
	e, ok := errors.AsType[*exitError](err)
	p, answered := errors.AsType[*httpapi.Problem](err)
	switch {
	case err == nil:
		return exitFine
	case ok:
		return e.code
	case readerLeft(err):
		return exitPipe
	case errors.Is(err, httpapi.ErrUnreachable), errors.Is(err, httpapi.ErrStopping):
		return exitUnreachable
	case errors.Is(err, httpapi.ErrUnknownGateway), errors.Is(err, store.ErrUnknownGateway):
		return exitUsage
	case answered && (p.Status == http.StatusBadRequest || p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusRequestEntityTooLarge):
		return exitUsage // only what was typed can be at fault
	}
	return exitNegative
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "recorder",
		Short: "Record and guard the connections to IB Gateway and TWS",
		Long: `recorder stands between your trading programs and IB Gateway or TWS. It records
every connect attempt, and once the Gateway needs a manual restart it lets nobody
dial until you, or a restart that it sees, release it.

Exit codes: 0 fine, 1 the answer is no (stopped, refused), 2 usage or configuration,
4 no recorder answers, 130 interrupted.`,
		Example: `  recorder demo                          see it work, no account needed
  recorder run                           guard 127.0.0.1:4002; programs connect to 4102
  recorder status                        what is going on
  recorder resume main --reason TEXT     after you restarted the Gateway`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		// cobra answers a word it does not know with the help text and no error.
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownVerb(cmd, args[0])
		},
	}
	root.SetVersionTemplate("recorder {{.Version}}\n")
	root.PersistentFlags().Var(tty.NewChoice(new(string), tty.Colours...), "color", tty.ColourUsage)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(tty.NewHelp("recorder help run", unknownVerb))
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		newRun(), newDemo(), newStatus(), newCheck(), newHealthcheck(), newDoctor(), newResume(), newAck(), newDisconnect(), newEmit(), newNote(), newEvents(),
		newLog(), newAlert(), newNATS(), newToken(), newConfig(), newSim(), newVersion(), newCompletion(),
	)
	complete(root)
	return root
}

// newCompletion is tty's, with our exit code.
func newCompletion() *cobra.Command {
	cmd := tty.NewCompletion("recorder")
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usage(err)
		}
		return nil
	}
	return cmd
}

func usage(err error) error { return &exitError{exitUsage, err} }

// arguments is cobra's check of their number, with our exit code and how it is
// typed. An empty one is a variable of a script that nobody has set.
func arguments(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usage(fmt.Errorf("%d words after %s, want %d: %s", len(args), cmd.Name(), n, cmd.UseLine()))
		}
		if i := slices.Index(args, ""); i >= 0 {
			return usage(fmt.Errorf("word %d after %s is empty: %s", i+1, cmd.Name(), cmd.UseLine()))
		}
		return nil
	}
}

// atMostOne is for a word that may be left out.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return arguments(1)(cmd, args)
}
