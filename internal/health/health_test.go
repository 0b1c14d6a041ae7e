package health

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestWhatIsAlive(t *testing.T) {
	full := errors.New("no space left on device")
	tests := []struct {
		name string
		all  []Pulse
		want string // a part of what is wrong; "" is healthy
	}{
		{"a loop that went round a moment ago", []Pulse{{Gateway: "live", Age: time.Second}}, ""},
		{"a log that takes nothing, and is tried", []Pulse{{Gateway: "live", Age: 15 * time.Second, Blocked: full, Queued: 4000}}, ""},
		{"one loop of two that stands still", []Pulse{{Gateway: "live", Age: time.Second}, {Gateway: "paper", Age: 31 * time.Second}},
			"the loop of paper has not gone round for 31s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { holds(t, Alive(test.all), test.want) })
	}
}

func TestWhatIsReady(t *testing.T) {
	tests := []struct {
		name string
		all  []Pulse
		want string
	}{
		{"a loop that went round, with some facts on their way", []Pulse{{Gateway: "live", Age: time.Second, Queued: 400}}, ""},
		{"a log that takes nothing", []Pulse{{Gateway: "live"}, {Gateway: "paper", Blocked: errors.New("the disk is full")}},
			"the log of paper takes nothing: the disk is full"},
		{"a log that does not keep up", []Pulse{{Gateway: "live", Queued: 513}}, "513 facts wait for the log of live"},
		{"a loop that stands still", []Pulse{{Gateway: "live", Age: time.Minute}}, "the loop of live has not gone round for 1m0s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { holds(t, Ready(test.all), test.want) })
	}
}

func holds(t *testing.T, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestTheAnswer(t *testing.T) {
	for _, test := range []struct {
		err  error
		code int
		body string
	}{{nil, 200, "ready\n"}, {errors.Join(errors.New("one"), errors.New("two")), 503, "one\ntwo\n"}} {
		w := httptest.NewRecorder()
		Handler("ready", func() error { return test.err }).ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		body, err := io.ReadAll(w.Result().Body)
		if err != nil || w.Code != test.code || string(body) != test.body {
			t.Errorf("%v: %d %q, %v, want %d %q", test.err, w.Code, body, err, test.code, test.body)
		}
	}
}
