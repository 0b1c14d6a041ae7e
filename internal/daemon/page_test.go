package daemon_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/internal/access"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
	"ibrecorder/internal/wire"
)

// The page is of the running recorder: it shows a stop, has its report, takes an operator's
// word, and does not keep a recorder from ending while somebody looks.
func TestThePage(t *testing.T) {
	dir := folder(t)
	cfg := config(t, dir)
	silent, err := net.Listen("tcp", cfg.Gateways[0].Address) // completes connects, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	secret := access.NewSecret()
	cfg.HTTP = &daemon.HTTP{Listen: "127.0.0.1:0"}
	r := start(t, cfg)
	// The first token that may operate comes with a reload, and what is to be done too.
	if err := r.d.Reload(t.Context(), daemon.Live{
		Policy: cfg.Policy, Tokens: access.Tokens{{Name: "ann", Scope: access.Operate, Sum: access.SumOf(secret)}},
		Advice: map[string]daemon.Advice{"main": {Recovery: []string{"Ring the landlord", "recorder resume main --reason TEXT"}}},
	}); err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", r.tap)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := nc.Write(wire.AppendHello(nil, wire.Hello{Min: 100, Max: 225})); err != nil {
		t.Fatal(err)
	}
	s := until(t, r.api, func(s httpapi.Status) bool { return s.Stop != nil && s.Alert != nil })

	var page string
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		_, page = fetch(t, "GET", s.HTTP+"/", nil)
		if strings.Contains(page, "/incidents/main/") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the page knows no incident:\n%s", page)
		}
	}
	for _, want := range []string{"RESTART REQUIRED", "Ring the landlord", "<code>recorder resume main --reason TEXT</code>", "not acknowledged", "attempt.failed", `href="/gateways/main/resume"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q:\n%s", want, page)
		}
	}
	report := regexp.MustCompile(`/incidents/main/\d+`).FindString(page)
	if status, text := fetch(t, "GET", s.HTTP+report, nil); status != 200 || !strings.Contains(text, "replay verify "+dir) {
		t.Errorf("%s is answered %d:\n%.400s", report, status, text)
	}

	for _, c := range []struct {
		path   string
		form   url.Values
		status int
		has    string
	}{
		{"/gateways/main/ack", url.Values{"token": {access.NewSecret()}}, 403, "not one that this recorder knows"},
		{"/gateways/main/ack", url.Values{"token": {secret}, "reason": {"on my way"}}, 200, "says that ann has seen it"},
		{"/gateways/main/resume", url.Values{"token": {secret}, "reason": {"a dialog"}, "override": {"yes"}}, 200, "ann released it without a restart"},
		{"/gateways/main/resume", url.Values{"token": {secret}, "reason": {"once more"}}, 409, "there is nothing to release"},
	} {
		if status, text := fetch(t, "POST", s.HTTP+c.path, c.form); status != c.status || !strings.Contains(text, c.has) {
			t.Errorf("%s is answered %d, want %d with %q:\n%s", c.path, status, c.status, c.has, text)
		}
	}
	until(t, r.api, func(s httpapi.Status) bool { return s.Stop == nil })
	said := map[events.Kind]string{}
	for rec, err := range r.api.Read(t.Context(), "main", 1, 0) {
		if err != nil {
			t.Fatal(err)
		}
		said[rec.Kind()] = rec.Source
	}
	for _, data := range []events.Payload{events.AlertAcknowledged{}, events.RestartClaimed{}} { // whose token it was
		if from := said[data.Kind()]; from != "/operator/ann" {
			t.Errorf("%s is from %q", data.Kind(), from)
		}
	}

	watched, err := http.Get(s.HTTP + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer watched.Body.Close()
	if err := r.stop(); err != nil {
		t.Errorf("it ends with %v while somebody looks", err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func fetch(t *testing.T, method, address string, form url.Values) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", "http://"+req.Host)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
