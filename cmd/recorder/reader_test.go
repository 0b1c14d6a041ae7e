package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"ibrecorder/events"
	"ibrecorder/store"
)

// A reader of the output that leaves (tee, head) must not end the recorder on the spot,
// nor keep it from its orderly end. TestAHangup has the terminal that goes away.
func TestARecorderWhoseReaderHasLeftEndsInOrder(t *testing.T) {
	dir, err := os.MkdirTemp("", "ibr") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	terminal, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "recorder", "run", "--data", dir, "--http", "off", "--gateway", "main="+freeAddress(), "--tap", "main="+freeAddress())
	cmd.Stderr = output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	output.Close()
	for lines := bufio.NewScanner(terminal); ; {
		if !lines.Scan() {
			t.Fatal("it never said that it is ready")
		}
		if strings.Contains(lines.Text(), "ready in") {
			break
		}
	}
	terminal.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if last := lastOf(t, dir); last.Kind() != "recorder.stopped" {
		t.Errorf("its last event is %s, want recorder.stopped", last.Kind())
	}
}

// lastOf is the last event in the log of main.
func lastOf(t *testing.T, dir string) (last events.Record) {
	t.Helper()
	s, err := store.OpenCopy(context.Background(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(context.Background(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for rec, err := range l.Read(context.Background(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		last = rec
	}
	return last
}
