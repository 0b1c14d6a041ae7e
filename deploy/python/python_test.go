//go:build !race

package python_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// class is the head of one in test_ibrecorder.py.
var class = regexp.MustCompile(`(?m)^class (Test\w+)\(Case\):$`)

// ran is how unittest ends if all was well; nothing may be skipped.
var ran = regexp.MustCompile(`(?m)^Ran [1-9]\d* tests? in .*\n\nOK\n$`)

// TestPython runs the tests in Python, each class of them in a process of its own,
// against this recorder and its simulated Gateway. The race detector has nothing to
// look at here.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed; .ci/run installs it")
	}
	source, err := os.ReadFile("test_ibrecorder.py")
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "recorder")
	if out, err := exec.Command("go", "build", "-o", binary, "ibrecorder/cmd/recorder").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	classes := class.FindAllSubmatch(source, -1)
	if len(classes) < 5 {
		t.Fatalf("found %d classes of tests", len(classes))
	}
	t.Run("all", func(t *testing.T) {
		for _, m := range classes {
			name := string(m[1])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				cmd := exec.Command(python, "-W", "error", "-m", "unittest", "test_ibrecorder."+name)
				// A variable of the recorder's or the runner's own would change what is tested.
				cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
					return strings.HasPrefix(v, "IBRECORDER_") || strings.HasPrefix(v, "RECORDER_")
				}), "RECORDER_TEST_BINARY="+binary, "PYTHONDONTWRITEBYTECODE=1")
				out, err := cmd.CombinedOutput()
				if err != nil || !ran.Match(out) {
					t.Fatalf("%v\n%s\nagain: go build -o /tmp/recorder ./cmd/recorder && cd deploy/python && RECORDER_TEST_BINARY=/tmp/recorder python3 -m unittest test_ibrecorder.%s", err, out, name)
				}
				t.Logf("%s", out)
			})
		}
	})
}
