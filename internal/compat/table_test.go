//go:build !race

package compat_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "run every client and write docs/compatibility.md")

const document = "../../docs/compatibility.md"

// versions of the server: text messages, mixed, protobuf.
var versions = []int{176, 203, 213}

// truthFor is what the recorder has to say of a client in a scene.
func truthFor(c client, s scene) string {
	if !c.old || s.before == stopped { // a port that is closed reads no hello
		return s.truth
	}
	truth := "rejected: not_a_hello, and nothing was dialled"
	if s.before == explains {
		truth += "; STOPPED"
	}
	return truth
}

// judge is what is wrong with a result.
func (c cell) judge(r result) (problems []string) {
	if want := truthFor(c.client, c.scene); r.says != want {
		problems = append(problems, fmt.Sprintf("the recorder says %q, and the truth is %q", r.says, want))
	}
	return append(problems, r.problems...)
}

// playAll plays cells, several at once: they wait more than they work.
func playAll(t *testing.T, cells []cell, atOnce int) []result {
	results := make([]result, len(cells))
	turn := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, c := range cells {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			t.Run(c.String(), func(t *testing.T) {
				results[i] = c.play(t)
				t.Logf("the client believes %q, the recorder says %q", results[i].believes, results[i].says)
				for _, p := range c.judge(results[i]) {
					t.Error(p)
				}
			})
		})
	}
	all.Wait()
	return results
}

func linux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a kernel that takes no more connects is made as Linux does it")
	}
}

func TestTheRecorderNamesWhatTheGatewayDid(t *testing.T) {
	linux(t)
	if *update {
		t.Skip("TestCompatibility plays these and more")
	}
	var cells []cell
	for i, s := range scenes() {
		for _, c := range clients[:2] {
			if c.meets(s) {
				cells = append(cells, cell{c, s, versions[i%len(versions)]})
			}
		}
	}
	playAll(t, cells, 8)
}

func TestClientsInJavaScript(t *testing.T) {
	linux(t)
	if *update {
		t.Skip("TestCompatibility plays these and more")
	}
	var cells []cell
	for i, c := range clients {
		if c.driver == "" {
			continue
		}
		if why := c.missing(); why != "" {
			t.Skip(why)
		}
		for _, s := range scenes()[:2] { // healthy and silent; the rest is for -update
			cells = append(cells, cell{c, s, versions[i%len(versions)]})
		}
	}
	playAll(t, cells, 4)
}

