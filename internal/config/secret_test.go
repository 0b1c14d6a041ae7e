package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadSecret(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // whatever the umask is
			t.Fatal(err)
		}
		return path
	}
	env := []string{"TOKEN= " + secret, "NOTHING="}
	for _, c := range []struct{ name, ref, want, says string }{
		{"a file of its owner", write("a", secret+"\n", 0o600), secret, ""},
		{"one that may not be written", write("b", secret, 0o400), secret, ""},
		{"a variable", "env:TOKEN", secret, ""},
		{"a file that others may read", write("c", secret, 0o640), "", "can be read by others (640); type: chmod 600 " + dir},
		{"an empty file", write("d", " \n", 0o600), "", "is empty"},
		{"a long file", write("e", strings.Repeat("x", maxSecret+1), 0o600), "", "this is no secret"},
		{"no file", filepath.Join(dir, "f"), "", "no such file"},
		{"a folder", dir, "", "is a directory"},
		{"a variable that is empty", "env:NOTHING", "", "the variable NOTHING is not set"},
		{"a variable that is not there", "env:TOKENS", "", "the variable TOKENS is not set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadSecret(c.ref, env)
			if got != c.want || (err == nil) != (c.says == "") {
				t.Fatalf("got %q, %v", got, err)
			}
			if err != nil && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), secret)) {
				t.Errorf("says %v, want %q and not the secret", err, c.says)
			}
		})
	}
}
