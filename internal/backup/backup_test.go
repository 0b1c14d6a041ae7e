package backup_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/backup"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/snapshot"
	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill opens a data folder with n events of each gateway in it.
func fill(t *testing.T, dir string, n int, gateways ...string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	for _, gw := range gateways {
		l, err := s.Log(t.Context(), gw)
		must(t, err)
		if n > 0 {
			recs := storetest.Fill(t, l, gw, n)
			head := storetest.HeadOf(recs[n-1])
			must(t, l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, true))
		}
	}
	must(t, os.WriteFile(filepath.Join(dir, "account.key"), []byte("secret\n"), 0o600))
	return s
}

// lines is the log of a gateway in a folder that nobody has open.
func lines(t *testing.T, dir, gateway string) string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	l, err := s.Log(t.Context(), gateway)
	must(t, err)
	var b bytes.Buffer
	for rec, err := range l.Read(t.Context(), 0, 0) {
		must(t, err)
		b.Write(append(rec.Raw, '\n'))
	}
	return b.String()
}

func TestARestoredFolderGoesOn(t *testing.T) {
	dir, file, again := t.TempDir(), filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "again")
	s := fill(t, dir, 50, "main", "paper")
	_, err := s.Log(t.Context(), "empty")
	must(t, err)
	l, err := s.Log(t.Context(), "main")
	must(t, err)
	_, err = l.Roll(t.Context(), "", time.Unix(0, 0))
	must(t, err)
	recs := storetest.Fill(t, l, "main", 10)
	must(t, l.Mark(store.Mark{Gateway: "main", Seq: 60, Hash: recs[9].Hash()}, true))
	_, err = l.Archive(t.Context(), t.TempDir(), func(ctx context.Context, last uint64) error {
		base, err := snapshot.Base("b1", "main", l.Read(ctx, 0, last), nil, last)
		return errors.Join(err, store.BaseOf(dir, "main").Keep(base))
	})
	must(t, err)
	must(t, s.Close())

	wrote, err := backup.Write(t.Context(), dir, file)
	must(t, err)
	restored, err := backup.Restore(t.Context(), file, again)
	must(t, err)
	if diff := cmp.Diff(wrote, restored); diff != "" {
		t.Errorf("what was restored is not what was written:\n%s", diff)
	}
	if len(wrote.Logs) != 3 || wrote.Logs[1].First != 51 || wrote.Logs[1].Last != 60 || wrote.Logs[2].Last != 50 {
		t.Errorf("contents %+v", wrote)
	}
	for _, gw := range []string{"main", "paper", "empty"} {
		if diff := cmp.Diff(lines(t, dir, gw), lines(t, again, gw)); diff != "" {
			t.Errorf("%s:\n%s", gw, diff)
		}
	}
	if key, err := os.ReadFile(filepath.Join(again, "account.key")); err != nil || string(key) != "secret\n" {
		t.Errorf("the key is %q, %v", key, err)
	}
	s, err = store.Open(t.Context(), store.Config{Dir: again})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	l, err = s.Log(t.Context(), "main")
	must(t, err)
	storetest.Fill(t, l, "main", 5)
	if head, err := l.Head(t.Context()); err != nil || head.Seq != 65 {
		t.Errorf("head %v, %v", head, err)
	}
}

// recording is a recorder that appends while it is asked.
type recording struct {
	httpapi.Gateway
	log *store.JetLog
}

func (r recording) Name() string { return r.log.Gateway() }
func (r recording) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return r.log.Read(ctx, from, to)
}

