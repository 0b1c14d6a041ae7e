package daemon_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/wire"
)

// scrape gets a path over the socket of a data folder.
func scrape(t *testing.T, dir, path string) (code int, body string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(dir, httpapi.SocketName))
	}}}
	answer, err := c.Get("http://recorder" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// has says whether a page has each of these lines.
func has(t *testing.T, page string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("no line %s in:\n%s", line, page)
		}
	}
}

func TestAStoppedGateIsHealthy(t *testing.T) {
	dir := folder(t)
	cfg := config(t, dir)
	silent, err := net.Listen("tcp", cfg.Gateways[0].Address) // completes connects, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r := start(t, cfg)
	nc, err := net.Dial("tcp", r.tap)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	hello := wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})
	if _, err := nc.Write(hello); err != nil {
		t.Fatal(err)
	}
	until(t, r.api, func(s httpapi.Status) bool { return s.Gate == "STOPPED" })
	for path, word := range map[string]string{"/healthz": "alive\n", "/readyz": "ready\n"} {
		if code, body := scrape(t, dir, path); code != http.StatusOK || body != word {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	_, page := scrape(t, dir, "/metrics")
	has(t, page,
		`ibrecorder_gate_state{gateway="main",state="STOPPED"} 1`,
		`ibrecorder_gate_state{gateway="main",state="OPEN"} 0`,
		`ibrecorder_gateway_state{gateway="main",state="DOWN"} 1`,
		`ibrecorder_connects_held{gateway="main"} 1`,
		`ibrecorder_stops_total{gateway="main"} 1`,
		`ibrecorder_dials_total{gateway="main"} 1`,
		`ibrecorder_connect_attempts_total{gateway="main",outcome="failed"} 1`,
		`ibrecorder_attempt_failures_total{gateway="main",reason="accepted_no_bytes",seen_by="tap"} 1`,
		`ibrecorder_events_total{gateway="main",kind="restart.required",seen_by="recorder"} 1`,
		`ibrecorder_connect_phase_seconds_count{gateway="main",phase="tcp"} 1`,
		`ibrecorder_log_writable{gateway="main"} 1`,
	)
	if !strings.Contains(page, `ibrecorder_tap_bytes_total{direction="to_gateway",gateway="main"} `) || strings.Contains(page, `ibrecorder_log_bytes{gateway="main"} 0`) {
		t.Errorf("the page:\n%s", page)
	}
}

func TestTheSentence(t *testing.T) {
	dir := folder(t)
	cfg := config(t, dir)
	silent, err := net.Listen("tcp", cfg.Gateways[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	d, err := daemon.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	if got := d.Sentence(time.Now()); got != "main OPEN" {
		t.Errorf("a new recorder says %q", got)
	}
	(&stage{t: t, orders: orders{Tap: d.Gateways()[0].Tap}}).attempt()
	since := until(t, httpapi.Dial(dir), func(s httpapi.Status) bool { return s.Gate == "STOPPED" }).Since
	for after, want := range map[time.Duration]string{
		-time.Hour: "<1m", 59 * time.Second: "<1m", 42*time.Minute + 7*time.Second: "42m", 47 * time.Hour: "47h", 50 * time.Hour: "2d",
	} {
		if got := d.Sentence(since.Add(after)); got != "main STOPPED "+want {
			t.Errorf("%s after the stop it says %q, want %s", after, got, want)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// A recorder whose log is full is asked by whoever watches it: it is alive, and not
// ready, and says so at once.
func TestAFullLogIsAliveAndNotReady(t *testing.T) {
	dir := folder(t)
	cfg := config(t, dir)
	cfg.LogBytes = 32 << 10
	ctx, cancel := context.WithCancel(t.Context())
	r := start(t, cfg)
	// What waits for a full log at the end of a run is an error of its own.
	t.Cleanup(func() { _ = r.stop() })
	full := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			_, err = r.api.Note(ctx, "main", "ann", strings.Repeat("a remark that takes room ", 30))
		}
		full <- err
	}()
	until(t, r.api, func(s httpapi.Status) bool { return s.LogError != "" })
	began := time.Now()
	if code, body := scrape(t, dir, "/healthz"); code != http.StatusOK || body != "alive\n" {
		t.Errorf("/healthz: %d %q", code, body)
	}
	if code, body := scrape(t, dir, "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "the log of main takes nothing") {
		t.Errorf("/readyz: %d %q", code, body)
	}
	_, page := scrape(t, dir, "/metrics")
	has(t, page, `ibrecorder_log_writable{gateway="main"} 0`, `ibrecorder_connects_held{gateway="main"} 1`)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s to answer", took)
	}
	other := cfg.Policy
	other.SilentLimit++
	told := daemon.DefaultAlerts()
	if err := r.d.Reload(ctx, daemon.Live{Policy: other, Alerts: &told}); !errors.Is(err, daemon.ErrKept) {
		t.Errorf("reload: %v", err)
	}
	cancel()
	if err := <-full; !errors.Is(err, context.Canceled) {
		t.Errorf("the remark that found no room: %v", err)
	}
}
