package daemon_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ibrecorder/internal/access"
	"ibrecorder/internal/daemon"
	"ibrecorder/internal/httpapi"
)

// port is the API of a recorder over TCP, and the tokens of who asks there.
type port struct {
	t       *testing.T
	url     string
	secrets map[string]string
}

// openPort starts a recorder with a port and a token for each name, which is its scope.
func openPort(t *testing.T, cfg daemon.Config, scopes map[string]access.Scope) (*running, port) {
	t.Helper()
	p := port{t, "", map[string]string{}}
	cfg.HTTP = &daemon.HTTP{Listen: "127.0.0.1:0"}
	for _, name := range slices.Sorted(maps.Keys(scopes)) {
		p.secrets[name] = access.NewSecret()
		cfg.HTTP.Tokens = append(cfg.HTTP.Tokens, access.Token{Name: name, Scope: scopes[name], Sum: access.SumOf(p.secrets[name])})
	}
	r := start(t, cfg)
	s, err := r.api.Status(t.Context(), "main")
	if err != nil || !strings.HasPrefix(s.HTTP, "http://127.0.0.1:") {
		t.Fatalf("the status says %q, %v", s.HTTP, err)
	}
	p.url = s.HTTP
	return r, p
}

// ask sends a request and returns its status and answer.
func (p port) ask(method, path, who, body string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.secrets[who])
	if who == "" {
		req.Header.Del("Authorization")
	}
	resp, err := client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// reported is a report of a runner, as it is sent.
func reported(runner, id, kind, attempt, data string) string {
	if attempt != "" {
		attempt = fmt.Sprintf(`"attempt":%q,`, attempt)
	}
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/runner/%s","type":"ibrecorder.%s.v1","subject":"main",%s"data":%s}`, id, runner, kind, attempt, data)
}

// TestARunnerOverHTTP: a permit, its end, a stop and its release, as a program in any
// language does it.
func TestARunnerOverHTTP(t *testing.T) {
	dir := folder(t)
	r, p := openPort(t, config(t, dir), map[string]access.Scope{"robo-1": access.Ingest, "robo-2": access.Ingest, "ann": access.Operate})
	const main = "/v1/gateways/main"
	for _, c := range []struct {
		what, method, path, who, body string
		status                        int
		says                          string
	}{
		{"may somebody dial", "GET", main + "/permit", "", "", 204, ""},
		{"a permit without a token", "POST", main + "/permit", "", `{"attempt":"a-1"}`, 401, "recorder token new"},
		{"a permit", "POST", main + "/permit", "robo-1", `{"attempt":"a-1","client_id":7}`, 200, `"attempt":"a-1","permit":"`},
		{"the same again", "POST", main + "/permit", "robo-1", `{"attempt":"a-1","client_id":7}`, 200, `"attempt":"a-1","permit":"`},
		{"one for somebody else meanwhile", "POST", main + "/permit", "robo-2", `{"attempt":"b-1"}`, 423, `"reason":"in_flight"`},
		{"one for the attempt of another", "POST", main + "/permit", "robo-2", `{"attempt":"a-1"}`, 409, "name each one anew"},
		{"nobody may dial beside it", "GET", main + "/permit", "", "", 423, `"reason":"in_flight"`},
		{"another gives it back", "DELETE", main + "/permit/a-1", "robo-2", "", 404, "another runner's"},
		{"it is given back", "DELETE", main + "/permit/a-1", "robo-1", "", 200, "attempt.abandoned"},
		{"and once more", "DELETE", main + "/permit/a-1", "robo-1", "", 404, "no such permit"},
		{"the next one", "POST", main + "/permit", "robo-2", `{"attempt":"b-2","timeout_ms":30000}`, 200, `"attempt":"b-2"`},
		{"its end under another's name", "POST", "/v1/events", "robo-1", reported("robo-2", "e-1", "attempt.failed", "b-2", `{"reason":"reported_timeout","stage":"connected","limit_ms":30000}`), 400, "speaks for itself"},
		{"its end", "POST", "/v1/events", "robo-2", reported("robo-2", "e-1", "attempt.failed", "b-2", `{"reason":"reported_timeout","stage":"connected","limit_ms":30000}`), 201, ""},
		{"it was silent, so nobody dials", "GET", main + "/permit", "", "", 423, `"reason":"stopped","evidence":"silent"`},
		{"nor by a permit", "POST", main + "/permit", "robo-1", `{"attempt":"a-3"}`, 423, "recorder resume main"},
		{"a forged release", "POST", "/v1/events", "robo-1", reported("robo-1", "f-1", "restart.acknowledged", "", `{"basis":"word","by":"x","reason":"y"}`), 400, "comes from the recorder alone"},
		{"a release by a runner", "POST", main + "/resume", "robo-1", `{"by":"robo","reason":"x","override":true}`, 403, "needs operate"},
		{"a release by nobody", "POST", main + "/resume", "", `{"by":"x","reason":"x","override":true}`, 401, ""},
		{"a release by an operator", "POST", main + "/resume", "ann", `{"by":"ann","reason":"an approval dialog","override":true}`, 200, "restart.acknowledged"},
	} {
		if status, body := p.ask(c.method, c.path, c.who, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Fatalf("%s: %d %s\nwant %d with %q", c.what, status, body, c.status, c.says)
		}
	}
	until(t, r.api, func(s httpapi.Status) bool { return s.Gate == "PROBATION" })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(kinds(t, dir), " ")
	if n := strings.Count(all, "attempt.permitted"); n != 2 || strings.Contains(all, "rule.violated") {
		t.Errorf("%d permits, want 2, and no breach: %s", n, all)
	}
}

