package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ibrecorder/events"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is found as the golden files")

const report = `{"specversion":"1.0","type":"ibrecorder.gateway.down.v1","source":"/runner/robo-1","id":"r-1","subject":"live","data":{"reason":"reported","count":1,"limit":1}}`

// TestRoutes is the contract: one request a line, and what it is answered with, in
// testdata/NAME.txt.
func TestRoutes(t *testing.T) {
	const live = "/v1/gateways/live"
	down := func(from, to string) string { return strings.Replace(report, from, to, 1) }
	stopped := func(f *fake) {
		f.answer.RestartRequired = &RestartRequired{Since: time.Date(2026, 11, 22, 6, 0, 42, 0, time.UTC), Seq: 48131, Reason: events.DownSilent,
			Next: "restart the Gateway, log in, then: recorder resume live --reason TEXT"}
	}
	tests := []struct {
		name   string // also of the golden file
		method string
		path   string
		body   string
		setup  func(*fake)
		status int
	}{
		{name: "the names of all gateways", method: "GET", path: "/v1/gateways", status: 200},
		{name: "the status of one", method: "GET", path: live, status: 200},
		{name: "a status that cannot be had", method: "GET", path: live, setup: func(f *fake) { f.fail = errors.New("the fold of live broke") }, status: 500},
		{name: "a status while the recorder stops", method: "GET", path: live, setup: func(f *fake) { f.fail = fmt.Errorf("status of live: %w", ErrStopping) }, status: 503},
		{name: "an unknown gateway", method: "GET", path: "/v1/gateways/lvie", status: 404},
		{name: "an unknown route", method: "GET", path: "/v2/gateways", status: 404},
		{name: "a method that a route has not", method: "DELETE", path: live + "/events", status: 405},

		{name: "all events", method: "GET", path: live + "/events", setup: func(f *fake) { f.fill(3) }, status: 200},
		{name: "some events", method: "GET", path: live + "/events?from=2&to=2", setup: func(f *fake) { f.fill(3) }, status: 200},
		{name: "events of an empty log", method: "GET", path: live + "/events", status: 200},
		{name: "events from no number", method: "GET", path: live + "/events?from=one", status: 400},
		{name: "events to before from", method: "GET", path: live + "/events?from=3&to=2", status: 400},
		{name: "events with an unknown parameter", method: "GET", path: live + "/events?form=1", status: 400},
		{name: "events with a parameter twice", method: "GET", path: live + "/events?from=1&from=2", status: 400},
		{name: "events followed to an end", method: "GET", path: live + "/events?follow=1&to=9", status: 400},
		{name: "events that cannot be read", method: "GET", path: live + "/events", setup: func(f *fake) { f.fill(1); f.bad = 1 }, status: 500},

		{name: "a report", method: "POST", path: live + "/events", body: report, status: 201},
		{name: "a report of another gateway", method: "POST", path: live + "/events", body: down("live", "paper"), status: 400},
		{name: "a report that is no JSON", method: "POST", path: live + "/events", body: "down!", status: 400},
		{name: "a report of a decision", method: "POST", path: live + "/events", body: down("gateway.down", "restart.required"), status: 400},
		{name: "a report with the recorder's source", method: "POST", path: live + "/events", body: down("/runner/robo-1", "/tap"), status: 400},
		{name: "a report below the recorder's source", method: "POST", path: live + "/events", body: down("/runner/robo-1", "/recorder/x"), status: 400},
		{name: "a report with an operator's source", method: "POST", path: live + "/events", body: down("/runner/robo-1", "/operator/cli"), status: 400},
		{name: "a report that is too long", method: "POST", path: live + "/events", body: strings.Repeat(" ", maxBody+1), status: 413},
		{name: "a report while the log is full", method: "POST", path: live + "/events", body: report, setup: func(f *fake) {
			f.fail = &Problem{Type: problemType + "full", Title: "the log is full", Status: http.StatusInsufficientStorage, Detail: "the log is at its limit", Hint: "raise log_max_bytes"}
		}, status: 507},

		{name: "a claim that is accepted", method: "POST", path: live + "/resume", body: `{"by":"ann","reason":"restarted it"}`,
			setup: func(f *fake) {
				f.claim = events.RestartAcknowledged{Basis: events.BasisWord, By: "ann", Reason: "restarted it"}
			}, status: 200},
		{name: "a claim although nothing was restarted", method: "POST", path: live + "/resume", body: `{"by":"ann","reason":"x"}`,
			setup: func(f *fake) { f.claim = events.RestartRejected{Why: events.RejectedUnchanged, By: "ann"} }, status: 409},
		{name: "a claim although nothing listens", method: "POST", path: live + "/resume", body: `{"by":"ann","reason":"x"}`,
			setup: func(f *fake) { f.claim = events.RestartRejected{Why: events.RejectedNotListening, By: "ann"} }, status: 409},
		{name: "a claim although nothing is stopped", method: "POST", path: live + "/resume", body: `{"by":"ann","reason":"x"}`,
			setup: func(f *fake) { f.claim = events.RestartRejected{Why: events.RejectedNotStopped, By: "ann"} }, status: 409},
		{name: "a claim by nobody", method: "POST", path: live + "/resume", body: `{"reason":"x"}`, status: 400},
		{name: "a claim without a reason", method: "POST", path: live + "/resume", body: `{"by":"ann"}`, status: 400},
		{name: "a claim with an unknown field", method: "POST", path: live + "/resume", body: `{"by":"ann","overide":true}`, status: 400},
		{name: "a claim with a field in other letters", method: "POST", path: live + "/resume", body: `{"By":"ann"}`, status: 400},
		{name: "a claim with a field twice", method: "POST", path: live + "/resume", body: `{"by":"ann","override":false,"override":true}`, status: 400},
		{name: "a claim with a null", method: "POST", path: live + "/resume", body: `{"by":"ann","override":null}`, status: 400},
		{name: "a claim of a wrong type", method: "POST", path: live + "/resume", body: `{"by":"ann","override":"yes"}`, status: 400},
		{name: "a claim with something behind it", method: "POST", path: live + "/resume", body: `{"by":"ann"}}`, status: 400},
		{name: "a claim without a body", method: "POST", path: live + "/resume", status: 400},
		{name: "a claim answered with something else", method: "POST", path: live + "/resume", body: `{"by":"ann","reason":"x"}`,
			setup: func(f *fake) { f.claim = events.OperatorNoted{By: "ann", Text: "?"} }, status: 500},

		{name: "an acknowledgement", method: "POST", path: live + "/ack", body: `{"by":"ann","note":"on my way"}`, status: 200},
		{name: "an acknowledgement by nobody", method: "POST", path: live + "/ack", body: `{"note":"on my way"}`, status: 400},
		{name: "an acknowledgement of nothing", method: "POST", path: live + "/ack", body: `{"by":"ann"}`, setup: func(f *fake) { f.fail = NoAlert("live") }, status: 409},
		{name: "a disconnect", method: "POST", path: live + "/disconnect", body: `{"by":"ann","reason":"maintenance","client_id":7}`,
			setup: func(f *fake) { f.guard = events.DisconnectCompleted{Sessions: 1} }, status: 200},
		{name: "a disconnect in mid-handshake", method: "POST", path: live + "/disconnect", body: `{"by":"ann","reason":"x","force_env":"0"}`,
			setup: func(f *fake) { f.guard = events.DisconnectBlocked{Stage: events.StageVersioned} }, status: 409},
		{name: "a disconnect by nobody", method: "POST", path: live + "/disconnect", body: `{}`, status: 400},

		{name: "somebody may dial", method: "GET", path: live + "/permit", setup: func(f *fake) { f.answer.Granted = &Granted{LeaseMS: 60000} }, status: 204},
		{name: "nobody may dial while one does", method: "GET", path: live + "/permit",
			setup: func(f *fake) { f.answer.Held = &Held{Reason: events.HoldInFlight} }, status: 423},
		{name: "nobody may dial while a restart is required", method: "GET", path: live + "/permit", setup: stopped, status: 423},
		{name: "nobody knows whether somebody may dial", method: "GET", path: live + "/permit", setup: func(f *fake) { f.fail = ErrStopping }, status: 503},
		{name: "a permit", method: "POST", path: live + "/permit", body: `{"attempt":"a-1","client_id":7,"timeout_ms":30000}`,
			setup: func(f *fake) { f.answer.Granted = &Granted{Permit: "b1-9", LeaseMS: 59999, Epoch: 3} }, status: 200},
		{name: "a permit that has to wait", method: "POST", path: live + "/permit", body: `{"attempt":"a-1"}`,
			setup: func(f *fake) { f.answer.Held = &Held{Reason: events.HoldBackoff, RetryAfterMS: 2500} }, status: 423},
		{name: "a permit while a restart is required", method: "POST", path: live + "/permit", body: `{"attempt":"a-1"}`, setup: stopped, status: 423},
		{name: "a permit for an attempt of somebody else", method: "POST", path: live + "/permit", body: `{"attempt":"a-1"}`, setup: func(f *fake) {
			f.fail = &Problem{Type: problemType + "id-taken", Title: "the id is taken", Status: http.StatusConflict, Detail: "attempt a-1 has been made; name each one anew"}
		}, status: 409},
		{name: "a permit for no attempt", method: "POST", path: live + "/permit", body: `{"client_id":7}`, status: 400},
		{name: "a permit as the recorder", method: "POST", path: live + "/permit", body: `{"attempt":"a-1","source":"/session"}`, status: 400},
		{name: "a permit given back", method: "DELETE", path: live + "/permit/a-1", status: 200},
		{name: "a permit given back that is none", method: "DELETE", path: live + "/permit/a-1",
			setup: func(f *fake) { f.fail = fmt.Errorf("attempt a-1: %w", ErrNoPermit) }, status: 404},

		{name: "a note", method: "POST", path: live + "/notes", body: `{"by":"ann","text":"called IB"}`, status: 201},
		{name: "a note without a text", method: "POST", path: live + "/notes", body: `{"by":"ann"}`, status: 400},
		{name: "a note that is too long", method: "POST", path: live + "/notes", body: `{"by":"ann","text":"` + strings.Repeat("x", maxBody) + `"}`, status: 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFake("live")
			if test.setup != nil {
				test.setup(f)
			}
			s := serve(t, f, newFake("paper"))
			before := len(f.log)
			got := roundTrip(t, s, test.method, test.path, test.body)
			if !strings.HasPrefix(got, fmt.Sprint(test.status)) {
				t.Errorf("%s %s: want %d, got %s", test.method, test.path, test.status, got)
			}
			if stores := test.method != "GET" && (test.status < 300 || test.status == 409); !stores && len(f.log) != before && test.status != 500 {
				t.Errorf("%d events were stored although the answer is %d", len(f.log)-before, test.status)
			}
			golden(t, test.name, got)
		})
	}
}

