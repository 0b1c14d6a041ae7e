package mutant

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// layer is one go test.
type layer struct {
	name    string
	about   string
	pkg     string // "" is the package of the mutant
	run     string // -run, "" is everything
	skip    string // -skip
	limit   time.Duration
	verdict string // a failure counts only if its output has this
}

const walks = "^(TestTheJudgeFindsNothing|TestDecisionsComeToRest|TestNothingIsPermittedWhileStopped|TestWhatIsOrdinaryIsNoAnomaly|TestEveryStateLeadsBackToReady)$"

// layers are the checks, in the order in which a change meets them.
var layers = []layer{
	{name: "tables", about: "the tests of the package itself, without those of the next column", skip: walks, limit: 10 * time.Minute},
	{name: "walks", about: "random walks of policy and fold, held against the judge", pkg: "internal/policy", run: walks, limit: 3 * time.Minute},
	{name: "explorer", about: "every reachable state of policy, fold and judge", pkg: "internal/explore", limit: 5 * time.Minute},
	{name: "incidents", about: "the streams of testdata, their facts decided anew", pkg: "internal/streams", limit: 3 * time.Minute},
	{name: "loop", about: "the loop with a log in memory, in a bubble of time", pkg: "internal/recorder", limit: 3 * time.Minute},
	{name: "kills", about: "a process that is killed at every step of its loop", pkg: "internal/daemon", run: "^TestKilledAtEveryStep$", limit: 10 * time.Minute},
	{name: "week", about: "a simulated week over the real log", pkg: "internal/simulation", run: "^TestAWeek$", limit: 8 * time.Minute},
	{name: "online", about: "the recorder's own judge in that week, as it writes", pkg: "internal/simulation", run: "^TestAWeek$", limit: 8 * time.Minute, verdict: "the recorder says "},
	{name: "judge", about: "the offline judge's verdict on the log of that week", pkg: "internal/simulation", run: "^TestAWeek$", limit: 8 * time.Minute, verdict: "the judge says "},
}

// finding is what a layer says of a mutant.
type finding string

const (
	caught finding = "caught"
	missed finding = "not"
	none   finding = "n.a." // the mutant is not in what it tests
)

// root of the module.
const root = "../.."

// result is what a go test has said.
type result struct {
	out    string
	failed error
	took   time.Duration
}

// args are those of the go command.
func (l layer) args(pkg string) []string {
	args := []string{"-vet=off", "-failfast", "-timeout", l.limit.String()}
	if l.run != "" {
		args = append(args, "-run", l.run)
	}
	if l.skip != "" && pkg == "internal/policy" {
		args = append(args, "-skip", l.skip)
	}
	args = append(args, "./"+pkg)
	if uses(pkg, "pgregory.net/rapid") { // its file about a failure would stay in testdata
		args = append(args, "-rapid.nofailfile", "-rapid.seed=1")
	}
	return args
}

// command tells layers apart that run something else.
func (l layer) command(pkg string) string {
	l.limit = 0
	return strings.Join(l.args(pkg), " ")
}

// test runs a layer, with an overlay if there is one. The error says why it did not run.
func (l layer) test(overlay, pkg string) (result, error) {
	// A week that fails leaves its log where TEST_ARTIFACTS says.
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)
	args := []string{"test"}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, l.args(pkg)...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "TEST_ARTIFACTS="+dir)
	began := time.Now()
	out, failed := cmd.CombinedOutput()
	return result{string(out), failed, time.Since(began)}, nil
}

var (
	failure = regexp.MustCompile(`(?m)^\s*--- FAIL: (\w+)`)
	running = regexp.MustCompile(`(?m)^\t+(Test\w+)[^\n]* \(`) // behind "running tests:" of a timeout
)

// reading is what a go test says of a mutant: whether it failed, and of which test. The
// error says why that cannot be told: it did not compile, or never ran.
func (l layer) reading(r result) (found finding, first string, err error) {
	out, failed := r.out, r.failed
	switch {
	case failed == nil && strings.Contains(out, "no tests to run"):
		return "", "", fmt.Errorf("layer %s has no test any more:\n%s", l.name, out)
	case failed == nil:
		return missed, "", nil
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "", "", fmt.Errorf("it does not compile:\n%s", out)
	case !strings.Contains(out, l.verdict):
		return missed, "", nil
	}
	if m := failure.FindStringSubmatch(out); m != nil {
		return caught, m[1], nil
	}
	if _, after, timeout := strings.Cut(out, "running tests:"); timeout {
		if m := running.FindStringSubmatch(after); m != nil {
			return caught, m[1], nil
		}
	}
	if strings.Contains(out, "panic: ") {
		return caught, "panic", nil
	}
	return "", "", fmt.Errorf("layer %s failed, and no test of it: %w\n%s", l.name, failed, out)
}

func TestWhatALayerSays(t *testing.T) {
	failed := fmt.Errorf("exit status 1")
	for _, c := range []struct {
		name    string
		out     string
		err     error
		verdict string
		found   finding
		first   string
		wrong   bool
	}{
		{"it passes", "ok  \tibrecorder/fsm\t0.1s\n", nil, "", missed, "", false},
		{"a test fails", "--- FAIL: TestStops (0.00s)\n    --- FAIL: TestStops/silent (0.00s)\nFAIL\n", failed, "", caught, "TestStops", false},
		{"another fails before it", "--- FAIL: TestA (0.00s)\n--- FAIL: TestB (0.00s)\n", failed, "", caught, "TestA", false},
		{"it hangs", "panic: test timed out after 3m0s\n\trunning tests:\n\t\tTestResume (2m59s)\n\t\tTestResume/nothing (2m59s)\n", failed, "", caught, "TestResume", false},
		{"it panics outside of a test", "panic: runtime error\n\ngoroutine 7\n", failed, "", caught, "panic", false},
		{"the week fails, and the judge says so", "--- FAIL: TestAWeek (1s)\n week_test.go:1: the judge says VIOLATED: RS1\n", failed, "the judge says ", caught, "TestAWeek", false},
		{"the week fails, and the judge finds nothing", "--- FAIL: TestAWeek (1s)\n week_test.go:1: a dial\n", failed, "the judge says ", missed, "", false},
		{"it does not compile", "FAIL\tibrecorder/fsm [build failed]\n", failed, "", "", "", true},
		{"the pattern matches nothing", "ok  \tibrecorder/fsm\t0.1s [no tests to run]\n", nil, "", "", "", true},
		{"the go command itself fails", "go: no such tool\n", failed, "", "", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, first, err := layer{name: "x", verdict: c.verdict}.reading(result{out: c.out, failed: c.err})
			if found != c.found || first != c.first || (err != nil) != c.wrong {
				t.Errorf("%q, %q, %v; want %q, %q, an error: %t", found, first, err, c.found, c.first, c.wrong)
			}
		})
	}
}

var dependencies = map[string][]string{}

// uses says whether the tests of a package are linked with another one.
func uses(pkg, other string) bool {
	all, known := dependencies[pkg]
	if !known {
		cmd := exec.Command("go", "list", "-deps", "-test", "-f", "{{.ImportPath}}", "./"+pkg)
		cmd.Dir = root
		out, _ := cmd.Output() // a package without files tests nothing
		for p := range strings.FieldsSeq(string(out)) {
			all = append(all, p)
		}
		dependencies[pkg] = all
	}
	return slices.Contains(all, other) || slices.Contains(all, "ibrecorder/"+other)
}

// hasTests says whether a package has any.
func hasTests(pkg string) bool {
	files, _ := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	return len(files) > 0
}
