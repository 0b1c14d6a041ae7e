package dashboard

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/source/streamtest"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden pages and the screenshots of the documentation")

func get(t testing.TB, b http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func post(t testing.TB, b http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with: go test ./internal/dashboard -run %s -update", err, t.Name())
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s is another (-want +got); if it should be: go test ./internal/dashboard -run %s -update\n%s", path, t.Name(), diff)
	}
}

func TestGoldens(t *testing.T) {
	alone := func(f *fake, change func(*Config)) func(*testing.T) *Board {
		return func(t *testing.T) *Board {
			cfg := sceneConfig()
			if change != nil {
				change(&cfg)
			}
			return run(t, cfg, f)
		}
	}
	whole := func(t *testing.T) *Board {
		live, paper, sim := scene()
		return run(t, sceneConfig(), live, paper, sim)
	}
	for _, c := range []struct {
		file, says, path string
		board            func(*testing.T) *Board
		status           int
	}{
		{"scene", "a stop with its steps, a gateway that works, and one of which nothing is known", "/", whole, 200},
		{"kinds", "one gateway's restarts of a week, in New York", "/?gateway=live&kinds=restart&span=7d&tz=America%2FNew_York", whole, 200},
		{"begin", "an empty log of which nothing is known", "/", alone(newFake("main", streamtest.New("main").Start()), nil), 200},
		{"released", "a gateway that was released and is on trial, and nobody may operate", "/", alone(newFake("main", onTrial()), func(c *Config) { c.Authorize = nil }), 200},
		{"broken", "a log that takes nothing and cannot be read", "/", alone(blocked(), nil), 200},
		{"nobody", "no gateway at all", "/", func(t *testing.T) *Board { return run(t, sceneConfig()) }, 200},
		{"form", "the form by which an operator resumes", "/gateways/live/resume", whole, 200},
		{"form-open", "the form of a gateway that is not stopped", "/gateways/paper/resume", whole, 200},
		{"ack", "the form by which an operator acknowledges", "/gateways/live/ack", whole, 200},
		{"ack-none", "the same of a gateway without an alert", "/gateways/paper/ack", whole, 200},
		{"address", "an address that means nothing", "/?span=forever", whole, 400},
	} {
		t.Run(c.file, func(t *testing.T) {
			w := get(t, c.board(t), c.path)
			if w.Code != c.status {
				t.Errorf("%s: status %d, want %d", c.says, w.Code, c.status)
			}
			golden(t, c.file+".html", w.Body.Bytes())
		})
	}
}

// onTrial is a gateway right after its release.
func onTrial() *streamtest.Stream {
	s := seen(streamtest.New("main").Start(), java(7)).After(time.Minute).Silent("a1", 30*time.Second).Stop(1)
	until(s, 7*time.Hour+40*time.Minute)
	return s.Resume("kim")
}

// blocked is a gateway whose disk is full.
func blocked() *fake {
	f := newFake("main", onTrial())
	f.fail = errors.New("read the log of main: no such file")
	f.dress = func(s *httpapi.Status) {
		s.LogError, s.LogBytes = "append: no space left on device", s.LogLimit/100*96
		s.Why = "The log takes nothing; nobody dials until it does, and sessions go on."
		s.Refused = &httpapi.Refused{Seq: 7, Rule: "RS1"}
	}
	return f
}

// What browsers make of a text that is not escaped; the last ones are for attributes, scripts
// and the readers of a right-to-left line.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `</title></bdi></td></table><h1>owned`, `<!--`, `]]>`, `&lt;script&gt;`,
	"javascript:alert(1)", `" onfocus="alert(1)" autofocus="`, "`${alert(1)}`", "{{.Title}}", "\u202egnp.exe", "\u2028alert(1)", strings.Repeat("W", 1024),
}

// saying is a log with a text in every place that a reporter, an operator or a peer can fill.
func saying(text string) *streamtest.Stream {
	return streamtest.New("main").Start().After(time.Second).
		Add("/recorder", "", events.RecorderStarted{Version: text, Previous: events.PreviousStopped}).
		Add("/operator/cli", "", events.OperatorNoted{By: text, Text: text}).
		Add("/runner/robo-1", "", events.GatewayDown{Reason: events.DownReported, Text: text}).
		Add("/recorder", "", events.RestartRequired{Reason: events.DownReported, Enforced: true, Policy: strings.Repeat("0", 64)}).
		Add("/recorder", "", events.AlertFailed{Channel: text, Try: 1, Text: text}).
		Add("/recorder", "", events.AlertDelivered{Channel: text, Tries: 1}).
		Add("/watch", "", events.GatewayObserved{Listening: events.ListeningYes, Owner: events.OwnerOther, Process: text, PID: 7, Text: text}).
		Add("/operator/cli", "", events.RestartClaimed{By: text, Reason: text}).
		Add("/recorder", "", events.RestartAcknowledged{Basis: events.BasisWord, By: text, Reason: text}).
		Add("/recorder", "", events.RuleViolated{Rule: "RS1", Text: text}).
		Add("/recorder", "", events.RecorderGap{Reason: events.GapStore, Text: text})
}

// tags are the elements of a page and the names of their attributes.
func tags(page string) []string {
	var out []string
	for _, tag := range regexp.MustCompile(`<[^>]*>`).FindAllString(page, -1) {
		name := regexp.MustCompile(`^</?[a-zA-Z0-9!-]*`).FindString(tag)
		var names []string
		for _, a := range regexp.MustCompile(`\s([a-zA-Z-]+)(="[^"]*")?`).FindAllStringSubmatch(tag, -1) {
			names = append(names, a[1])
		}
		out = append(out, name+" "+strings.Join(names, " "))
	}
	return out
}

