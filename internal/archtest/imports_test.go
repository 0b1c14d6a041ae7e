//go:build !race

package archtest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	natsClient  = "github.com/nats-io/nats.go"
	natsServer  = "github.com/nats-io/nats-server/v2"
	nkeys       = "github.com/nats-io/nkeys"
	looplab     = "github.com/looplab/fsm"
	viper       = "github.com/spf13/viper"
	ibapi       = "github.com/scmhub/ibapi"
	cobra       = "github.com/spf13/cobra"
	xterm       = "golang.org/x/term"
	pflag       = "github.com/spf13/pflag"
	yaml        = "github.com/goccy/go-yaml"
	levenshtein = "github.com/agnivade/levenshtein"
	gopsutil    = "github.com/shirou/gopsutil/v4"
	gomail      = "github.com/wneessen/go-mail"
	xsys        = "golang.org/x/sys"
	xtime       = "golang.org/x/time"
	xmod        = "golang.org/x/mod"
	prometheus  = "github.com/prometheus/client_golang"
)

// mayImport says which packages of this module, by folder, and which modules a
// package may import directly beside the standard library. Add a row with a
// package; widen one only with a reason in docs/decisions.md.
var mayImport = map[string][]string{
	"events": {},
	"fsm":    {"events", looplab},
	"store":  {"events", natsClient, natsServer, nkeys, "github.com/nats-io/nuid", "github.com/minio/highwayhash", xsys, "internal/flock", "internal/diskfile"},
	"client": {"events", natsClient},
	// Shows a program of somebody else's: what it dials with is its own affair.
	"client/example/runner": {"client", "events", ibapi},
	"internal/wire":         {},
	"internal/policy":       {"events", "fsm"},
	"internal/rule":         {"events"}, // sees neither fsm nor policy: it is the independent judge
	"internal/snapshot":     {"events", "fsm", "internal/rule"},
	"internal/recorder": {
		"events", "fsm", "internal/policy", "internal/rule", "internal/snapshot", "store"},
	"internal/tap":       {"events", "internal/wire", xsys},
	"internal/ibsession": {"events", "internal/tap", ibapi},
	"internal/watch":     {"events", gopsutil},
	"internal/flock":     {xsys},
	"internal/diskfile":  {"internal/flock"},
	"internal/alert":     {"events", "store", "internal/notice", "internal/channel", "internal/flock", "internal/window"},
	"internal/notice":    {"events"},
	"internal/window":    {},
	"internal/access":    {xtime},
	"internal/httpapi":   {"events", "internal/access"},
	"internal/health":    {},
	"internal/systemd":   {xsys},
	"internal/metrics":   {"events", "fsm", "internal/rule", prometheus},
	"internal/channel":   {"events", "internal/notice", gomail},
	"internal/natsapi":   {"events", "internal/httpapi", natsClient},
	"internal/report":    {"events", "fsm", "internal/audit", "internal/diff", "internal/figure", "internal/rule", "internal/whatif"},
	"internal/figure":    {},
	"internal/dashboard": {"events", "fsm", "internal/access", "internal/figure", "internal/httpapi", "internal/notice", "internal/report"},
	"internal/backup":    {"events", "internal/diskfile", "internal/snapshot", "internal/source", "store"},
	"internal/source":    {"events", "internal/bundle", "internal/httpapi", "store"},
	"internal/logfile":   {"events"},
	"internal/streams":   {"events", "fsm", "internal/policy", "internal/rule", yaml},
	"internal/gwsim":     {"events", "internal/wire"},
	// Writes a long stream to standard output, for measurements.
	"internal/streams/long": {"events", "internal/streams"},
	"internal/config":       {"events", "internal/access", "internal/policy", "internal/window", viper, pflag, yaml, levenshtein, nkeys},
	"internal/tty":          {"events", pflag, cobra, xterm},
	"internal/doctor":       {"events", "store", "internal/config", "internal/httpapi", "internal/report", "internal/watch", "internal/wire", xsys},
	"internal/explain":      {"internal/report", "internal/rule"},
	"internal/explore":      {"events", "fsm", "internal/policy", "internal/rule"},
	"internal/diff":         {"events", "fsm", "github.com/sergi/go-diff"},
	"internal/shrink":       {"events", "fsm", "internal/audit", "internal/rule"},
	"internal/whatif":       {"events", "fsm", "internal/audit", "internal/policy"},
	"internal/archtest":     {},
	"internal/compat":       {}, // it has tests only
	// Recomputes decisions, which internal/rule must not be able to.
	"internal/audit": {"events", "fsm", "internal/policy", "internal/rule"},
	"internal/veil":  {"events"},
	// Of x/mod it takes sumdb/note and sumdb/tlog, which have no dependencies.
	"internal/checkpoint": {"events", "internal/diskfile", "internal/veil", xmod},
	"internal/bundle":     {"events", "internal/checkpoint", "internal/veil", xmod},

	// Puts everything together; the libraries stay behind the packages that own them.
	"internal/daemon": {"events", "fsm", "store", "internal/policy", "internal/rule", "internal/wire", "internal/tap", "internal/ibsession",
		"internal/watch", "internal/recorder", "internal/snapshot", "internal/alert", "internal/httpapi", "internal/natsapi", "internal/gwsim", "internal/config", "internal/diskfile", "internal/flock", "internal/checkpoint", "internal/access", "internal/health", "internal/metrics", "internal/channel", "internal/notice", "internal/dashboard", "internal/window"},
	"cmd/recorder": {anything},
	"cmd/replay":   {anything},

	// For the tests of others: no row names them, so no product code imports them.
	"internal/clitest":           {"github.com/google/go-cmp", "github.com/rogpeppe/go-internal", cobra, pflag},
	"store/storetest":            {"events", "store"},
	"fsm/fsmtest":                {"events"},
	"internal/source/streamtest": {"events", "internal/httpapi"},

	// Have tests only.
	"deploy":              {},
	"internal/simulation": {},
	"internal/mutant":     {},
	"deploy/python":       {},
}