// roundTrip sends one request and prints the answer.
func roundTrip(t *testing.T, s *running, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://recorder"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("%d %s\n", resp.StatusCode, resp.Header.Get("Content-Type"))
	if after := resp.Header.Get("Retry-After"); after != "" {
		head += "Retry-After: " + after + "\n"
	}
	if allow := resp.Header.Values("Allow"); allow != nil {
		head += "Allow: " + strings.Join(allow, ", ") + "\n"
	}
	return head + "\n" + string(b)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", strings.NewReplacer(" ", "-", "'", "").Replace(name)+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; renew with: go test ./internal/httpapi -run TestRoutes -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); renew with: go test ./internal/httpapi -run TestRoutes -update\n%s", path, diff)
	}
}

func TestWhatIsAskedReachesTheGateway(t *testing.T) {
	f := newFake("live")
	f.claim, f.guard = events.RestartAcknowledged{Basis: events.BasisOverride, By: "ann"}, events.DisconnectCompleted{}
	c := serve(t, f).client
	claim := Claim{By: "ann", Reason: "an approval dialog", Override: true}
	rec, err := c.Resume(t.Context(), "live", claim)
	if err != nil || rec.Kind() != "restart.acknowledged" || f.asked != claim {
		t.Errorf("resume: %v, %v; the gateway saw %+v", rec.Kind(), err, f.asked)
	}
	id := int64(7)
	ask := Disconnect{By: "ann", Reason: "upgrade", ClientID: &id, Force: true, ForceEnv: "yes"}
	rec, err = c.Disconnect(t.Context(), "live", ask)
	if diff := cmp.Diff(any(ask), f.asked); err != nil || rec.Kind() != "disconnect.completed" || diff != "" {
		t.Errorf("disconnect: %v, %v; (-asked +seen)\n%s", rec.Kind(), err, diff)
	}
	rec, err = c.Note(t.Context(), "live", "ann", "called IB")
	if n, ok := rec.Data.(events.OperatorNoted); err != nil || !ok || n.Text != "called IB" || rec.Source != "/operator/cli" {
		t.Errorf("note: %+v, %v", rec.Event, err)
	}
	names, err := c.Gateways(t.Context())
	if diff := cmp.Diff([]string{"live"}, names); err != nil || diff != "" {
		t.Errorf("gateways: %v\n%s", err, diff)
	}
	want, _ := f.Status(t.Context())
	got, err := c.Status(t.Context(), "live")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("status: %v (-gateway +client)\n%s", err, diff)
	}
}

