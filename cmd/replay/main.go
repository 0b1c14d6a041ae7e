package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/internal/report"
	"ibrecorder/internal/snapshot"
	"ibrecorder/internal/source"
	"ibrecorder/internal/veil"
	"ibrecorder/store"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The exit codes of every verb.
const (
	exitFine         = 0
	exitNo           = 1 // the rule was violated
	exitUsage        = 2 // the command cannot be carried out as it was given
	exitInconclusive = 3 // the stream is not whole, or an assumption does not hold
	exitUnreachable  = 4 // a running recorder does not answer
	exitInterrupted  = 130
	exitPipe         = 141 // whoever read the output is gone, such as head
)

// run is the whole program.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A reader that leaves must not kill us on the spot: the copy of a log would stay.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	defer context.AfterFunc(ctx, stop)() // a second signal ends us at once

	root := newRoot(&terminal{in: stdin, out: stdout, err: stderr}, args)
	err := root.ExecuteContext(ctx)
	if said := (answer{}); err != nil && !errors.As(err, &said) {
		if ctx.Err() != nil {
			err = errInterrupted
		}
		if !errors.Is(err, syscall.EPIPE) {
			fmt.Fprintln(stderr, "replay:", err)
		}
	}
	return exitCode(err)
}

// answer is an exit code whose reason is already on standard output.
type answer struct{ code int }

func (a answer) Error() string { return fmt.Sprintf("exit %d", a.code) }

var errInterrupted = errors.New("interrupted")

func exitCode(err error) int {
	var a answer
	switch _, damaged := errors.AsType[*events.DecodeError](err); {
	case err == nil:
		return exitFine
	case errors.As(err, &a):
		return a.code
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, source.ErrUnreachable):
		return exitUnreachable
	case errors.Is(err, syscall.EPIPE):
		return exitPipe
	case errors.Is(err, snapshot.ErrDiffers):
		return exitNo
	case damaged, errors.Is(err, errBroken), errors.Is(err, errNothing), errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrMark), errors.Is(err, bundle.ErrBundle), errors.Is(err, veil.ErrSalts):
		return exitInconclusive
	}
	return exitUsage
}

// errBroken is wrapped by the error of a stream that ends early, errNothing if it
// does before its first event.
var (
	errBroken  = errors.New("the stream is not whole")
	errNothing = errors.New("nothing could be read as an event")
)

// ofUser reports whether a stream ended for a reason that says nothing about the
// stream: the user gave up, named another gateway, or the recorder is not there.
func ofUser(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, source.ErrGateway) || errors.Is(err, source.ErrUnreachable) || errors.Is(err, report.ErrMoment)
}

// notWhole is the error that a verb ends with after it has told what it could.
func notWhole(broken error) error {
	switch {
	case broken == nil:
		return nil
	case ofUser(broken):
		return broken
	}
	return fmt.Errorf("%w: %w", errBroken, broken)
}
