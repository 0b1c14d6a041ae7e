package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"golang.org/x/sys/unix"
)

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

// Whoever looks at a stopped recorder, from a monitor every minute, must not keep it
// from being started.
func TestARecorderWaitsForWhoeverCopiesTheFolder(t *testing.T) {
	dir := logOf(t, 3, 8<<10)
	reader, err := os.Open(filepath.Join(dir, "lock"))
	must(t, err)
	must(t, unix.Flock(int(reader.Fd()), unix.LOCK_SH))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := store.Open(ctx, store.Config{Dir: dir}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while somebody reads: %v, want it to wait until its time is over", err)
	}
	opened := make(chan error)
	go func() {
		s, err := store.Open(t.Context(), store.Config{Dir: dir})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	must(t, reader.Close())
	if err := <-opened; err != nil {
		t.Errorf("after the reader: %v", err)
	}
}
