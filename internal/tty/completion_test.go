package tty_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ibrecorder/internal/tty"
)

// The package bash-completion is on few servers. Without it the script of cobra calls a
// function that is not there.
func TestBashCompletesWithoutItsPackage(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	var script strings.Builder
	root := &cobra.Command{Use: "prog"}
	root.SetOut(&script)
	root.AddCommand(tty.NewCompletion("prog"))
	root.SetArgs([]string{"completion", "bash"})
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	prog := filepath.Join(dir, "prog")
	if err := os.WriteFile(prog, []byte("#!/bin/sh\necho \"asked $*\" >&2\necho main\necho paper\necho :4\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bash, "--norc", "--noprofile", "-c", script.String()+`
compopt() { :; } # it works within a tab only
COMP_WORDS=(prog resume p) COMP_CWORD=2 COMP_LINE="prog resume p" COMP_POINT=13 COMP_TYPE=9
__start_prog
echo "offered ${COMPREPLY[*]}"`)
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "offered paper" {
		t.Errorf("%v\n%s\nwant: offered paper", err, out)
	}
}
