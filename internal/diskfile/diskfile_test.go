package diskfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAWriteThatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mark")
	if err := Write(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	// Nothing can be opened where a folder is, whoever runs the test.
	if err := os.Mkdir(path+Unfinished, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new")); err == nil {
		t.Error("it was written into a folder")
	}
	if got := read(t, path); got != "old" {
		t.Errorf("the file has %q, want the old one", got)
	}

	occupied := filepath.Join(dir, "occupied")
	if err := os.MkdirAll(filepath.Join(occupied, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Write(occupied, []byte("new")); err == nil {
		t.Error("a folder was replaced")
	}
	if _, err := os.Stat(occupied + Unfinished); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what could not be put in place is left: %v", err)
	}
}

func TestWhatACrashLeftIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	if err := os.WriteFile(path+Unfinished, []byte("half of something longer"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "new" {
		t.Errorf("the file has %q, want %q", got, "new")
	}
	if _, err := os.Stat(path + Unfinished); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half file is still there: %v", err)
	}
}

func TestAFlippedBitIsSeen(t *testing.T) {
	type mark struct {
		Gateway string
		Stopped bool
	}
	path := filepath.Join(t.TempDir(), "mark")
	want := mark{"main", true}
	if err := Seal(path, want); err != nil {
		t.Fatal(err)
	}
	var got mark
	if err := Unseal(path, &got); err != nil || got != want {
		t.Fatalf("read back %+v, %v, want %+v", got, err, want)
	}
	whole := read(t, path)
	for i := range len(whole) {
		b := []byte(whole)
		b[i] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Unseal(path, &got); !errors.Is(err, ErrSeal) {
			t.Errorf("byte %d flipped: %v, want %v", i, err, ErrSeal)
		}
		if err := os.WriteFile(path, []byte(whole[:i]), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Unseal(path, &got); !errors.Is(err, ErrSeal) {
			t.Errorf("cut to %d bytes: %v, want %v", i, err, ErrSeal)
		}
	}
}
