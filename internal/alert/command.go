package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/notice"
)

// defaultTimeout is how long a command may run. It is below the 30 s after which
// the log gives an event out again.
const defaultTimeout = 20 * time.Second

// finishWithin is how long a command may still run when the recorder ends: most are
// done by then, and one that is cut short runs again in the next run.
const finishWithin = 500 * time.Millisecond

// Command runs a line of shell.
type Command struct {
	Line    string
	Timeout time.Duration // 0 is 20 s
}

// Name implements Channel.
func (c Command) Name() string { return "command" }

// Tell implements Channel: it runs the line in a shell with the event on its
// standard input, one line of JSON as it is stored, and RECORDER_GATEWAY and
// RECORDER_KIND in its environment. An exit status other than 0 is a failure,
// and what it wrote to its standard error is the reason.
func (c Command) Tell(run context.Context, n notice.Notice) error {
	if run.Err() != nil {
		return &TellError{ExitCode: -1, Err: context.Cause(run)}
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(run), timeout, fmt.Errorf("it ran longer than %s", timeout))
	defer cancel()
	defer context.AfterFunc(run, func() { time.AfterFunc(finishWithin, cancel) })()
	var said tail
	cmd := shell(ctx, c.Line)
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(n.Record.Raw), '\n'))
	cmd.Stdout, cmd.Stderr = nil, &said
	cmd.Env = append(os.Environ(), "RECORDER_GATEWAY="+n.Gateway, "RECORDER_KIND="+string(n.Record.Kind()))
	cmd.WaitDelay = 500 * time.Millisecond // for whoever left the group with our pipe
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success() {
		return nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	code := int64(-1)
	if cmd.ProcessState != nil {
		code = int64(cmd.ProcessState.ExitCode())
	}
	return &TellError{ExitCode: code, Text: said.String(), Err: err}
}

// tail keeps the last bytes that were written: a reason stands at the end. They are
// fewer than a text in the log may have, which is cut at its end: the exit status
// stands before them, and a redacted account id is longer than itself.
type tail struct{ b []byte }

const tailBytes = 768

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	t.b = t.b[max(0, len(t.b)-tailBytes):]
	return len(p), nil
}

// String never has more bytes than were kept, whatever they are.
func (t *tail) String() string { return strings.ToValidUTF8(string(bytes.TrimSpace(t.b)), "?") }

// failure is what is recorded of a try that failed.
func failure(channel string, try int64, final bool, err error) events.AlertFailed {
	f := events.AlertFailed{Channel: channel, Try: try, Final: final, ExitCode: -1, Text: err.Error()}
	if e, ok := errors.AsType[*TellError](err); ok {
		f.ExitCode = e.ExitCode
	}
	return f
}
