package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ibrecorder/internal/httpapi"
)

// Who interrupts a question to a recorder that does not answer has no answer, which
// is not the answer no.
func TestAnInterruptedQuestion(t *testing.T) {
	for _, args := range [][]string{
		{"status"}, {"note", "main", "hello"}, {"resume", "main", "--reason", "x"}, {"disconnect", "main", "--reason", "x"},
		{"emit", "gateway.down", "main", "--json", `{"reason":"reported"}`}, {"events", "main"},
	} {
		t.Run(args[0], func(t *testing.T) {
			dir, err := os.MkdirTemp("", "ibr")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			ln, err := net.Listen("unix", filepath.Join(dir, httpapi.SocketName))
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				nc, err := ln.Accept() // from here on the signal is ours
				if err != nil {
					return
				}
				defer nc.Close()
				_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
				_, _ = nc.Read(make([]byte, 1<<16))
				_, _ = nc.Read(make([]byte, 1)) // until it leaves
			}()
			var out, errs strings.Builder
			if code := run(append(args, "--data", dir), strings.NewReader(""), &out, &errs); code != exitInterrupted || out.Len() > 0 {
				t.Errorf("exit code %d, want %d; %q, %q", code, exitInterrupted, out.String(), errs.String())
			}
		})
	}
}
