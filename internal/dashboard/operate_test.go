package dashboard

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/httpapi"

	"github.com/google/go-cmp/cmp"
)

func TestWhoMayResume(t *testing.T) {
	const kim = "operate-token-of-kim"
	whole := url.Values{"token": {kim}, "reason": {"restarted, 2FA ok"}}
	with := func(key, value string) url.Values {
		v := url.Values{}
		for k, x := range whole {
			v[k] = x
		}
		v.Set(key, value)
		return v
	}
	for _, c := range []struct {
		says   string
		form   url.Values
		answer events.Payload // of the policy; nil releases
		nobody bool           // no token is configured
		status int
		has    string
		claim  *httpapi.Claim
	}{
		{says: "who may operate, and says what was done, is believed", form: whole, status: 200, has: "live is released", claim: &httpapi.Claim{By: "kim", Reason: "restarted, 2FA ok"}},
		{says: "an override is one only if it is ticked", form: with("override", "yes"), status: 200, has: "live is released", claim: &httpapi.Claim{By: "kim", Reason: "restarted, 2FA ok", Override: true}},
		{says: "the name is that of the token and not of a field", form: with("by", "root"), status: 200, has: "live is released", claim: &httpapi.Claim{By: "kim", Reason: "restarted, 2FA ok"}},
		{says: "a token that may only read is told what is missing", form: with("token", "read-token"), status: 403, has: "this needs operate"},
		{says: "an unknown token is not asked about the reason", form: with("token", "guess"), status: 403, has: "is not one that this recorder knows"},
		{says: "no token at all", form: url.Values{"reason": {"x"}}, status: 403, has: "is not one that this recorder knows"},
		{says: "a reason is needed", form: with("reason", "  "), status: 400, has: "A reason is missing"},
		{says: "where nobody may operate, the command line is named", form: whole, nobody: true, status: 403, has: "recorder token new NAME --scope operate"},
		{says: "a Gateway that was not restarted is not released", form: whole, answer: events.RestartRejected{Why: events.RejectedUnchanged, By: "kim"}, status: 409, has: "was not restarted",
			claim: &httpapi.Claim{By: "kim", Reason: "restarted, 2FA ok"}},
		{says: "nor one that does not listen", form: whole, answer: events.RestartRejected{Why: events.RejectedNotListening, By: "kim"}, status: 409, has: "nothing listens", claim: &httpapi.Claim{By: "kim", Reason: "restarted, 2FA ok"}},
		{says: "a form of a megabyte is not read", form: with("reason", strings.Repeat("x", 1<<20)), status: 413, has: "more than 8192 bytes"},
	} {
		t.Run(c.says, func(t *testing.T) {
			live, _, _ := scene()
			live.answer = c.answer
			cfg := sceneConfig()
			if c.nobody {
				cfg.Authorize = nil
			}
			w := post(t, run(t, cfg, live), "/gateways/live/resume", c.form)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.has) {
				t.Errorf("it is answered %d, want %d with %q\n%s", w.Code, c.status, c.has, w.Body)
			}
			var want []httpapi.Claim
			if c.claim != nil {
				want = []httpapi.Claim{*c.claim}
			}
			if diff := cmp.Diff(want, live.claims); diff != "" {
				t.Errorf("what was claimed (-want +got):\n%s", diff)
			}
			if strings.Contains(w.Body.String(), kim) {
				t.Error("the answer has the token in it")
			}
		})
	}
}

func TestWhoMayAcknowledge(t *testing.T) {
	const kim = "operate-token-of-kim"
	seen := events.AlertAcknowledged{Incident: "live-233", Raised: 234, By: "kim"}
	for _, c := range []struct {
		says   string
		form   url.Values
		answer events.Payload
		status int
		has    string
		acks   []httpapi.Ack
	}{
		{"who may operate", url.Values{"token": {kim}, "reason": {"on my way"}}, seen, 200, "Event #473 says that kim has seen it", []httpapi.Ack{{By: "kim", Note: "on my way"}}},
		{"a remark is not needed", url.Values{"token": {kim}}, seen, 200, "Nothing is opened by it", []httpapi.Ack{{By: "kim"}}},
		{"somebody was there before", url.Values{"token": {kim}}, events.AlertAcknowledged{Incident: "live-233", Raised: 234, By: "ann"}, 200, "says that ann has seen it", []httpapi.Ack{{By: "kim"}}},
		{"no alert is in force", url.Values{"token": {kim}}, nil, 409, "Acknowledge live: not done", nil},
		{"a token that may only read", url.Values{"token": {"read-token"}}, seen, 403, "this needs operate", nil},
		{"no token", url.Values{}, seen, 403, "not one that this recorder knows", nil},
	} {
		live, _, _ := scene()
		live.answer = c.answer
		w := post(t, run(t, sceneConfig(), live), "/gateways/live/ack", c.form)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s: it is answered %d, want %d with %q\n%s", c.says, w.Code, c.status, c.has, w.Body)
		}
		if diff := cmp.Diff(c.acks, live.acks); diff != "" {
			t.Errorf("%s: what was acknowledged (-want +got):\n%s", c.says, diff)
		}
	}
}

// A token that a browser sends by itself is no operator's word, and neither is one in an
// address, which is written into histories and logs.
func TestOnlyAFormOperates(t *testing.T) {
	live, _, _ := scene()
	b := run(t, sceneConfig(), live)
	for _, c := range []struct {
		says    string
		request *http.Request
	}{
		{"a header", func() *http.Request {
			r := httptest.NewRequest("POST", "/gateways/live/resume", strings.NewReader("reason=x"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.SetBasicAuth("kim", "operate-token-of-kim")
			return r
		}()},
		{"an address", httptest.NewRequest("POST", "/gateways/live/resume?reason=x&token=operate-token-of-kim", nil)},
		{"a GET", httptest.NewRequest("GET", "/gateways/live/resume?reason=x&token=operate-token-of-kim", nil)},
	} {
		w := httptest.NewRecorder()
		b.ServeHTTP(w, c.request)
		if len(live.claims) > 0 || strings.Contains(w.Body.String(), "live is released") {
			t.Fatalf("a token in %s is taken: %d\n%s", c.says, w.Code, w.Body)
		}
	}
}
