//go:build !race

package report

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/internal/source/streamtest"
)

// seen is what check.html found out about one page at one width.
type seen struct {
	Page      string
	Width     int
	Scroll    int      // how wide the page is laid out
	Wide      []string // what stands out of it
	Dark      bool
	Fetched   []string
	Scripts   int
	Focusable int // boxes that scroll and that no key reaches
	Texts     int
	Faint     []string // texts and shapes with too little contrast: 4.5 and 3 to 1, as WCAG AA has it
}

// browser is a real one, without a window.
type browser struct {
	path string
	dir  string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return &browser{path, t.TempDir()}
		}
	}
	t.Skip("no browser to look at the page with; install it: apt-get install chromium")
	return nil
}

// run starts it with the flags and returns what it writes and what it logs.
func (b *browser) run(t *testing.T, flags ...string) (out, logged string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	common := []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
		"--disable-dev-shm-usage", "--user-data-dir=" + b.dir, "--enable-logging=stderr", "--log-level=0",
	}
	cmd := exec.CommandContext(ctx, b.path, append(common, flags...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", b.path, err, tail(stderr.String()))
	}
	return stdout.String(), stderr.String()
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

// look shows the pages in a browser and returns what check.html says of each, what
// stands in the console, and what was asked of the server beside the pages.
func (b *browser) look(t *testing.T, dark bool, pages map[string][]byte) (found []seen, console, asked []string) {
	t.Helper()
	check, err := os.ReadFile(filepath.Join("testdata", "check.html"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // guards asked
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		page, known := pages[name]
		switch {
		case name == "check":
			page = check
		case !known:
			mu.Lock()
			asked = append(asked, r.URL.Path)
			mu.Unlock()
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	}))
	defer server.Close()
	query := url.Values{}
	for name := range pages {
		query.Add("page", name)
	}
	slices.Sort(query["page"])
	scheme := "1"
	if dark {
		scheme = "0"
	}
	out, logged := b.run(t, "--blink-settings=preferredColorScheme="+scheme, "--virtual-time-budget=60000", "--dump-dom", server.URL+"/check?"+query.Encode())
	result := regexp.MustCompile(`(?s)<pre id="result">(.*?)</pre>`).FindStringSubmatch(out)
	if result == nil {
		t.Fatalf("the browser has no result:\n%s\n%s", tail(out), tail(logged))
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(result[1])), &found); err != nil {
		t.Fatalf("%v: %s\n%s", err, result[1], tail(logged))
	}
	for line := range strings.Lines(logged) {
		if strings.Contains(line, "CONSOLE") && !strings.Contains(line, "source: chrome://") { // of the browser's own pages
			console = append(console, strings.TrimSpace(line))
		}
	}
	mu.Lock()
	defer mu.Unlock()
	return found, console, asked
}

func TestInABrowser(t *testing.T) {
	b := newBrowser(t)
	style := Style{Zone: newYork(t)}
	pages := map[string][]byte{}
	add := func(name string, lines []byte) { pages[name], _, _ = rendered(t, composed(lines, Range{}), style) }
	add("stopped", incident(t, "SYN-03-stopped-and-released"))
	add("hanging", incident(t, "SYN-04-an-acceptor-that-hangs"))
	add("account", incident(t, "INC-06-five-retries"))
	add("violated", streamtest.Forgotten("live").NDJSON())
	add("damaged", incident(t, "bad/08-wrong-type"))
	add("long", streamtest.Busy("live", 2_000).NDJSON())
	add("hostile", saying(strings.Repeat("W", 1024)))
	add("empty", nil)
	for _, theme := range []struct {
		name string
		dark bool
	}{{"light", false}, {"dark", true}} {
		t.Run(theme.name, func(t *testing.T) {
			found, console, asked := b.look(t, theme.dark, pages)
			if len(found) != 2*len(pages) {
				t.Fatalf("%d of %d pages were looked at: %+v", len(found), 2*len(pages), found)
			}
			for _, s := range found {
				if s.Dark != theme.dark || s.Texts < 50 {
					t.Errorf("%s at %d: dark %t, %d texts", s.Page, s.Width, s.Dark, s.Texts)
				}
				if s.Scroll > s.Width || len(s.Wide) > 0 {
					t.Errorf("%s at %d: it is %d wide, for %q", s.Page, s.Width, s.Scroll, s.Wide)
				}
				if len(s.Faint) > 0 {
					t.Errorf("%s at %d: too little contrast:\n%s", s.Page, s.Width, strings.Join(s.Faint, "\n"))
				}
				if len(s.Fetched) > 0 || s.Scripts > 0 || s.Focusable > 0 {
					t.Errorf("%s at %d: %q was fetched, %d scripts, %d boxes are out of reach of the keyboard", s.Page, s.Width, s.Fetched, s.Scripts, s.Focusable)
				}
			}
			if len(console) > 0 || len(asked) > 0 {
				t.Errorf("the console has %q, the server was asked for %q", console, asked)
			}
		})
	}
}

// A page with every fault that TestInABrowser looks for.
func TestTheBrowserFindsFaults(t *testing.T) {
	b := newBrowser(t)
	found, console, asked := b.look(t, false, map[string][]byte{"bad": []byte(`<!doctype html><body style="margin:0">
<p style="color:#999;background:#fff">faint</p><div style="width:700px">wide</div><img src="/picture.png">
<div class="box" style="overflow-x:auto;width:100px"><div style="width:300px">box</div></div>
<svg width="40" height="20"><rect class="b-ok" fill="#eeeeee" width="9" height="9"/></svg><script>console.error("said")</script>`)})
	if len(found) != 2 {
		t.Fatalf("%+v", found)
	}
	s := found[0]
	if s.Scroll <= s.Width || len(s.Wide) == 0 || len(s.Faint) != 2 || len(s.Fetched) != 1 || s.Scripts != 1 || s.Focusable != 1 {
		t.Errorf("not every fault is found: %+v", s)
	}
	if !slices.ContainsFunc(console, func(line string) bool { return strings.Contains(line, "said") }) || !slices.Contains(asked, "/picture.png") {
		t.Errorf("the console has %q, the server was asked for %q", console, asked)
	}
}

// An incident is read on two or three sheets of paper.
func TestAnIncidentPrintsOnThreePages(t *testing.T) {
	b := newBrowser(t)
	for name, lines := range map[string][]byte{"syn-03": incident(t, "SYN-03-stopped-and-released"), "night": streamtest.Night("live").NDJSON()} {
		page, _, _ := rendered(t, composed(lines, Range{}), Style{})
		dir := t.TempDir()
		in, out := filepath.Join(dir, name+".html"), filepath.Join(dir, name+".pdf")
		if err := os.WriteFile(in, page, 0o600); err != nil {
			t.Fatal(err)
		}
		b.run(t, "--no-pdf-header-footer", "--print-to-pdf="+out, "file://"+in)
		pdf, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(regexp.MustCompile(`/Type /Page\b`).FindAll(pdf, -1)); n < 1 || n > 3 {
			t.Errorf("%s prints on %d pages, want at most 3", name, n)
		}
	}
}
