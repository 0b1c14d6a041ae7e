package channel

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/notice"
)

// commandTimeout is how long a command may run. It is below the 30 s that
// alert.Channel allows.
const commandTimeout = 20 * time.Second

// Command runs a line of shell.
type Command struct {
	Called  string        // its name; empty is "command"
	Line    string        // for /bin/sh -c
	Timeout time.Duration // 0 is 20 s
}

// Name implements alert.Channel.
func (c Command) Name() string {
	if c.Called == "" {
		return "command"
	}
	return c.Called
}

// Tell implements alert.Channel: it runs the line in a shell with the event on its standard
// input, one line of JSON as it is stored, and in its environment RECORDER_GATEWAY,
// RECORDER_KIND, the kind of the event, RECORDER_NOTICE, the kind of the notice, and
// RECORDER_TITLE. A notice without an event is an event of the type
// ibrecorder.notice.v1, and its RECORDER_KIND is notice. An exit status other than 0 is
// a failure, and what it wrote to its standard error is the reason.
func (c Command) Tell(run context.Context, n notice.Notice) error {
	if run.Err() != nil {
		return &TellError{ExitCode: -1, Err: context.Cause(run)}
	}
	n = plain(n)
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = commandTimeout
	}
	ctx, cancel := try(run, timeout)
	defer cancel()
	event, kind := eventOf(n)
	var said tail
	cmd := shell(ctx, c.Line)
	cmd.Stdin = bytes.NewReader(append(bytes.Clone(event), '\n'))
	cmd.Stdout, cmd.Stderr = nil, &said
	cmd.Env = append(os.Environ(), "RECORDER_GATEWAY="+n.Gateway, "RECORDER_KIND="+kind, "RECORDER_NOTICE="+string(n.Kind), "RECORDER_TITLE="+n.Title)
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

// String never has more bytes than were kept, whatever they are, and no account id.
func (t *tail) String() string {
	s := events.HideAccounts(strings.ToValidUTF8(string(bytes.TrimSpace(t.b)), "?"))
	s = strings.ToValidUTF8(s[max(0, len(s)-tailBytes):], "")
	return events.HideAccounts(s) // what is cut at its front may look like one
}
