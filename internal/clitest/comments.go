package clitest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// module is where this module's packages are named from.
const module = "ibrecorder/"

// comments are those on the fields of types, by the package, the type and the field. They
// are read from the source as it is needed.
type comments struct {
	root string // the folder of the module
	read map[string]map[string]string
}

// of is the comment on a field of a type.
func (c *comments) of(t reflect.Type, name string) (string, error) {
	if name == "Schema" {
		return "1. It changes only if a field is taken away or changes its meaning.", nil
	}
	pkg, own := strings.CutPrefix(t.PkgPath(), module)
	if t.Name() == "" || !own {
		return "", fmt.Errorf("%v.%s: a type without a name, or of somebody else, has no comments", t, name)
	}
	if c.read[pkg] == nil {
		found, err := fieldComments(filepath.Join(c.root, pkg))
		if err != nil {
			return "", err
		}
		if c.read == nil {
			c.read = map[string]map[string]string{}
		}
		c.read[pkg] = found
	}
	doc := c.read[pkg][t.Name()+"."+name]
	if doc == "" {
		return "", fmt.Errorf("%s.%s.%s has no comment, and programs read it: say what it is, in what unit, and when it is absent", pkg, t.Name(), name)
	}
	return doc, nil
}

// fieldComments reads the files of a package, as Type.Field and what stands above or behind it.
func fieldComments(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	fset := token.NewFileSet()
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(fset, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			above := ""
			for _, field := range s.Fields.List {
				doc := field.Doc.Text()
				if doc == "" {
					doc = field.Comment.Text()
				}
				if doc == "" && len(field.Names) > 0 && slices.Contains(words(above), field.Names[0].Name) {
					doc = above // one comment for the fields below it, which it names
				}
				if field.Doc != nil {
					above = field.Doc.Text()
				}
				for _, name := range field.Names {
					out[spec.Name.Name+"."+name.Name] = sentence(name.Name, doc)
				}
			}
			return true
		})
	}
	return out, nil
}

// words are those of a text, without the signs around them.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// sentence is a comment on one line, without the Go name that it may begin with. Of one that
// speaks of several fields it is what it says of this one.
func sentence(name, doc string) string {
	text := strings.Join(strings.Fields(doc), " ")
	if !strings.HasPrefix(text, name+" ") {
		for clause := range strings.SplitSeq(strings.ReplaceAll(text, ". ", "; "), "; ") {
			if slices.Contains(words(clause), name) {
				text = clause
				break
			}
		}
	}
	for _, verb := range []string{" is ", " are "} {
		if rest, ok := strings.CutPrefix(text, name+verb); ok {
			text = rest
		}
	}
	if text != "" && !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
