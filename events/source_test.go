package events

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// source is what the Go source says beyond what reflection sees: comments, and
// which constants a type has.
type source struct {
	types     map[string]string            // doc comment by type
	fields    map[string]map[string]string // doc comment by type and field
	constants map[string][]constant        // by type, in order
	payloads  []string                     // types that have a method Kind() Kind
}

type constant struct{ name, value, doc string }

var readSource = sync.OnceValues(func() (*source, error) {
	src := &source{types: map[string]string{}, fields: map[string]map[string]string{}, constants: map[string][]constant{}}
	files, err := filepath.Glob("*.go")
	if err != nil {
		return nil, err
	}
	set := gotoken.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if recv, ok := kindMethod(d); ok {
					src.payloads = append(src.payloads, recv)
				}
			case *ast.GenDecl:
				src.add(d)
			}
		}
	}
	return src, nil
})

// kindMethod returns the receiver of a method Kind() Kind on a value.
func kindMethod(d *ast.FuncDecl) (recv string, ok bool) {
	if d.Name.Name != "Kind" || d.Recv == nil || d.Type.Results == nil {
		return "", false
	}
	id, ok := d.Recv.List[0].Type.(*ast.Ident)
	return id.Name, ok && id.Name != "Event"
}

func (src *source) add(d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			doc := s.Doc
			if doc == nil {
				doc = d.Doc
			}
			src.types[s.Name.Name] = sentence(s.Name.Name, doc)
			if st, ok := s.Type.(*ast.StructType); ok {
				docs := map[string]string{}
				for _, f := range st.Fields.List {
					for _, name := range f.Names {
						docs[name.Name] = sentence(name.Name, f.Doc)
					}
				}
				src.fields[s.Name.Name] = docs
			}
		case *ast.ValueSpec:
			typ, typed := s.Type.(*ast.Ident)
			if d.Tok != gotoken.CONST || !typed || len(s.Values) != 1 {
				continue
			}
			if lit, ok := s.Values[0].(*ast.BasicLit); ok && lit.Kind == gotoken.STRING {
				value, _ := strconv.Unquote(lit.Value)
				src.constants[typ.Name] = append(src.constants[typ.Name], constant{s.Names[0].Name, value, sentence(s.Names[0].Name, s.Doc)})
			}
		}
	}
}

var (
	isSo   = regexp.MustCompile(`^(?:: | is | are | says ((?:why|whether|whose|how|on) ))`)
	does   = regexp.MustCompile(`^ (?:says|carries|lists|names|selects|asks) `)
	isName = regexp.MustCompile(`^[a-z]+[A-Z_]`)
)

// sentence is a doc comment on one line, without the Go name before it.
func sentence(name string, doc *ast.CommentGroup) string {
	s := strings.Join(strings.Fields(doc.Text()), " ")
	rest, named := strings.CutPrefix(s, name)
	lead := isSo.FindStringSubmatch(rest)
	switch {
	case named && lead != nil:
		s = lead[1] + rest[len(lead[0]):]
	case named && does.MatchString(rest):
		s = "It" + rest
	}
	if s == "" || isName.MatchString(s) { // closed_limit, nextValidId
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func mustSource(t *testing.T) *source {
	t.Helper()
	src, err := readSource()
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// docOf returns the comment on a field of a payload, which may be embedded.
func (src *source) docOf(p *plan, f *field) string {
	typ, sf := p.typ, reflect.StructField{}
	for _, i := range f.index {
		if sf.Type != nil {
			typ = sf.Type
		}
		sf = typ.Field(i)
	}
	return src.fields[typ.Name()][sf.Name]
}

func TestClosedSetsAreComplete(t *testing.T) {
	src := mustSource(t)
	inCode := map[string][]string{}
	for typ, set := range closedSets {
		inCode[typ.Name()] = set
	}
	for typ, constants := range src.constants {
		var want []string
		for _, c := range constants {
			want = append(want, c.value)
		}
		if typ == reflect.TypeFor[Class]().Name() {
			continue // no payload carries it
		}
		if !slices.Equal(inCode[typ], want) {
			t.Errorf("closedSets has %s as %q, the constants are %q", typ, inCode[typ], want)
		}
		delete(inCode, typ)
	}
	for typ := range inCode {
		t.Errorf("closedSets has %s, which has no constants", typ)
	}
}

func TestEveryPayloadTypeIsInTheCatalogue(t *testing.T) {
	src := mustSource(t)
	var catalogued []string
	for _, info := range Kinds() {
		catalogued = append(catalogued, info.plan.typ.Name())
	}
	slices.Sort(catalogued)
	slices.Sort(src.payloads)
	if !slices.Equal(catalogued, src.payloads) {
		t.Errorf("catalogue: %q\ntypes with a Kind: %q", catalogued, src.payloads)
	}
}

func TestEveryTypeFieldAndValueHasAComment(t *testing.T) {
	src := mustSource(t)
	missing := func(what, doc string) {
		if doc == "" {
			t.Errorf("%s has no comment; it is its description in the schema and the documentation", what)
		}
	}
	for _, info := range Kinds() {
		missing(info.plan.typ.Name(), src.types[info.plan.typ.Name()])
		for i := range info.plan.fields {
			f := &info.plan.fields[i]
			missing(info.plan.typ.Name()+"."+f.name, src.docOf(info.plan, f))
		}
	}
	for typ := range closedSets {
		missing(typ.Name(), src.types[typ.Name()])
		for _, c := range src.constants[typ.Name()] {
			missing(c.name, c.doc)
		}
	}
}

// goldens compares files with what they should be, or writes them with -update.
// Files beside them that match glob and nobody wants any more are stale too.
func goldens(t *testing.T, glob string, want map[string][]byte) {
	t.Helper()
	have, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range have {
		if want[name] != nil {
			continue
		}
		if *update {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s describes nothing any more", name)
	}
	for name, content := range want {
		got, err := os.ReadFile(name)
		if err == nil && string(got) == string(content) {
			continue
		}
		if !*update {
			t.Errorf("%s is stale (%v)", name, firstDifference(got, content, err))
			continue
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, content, fs.FileMode(0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if t.Failed() {
		t.Error("renew with: go test ./events -update")
	}
}

func firstDifference(got, want []byte, err error) string {
	if err != nil {
		return err.Error()
	}
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "line " + strconv.Itoa(i+1) + ": " + g[i] + " should be " + w[i]
		}
	}
	return strconv.Itoa(len(g)) + " lines, should be " + strconv.Itoa(len(w))
}
