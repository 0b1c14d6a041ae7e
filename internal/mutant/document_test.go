package mutant

import (
	"cmp"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

const (
	document = "docs/verification.md"
	begins   = "<!-- The table is written by go test ./internal/mutant -run TestMutants -update. -->\n"
	ends     = "<!-- It ends here. -->\n"
)

// row is a line of the table.
type row struct {
	cells map[string]finding // by layer
	tests map[string]string  // the first test that failed in a layer, as far as it is known
}

func newRow() row { return row{map[string]finding{}, map[string]string{}} }

func (r row) noticed() bool {
	for _, f := range r.cells {
		if f == caught {
			return true
		}
	}
	return false
}

// first is the test that failed in the first layer that did, and the layer.
func (r row) first() string {
	for _, l := range layers {
		if r.cells[l.name] == caught {
			return cmp.Or(r.tests[l.name], "?") + " in " + l.name
		}
	}
	return ""
}

// header is that of the table.
func header() string {
	var b strings.Builder
	b.WriteString("| mutant | what is wrong then |")
	for _, l := range layers {
		fmt.Fprintf(&b, " %s |", l.name)
	}
	b.WriteString(" first test that fails |\n|" + strings.Repeat("---|", len(layers)+3) + "\n")
	return b.String()
}

// line is the line of a mutant.
func (r row) line(m mutant) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %s |", m.name, m.what)
	for _, l := range layers {
		switch r.cells[l.name] {
		case caught:
			b.WriteString(" **caught** |")
		case "":
			b.WriteString(" ? |")
		default:
			fmt.Fprintf(&b, " %s |", r.cells[l.name])
		}
	}
	fmt.Fprintf(&b, " %s |\n", r.first())
	return b.String()
}

// table is all of it.
func table(rows map[string]row) string {
	text := header()
	for _, m := range mutants {
		text += rows[m.name].line(m)
	}
	return text
}

var about = regexp.MustCompile(`^\| ([a-z-]+) \|`)

// parse reads rows back from a table with the layers of its header.
func parse(text string) map[string]row {
	rows := map[string]row{}
	var names []string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "*")
		}
		switch m := about.FindStringSubmatch(line); {
		case len(cells) < 4:
		case names == nil:
			names = cells[2 : len(cells)-1]
		case m != nil:
			r := newRow()
			if test, layer, known := strings.Cut(cells[len(cells)-1], " in "); known && test != "?" {
				r.tests[layer] = test
			}
			for i, name := range names {
				if f := finding(cells[i+2]); f != "?" {
					r.cells[name] = f
				}
			}
			rows[m[1]] = r
		}
	}
	return rows
}

func readRows() (map[string]row, error) {
	_, text, _, err := readDocument()
	return parse(text), err
}

// readDocument is what comes before the table, the table, and what comes after it.
func readDocument() (before, text, after string, err error) {
	b, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		return "", "", "", err
	}
	before, rest, found := strings.Cut(string(b), begins)
	text, after, closed := strings.Cut(rest, ends)
	if !found || !closed {
		return "", "", "", fmt.Errorf("%s has no place for the table: %s%s", document, begins, ends)
	}
	return before, text, after, nil
}

func writeRows(rows map[string]row) error {
	before, _, after, err := readDocument()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, document), []byte(before+begins+table(rows)+ends+after), 0o644)
}

func TestEveryMutantFitsItsFile(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutants {
		if seen[m.name] || !about.MatchString("| "+m.name+" |") {
			t.Errorf("%q is no name of its own, in letters and dashes", m.name)
		}
		seen[m.name] = true
		text, err := m.text()
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, text, parser.SkipObjectResolution); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	if len(mutants) < 20 {
		t.Errorf("%d mutants", len(mutants))
	}
}

func TestTheDocumentHasTheseRows(t *testing.T) {
	before, text, _, err := readDocument()
	if err != nil {
		t.Fatal(err)
	}
	rows := parse(text)
	if diff := gocmp.Diff(table(rows), text); diff != "" {
		t.Errorf("renew it: go test ./internal/mutant -run TestMutants -update -timeout 5h (-want +got):\n%s", diff)
	}
	for _, m := range mutants {
		if !rows[m.name].noticed() {
			t.Errorf("nobody notices %s, or it was never run: go test ./internal/mutant -run TestMutants -update -mutants=^%s$ -timeout 1h", m.name, m.name)
		}
	}
	for _, l := range layers {
		if !strings.Contains(before, "**"+l.name+"**: "+l.about) {
			t.Errorf("%s does not explain the layer %s: %q", document, l.name, l.about)
		}
	}
}

func TestATableIsReadBack(t *testing.T) {
	rows := map[string]row{}
	for i, m := range mutants {
		r := newRow()
		for j, l := range layers {
			if f := []finding{caught, missed, none, ""}[(i+j)%4]; f != "" {
				r.cells[l.name] = f
			}
		}
		for _, l := range layers {
			if r.cells[l.name] == caught { // the first one is told
				r.tests[l.name] = "TestX"
				break
			}
		}
		rows[m.name] = r
	}
	if diff := gocmp.Diff(rows, parse(table(rows)), gocmp.AllowUnexported(row{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
