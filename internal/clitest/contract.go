package clitest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// Answer is what a verb prints with -o json.
type Answer struct {
	// Verb is how it is typed, for example "recorder status". A verb with several answers
	// has them told apart by what stands behind it: "replay whatif --mode mask".
	Verb string
	// Value is of the type that is printed.
	Value any
	// Note is what the types do not say; Markdown.
	Note string
}

// Contract is what the verbs of one program promise.
type Contract struct {
	program string
	verbs   []string
	notes   []string
	shapes  map[string]*shape
}

// Read makes the contract of a program whose package is two folders below the module.
func Read(program string, answers []Answer) (*Contract, error) {
	docs := &comments{root: filepath.Join("..", "..")}
	c := &Contract{program: program, shapes: map[string]*shape{}}
	var wrong error
	for _, a := range answers {
		s, err := shapeOf(reflect.TypeOf(a.Value), docs)
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %w", a.Verb, err))
		}
		c.verbs, c.notes = append(c.verbs, a.Verb), append(c.notes, a.Note)
		c.shapes[a.Verb] = s
	}
	return c, wrong
}

// Check holds what a verb printed against what it promises.
func (c *Contract) Check(verb string, output []byte) []string {
	s, known := c.shapes[verb]
	if !known {
		return []string{fmt.Sprintf("there is no contract for %q; there are %s", verb, strings.Join(c.verbs, ", "))}
	}
	var v any
	if err := json.Unmarshal(output, &v); err != nil {
		return []string{"it is no JSON: " + err.Error()}
	}
	return s.check(v, "")
}

// Text is the contract's part of the document.
func (c *Contract) Text() string {
	var b strings.Builder
	for i, verb := range c.verbs {
		fmt.Fprintf(&b, "## %s\n\n", verb)
		if c.notes[i] != "" {
			fmt.Fprintf(&b, "%s\n\n", c.notes[i])
		}
		s := c.shapes[verb]
		if len(s.fields) == 0 {
			continue
		}
		b.WriteString("| field | type | what it is |\n|---|---|---|\n")
		s.rows(&b, "")
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *shape) rows(b *strings.Builder, prefix string) {
	for _, f := range s.fields {
		kind, path, inner := f.shape.kind, prefix+f.name, f.shape
		for inner.each != nil {
			step := "[]"
			if inner.kind == "object" {
				step = ".*"
			}
			path, inner = path+step, inner.each
			kind += " of " + inner.kind
		}
		if !f.always {
			kind += ", may be absent"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", prefix+f.name, kind, strings.ReplaceAll(f.doc, "|", `\|`))
		inner.rows(b, path+".")
	}
}

// Hold compares the document with the contract, and writes the contract's part of it anew if
// update is set. The part stands between two comments that name the program.
func (c *Contract) Hold(t *testing.T, path string, update bool) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin "+c.program+" -->\n", "<!-- end "+c.program+" -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no part between %q and %q", path, begin, end)
	}
	want := "\n" + c.Text()
	if update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s does not say what %s prints; renew it with: go test ./cmd/%s -run TestTheContract -update\n%s", path, c.program, c.program, diff)
	}
}

// MustRead is Read for the variable of a test, which has nobody to return an error to.
func MustRead(program string, answers []Answer) *Contract {
	c, err := Read(program, answers)
	if err != nil {
		panic(err)
	}
	return c
}

// Columns are the columns of a CSV format, for a note.
func Columns(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

// Keep fails a script unless what its last command printed is what a verb promises. The verb
// is typed as in its Answer.
func (c *Contract) Keep(ts *testscript.TestScript, words []string) {
	verb := strings.Join(words, " ")
	if problems := c.Check(verb, []byte(ts.ReadFile("stdout"))); len(problems) > 0 {
		ts.Fatalf("%s -o json does not print what docs/cli-json.md promises:\n%s", verb, strings.Join(problems, "\n"))
	}
}

// Unheld are the verbs that no script has a line for: contract VERB.
func (c *Contract) Unheld(scripts string) (missing []string) {
	held := map[string]bool{}
	for line := range strings.Lines(scripts) {
		if verb, ok := strings.CutPrefix(strings.TrimSpace(line), "contract "); ok {
			held[verb] = true
		}
	}
	for _, verb := range c.verbs {
		if !held[verb] {
			missing = append(missing, verb)
		}
	}
	return missing
}
