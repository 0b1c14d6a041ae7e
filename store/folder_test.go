package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ibrecorder/store"
	"ibrecorder/store/storetest"

	"github.com/google/go-cmp/cmp"
)

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
	for path, mode := range map[string]os.FileMode{dir: 0o755, block: 0o644, filepath.Dir(block): 0o755, store.MarkPath(dir, gw): 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	openStore(t, dir)
	for _, path := range []string{dir, block, filepath.Dir(block), store.MarkPath(dir, gw)} {
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
		{"it says that it is older than the first format", "store.format", `{"format":0,"server":"ibrecorder-x"}`, "from a copy"},
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

func TestAFolderThatCannotBeMadeIsAChoiceToMakeAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "data")} {
		if _, err := store.Open(t.Context(), store.Config{Dir: dir}); !errors.Is(err, store.ErrFormat) || !strings.Contains(err.Error(), "choose another folder") {
			t.Errorf("%v, want ErrFormat and what to do", err)
		}
	}
}
