package store_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"
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
