package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/alert"
	"ibrecorder/internal/channel"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/wire"
	"ibrecorder/store"
)

// folder is a data folder whose socket has a short path.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ibr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func config(t *testing.T, dir string) daemon.Config {
	return daemon.Config{
		Data: dir, Policy: shortBudgets(events.Enforce), Version: "test",
		Gateways: []daemon.Gateway{{Name: "main", Address: freePort(t, loopback()), Tap: "127.0.0.1:0"}},
	}
}

// running is a daemon in this process.
type running struct {
	t    *testing.T
	d    *daemon.Daemon
	tap  string
	api  *httpapi.Client
	stop func() error
}

func start(t *testing.T, cfg daemon.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	d, err := daemon.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	stopped := false
	r := &running{t: t, d: d, tap: d.Gateways()[0].Tap, api: httpapi.Dial(cfg.Data)}
	r.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { _ = r.stop() })
	return r
}

// until asks for the status of main until it is as wanted.
func until(t *testing.T, api *httpapi.Client, is func(httpapi.Status) bool) httpapi.Status {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		s, err := api.Status(t.Context(), "main")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%+v, %v", s, err)
		}
		if is(s) {
			return s
		}
	}
}

// kinds is the log on disk, when no recorder runs.
func kinds(t *testing.T, dir string) []string {
	t.Helper()
	s, err := store.OpenCopy(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := s.Log(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(rec.Kind()))
	}
	return all
}

func TestItStopsInOrder(t *testing.T) {
	dir := folder(t)
	cfg := config(t, dir)
	silent, err := net.Listen("tcp", cfg.Gateways[0].Address) // completes connects, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := start(t, cfg)
	nc, err := net.Dial("tcp", r.tap)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		t.Fatal(err)
	}
	dialled := false
	for rec, err := range r.api.Tail(t.Context(), "main", 1) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind() == "dial.connected" {
			dialled = true
			break
		}
	}
	began := time.Now()
	if err := r.stop(); err != nil || !dialled {
		t.Fatalf("dialled %t, Run: %v", dialled, err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s to stop with an attempt under way", took)
	}
	all := kinds(t, dir)
	if want := []string{"client.closed", "recorder.stopped"}; !slices.Equal(all[max(0, len(all)-len(want)):], want) {
		t.Errorf("the log ends otherwise than with %v, so what a relay told last is not in it: %v", want, all)
	}
	if _, err := os.Stat(filepath.Join(dir, httpapi.SocketName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	if _, err := r.api.Gateways(t.Context()); !errors.Is(err, httpapi.ErrUnreachable) {
		t.Errorf("asked after the end: %v", err)
	}
}

func TestWhatKeepsItFromStarting(t *testing.T) {
	for _, c := range []struct {
		name string
		wish func(t *testing.T, cfg *daemon.Config)
		want error
		says string
	}{
		{"another recorder has the folder", func(t *testing.T, cfg *daemon.Config) { start(t, config(t, cfg.Data)) }, store.ErrLocked, "stop that recorder"},
		{"the tap's port is taken", func(t *testing.T, cfg *daemon.Config) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ln.Close() })
			cfg.Gateways[0].Tap = ln.Addr().String()
		}, syscall.EADDRINUSE, "--tap"},
		{"the key of the account hashes is no key", func(t *testing.T, cfg *daemon.Config) {
			r := start(t, config(t, cfg.Data))
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(cfg.Data, "account.key"), []byte("oops\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, nil, "account.key does not hold 32 bytes"},
		{"the path of the socket is too long", func(t *testing.T, cfg *daemon.Config) {
			cfg.Data = filepath.Join(cfg.Data, strings.Repeat("x", 100))
		}, httpapi.ErrPathTooLong, "choose a shorter folder"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t)
			cfg := config(t, dir)
			c.wish(t, &cfg)
			_, err := daemon.Open(t.Context(), cfg)
			if _, missing := os.Stat(filepath.Join(cfg.Data, "store.format")); missing == nil && !errors.Is(err, store.ErrLocked) {
				if all := kinds(t, cfg.Data); len(all) > 0 && all[len(all)-1] != "recorder.stopped" {
					t.Errorf("a start that failed looks like a crash: %v", all)
				}
			}
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v and %q in it", err, c.want, c.says)
			}
		})
	}
}