// TestBadInputAtEveryDoor: while everything that must not work is tried, again and again,
// a runner reports and is answered, and what was acknowledged is in the log, once, and
// nothing else.
func TestBadInputAtEveryDoor(t *testing.T) {
	dir := folder(t)
	r, p := openPort(t, config(t, dir), map[string]access.Scope{"robo-1": access.Ingest, "robo-2": access.Ingest, "grafana": access.Read})
	address := strings.TrimPrefix(p.url, "http://")
	note := func(id string) string {
		return reported("robo-1", id, "operator.noted", "", `{"by":"robo","text":"hello"}`)
	}
	bearer := func(who string) string { return "Authorization: Bearer " + p.secrets[who] + "\r\n" }
	post := func(path, head, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n%s", path, address, head, len(body), body)
	}
	const plain = "Content-Type: application/json\r\n"
	doors := map[string]string{
		"no token":            post("/v1/events", plain, note("x")),
		"a wrong token":       post("/v1/events", plain+"Authorization: Bearer "+access.NewSecret()+"\r\n", note("x")),
		"a token to read":     post("/v1/events", plain+bearer("grafana"), note("x")),
		"another's name":      post("/v1/events", plain+bearer("robo-2"), note("x")),
		"a forged permit":     post("/v1/events", plain+bearer("robo-2"), reported("robo-2", "x", "attempt.permitted", "a", `{"policy":"x","enforced":true}`)),
		"a forged release":    post("/v1/events", plain+bearer("robo-2"), reported("robo-2", "x", "restart.acknowledged", "", `{"basis":"word","by":"x","reason":"y"}`)),
		"a wrong type":        post("/v1/events", plain+bearer("robo-2"), reported("robo-2", "x", "operator.noted", "", `{"by":1,"text":[]}`)),
		"no JSON":             post("/v1/events", plain+bearer("robo-2"), "\x00\xff{"),
		"too long":            post("/v1/events", plain+bearer("robo-2"), strings.Repeat("[", 70<<10)),
		"a foreign page":      post("/v1/events", plain+"Origin: https://evil.example\r\n"+bearer("robo-2"), note("x")),
		"a foreign host":      strings.Replace(post("/v1/events", plain+bearer("robo-2"), note("x")), "Host: "+address, "Host: evil.example", 1),
		"no Content-Type":     post("/v1/events", bearer("robo-2"), note("x")),
		"half a body":         post("/v1/events", plain+bearer("robo-2")+"X: ", "")[:60],
		"half a request":      "POST /v1/ev",
		"no HTTP":             "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"a stream, not read":  "GET /v1/events?from=1 HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
		"a replayed report":   post("/v1/events", plain+bearer("robo-1"), note("n-0")),
		"somebody else's id":  post("/v1/events", plain+bearer("robo-2"), strings.Replace(note("n-0"), "/runner/robo-1", "/runner/robo-2", 1)),
		"a head that is long": "GET / HTTP/1.1\r\nHost: " + address + "\r\nX: " + strings.Repeat("x", 40<<10),
	}
	if status, body := p.ask("POST", "/v1/events", "robo-1", note("n-0")); status != 201 {
		t.Fatal(status, body)
	}
	answers := map[string]map[string]int{}
	var mu sync.Mutex // guards answers
	var storm sync.WaitGroup
	ctx, calm := context.WithCancel(t.Context())
	for name, request := range doors {
		storm.Go(func() {
			for range 60 {
				if ctx.Err() != nil {
					return
				}
				got := tryDoor(address, request)
				mu.Lock()
				if answers[name] == nil {
					answers[name] = map[string]int{}
				}
				answers[name][got]++
				mu.Unlock()
			}
		})
	}
	var took []time.Duration
	for i := range 40 {
		began := time.Now()
		if status, body := p.ask("POST", "/v1/events", "robo-1", note(fmt.Sprint("n-", i+1))); status != 201 {
			if status == 429 { // its own quota: the replayed ones count
				break
			}
			t.Errorf("report %d: %d %s", i+1, status, body)
		}
		took = append(took, time.Since(began))
		if _, err := r.api.Status(t.Context(), "main"); err != nil {
			t.Errorf("the socket: %v", err)
		}
	}
	calm()
	storm.Wait()
	slices.Sort(took)
	t.Logf("%d reports in the storm: p50 %s, most %s", len(took), took[len(took)/2], took[len(took)-1])
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		t.Logf("%-20s %v", name, answers[name])
		for got := range answers[name] {
			ok := strings.HasPrefix(got, "4") || got == "cut off" || got == "left" ||
				name == "a replayed report" && got == "201" || name == "a stream, not read" && got == "200"
			if !ok {
				t.Errorf("%s is answered %s", name, got)
			}
		}
	}
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	notes := 0
	for _, kind := range kinds(t, dir) {
		switch kind {
		case "operator.noted":
			notes++
		case "recorder.started", "policy.loaded", "gateway.observed", "recorder.stopped":
		default:
			t.Errorf("the log has a %s", kind)
		}
	}
	if notes != len(took)+1 {
		t.Errorf("%d reports are in the log, and %d were acknowledged", notes, len(took)+1)
	}
}

