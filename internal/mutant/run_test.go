package mutant

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	update = flag.Bool("update", false, "run the mutants and write docs/verification.md")
	which  = flag.String("mutants", "", "run only those whose name matches")
	where  = flag.String("layers", "", "run only in layers whose name matches")
)

// TestMutants runs every mutant in every layer and writes the table.
func TestMutants(t *testing.T) {
	if !*update {
		t.Skip("it takes an hour or two; with -update it writes docs/verification.md")
	}
	some, err := regexp.Compile(*which)
	if err != nil {
		t.Fatal(err)
	}
	in, err := regexp.Compile(*where)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := readRows()
	if err != nil {
		t.Fatal(err)
	}
	sound := map[string]bool{} // commands that were run without a mutant, and whether they passed
	for _, m := range mutants {
		if !some.MatchString(m.name) {
			continue
		}
		row := rows[m.name]
		if row.cells == nil {
			row = newRow()
		}
		ran := map[string]result{} // what would be run twice
		for _, l := range layers {
			pkg := l.pkg
			if pkg == "" {
				pkg = path.Dir(m.file)
			}
			switch {
			case !in.MatchString(l.name):
				continue
			case !hasTests(pkg) || !uses(pkg, path.Dir(m.file)):
				row.cells[l.name] = none
				continue
			}
			command := l.command(pkg)
			passes, known := sound[command]
			if !known {
				passes = l.sound(t, pkg)
				sound[command] = passes
			}
			if !passes {
				continue
			}
			r, again := ran[command]
			if !again {
				if r, err = m.in(t, l, pkg); err != nil {
					t.Fatalf("%s: %v", m.name, err)
				}
				ran[command] = r
			}
			found, first, err := l.reading(r)
			if err != nil {
				t.Errorf("%s: %v", m.name, err)
				continue
			}
			row.cells[l.name], row.tests[l.name] = found, first
			t.Logf("%-28s %-10s %-6s %s in %s", m.name, l.name, found, first, r.took.Round(time.Second))
		}
		if !row.noticed() {
			t.Errorf("%s is noticed by nobody: %s", m.name, m.what)
		}
		rows[m.name] = row
		if err := writeRows(rows); err != nil { // as far as it is
			t.Fatal(err)
		}
	}
}

// sound says whether a layer passes without a mutant: otherwise it would catch them all.
func (l layer) sound(t *testing.T, pkg string) bool {
	r, err := l.test("", pkg)
	if err != nil {
		t.Fatal(err)
	}
	found, first, err := l.reading(r)
	if err != nil || found != missed {
		t.Errorf("layer %s of %s fails without a mutant: %s %v\n%s", l.name, pkg, first, err, r.out)
		return false
	}
	return true
}

// in runs a layer with the mutant in the place of its file.
func (m mutant) in(t *testing.T, l layer, pkg string) (result, error) {
	text, err := m.text()
	if err != nil {
		return result{}, err
	}
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		return result{}, err
	}
	other := filepath.Join(dir, filepath.Base(m.file))
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: other}})
	if err != nil {
		return result{}, err
	}
	list := filepath.Join(dir, "overlay.json")
	if err := errors.Join(os.WriteFile(other, []byte(text), 0o600), os.WriteFile(list, overlay, 0o600)); err != nil {
		return result{}, err
	}
	return l.test(list, pkg)
}

// text is the file as the mutant has it.
func (m mutant) text() (string, error) {
	b, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(b), m.old); n != 1 || m.old == m.new {
		return "", fmt.Errorf("%s occurs %d times in %s: %q", m.name, n, m.file, m.old)
	}
	return strings.Replace(string(b), m.old, m.new, 1), nil
}
