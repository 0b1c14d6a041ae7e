package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/access"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// binary are the headers of report in binary mode, some of them set to others; "" is none.
func binary(set map[string]string) map[string]string {
	h := map[string]string{"Content-Type": "application/json", "ce-specversion": "1.0", "ce-type": "ibrecorder.gateway.down.v1",
		"ce-source": "/runner/robo-1", "ce-id": "r-1", "ce-subject": "live"}
	maps.Copy(h, set)
	maps.DeleteFunc(h, func(_, v string) bool { return v == "" })
	return h
}

func TestIntake(t *testing.T) {
	const data = `{"reason":"reported","count":1,"limit":1}`
	structured := map[string]string{"Content-Type": "application/cloudevents+json; charset=utf-8"}
	batched := map[string]string{"Content-Type": "application/cloudevents-batch+json"}
	other := func(from, to string) string { return strings.Replace(report, from, to, 1) }
	batch := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, other(`"r-1"`, fmt.Sprintf(`"r-%d"`, i+1)))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	for _, c := range []struct {
		name   string
		path   string // "" is /v1/events
		header map[string]string
		body   string
		status int
		says   string
		stored int
	}{
		{"in structured mode", "", structured, report, 201, `"seq":1,"id":"r-1","event":{"specversion"`, 1},
		{"called plain JSON", "", map[string]string{"Content-Type": "application/json"}, report, 201, "", 1},
		{"to its gateway", "/v1/gateways/live/events", structured, report, 201, "", 1},
		{"in binary mode", "", binary(nil), data, 201, `"source":"/runner/robo-1","type":"ibrecorder.gateway.down.v1","subject":"live"`, 1},
		{"with an attribute in percent signs", "", binary(map[string]string{"ce-id": "r%2D1"}), data, 201, `"id":"r-1"`, 1},
		{"with a time", "", binary(map[string]string{"ce-time": "2026-11-22T01:00:42-05:00"}), data, 201, `"sourcetime":"2026-11-22T01:00:42-05:00"`, 1},
		{"a batch", "", batched, batch(2), 201, `{"stored":[{"gateway":"live","seq":1,"id":"r-1"},{"gateway":"live","seq":2,"id":"r-2"}]}`, 2},
		{"a batch about two gateways", "", batched, "[" + report + "," + other(`"live"`, `"paper"`) + "]", 201, `{"gateway":"paper","seq":1,"id":"r-1"}]}`, 1},
		{"a batch that repeats one", "", batched, "[" + report + "," + report + "]", 201, `{"gateway":"live","seq":1,"id":"r-1"},{"gateway":"live","seq":1,"id":"r-1"}`, 1},
		{"the longest batch", "", batched, batch(maxBatch), 201, "", maxBatch},

		{"a batch that is too long", "", batched, batch(maxBatch + 1), 400, "65 reports in one batch", 0},
		{"an empty batch", "", batched, "[]", 400, "0 reports in one batch", 0},
		{"a batch with one that is wrong", "", batched, "[" + report + "," + other("gateway.down", "restart.required") + "]", 400, "report 2: byte 28", 0},
		{"a batch that is none", "", batched, report, 400, "want a JSON array", 0},
		{"half a batch", "", batched, "[" + report, 400, "", 0},
		{"a batch with a null", "", batched, "[null]", 400, "report 1", 0},
		{"a batch about a gateway that is not guarded", "", batched, "[" + report + "," + other(`"live"`, `"lvie"`) + "]", 404, `report 2: no gateway`, 0},
		{"about a gateway that is not guarded", "", structured, other(`"live"`, `"lvie"`), 404, "there are live, paper", 0},
		{"to another gateway", "/v1/gateways/paper/events", structured, report, 400, "post it to /v1/gateways/live/events", 0},
		{"under the name of another runner", "", structured, other("robo-1", "robo-2"), 400, "a runner speaks for itself alone", 0},
		{"under another name in binary mode", "", binary(map[string]string{"ce-source": "/py/4711"}), data, 400, "the token is that of /runner/robo-1", 0},
		{"as the tap", "", binary(map[string]string{"ce-source": "/tap"}), data, 400, "the recorder's own", 0},
		{"as an operator", "", structured, other("/runner/robo-1", "/operator/cli"), 400, "the recorder's own", 0},
		{"a decision", "", binary(map[string]string{"ce-type": "ibrecorder.attempt.permitted.v1"}), "{}", 400, "comes from the recorder alone", 0},
		{"a release", "", binary(map[string]string{"ce-type": "ibrecorder.restart.acknowledged.v1"}), "{}", 400, "comes from the recorder alone", 0},
		{"with what the recorder stamps", "", binary(map[string]string{"ce-seq": "7"}), data, 400, "the recorder stamps it", 0},
		{"with data that go on as attributes", "", binary(nil), data + `,"seq":"7"`, 400, "the body is no JSON", 0},
		{"without a body", "", binary(nil), "", 400, "the body is no JSON", 0},
		{"with the data in a header", "", binary(map[string]string{"ce-data": "{}"}), data, 400, "header ce-data", 0},
		{"with an attribute that nobody knows", "", binary(map[string]string{"ce-atempt": "a1"}), data, 400, "nearest are attempt", 0},
		{"with half a percent sign", "", binary(map[string]string{"ce-id": "r%2"}), data, 400, "header ce-id", 0},
		{"without an id", "", binary(map[string]string{"ce-id": ""}), data, 400, "field id", 0},
		{"of another version", "", binary(map[string]string{"ce-specversion": "0.3"}), data, 400, "field specversion", 0},
		{"with data of another type", "", binary(nil), `[1]`, 400, "field data", 0},
		{"with data of wrong types", "", binary(nil), `{"reason":"reported","count":"1","limit":1}`, 400, "field data.count", 0},
		{"with a key twice", "", structured, `{"id":"r-2",` + report[1:], 400, "field id", 0},
		{"as a form", "", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "x=" + report, 415, "want application/cloudevents+json", 0},
		{"as text", "", map[string]string{"Content-Type": "text/plain"}, report, 415, "", 0},
		{"as nothing that can be read", "", map[string]string{"Content-Type": "application/;x"}, report, 415, "", 0},
		{"too long", "", structured, report + strings.Repeat(" ", maxBody), 413, "more than 65536 bytes", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("live")
			address := servePort(t, Port{Gateways: []Gateway{f, newFake("paper")}, Open: true})
			if c.path == "" {
				c.path = "/v1/events"
			}
			resp, body := call{method: "POST", path: c.path, token: "robo-1", header: c.header, body: c.body}.do(t, address)
			if resp.StatusCode != c.status || !strings.Contains(body, c.says) {
				t.Errorf("got %d %s\nwant %d with %s", resp.StatusCode, body, c.status, c.says)
			}
			if len(f.log) != c.stored {
				t.Errorf("%d events were stored, want %d", len(f.log), c.stored)
			}
		})
	}
}

