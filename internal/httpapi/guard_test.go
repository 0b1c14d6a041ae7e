package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ibrecorder/internal/access"
)

// secrets are the tokens of a port in a test.
var secrets = map[string]string{"robo-1": access.NewSecret(), "robo-2": access.NewSecret(), "grafana": access.NewSecret(), "ann": access.NewSecret()}

var tokens = access.Tokens{
	{Name: "robo-1", Scope: access.Ingest, Sum: access.SumOf(secrets["robo-1"])},
	{Name: "robo-2", Scope: access.Ingest, Sum: access.SumOf(secrets["robo-2"])},
	{Name: "grafana", Scope: access.Read, Sum: access.SumOf(secrets["grafana"])},
	{Name: "ann", Scope: access.Operate, Sum: access.SumOf(secrets["ann"])},
}

// servePort serves p on a port of loopback until the test ends, and returns its address.
func servePort(t testing.TB, p Port) string {
	t.Helper()
	p.Tokens = func() access.Tokens { return tokens }
	return whileTesting(t, func(ctx context.Context, l net.Listener) error {
		return ServePort(ctx, l, p, slog.New(slog.DiscardHandler))
	})
}

// serveHandler serves h on a port that lets everybody read.
func serveHandler(t testing.TB, h *handler) string {
	t.Helper()
	h.guard = newGuard(func() access.Tokens { return tokens }, true)
	return whileTesting(t, func(ctx context.Context, l net.Listener) error {
		life, end := context.WithCancel(context.WithoutCancel(ctx))
		defer end()
		return h.serve(ctx, life, end, l)
	})
}

func whileTesting(t testing.TB, serve func(context.Context, net.Listener) error) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the port: %v", err)
		}
	})
	return l.Addr().String()
}

// call is one request to a port; token is a name in secrets.
type call struct {
	method, path, token, body string
	header                    map[string]string // Host too
}

