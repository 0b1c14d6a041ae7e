//go:build !race

// What is looked at here are files and whole programs: nothing of it is for the race
// detector.

package deploy

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ibrecorder/internal/metrics"

	"github.com/goccy/go-yaml"
)

// served are the names of everything that a recorder serves at /metrics: the page that
// internal/metrics has as its golden file, and what the libraries add.
func served(t *testing.T) map[string]bool {
	t.Helper()
	page, err := os.ReadFile("../internal/metrics/testdata/page.txt")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	metrics.New("test").ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	names := map[string]bool{}
	for line := range strings.Lines(string(page) + w.Body.String()) {
		if name := regexp.MustCompile(`^[a-z_]+`).FindString(line); name != "" {
			names[name] = true
		}
	}
	return names
}

// named are the metrics in an expression.
func named(expr string) []string {
	return regexp.MustCompile(`\b(?:ibrecorder|process|go)_[a-z_]+`).FindAllString(expr, -1)
}

// promtool returns the tool, or skips the test: .ci/run installs it.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not here; Debian has it in the package prometheus")
	}
	return path
}

func runs(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
}

// rules are the alerts of Prometheus.
type rules struct {
	Groups []struct {
		Rules []struct {
			Alert  string            `yaml:"alert"`
			Expr   string            `yaml:"expr"`
			Labels map[string]string `yaml:"labels"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func TestTheRulesAskForWhatIsServed(t *testing.T) {
	var all rules
	text, err := os.ReadFile("prometheus/ibrecorder.rules.yml")
	if err == nil {
		err = yaml.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("prometheus/ibrecorder.rules.test.yml")
	if err != nil {
		t.Fatal(err)
	}
	there, n := served(t), 0
	for _, g := range all.Groups {
		for _, r := range g.Rules {
			n++
			for _, name := range named(r.Expr) {
				if !there[name] {
					t.Errorf("%s asks for %s, which nobody serves", r.Alert, name)
				}
			}
			if s := r.Labels["severity"]; s != "page" && s != "warn" {
				t.Errorf("%s has the severity %q", r.Alert, s)
			}
			for _, kind := range []string{"fires", "does not"} {
				if !strings.Contains(string(tests), "name: "+r.Alert+" "+kind+"\n") {
					t.Errorf("no test in which %s %s", r.Alert, kind)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("%d rules", n)
	}
}

func TestTheRulesFireAsTheirTestsSay(t *testing.T) {
	runs(t, "prometheus", promtool(t), "check", "rules", "ibrecorder.rules.yml")
	runs(t, "prometheus", promtool(t), "test", "rules", "ibrecorder.rules.test.yml")
}

// board is a dashboard, as far as it is looked at.
type board struct {
	UID           string `json:"uid"`
	SchemaVersion int    `json:"schemaVersion"`
	Annotations   struct {
		List []struct {
			Expr string `json:"expr"`
		} `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []struct {
			Name string `json:"name"`
			Type string `json:"type"`
		} `json:"list"`
	} `json:"templating"`
	Panels []struct {
		ID      int    `json:"id"`
		Type    string `json:"type"`
		Title   string `json:"title"`
		GridPos struct {
			X, Y, W, H int
		} `json:"gridPos"`
		Datasource struct {
			UID string `json:"uid"`
		} `json:"datasource"`
		Targets []struct {
			Expr         string `json:"expr"`
			LegendFormat string `json:"legendFormat"`
		} `json:"targets"`
	} `json:"panels"`
}

func TestTheDashboardAsksForWhatIsServed(t *testing.T) {
	text, err := os.ReadFile("grafana/ibrecorder.json")
	if err != nil {
		t.Fatal(err)
	}
	var b board
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	there := served(t)
	var exprs []string
	ask := func(where, expr string) {
		names := named(expr)
		if len(names) == 0 {
			t.Errorf("%s asks for nothing of ours: %s", where, expr)
		}
		for _, name := range names {
			if !there[name] {
				t.Errorf("%s asks for %s, which nobody serves", where, name)
			}
		}
		exprs = append(exprs, expr)
	}
	var ids []int
	taken := map[[2]int]string{}
	for _, p := range b.Panels {
		if slices.Contains(ids, p.ID) || p.Title == "" || len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %d %q: its number, its title, what it asks, or whom", p.ID, p.Title)
		}
		ids = append(ids, p.ID)
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies on %q or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			ask(p.Title, target.Expr)
		}
	}
	for _, a := range b.Annotations.List {
		ask("an annotation", a.Expr)
	}
	if len(b.Panels) < 15 || b.UID == "" || b.SchemaVersion < 36 || len(b.Templating.List) != 2 || b.Templating.List[0].Type != "datasource" {
		t.Errorf("%d panels, %+v", len(b.Panels), b.Templating)
	}
	t.Run("and Prometheus understands it", func(t *testing.T) {
		tool := promtool(t)
		var file strings.Builder
		file.WriteString("groups:\n- name: dashboard\n  rules:\n")
		for i, expr := range exprs {
			expr = strings.NewReplacer("$__rate_interval", "5m", "$gateway", ".*").Replace(expr)
			fmt.Fprintf(&file, "  - record: expr:%d\n    expr: %q\n", i, expr)
		}
		path := filepath.Join(t.TempDir(), "dashboard.yml")
		if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		runs(t, "", tool, "check", "rules", path)
	})
}

func TestTheUnits(t *testing.T) {
	for _, path := range []string{"systemd/ibrecorder.service", "systemd/user/ibrecorder.service"} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"\nType=notify\n", "\nNotifyAccess=main\n", "\nExecReload=/bin/kill -HUP $MAINPID\n", "\nWatchdogSec=60\n", "\nRestartPreventExitStatus=2\n", "\nUMask=0077\n"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has no %s", path, strings.TrimSpace(want))
			}
		}
	}
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not here")
	}
	// It wants the programs of a unit to be there.
	text, err := os.ReadFile("systemd/ibrecorder.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "ibrecorder.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/recorder", "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(tool, "verify", unit).CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, said)
	}
	// 0 is a service that can do nothing, 10 one that can do everything.
	runs(t, "", tool, "security", "--offline=true", "--threshold=20", unit)
}

func TestThePropertyListIsXML(t *testing.T) {
	f, err := os.Open("launchd/ibrecorder.plist")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := xml.NewDecoder(f)
	var words []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
			words = append(words, string(c))
		}
	}
	if got := strings.Join(words[:5], " "); got != "Label ibrecorder ProgramArguments /usr/local/bin/recorder run" {
		t.Errorf("it begins with %s", got)
	}
}

// The image is the static program and little else.
func TestTheImage(t *testing.T) {
	text, err := os.ReadFile("docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(mod))[1]
	for _, want := range []string{"\nFROM golang:" + version + " AS build\n", "\nFROM scratch\n", "\nUSER 65532:65532\n", "CGO_ENABLED=0 go build", `CMD ["/recorder", "healthcheck"]`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q", strings.TrimSpace(want))
		}
	}
	var compose struct {
		Services map[string]map[string]any `yaml:"services"`
	}
	if text, err = os.ReadFile("docker/compose.yaml"); err == nil {
		err = yaml.Unmarshal(text, &compose)
	}
	if err != nil || len(compose.Services) != 3 || compose.Services["recorder"]["network_mode"] != "service:ib-gateway" {
		t.Errorf("%v: %v", err, compose.Services)
	}
}
