package channel

import (
	"context"
	"os/exec"
	"syscall"
)

// shell runs a line in a group of its own: Ctrl-C at the terminal is the recorder's. What
// the shell has started outlives it if it is killed. Nobody has run this.
func shell(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "cmd")
	// As it is written: the shell has rules of its own for quotes.
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: "cmd /C " + line, CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	return cmd
}