func TestARefusalCarriesItsDecision(t *testing.T) {
	f := newFake("live")
	f.claim, f.guard = events.RestartRejected{Why: events.RejectedUnchanged, By: "ann"}, events.DisconnectBlocked{Stage: events.StageStarted}
	c := serve(t, f).client
	_, claimed := c.Resume(t.Context(), "live", Claim{By: "ann", Reason: "x"})
	_, asked := c.Disconnect(t.Context(), "live", Disconnect{By: "ann", Reason: "x"})
	for i, err := range []error{claimed, asked} {
		p, ok := errors.AsType[*Problem](err)
		if !ok || !errors.Is(err, ErrRefused) || errors.Is(err, ErrStopping) {
			t.Fatalf("got %v, want a *Problem that is ErrRefused", err)
		}
		rec, ok := p.Record()
		if !ok || !bytes.Equal(rec.Raw, f.log[i].Raw) {
			t.Errorf("the problem carries %s, the log has %s", p.Event, f.log[i].Raw)
		}
	}
	_, err := c.Status(t.Context(), "lvie")
	if !errors.Is(err, ErrUnknownGateway) || !strings.Contains(err.Error(), "there are live") {
		t.Errorf("an unknown gateway: %v", err)
	}
	f.fail = ErrStopping
	if _, err := c.Submit(t.Context(), "live", []byte(report)); !errors.Is(err, ErrStopping) {
		t.Errorf("a report while the recorder stops: %v", err)
	}
}