// do sends it and returns the answer with its body.
func (c call) do(t testing.TB, address string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+address+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+secrets[c.token])
	}
	for name, value := range c.header {
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	tr := &http.Transport{DisableKeepAlives: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func TestThePortAsksWhoComes(t *testing.T) {
	const live = "/v1/gateways/live"
	basic := func(name string) map[string]string {
		return map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("x:"+secrets[name]))}
	}
	jsonBody := map[string]string{"Content-Type": "application/json"}
	with := func(header, value string) map[string]string {
		return map[string]string{"Content-Type": "application/json", header: value}
	}
	const note = `{"by":"ann","text":"called IB"}`
	for _, c := range []struct {
		name   string
		closed bool // the port lets nobody read without a token
		call
		status int
		says   string
	}{
		{"on loopback anybody may read", false, call{method: "GET", path: live}, 200, ""},
		{"by the name of this host too", false, call{method: "GET", path: live, header: map[string]string{"Host": "LOCALHOST.:80"}}, 200, ""},
		{"and by its address of version 6", false, call{method: "GET", path: live, header: map[string]string{"Host": "[::1]"}}, 200, ""},
		{"elsewhere nobody may", true, call{method: "GET", path: live}, 401, "needs a token of scope read"},
		{"but who has a token", true, call{method: "GET", path: live, token: "grafana"}, 200, ""},
		{"of whatever scope", true, call{method: "GET", path: live, token: "robo-1"}, 200, ""},
		{"a browser may send it as a password", true, call{method: "GET", path: live, header: basic("grafana")}, 200, ""},
		{"what anybody may have", true, call{method: "GET", path: "/free"}, 200, ""},
		{"what needs a token to read", true, call{method: "GET", path: "/metrics"}, 401, ""},
		{"what is mounted, by its name for nobody", true, call{method: "GET", path: "/metrics", token: "grafana"}, 200, ""},

		{"a report by nobody", false, call{method: "POST", path: live + "/events", body: report, header: jsonBody}, 401, "recorder token new NAME --scope ingest"},
		{"a report with a token to read", false, call{method: "POST", path: live + "/events", token: "grafana", body: report, header: jsonBody}, 403, "token grafana has the scope read"},
		{"a report by an operator", false, call{method: "POST", path: live + "/events", token: "ann", body: report, header: jsonBody}, 403, "needs ingest"},
		{"a report by a runner", false, call{method: "POST", path: live + "/events", token: "robo-1", body: report, header: jsonBody}, 201, ""},
		{"a note by nobody", false, call{method: "POST", path: live + "/notes", body: note, header: jsonBody}, 401, "scope operate"},
		{"a note by a runner", false, call{method: "POST", path: live + "/notes", token: "robo-1", body: note, header: jsonBody}, 403, "needs operate"},
		{"a note by an operator", false, call{method: "POST", path: live + "/notes", token: "ann", body: note, header: jsonBody}, 201, ""},
		{"an acknowledgement by a runner", false, call{method: "POST", path: live + "/ack", token: "robo-1", body: `{"by":"x"}`, header: jsonBody}, 403, "needs operate"},
		{"a resume by nobody", false, call{method: "POST", path: live + "/resume", body: `{"by":"x","reason":"y"}`, header: jsonBody}, 401, ""},
		{"a disconnect by a runner", false, call{method: "POST", path: live + "/disconnect", token: "robo-1", body: `{"by":"x","reason":"y"}`, header: jsonBody}, 403, ""},

		{"a token that is none", false, call{method: "GET", path: live, header: map[string]string{"Authorization": "Bearer " + access.NewSecret()}}, 401, "not one that this recorder knows"},
		{"a token without its last letter", false, call{method: "GET", path: live, header: map[string]string{"Authorization": "Bearer " + secrets["ann"][:46]}}, 401, ""},
		{"an empty token", false, call{method: "GET", path: live, header: map[string]string{"Authorization": "Bearer "}}, 401, ""},
		{"a token sent in another way", false, call{method: "GET", path: live, header: map[string]string{"Authorization": "Token " + secrets["ann"]}}, 401, ""},
		{"a token as a password, to change something", false, call{method: "POST", path: live + "/notes", body: note, header: with("Authorization", basic("ann")["Authorization"])}, 401, ""},

		{"a form, with the password that the browser adds", true, call{method: "POST", path: "/form", header: with("Authorization", basic("grafana")["Authorization"])}, 200, ""},
		{"a form, with a password that is none", true, call{method: "POST", path: "/form", header: with("Authorization", "Basic eDp5")}, 401, ""},

		{"a name that was made to mean this host", false, call{method: "GET", path: live, header: map[string]string{"Host": "evil.example"}}, 403, "not this computer"},
		{"one that only begins like it", false, call{method: "GET", path: live, header: map[string]string{"Host": "localhost.evil.example:7463"}}, 403, ""},
		{"an address of another host", false, call{method: "GET", path: live, header: map[string]string{"Host": "10.0.0.1:7463"}}, 403, ""},
		{"another page that reads", false, call{method: "GET", path: live, header: map[string]string{"Origin": "https://evil.example"}}, 403, "another page"},
		{"a page without an address", false, call{method: "GET", path: live, header: map[string]string{"Origin": "null"}}, 403, ""},
		{"another page that posts, with a token", false, call{method: "POST", path: live + "/notes", token: "ann", body: note, header: with("Origin", "http://localhost")}, 403, ""},
		{"another site that posts and hides its address", false, call{method: "POST", path: live + "/notes", token: "ann", body: note, header: with("Sec-Fetch-Site", "cross-site")}, 403, ""},
		{"a link from another site", false, call{method: "GET", path: live, header: map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}}, 200, ""},
		{"a body of which nothing is said", false, call{method: "POST", path: live + "/notes", token: "ann", body: note}, 415, "no Content-Type"},
		{"another method, and no body", false, call{method: "POST", path: live, token: "ann"}, 405, "GET"},
		{"the recorder's own page", false, call{method: "POST", path: live + "/notes", token: "ann", body: note, header: with("Origin", "http://SELF")}, 201, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("live")
			served := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
			address := servePort(t, Port{Gateways: []Gateway{f}, Open: !c.closed, Mounts: []Mount{
				{"GET /free", access.Nothing, served}, {"POST /form", access.Nothing, served}, {"GET /metrics", access.Read, served},
			}})
			for name, value := range c.header {
				c.header[name] = strings.Replace(value, "SELF", address, 1)
			}
			resp, body := c.do(t, address)
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("%s %s: %d %s\nwant %d with %q", c.method, c.path, resp.StatusCode, body, c.status, c.says)
			}
			if stored := len(f.log); (stored == 1) != (c.method == "POST" && c.status == 201) {
				t.Errorf("%d events were stored", stored)
			}
			for _, rec := range f.log { // whatever it says who it is by
				if !strings.HasSuffix(rec.Source, "/"+c.token) {
					t.Errorf("%s is from %s, and the token is that of %s", rec.Kind(), rec.Source, c.token)
				}
			}
			for _, secret := range secrets {
				if strings.Contains(body, secret) {
					t.Errorf("the answer repeats a token: %s", body)
				}
			}
			for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store"} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("another page may read the answer")
			}
			if asks := len(resp.Header.Values("WWW-Authenticate")); (asks > 0) != (c.status == 401) {
				t.Errorf("%d challenges with %d", asks, c.status)
			}
		})
	}
}

// answerTo is what h answers a caller who posts body.
func answerTo(h *handler, path string, head http.Header, body []byte, c access.Caller) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	maps.Copy(r.Header, head)
	w := httptest.NewRecorder()
	h.mux.ServeHTTP(w, r.WithContext(access.With(r.Context(), c)))
	return w
}