func TestNoTextIsMarkup(t *testing.T) {
	render := func(text string) []string {
		f := newFake("main", saying(text))
		f.dress = func(s *httpapi.Status) {
			s.Why, s.Blind, s.TapError, s.LogError, s.Next = text, text, text, text, text
			s.Alerts = []httpapi.Channel{{Name: text, Failing: text}}
			s.Refused = &httpapi.Refused{Seq: 7, Rule: text}
			s.Alert = &httpapi.Alert{Incident: text, Most: 8, By: text}
			s.Policy.Preset, s.Address, s.Tap = text, text, text
		}
		cfg := sceneConfig()
		cfg.Steps = func(string) []string { return []string{text} }
		cfg.Authorize = func(string) (string, error) { return "", errors.New(text) }
		b := run(t, cfg, f)
		out := tags(get(t, b, "/").Body.String())
		out = append(out, tags(post(t, b, "/gateways/main/resume", url.Values{"reason": {text}, "token": {text}}).Body.String())...)
		out = append(out, tags(get(t, b, "/?kinds="+url.QueryEscape(text)).Body.String())...)
		return append(out, tags(get(t, b, "/gateways/"+url.PathEscape(text)+"/resume").Body.String())...)
	}
	want := render("harmless")
	if len(want) < 300 {
		t.Fatalf("the pages have only %d tags", len(want))
	}
	for _, text := range hostile {
		if diff := cmp.Diff(want, render(text)); diff != "" {
			t.Errorf("%.40q changes the page:\n%s", text, diff)
		}
	}
}

func TestWhatIsServed(t *testing.T) {
	live, paper, sim := scene()
	b := run(t, sceneConfig(), live, paper, sim)
	stop := uint64(0)
	for _, rec := range live.stream.Records() {
		if rec.Kind() == "restart.required" {
			stop = rec.Seq
		}
	}
	for _, c := range []struct {
		says, path, kind, has string
		status                int
	}{
		{"the page", "/", "text/html; charset=utf-8", "RESTART REQUIRED", 200},
		{"the style sheet", "/static/dashboard.css", "text/css; charset=utf-8", "prefers-color-scheme", 200},
		{"the script", "/static/dashboard.js", "text/javascript; charset=utf-8", "EventSource", 200},
		{"an icon", "/static/bad.svg", "image/svg+xml", "<svg", 200},
		{"a template is no file", "/static/page.tmpl", "text/plain; charset=utf-8", "404", 404},
		{"nothing above the folder", "/static/..%2fboard.go", "text/plain; charset=utf-8", "404", 404},
		{"the report of a stop", fmt.Sprintf("/incidents/live/%d", stop), "text/html; charset=utf-8", fmt.Sprintf("replay report /var/lib/ibrecorder --gateway live --incident %d", stop), 200},
		{"a report of no stop", "/incidents/paper/3", "text/html; charset=utf-8", "the gate was never stopped", 404},
		{"a report of no event", "/incidents/live/x", "text/html; charset=utf-8", "not the number of an event", 404},
		{"a report of no gateway", "/incidents/none/3", "text/html; charset=utf-8", "guards no gateway", 404},
		{"a form of no gateway", "/gateways/none/resume", "text/html; charset=utf-8", "guards no gateway", 404},
		{"an unknown parameter", "/?sort=up", "text/html; charset=utf-8", "there are gateway, kinds, span and tz", 400},
		{"an unknown zone", "/?tz=..%2F..%2Fetc%2Fpasswd", "text/html; charset=utf-8", "want a name such as UTC", 400},
		{"an unknown gateway", "/?gateway=none", "text/html; charset=utf-8", "no such gateway", 400},
	} {
		w := get(t, b, c.path)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.kind || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s: %s is %d %s, want %d %s with %q\n%.2000s", c.says, c.path, w.Code, w.Header().Get("Content-Type"), c.status, c.kind, c.has, w.Body)
		}
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "script-src 'unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s has the policy %q", c.path, csp)
		}
		if strings.Contains(csp, "unsafe-inline") != strings.HasPrefix(c.path, fmt.Sprintf("/incidents/live/%d", stop)) {
			t.Errorf("%s: a page of ours has no style in it, and a report has: %q", c.path, csp)
		}
		if w.Header().Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s has the referrer policy %q, with which a browser does not say where a form comes from", c.path, w.Header().Get("Referrer-Policy"))
		}
	}
	page := get(t, b, "/").Body.String()
	for _, inline := range []string{"<style", " style=", " onclick=", "<script>"} {
		if strings.Contains(page, inline) {
			t.Errorf("the page has %s in it, which its policy forbids", inline)
		}
	}
}

// A log is read once, and a page costs no further event.
func TestAPageReadsNoLog(t *testing.T) {
	live, paper, sim := scene()
	b := run(t, sceneConfig(), live, paper, sim)
	before := live.reads
	for range 10 {
		get(t, b, "/")
	}
	if live.reads != before {
		t.Errorf("ten pages read %d events", live.reads-before)
	}
}

func TestTheFollowerReadsOn(t *testing.T) {
	f := newFake("main", streamtest.New("main").Start())
	f.fail = errors.New("the disk is gone")
	b := run(t, sceneConfig(), f)
	if page := get(t, b, "/").Body.String(); !strings.Contains(page, "the disk is gone") {
		t.Errorf("the page does not say that it cannot read:\n%s", page)
	}
	f.mu.Lock()
	f.fail = nil
	f.mu.Unlock()
	late := time.After(20 * time.Second)
	for {
		news, _ := b.wait()
		if w, broken := b.find("main").view(); w.last.Seq == 2 && broken == "" {
			break
		}
		select {
		case <-news:
		case <-late:
			t.Fatal("it does not read on")
		}
	}
}
