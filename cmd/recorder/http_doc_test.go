package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestTheLinesOfTheDocument runs every line of docs/http.md as it stands, in one shell,
// against a recorder that was told of the tokens that the document makes.
func TestTheLinesOfTheDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	var tokens, lines []string
	for _, b := range blocks {
		switch {
		case strings.HasPrefix(b[1], "recorder token new"):
			tokens = append(tokens, b[1])
		case !strings.HasPrefix(b[1], "URL="):
			lines = append(lines, b[1])
		}
	}
	if len(tokens) != 1 || len(lines) < 8 {
		t.Fatalf("%d blocks make tokens and %d ask", len(tokens), len(lines))
	}
	dir := t.TempDir()
	scripted := filepath.Join(dir, "document.txtar")
	write := func(name, text string) string { return "-- " + name + " --\n" + text }
	script := documentScript + write("tokens.sh", "set -eu\n"+tokens[0]) + write("lines.sh", "set -eu\n"+strings.Join(lines, ""))
	if err := os.WriteFile(scripted, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	params := scriptParams(t)
	params.Files = []string{scripted}
	testscript.Run(t, params)
}

const documentScript = `
[!exec:curl] skip 'curl is not installed'
exec sh tokens.sh
env IBRECORDER_HTTP_TOKENS=robo-1=ingest:robo-1.token,ann=operate:ann.token
free HTTP
env URL=http://$HTTP
exec sh -c 'exec recorder run --http '$HTTP' 2>banner' &rec&
up
exec sh lines.sh
stdout '^\["main"\]$'
stdout '"gate":"OPEN"'
stdout '^204$'
stdout '"attempt":"robo-1-4711","permit":'
stdout '"type":"ibrecorder.attempt.abandoned.v1"'
stdout '"id":"robo-1-4711-up","event":'
stdout '"id":"robo-1-4712","event":'
stdout '^event: gateway.down$'
stdout '^event: restart.required$'
stdout '"type":"ibrecorder.restart.acknowledged.v1"'
grep '"id":"robo-1-4712"' events.ndjson
exec recorder status
stdout '^main +PROBATION '
kill -INT rec
wait rec
`
