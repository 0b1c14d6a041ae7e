//go:build !race

// What is looked at here are whole programs, and hundreds of them: the race detector
// would see what it sees in the scripts, and take minutes.

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outputs are commands that print something of a stream, FILE, or write it to OUT, and
// nothing of the machine. Every verb has one.
var outputs = []string{
	"verify FILE --tz UTC",
	"verify FILE -o json",
	"timeline FILE --tz et --all",
	"timeline FILE -o json",
	"timeline FILE -o csv --tz et",
	"state FILE --tz Asia/Kolkata",
	"state FILE --at 5 --diff 2 -o json",
	"whatif FILE --tz UTC",
	"whatif FILE --mode decisions -o json",
	"explain RS1",
	"completion bash",
	"check-policy --preset handoff",
	"report FILE --tz et -o html",
	"report FILE -o md --tz Asia/Kolkata",
	"report FILE -o json",
	"pack FILE -w OUT",
	"export FILE",
	"import ../../internal/logfile/testdata/shared.log --tz et",
	"shrink FILE --tz et",
	"shrink FILE -o json",
	"diff FILE FILE --tz et",
	"diff FILE ../../testdata/streams/SYN-01-nightly-restart -o json",
}

// The machine may be of any size, in any country.
var machines = [][]string{
	{"GOMAXPROCS=1", "TZ=UTC", "LC_ALL=C"},
	{"GOMAXPROCS=2", "TZ=Asia/Kolkata", "LC_ALL=de_DE.UTF-8", "LANG=de_DE.UTF-8"},
	{"GOMAXPROCS=16", "TZ=America/New_York", "LC_ALL=tr_TR.UTF-8", "GOGC=1", "TERM=xterm-256color"},
	{"GOMAXPROCS=3", "TZ=Pacific/Chatham", "LC_ALL=ja_JP.SJIS", "GOGC=off", "NO_COLOR=1"},
}

func TestTheSameStreamGivesTheSameBytesOnEveryMachine(t *testing.T) {
	program := filepath.Join(t.TempDir(), "replay") // the test's own program, which is the command under this name
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, program)
	}
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, c := range newRoot(&terminal{}, nil).Commands() {
		said = append(said, c.Name())
	}
	for _, o := range outputs {
		verb, _, _ := strings.Cut(o, " ")
		said = slices.DeleteFunc(said, func(v string) bool { return v == verb })
	}
	if len(said) > 0 {
		t.Errorf("no output of %v is looked at", said)
	}
	for i, stream := range []string{"INC-06-five-retries", "INC-18-hung-then-half-alive", "SYN-03-stopped-and-released"} {
		file := filepath.Join("..", "..", "testdata", "streams", stream, "events.ndjson")
		for _, o := range outputs {
			if i > 0 && !strings.Contains(o, "FILE") {
				continue // it has no stream
			}
			t.Run(stream+"/"+o, func(t *testing.T) {
				t.Parallel()
				args := strings.Fields(strings.ReplaceAll(o, "FILE", file))
				var first []byte
				for i, m := range machines {
					got := run1(t, program, args, m)
					if i == 0 {
						first = got
					}
					if !bytes.Equal(first, got) {
						t.Errorf("replay %s with %v is not what it is with %v (-first +now):\n%s", strings.Join(args, " "), m, machines[0], cmp.Diff(string(first), string(got)))
					}
				}
			})
		}
	}
}

// run1 returns what the program prints; its exit code is part of the answer.
func run1(t *testing.T, program string, args, env []string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	written := filepath.Join(t.TempDir(), "out")
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "OUT", written)
	}
	c := exec.Command(program, args...)
	c.Env = append([]string{"HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"}, env...)
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() > exitInconclusive || exit.ExitCode() == exitUsage) {
		t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, errs.String())
	}
	if slices.Contains(args, written) { // what it says names the file
		b, err := os.ReadFile(written)
		if err != nil {
			t.Fatal(err)
		}
		return append(b, c.ProcessState.String()...)
	}
	if out.Len() == 0 {
		t.Fatalf("%s prints nothing; it says %s", strings.Join(c.Args, " "), errs.String())
	}
	return append(out.Bytes(), c.ProcessState.String()...)
}
