package daemon_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/gwsim"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/rule"
	"ibrecorder/internal/wire"
	"ibrecorder/store"

	"golang.org/x/sys/unix"
)

// diskEnv names a small disk that the test may fill. With mountEnv as well the test
// mounts one there.
const (
	diskEnv  = "IBRECORDER_TEST_DISK"
	mountEnv = "IBRECORDER_TEST_DISK_MOUNT"
)

const cannotMount = "no disk can be mounted here: "

// A disk that somebody else fills. The test is run in a process that may mount one of its
// own; where none can be mounted it is skipped. To have it on another disk:
// IBRECORDER_TEST_DISK=FOLDER go test ./internal/daemon -run 'TestADiskThatSomebodyElseFills$'
func TestADiskThatSomebodyElseFills(t *testing.T) {
	if os.Getenv(diskEnv) != "" && os.Getenv(mountEnv) == "" {
		fillDisk(t, os.Getenv(diskEnv))
		return
	}
	if dir := os.Getenv(diskEnv); dir != "" {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=160m,mode=0700"); err != nil {
			t.Skip(cannotMount, err)
		}
		fillDisk(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), diskEnv+"="+folder(t), mountEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	switch _, ran := err.(*exec.ExitError); {
	case err != nil && !ran:
		t.Skip(cannotMount, err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), cannotMount):
		t.Skipf("%s", out)
	case !strings.Contains(string(out), "--- PASS"):
		t.Errorf("it ran nothing:\n%s", out)
	}
}

// relays says whether a session answers through the recorder.
func relays(session net.Conn) error {
	_ = session.SetDeadline(time.Now().Add(patience))
	if _, err := session.Write(wire.AppendReqCurrentTime(nil, 203)); err != nil {
		return err
	}
	scan, buf := wire.NewScanner(0), make([]byte, 4096)
	for {
		n, err := session.Read(buf)
		if err != nil {
			return err
		}
		for f := range scan.Frames(buf[:n]) {
			if m, err := wire.ParseMessage(203, f); err == nil && m.ID == wire.IDCurrentTime {
				return nil
			}
		}
	}
}

// ballast fills a disk until so many bytes are free.
func ballast(t *testing.T, dir string, free int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "ballast"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	piece := make([]byte, 64<<10)
	for {
		var st unix.Statfs_t
		if err := unix.Statfs(dir, &st); err != nil {
			t.Fatal(err)
		}
		left := int64(st.Bavail)*int64(st.Bsize) - free
		if left <= 0 {
			return
		}
		if _, err := f.Write(piece[:min(left, int64(len(piece)))]); err != nil {
			if free > 0 {
				t.Fatal(err)
			}
			return // it is full to the brim
		}
	}
}

func fillDisk(t *testing.T, disk string) {
	data := filepath.Join(disk, "d")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	plan, err := gwsim.Named("healthy")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", loopback()+":0")
	if err != nil {
		t.Fatal(err)
	}
	sim := gwsim.New(gwsim.Options{Script: plan, Version: 203})
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- sim.Serve(ctx, ln) }()
	defer func() { cancel(); <-served; sim.Close() }()
	cfg := config(t, data)
	cfg.Gateways[0].Address, cfg.Gateways[0].Tap = ln.Addr().String(), freePort(t, loopback())
	told := filepath.Join(t.TempDir(), "told")
	cfg.Channels = []alert.Channel{channel.Command{Line: "cat >> " + told}}
	r := start(t, cfg)
	api := r.api
	session, code := shook(r.tap, 7, true)
	if session == nil {
		t.Fatalf("the first program is not ready, code %d", code)
	}
	defer session.Close()

	// acked are the events whose writer was told that they are durable.
	var mu sync.Mutex
	acked := map[uint64]string{}
	note := func(ctx context.Context, text string) error {
		rec, err := api.Note(ctx, "main", "kim", text)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			acked[rec.Seq] = rec.Hash().String()
		}
		return err
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	shut := func(what string) {
		t.Helper()
		if nc, code := shook(r.tap, 8, true); nc != nil || code != 0 {
			t.Errorf("%s: a program got through, code %d", what, code)
		}
	}
	for n := range 20 {
		must("with room", note(t.Context(), fmt.Sprint("with room ", n)))
	}
	connects := sim.Summary().Connects

	// In the reserve nobody dials, what is connected goes on, and a stop is told.
	ballast(t, disk, 28<<20)
	until(t, api, func(s httpapi.Status) bool { return s.Closed })
	shut("in the reserve")
	must("a session in the reserve", relays(session))
	must("an operator in the reserve", note(t.Context(), "I am at it"))
	_, err = api.Submit(t.Context(), "main", []byte(`{"specversion":"1.0","id":"down-1","subject":"main","source":"/runner/robo-1","type":"ibrecorder.gateway.down.v1","data":{"reason":"reported","count":1,"limit":1}}`))
	must("a stop in the reserve", err)
	until(t, api, func(s httpapi.Status) bool { return s.Gate == "STOPPED" })
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(told); err == nil && strings.Contains(string(b), "restart.required") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody was told of the stop")
		}
	}
	_, err = api.Resume(t.Context(), "main", httpapi.Claim{By: "kim", Reason: "it was not down", Override: true})
	must("a release in the reserve", err)

	// Full to the brim nothing is acknowledged, and nothing is lost.
	ballast(t, disk, 0)
	waiting, giveUp := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for n := range 8 {
		writers.Go(func() { _ = note(waiting, fmt.Sprint("on a full disk ", n)) })
	}
	s := until(t, api, func(s httpapi.Status) bool { return s.LogError != "" })
	if !strings.Contains(s.LogError, "log is full") || !strings.Contains(s.Why, "nobody dials") {
		t.Errorf("the status says %+v", s)
	}
	shut("on a full disk")
	must("a session on a full disk", relays(session))
	if n := sim.Summary().Connects; n != connects {
		t.Errorf("the Gateway saw %d connects, and %d before the disk was full", n, connects)
	}

	// With room again everything goes on by itself.
	must("make room", os.Remove(filepath.Join(disk, "ballast")))
	until(t, api, func(s httpapi.Status) bool { return s.LogError == "" && !s.Closed })
	writers.Wait()
	giveUp()
	must("with room again", note(t.Context(), "with room again"))
	must("a session with room again", relays(session))
	if nc, code := shook(r.tap, 8, true); nc == nil {
		t.Errorf("nobody gets through with room again, code %d", code)
	} else {
		defer nc.Close()
	}
	must("the end", r.stop())

	all, verdict := history(t, data)
	if verdict.Outcome != rule.Holds {
		t.Errorf("verdict %+v", verdict)
	}
	for seq, hash := range acked {
		if seq > uint64(len(all)) || all[seq-1].Hash().String() != hash {
			t.Errorf("event %d was acknowledged, and is not in the log", seq)
		}
	}
	if len(acked) < 22+8 {
		t.Errorf("only %d notes were acknowledged", len(acked))
	}
	var levels []string
	for _, rec := range all {
		if d, ok := rec.Data.(events.RecorderRoom); ok {
			levels = append(levels, string(d.Level))
		}
	}
	if got := strings.Join(levels, " "); !strings.Contains(got, "reserve") || !strings.HasSuffix(got, "ample") {
		t.Errorf("of the room the log says: %s", got)
	}
	if x, err := store.Examine(t.Context(), data); err != nil || len(x) != 1 || x[0].Err != nil {
		t.Errorf("examined %+v, %v", x, err)
	}
}