func TestStoredBytesArriveUnchanged(t *testing.T) {
	f := newFake("live")
	f.fill(100) // with <, & and quotes in them, which JSON may write in two ways
	c := serve(t, f).client
	sent, err := c.Submit(t.Context(), "live", []byte(report))
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Submit(t.Context(), "live", []byte(report))
	if err != nil || !bytes.Equal(sent.Raw, again.Raw) || len(f.log) != 101 {
		t.Errorf("the same report again: %v, %d events, %s", err, len(f.log), again.Raw)
	}
	noted, err := c.Note(t.Context(), "live", "ann", `a < b && "c"`)
	if err != nil || !bytes.Equal(noted.Raw, f.log[101].Raw) {
		t.Errorf("answered %s, %v\nstored   %s", noted.Raw, err, f.log[101].Raw)
	}
	n := 0
	for rec, err := range c.Read(t.Context(), "live", 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(rec.Raw, f.log[n].Raw) {
			t.Fatalf("event %d\nreceived %s\nstored   %s", n+1, rec.Raw, f.log[n].Raw)
		}
		n++
	}
	if n != len(f.log) {
		t.Errorf("received %d events of %d", n, len(f.log))
	}
	for rec, err := range c.Read(t.Context(), "live", 7, 9) {
		if err != nil || rec.Seq < 7 || rec.Seq > 9 {
			t.Errorf("asked for 7..9: %d, %v", rec.Seq, err)
		}
		break // a reader may stop early
	}
}