func TestAFullLogShowsInTheStatus(t *testing.T) {
	cfg := config(t, folder(t))
	cfg.LogBytes = 50 << 10
	r := start(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		for n := 0; ctx.Err() == nil; n++ {
			_, _ = r.api.Note(ctx, "main", "kim", strings.Repeat("x", 1000)) // the last one waits for an answer
		}
	}()
	s := until(t, r.api, func(s httpapi.Status) bool { return s.LogError != "" })
	cancel()
	<-filled
	if !strings.Contains(s.LogError, "the log is full") || !strings.Contains(s.Why, "nobody dials") || s.Gate != "OPEN" {
		t.Errorf("it says %+v", s)
	}
	began := time.Now()
	if err := r.stop(); !errors.Is(err, store.ErrFull) {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
}

func TestAnEmptyLogHasAStatus(t *testing.T) {
	s, err := daemon.ReadStatus(t.Context(), "main", store.NewMemory("main"), nil)
	if err != nil || s.Gateway != "main" || s.Gate != "OPEN" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestOneRecorderGuardsAGateway(t *testing.T) {
	_, port, err := net.SplitHostPort(freePort(t, "127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	at := func(host string) daemon.Config {
		cfg := config(t, folder(t))
		cfg.Gateways[0].Address = net.JoinHostPort(host, port)
		return cfg
	}
	first := start(t, at("127.0.0.1"))
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST", "::1"} {
		second := at(host)
		_, err := daemon.Open(t.Context(), second)
		says := fmt.Sprintf("gateway main: another recorder guards this Gateway: %s is guarded by process %d;", second.Gateways[0].Address, os.Getpid())
		if !errors.Is(err, daemon.ErrGuarded) || !strings.HasPrefix(err.Error(), says) {
			t.Errorf("at %s: %v, want %q", host, err, says)
		}
		s, err := store.OpenCopy(t.Context(), second.Data, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if logs, err := s.Gateways(t.Context()); err != nil || len(logs) > 0 {
			t.Errorf("at %s: the second recorder began the logs %v, %v", host, logs, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := start(t, at("127.0.0.2")).stop(); err != nil {
		t.Errorf("another Gateway: %v", err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	if err := start(t, at("localhost")).stop(); err != nil {
		t.Errorf("after the end of the first: %v", err)
	}
}

func TestTheFolderIsTheOwnersAlone(t *testing.T) {
	dir := folder(t)
	r := start(t, config(t, dir))
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
}

func TestTheSubscriberIsToldOnceAcrossRuns(t *testing.T) {
	dir := folder(t)
	told := filepath.Join(dir, "told")
	cfg := config(t, dir)
	gateway, err := net.Listen("tcp", cfg.Gateways[0].Address) // for the claim: it is read, and not connected to
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Close()
	cfg.Channels = []alert.Channel{channel.Command{Line: "cat >> " + told}}
	r := start(t, cfg)
	report := `{"specversion":"1.0","id":"d1","source":"/runner/robo-1","type":"ibrecorder.gateway.down.v1","subject":"main","datacontenttype":"application/json","data":{"reason":"reported"}}`
	if _, err := r.api.Submit(t.Context(), "main", []byte(report)); err != nil {
		t.Fatal(err)
	}
	for rec, err := range r.api.Tail(t.Context(), "main", 1) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind() == "alert.delivered" {
			break
		}
	}
	for range 3 {
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		r = start(t, cfg)
	}
	rec, err := r.api.Resume(t.Context(), "main", httpapi.Claim{By: "kim", Reason: "restarted it"})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range r.api.Tail(t.Context(), "main", rec.Seq) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind() == "alert.delivered" {
			break
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(text)) {
		rec, err := events.ParseRecord([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(rec.Kind()))
	}
	if fmt.Sprint(got) != "[restart.required restart.acknowledged]" {
		t.Errorf("the subscriber was told %v", got)
	}
}
