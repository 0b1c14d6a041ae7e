package channel_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The receiver of docs/alerts.md, in Python, believes what is signed and nothing else.
func TestTheDocumentedReceiver(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	code := document(t).find(t, "(?s)```python\n(.*?)```")
	r := receive(t, kinds[0].check, 204, "")
	tell(t, kinds[0].make(t, r.URL), stop(t))
	headers := map[string]string{}
	for name := range r.taken()[0].Header {
		headers[strings.ToLower(name)] = r.taken()[0].Header.Get(name)
	}
	given, err := json.Marshal(map[string]any{"key": hookKey, "headers": headers, "body": string(r.taken()[0].body)})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", code+`
import json, sys
g = json.load(sys.stdin)
body = g["body"].encode()
old = dict(g["headers"], **{"webhook-timestamp": str(int(g["headers"]["webhook-timestamp"]) - 1000)})
print(genuine(g["key"], g["headers"], body), genuine(g["key"], g["headers"], body + b" "), genuine(g["key"], old, body),
      genuine("whsec_" + "A" * 32, g["headers"], body))
`)
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(given)), os.Stderr
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "True False False False" {
		t.Errorf("%v: %s, want True of what was sent, False of another body, an old time and another key", err, out)
	}
}

// What the document lists is what there is.
func TestTheDocumentedNames(t *testing.T) {
	doc := document(t)
	for _, n := range outage(t) {
		doc.find(t, "(`"+regexp.QuoteMeta(string(n.Kind))+"`)")
		for _, k := range kinds {
			if k.name != "alertmanager" {
				continue
			}
			r := receive(t, k.check, k.status, k.answer)
			tell(t, k.make(t, r.URL), n)
			var all []struct{ Labels map[string]string }
			if err := json.Unmarshal(r.taken()[0].body, &all); err != nil {
				t.Fatal(err)
			}
			doc.find(t, "(`"+all[0].Labels["alertname"]+"`)")
		}
	}
}

type doc string

func document(t *testing.T) doc {
	t.Helper()
	b, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	return doc(b)
}

// find is the first group of a pattern that the document must have.
func (d doc) find(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(string(d))
	if m == nil {
		t.Fatalf("docs/alerts.md has no %s", pattern)
	}
	return m[1]
}
