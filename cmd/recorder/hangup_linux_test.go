package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"ibrecorder/internal/httpapi"

	"golang.org/x/sys/unix"
)

// A terminal that goes away takes the recorder along, in order; a hangup that somebody
// sends while it is there is a reload.
func TestAHangup(t *testing.T) {
	dir, err := os.MkdirTemp("", "ibr")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	// Not by os.OpenFile: to close a file that blocks waits for who reads it.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no terminal can be made here: %v", err)
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	defer master.Close()
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	gateway, tap := freeAddress(), freeAddress()
	cmd := &exec.Cmd{Path: self, Args: []string{"recorder", "run", "--http", "off", "--gateway", "main=" + gateway, "--tap", "main=" + tap},
		Env:   append(os.Environ(), "IBRECORDER_DATA="+dir, "TMPDIR="+dir, "HOME="+dir),
		Stdin: terminal, Stdout: terminal, Stderr: terminal, SysProcAttr: &syscall.SysProcAttr{Setsid: true, Setctty: true}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close()
	go func() { _, _ = io.Copy(io.Discard, master) }() // until it is closed
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	api := httpapi.Dial(dir)
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if _, err := api.Gateways(t.Context()); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if _, err := api.Reload(t.Context()); err != nil { // behind the other, if that was one
		t.Errorf("after a hangup while the terminal is there: %v", err)
	}
	if err := master.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		t.Fatal("it runs on without its terminal")
	}
}
