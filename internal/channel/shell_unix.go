//go:build unix

package channel

import (
	"context"
	"os/exec"
	"syscall"
)

// shell runs a line in a group of its own: Ctrl-C at the terminal is the recorder's, and
// what the shell has started ends with it.
func shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}