// tryDoor sends a request and returns the status it is answered with. It leaves if there is
// none soon.
func tryDoor(address, request string) string {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return "no connection"
	}
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		return "cut off"
	}
	if err := c.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		return err.Error()
	}
	b := make([]byte, 12)
	n, err := io.ReadFull(c, b)
	switch {
	case n == 12 && bytes.HasPrefix(b, []byte("HTTP/1.")):
		return string(b[9:])
	case errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "cut off"
	}
	return "left"
}

func TestWhatKeepsThePortFromOpening(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	known := access.Tokens{{Name: "ann", Scope: access.Operate, Sum: access.SumOf("x")}}
	for _, c := range []struct {
		name string
		daemon.HTTP
		says string
	}{
		{"it is taken", daemon.HTTP{Listen: taken.Addr().String()}, "or: --http off, or another port: --http 127.0.0.1:PORT"},
		{"it is a name", daemon.HTTP{Listen: "localhost:7463"}, "want IP:PORT"},
		{"others reach it, without tokens and TLS", daemon.HTTP{Listen: "0.0.0.0:0"}, "http.tls_cert_file, http.tls_key_file and http.tokens"},
		{"others reach it, without TLS", daemon.HTTP{Listen: "0.0.0.0:0", Tokens: known}, "is open to others"},
		{"others reach it, without tokens", daemon.HTTP{Listen: "0.0.0.0:0", CertFile: "/nowhere/c", KeyFile: "/nowhere/k"}, "is open to others"},
		{"there is no certificate", daemon.HTTP{Listen: "127.0.0.1:0", CertFile: "/nowhere/c", KeyFile: "/nowhere/k"}, "/nowhere/c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t)
			cfg := config(t, dir)
			cfg.HTTP = &c.HTTP
			d, err := daemon.Open(t.Context(), cfg)
			if !errors.Is(err, daemon.ErrHTTP) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %v, want %v that says %q", d, err, daemon.ErrHTTP, c.says)
			}
			if all := kinds(t, dir); len(all) > 0 && all[len(all)-1] != "recorder.stopped" {
				t.Errorf("a start that failed looks like a crash: %v", all)
			}
		})
	}
}

// TestAPortOnEveryAddress: 0.0.0.0 is those of IPv4 alone, and no address to open a page at.
func TestAPortOnEveryAddress(t *testing.T) {
	cfg := config(t, folder(t))
	cfg.HTTP = &daemon.HTTP{Listen: "0.0.0.0:0", Tokens: access.Tokens{{Name: "ann", Scope: access.Operate, Sum: access.SumOf("x")}}}
	cfg.HTTP.CertFile, cfg.HTTP.KeyFile = certificate(t)
	r := start(t, cfg)
	at, err := url.Parse(r.d.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	if host, err := os.Hostname(); err != nil || at.Scheme != "https" || at.Hostname() != host {
		t.Errorf("it says %s, want https://%s and a port, %v", at, host, err)
	}
	conn, err := net.Dial("tcp4", "127.0.0.1:"+at.Port())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if conn, err := net.Dial("tcp6", "[::1]:"+at.Port()); err == nil {
		conn.Close()
		t.Error("it listens on IPv6 too")
	}
}

// certificate writes one, and its key, and returns their files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // it has one
	defer s.Close()
	pair := s.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(&block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