func TestNoAnswerRepeatsAnAccountID(t *testing.T) {
	const account = "U1234567"
	f := newFake("live")
	s := serve(t, f)
	for _, q := range []struct{ method, path, body string }{
		{"GET", "/v1/gateways/" + account, ""},
		{"GET", "/" + account, ""},
		{"GET", "/v1/gateways/live/events?from=" + account, ""},
		{"GET", "/v1/gateways/live/events?" + account + "=1", ""},
		{"POST", "/v1/gateways/live/resume", `{"` + account + `":1}`},
		{"POST", "/v1/gateways/live/events", strings.Replace(report, "/runner/robo-1", "/tap/"+account, 1)},
		{"POST", "/v1/gateways/live/events", strings.Replace(report, "live", "u1234567", 1)},
		{"POST", "/v1/gateways/live/notes", `{"by":"ann","text":"the login of ` + account + ` failed"}`},
	} {
		if got := roundTrip(t, s, q.method, q.path, q.body); strings.Contains(strings.ToUpper(got), account) {
			t.Errorf("%s %s: %s", q.method, q.path, got)
		}
	}
	f.fail = errors.New("append for " + account + " failed")
	if got := roundTrip(t, s, "GET", "/v1/gateways/live", ""); strings.Contains(got, account) {
		t.Errorf("an error of the recorder: %s", got)
	}
}

// FuzzReadStrict: whatever is accepted is a claim, and means the same when it is
// sent once more as this package writes it.
func FuzzReadStrict(f *testing.F) {
	for _, seed := range []string{`{"by":"ann"}`, `{"by":"ann","override":true} `, `{"by":null}`, `{"by":"a","by":"b"}`, `[{}]`, `{"BY":"x"}`, `{}}`, "", `{"reason":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var one, two Claim
		if readStrict(httptest.NewRecorder(), httptest.NewRequest("POST", "/", bytes.NewReader(b)), &one) != nil {
			return
		}
		again, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		if err := readStrict(httptest.NewRecorder(), httptest.NewRequest("POST", "/", bytes.NewReader(again)), &two); err != nil || one != two {
			t.Errorf("%q reads as %+v, that as %+v, %v", b, one, two, err)
		}
	})
}

// FuzzParseSpan: whatever is accepted is a span that can be read.
func FuzzParseSpan(f *testing.F) {
	for _, seed := range []string{"", "from=1&to=2", "follow=1", "follow=true&from=3", "to=0", "from=2&to=1", "from=-1", "%", "from=1;to=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s, err := parseSpan(query)
		if p, ok := errors.AsType[*Problem](err); err != nil && (!ok || p.Status != http.StatusBadRequest) {
			t.Errorf("%q: %v is no answer", query, err)
		}
		if err == nil && s.to != 0 && (s.follow || s.from > s.to) {
			t.Errorf("%q gives %+v", query, s)
		}
	})
}
