package explain

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ibrecorder/events"
	"ibrecorder/internal/gwsim"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "renew examples.txt and docs/explain.md")

// groupOf says in which group each closed set of the vocabulary is explained.
var groupOf = map[string]string{
	"FailReason": "attempt.failed", "UnknownReason": "attempt.unknown", "DownReason": "gateway.down", "HoldReason": "hold",
	"LostReason": "session.lost", "Stage": "stage", "Rejection": "restart.rejected", "Basis": "restart.acknowledged",
	"RejectReason": "client.rejected", "GapReason": "recorder.gap", "Mode": "mode",
	"Gate": "gate", "API": "gateway", "Phase": "session",
}

// plain are the closed sets whose words are English and stand in a sentence, and what
// is no word of the log at all.
var plain = map[string]string{
	"Side":        "closed by the client",
	"Close":       "fin and rst",
	"Origin":      "code 326, origin wire",
	"Listening":   "listening: yes",
	"Owner":       "owner: gateway",
	"SocketState": "established, close_wait",
	"About":       "a manual restart is needed",
	"Previous":    "the run before: crashed",
	"StopReason":  "by signal",
	"Level":       "the log is nearly full",
	"TapReason":   "the log is nearly full, so programs are refused",
	"Class":       "of a kind, for programmers",
	"Kind":        "docs/events.md",
	"GateTrigger": "docs/state.md", "APITrigger": "docs/state.md", "PhaseTrigger": "docs/state.md", "Outcome": "docs/state.md",
}

// vocabulary are the typed string constants of a package, by type.
func vocabulary(t *testing.T, dir string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.CONST {
				continue
			}
			for _, spec := range d.Specs {
				s := spec.(*ast.ValueSpec)
				typ, typed := s.Type.(*ast.Ident)
				if !typed || len(s.Values) != 1 {
					continue
				}
				if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					value, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					all[typ.Name] = append(all[typ.Name], value)
				}
			}
		}
	}
	return all
}

// codesOf are the groups with their codes.
func codesOf() map[string][]string {
	all := map[string][]string{}
	for _, p := range Pages() {
		all[p.Group] = append(all[p.Group], p.Code)
	}
	return all
}

func same(t *testing.T, what string, want, got []string) {
	t.Helper()
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-in the source +explained):\n%s", what, diff)
	}
}

func TestEveryWordOfTheVocabularyHasAPage(t *testing.T) {
	explained := codesOf()
	words := vocabulary(t, "../../events")
	maps.Copy(words, vocabulary(t, "../../fsm"))
	seen := 0
	for _, typ := range slices.Sorted(maps.Keys(words)) {
		group, ok := groupOf[typ]
		if _, excused := plain[typ]; !ok && !excused {
			t.Errorf("%s has %q, and no group explains them: add one to groupOf and to the pages, or to plain with a reason", typ, words[typ])
		}
		if ok {
			seen++
			same(t, typ+", "+group, words[typ], explained[group])
		}
	}
	if seen != len(groupOf) {
		t.Errorf("%d of %d closed sets were found in the source", seen, len(groupOf))
	}
}

// The tap's table of codes is its own; it is read from the source.
func TestEveryCodeThatTheRecorderKnowsHasAPage(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../tap/codes.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{strconv.Itoa(events.CodeHeld)}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.ValueSpec)
		if !ok || s.Names[0].Name != "codes" {
			return true
		}
		for _, e := range s.Values[0].(*ast.CompositeLit).Elts {
			if lit := e.(*ast.BasicLit); lit.Value != "0" { // that the Gateway cannot be understood
				want = append(want, lit.Value)
			}
		}
		return false
	})
	if len(want) < 15 {
		t.Fatalf("only %q were found in the tap", want)
	}
	same(t, "codes", want, codesOf()["code"])
}

func TestEveryPageIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Pages() {
		if seen[p.key()] {
			t.Errorf("%s is explained twice", p.key())
		}
		seen[p.key()] = true
		if p.Title == "" || p.Matters == "" || p.How == "" || p.Next == "" || p.Means == "" && p.Group != "rule" && p.Group != "assumption" {
			t.Errorf("%s: a part is missing: %+v", p.key(), p)
		}
		if !strings.HasSuffix(p.Title, ".") && !strings.HasSuffix(p.Title, "?") {
			t.Errorf("%s: %q is no sentence", p.key(), p.Title)
		}
		if p.Try != "" {
			name, ok := strings.CutPrefix(p.Try, "recorder sim --behaviour ")
			if _, err := gwsim.Named(name); !ok || err != nil {
				t.Errorf("%s: %s: %v", p.key(), p.Try, err)
			}
		}
	}
}

func TestFind(t *testing.T) {
	keys := func(pages []Page) (out []string) {
		for _, p := range pages {
			out = append(out, p.key())
		}
		return out
	}
	for _, c := range []struct {
		name, group, code string
		want              []string
	}{
		{"as it is written", "", "STOPPED", []string{"gate STOPPED"}},
		{"a word in small letters is another one", "", "stopped", []string{"hold stopped"}},
		{"in other letters, where nothing is written so", "", "rs1", []string{"rule RS1"}},
		{"one word in two places", "", "READY", []string{"gateway READY", "session READY"}},
		{"in one group", "session", "READY", []string{"session READY"}},
		{"a number", "", "326", []string{"code 326"}},
		{"a whole group", "", "mode", []string{"mode enforce", "mode observe"}},
		{"nothing", "", "RS99", nil},
		{"not in that group", "gate", "326", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, keys(Find(c.group, c.code))); diff != "" {
				t.Errorf("Find(%q, %q) (-want +got):\n%s", c.group, c.code, diff)
			}
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is stale, renew it with: go test ./internal/explain -update\n%s", path, diff)
	}
}

// Every stream is looked through for what a page explains, so an example always shows it.
func TestTheExamplesAreFresh(t *testing.T) {
	text := examplesText(t)
	golden(t, "examples.txt", text)
	if *update {
		examples = text // for the document, which is written next
	}
}

func TestTheDocumentIsFresh(t *testing.T) {
	golden(t, "../../docs/explain.md", Document())
}

// A page fits a terminal, but for a command that must be pasted.
func TestAPageFitsATerminal(t *testing.T) {
	for _, p := range Pages() {
		for line := range strings.Lines(p.Text()) {
			if n := len([]rune(line)); n > 100 && !strings.Contains(line, "see one") && !strings.HasPrefix(line, p.Title) {
				t.Errorf("%s: %d characters: %s", p.key(), n, line)
			}
		}
		if !strings.Contains(p.Text(), fmt.Sprintf("%s · %s\n%s", p.Code, p.Group, p.Title)) {
			t.Errorf("%s does not begin with its name:\n%s", p.key(), p.Text())
		}
	}
}