// TestCompatibility plays every cell and writes the document.
func TestCompatibility(t *testing.T) {
	if !*update {
		t.Skip("it takes minutes; with -update it writes docs/compatibility.md")
	}
	linux(t)
	var cells []cell
	for _, s := range scenes() {
		for _, c := range clients {
			if why := c.missing(); why != "" {
				if s.name == "healthy" {
					t.Logf("%s is left out: %s", c.name, why)
				}
				continue
			}
			for _, v := range versions {
				if c.meets(s) {
					cells = append(cells, cell{c, s, v})
				}
			}
		}
	}
	results := playAll(t, cells, 8)
	text, err := os.ReadFile(document)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	before := rows(string(text))
	for i, c := range cells {
		if results[i].says != "" {
			continue
		}
		// It failed, or -run left it out to renew some rows.
		was, ok := before[c.String()]
		if !ok {
			t.Fatalf("nothing is known of %s: the document stays as it was", c)
		}
		results[i] = was
	}
	if err := os.WriteFile(document, []byte(page(cells, results)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rows are the results that a document has, by cell.
func rows(text string) map[string]result {
	all, scene := map[string]result{}, ""
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "### "); ok {
			scene = strings.TrimSpace(name)
		}
		f := strings.Split(strings.TrimSpace(line), " | ")
		if scene == "" || len(f) != 5 || !strings.HasPrefix(f[0], "| ") {
			continue
		}
		r := result{believes: f[2], says: f[3]}
		if wrong, ok := strings.CutPrefix(strings.TrimSuffix(f[4], " |"), "WRONG: "); ok {
			r.problems = []string{wrong}
		}
		for v := range strings.SplitSeq(f[1], ", ") {
			all[scene+"/"+f[0][2:]+"/"+v] = r
		}
	}
	return all
}

func (c cell) String() string { return fmt.Sprintf("%s/%s/%d", c.scene.name, c.client.name, c.version) }

func TestTheDocumentIsWhole(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## ")
	tables := map[string]string{}
	for part := range strings.SplitSeq(rest, "\n### ") {
		name, table, _ := strings.Cut(part, "\n")
		tables[name] = table
	}
	all := scenes()
	for _, s := range all {
		if s.truth == "" {
			t.Errorf("%s: nothing says what is true of it", s.name)
		}
		table, ok := tables[s.name]
		if !ok {
			t.Errorf("no table for %s: go test ./internal/compat -run Compatibility -update -timeout 60m", s.name)
			continue
		}
		if !strings.Contains(table, "**"+s.truth+"**") {
			t.Errorf("the table of %s has another truth than %q", s.name, s.truth)
		}
		for _, c := range clients {
			if c.meets(s) && !strings.Contains(table, "| "+c.name+" |") {
				t.Errorf("%s: no row for %s", s.name, c.name)
			}
		}
	}
	if strings.Contains(rest, "WRONG") {
		t.Error("a recorder was wrong when the document was written")
	}
	if len(all) < len(truths)+len(more) {
		t.Errorf("%d scenes, and truths for %d", len(all), len(truths)+len(more))
	}
}

// page is the document.
func page(cells []cell, results []result) string {
	var b strings.Builder
	b.WriteString(strings.TrimLeft(head, "\n"))
	right, wrong := 0, 0
	type key struct{ scene, client string }
	of := map[key][]int{} // cells, by version
	for i, c := range cells {
		k := key{c.scene.name, c.client.name}
		of[k] = append(of[k], i)
		if len(c.judge(results[i])) == 0 {
			right++
		} else {
			wrong++
		}
	}
	fmt.Fprintf(&b, "\n## %d of %d cells right\n\n", right, right+wrong)
	var names []string
	for _, c := range clients {
		names = append(names, c.name)
	}
	fmt.Fprintf(&b, "| the Gateway | %s |\n|---|%s\n", strings.Join(names, " | "), strings.Repeat("---|", len(names)))
	for _, s := range scenes() {
		fmt.Fprintf(&b, "| [%s](#%s) |", s.name, s.name)
		for _, c := range clients {
			mine, good := of[key{s.name, c.name}], 0
			for _, i := range mine {
				if len(cells[i].judge(results[i])) == 0 {
					good++
				}
			}
			switch {
			case !c.meets(s):
				b.WriteString(" makes no attempt |")
			case c.missing() != "":
				b.WriteString(" not run |")
			default:
				fmt.Fprintf(&b, " %d of %d |", good, len(mine))
			}
		}
		b.WriteString("\n")
	}
	for _, s := range scenes() {
		fmt.Fprintf(&b, "\n### %s\n\n%s. The truth: **%s**.\n\n", s.name, strings.TrimSuffix(upper(about(s)), "."), s.truth)
		b.WriteString("| client | server version | what the client believes | what the recorder says | |\n|---|---|---|---|---|\n")
		for _, c := range clients {
			if !c.meets(s) {
				continue
			}
			if c.missing() != "" {
				fmt.Fprintf(&b, "| %s | | not run: it was not installed | | |\n", c.name)
				continue
			}
			for _, row := range merge(cells, results, of[key{s.name, c.name}]) {
				fmt.Fprintf(&b, "| %s | %s |\n", c.name, row)
			}
		}
	}
	b.WriteString(foot)
	return b.String()
}

func about(s scene) string {
	if s.before == nothing {
		return s.about
	}
	return s.about + " (" + string(s.before) + ")"
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// merge makes one row of the versions whose results are the same.
func merge(cells []cell, results []result, mine []int) (rows []string) {
	var same []string // what follows the versions
	at := map[string][]string{}
	for _, i := range mine {
		verdict := "right"
		if p := cells[i].judge(results[i]); len(p) > 0 {
			verdict = "WRONG: " + strings.Join(p, "; ")
		}
		row := strings.Join([]string{results[i].believes, results[i].says, verdict}, " | ")
		if !slices.Contains(same, row) {
			same = append(same, row)
		}
		at[row] = append(at[row], fmt.Sprint(cells[i].version))
	}
	slices.SortStableFunc(same, func(a, b string) int { return cmp.Compare(at[a][0], at[b][0]) })
	for _, row := range same {
		rows = append(rows, strings.Join(at[row], ", ")+" | "+row)
	}
	return rows
}