// A batch that the log takes half of says how much, and is sent again as it is.
func TestHalfABatch(t *testing.T) {
	f := newFake("live")
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	f.full = 1
	batch := call{method: "POST", path: "/v1/events", token: "robo-1", header: map[string]string{"Content-Type": "application/cloudevents-batch+json"},
		body: "[" + report + "," + strings.Replace(report, "r-1", "r-2", 1) + "]"}
	resp, body := batch.do(t, address)
	if resp.StatusCode != 500 || !strings.Contains(body, "report r-2, after 1 that are stored") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	f.full = 0
	if resp, body := batch.do(t, address); resp.StatusCode != 201 || len(f.log) != 2 {
		t.Errorf("again: %d %s, %d events", resp.StatusCode, body, len(f.log))
	}
}

// The official SDK sends in every mode, and what it sends is understood.
func TestTheSDKIsUnderstood(t *testing.T) {
	f := newFake("live")
	address := servePort(t, Port{Gateways: []Gateway{f}, Open: true})
	sender, err := cehttp.New(cehttp.WithTarget("http://"+address+"/v1/events"), cehttp.WithHeader("Authorization", "Bearer "+secrets["robo-1"]))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cloudevents.NewClient(sender)
	if err != nil {
		t.Fatal(err)
	}
	for i, mode := range []string{"binary", "structured"} {
		e := cloudevents.NewEvent()
		e.SetID("sdk-" + mode)
		e.SetSource("/runner/robo-1")
		e.SetType("ibrecorder.gateway.down.v1")
		e.SetSubject("live")
		e.SetExtension("attempt", "a-1")
		if err := e.SetData(cloudevents.ApplicationJSON, events.GatewayDown{Reason: events.DownReported, Text: `a % and a "quote" <`, Count: 1, Limit: 1}); err != nil {
			t.Fatal(err)
		}
		ctx := cloudevents.WithEncodingBinary(t.Context())
		if mode == "structured" {
			ctx = cloudevents.WithEncodingStructured(t.Context())
		}
		if result := c.Send(ctx, e); !cloudevents.IsACK(result) {
			t.Fatalf("%s: %v", mode, result)
		}
		got := f.log[i]
		if d, ok := got.Data.(events.GatewayDown); got.ID != e.ID() || got.Attempt != "a-1" || !ok || d.Text != `a % and a "quote" <` {
			t.Errorf("%s: stored %s", mode, got.Raw)
		}
	}
	// And what is answered is an event to it.
	resp, body := call{method: "GET", path: "/v1/gateways/live/events"}.do(t, address)
	line, _, _ := strings.Cut(body, "\n")
	var e cloudevents.Event
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.Validate() != nil || e.ID() != "sdk-binary" || resp.StatusCode != 200 {
		t.Errorf("%v, %v: %s", err, e.Validate(), line)
	}
}

