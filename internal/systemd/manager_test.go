//go:build unix

package systemd

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// manager listens as systemd does.
func manager(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// hears is the next message, within ten seconds.
func hears(t *testing.T, c *net.UnixConn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

// short is a path that a socket can have.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ibr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "n")
}

// from is the Manager of variables, and which of them were forgotten.
func from(log *slog.Logger, vars map[string]string) (m *Manager, forgotten []string) {
	m = From(func(name string) string { return vars[name] }, func(name string) error { forgotten = append(forgotten, name); return nil }, 42, log)
	return m, forgotten
}

func TestWhatIsTold(t *testing.T) {
	for _, name := range []string{short(t), "@ibrecorder-test-" + filepath.Base(t.TempDir()) + filepath.Base(filepath.Dir(short(t)))} {
		if name[0] == '@' && monotonic() == 0 {
			continue // no abstract names but on Linux
		}
		c := manager(t, name)
		m, forgotten := from(slog.New(slog.DiscardHandler), map[string]string{"NOTIFY_SOCKET": name})
		if got := strings.Join(forgotten, " "); got != "NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID" {
			t.Errorf("what children must not have: %s", got)
		}
		for _, step := range []struct {
			tell func()
			want string
		}{
			{m.Ready, `^READY=1$`},
			{m.Reloading, `^RELOADING=1\nMONOTONIC_USEC=[0-9]+$`},
		} {
			step.tell()
			if got := hears(t, c); !regexp.MustCompile(step.want).MatchString(got) {
				t.Errorf("%s: heard %q, want %s", name, got, step.want)
			}
		}
	}
}

func TestTheWatchdogIsFedByWhatWorks(t *testing.T) {
	name := short(t)
	c := manager(t, name)
	var said bytes.Buffer
	m, _ := from(slog.New(slog.NewTextHandler(&said, nil)), map[string]string{"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": "42"})
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int64
	var stuck atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.Watch(ctx, func() string {
			if stuck.Load() {
				return "live STOPPED"
			}
			return "live OPEN"
		}, func() error {
			if asked.Add(1); stuck.Load() {
				return errors.New("the loop of live stands still")
			}
			return nil
		})
	}()
	for _, want := range []string{"STATUS=live OPEN", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := hears(t, c); got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	stuck.Store(true)
	for got := hears(t, c); got != "STATUS=live STOPPED"; got = hears(t, c) { // one more may be on its way
		if got != "WATCHDOG=1" {
			t.Fatalf("heard %q", got)
		}
	}
	for before := asked.Load(); asked.Load() < before+5; { // it goes on asking
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-ended
	if got := hears(t, c); got != "STOPPING=1" {
		t.Errorf("heard %q although the loop stood still", got)
	}
	if n := strings.Count(said.String(), "the loop of live stands still"); n != 1 {
		t.Errorf("the log says it %d times, want once:\n%s", n, &said)
	}
}

func TestWhoIsAsked(t *testing.T) {
	for _, c := range []struct {
		name     string
		vars     map[string]string
		there    bool
		watchdog time.Duration
	}{
		{"no manager", map[string]string{"WATCHDOG_USEC": "1000000"}, false, 0},
		{"one without a watchdog", map[string]string{"NOTIFY_SOCKET": "/n"}, true, 0},
		{"one with", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "60000000"}, true, time.Minute},
		{"a watchdog for another process", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "41"}, true, 0},
		{"a span that is none", map[string]string{"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"}, true, 0},
	} {
		m, _ := from(slog.New(slog.DiscardHandler), c.vars)
		if (m != nil) != c.there || m != nil && m.watchdog != c.watchdog {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	var none *Manager
	none.Ready()
	none.Watch(t.Context(), func() string { t.Error("asked for nobody"); return "" }, func() error { t.Error("asked for nobody"); return nil })
	var said bytes.Buffer
	m, _ := from(slog.New(slog.NewTextHandler(&said, nil)), map[string]string{"NOTIFY_SOCKET": short(t)})
	m.Ready()
	if !strings.Contains(said.String(), "what=READY=1") && !strings.Contains(said.String(), `what="READY=1"`) {
		t.Errorf("the log has %q", said.String())
	}
}
