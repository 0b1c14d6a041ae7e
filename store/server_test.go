package store_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

// That an append is synced before it is acknowledged is the server's promise
// under this option; it syncs every two minutes without it.
func TestEveryAppendIsSynced(t *testing.T) {
	if cfg := openStore(t, t.TempDir()).Server().JetStreamConfig(); !cfg.SyncAlways {
		t.Errorf("%+v", cfg)
	}
}

func TestServerOpensNoPort(t *testing.T) {
	before := listening(t)
	s := openStore(t, t.TempDir())
	if after := listening(t); len(after) != len(before) {
		t.Errorf("listening sockets of this process: %v before, %v after", before, after)
	}
	if addr := s.Server().Addr(); addr != nil {
		t.Errorf("the server listens on %v", addr)
	}
}

// listening returns the inodes of this process's listening TCP sockets.
func listening(t *testing.T) (inodes []string) {
	t.Helper()
	mine := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc: ", err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, "socket:[") {
			mine[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && mine[f[9]] {
				inodes = append(inodes, f[9])
			}
		}
	}
	return inodes
}

func TestNobodyConnectsWithoutTheKey(t *testing.T) {
	c, err := openStore(t, t.TempDir()).Server().InProcessConn()
	must(t, err)
	defer c.Close()
	said := make(chan string)
	go func() {
		b, _ := io.ReadAll(c) // until the server hangs up
		said <- string(b)
	}()
	_, err = c.Write([]byte("CONNECT {}\r\nPING\r\n"))
	must(t, err)
	if got := <-said; !strings.Contains(got, "Authorization Violation") || strings.Contains(got, "PONG") {
		t.Errorf("the server says %q", got)
	}
}

func TestTheServerKeepsItsName(t *testing.T) {
	dir := t.TempDir()
	names := map[string]bool{}
	for range 2 {
		s, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		names[s.Server().Name()] = true
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(names) != 1 {
		t.Errorf("names of one folder: %v", names)
	}
}

func TestWarningsOfTheServerComeOut(t *testing.T) {
	dir := logOf(t, 10, 1<<20)
	index := filepath.Join(msgsDir(dir), "index.db")
	if err := os.WriteFile(index, []byte("this is no index, and the server says so when it reads it"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	select {
	case err := <-s.Err():
		var se *store.ServerError
		if !errors.As(err, &se) || se.Level != store.LevelWarning || errors.Is(err, store.ErrFatal) {
			t.Errorf("%v, want a warning", err)
		}
	default:
		t.Error("no warning came out")
	}
}

func TestAHealthyStartWarnsOfNothing(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		l, err := s.Log(t.Context(), gw)
		if err != nil {
			t.Fatal(err)
		}
		storetest.Fill(t, l, gw, 2)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-s.Err():
			t.Error(err)
		default:
		}
	}
}

func TestTheNewestTroubleIsKeptWhenNobodyListens(t *testing.T) {
	s := openStore(t, t.TempDir())
	for i := range 200 {
		s.Report(store.LevelWarning, fmt.Sprint("warning ", i))
	}
	s.Report(store.LevelFatal, "the disk is gone")
	var last error
	for range 64 {
		last = <-s.Err()
	}
	if !errors.Is(last, store.ErrFatal) {
		t.Errorf("last is %v, want the fatal one", last)
	}
}
