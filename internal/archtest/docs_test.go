//go:build !race

package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryPackageIsDocumentedAndItsTestsExist(t *testing.T) {
	tests := map[string]map[string]bool{} // by package, by name
	var names []string
	for _, p := range list(t, "./...") {
		if p.ours() {
			names = append(names, p.name())
			tests[p.name()] = testsIn(t, folder(p.name()))
		}
	}
	claims := 0
	for _, name := range names {
		doc, err := docOf(folder(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		claims += len(proof.FindAllString(doc, -1))
		for _, problem := range unproven(name, doc, tests) {
			t.Error(problem)
		}
	}
	if claims < 20 {
		t.Errorf("only %d tests are named in all documents", claims)
	}
}

// docOf returns the comment of the package in a folder. It stands in doc.go; a
// command may say in main.go what its --help says at length.
func docOf(dir string) (string, error) {
	for _, file := range []string{"doc.go", "main.go"} {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, file), nil, parser.ParseComments|parser.PackageClauseOnly)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		want := "Package " + f.Name.Name + " "
		if f.Name.Name == "main" {
			want = "Command " + filepath.Base(dir) + " "
		}
		if doc := f.Doc.Text(); file == "doc.go" || f.Name.Name == "main" {
			if !strings.HasPrefix(doc, want) {
				return "", fmt.Errorf("the comment in %s does not begin with %q", file, want)
			}
			return doc, nil
		}
	}
	return "", fmt.Errorf("there is no doc.go")
}

// proof is the name of a test in a document, and the package it is in if that is
// another one.
var proof = regexp.MustCompile(`\b((?:Test|Fuzz|Benchmark)[A-Z]\w*)(?:\s+in\s+([a-z][\w/]*))?`)

// unproven says which tests that a document names do not exist.
func unproven(name, doc string, tests map[string]map[string]bool) (problems []string) {
	for _, m := range proof.FindAllStringSubmatch(doc, -1) {
		where := name
		if _, other := tests[m[2]]; other {
			where = m[2]
		}
		if !tests[where][m[1]] {
			problems = append(problems, fmt.Sprintf("the document of %s names %s, and %s has none", name, m[1], where))
		}
	}
	return problems
}

// testsIn returns the names of the functions in a folder's test files.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				found[fn.Name.Name] = true
			}
		}
	}
	return found
}

func TestADocumentWithoutItsTestsIsFound(t *testing.T) {
	tests := map[string]map[string]bool{
		"store":           {"TestKill": true, "FuzzBlock": true, "BenchmarkAppend": true},
		"internal/report": {"BenchmarkVerify": true},
	}
	for _, c := range []struct {
		name, doc string
		want      []string
	}{
		{"every test exists", "It loses none (TestKill, FuzzBlock) and is fast (BenchmarkAppend).", nil},
		{"a test of another package", "It is fast (BenchmarkVerify\nin internal/report).", nil},
		{"words after the name of a test", "What (TestKill in the way of things) shows.", nil},
		{"a test that was renamed", "It loses none (TestKilled).", []string{"the document of store names TestKilled, and store has none"}},
		{"a fuzz test that is gone", "It never panics (FuzzRecord).", []string{"the document of store names FuzzRecord, and store has none"}},
		{"a test of this package said to be in another", "(TestKill in internal/report)",
			[]string{"the document of store names TestKill, and internal/report has none"}},
		{"the second of two", "(TestKill,\nTestTorn)", []string{"the document of store names TestTorn, and store has none"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, unproven("store", c.doc, tests)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, c := range []struct{ name, file, text, want string }{
		{"no document at all", "x.go", "package x\n", "there is no doc.go"},
		{"the comment is in another file", "x.go", "// Package x is.\npackage x\n", "there is no doc.go"},
		{"doc.go without a comment", "doc.go", "package x\n", `does not begin with "Package x "`},
		{"a comment that an empty line cuts off", "doc.go", "// Package x is.\n\npackage x\n", `does not begin with "Package x "`},
		{"a library that hides in main.go", "main.go", "// Package x is.\npackage x\n", "there is no doc.go"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if doc, err := docOf(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q, %v; want an error that says %q", doc, err, c.want)
			}
		})
	}
}

// link is one of Markdown, to a file of this project.
var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

func TestEveryLinkLeadsToAFile(t *testing.T) {
	links := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "node_modules" { // other people's, and not in git
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllSubmatch(text, -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), string(m[1]))); err != nil {
				t.Errorf("%s leads to %s, which is not there", path, m[1])
			}
		}
		return nil
	})
	if err != nil || links < 5 {
		t.Errorf("%d links, %v", links, err)
	}
}