// The folder is copied while events come.
func TestABackupOfARunningRecorder(t *testing.T) {
	dir, err := os.MkdirTemp("", "ibr") // short enough for a socket
	must(t, err)
	defer os.RemoveAll(dir)
	s := fill(t, dir, 100, "main")
	defer func() { must(t, s.Close()) }()
	l, err := s.Log(t.Context(), "main")
	must(t, err)
	ln, err := httpapi.Listen(dir)
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served, grown := make(chan error, 1), make(chan struct{})
	go func() { served <- httpapi.Serve(ctx, ln, []httpapi.Gateway{recording{log: l}}, nil) }()
	go func() {
		defer close(grown)
		for ctx.Err() == nil {
			head := storetest.HeadOf(storetest.Fill(t, l, "main", 1)[0])
			if err := l.Mark(store.Mark{Gateway: "main", Seq: head.Seq, Hash: head.Hash}, true); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	file, again := filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "again")
	wrote, err := backup.Write(t.Context(), dir, file)
	must(t, err)
	stop()
	<-grown
	must(t, <-served)
	if wrote.Logs[0].Last < 100 {
		t.Errorf("contents %+v", wrote)
	}
	_, err = backup.Restore(t.Context(), file, again)
	must(t, err)
	var original bytes.Buffer
	for rec, err := range l.Read(t.Context(), 1, wrote.Logs[0].Last) {
		must(t, err)
		original.Write(append(rec.Raw, '\n'))
	}
	if diff := cmp.Diff(original.String(), lines(t, again, "main")); diff != "" {
		t.Error(diff)
	}
}

func TestABackupIsWholeOrNotThere(t *testing.T) {
	dir := t.TempDir()
	must(t, fill(t, dir, 20, "main").Close())
	mark := filepath.Join(dir, "mark", "main.json")
	must(t, os.WriteFile(mark, []byte("x\n"), 0o600))
	to := t.TempDir()
	if _, err := backup.Write(t.Context(), dir, filepath.Join(to, "b")); !errors.Is(err, store.ErrMark) {
		t.Errorf("a log that no recorder would open: %v", err)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestNothingIsOverwritten(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	must(t, fill(t, dir, 3, "main").Close())
	file := filepath.Join(to, "b")
	must(t, os.WriteFile(file, []byte("mine"), 0o600))
	if _, err := backup.Write(t.Context(), dir, file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
		t.Errorf("it has %q now, %v", b, err)
	}
	file = filepath.Join(to, "c")
	_, err := backup.Write(t.Context(), dir, file)
	must(t, err)
	before := lines(t, dir, "main")
	if _, err := backup.Restore(t.Context(), file, dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder that is not empty: %v", err)
	}
	if diff := cmp.Diff(before, lines(t, dir, "main")); diff != "" {
		t.Error(diff)
	}
}

// A backup has the keys, and may be written where others can write too.
func TestABackupIsWrittenIntoNobodyElsesFile(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	must(t, fill(t, dir, 3, "main").Close())
	theirs, file := filepath.Join(t.TempDir(), "theirs"), filepath.Join(to, "b")
	must(t, os.WriteFile(theirs, []byte("theirs"), 0o644))
	for _, lies := range []func(at string) error{
		func(at string) error { return os.Symlink(theirs, at) },
		func(at string) error { return os.Link(theirs, at) },
	} {
		must(t, lies(file+".tmp"))
		_, err := backup.Write(t.Context(), dir, file)
		must(t, err)
		if b, err := os.ReadFile(theirs); err != nil || string(b) != "theirs" {
			t.Errorf("the file of others has %d bytes now, %v", len(b), err)
		}
		if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("the backup is %v, %v", info, err)
		}
		must(t, os.Remove(file))
	}
}

func TestABackupThatLeadsElsewhereIsRefused(t *testing.T) {
	for _, name := range []string{"../out", "/out", "jetstream/x", "./jetstream/x", "key/../jetstream/x", "lock", "a//b"} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, m := range []struct{ name, content string }{{"backup", "ibrecorder backup 1\n"}, {"files/" + name, "x"}, {"contents.json", `{"logs":null,"files":1}`}} {
			must(t, w.WriteHeader(&tar.Header{Name: m.name, Mode: 0o600, Size: int64(len(m.content))}))
			_, err := w.Write([]byte(m.content))
			must(t, err)
		}
		must(t, w.Close())
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, "bad"), b.Bytes(), 0o600))
		if _, err := backup.Restore(t.Context(), filepath.Join(dir, "bad"), filepath.Join(dir, "again")); !errors.Is(err, backup.ErrBackup) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	must(t, fill(t, dir, 20, "main").Close())
	file := filepath.Join(to, "b")
	_, err := backup.Write(t.Context(), dir, file)
	must(t, err)
	whole, err := os.ReadFile(file)
	must(t, err)
	at := bytes.Index(whole, []byte(`"text":"note"`))
	for _, c := range []struct {
		name  string
		bytes []byte
	}{
		{"nothing", nil},
		{"something else", []byte("hello, world\n")},
		{"one that is cut off", whole[:len(whole)/2]},
		{"one without its list", whole[:bytes.Index(whole, []byte("contents.json"))]},
		{"one with a byte that flipped in an event", func() []byte {
			b := bytes.Clone(whole)
			b[at+9] ^= 1
			return b
		}()},
		{"two, one behind the other", append(bytes.TrimRight(whole, "\x00"), whole...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad, again := filepath.Join(t.TempDir(), "bad"), filepath.Join(t.TempDir(), "again")
			must(t, os.WriteFile(bad, c.bytes, 0o600))
			if _, err := backup.Restore(t.Context(), bad, again); !errors.Is(err, backup.ErrBackup) {
				t.Errorf("error %v", err)
			}
			if left, err := os.ReadDir(filepath.Dir(again)); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
