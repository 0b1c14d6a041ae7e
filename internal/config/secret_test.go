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
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // past the umask
			t.Fatal(err)
		}
		return path
	}
	const secret = "S3cr3tS3cr3t"
	for _, c := range []struct {
		name, ref string
		env       []string
		want      string // the secret, or the end of the error
	}{
		{"a file", file("a", secret, 0o600), nil, secret},
		{"a file that nobody may change", file("b", secret, 0o400), nil, secret},
		{"an editor's line end, and Windows's", file("c", secret+"\r\n", 0o600), nil, secret},
		{"a variable", "env:BOT", []string{"BOT=" + secret + "\n"}, secret},
		{"a variable that is not set", "env:BOT", nil, "the variable BOT is not set"},
		{"an empty variable", "env:BOT", []string{"BOT= "}, "the variable BOT is not set"},
		{"no file", filepath.Join(dir, "none"), nil, "/none: no such file or directory"},
		{"a folder", dir, nil, " is no file"},
		{"a file that others may read", file("d", secret, 0o604), nil, "/d (0604): chmod 600 " + filepath.Join(dir, "d")},
		{"a file that a group may read", file("e", secret, 0o640), nil, "/e (0640): chmod 600 " + filepath.Join(dir, "e")},
		{"a credential of systemd's, with its list of rights", file("f", secret, 0o440), []string{"CREDENTIALS_DIRECTORY=" + dir}, secret},
		{"a credential that others may read", file("g", secret, 0o444), []string{"CREDENTIALS_DIRECTORY=" + dir}, "/g (0444): chmod 600 " + filepath.Join(dir, "g")},
		{"a file beside the credentials", file("h", secret, 0o440), []string{"CREDENTIALS_DIRECTORY=" + filepath.Join(dir, "x")}, "/h (0440): chmod 600 " + filepath.Join(dir, "h")},
		{"an empty file", file("i", "\n", 0o600), nil, "/i is empty"},
		{"a file that is no secret", file("j", strings.Repeat(secret, 500), 0o600), nil, "/j has more than 4096 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadSecret(c.ref, c.env)
			switch {
			case c.want == secret:
				if got != secret || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			case !errors.Is(err, ErrSecret) || !strings.HasSuffix(err.Error(), c.want):
				t.Errorf("%v, want it to end with %q", err, c.want)
			case got != "" || strings.Contains(err.Error(), secret):
				t.Errorf("the secret is told: %q, %v", got, err)
			}
		})
	}
}
