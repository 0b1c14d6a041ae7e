package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/access"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// contract is the document, and its schemas.
type contract struct {
	doc      map[string]any
	compiler *jsonschema.Compiler
	ops      map[string]operation // by operationId
}

type operation struct {
	method, path string
	pointer      string // where it is
	body         map[string]any
}

const base = "openapi.json"

func readContract(t *testing.T) contract {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal(openAPI, &doc); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc) // without YAML's aliases and numbers
	if err != nil {
		t.Fatal(err)
	}
	resource, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := contract{resource.(map[string]any), jsonschema.NewCompiler(), map[string]operation{}}
	c.compiler.AssertFormat()
	if err := c.compiler.AddResource(base, resource); err != nil {
		t.Fatal(err)
	}
	for path, item := range c.doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			if body, ok := op.(map[string]any); ok {
				c.ops[body["operationId"].(string)] = operation{strings.ToUpper(method), path, "#/paths/" + escaped(path) + "/" + method, body}
			}
		}
	}
	return c
}

// escaped is a key as a JSON pointer has it.
func escaped(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

// at is what is at a pointer, and where it really is if there is a reference.
func (c contract) at(pointer string) (map[string]any, string) {
	var node any = c.doc
	for _, key := range strings.Split(strings.TrimPrefix(pointer, "#/"), "/") {
		node = node.(map[string]any)[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
	}
	m, _ := node.(map[string]any)
	if ref, ok := m["$ref"].(string); ok {
		return c.at(ref)
	}
	return m, pointer
}

// statuses are those that the document has for an operation.
func (op operation) statuses() []string {
	return slices.Sorted(maps.Keys(op.body["responses"].(map[string]any)))
}

// check holds a body, of a response or of the request, against the document.
func (c contract) check(pointer, contentType string, body []byte) error {
	of, pointer := c.at(pointer)
	content, has := of["content"].(map[string]any)
	if !has {
		if len(body) > 0 {
			return fmt.Errorf("the document has no body there")
		}
		return nil
	}
	media, _, _ := strings.Cut(contentType, ";")
	if content[media] == nil {
		return fmt.Errorf("the document has no %s there", contentType)
	}
	schema, err := c.compiler.Compile(base + pointer + "/content/" + escaped(media) + "/schema")
	if err != nil {
		return err
	}
	var value any = string(body)
	if strings.HasSuffix(media, "+json") || strings.HasSuffix(media, "/json") {
		if value, err = jsonschema.UnmarshalJSON(bytes.NewReader(body)); err != nil {
			return err
		}
	}
	return schema.Validate(value)
}

// TestTheDocumentIsComplete: every operation says what it is, whether it needs a token,
// and what it answers. That the document is one of OpenAPI, a linter says in .ci/run.
func TestTheDocumentIsComplete(t *testing.T) {
	c := readContract(t)
	for id, op := range c.ops {
		tags, _ := op.body["tags"].([]any)
		if op.body["summary"] == nil || len(tags) != 1 {
			t.Errorf("%s: an operation needs a summary and one tag", id)
		}
		_, secured := op.body["security"]
		if writes := op.method != "GET"; secured != writes {
			t.Errorf("%s: it says that a token is needed: %v, want %v", id, secured, writes)
		}
		for _, code := range op.statuses() {
			if r, at := c.at(op.pointer + "/responses/" + code); r["description"] == nil || (r["content"] == nil) != (code == "204") {
				t.Errorf("%s: a response needs a description and a body", at)
			}
		}
	}
	const copied = "../../docs/openapi.yaml"
	if *update {
		if err := os.WriteFile(copied, openAPI, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := os.ReadFile(copied); err != nil || !bytes.Equal(there, openAPI) {
		t.Errorf("%s is no copy of openapi.yaml: %v; renew it with: go test ./internal/httpapi -run TestTheDocumentIsComplete -update", copied, err)
	}
}

// TestEveryRouteIsDocumented, and every operation is served.
func TestEveryRouteIsDocumented(t *testing.T) {
	var want []string
	for _, op := range readContract(t).ops {
		want = append(want, op.method+" "+op.path)
	}
	got := slices.DeleteFunc(newHandler(t.Context(), nil, nil).routes, func(r string) bool { return slices.Contains(forTheOwner, r) })
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-documented +served)\n%s", diff)
	}
}

// forTheOwner are routes of the socket, for the verbs of the command line: they name
// folders of this host. The port has nothing there.
var forTheOwner = []string{"POST /v1/gateways/{name}/log/roll", "POST /v1/gateways/{name}/log/archive"}

func TestWhatIsTheOwnersIsNotOnThePort(t *testing.T) {
	address := servePort(t, Port{Gateways: []Gateway{newFake("live")}, Open: true})
	for _, route := range forTheOwner {
		path := strings.Replace(strings.TrimPrefix(route, "POST "), "{name}", "live", 1)
		resp, body := call{method: "POST", path: path, token: "ann", header: map[string]string{"Content-Type": "application/json"}, body: `{"by":"ann","folder":"/"}`}.do(t, address)
		if resp.StatusCode != 404 || !strings.Contains(body, "ask over the socket") {
			t.Errorf("%s: %d %s", route, resp.StatusCode, body)
		}
	}
}

// good is a request for each operation that is answered as it should be, and what the
// gateway has to be like for that.
var good = map[string]struct {
	call
	setup  func(*fake)
	status int
}{
	"openapi":      {call{path: "/v1/openapi.yaml"}, nil, 200},
	"listGateways": {call{path: "/v1/gateways"}, nil, 200},
	"status":       {call{path: "/v1/gateways/live"}, nil, 200},
	"followAll":    {call{path: "/v1/events"}, nil, 200},
	"events":       {call{path: "/v1/gateways/live/events"}, func(f *fake) { f.fill(2) }, 200},
	"reportAny":    {call{path: "/v1/events", token: "robo-1", body: report}, nil, 201},
	"report":       {call{path: "/v1/gateways/live/events", token: "robo-1", body: report}, nil, 201},
	"mayDial":      {call{path: "/v1/gateways/live/permit"}, func(f *fake) { f.answer.Granted = &Granted{} }, 204},
	"permit": {call{path: "/v1/gateways/live/permit", token: "robo-1", body: `{"attempt":"a","client_id":7,"timeout_ms":30000}`},
		func(f *fake) { f.answer.Granted = &Granted{Permit: "b1-9", LeaseMS: 60000, Epoch: 1} }, 200},
	"giveBack": {call{path: "/v1/gateways/live/permit/a", token: "robo-1"}, nil, 200},
	"resume": {call{path: "/v1/gateways/live/resume", token: "ann", body: `{"by":"ann","reason":"restarted it"}`},
		func(f *fake) {
			f.claim = events.RestartAcknowledged{Basis: events.BasisWord, By: "ann", Reason: "restarted it"}
		}, 200},
	"ack": {call{path: "/v1/gateways/live/ack", token: "ann", body: `{"by":"ann","note":"on my way"}`}, nil, 200},
	"disconnect": {call{path: "/v1/gateways/live/disconnect", token: "ann", body: `{"by":"ann","reason":"upgrade","client_id":7}`},
		func(f *fake) { f.guard = events.DisconnectCompleted{Sessions: 1} }, 200},
	"note": {call{path: "/v1/gateways/live/notes", token: "ann", body: `{"by":"ann","text":"called IB"}`}, nil, 201},
}

// spoilt changes a good request or its gateway so that it is answered with a status.
var spoilt = map[int]func(c *call, f *fake, h *handler, stop func()){
	400: func(c *call, _ *fake, _ *handler, _ func()) {
		if c.body == "" {
			c.path += "?form=1"
		}
		c.body = "{"
	},
	401: func(c *call, _ *fake, h *handler, _ func()) { c.token, h.guard.open = "", false },
	403: func(c *call, _ *fake, _ *handler, _ func()) {
		if c.token != "" {
			c.token = "grafana"
		} else {
			c.header["Origin"] = "https://evil.example"
		}
	},
	404: func(c *call, f *fake, _ *handler, _ func()) {
		c.path = strings.Replace(c.path, "/live", "/lvie", 1)
		c.body = strings.Replace(c.body, `"live"`, `"lvie"`, 1)
	},
	409: func(c *call, f *fake, _ *handler, _ func()) {
		f.claim, f.guard = events.RestartRejected{Why: events.RejectedUnchanged, By: "ann"}, events.DisconnectBlocked{Stage: events.StageStarted}
		if c.token == "robo-1" || strings.HasSuffix(c.path, "/ack") {
			f.fail = &Problem{Type: problemType + "id-taken", Title: "the id is taken", Status: 409, Detail: "another event has it"}
		}
	},
	413: func(c *call, _ *fake, _ *handler, _ func()) { c.body = strings.Repeat(" ", maxBody+1) },
	415: func(c *call, _ *fake, _ *handler, _ func()) { c.header["Content-Type"] = "text/plain" },
	423: func(_ *call, f *fake, _ *handler, _ func()) {
		f.answer = Answer{RestartRequired: &RestartRequired{Seq: 7, Reason: events.DownSilent, Next: "restart it"}}
	},
	429: func(_ *call, _ *fake, h *handler, _ func()) {
		h.quota = access.NewQuota(0.001, 1)
		h.quota.Take("/runner/robo-1", 1)
	},
	500: func(_ *call, f *fake, _ *handler, _ func()) {
		f.fail, f.bad = errors.New("the disk broke"), 1
	},
	503: func(_ *call, _ *fake, _ *handler, stop func()) { stop() },
}

// leaving is a client that leaves when it has been answered anything.
type leaving struct {
	*httptest.ResponseRecorder
	leave func()
}

func (l leaving) Flush() { l.leave() }

// TestTheServiceDoesWhatTheDocumentSays: every operation is answered with every status
// that the document has for it, in the form that it says, and with no other.
func TestTheServiceDoesWhatTheDocumentSays(t *testing.T) {
	c := readContract(t)
	seen, want := []string{}, []string{}
	for _, id := range slices.Sorted(maps.Keys(c.ops)) {
		op := c.ops[id]
		example, ok := good[id]
		if !ok {
			t.Errorf("%s has no request here", id)
			continue
		}
		documented := op.statuses()
		for _, code := range documented {
			want = append(want, id+" "+code)
		}
		statuses := append(slices.Sorted(maps.Keys(spoilt)), example.status)
		for _, status := range statuses {
			if status != example.status && !slices.Contains(documented, fmt.Sprint(status)) {
				continue
			}
			f := newFake("live")
			if example.setup != nil {
				example.setup(f)
			}
			life, stop := context.WithCancel(t.Context())
			h := newHandler(life, []Gateway{f}, nil)
			h.guard = newGuard(func() access.Tokens { return tokens }, true)
			q := example.call
			q.method, q.header = op.method, map[string]string{}
			if q.body != "" {
				q.header["Content-Type"] = "application/json"
			}
			if spoil := spoilt[status]; spoil != nil {
				spoil(&q, f, h, stop)
			}
			ctx, leave := context.WithCancel(t.Context())
			req := httptest.NewRequestWithContext(ctx, q.method, "http://localhost"+q.path, strings.NewReader(q.body))
			for name, value := range q.header {
				req.Header.Set(name, value)
			}
			if q.token != "" {
				req.Header.Set("Authorization", "Bearer "+secrets[q.token])
			}
			w := leaving{httptest.NewRecorder(), leave}
			h.ServeHTTP(w, req)
			resp := w.Result()
			if resp.StatusCode != status {
				t.Errorf("%s: %d %s, want %d", id, resp.StatusCode, w.Body, status)
			}
			if status < 300 && q.body != "" && id != "report" && id != "reportAny" { // which are called plain JSON here
				if err := c.check(op.pointer+"/requestBody", "application/json", []byte(q.body)); err != nil {
					t.Errorf("%s: the document does not allow what is accepted: %v", id, err)
				}
			}
			if err := c.check(fmt.Sprintf("%s/responses/%d", op.pointer, resp.StatusCode), resp.Header.Get("Content-Type"), w.Body.Bytes()); err != nil {
				t.Errorf("%s %d: %v\n%s", id, status, err, w.Body)
			}
			seen = append(seen, fmt.Sprint(id, " ", resp.StatusCode))
			leave()
			stop()
		}
	}
	slices.Sort(seen)
	slices.Sort(want)
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-documented +answered)\n%s", diff)
	}
}
