package httpapi

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/internal/health"
)

func TestTheSocketIsPrivate(t *testing.T) {
	s := serve(t, newFake("live"))
	path := filepath.Join(s.dir, SocketName)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("while it serves: %v, %v, want 0600", info.Mode(), err)
	}
	s.stop()
	if err := <-s.ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("afterwards: %v, want the socket to be gone", err)
	}
}

func TestWhatIsAtTheSocketsPlace(t *testing.T) {
	leave := func(t *testing.T, path string) { // as a killed recorder does
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		l.SetUnlinkOnClose(false)
		l.Close()
	}
	tests := []struct {
		name   string
		before func(t *testing.T, path string)
		want   string // in the error; "" is success
	}{
		{"nothing", func(*testing.T, string) {}, ""},
		{"the socket of a recorder that was killed", leave, ""},
		{"a file", func(t *testing.T, path string) { write(t, path) }, "no socket has that name; move it away"},
		{"a link to a socket", func(t *testing.T, path string) {
			leave(t, path+".other")
			if err := os.Symlink(path+".other", path); err != nil {
				t.Fatal(err)
			}
		}, "no socket has that name; move it away"},
		{"a folder that others may enter", func(t *testing.T, path string) {
			if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "the folder is open to others (755); type: chmod 700 "},
		{"no folder", func(t *testing.T, path string) {
			if err := os.Remove(filepath.Dir(path)); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t)
			path := filepath.Join(dir, SocketName)
			test.before(t, path)
			was, _ := os.Lstat(path)
			l, err := Listen(dir)
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want it to say %q", err, test.want)
			}
			if now, _ := os.Lstat(path); was != nil && !os.SameFile(was, now) {
				t.Error("what was there is gone")
			}
		})
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestALongPathIsRefusedBothWays(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("d", maxPath))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, listen := Listen(dir)
	_, dial := Dial(dir).Gateways(t.Context())
	for _, err := range []error{listen, dial} {
		if !errors.Is(err, ErrPathTooLong) || errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "choose a shorter folder: recorder run --data DIR") {
			t.Errorf("got %v, want one that says so", err)
		}
	}
	parent := folder(t)
	longest := filepath.Join(parent, strings.Repeat("d", maxPath-len(SocketName)-len(parent)-2))
	if err := os.Mkdir(longest, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := Listen(longest)
	if err != nil {
		t.Fatalf("a path of %d bytes: %v", maxPath, err)
	}
	l.Close()
}

func TestNobodyAnswers(t *testing.T) {
	missing := filepath.Join(folder(t), "it's here")
	stale := folder(t)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(stale, SocketName), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	const elsewhere = "; or say where it keeps its data: --data FOLDER" // a second recorder would be the wrong cure
	for dir, next := range map[string]string{
		missing: "start it with: recorder run --data '" + filepath.Dir(missing) + `/it'\''s here'` + elsewhere,
		stale:   "start it with: recorder run --data " + stale + elsewhere,
	} {
		c := Dial(dir)
		_, status := c.Status(t.Context(), "live")
		_, submit := c.Submit(t.Context(), "live", []byte(report))
		var read, tail error
		for _, read = range c.Read(t.Context(), "live", 0, 0) {
		}
		for _, tail = range c.Tail(t.Context(), "live", 0) {
		}
		for _, err := range []error{status, submit, read, tail} {
			if !errors.Is(err, ErrUnreachable) || !strings.HasSuffix(err.Error(), next) || !strings.HasPrefix(err.Error(), "no recorder is running on "+dir) {
				t.Errorf("got %v, want it to end with %s", err, next)
			}
		}
	}
}

func TestTheClientRepeatsWhyTheRecorderIsNotAlive(t *testing.T) {
	dir := folder(t)
	l, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	var sick error
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, l, nil, nil, Mount{Pattern: "GET /healthz", Handler: health.Handler("alive", func() error { return sick })})
	}()
	if err := Dial(dir).Alive(t.Context()); err != nil {
		t.Errorf("a recorder that is well: %v", err)
	}
	sick = errors.New("the loop of live has not gone round for 31s")
	if err := Dial(dir).Alive(t.Context()); err == nil || err.Error() != "health: "+sick.Error() {
		t.Errorf("a recorder whose loop is stuck: %v", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
