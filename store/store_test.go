package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestStreamsAreDiscoveredFromTheServer(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []string{"paper", "live-2", "live"} {
		if _, err := s.Log(t.Context(), g); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := openStore(t, dir).Gateways(t.Context()) // of a store that has opened none of them
	if diff := cmp.Diff([]string{"live", "live-2", "paper"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestEveryGatewayHasAStreamOfItsOwn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z][a-z0-9-]{0,31}`).Filter(func(s string) bool { return events.CheckGatewayName(s) == nil })
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if back, ok := store.GatewayOf(store.StreamName(a)); !ok || back != a {
			t.Fatalf("%s becomes %s becomes %s", a, store.StreamName(a), back)
		}
		if a != b && store.StreamName(a) == store.StreamName(b) {
			t.Fatalf("%s and %s share %s", a, b, store.StreamName(a))
		}
	})
}

// The server itself is asked, because it fills in what a request leaves out.
func TestTheStreamKeepsEverythingAndHasLimits(t *testing.T) {
	l := openLog(t, t.TempDir())
	info, err := l.Stream().Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := info.Config
	for _, check := range []struct {
		name string
		ok   bool
	}{
		{"one bounded set of subjects: the kinds", slices.Equal(c.Subjects, []string{"ibrecorder.ev.paper.*.*"})},
		{"on disk", c.Storage == jetstream.FileStorage},
		{"nothing leaves by age, count or interest", c.Retention == jetstream.LimitsPolicy && c.MaxAge == 0 && c.MaxMsgs == -1 && c.MaxMsgsPerSubject == -1},
		{"a full log refuses instead of forgetting", c.Discard == jetstream.DiscardNew && c.MaxBytes == 64<<20},
		{"no deletion, purge, rollup or expiry", c.DenyDelete && c.DenyPurge && !c.AllowRollup && !c.AllowMsgTTL},
		{"the largest event fits", int(c.MaxMsgSize) >= events.MaxBytes+1024},
		{"no compression", c.Compression == jetstream.NoCompression},
		{"single events can be got without a consumer", c.AllowDirect},
		{"a repeated append is recognised", c.Duplicates > 0},
		{"writes are not put off", c.PersistMode == jetstream.DefaultPersistMode},
		{"the format has a version", c.Metadata["ibrecorder-format"] == "1"},
	} {
		if !check.ok {
			t.Errorf("not so: %s\n%+v", check.name, c)
		}
	}
}

// That an append is synced before it is acknowledged is the server's promise
// under this option; it syncs every two minutes without it.
func TestEveryAppendIsSynced(t *testing.T) {
	if cfg := openStore(t, t.TempDir()).Server().JetStreamConfig(); !cfg.SyncAlways {
		t.Errorf("%+v", cfg)
	}
}

func TestDenyDeleteAndPurgeCannotBeTurnedOff(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fill(t, l, gw, 3)
	cfg := l.Stream().CachedInfo().Config
	cfg.DenyDelete, cfg.DenyPurge = false, false
	if _, err := s.JetStream().UpdateStream(t.Context(), cfg); err == nil {
		t.Error("the protection was taken off")
	}
	if err := l.Stream().DeleteMsg(t.Context(), 2); err == nil {
		t.Error("an event was deleted")
	}
	if err := l.Stream().Purge(t.Context()); err == nil {
		t.Error("the log was purged")
	}
	if head, err := l.Head(t.Context()); err != nil || head.Seq != 3 {
		t.Errorf("head %v, %v", head, err)
	}
}

func TestALogWhoseStreamWasChangedIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	cfg := l.Stream().CachedInfo().Config
	cfg.MaxMsgs = 5 // the server lets anybody who reaches its API do this
	if _, err := s.JetStream().UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SecondWriter(t.Context(), gw); !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), "retention") {
		t.Errorf("%v, want a refusal that names the retention", err)
	}
}

func TestTheLimitOfALogIsBelowTheFreeDisk(t *testing.T) {
	dir := t.TempDir()
	var disk unix.Statfs_t
	must(t, unix.Statfs(dir, &disk))
	s, err := store.Open(t.Context(), store.Config{Dir: dir, MaxBytes: 1 << 55})
	must(t, err)
	defer s.Close()
	for _, g := range []string{"paper", "live"} {
		l, err := s.Log(t.Context(), g)
		must(t, err)
		_, limit, err := l.Usage(t.Context())
		if total := int64(disk.Blocks) * disk.Bsize; err != nil || limit <= 0 || limit >= total {
			t.Errorf("limit of %s is %d on a disk of %d, %v", g, limit, total, err)
		}
	}
}

// What somebody who reaches the server's API puts into a log is found by whoever
// reads it.
func TestAMessageThatIsNotTheNextEventEndsEveryReader(t *testing.T) {
	for _, c := range []struct {
		name, subject string
		data          func(head store.Head) []byte
		want          func(error) bool
	}{
		{"an event of a later sequence", prefix + "operator.noted",
			func(h store.Head) []byte { h.Seq++; return storetest.Next(t, gw, h, "note").Raw },
			func(err error) bool { var e *store.GapError; return errors.As(err, &e) && e.Want == 41 && e.Got == 42 }},
		{"no event", prefix + "operator.noted",
			func(store.Head) []byte { return []byte("{}") },
			func(err error) bool { var e *events.DecodeError; return errors.As(err, &e) }},
		{"an event of another gateway", prefix + "operator.noted",
			func(h store.Head) []byte { return storetest.Next(t, "live", h, "note").Raw },
			func(err error) bool { return errors.Is(err, events.ErrGateway) }},
		{"an event under another kind", prefix + "dial.started",
			func(h store.Head) []byte { return storetest.Next(t, gw, h, "note").Raw },
			func(err error) bool { return errors.Is(err, store.ErrDamaged) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openStore(t, t.TempDir())
			l, err := s.Log(t.Context(), gw)
			must(t, err)
			recs := storetest.Fill(t, l, gw, 40)
			_, err = s.JetStream().Publish(t.Context(), c.subject, c.data(storetest.HeadOf(recs[39])))
			must(t, err)
			last := func(seq func(func(events.Record, error) bool)) (err error) {
				for _, err = range seq {
				}
				return err
			}
			n := 0
			for _, err := range l.Read(t.Context(), 0, 0) {
				if err == nil {
					n++
				}
			}
			if n != 40 {
				t.Errorf("%d events can be read, want the 40 before it", n)
			}
			_, head := l.Head(t.Context())
			for name, err := range map[string]error{
				"head":       head,
				"short read": last(l.Read(t.Context(), 41, 41)),
				"tail":       last(l.Tail(t.Context(), 30)),
				"consume":    l.Consume(t.Context(), "pager", nil, func(context.Context, events.Record) error { return nil }),
			} {
				if !c.want(err) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

func TestTheLogInMemoryLivesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := store.NewMemory(gw)
		ctx, cancel := context.WithCancel(t.Context())
		var tries int
		start := time.Now()
		go func() {
			time.Sleep(time.Hour)
			storetest.Fill(t, l, gw, 1)
		}()
		_ = l.Consume(ctx, "pager", nil, func(context.Context, events.Record) error {
			if tries++; tries < 4 {
				return errors.New("the pager is busy")
			}
			cancel()
			return nil
		})
		if want := time.Hour + 1750*time.Millisecond; time.Since(start) != want {
			t.Errorf("handled after %v, want %v", time.Since(start), want)
		}
	})
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

func TestReadersLeaveNoConsumerBehind(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 100)
	for range 3 {
		for _, err := range l.Read(t.Context(), 0, 0) {
			if err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range l.Tail(ctx, 99) {
			cancel()
		}
		cancel()
	}
	info, err := l.Stream().Info(t.Context())
	if err != nil || info.State.Consumers != 0 {
		t.Errorf("%d consumers, %v", info.State.Consumers, err)
	}
}

func TestAnEventIsAcknowledgedOnlyAfterItsHandler(t *testing.T) {
	l := openLog(t, t.TempDir())
	storetest.Fill(t, l, gw, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := l.Consume(ctx, "pager", nil, func(ctx context.Context, rec events.Record) error {
		defer cancel()
		cons, err := l.Stream().Consumer(ctx, "pager")
		if err != nil {
			return err
		}
		info, err := cons.Info(ctx)
		if err != nil {
			return err
		}
		if info.NumAckPending != 1 {
			t.Errorf("%d events wait for their acknowledgement, want 1", info.NumAckPending)
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRedeliveryIsLaterEachTimeAndBounded(t *testing.T) {
	if store.Redelivery(1) != 250*time.Millisecond || store.Redelivery(2) != 500*time.Millisecond {
		t.Errorf("first waits %v, %v", store.Redelivery(1), store.Redelivery(2))
	}
	for n := uint64(2); n < 200; n++ {
		if store.Redelivery(n) < store.Redelivery(n-1) || store.Redelivery(n) > time.Minute {
			t.Errorf("wait %d is %v after %v", n, store.Redelivery(n), store.Redelivery(n-1))
		}
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

func TestCloseEndsEveryReader(t *testing.T) {
	s := openStore(t, t.TempDir())
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fill(t, l, gw, 2)
	ended := make(chan error, 2)
	reached := make(chan struct{}, 2)
	go func() {
		var last error
		for rec, err := range l.Tail(t.Context(), 1) {
			if last = err; rec.Seq == 2 {
				reached <- struct{}{}
			}
		}
		ended <- last
	}()
	go func() {
		ended <- l.Consume(t.Context(), "pager", nil, func(_ context.Context, rec events.Record) error {
			if rec.Seq == 2 {
				reached <- struct{}{}
			}
			return nil
		})
	}()
	<-reached
	<-reached
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; !errors.Is(err, store.ErrClosed) {
			t.Errorf("a reader ended with %v", err)
		}
	}
	if _, err := l.Head(t.Context()); !errors.Is(err, store.ErrClosed) {
		t.Errorf("head of a closed store: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestTheFolderIsOursAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s := openStore(t, dir)
	l, err := s.Log(t.Context(), gw)
	if err != nil {
		t.Fatal(err)
	}
	storetest.Fill(t, l, gw, 2)
	if err := l.Mark(store.Mark{Gateway: gw}, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open := func(path string) bool {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()&0o077 != 0
	}
	for path := range tree(t, dir) {
		for p := path; p != filepath.Dir(dir); p = filepath.Dir(p) {
			if open(p) {
				t.Errorf("%s is open to others", p)
			}
		}
	}
	// Somebody opens it; the next start closes it again.
	block := filepath.Join(msgsDir(dir), "1.blk")
	for path, mode := range map[string]os.FileMode{dir: 0o755, block: 0o644, filepath.Dir(block): 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	openStore(t, dir)
	for _, path := range []string{dir, block, filepath.Dir(block)} {
		if open(path) {
			t.Errorf("%s is still open to others", path)
		}
	}
}

func TestAFolderThatIsNotOursIsLeftAlone(t *testing.T) {
	for _, c := range []struct {
		name, file, text, want string
	}{
		{"it holds something else and is open to others", "thesis.tex", "", "chmod 700"},
		{"it was written by a newer recorder", "store.format", `{"format":2,"server":"ibrecorder-x"}`, "with the recorder that wrote it"},
		{"its format cannot be understood", "store.format", `{`, "from a copy"},
		{"it has logs and no format", "jetstream/x", "", "bring back store.format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Chmod(dir, map[bool]os.FileMode{true: 0o755, false: 0o700}[c.file == "thesis.tex"]); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, c.file)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			before := tree(t, dir)
			_, err := store.Open(t.Context(), store.Config{Dir: dir})
			if !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want ErrFormat and %q", err, c.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
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
