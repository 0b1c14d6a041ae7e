package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ibrecorder/internal/channel"
)

// misbehaviour is what a receiver, or a network in front of it, does.
type misbehaviour struct {
	name   string
	do     func(w http.ResponseWriter, r *http.Request)
	status int  // that the error has
	final  bool // whether it says so
	wait   time.Duration
	// fine says that a receiver which is not strict has taken it all the same.
	fine bool
}

// heard reads a request to its end: only then is a server told that its client has left.
func heard(do http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		do(w, r)
	})
}

// serve is a server on this host whose complaints nobody reads.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func answers(status int, header, value, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set(header, value)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// echo sends back all that a request has, as some servers do in a page about an error.
func echo(status int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(status)
		fmt.Fprintf(w, "you sent http://%s%s with %s %s: %s", r.Host, r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Webhook-Signature"), body)
	}
}

// hang answers nothing more until the client leaves.
func hang(w http.ResponseWriter, r *http.Request) {
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

// drop breaks the connection.
func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

var misbehaviours = []misbehaviour{
	{name: "500", do: answers(500, "", "", "oops"), status: 500},
	{name: "500 that repeats what it was sent", do: echo(500), status: 500},
	{name: "400 that repeats what it was sent", do: echo(400), status: 400, final: true},
	{name: "502 with a page", do: answers(502, "Content-Type", "text/html", "<html><h1>Bad Gateway</h1>"), status: 502},
	{name: "503 with seconds to wait", do: answers(503, "Retry-After", "120", ""), status: 503, wait: 2 * time.Minute},
	{name: "429", do: answers(429, "Content-Type", "application/json", `{"error":"slow down"}`), status: 429},
	{name: "429 with seconds to wait", do: answers(429, "Retry-After", "7", ""), status: 429, wait: 7 * time.Second},
	{name: "429 with a year to wait", do: answers(429, "Retry-After", "31536000", ""), status: 429, wait: time.Hour},
	{name: "429 with a wait that is none", do: answers(429, "Retry-After", "-5", ""), status: 429},
	{name: "408", do: answers(408, "", "", ""), status: 408},
	{name: "401", do: answers(401, "", "", ""), status: 401, final: true},
	{name: "404", do: answers(404, "Content-Type", "text/plain", "no_service"), status: 404, final: true},
	{name: "410", do: answers(410, "", "", ""), status: 410, final: true},
	{name: "a status that nobody knows", do: answers(799, "", "", ""), status: 799},
	{name: "200 with a page", do: answers(200, "Content-Type", "text/html", "<html>log in to this network</html>"), status: 200, fine: true},
	{name: "200 with a page that is huge", do: func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
				return
			}
		}
	}, status: 200, fine: true},
	{name: "200 with nothing", do: answers(200, "", "", ""), status: 200, fine: true},
	{name: "200 with another JSON", do: answers(200, "Content-Type", "application/json", `[1,2,{"x":null}]`), status: 200, fine: true},
	{name: "200 with JSON that says no", do: answers(200, "Content-Type", "application/json", `{"ok":false,"status":"invalid event","description":"chat not found"}`), status: 200, fine: true},
	{name: "200 with half a JSON", do: answers(200, "Content-Type", "application/json", `{"ok":true`), status: 200, fine: true},
	{name: "200 that breaks off", do: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"ok":true,"id":"x","event":"message","status":"success"}`)
		w.(http.Flusher).Flush()
		drop(w, r)
	}, status: 200, fine: true},
	{name: "200 whose body does not come", do: hang, status: 200, fine: true},
	{name: "a status, and then nothing", do: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500); hang(w, r) }, status: 500},
	{name: "no answer", do: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	{name: "the connection breaks", do: drop},
	{name: "a redirect to another host", do: answers(307, "Location", "http://127.0.0.2:1/steal", ""), status: 307},
	{name: "a redirect within the host", do: answers(302, "Location", "/elsewhere", ""), status: 302},
	{name: "headers without an end", do: func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: ")
		for {
			if _, err := io.WriteString(conn, strings.Repeat("x", 4096)); err != nil {
				return
			}
		}
	}},
	{name: "something that is not HTTP", do: func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		io.WriteString(conn, "SSH-2.0-OpenSSH_9.9\r\n")
	}},
}

// TestEveryHookAgainstReceiversThatMisbehave: each channel, each misbehaviour: an error
// that says what is known, without a secret, in time.
func TestEveryHookAgainstReceiversThatMisbehave(t *testing.T) {
	n := stop(t)
	for _, k := range kinds {
		for _, m := range misbehaviours {
			t.Run(k.name+"/"+m.name, func(t *testing.T) {
				t.Parallel()
				server := serve(t, heard(m.do))
				began := time.Now()
				err := k.make(t, server.URL).Set(300*time.Millisecond).Tell(t.Context(), n)
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("it took %s", took)
				}
				page := m.name == "200 with a page" && k.name == "alertmanager" // which answers with none
				if m.fine && !k.strict && !page {
					if err != nil {
						t.Errorf("it was taken, and counts as failed: %v", err)
					}
					return
				}
				e, ok := errors.AsType[*channel.TellError](err)
				if !ok {
					t.Fatalf("%#v, want a *TellError", err)
				}
				if e.Status != m.status || e.Final != m.final || e.RetryAfter != m.wait || e.ExitCode != -1 || e.To != "127.0.0.1" {
					t.Errorf("status %d final %t wait %s exit %d to %s, want status %d final %t wait %s: %v", e.Status, e.Final, e.RetryAfter, e.ExitCode, e.To, m.status, m.final, m.wait, err)
				}
				harmless(t, err.Error(), k.secrets)
			})
		}
	}
}

// harmless holds an error to having no secret, nothing of an address beyond the host, and
// one short line.
func harmless(t *testing.T, s string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(s, secret) {
			t.Errorf("a secret is in %q", s)
		}
	}
	if strings.Contains(s, "://") || strings.ContainsAny(s, "\n\r") || len(s) > 1000 {
		t.Errorf("an address, lines or too much: %q", s)
	}
}

func TestNobodyListens(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			err := k.make(t, "http://"+ln.Addr().String()).Tell(t.Context(), stop(t))
			e, ok := errors.AsType[*channel.TellError](err)
			if !ok || e.Final || e.Status != 0 || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("%v", err)
			}
			harmless(t, err.Error(), k.secrets)
		})
	}
}

func TestAHostThatIsNone(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			err := k.make(t, "https://nowhere.invalid").Set(2*time.Second).Tell(t.Context(), stop(t))
			if e, ok := errors.AsType[*channel.TellError](err); !ok || e.Final || e.To != "nowhere.invalid" {
				t.Errorf("%v", err)
			}
			harmless(t, err.Error(), k.secrets)
		})
	}
}

func TestACertificateOfNobodyKnownIsRefused(t *testing.T) {
	var reached atomic.Bool
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	for _, k := range kinds {
		err := k.make(t, server.URL).Tell(t.Context(), stop(t))
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("%s: %v", k.name, err)
		}
	}
	if reached.Load() {
		t.Error("a request was sent")
	}
}

// A stop waits for nobody: what is under way when the run ends has half a second.
func TestTheEndOfTheRunEndsARequest(t *testing.T) {
	arrived := make(chan struct{})
	server := serve(t, heard(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	run, end := context.WithCancel(t.Context())
	go func() { <-arrived; end() }()
	began := time.Now()
	if err := kinds[0].make(t, server.URL).Tell(run, stop(t)); err == nil {
		t.Error("a request without an answer has told somebody")
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestARequestThatIsNearlyDoneIsNotCutShortByTheEndOfTheRun(t *testing.T) {
	run, end := context.WithCancel(t.Context())
	server := serve(t, heard(func(w http.ResponseWriter, _ *http.Request) {
		end()
		w.WriteHeader(204)
	}))
	if err := kinds[0].make(t, server.URL).Tell(run, stop(t)); err != nil {
		t.Errorf("%v, want that it was told", err)
	}
}

// What the Bot API says of a wait stands in its answer.
func TestTelegramSaysHowLongToWaitInItsAnswer(t *testing.T) {
	server := serve(t, heard(answers(429, "Content-Type", "application/json", `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`)))
	err := kinds[2].make(t, server.URL).Tell(t.Context(), stop(t))
	e, ok := errors.AsType[*channel.TellError](err)
	if !ok || e.RetryAfter != 35*time.Second || e.Final || err.Error() != "127.0.0.1: it answered 429 Too Many Requests: Too Many Requests: retry after 35" {
		t.Errorf("%v, wait %s", err, e.RetryAfter)
	}
}

func TestRetryAfterAsADate(t *testing.T) {
	server := serve(t, heard(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
		w.WriteHeader(503)
	}))
	err := kinds[1].make(t, server.URL).Tell(t.Context(), stop(t))
	if e, ok := errors.AsType[*channel.TellError](err); !ok || e.RetryAfter < 9*time.Minute || e.RetryAfter > 10*time.Minute {
		t.Errorf("%v: %+v", err, e)
	}
}

// What receivers say, by the forms in which they say it.
func TestTheReasonOfAReceiver(t *testing.T) {
	for _, c := range []struct{ name, kind, contentType, body, want string }{
		{"Slack's word", "slack", "text/plain", "invalid_payload", "invalid_payload"},
		{"Telegram's sentence", "telegram", "application/json", `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, "Bad Request: chat not found"},
		{"ntfy's error", "ntfy", "application/json", `{"code":40301,"http":403,"error":"forbidden","link":"https://ntfy.sh/docs"}`, "forbidden"},
		{"PagerDuty's list", "pagerduty", "application/json", `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect"]}`, "Event object is invalid; Length of 'routing_key' is incorrect"},
		{"Alertmanager's string", "alertmanager", "application/json", `"start time must be before end time"`, "start time must be before end time"},
		{"a page for a browser", "slack", "text/html", "<html>secret</html>", ""},
		{"a terminal's commands", "webhook", "text/plain", "\x1b[2J\x1b]0;owned\x07 no", "[2J ]0;owned no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := serve(t, heard(answers(400, "Content-Type", c.contentType, c.body)))
			for _, k := range kinds {
				if k.name != c.kind {
					continue
				}
				err := k.make(t, server.URL).Tell(t.Context(), stop(t))
				if e, ok := errors.AsType[*channel.TellError](err); !ok || e.Text != c.want {
					t.Errorf("%q, want %q", e.Text, c.want)
				}
				return
			}
			t.Fatalf("no kind %s", c.kind)
		})
	}
}
