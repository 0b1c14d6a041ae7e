//go:build !race

package deploy

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The program as the image has it: static, alone in its root, as a user without a name, with
// an empty environment but for the data folder.
func TestTheProgramNeedsNothingButItself(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds the program")
	}
	if os.Getuid() != 0 {
		t.Skip("only root may change the root")
	}
	root, err := os.MkdirTemp("", "ibr")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	build := exec.Command("go", "build", "-o", filepath.Join(root, "recorder"), "../cmd/recorder")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, dir := range []string{"data", "tmp"} {
		path := filepath.Join(root, dir)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	program := func(args ...string) *exec.Cmd {
		return &exec.Cmd{Path: "/recorder", Args: append([]string{"/recorder"}, args...), Dir: "/", Env: []string{"IBRECORDER_DATA=/data"},
			SysProcAttr: &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // an address where nothing listens
	if err != nil {
		t.Fatal(err)
	}
	gateway := ln.Addr().String()
	ln.Close()
	var said bytes.Buffer
	run := program("run", "--http", "off", "--gateway", "main="+gateway, "--tap", "main=127.0.0.1:0")
	run.Stderr = &said
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	var healthy []byte
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if healthy, err = program("healthcheck").CombinedOutput(); err == nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, &said)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("healthcheck: %v\n%s", err, healthy)
		}
	}
	if err := run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil || !strings.Contains(said.String(), "msg=stopped") {
		t.Errorf("%v\n%s", err, &said)
	}
	if said, err := program("healthcheck").CombinedOutput(); err == nil {
		t.Errorf("it is healthy, and nobody runs: %s", said)
	}
}
