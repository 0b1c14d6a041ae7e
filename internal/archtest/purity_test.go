//go:build !race

package archtest

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// core are the packages whose outputs depend on their inputs alone: the same log
// must give the same state and the same verdict on every machine and in every year.
var core = []string{"events", "fsm", "internal/policy", "internal/rule"}

// excused is what the core does all the same, by package and finding, and why no
// output depends on it.
var excused = map[string]string{
	"events: imports sync":                                     "a pool of buffers, whose contents are overwritten before they are read",
	"events: imports embed":                                    "the schemas are part of the binary",
	"events: nearest ranges over a map":                        "what it finds is sorted before it is used",
	"events: index may change the variable kinds":              "the addresses of its elements are for reading",
	"fsm: imports context":                                     "looplab/fsm asks for one and gets a background context",
	"fsm: imports github.com/looplab/fsm":                      "the machine itself, wrapped as a function without callbacks",
	"internal/rule: Verdict may change the variable catalogue": "the addresses of its elements are for reading",
}

func TestTheCoreIsPure(t *testing.T) {
	packages := list(t, append([]string{"-export"}, prefixed("./", core)...)...)
	load := newLoader(packages)
	used := map[string]bool{}
	checked := 0
	for _, p := range packages {
		if !p.ours() || !slices.Contains(core, p.name()) {
			continue
		}
		checked++
		var sources []source
		for _, name := range p.GoFiles {
			b, err := os.ReadFile(filepath.Join(folder(p.name()), name))
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, source{filepath.Join(p.name(), name), b})
		}
		found, err := load.impurities(p.ImportPath, sources)
		if err != nil {
			t.Errorf("%s: %v", p.name(), err)
		}
		for _, f := range found {
			key := p.name() + ": " + f.what
			if used[key] = true; excused[key] == "" {
				t.Errorf("%s: %s", f.at, f.what)
			}
		}
	}
	if checked != len(core) {
		t.Errorf("%d of %d packages of the core were checked", checked, len(core))
	}
	for key := range excused {
		if !used[key] {
			t.Errorf("nothing needs this excuse any more: %s", key)
		}
	}
}

func prefixed(prefix string, names []string) (all []string) {
	for _, n := range names {
		all = append(all, prefix+n)
	}
	return all
}

// source is one file.
type source struct {
	name string
	text []byte
}

// loader checks the types of packages against what the compiler exported for
// those that they import.
type loader struct {
	files    *token.FileSet
	importer types.Importer
}

func newLoader(packages []listed) *loader {
	exports := map[string]string{}
	for _, p := range packages {
		exports[p.ImportPath] = p.Export
	}
	files := token.NewFileSet()
	return &loader{files, importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})}
}

// impurities says what makes the outputs of a package depend on more than its
// inputs, in the order of the text.
func (l *loader) impurities(path string, sources []source) ([]impurity, error) {
	var files []*ast.File
	for _, s := range sources {
		f, err := parser.ParseFile(l.files, s.name, s.text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	info := &types.Info{
		Types:      map[ast.Expr]types.TypeAndValue{},
		Uses:       map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	pkg, err := (&types.Config{Importer: l.importer}).Check(path, l.files, files, info)
	if err != nil {
		return nil, err
	}
	c := &purity{pkg: pkg, info: info, files: l.files}
	for _, f := range files {
		c.file(f)
	}
	return c.found, nil
}

func TestImpurityIsFound(t *testing.T) {
	imports := []string{"context", "errors", "fmt", "maps", "math/rand/v2", "net", "os", "reflect", "slices", "strings", "sync", "time", "log/slog"}
	load := newLoader(list(t, append([]string{"-export"}, imports...)...))
	for _, c := range impure {
		t.Run(c.name, func(t *testing.T) {
			var text strings.Builder
			text.WriteString("package x\n")
			for _, path := range imports {
				short := strings.TrimSuffix(path, "/v2")
				if regexp.MustCompile(`\b` + short[strings.LastIndex(short, "/")+1:] + `\.`).MatchString(c.text) {
					fmt.Fprintf(&text, "import %q\n", path)
				}
			}
			text.WriteString(c.text)
			found, err := load.impurities("x", []source{{"x.go", []byte(text.String())}})
			if err != nil {
				t.Fatalf("%v\n%s", err, text.String())
			}
			whats := map[string]bool{}
			for _, f := range found {
				whats[f.what] = true
			}
			if diff := cmp.Diff(c.want, slices.Sorted(maps.Keys(whats))); diff != "" {
				t.Errorf("%s\n%s", diff, text.String())
			}
		})
	}
}
