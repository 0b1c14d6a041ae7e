package store_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"go.uber.org/goleak"
)

const gw = storetest.Gateway

// TestMain also is the second process of the tests that need one.
func TestMain(m *testing.M) {
	switch os.Getenv("STORE_TEST_CHILD") {
	case "open":
		_, err := store.Open(context.Background(), store.Config{Dir: os.Getenv("STORE_TEST_DIR")})
		fmt.Println(err)
		os.Exit(0)
	case "append":
		appendForEver(os.Getenv("STORE_TEST_DIR"))
	}
	goleak.VerifyTestMain(m,
		// nats-server: one for the process, started by its file store.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server/ats.init.0.func1"),
	)
}

// child runs this test binary as another process.
func child(t *testing.T, what, dir string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "STORE_TEST_CHILD="+what, "STORE_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// appendForEver prints the sequence and hash of every event that is on disk.
func appendForEver(dir string) {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	l, err := s.Log(ctx, gw)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	head, err := l.Head(ctx)
	for err == nil {
		rec := storetest.Next(new(testing.T), gw, head, "note")
		if err = l.Append(ctx, rec); err == nil {
			head = storetest.HeadOf(rec)
			fmt.Println(head.Seq, head.Hash)
			err = l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, false)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestKillLosesNothingAcknowledged(t *testing.T) {
	dir := t.TempDir()
	acked := map[uint64]string{}
	for range 3 {
		cmd := child(t, "append", dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for in := bufio.NewScanner(out); in.Scan(); lines++ {
			if lines == 200 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			if seq, hash, ok := strings.Cut(in.Text(), " "); ok && len(hash) == 64 {
				n, err := strconv.ParseUint(seq, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				acked[n] = hash
			}
		}
		_ = cmd.Wait() // killed
		if lines < 200 {
			t.Fatalf("the process ended after %d events", lines)
		}
	}
	l := openLog(t, dir)
	found := 0
	for rec, err := range l.Read(t.Context(), 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if want, ok := acked[rec.Seq]; ok {
			found++
			if rec.Hash().String() != want {
				t.Errorf("event %d is not the one that was acknowledged", rec.Seq)
			}
		}
	}
	if found != len(acked) {
		t.Errorf("%d of %d acknowledged events are there", found, len(acked))
	}
}

func TestASecondProcessGetsAClearError(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	recs := storetest.Fill(t, l, gw, 3)
	out, err := child(t, "open", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("open %s: the data folder is in use by process %d; stop that recorder, or give this one a folder of its own\n", dir, os.Getpid())
	if string(out) != want {
		t.Errorf("the second process says\n%swant\n%s", out, want)
	}
	if err := l.Append(t.Context(), storetest.Next(t, gw, storetest.HeadOf(recs[2]), "still here")); err != nil {
		t.Errorf("the first one was disturbed: %v", err)
	}
}

func TestTheSameProcessCannotOpenAFolderTwice(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	var locked *store.LockError
	if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrLocked) || !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("second open: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(t, dir).Log(t.Context(), gw); err != nil {
		t.Errorf("open after close: %v", err)
	}
}

// tree hashes every file below dir, by its path; the lock file is nobody's data.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "lock" {
			return err
		}
		if !d.Type().IsRegular() {
			files[path] = d.Type().String()
			return nil
		}
		b, err := os.ReadFile(path)
		files[path] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
