package store_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/store"
)

func TestASnapshotIsKeptWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	s := store.SnapshotsOf(dir, gw)
	var got map[string]int
	if found, err := s.Load(&got); found || err != nil {
		t.Fatalf("before the first one: found %t, %v", found, err)
	}
	for n := range 2 { // the second takes the place of the first
		must(t, s.Keep(map[string]int{"seq": n}))
	}
	if found, err := s.Load(&got); !found || err != nil || got["seq"] != 1 {
		t.Errorf("found %t, %v, %v; want the second", found, got, err)
	}
	for path, want := range map[string]os.FileMode{s.Path(): 0o600, filepath.Dir(s.Path()): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v (%v)", path, info.Mode(), want, err)
		}
	}

	whole, err := os.ReadFile(s.Path())
	must(t, err)
	for name, harmed := range map[string][]byte{
		"a bit flipped": bytes.Replace(whole, []byte("1"), []byte("0"), 1),
		"cut":           whole[:len(whole)/2],
		"empty":         nil,
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(s.Path(), harmed, 0o600))
			if found, err := s.Load(&got); !found || err == nil || !strings.Contains(err.Error(), "snapshot of "+gw) {
				t.Errorf("found %t, %v; want an error that names it", found, err)
			}
		})
	}
}
