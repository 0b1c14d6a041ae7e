//go:build !race

package archtest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// machine matches what must be in no file. It is spelled so that it does not
// match itself.
var machine = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`(^|[^\w.])/[w]ork/`, `(^|[^\w.])/[r]oot/`, `/[t]mp/w\b`, // folders of a machine that builds
	`[p]roxy\.golang\.org`, `[g]oproxy\.(io|cn)`, `[a]rtifactory`, `[r]egistry\.npmjs`, `[p]ypi\.org/simple`, // registries
}, "|"))

func TestNoFileNamesAMachine(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Skip("needs git and its checkout: ", err)
	}
	forbidden := append([]*regexp.Regexp{machine}, proxies(t)...)
	checked := 0
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		b, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) { // removed, and not yet committed so
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		checked++
		for _, problem := range machines(name, b, forbidden) {
			t.Error(problem)
		}
	}
	if checked < 50 {
		t.Errorf("only %d files were read", checked)
	}
}

// proxies matches the hosts that this machine gets its modules from.
func proxies(t *testing.T) (all []*regexp.Regexp) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.FieldsFuncSeq(strings.TrimSpace(string(out)), func(r rune) bool { return r == ',' || r == '|' }) {
		if u, err := url.Parse(part); err == nil && u.Hostname() != "" {
			all = append(all, regexp.MustCompile(regexp.QuoteMeta(u.Hostname())))
		}
	}
	return all
}

// machines says where a text file names a machine; what has a zero byte is none.
func machines(name string, b []byte, forbidden []*regexp.Regexp) (problems []string) {
	if bytes.IndexByte(b, 0) >= 0 {
		return nil
	}
	n := 0
	for line := range bytes.Lines(b) {
		n++
		for _, re := range forbidden {
			if m := re.Find(line); m != nil {
				problems = append(problems, fmt.Sprintf("%s:%d: %q", name, n, m))
			}
		}
	}
	return problems
}

func TestANameOfAMachineIsFound(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"nothing", "a line\nand another about a /network/ and home/work/\n", 0},
		{"a folder at the beginning of a line", "/w" + "ork/main\n", 1},
		{"a folder in a sentence", "see (/w" + "ork/shared/x.md)\n", 1},
		{"the home of root", "cp x /ro" + "ot/.config\n", 1},
		{"a folder for the day", "in /tm" + "p/w/x and /tm" + "p/w\n", 1},
		{"another temporary folder", "/tmp/workers\n", 0},
		{"a registry", "GOPROXY=https://pro" + "xy.golang.org\n", 1},
		{"two lines", "/ro" + "ot/a\n\n/ro" + "ot/b\n", 2},
		{"no text", "/ro" + "ot/\x00", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := machines("x", []byte(c.text), []*regexp.Regexp{machine}); len(got) != c.want {
				t.Errorf("found %q, want %d", got, c.want)
			}
		})
	}
}