// anything is for commands: whatever has no owner, and is not for tests.
const anything = "*"

// example is the one program beside an owner that uses a library as its users do.
const example = "client/example/runner"

// owner is the only package that may import a library, commands included.
var owner = map[string]string{
	viper:      "internal/config",
	ibapi:      "internal/ibsession",
	looplab:    "fsm",
	natsServer: "store",
}

func TestEveryPackageImportsWhatItMay(t *testing.T) {
	all := list(t, "./...")
	standard := map[string]bool{"C": true, "unsafe": true}
	for _, p := range all {
		standard[p.ImportPath] = standard[p.ImportPath] || p.Standard
	}
	ours := 0
	for _, p := range all {
		if !p.ours() {
			continue
		}
		ours++
		imports := slices.DeleteFunc(slices.Clone(p.Imports), func(i string) bool { return standard[i] })
		for _, problem := range forbidden(p.name(), imports) {
			t.Error(problem)
		}
	}
	if ours < 10 {
		t.Errorf("only %d packages of this module were seen", ours)
	}
}

// forbidden says which of a package's imports from outside the standard library
// it may not have.
func forbidden(name string, imports []string) (problems []string) {
	may, known := mayImport[name]
	if !known {
		return []string{fmt.Sprintf("%s is in no row of mayImport: add one that says what it may import", name)}
	}
	for _, path := range imports {
		target, ours := strings.CutPrefix(path, module)
		ok := slices.Contains(may, target)
		if !ours {
			ok = slices.ContainsFunc(may, func(m string) bool { return within(path, m) })
		}
		if slices.Contains(may, anything) {
			ok = !ours || !strings.HasSuffix(target, "test")
			for library, only := range owner {
				ok = ok && (!within(path, library) || name == only)
			}
		}
		if !ok {
			problems = append(problems, fmt.Sprintf("%s imports %s", name, path))
		}
	}
	return problems
}

// within reports whether a package belongs to a module.
func within(path, mod string) bool { return path == mod || strings.HasPrefix(path, mod+"/") }

func TestALibraryHasOneOwner(t *testing.T) {
	for library, only := range owner {
		for name, may := range mayImport {
			if name == example {
				continue
			}
			if slices.Contains(may, library) != (name == only) {
				t.Errorf("%s: its owner is %s, and the row of %s says otherwise", library, only, name)
			}
		}
	}
}

func TestAForbiddenImportIsFound(t *testing.T) {
	for _, c := range []struct {
		name, pkg string
		imports   []string
		want      []string
	}{
		{"what the row names", "fsm", []string{"ibrecorder/events", looplab}, nil},
		{"a package inside a module that the row names", "store", []string{natsServer + "/server"}, nil},
		{"the judge looks at the machine it judges", "internal/rule", []string{"ibrecorder/events", "ibrecorder/fsm"},
			[]string{"internal/rule imports ibrecorder/fsm"}},
		{"a library in the vocabulary", "events", []string{"github.com/json-iterator/go"}, []string{"events imports github.com/json-iterator/go"}},
		{"a module whose name only begins alike", "internal/config", []string{viper + "x"}, []string{"internal/config imports " + viper + "x"}},
		{"product code imports what is for tests", "internal/recorder", []string{"ibrecorder/store/storetest"},
			[]string{"internal/recorder imports ibrecorder/store/storetest"}},
		{"a command imports what is for tests", "cmd/replay", []string{"ibrecorder/internal/source/streamtest"},
			[]string{"cmd/replay imports ibrecorder/internal/source/streamtest"}},
		{"a command takes what it likes", "cmd/recorder", []string{"github.com/spf13/cobra", "ibrecorder/store"}, nil},
		{"a command passes by the owner of a library", "cmd/recorder", []string{viper}, []string{"cmd/recorder imports " + viper}},
		{"nobody wrote a row for it", "internal/helper", nil,
			[]string{"internal/helper is in no row of mayImport: add one that says what it may import"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, forbidden(c.pkg, c.imports)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
