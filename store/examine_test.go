package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

// state is every path of a folder with its rights, size and time.
func state(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all[path] = info.Mode().String() + info.ModTime().Format(time.RFC3339Nano)
		}
		return err
	}))
	return all
}

func TestAFolderIsExaminedWithoutATouch(t *testing.T) {
	mark := func(dir string) string { return filepath.Join(dir, "mark", storetest.Gateway+".json") }
	flip := func(t *testing.T, path string, at int) {
		b, err := os.ReadFile(path)
		must(t, err)
		b[at] ^= 1
		must(t, os.WriteFile(path, b, 0o600))
	}
	for _, c := range []struct {
		name string
		harm func(t *testing.T, dir string)
		seq  uint64
		want error
	}{
		{"a log that is whole", func(*testing.T, string) {}, 40, nil},
		{"rights that a recorder would mend", func(t *testing.T, dir string) {
			must(t, os.Chmod(filepath.Join(msgsDir(dir), "1.blk"), 0o644))
		}, 40, nil},
		{"a byte turned around", func(t *testing.T, dir string) { flip(t, filepath.Join(msgsDir(dir), "2.blk"), 100) }, 40, store.ErrDamaged},
		{"a mark that cannot be read", func(t *testing.T, dir string) { flip(t, mark(dir), 20) }, 40, store.ErrMark},
		{"a log that is shorter than its mark", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(msgsDir(dir), "3.blk")))
		}, 30, store.ErrMark},
		{"a log that is gone", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Dir(msgsDir(dir))))
		}, 0, store.ErrMark},
		{"a pipe in a block's place", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(msgsDir(dir), "3.blk")))
			must(t, syscall.Mkfifo(filepath.Join(msgsDir(dir), "3.blk"), 0o600))
		}, 0, store.ErrDamaged},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := logOf(t, 40, 8<<10)
			c.harm(t, dir)
			before := state(t, dir)
			all, err := store.Examine(t.Context(), dir)
			if err != nil || len(all) != 1 {
				t.Fatalf("examined %+v, %v", all, err)
			}
			x := all[0]
			if x.Gateway != storetest.Gateway || !errors.Is(x.Err, c.want) || c.want == nil && x.Err != nil {
				t.Errorf("examined %+v, want the error %v", x, c.want)
			}
			if c.seq != 0 && (x.Seq == 0 || x.Last.IsZero() || x.Bytes == 0) || c.seq == 40 && x.Seq != 40 {
				t.Errorf("examined %+v, want event %d and its time", x, c.seq)
			}
			if diff := cmp.Diff(before, state(t, dir)); diff != "" {
				t.Error("the folder was changed:", diff)
			}
		})
	}
}

func TestAFolderInUseIsNotExamined(t *testing.T) {
	dir := logOf(t, 1, 8<<10)
	s := openStore(t, dir)
	if _, err := store.Examine(t.Context(), dir); !errors.Is(err, store.ErrLocked) {
		t.Errorf("examined while a recorder has it: %v", err)
	}
	must(t, s.Close())
	if _, err := store.Examine(t.Context(), dir); err != nil {
		t.Errorf("and after it: %v", err)
	}
	if _, err := store.Examine(t.Context(), filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
