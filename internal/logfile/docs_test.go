package logfile

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const docsIntro = `# Import

This file is written by ` + "`go test ./internal/logfile -update`" + ` from the phrases that ` + "`replay import`" + ` knows.

A program that was never recorded has left a log. What it says about connections becomes a stream of events, which every other verb
reads: whether the rule held (` + "`verify`" + `), what happened in which order (` + "`timeline`" + `).

    replay import trader.log --tz America/New_York -w trader.ndjson
    replay import app.log.2.gz app.log.1 app.log --runner robo | replay verify -

## What it needs

- ` + "`ib_async`" + ` or ` + "`ib_insync`" + ` at level INFO: their client says there how far a handshake came. At ERROR there are ends without beginnings, and a
  timeout of which nobody knows whether TCP was up demands no stop.
- The zone of the times: in the line (` + "`Z`, `UTC`, `GMT`, `+01:00`" + `) or by ` + "`--tz`" + `. Without it events have no time, and the printed one stays a
  claim (` + "`sourcetime`" + `). Names such as EST are not read. A time that the clocks skipped or showed twice is no time.
- The process, where several write into one log: ` + "`%(asctime)s %(process)d %(name)s %(levelname)s %(message)s`" + `. Without it a line that may be about
  several attempts is taken for the oldest's, and the source of what is said then ends in ` + "`/inferred`" + `.
- Parts of a rotated log oldest first. gzip is read as it is; UTF-16 is not.

A line may have any of the usual forms of Python's logging, loguru, structlog or JSON, with what syslog, journald or a container engine has
put before it.

## What comes of it

Facts and never decisions, of boot ` + "`import`" + `, without a monotonic time. Nothing of a line gets into an event but numbers, its time, and words of
a fixed list. At the head stands a policy to judge by (` + "`--preset`, or `--policy`" + ` with a file, as for ` + "`whatif`" + `); nobody had it in force.

A ` + "`TimeoutError`" + ` is a silence only if nothing explains it: the library says it as well after the Gateway has closed, or has refused the client
id. How long it waited is the program's own timeout if a line has it, else the difference of two printed times, marked as inferred. By the
default policy less than 10 s proves nothing.

What became of the lines is on standard error, or with ` + "`-o json`" + ` on standard output. A line that is about connections and is none of the phrases
below is listed there by its likeness, with nothing but plain words in it.

## The phrases

A text that begins so; N is a number, ... is anything; _ in a remark is what the line has there:

| text | means |
|---|---|
`

// form is a pattern as people read it.
func form(pattern string) string {
	for _, r := range []struct{ from, to string }{
		{`^\^|\$$|\\b`, ""},
		{`\(\?:\\\.\\d\{1,3\}\)\?`, ""},           // the part of a second
		{`-?\\d(?:\+|\{1,\d\})|\[\\d\.\]\+`, "N"}, // numbers
		{`\(-\?N\)|\(N\)|-\?N`, "N"},
		{`\(\.\*\)|\.\*|\\S\+|\(\?:\\w\+\)`, "..."},
		{`\(\?:`, "("},
		{`\\(.)`, "$1"},
	} {
		pattern = regexp.MustCompile(r.from).ReplaceAllString(pattern, r.to)
	}
	return pattern
}

func TestDocumentationIsFresh(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(docsIntro)
	for _, p := range phrases {
		text, means := p.begin+form(p.rest.String()), p.means
		if p.begin == requiresRestart {
			text = `{... "requires_restart": true ...}`
		}
		if p.inside {
			text = "..." + text
		}
		if means == "" {
			means = "understood, and nothing follows from it"
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(strings.TrimSpace(text), "|", `\|`), strings.ReplaceAll(means, "%s", "_"))
	}
	const path = "../../docs/import.md"
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(b.String(), "\n"), strings.Split(string(have), "\n")); diff != "" {
		t.Errorf("%s is not what the phrases say (-phrases +file); renew it with: go test ./internal/logfile -update\n%s", path, diff)
	}
}
