package flock

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// open opens one file twice, as two processes would.
func open(t *testing.T) (one, two *os.File) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lock")
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|NoFollow, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		files[i] = f
	}
	return files[0], files[1]
}

func TestALockThatIsHeldIsRefusedAtOnce(t *testing.T) {
	type lock = func(*os.File) error
	for _, c := range []struct {
		name     string
		one, two lock
		held     bool
	}{
		{"alone, and alone", Exclusive, Exclusive, true},
		{"alone, and shared", Exclusive, Shared, true},
		{"shared, and alone", Shared, Exclusive, true},
		{"shared, and shared", Shared, Shared, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, two := open(t)
			if err := c.one(one); err != nil {
				t.Fatal(err)
			}
			if err := c.two(two); errors.Is(err, ErrHeld) != c.held || err != nil && !c.held {
				t.Errorf("the second one: %v, want held %t", err, c.held)
			}
			if err := Unlock(one); err != nil {
				t.Fatal(err)
			}
			if err := c.two(two); err != nil {
				t.Errorf("after it was given back: %v", err)
			}
		})
	}
}

func TestALockEndsWithItsFile(t *testing.T) {
	one, two := open(t)
	if err := Exclusive(one); err != nil {
		t.Fatal(err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Exclusive(two); err != nil {
		t.Error(err)
	}
}

func TestALockedFileCanBeRead(t *testing.T) {
	one, two := open(t)
	if err := Exclusive(one); err != nil {
		t.Fatal(err)
	}
	if _, err := one.WriteString("4711\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(two); err != nil || string(text) != "4711\n" {
		t.Errorf("read %q, %v", text, err)
	}
}
