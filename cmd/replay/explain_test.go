//go:build !race

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/internal/explain"
)

// Each example is a command that works where this project lies, and shows what its
// page explains.
func TestTheExamplesShowWhatTheyExplain(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "replay")
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, program)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{} // by command
	for _, p := range explain.Pages() {
		if p.Example == "" {
			if p.Group == "gate" { // of some rules no stream has an occasion
				t.Errorf("%s %s has no example", p.Group, p.Code)
			}
			continue
		}
		said, known := out[p.Example]
		if !known {
			c := exec.Command(program, strings.Fields(p.Example)[1:]...)
			c.Dir = root
			var b bytes.Buffer
			c.Stdout, c.Stderr = &b, &b
			err := c.Run()
			if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != exitNo && exit.ExitCode() != exitInconclusive) {
				t.Errorf("%s: %v", p.Example, err)
			}
			said = b.String()
			out[p.Example] = said
		}
		if !strings.Contains(said, p.Code) {
			t.Errorf("%s %s: %s does not show it:\n%s", p.Group, p.Code, p.Example, said)
		}
	}
	if len(out) < 20 {
		t.Errorf("only %d examples", len(out))
	}
}

// Every command that verify says to type next is one that is there, with its flags.
func TestTheNextCommandsAreThere(t *testing.T) {
	v := struct{ Commands []string }{}
	for _, stream := range []string{"INC-06-five-retries", "bad/06-hole", "SYN-03-stopped-and-released"} {
		var b bytes.Buffer
		code := run([]string{"verify", filepath.Join("..", "..", "testdata", "streams", stream), "-o", "json"}, nil, &b, os.Stderr)
		if err := json.Unmarshal(b.Bytes(), &v); err != nil || code == exitUsage || len(v.Commands) == 0 {
			t.Fatalf("%s: exit %d, %v, %q", stream, code, err, v.Commands)
		}
		for _, command := range v.Commands {
			words := strings.Fields(command)
			c, rest, err := newRoot(&terminal{}, nil).Find(words[1:])
			if err == nil {
				err = c.ParseFlags(rest)
			}
			if err != nil || c.Name() != words[1] {
				t.Errorf("%s says to type %q: %v, which is %s", stream, command, err, c.Name())
			}
		}
	}
}