func TestASourceHasAQuota(t *testing.T) {
	live := newFake("live")
	address := servePort(t, Port{Gateways: []Gateway{live}, Open: true, Quota: access.NewQuota(0.001, 3)})
	send := func(token, id string) int {
		resp, body := call{method: "POST", path: "/v1/events", token: token, header: map[string]string{"Content-Type": "application/json"},
			body: strings.NewReplacer("robo-1", token, "r-1", id).Replace(report)}.do(t, address)
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if resp.StatusCode == http.StatusTooManyRequests && (err != nil || after < 1 || after > 1000 || !strings.Contains(body, "/runner/robo-1 sends more than it may")) {
			t.Errorf("told to come again after %s s: %s", resp.Header.Get("Retry-After"), body)
		}
		return resp.StatusCode
	}
	var got []int
	for i := range 5 {
		got = append(got, send("robo-1", fmt.Sprint("a-", i)))
	}
	got = append(got, send("robo-2", "b-0"))
	if want := "[201 201 201 429 429 201]"; fmt.Sprint(got) != want {
		t.Errorf("answers %v, want %s", got, want)
	}
	if len(live.log) != 4 {
		t.Errorf("%d events were stored, want 4", len(live.log))
	}
	resp, _ := call{method: "POST", path: "/v1/gateways/live/permit", token: "robo-1", header: map[string]string{"Content-Type": "application/json"}, body: `{"attempt":"a"}`}.do(t, address)
	if resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("asking for permits instead: %d", resp.StatusCode)
	}
}

var errFull = errors.New("the log takes nothing")

// FuzzIntake: whatever is sent in whatever mode, it is stored as one event of its sender
// or answered with a reason, and nothing but facts is.
func FuzzIntake(f *testing.F) {
	for _, media := range []string{"application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "text/plain", ";"} {
		for _, body := range []string{report, "[" + report + "]", `{"reason":"reported"}`, "", "{", `{"a":`, "[[]]", "null", "\x00", `{"reason":"reported"},"seq":"1"`} {
			f.Add(media, "1.0", "ibrecorder.gateway.down.v1", "/runner/robo-1", "r-1", []byte(body))
			f.Add(media, "", "", "", "", []byte(body))
		}
	}
	f.Add("application/json", "1.0", "ibrecorder.restart.acknowledged.v1", "/operator/cli", "%", []byte(`{}`))
	f.Fuzz(func(t *testing.T, media, version, kind, source, id string, body []byte) {
		head := http.Header{"Content-Type": {media}}
		for name, value := range map[string]string{"Ce-Specversion": version, "Ce-Type": kind, "Ce-Source": source, "Ce-Id": id, "Ce-Subject": "live"} {
			if value != "" {
				head[name] = []string{value}
			}
		}
		gw := newFake("live")
		h := newHandler(t.Context(), []Gateway{gw}, nil)
		resp := answerTo(h, "/v1/events", head, body, access.Caller{Name: "robo-1", Scope: access.Ingest})
		if ok := resp.Code == http.StatusCreated; ok != (len(gw.log) > 0) {
			t.Fatalf("%d, and %d events are stored", resp.Code, len(gw.log))
		}
		if resp.Code >= 500 || resp.Code >= 400 && resp.Header().Get("Content-Type") != "application/problem+json" {
			t.Fatalf("%d %s", resp.Code, resp.Body)
		}
		for _, rec := range gw.log {
			info, _ := events.Lookup(rec.Kind())
			if rec.Source != "/runner/robo-1" || !info.Outside || info.Class == events.Decision {
				t.Fatalf("stored %s", rec.Raw)
			}
		}
	})
}
